"""What a score's predictions add to an estimated share: PPI++, per stratum.

The reviews tell how far the predictions are off; what is left to estimate varies less
(Angelopoulos, Duchi and Zrnic, 2023, arXiv:2311.01453). The predictions' weight is tuned to the
reviews, so that a score which tells nothing is not heard.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .sampling import Seen

# The weight is tuned to the reviews, which takes some of both outcomes, and predictions are used
# where they save at least this part of the variance.
_OUTCOMES_FOR_PREDICTIONS = 5
_WORTHWHILE = 0.02


def shares_of_population(strata: Sequence[Seen]) -> np.ndarray:
    """The part of all labels that each stratum holds; they sum to 1."""
    sizes = np.array([stratum.size for stratum in strata], dtype=np.float64)
    return sizes / sizes.sum()


def use_predictions(strata: Sequence[Seen]) -> tuple[float, float, float]:
    """How far predictions correct the stratified estimate.

    Args:
        strata: what is known of each stratum, each with a review

    Returns:
        the weight of the predictions, what they add to the rate, and the part of the variance that
        they save; zeros where they are not worth it
    """
    counts = np.array([len(stratum.wrong) for stratum in strata], dtype=np.float64)
    reviews, found = counts.sum(), sum(int(stratum.wrong.sum()) for stratum in strata)
    if min(found, reviews - found) < _OUTCOMES_FOR_PREDICTIONS:
        return 0.0, 0.0, 0.0
    share = shares_of_population(strata)
    sizes = np.array([stratum.size for stratum in strata])
    factors = share**2 * (1 - counts / sizes) / counts / np.maximum(counts - 1, 1)
    both = predicted = outcome = 0.0
    for factor, stratum in zip(factors, strata):
        wrong = stratum.wrong - stratum.wrong.mean()
        risk = stratum.risks - stratum.risks.mean()
        both += factor * float(wrong @ risk)
        predicted += factor * float(risk @ risk)
        outcome += factor * float(wrong @ wrong)
    if predicted <= 0 or outcome <= 0:
        return 0.0, 0.0, 0.0
    weight = float(np.clip(both / predicted, 0, 1))
    left = (outcome - 2 * weight * both + weight**2 * predicted) / outcome
    freedom = reviews - len(strata)
    saved = 1 - left * freedom / max(freedom - 1, 1)
    if saved < _WORTHWHILE:
        return 0.0, 0.0, 0.0
    gap = np.array([stratum.risks.mean() - stratum.risk for stratum in strata])
    return weight, -weight * float(share @ gap), saved
