"""Which tags samples carry, and which they would get: counted before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...agreement.aspects import score_field
from ...agreement.fdr import suspects
from ...agreement.ruling import ruling_field
from ...agreement.verdict import weighed
from ...agreement.workshop_rules import TAGS, THRESHOLDS, workshop_tags
from .found import Found
from .table import Table

#: The field in which tag_confidence remembers which of a sample's tags it gave.
OURS = "audit_tags"
SUSPECT = "suspect"

CALIBRATED, WORKSHOP = "calibrated", "workshop"
#: The tolerated share of fine labels among the suspects, unless a person says otherwise.
FDR = 0.1

#: How much of what was annotated a clip shows, and how much it must show, as in tag_confidence.
COVERAGE, _COVERAGE_NEEDED = "clip_coverage", 0.5
_RATIO = "ratio"  # what a judge who watched the clip adds to the confidence
_RULE_SCORES = (("sem", "q"), ("lex", "q"), ("sem", "m"), ("lex", "m"))


@dataclass(frozen=True)
class Proposal:
    """The tags now, and as they would be.

    Attributes:
        rules: ``calibrated``, ``workshop``, or None where neither can be applied
        stored: the rules whose tags the samples carry now; None where they carry none
        now: ``{tag: n booleans}``, of all samples of the dataset
        then: the same, if these rules were applied
        rows: the samples that the rules would be applied to
        worst: the highest confidence among the suspects; None without any
        bare: how many of ``rows`` no rules have tagged; the calibrated ones give each a verdict
    """

    rules: str | None
    stored: str | None
    now: dict[str, np.ndarray]
    then: dict[str, np.ndarray]
    rows: np.ndarray
    worst: float | None = None
    bare: int = 0

    @property
    def changed(self) -> int:
        """How many samples would get other tags."""
        return int(self.changes().sum())

    def changes(self) -> np.ndarray:
        """A boolean for each of ``rows``: whether its tags would be others."""
        changed = np.zeros(len(self.rows), dtype=bool)
        for tag in {*self.now, *self.then}:
            changed |= self.mask(self.now, tag) != self.mask(self.then, tag)
        return changed

    def mask(self, tags: Mapping[str, np.ndarray], tag: str) -> np.ndarray:
        """A boolean for each of ``rows``: whether it has the tag."""
        if tag not in tags:
            return np.zeros(len(self.rows), dtype=bool)
        return tags[tag][self.rows]

    def counts(self, tag: str) -> tuple[int, int]:
        """How many of ``rows`` have the tag now, and would have it."""
        return int(self.mask(self.now, tag).sum()), int(self.mask(self.then, tag).sum())


def possible_rules(table: Table, found: Found, aspect: str) -> list[str]:
    """The rules that can be applied to an aspect, the calibrated ones first."""
    rules = [CALIBRATED] if aspect in found.confidences and aspect in found.aspects else []
    scores = found.scores
    if all(score in scores.get((aspect, witness), ()) for score, witness in _RULE_SCORES):
        rules.append(WORKSHOP)
    return rules


def propose(
    table: Table,
    found: Found,
    aspect: str,
    rows: np.ndarray,
    rules: str | None,
    limits: Mapping[str, float],
    fdr: float,
) -> Proposal:
    """Finds what applying the rules would change.

    As in tag_confidence, tags that an audit gave are replaced and a person's own stay. Where
    the tags there are calibrated, the workshop's own thresholds are no proposal to replace
    them: nothing changes until one is moved.
    """
    now, ours = table.masks("tags"), table.masks(OURS)
    stored = None
    if any(mask[rows].any() for mask in ours.values()):
        stored = WORKSHOP if set(ours) <= set(TAGS) else CALIBRATED
    theirs = {tag: mask & ~ours[tag] if tag in ours else mask for tag, mask in now.items()}
    if rules == CALIBRATED:
        then, worst = _calibrated(table, found, aspect, rows, fdr)
        verdicts = [tag for tag in ours if stored == CALIBRATED and tag != SUSPECT]
        then |= {tag: now[tag] for tag in verdicts if tag in now}  # those stay what they are
        tagged = np.zeros(len(table), dtype=bool)
        for tag in ours:  # a person may have given the same tag before
            tagged |= now.get(tag, ours[tag])
        bare = int((~tagged[rows]).sum())
        return Proposal(rules, stored, now, _joined(theirs, then), rows, worst, bare)
    if rules is None or (stored == CALIBRATED and dict(limits) == THRESHOLDS):
        return Proposal(rules, stored, now, dict(now), rows)
    scores = [table.numbers(score_field(score, w, aspect)) for score, w in _RULE_SCORES]
    return Proposal(
        rules, stored, now, _joined(theirs, workshop_tags(*scores, thresholds=limits)), rows
    )


def rule_fields(aspect: str) -> list[str]:
    """What the rules read of an aspect, its confidence apart."""
    scores = [score_field(score, witness, aspect) for score, witness in _RULE_SCORES]
    return [*scores, ruling_field(aspect, _RATIO), COVERAGE]


def _calibrated(
    table: Table, found: Found, aspect: str, rows: np.ndarray, fdr: float
) -> tuple[dict[str, np.ndarray], float | None]:
    ratio = table.numbers(ruling_field(aspect, _RATIO))
    confidence = weighed(table.numbers(found.confidences[aspect]), ratio)
    shown = table.numbers(COVERAGE)
    confidence[shown < _COVERAGE_NEEDED] = np.nan  # such a clip cannot tell
    mask = np.zeros(len(table), dtype=bool)
    mask[rows] = suspects(confidence[rows], fdr)
    return {SUSPECT: mask}, float(confidence[mask].max()) if mask.any() else None


def _joined(
    theirs: Mapping[str, np.ndarray], given: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    joined = {**given}
    for tag, mask in theirs.items():
        if tag in joined:
            joined[tag] = joined[tag] | mask
        elif mask.any():
            joined[tag] = mask
    return joined
