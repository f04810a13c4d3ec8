"""What one sample holds: texts, scores, verdict, transcript and segments, read in one query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

import fiftyone as fo
import pymongo
from pymongo.errors import PyMongoError

from ...agreement.aspects import ACTION100M_HOISTED, PRESETS, Aspect, score_field
from ...agreement.metrics import METRICS
from ...agreement.texts import is_scorable
from ...engine.table import audited_fields
from ..aspects import scored_aspects
from .ruling import ShownRuling, read_rulings, ruling_names
from .said import Said, find_sources, read_said

#: Metrics in the order of what they tell; ``match`` is fitted by a stage of its own.
METRIC_NAMES = ("match", *METRICS)

#: The name of the support by all witnesses together, beside the edges' own.
EVERYONE = "all"

_LONGEST_SOUGHT = 10_000
#: Seconds for which other samples are searched for the same text: a pass over all of them.
SOUGHT_FOR = 0.3

_PLAIN = ("filepath", "transcript", "verdict", "confidence")
_FRAME_RATE = "metadata.frame_rate"
_PLACES = ("support", "bounding_box")
_PARTS = ("id", "label", *_PLACES, "start", "end", "tier", "level", "outside_clip")


@dataclass(frozen=True)
class Segment:
    """A stretch of a video, or a region of an image, and what the annotation says of it.

    Attributes:
        id: the label's id, which is its clip's or patch's id too
        text: the label
        first_frame: its first frame, from 1; 0 for a region
        last_frame: its last frame
        start: seconds from the beginning, None where unknown
        end: seconds
        tier: what the tree of captions calls its level, such as ``leaf``
        outside: whether it lies beyond what the clip shows
        box: of a region: left, top, width and height, each 0..1
    """

    id: str
    text: str
    first_frame: int = 0
    last_frame: int = 0
    start: float | None = None
    end: float | None = None
    tier: str | None = None
    outside: bool = False
    box: tuple[float, ...] | None = None


@dataclass(frozen=True)
class ShownSample:
    """One sample as the viewer shows it.

    Attributes:
        id: the sample's id
        name: its file's name
        texts: ``{field: text}``
        scores: ``{score field: score}``, of the fields that exist; None where missing
        verdict: what ``calibrate`` decided
        confidence: 0..1
        transcript: what is said in the clip
        segments: ``{field: segments in order}``
        is_video: whether it plays
        rulings: ``{aspect: what the video ruled}``
        said: ``{segment's id: what witnesses say of it}``, of the first field of segments and of
            audited ones, and of each field's first aspect
        aspects: ``{field: {aspect: {segment's id: the same}}}``, where a field has several aspects
        path: its file
        elsewhere: ``{annotation's field: how many other samples hold this text, word for word}``;
            None where to count them takes too long
    """

    id: str
    name: str
    texts: dict[str, str | None]
    scores: dict[str, float | None]
    verdict: str | None = None
    confidence: float | None = None
    transcript: str | None = None
    segments: dict[str, list[Segment]] = field(default_factory=dict)
    is_video: bool = False
    rulings: dict[str, ShownRuling] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)
    aspects: dict[str, dict[str, dict[str, Said]]] = field(default_factory=dict)
    path: str = ""
    elsewhere: dict[str, int | None] = field(default_factory=dict)


def find_aspects(dataset: fo.Dataset, alone: bool = False) -> list[Aspect]:
    """The aspects that a dataset has texts of: the newest run's, then the presets'.

    An aspect is shown where its annotation and at least one opinion are text fields; the
    opinions without a field are left out. With ``alone``, the annotation is enough.
    """
    there = set(dataset.get_field_schema(ftype=fo.StringField))
    found: dict[str, Aspect] = {}
    newest = next(iter(scored_aspects(dataset)), ())
    for aspect in [*newest, *(a for preset in PRESETS.values() for a in preset)]:
        opinions = {witness: name for witness, name in aspect.opinions.items() if name in there}
        if aspect.annotation in there and (opinions or alone):
            found.setdefault(aspect.name, Aspect(aspect.name, aspect.annotation, opinions))
    return list(found.values())


def score_names(aspect: Aspect) -> list[str]:
    """Every score field that an aspect can have."""
    edges = [EVERYONE, *(edge.name for edge in aspect.edges())]
    return [score_field(metric, edge, aspect.name) for edge in edges for metric in METRIC_NAMES]


def segment_fields(dataset: fo.Dataset, aspects: Iterable[Aspect]) -> list[str]:
    """The fields of segments and regions: audited ones first.

    Then come those of segments that annotations were hoisted from, or any. Without an aspect, those
    of which witnesses say something come before the others.
    """
    timed, shown = _timed(dataset), {aspect.annotation for aspect in aspects}
    hoisted = [name for name in timed if ACTION100M_HOISTED.get(name) in shown]
    first = audited_fields(dataset) if shown else find_segments(dataset)
    return list(dict.fromkeys([*first, *(hoisted or timed)]))


def find_segments(dataset: fo.Dataset) -> list[str]:
    """The fields of segments that say more than a label each: the audited ones come first."""
    told = (name for name in _timed(dataset) if find_sources(dataset, name))
    return list(dict.fromkeys([*audited_fields(dataset), *told]))


def _timed(dataset: fo.Dataset) -> list[str]:
    return [
        name
        for name, kind in dataset.get_field_schema(ftype=fo.EmbeddedDocumentField).items()
        if issubclass(kind.document_type, fo.TemporalDetections)
    ]


def read_sample(
    dataset: fo.Dataset, sample_id: str, aspects: Iterable[Aspect]
) -> ShownSample | None:
    """Reads what is shown of a sample, without making objects of its labels; None if gone."""
    aspects = list(aspects)
    schema = dataset.get_field_schema()
    texts = dict.fromkeys(name for aspect in aspects for name in aspect.fields)
    scores = [name for aspect in aspects for name in score_names(aspect) if name in schema]
    plain = [name for name in _PLAIN if name in schema]
    timed = _segment_columns(dataset, segment_fields(dataset, aspects))
    ruled = ruling_names(dataset, aspects)
    names = dict.fromkeys([*texts, *scores, *plain, *timed, *ruled])
    if dataset.get_field(_FRAME_RATE) is not None:
        names[_FRAME_RATE] = None
    columns = dataset.select(sample_id).values(list(names))
    if not columns or not columns[0]:
        return None
    found = {name: column[0] for name, column in zip(names, columns)}
    confidence = found.get("confidence")
    segments = _segments(found, timed)
    audited = audited_fields(dataset)
    shown = [name for i, name in enumerate(segments) if not i or name in audited]
    of_fields = {name: read_said(dataset, sample_id, name) for name in shown}
    firsts = [next(iter(said.values())) for said in of_fields.values()]
    return ShownSample(
        id=sample_id,
        name=PurePath(found["filepath"]).name,
        texts={name: found[name] for name in texts},
        scores={name: found[name] for name in scores},
        verdict=found.get("verdict"),
        confidence=confidence if isinstance(confidence, float) else None,
        transcript=found.get("transcript"),
        segments=segments,
        is_video=dataset.media_type == "video",
        rulings=read_rulings(found, aspects),
        said={label: said for first in firsts for label, said in first.items()},
        aspects={name: said for name, said in of_fields.items() if len(said) > 1},
        path=found["filepath"],
        elsewhere=_elsewhere(dataset, {a.annotation: found[a.annotation] for a in aspects}),
    )


def _elsewhere(dataset: fo.Dataset, said: dict[str, str | None]) -> dict[str, int | None]:
    # One pass over the samples, whatever the number of texts
    sought = {name: t for name, t in said.items() if is_scorable(t) and len(t) < _LONGEST_SOUGHT}
    if not sought:
        return {}
    same = dataset.match({"$or": [{name: text} for name, text in sought.items()]})
    try:
        with pymongo.timeout(SOUGHT_FOR):
            columns = same.values(list(sought))
    except PyMongoError as error:
        if not error.timeout:
            raise
        return dict.fromkeys(sought)
    return {name: column.count(sought[name]) - 1 for name, column in zip(sought, columns)}


def _segment_columns(dataset: fo.Dataset, fields: Iterable[str]) -> list[str]:
    paths = [f"{name}.detections.{attribute}" for name in fields for attribute in _PARTS]
    return [path for path in paths if dataset.get_field(path) is not None]


def _segments(found: dict, paths: list[str]) -> dict[str, list[Segment]]:
    by_field: dict[str, dict[str, list]] = {}
    for path in paths:
        name, _, attribute = path.split(".")
        by_field.setdefault(name, {})[attribute] = found[path] or []
    return {
        name: sorted(
            _make_segments(columns, found.get(_FRAME_RATE)),
            key=lambda segment: (segment.first_frame, -segment.last_frame),
        )
        for name, columns in by_field.items()
        if any(columns.get(place) for place in _PLACES)
    }


def _make_segments(columns: dict[str, list], frame_rate: float | None) -> list[Segment]:
    made = []
    for i, label_id in enumerate(columns["id"]):

        def at(attribute: str, i: int = i) -> object:
            values = columns.get(attribute) or []
            return values[i] if i < len(values) else None

        support, box = (at(place) or () for place in _PLACES)
        if len(support) != 2 and len(box) != 4:
            continue
        start, end = at("start"), at("end")
        if (start is None or end is None) and frame_rate and support:
            start, end = ((frame - 1) / frame_rate for frame in support)
        first, last = support or (0, 0)
        made.append(
            Segment(
                id=label_id,
                text=at("label") or "",
                first_frame=int(first),
                last_frame=int(last),
                start=start,
                end=end,
                tier=at("tier"),
                outside=bool(at("outside_clip")),
                box=None if support else tuple(box),
            )
        )
    return made
