"""One row of Action100M's published schema, read into the columns of one sample.

``video_uid``, ``metadata`` (title, transcript, ...) and ``nodes``, a tree of
captions: https://huggingface.co/datasets/facebook/action100m-preview. Names of
fields, frame numbers and what counts as "N/A" are those of the FiftyOne
workshop's dataset, with two differences. Segments beyond the clip are kept, since
the tree and its root need them, and carry ``outside_clip``; and a leaf is a
segment without children, as in the paper, not one of the deepest level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..agreement.texts import clean, is_missing, is_na
from ..agreement.tree import Segment, Tree, read_tree
from .action100m_metadata import read_metadata
from .timed_labels import Clip, Notes, as_detection, as_detections

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

# The published annotations skip segments shorter than this.
_SECONDS_WITH_GPT = 4.0
# MongoDB takes 16 MB a document; what a label weighs beside its text.
_MOST_BYTES = 14_000_000
_LABEL_BYTES = 400


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
    columns: dict[str, Any] = field(default_factory=dict)
    labels: Counter = field(default_factory=Counter)
    beyond_clip: int = 0
    na_dropped: int = 0


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
        **read_metadata(row.get("metadata"), clip, notes),
    }
    video.beyond_clip = sum(clip.misses(segment.start) for segment in tree.segments)
    labels = _read_labels(tree, clip, keep_na, video, notes)
    _fit_document(labels, notes)
    video.labels = Counter({name: len(found) for name, found in labels.items()})
    for name, found in labels.items():
        video.columns[name] = as_detections(found)
    _note_missing_gpt(tree, notes)
    return video


def clip_coverage(tree: Tree, clip: Clip) -> float | None:
    """The share of the root's span that the clip shows, 0..1; None where unknown."""
    if tree.root is None or not tree.root.has_times or clip.seconds is None:
        return None
    beyond = tree.root.end - clip.seconds
    if beyond <= 1.0 / clip.frame_rate:  # published times are 32-bit: a frame is no gap
        return 1.0
    return max(0.0, clip.seconds - tree.root.start) / tree.root.seconds


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
            labels[name].append(as_detection(text, attributes))
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


def _node_text(
    values: Mapping[str, object], path: tuple[str, ...], node: str, notes: Notes
) -> str | None:
    here: Any = values
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


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)
