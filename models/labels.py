"""What a witness found, as FiftyOne's labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import fiftyone as fo

from .findings import Box, Findings, Span

if TYPE_CHECKING:
    from .frames import FrameRecord

#: ``{task: {suffix of the field: its type}}``: all that a task ever writes. Names of frames'
#: fields begin with ``frames.``; action100m's texts are read from its answer afterwards.
WRITTEN: dict[str, dict[str, type]] = {
    "description": {"summary": fo.StringField},
    "custom": {"result": fo.StringField},
    "comprehensive": {
        "summary": fo.StringField,
        "events": fo.TemporalDetections,
        "objects": fo.TemporalDetections,
        "text_content": fo.TemporalDetections,
        "scene_info_setting": fo.Classification,
        "scene_info_time_of_day": fo.Classification,
        "scene_info_location_type": fo.Classification,
        "activities_primary_activity": fo.Classification,
        "activities_secondary_activities": fo.Classifications,
    },
    "temporal_localization": {"events": fo.TemporalDetections},
    "tracking": {"frames.objects": fo.Detections},
    "ocr": {"frames.text_content": fo.Detections},
}


def sample_labels(task: str, found: Findings, record: FrameRecord) -> dict[str, object]:
    """The values of a sample's fields.

    Args:
        task: the task that was asked
        found: what was read of the answer
        record: the clip's frames, which tell times from frame numbers

    Returns:
        ``{suffix: text or label}``, None for what a readable answer did not tell
    """
    made: dict[str, object] = {}
    for name, kind in WRITTEN.get(task, {}).items():
        if kind is fo.StringField:
            made[name] = found.texts.get(name)
        elif kind is fo.TemporalDetections and found.spans.get(name) is not None:
            made[name] = temporal_detections(found.spans[name], record)
        elif kind is fo.Classification and found.classes.get(name):
            made[name] = fo.Classification(label=found.classes[name][0])
        elif kind is fo.Classifications and found.classes.get(name):
            labels = [fo.Classification(label=label) for label in found.classes[name]]
            made[name] = fo.Classifications(classifications=labels)
        elif not name.startswith("frames."):
            made[name] = None
    return made


def frame_labels(found: Findings, record: FrameRecord) -> dict[int, dict[str, fo.Detections]]:
    """The values of a video's frames: ``{frame number: {suffix: detections}}``."""
    frames: dict[int, dict[str, fo.Detections]] = {}
    for name, boxes in found.boxes.items():
        for box in boxes:
            at = frames.setdefault(record.frame_at(box.time), {})
            at.setdefault(name, fo.Detections()).detections.append(_detection(box))
    return frames


def temporal_detections(spans: Iterable[Span], record: FrameRecord) -> fo.TemporalDetections:
    """Spans as labels with first and last frame number, from 1 and both included."""
    return fo.TemporalDetections(
        detections=[
            fo.TemporalDetection(
                label=span.label,
                support=[record.frame_at(span.start), record.frame_at(span.end)],
            )
            for span in spans
        ]
    )


def _detection(box: Box) -> fo.Detection:
    return fo.Detection(label=box.label, bounding_box=list(box.box), index=box.index)
