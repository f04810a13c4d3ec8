"""Confidences corrected by what people decided of some labels.

``match`` is learnt without labels, so it can be too sure or not sure enough. A few decisions
tell: their labels are a known random choice, and two numbers, a shift and a stretch of the
log-odds, map the confidence onto how often such labels were right (Platt, "Probabilistic outputs
for support vector machines", 1999; beta calibration without its third number: Kull, Silva Filho
and Flach, 2017). The order of the labels stays what it was. Each decision counts as often as there
are labels it stands for, and a normal prior holds the map at "no change" while decisions are few
(its spread is of the size that miscalibrations have: a shift of 1.5, a stretch by a factor of two).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

#: Fewer decisions than this leave the confidences as they are, and so do
FEWEST = 30
#: fewer than this of either outcome.
FEWEST_OF_EACH = 3

_SHIFT, _STRETCH = 1.5, 0.7  # spreads of the prior: of the shift, of the logarithm of the stretch
_SUREST = 1e-4  # no confidence is taken to be surer than this, or a few would rule the fit
_STEPS, _CLOSE = 100, 1e-9


@dataclass(frozen=True)
class Recalibration:
    """A map of confidences.

    Attributes:
        shift: what is added to the log-odds
        stretch: what they are multiplied with first, above 0
        decisions: how many decisions it was fitted on
        wrong: how many of those said that the label is wrong
        needed: how many more decisions are needed before anything changes, 0 where it does
    """

    shift: float
    stretch: float
    decisions: int
    wrong: int
    needed: int = 0

    def __call__(self, confidence: np.ndarray) -> np.ndarray:
        """The corrected confidences; nan stays nan, 0 and 1 stay inside the open interval."""
        confidence = np.asarray(confidence, dtype=np.float64)
        if (self.shift, self.stretch) == (0.0, 1.0):
            return confidence
        return expit(self.shift + self.stretch * _log_odds(confidence))

    def tell(self) -> str:
        """What it does, in a sentence."""
        of = f"{self.decisions:,} decisions, {self.wrong:,} of them wrong"
        if self.needed:
            return (
                f"{of}, are too few to correct confidences: {FEWEST} are needed, with at least "
                f"{FEWEST_OF_EACH} right and {FEWEST_OF_EACH} wrong. Review about "
                f"{self.needed:,} more."
            )
        half = float(self(np.array([0.5]))[0])
        return f"By {of}, a confidence of 0.50 became {half:.2f}."


def recalibrate(
    confidence: Sequence[float], wrong: Sequence[bool], weights: Sequence[float] | None = None
) -> Recalibration:
    """Fits the map on decided labels.

    Args:
        confidence: ``n`` confidences of reviewed labels, 0..1; those that are nan are left out
        wrong: ``n`` booleans: whether the label is wrong
        weights: ``n`` numbers of labels that each stands for, one over its chance of being
            looked at; all alike where None

    Returns:
        the map; no change where there are too few decisions

    Raises:
        ValueError: if a weight is not above 0
    """
    told = np.asarray(confidence, dtype=np.float64)
    right = ~np.asarray(wrong, dtype=bool)
    weight = np.ones(len(right)) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(weight) and not (weight > 0).all():
        raise ValueError("Each decision must stand for at least a part of a label.")
    known = ~np.isnan(told)
    told, right, weight = told[known], right[known], weight[known]
    count, bad = len(right), int((~right).sum())
    needed = max(FEWEST - count, FEWEST_OF_EACH - bad, FEWEST_OF_EACH - (count - bad), 0)
    if needed:
        return Recalibration(0.0, 1.0, count, bad, needed)
    # Unequal weights tell less than as many equal ones: Kish's effective number (1965).
    weight = weight * weight.sum() / (weight**2).sum()
    shift, stretch = _fit(_log_odds(told), right.astype(float), weight)
    return Recalibration(shift, stretch, count, bad)


def _fit(x: np.ndarray, right: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    # Newton's method, halving steps that do not lead down; stretch = exp(b) stays above 0.
    at = np.zeros(2)
    loss = _loss(at, x, right, weight)
    for _ in range(_STEPS):
        stretch = np.exp(at[1])
        chance = expit(at[0] + stretch * x)
        columns = np.stack([np.ones_like(x), stretch * x])
        slope = columns @ (weight * (chance - right))
        bend = (columns * (weight * chance * (1 - chance))) @ columns.T
        slope += at / np.array([_SHIFT, _STRETCH]) ** 2
        bend += np.diag(1 / np.array([_SHIFT, _STRETCH]) ** 2)
        step = np.linalg.solve(bend, slope)
        while (tried := _loss(at - step, x, right, weight)) > loss and np.abs(step).max() > _CLOSE:
            step = step / 2
        if np.abs(step).max() <= _CLOSE:
            break
        at, loss = at - step, tried
    return float(at[0]), float(np.exp(at[1]))


def _loss(at: np.ndarray, x: np.ndarray, right: np.ndarray, weight: np.ndarray) -> float:
    odds = at[0] + np.exp(at[1]) * x
    surprise = np.logaddexp(0.0, odds) - right * odds
    return float(weight @ surprise + (at[0] / _SHIFT) ** 2 / 2 + (at[1] / _STRETCH) ** 2 / 2)


def _log_odds(confidence: np.ndarray) -> np.ndarray:
    return logit(np.clip(confidence, _SUREST, 1 - _SUREST))
