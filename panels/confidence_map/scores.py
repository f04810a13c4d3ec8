"""What the map shows: which comparisons a dataset holds, and the scores of one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import fiftyone as fo
import numpy as np

from ...agreement.aspects import PRESETS, Aspect, Edge, read_aspects, score_field
from ...agreement.workshop_rules import TAGS, THRESHOLDS, workshop_tags
from ...engine.provenance import run_keys

#: The field in which tag_confidence remembers which of a sample's tags it gave.
OURS = "audit_tags"

_RULE_SCORES = (("sem", "q"), ("lex", "q"), ("sem", "m"), ("lex", "m"))

Samples = fo.core.collections.SampleCollection


def find_comparisons(dataset: fo.Dataset) -> dict[str, dict[str, str]]:
    """The comparisons that have both a lexical and a semantic field.

    The aspects are those of earlier runs and of the presets; a pair of fields that
    belongs to none of them is read as ``lex_{edge}_{aspect}``, the edge's name being
    what comes before the first underscore.

    Returns:
        ``{aspect: {edge: who is compared with whom}}``; empty where nothing was scored
    """
    floats = dataset.get_field_schema(ftype=fo.FloatField)
    pairs = {name[4:] for name in floats if name.startswith("lex_") and f"sem_{name[4:]}" in floats}
    found: dict[str, dict[str, str]] = {}
    for aspect in _known_aspects(dataset):
        for edge in aspect.edges():
            pair = f"{edge.name}_{aspect.name}"
            if pair in pairs:
                pairs.discard(pair)
                found.setdefault(aspect.name, {})[edge.name] = _who(edge)
    for pair in sorted(pairs):
        edge, _, aspect = pair.partition("_")
        if aspect:
            found.setdefault(aspect, {})[edge] = edge
    return found


def _who(edge: Edge) -> str:
    if edge.against_annotation:
        return f"{edge.witnesses[0]} with the annotation"
    return " with ".join(edge.witnesses)


def _known_aspects(dataset: fo.Dataset) -> list[Aspect]:
    known = []
    for key in reversed(run_keys(dataset, "score_agreement")):
        given = (getattr(dataset.get_run_info(key).config, "settings", None) or {}).get("aspects")
        try:
            listed = json.loads(given) if isinstance(given, str) and given[:1] == "[" else given
            known += read_aspects(listed)
        except (TypeError, ValueError):  # a run of another version; the names tell enough
            continue
    return known + [aspect for preset in PRESETS.values() for aspect in preset]


@dataclass(frozen=True)
class MapScores:
    """The scores of one comparison, row by row, with what the tag rules need.

    Attributes:
        ids: ``n`` sample ids
        lex: ``n`` lexical scores, nan where missing
        sem: ``n`` semantic scores, nan where missing
        rule_scores: what the workshop's rules read, or None where a field is absent
        tags: ``n`` lists of sample tags
        ours: ``n`` lists of those tags that an audit gave
        colour: ``n`` values of the field that colours the points, or None
    """

    ids: list[str]
    lex: np.ndarray
    sem: np.ndarray
    rule_scores: list[np.ndarray] | None
    tags: list[list[str]]
    ours: list[list[str]]
    colour: list | None

    @property
    def scored(self) -> np.ndarray:
        """``n`` booleans: which samples have both scores, and so a place on the map."""
        return ~(np.isnan(self.lex) | np.isnan(self.sem))

    @property
    def calibrated(self) -> bool:
        """Whether an audit gave tags by other rules than the workshop's."""
        return any(tag not in TAGS for tags in self.ours for tag in tags)

    def tags_now(self) -> dict[str, np.ndarray]:
        """``{tag: n booleans}`` of every tag that a sample carries, the rules' own first."""
        present = dict.fromkeys(TAGS) | dict.fromkeys(tag for tags in self.tags for tag in tags)
        return {
            tag: np.array([tag in tags for tags in self.tags], dtype=bool)
            for tag in present
            if any(tag in tags for tags in self.tags)
        }

    def tags_then(self, thresholds: Mapping[str, float]) -> dict[str, np.ndarray]:
        """``{tag: n booleans}`` as they would be if these thresholds were applied.

        As in tag_confidence, tags that an audit gave are replaced and a person's stay. Where
        those tags are calibrated, the workshop's own thresholds are no proposal to replace
        them: nothing changes until one is moved.
        """
        if self.rule_scores is None or (self.calibrated and dict(thresholds) == THRESHOLDS):
            return self.tags_now()
        theirs = [set(tags) - set(ours) for tags, ours in zip(self.tags, self.ours)]
        then = workshop_tags(*self.rule_scores, thresholds=thresholds)
        for tag in dict.fromkeys(tag for tags in theirs for tag in tags):
            kept = np.array([tag in tags for tags in theirs], dtype=bool)
            then[tag] = then[tag] | kept if tag in then else kept
        return then


def read_scores(samples: Samples, aspect: str, edge: str, colour: str | None) -> MapScores:
    """Reads what the map of one comparison needs, in one pass over the samples."""
    schema = samples.get_field_schema()
    rule_fields = [score_field(metric, witness, aspect) for metric, witness in _RULE_SCORES]
    has_rules = all(name in schema for name in rule_fields)
    names = ["id", "tags", score_field("lex", edge, aspect), score_field("sem", edge, aspect)]
    names += rule_fields if has_rules else []
    extra = [name for name in (OURS, colour) if name in schema]
    columns = dict(zip([*names, *extra], samples.values([*names, *extra])))
    n = len(columns["id"])
    return MapScores(
        ids=columns["id"],
        lex=_as_array(columns[names[2]]),
        sem=_as_array(columns[names[3]]),
        rule_scores=[_as_array(columns[name]) for name in rule_fields] if has_rules else None,
        tags=[tags or [] for tags in columns["tags"]],
        ours=[tags or [] for tags in columns.get(OURS, [None] * n)],
        colour=columns.get(colour) if colour else None,
    )


def corners(scores: MapScores, thresholds: Mapping[str, float]) -> dict[str, np.ndarray]:
    """``{corner: n booleans}``: which samples lie in which named corner of the map.

    A sample between the low and the high thresholds lies in none.
    """
    same_meaning, other_meaning = (
        scores.sem >= thresholds["sem_high"],
        scores.sem < thresholds["sem_low"],
    )
    same_words, other_words = (
        scores.lex >= thresholds["lex_high"],
        scores.lex < thresholds["lex_low"],
    )
    return {
        "Agreement": same_words & same_meaning,
        "Paraphrase": other_words & same_meaning,
        "Same words, other meaning": same_words & other_meaning,
        "Disagreement": other_words & other_meaning,
    }


def _as_array(values: list) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
