"""One row of Action100M's published schema, read into the columns of one sample.

``video_uid``, ``metadata`` (title, transcript, ...) and ``nodes``, a tree of
captions: https://huggingface.co/datasets/facebook/action100m-preview. Names of
fields, frame numbers and what counts as "N/A" are those of the FiftyOne
workshop's dataset, with two differences. Segments beyond the clip are kept, since
the tree and its root need them, and carry ``outside_clip``; and a leaf is a
segment without children, as in the paper, not one of the deepest level.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bson import ObjectId

from ..agreement.texts import clean, is_missing, is_na
from ..agreement.tree import Segment, Tree, read_tree
from ..engine.records import Problems

#: ``{field: path in a node}``: the annotations, by GPT-OSS-120B.
GPT_FIELDS = {
    "gpt_summary_brief": ("gpt", "summary", "brief"),
    "gpt_summary_detailed": ("gpt", "summary", "detailed"),
    "gpt_action_brief": ("gpt", "action", "brief"),
    "gpt_action_detailed": ("gpt", "action", "detailed"),
    "gpt_action_actor": ("gpt", "action", "actor"),
}
#: The same for the captions that the annotations were written from.
STAGE2_FIELDS = {
    "plm_caption": ("plm_caption",),
    "plm_action": ("plm_action",),
    "llama3_caption": ("llama3_caption",),
}
LABEL_FIELDS = {**GPT_FIELDS, **STAGE2_FIELDS}
#: The fields whose "N/A" the workshop leaves out; an actor "N/A" it keeps.
NA_FIELDS = ("gpt_action_brief", "gpt_action_detailed")

#: Frames per second assumed where there is no video to tell.
NOMINAL_FRAME_RATE = 30.0

# The published annotations skip segments shorter than this.
_SECONDS_WITH_GPT = 4.0
_LAST_TRANSCRIPT_SECONDS = 3.0
_MOST_SECONDS = 1e9
# MongoDB takes 16 MB a document; what a label weighs beside its text.
_MOST_BYTES = 14_000_000
_LABEL_BYTES = 400


@dataclass(frozen=True)
class Clip:
    """What the video file shows of the annotated video.

    Attributes:
        seconds: how much of it, from its beginning; None where that is not known
        frame_rate: frames per second
        frames: the number of frames in the file; None where there is no file
    """

    seconds: float | None
    frame_rate: float = NOMINAL_FRAME_RATE
    frames: int | None = None

    def support(self, start: float | None, end: float | None) -> list[int]:
        """First and last frame, from 1, of a span in seconds, inside the clip.

        A span whose times cannot be used may be anywhere: it gets the whole clip.
        """
        last = self.frames or math.inf
        if self.seconds is not None:
            last = min(last, int(self.seconds * self.frame_rate) + 1)
        if start is None or end is None:
            return [1, int(last) if last < math.inf else 1]
        return [int(min(int(t * self.frame_rate) + 1, last)) for t in (start, end)]

    def misses(self, start: float | None) -> bool:
        """Whether a span that begins at ``start`` lies wholly beyond the clip."""
        return self.seconds is not None and start is not None and start >= self.seconds


@dataclass
class Video:
    """One row, read.

    Attributes:
        uid: the video's id, safe as a file name
        columns: ``{field: value}`` in stored form
        labels: how many labels each field got
        beyond_clip: how many segments lie beyond the clip
        na_dropped: how many "N/A" were left out
    """

    uid: str
    columns: dict[str, object] = field(default_factory=dict)
    labels: Counter = field(default_factory=Counter)
    beyond_clip: int = 0
    na_dropped: int = 0


class Notes:
    """The problems of one row: counted for the report, named for the sample."""

    def __init__(self, problems: Problems, where: str) -> None:
        self._problems, self._where = problems, where
        self.kinds: dict[str, None] = {}

    def add(self, kind: str, detail: str = "", count: int = 1) -> None:
        """Counts a problem of this row."""
        self.kinds[kind] = None
        self.remark(kind, detail, count)

    def remark(self, kind: str, detail: str, count: int = 1) -> None:
        """Counts what is no fault of the row but must not go unsaid."""
        self._problems.add(kind, f"{self._where}: {detail}" if detail else self._where, count)


def read_uid(row: Mapping[str, object]) -> str | None:
    """The row's ``video_uid``; None if it cannot name a file."""
    uid = row.get("video_uid")
    if not isinstance(uid, str) or uid != clean(uid) or not 0 < len(uid) <= 200:
        return None
    return None if set(uid) & set('/\\:*?"<>|\n\r\t') or not uid.strip(".") else uid


def read_video(
    row: Mapping[str, object], uid: str, clip: Clip, keep_na: bool, notes: Notes
) -> Video | None:
    """Reads one row.

    Args:
        row: the row
        uid: what :func:`read_uid` gave
        clip: what the file shows
        keep_na: whether "N/A" actions become labels
        notes: told of everything wrong

    Returns:
        the video; None if the row has no segments
    """
    tree = read_tree(row.get("nodes"))
    for fault in tree.faults:
        notes.add(fault.name, fault.where)
    if not tree.segments:
        return None
    video = Video(uid)
    video.columns = {
        "video_uid": uid,
        "full_video_url": f"https://www.youtube.com/watch?v={uid}",
        "tree_depth": tree.depth,
        "clip_coverage": clip_coverage(tree, clip),
        **_read_metadata(row.get("metadata"), clip, notes),
    }
    video.beyond_clip = sum(clip.misses(segment.start) for segment in tree.segments)
    labels = _read_labels(tree, clip, keep_na, video, notes)
    _fit_document(labels, notes)
    video.labels = Counter({name: len(found) for name, found in labels.items()})
    for name, found in labels.items():
        video.columns[name] = _detections(found)
    _note_missing_gpt(tree, notes)
    return video


def clip_coverage(tree: Tree, clip: Clip) -> float | None:
    """The share of the root's span that the clip shows, 0..1; None where unknown."""
    if tree.root is None or not tree.root.has_times or clip.seconds is None:
        return None
    shown = min(clip.seconds, tree.root.end) - tree.root.start
    return max(0.0, shown) / tree.root.seconds


# ---- labels ----


def _read_labels(
    tree: Tree, clip: Clip, keep_na: bool, video: Video, notes: Notes
) -> dict[str, list[dict]]:
    labels: dict[str, list[dict]] = {name: [] for name in LABEL_FIELDS}
    for segment in tree.segments:
        attributes = _attributes(segment, clip)
        name_of = segment.node_id or "a node without id"
        for name, path in LABEL_FIELDS.items():
            text = _node_text(segment.values, path, name_of, notes)
            if text is None:
                continue
            if name in NA_FIELDS and is_na(text) and not keep_na:
                video.na_dropped += 1
                continue
            labels[name].append(_detection(text, attributes))
    return labels


def _attributes(segment: Segment, clip: Clip) -> dict[str, object]:
    times = (segment.start, segment.end) if segment.has_times else (None, None)
    return {
        "support": clip.support(*times),
        "node_id": _clean(segment.node_id),
        "parent_id": _clean(segment.parent_id),
        "level": segment.level,
        "tier": segment.tier,
        "start": segment.start,
        "end": segment.end,
        "outside_clip": clip.misses(segment.start),
    }


def _detection(text: str, attributes: Mapping[str, object]) -> dict[str, object]:
    return {
        "_id": ObjectId(),
        "_cls": "TemporalDetection",
        "tags": [],
        "label": text,
        "confidence": None,
        **attributes,
    }


def _detections(found: list[dict]) -> dict[str, object] | None:
    return {"_cls": "TemporalDetections", "detections": found} if found else None


def _node_text(
    values: Mapping[str, object], path: tuple[str, ...], node: str, notes: Notes
) -> str | None:
    here: object = values
    for i, key in enumerate(path):
        here = here.get(key)
        if here is None:
            return None
        wanted = str if i == len(path) - 1 else Mapping
        if not isinstance(here, wanted):
            found = type(here).__name__
            notes.add("text_wrong_type", f"{node}: {'.'.join(path[: i + 1])} is a {found}")
            return None
    return None if is_missing(here) else _clean(here) or None


def _note_missing_gpt(tree: Tree, notes: Notes) -> None:
    without = [s for s in tree.segments if not _has_gpt(s)]
    if len(without) == len(tree.segments):
        notes.add("gpt_missing", "no segment has annotations")
        return
    if tree.root is not None and not _has_gpt(tree.root):
        notes.add("gpt_missing", "the root has no annotations")
    long = [s for s in without if s is not tree.root and (s.seconds or 0) >= _SECONDS_WITH_GPT]
    if long:
        notes.remark(
            "gpt_missing_in_long_segment",
            f"{len(long)} segments, such as {long[0].node_id}",
            len(long),
        )


def _has_gpt(segment: Segment) -> bool:
    return isinstance(segment.values.get("gpt"), Mapping) and bool(segment.values["gpt"])


def _fit_document(labels: dict[str, list[dict]], notes: Notes) -> None:
    def weigh(found: list[dict]) -> int:
        return sum(_LABEL_BYTES + len(label["label"].encode("utf-8")) for label in found)

    # The captions that the annotations were made from go first, the longest before others.
    for name in ("llama3_caption", "plm_caption", "plm_action", *GPT_FIELDS):
        if sum(weigh(found) for found in labels.values()) <= _MOST_BYTES:
            return
        notes.add("too_large_for_database", f"{len(labels[name])} labels of {name} left out")
        labels[name] = []


# ---- metadata ----


def _read_metadata(metadata: object, clip: Clip, notes: Notes) -> dict[str, object]:
    if not isinstance(metadata, Mapping):
        found = "missing" if metadata is None else f"a {type(metadata).__name__}"
        notes.add("metadata_missing", f"metadata is {found}")
        metadata = {}
    transcript, segments = _read_transcript(metadata.get("transcript"), clip, notes)
    return {
        "title": _read_text(metadata, "title", notes),
        "description": _read_text(metadata, "description", notes),
        "upload_date": _read_date(metadata.get("upload_date"), notes),
        "view_count": _read_count(metadata, "view_count", notes),
        "like_count": _read_count(metadata, "like_count", notes),
        "full_video_duration": _read_number(metadata, "duration", notes),
        "transcript": transcript,
        "transcript_segments": _detections(segments),
    }


def _read_text(metadata: Mapping[str, object], key: str, notes: Notes) -> str | None:
    value = metadata.get(key)
    if value is not None and not isinstance(value, str):
        notes.add("metadata_wrong_type", f"{key} is a {type(value).__name__}")
    return None if is_missing(value) else _clean(value) or None


def _read_number(metadata: Mapping[str, object], key: str, notes: Notes) -> float | None:
    value = metadata.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _fits(value):
        notes.add("metadata_wrong_type", f"{key} is {str(value)[:40]!r}, not a number")
        return None
    return float(value)


def _read_count(metadata: Mapping[str, object], key: str, notes: Notes) -> int | None:
    number = _read_number(metadata, key, notes)
    return None if number is None else int(metadata[key])


def _fits(value: float) -> bool:
    return -(2**63) <= value < 2**63  # nan and infinity are not


def _read_date(value: object, notes: Notes) -> datetime | None:
    if value is None:
        return None
    for form in ("%Y%m%d", "%Y-%m-%d"):
        try:
            return datetime.strptime(str(value), form)
        except ValueError:
            continue
    notes.add("metadata_wrong_type", f"upload_date is {str(value)[:40]!r}, not like 20240131")
    return None


def _read_transcript(transcript: object, clip: Clip, notes: Notes) -> tuple[str | None, list[dict]]:
    """What is said within the clip: as one text, and as timed labels."""
    if transcript is None:
        return None, []
    if not isinstance(transcript, list):
        notes.add("metadata_wrong_type", f"transcript is a {type(transcript).__name__}")
        return None, []
    entries, beyond, unreadable = [], 0, 0
    for entry in transcript:
        read = _read_entry(entry)
        if read is None:
            unreadable += 1
        elif clip.seconds is not None and read[0] > clip.seconds:
            beyond += 1
        else:
            entries.append(read)
    if unreadable:
        notes.add("transcript_entry_unreadable", f"{unreadable} entries", unreadable)
    if beyond:
        notes.remark("transcript_entry_beyond_clip", f"{beyond} entries left out", beyond)
    labels = []
    for i, (start, text) in enumerate(entries):
        last = i + 1 == len(entries)
        end = start + _LAST_TRANSCRIPT_SECONDS if last else entries[i + 1][0]
        end = end if clip.seconds is None else min(end, clip.seconds)
        if start < end and text:
            attributes = {"support": clip.support(start, end), "start": start, "end": end}
            labels.append(_detection(text, attributes))
    return " ".join(text for _, text in entries if text) or None, labels


def _read_entry(entry: object) -> tuple[float, str] | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("text"), str):
        return None
    try:
        start = float(entry.get("time"))
    except (TypeError, ValueError, OverflowError):
        return None
    return (start, _clean(entry["text"])) if 0 <= start < _MOST_SECONDS else None


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)
