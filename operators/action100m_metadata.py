"""Action100M's ``metadata`` of one video: title, numbers, date and transcript."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..agreement.texts import clean, is_missing
from .timed_labels import Clip, Notes, as_detection, as_detections

_LAST_TRANSCRIPT_SECONDS = 3.0
_MOST_SECONDS = 1e9


def read_metadata(metadata: object, clip: Clip, notes: Notes) -> dict[str, object]:
    """Reads what is known of a video.

    Args:
        metadata: a dict in the published schema
        clip: what the file shows; what is said later is left out and counted
        notes: told of everything that is missing or of the wrong type

    Returns:
        ``{field: value}`` in stored form
    """
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
        "transcript_segments": as_detections(segments),
    }


def _read_text(metadata: Mapping[str, object], key: str, notes: Notes) -> str | None:
    value = metadata.get(key)
    if value is not None and not isinstance(value, str):
        notes.add("metadata_wrong_type", f"{key} is a {type(value).__name__}")
    return None if is_missing(value) else clean(value) or None


def _read_number(metadata: Mapping[str, object], key: str, notes: Notes) -> float | None:
    value = metadata.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _fits(value):
        notes.add("metadata_wrong_type", f"{key} is {str(value)[:40]!r}, not a number")
        return None
    return float(value)


def _read_count(metadata: Mapping[str, Any], key: str, notes: Notes) -> int | None:
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
            labels.append(as_detection(text, attributes))
    return " ".join(text for _, text in entries if text) or None, labels


def _read_entry(entry: object) -> tuple[float, str] | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("text"), str):
        return None
    try:
        start = float(entry.get("time"))
    except (TypeError, ValueError, OverflowError):
        return None
    return (start, clean(entry["text"])) if 0 <= start < _MOST_SECONDS else None
