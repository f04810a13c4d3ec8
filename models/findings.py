"""What a witness found in a clip: from its answer to texts, spans, classes and boxes.

Only the parts that a task asks for are read, under names fixed here. Whatever else an
answer holds is left alone, so that words which a model picked up from a video can change
what is said, and never what is written where. Each malformed part is dropped and counted.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from .json_body import find_json

_MOST = 1000  # parts of a kind; a model that is stuck repeats itself without end
_LONGEST = 4000  # characters of a text
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{1,2})(?:[.,](\d+))?\Z")
_SECONDS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(?:s|sec|secs|seconds?)?\Z", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

_SPANS = {
    "events": ("start", "end", ("description", "event", "label", "text")),
    "objects": ("first_appears", "last_appears", ("name", "label", "object")),
    "text_content": ("start", "end", ("text", "label", "description")),
}
_CLASSES = {
    "scene_info": ("setting", "time_of_day", "location_type"),
    "activities": ("primary_activity", "secondary_activities"),
}


@dataclass(frozen=True)
class Span:
    """Something that lasts.

    Attributes:
        start: seconds from the beginning of the clip
        end: seconds, not before ``start`` and not after the clip's end
        label: what it is
    """

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class Box:
    """Something at a place at a moment.

    Attributes:
        time: seconds from the beginning of the clip
        box: left, top, width and height, 0..1 of the picture
        label: what it is, or the words read there
        index: the thing's number, the same at every moment; None where not told
    """

    time: float
    box: tuple[float, float, float, float]
    label: str
    index: int | None = None


@dataclass
class Findings:
    """All that could be read of one answer.

    Attributes:
        texts: ``{name: text}``
        spans: ``{name: spans}``
        classes: ``{name: labels}``
        boxes: ``{name: boxes}``
        readable: whether the answer has the task's form at all
        dropped: how many parts were dropped, by reason
    """

    texts: dict[str, str] = field(default_factory=dict)
    spans: dict[str, list[Span]] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)
    boxes: dict[str, list[Box]] = field(default_factory=dict)
    readable: bool = True
    dropped: Counter = field(default_factory=Counter)


def read_findings(task: str, raw: str | None, duration: float) -> Findings:
    """Reads an answer to a task.

    Args:
        task: ``description``, ``custom``, ``comprehensive``, ``temporal_localization``,
            ``tracking`` or ``ocr``
        raw: what the witness wrote
        duration: the clip's length in seconds; what lies beyond is dropped

    Returns:
        the findings; it never raises for what a witness wrote
    """
    found = Findings()
    if task in ("description", "custom"):
        text = read_text(raw)
        found.readable = text is not None
        if text is not None:
            found.texts["summary" if task == "description" else "result"] = text
        return found
    body = find_json(raw)
    if body is None:
        found.readable = False
        return found
    _READERS[task](found, body, duration)
    return found


def read_time(value: object) -> float | None:
    """Reads a time in seconds: ``3.5``, ``"3.5 s"``, ``"01:05.50"``, ``"1:02:03"``.

    Returns:
        seconds, at least 0; None where it is no time
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        seconds = float(value)
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    if not isinstance(value, str):
        return None
    text = value.strip().strip("<>[]()").strip()
    if plain := _SECONDS.match(text):
        return float(plain.group(1))
    clock = _CLOCK.match(text)
    if clock is None:
        return None
    hours, minutes, rest, fraction = clock.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(rest)
    return whole + float(f"0.{fraction}") if fraction else float(whole)


def read_text(value: object) -> str | None:
    """A text as a database can hold it; None where there is none."""
    if not isinstance(value, str):
        return None
    text = value.encode("utf-8", "replace").decode("utf-8")
    text = _CONTROL.sub(" ", text).strip()
    return text[:_LONGEST] or None


def _comprehensive(found: Findings, body: object, duration: float) -> None:
    if not isinstance(body, dict):
        found.readable = False
        return
    found.readable = any(key in body for key in ("summary", *_SPANS, *_CLASSES))
    summary = read_text(body.get("summary"))
    if summary is not None:
        found.texts["summary"] = summary
    for name in _SPANS:
        if name in body:
            found.spans[name] = _read_spans(found, name, body[name], duration)
    for group, keys in _CLASSES.items():
        given = body.get(group)
        if not isinstance(given, dict):
            if group in body:
                found.dropped[f"{group} is no object"] += 1
            continue
        for key in keys:
            labels = _labels(given.get(key))
            if labels:
                found.classes[f"{group}_{key}"] = labels


def _temporal(found: Findings, body: object, duration: float) -> None:
    listed = _listed(body, "events")
    found.readable = listed is not None
    if listed is not None:
        found.spans["events"] = _read_spans(found, "events", listed, duration)


def _boxes_of(name: str, words: tuple[str, ...]):
    def read(found: Findings, body: object, duration: float) -> None:
        listed = _listed(body, name)
        found.readable = listed is not None
        if listed is not None:
            boxes = (_read_box(found, item, words, duration) for item in _bounded(found, listed))
            found.boxes[name] = [box for box in boxes if box is not None]

    return read


_READERS = {
    "comprehensive": _comprehensive,
    "temporal_localization": _temporal,
    "tracking": _boxes_of("objects", ("label", "name")),
    "ocr": _boxes_of("text_content", ("text", "label")),
}


def _listed(body: object, name: str) -> list | None:
    """The list asked for: alone, under its name, or as the only list there is."""
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        return None
    if isinstance(body.get(name), list):
        return body[name]
    lists = [value for value in body.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else None


def _bounded(found: Findings, listed: list) -> Iterator[object]:
    if len(listed) > _MOST:
        found.dropped["too many"] += len(listed) - _MOST
    yield from listed[:_MOST]


def _read_spans(found: Findings, name: str, listed: object, duration: float) -> list[Span]:
    if not isinstance(listed, list):
        found.dropped[f"{name} is no list"] += 1
        return []
    first, last, words = _SPANS[name]
    spans = []
    for item in _bounded(found, listed):
        if not isinstance(item, dict):
            found.dropped["not an object"] += 1
            continue
        label = _first_text(item, words)
        start = read_time(item.get(first, item.get("start")))
        end = read_time(item.get(last, item.get("end")))
        reason = _wrong_span(label, start, end, duration)
        if reason is not None:
            found.dropped[reason] += 1
        else:
            spans.append(Span(start, min(end, duration), label))
    return spans


def _wrong_span(
    label: str | None, start: float | None, end: float | None, duration: float
) -> str | None:
    if label is None:
        return "no label"
    if start is None or end is None:
        return "no time"
    if end < start:
        return "ends before it starts"
    return "beyond the clip" if start > duration else None


def _read_box(found: Findings, item: object, words: tuple[str, ...], duration: float) -> Box | None:
    if not isinstance(item, dict):
        found.dropped["not an object"] += 1
        return None
    label, time = _first_text(item, words), read_time(item.get("time"))
    box = _read_corners(item.get("bbox_2d", item.get("bbox")))
    if label is None or time is None or time > duration or box is None:
        found.dropped[
            "no label" if label is None
            else "no time" if time is None
            else "beyond the clip" if time > duration
            else "no box"
        ] += 1  # fmt: skip
        return None
    index = item.get("index")
    index = index if isinstance(index, int) and not isinstance(index, bool) else None
    return Box(time, box, label, index)


def _read_corners(value: object) -> tuple[float, float, float, float] | None:
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        return None
    corners = []
    for side in value:
        if isinstance(side, bool) or not isinstance(side, (int, float)) or not math.isfinite(side):
            return None
        corners.append(min(max(side / 1000, 0.0), 1.0))
    left, top, right, bottom = corners
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _first_text(item: dict, words: tuple[str, ...]) -> str | None:
    return next((text for word in words if (text := read_text(item.get(word)))), None)


def _labels(value: object) -> list[str]:
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return []
    labels = [text[:200] for item in value[:20] if (text := read_text(item))]
    return list(dict.fromkeys(labels))
