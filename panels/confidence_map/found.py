"""What a dataset holds for the map: comparisons, confidences and projections, by their fields."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo

from ...agreement.aspects import PRESETS, Aspect, Edge
from ...agreement.metrics import METRICS
from ..aspects import scored_aspects

#: The scores in the order in which they are offered: ``match`` says most where it exists.
SCORES = ("match", *METRICS)
SCORE_NAMES = {"match": "match"} | {name: metric.short for name, metric in METRICS.items()}

#: All aspects together: the confidence in a sample's annotation as a whole.
WHOLE = "all aspects together"
CONFIDENCE = "confidence"


@dataclass(frozen=True)
class Found:
    """What there is to show.

    Attributes:
        edges: ``{aspect: {edge: who is compared with whom}}``
        scores: ``{(aspect, edge): its scores}``, of :data:`SCORES`
        confidences: ``{aspect, or WHOLE: the field with its confidence}``
        lenses: the keys of the projections
        aspects: ``{name: aspect}`` of the aspects that runs and presets name
    """

    edges: dict[str, dict[str, str]]
    scores: dict[tuple[str, str], tuple[str, ...]]
    confidences: dict[str, str]
    lenses: tuple[str, ...]
    aspects: dict[str, Aspect]

    def comparable(self) -> dict[str, dict[str, str]]:
        """The comparisons that have both a lexical and a semantic score."""
        return self.having({"lex", "sem"})

    def having(self, scores: set[str]) -> dict[str, dict[str, str]]:
        """The comparisons that have all of these scores."""
        kept = {
            aspect: {e: who for e, who in edges.items() if scores <= set(self.scores[aspect, e])}
            for aspect, edges in self.edges.items()
        }
        return {aspect: edges for aspect, edges in kept.items() if edges}

    def pairs(self) -> dict[str, dict[str, str]]:
        """The aspects of which there are two comparisons to set against each other."""
        return {aspect: edges for aspect, edges in self.edges.items() if len(edges) > 1}


def find(dataset: fo.Dataset) -> Found:
    """Finds what a dataset has to show, by the names of its fields.

    The aspects are those of earlier runs and of the presets; a pair of fields ``lex_...`` and
    ``sem_...`` that belongs to none of them is read as ``lex_{edge}_{aspect}``, the edge's name
    being what comes before the first underscore.
    """
    fields = set(dataset.get_field_schema(ftype=fo.FloatField))
    known = known_aspects(dataset)
    edges: dict[str, dict[str, str]] = {}
    scores: dict[tuple[str, str], tuple[str, ...]] = {}
    pairs = {name[4:] for name in fields if name[:4] == "lex_" and f"sem_{name[4:]}" in fields}
    for aspect in known:
        for edge in aspect.edges():
            there = tuple(score for score in SCORES if edge.field(score) in fields)
            if there:
                pairs.discard(f"{edge.name}_{aspect.name}")
                edges.setdefault(aspect.name, {}).setdefault(edge.name, _who(edge))
                scores.setdefault((aspect.name, edge.name), there)
    for pair in sorted(pairs):
        edge, _, aspect = pair.partition("_")
        if aspect:
            edges.setdefault(aspect, {})[edge] = edge
            scores[aspect, edge] = tuple(s for s in SCORES if f"{s}_{pair}" in fields)
    named = dict.fromkeys([*(a.name for a in known), *edges])
    confidences = {name: f"{CONFIDENCE}_{name}" for name in named}
    confidences = {name: field for name, field in confidences.items() if field in fields}
    if CONFIDENCE in fields:
        confidences[WHOLE] = CONFIDENCE
    aspects: dict[str, Aspect] = {}
    for aspect in known:
        aspects.setdefault(aspect.name, aspect)
    return Found(edges, scores, confidences, tuple(_lenses(dataset)), aspects)


def known_aspects(dataset: fo.Dataset) -> list[Aspect]:
    """The aspects that earlier runs scored, the newest first, and those of the presets."""
    known = [aspect for run in scored_aspects(dataset) for aspect in run]
    return known + [aspect for preset in PRESETS.values() for aspect in preset]


def _who(edge: Edge) -> str:
    if edge.against_annotation:
        return f"{edge.witnesses[0]} × annotation"
    return " × ".join(edge.witnesses)


def _lenses(dataset: fo.Dataset) -> list[str]:
    # Projections of samples; one of patches has no point a sample.
    found = []
    for key in dataset.list_brain_runs(type="visualization"):
        config = dataset.get_brain_info(key).config
        if getattr(config, "patches_field", None) is None:
            found.append(key)
    return found
