"""How scores become tags: the workshop's guessed thresholds, or calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..agreement.aspects import Aspect, score_field
from ..agreement.ruling import ruling_field
from ..agreement.texts import is_missing
from ..agreement.workshop_rules import TAGS, workshop_tags
from ..engine.columns import CHUNK
from ..engine.table import LabelTable, Rows, SampleTable

SUSPECT = "suspect"
COVERAGE = "clip_coverage"
_OUTSIDE = "outside_clip"  # on segments

_WORKSHOP_SCORES = ("sem_q", "lex_q", "sem_m", "lex_m")


@dataclass(frozen=True)
class Judged:
    """What the rules say of some rows.

    Attributes:
        tags: ``{tag: n booleans}``
        missing: ``n`` booleans: a text or score is missing, so that the rules could not judge
        unlearnt: ``n`` booleans: those of them that lack no text, but a calibrated probability
        columns: ``{field: n values}`` to write beside the tags
    """

    tags: dict[str, np.ndarray]
    missing: np.ndarray
    unlearnt: np.ndarray
    columns: dict[str, Sequence]


class WorkshopRules:
    """The workshop's seven tags of one aspect.

    Args:
        aspect: the aspect's name
        thresholds: where agreement begins and ends
    """

    tags = TAGS

    def __init__(self, aspect: str, thresholds: dict[str, float]) -> None:
        self.fields = [score_field(*name.split("_"), aspect) for name in _WORKSHOP_SCORES]
        self._thresholds = thresholds

    def judge(self, rows: Rows) -> Judged:
        """Applies the rules to rows that hold ``fields``."""
        scores = [as_array(rows.columns[name]) for name in self.fields]
        won = workshop_tags(*scores, thresholds=self._thresholds)
        missing = np.isnan(np.stack(scores)).any(axis=0)
        return Judged(won, missing, np.zeros(len(rows), dtype=bool), {})


class CalibratedRules:
    """A tag a verdict, and ``suspect`` on labels that are probably wrong.

    The suspects are the largest set, worst first, whose expected share of fine labels
    stays under the rate; that is decided over all rows before the first is tagged.

    Args:
        table: all rows that are to be tagged: samples, or the labels of a field
        aspect: the aspect
        confidence: the field with the confidence in the aspect's annotation
        rate: the tolerated share of fine labels among the suspects
        coverage_needed: a clip that shows less of what was annotated cannot tell
    """

    def __init__(
        self,
        table: SampleTable | LabelTable,
        aspect: Aspect,
        confidence: str,
        rate: float,
        coverage_needed: float,
    ) -> None:
        from ..agreement.verdict import OVERRULED, WITNESS_SUSPECT, verdicts

        self._aspect, self._confidence = aspect, confidence
        self._coverage_needed, self._verdicts = coverage_needed, verdicts
        edges = aspect.edges()
        self._match = {edge.name: edge.field("match") for edge in edges}
        self._lex = {edge.name: edge.field("lex") for edge in edges}
        self._ruling = ruling_field(aspect.name)
        self._ratio = ruling_field(aspect.name, "ratio")
        self._weights = [confidence, COVERAGE, _OUTSIDE, self._ratio]
        scores = [*self._match.values(), *self._lex.values(), self._ruling, *self._weights]
        self.fields = [*aspect.fields, *scores]
        fixed = ("agreed", "paraphrase", "annotation_suspect", "scattered", "na_conflict")
        witnesses = [WITNESS_SUSPECT.format(name) for name in aspect.opinions]
        self.tags = (SUSPECT, OVERRULED, *fixed, *witnesses, "beyond_clip", "unscored")
        self._worst = self._find_worst(table, rate)

    def judge(self, rows: Rows) -> Judged:
        """Applies the rules to rows that hold ``fields``."""
        from ..agreement.verdict import OVERRULED, ruled

        columns, shown = rows.columns, _shown(rows)
        confidence = self._weighed(columns)
        verdict = self._verdicts(
            columns[self._aspect.annotation],
            {name: columns[field] for name, field in self._aspect.opinions.items()},
            {edge: as_array(columns[field]) for edge, field in self._match.items()},
            {edge: as_array(columns[field]) for edge, field in self._lex.items()},
            shown,
            coverage_needed=self._coverage_needed,
        )
        tags = {tag: np.array([v == tag for v in verdict], dtype=bool) for tag in self.tags}
        judged = self._judged(confidence, shown)
        tags[SUSPECT] = judged & (confidence <= self._worst)
        heard = ruled(verdict, columns[self._ruling])
        # the dispute's own tag stays, so that it can still be found
        tags[OVERRULED] = np.array([v == OVERRULED for v in heard], dtype=bool)
        written = {"confidence": confidence, "verdict": heard}
        unscored = np.array([v == "unscored" for v in verdict], dtype=bool)
        return Judged(tags, unscored, unscored & self._comparable(columns), written)

    def _comparable(self, columns: dict[str, list]) -> np.ndarray:
        """Whether an annotation and an opinion of it are there."""
        said, *heard = (
            np.array([not is_missing(text) for text in columns[name]], dtype=bool)
            for name in self._aspect.fields
        )
        return said & np.any(heard, axis=0)

    def _weighed(self, columns: dict[str, list]) -> np.ndarray:
        """The calibrated confidence, with the rulings of ground_disputes taken into account."""
        from ..agreement.verdict import weighed

        return weighed(as_array(columns[self._confidence]), as_array(columns[self._ratio]))

    def _find_worst(self, table: SampleTable | LabelTable, rate: float) -> float:
        from ..agreement.fdr import suspects

        known = []
        for rows in table.chunks(self._weights, [], CHUNK):
            confidence = self._weighed(rows.columns)
            known.append(confidence[self._judged(confidence, _shown(rows))])
        values = np.concatenate(known)
        #: How many labels have a confidence, and how many of those it expects to be wrong.
        self.judged, self.expected_wrong = len(values), float(np.sum(1 - values))
        found = values[suspects(values, rate)]
        return float(found.max()) if len(found) else -1.0

    def _judged(self, confidence: np.ndarray, coverage: Sequence[float | None]) -> np.ndarray:
        shown = as_array(coverage)
        return ~np.isnan(confidence) & ~(shown < self._coverage_needed)


def _shown(rows: Rows) -> list[float | None]:
    """The share of what each row's annotation covers that its clip shows; None where unknown."""
    if rows.labels is None:
        return rows.columns[COVERAGE]
    return [0.0 if outside else None for outside in rows.columns[_OUTSIDE]]


def as_array(values: Sequence[float | None]) -> np.ndarray:
    """Scores as floats, nan where missing."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
