"""The share of wrong labels, from a few that people looked at, with a 95% interval.

The estimate is the stratified one (Horvitz and Thompson): each stratum's share of wrong labels,
weighted by the stratum's size. Where the score's predictions explain part of what is left inside
the strata, they correct it, with a weight tuned to the data: PPI++ (Angelopoulos, Duchi and
Zrnic, 2023, arXiv:2311.01453), per stratum.

The interval is Wilson's, for the effective number of reviews: the number of simple random ones
that would give the same variance (Dean and Pagano, 2015, find this one to cover best for shares
near 0 in stratified designs), moved outward by a fifth of the usual continuity correction. A
stratum in which no review found an error has not proved to hold none, so that its variance
counts one more review, with the outcome expected of it; one that was reviewed whole has no part in
the doubt.
``benchmarks/coverage.py`` shows how often such intervals hold the truth.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .predictions import shares_of_population, use_predictions
from .sampling import RISKIEST, SAFEST, Seen, take_turns
from .wilson import wilson

#: With fewer reviews there is an interval, but it is too early to stop, however wide it may be.
FEWEST = 50
#: Nobody is told to expect more reviews than this.
MOST = 5_000

# So many errors are expected, at a rate of the width wanted, before a narrow interval is believed.
_ERRORS = 5


@dataclass(frozen=True)
class ErrorRate:
    """An estimated share of wrong labels.

    Attributes:
        rate: the estimate, 0 to 1
        low: the lower end of the interval
        high: the upper end of the interval
        reviews: how many labels were looked at and decided
        wrong: how many of those are wrong
        effective: how many simple random reviews would tell as much
        size: the labels that it speaks of
        predictions: the weight of the score's predictions; 0 where they are not used
    """

    rate: float
    low: float
    high: float
    reviews: int
    wrong: int
    effective: float
    size: int
    predictions: float = 0.0

    @property
    def half_width(self) -> float:
        """Half of the interval's length: the "plus or minus"."""
        return (self.high - self.low) / 2


def estimate(strata: Sequence[Seen], level: float = 0.95) -> ErrorRate | None:
    """Estimates the share of wrong labels of a population.

    Args:
        strata: what is known of each stratum; within one, the reviewed labels must be a
            random choice
        level: the share of such intervals that hold the truth

    Returns:
        the estimate, or None while a stratum has no review
    """
    strata = [stratum for stratum in strata if stratum.size]
    if not strata or not all(len(stratum.wrong) for stratum in strata):
        return None
    counts = np.array([len(stratum.wrong) for stratum in strata], dtype=np.float64)
    found = np.array([stratum.wrong.sum() for stratum in strata], dtype=np.float64)
    share = shares_of_population(strata)
    rate = float(share @ (found / counts))
    expected = _expected(strata, rate)
    variance = _variance(strata, counts, expected)
    spread = float(share @ expected)
    weight, correction, saved = use_predictions(strata)
    size = sum(stratum.size for stratum in strata)
    reviews, wrong = int(counts.sum()), int(found.sum())
    least, most = wrong / size, 1 - (reviews - wrong) / size  # whatever the others are
    if weight and least < rate + correction < most:
        rate, variance = rate + correction, variance * (1 - saved)
    else:
        weight = 0.0
    effective = spread * (1 - spread) / variance if variance > 0 else np.inf
    low, high = _ends(strata, counts, expected, rate, variance, level)
    low, high = min(max(low, least), rate), max(min(high, most), rate)
    return ErrorRate(rate, low, high, reviews, wrong, float(effective), size, float(weight))


def estimate_part(
    strata: Sequence[Seen], part: Collection[str], level: float = 0.95
) -> tuple[ErrorRate | None, float]:
    """Estimates the share of wrong labels in a part of the population: a verdict's, say.

    The weighted share of the reviews that fall into the part (Hájek's ratio), with the
    variance of its linear approximation (Särndal, Swensson and Wretman, 1992, section 5.8):
    which reviews fall into the part is a matter of chance as well.

    Args:
        strata: what is known of each stratum
        part: the labels of the part; those that were not reviewed may be left out
        level: the share of such intervals that hold the truth

    Returns:
        the estimate, None where no review fell into the part, and the part's estimated size
    """
    inside = [np.array([label in part for label in s.ids], dtype=bool) for s in strata]
    rows = [(s, kept) for s, kept in zip(strata, inside) if kept.any()]
    if not rows:
        return None, 0.0
    size = np.array([s.size for s, _ in rows], dtype=np.float64)
    counts = np.array([len(s.wrong) for s, _ in rows], dtype=np.float64)
    mine = np.array([kept.sum() for _, kept in rows], dtype=np.float64)
    found = np.array([s.wrong[kept].sum() for s, kept in rows], dtype=np.float64)
    risk = np.clip([s.risks[kept].mean() for s, kept in rows], SAFEST, RISKIEST)
    share = size * mine / counts
    total = float(share.sum())
    rate = float(share @ (found / mine) / total)
    expected = (found + (risk + rate) / 2) / (mine + 1)
    middle = float(share @ expected / total)
    chance = mine / counts
    spread = chance * expected * (1 - expected)
    spread += chance * (1 - chance) * (expected - middle) ** 2
    variance = float(np.sum(size**2 * (1 - counts / size) * spread / counts) / total**2)
    effective = middle * (1 - middle) / variance if variance > 0 else np.inf
    low, high = wilson(rate, effective, level)
    reviews, wrong = int(mine.sum()), int(found.sum())
    labels = max(round(total), reviews)
    return ErrorRate(rate, low, high, reviews, wrong, float(effective), labels), total


def more_reviews(
    strata: Sequence[Seen], shares: Sequence[float], width: float, level: float = 0.95
) -> int | None:
    """About how many more reviews bring the interval to plus or minus ``width``.

    Args:
        strata: what is known of each stratum
        shares: the share of the reviews that each stratum gets
        width: the half width wanted, such as 0.02
        level: the level of the interval

    Returns:
        a number of reviews, 0 where the interval is narrow enough, :data:`MOST` where more are
        needed; None while there is no estimate
    """
    now = estimate(strata, level)
    if now is None:
        return None
    if now.half_width <= width:
        return 0
    sizes = [stratum.size for stratum in strata]
    expected = _expected(strata, now.rate)
    spread = float(shares_of_population(strata) @ expected)
    seen = [len(stratum.wrong) for stratum in strata]
    before = _variance(strata, np.array(seen, dtype=np.float64), expected)
    # what predictions save now they are taken to save later
    scale = spread * (1 - spread) / now.effective / before if before > 0 else 1.0

    def narrow_enough(more: int) -> bool:
        counts = np.array(take_turns(seen, sizes, shares, more), dtype=np.float64)
        variance = scale * _variance(strata, counts, expected)
        effective = spread * (1 - spread) / variance if variance > 0 else np.inf
        low, high = wilson(now.rate, effective, level)
        return (high - low) / 2 <= width

    left = min(sum(sizes) - sum(seen), MOST)
    low, high = 0, 1
    while high < left and not narrow_enough(high):
        low, high = high, 2 * high
    high = min(high, left)
    while high - low > max(1, high // 50):  # "about" needs no more than 2%
        middle = (low + high) // 2
        low, high = (low, middle) if narrow_enough(middle) else (middle, high)
    return high


def fewest(width: float, size: int) -> int:
    """With fewer reviews it is too early to stop.

    After a few reviews that happened to find no error the interval is narrow, and who stops then
    stops because of them: at rates of about the width and more, such intervals hold the truth
    less often than they say, at smaller ones more often. So many are asked for that a rate of
    ``width`` would show five errors, fewer where the labels are few (Cochran, Sampling
    Techniques, 1977, section 4.6).

    Args:
        width: the half width wanted, such as 0.02
        size: the labels that are to be known
    """
    needed = _ERRORS / width
    return min(size, max(FEWEST, math.ceil(needed / (1 + needed / max(size, 1)))))


def may_stop(rate: ErrorRate | None, width: float) -> bool:
    """Tells whether enough was reviewed: the interval is narrow, and not by an early chance."""
    if rate is None:
        return False
    return rate.reviews >= fewest(width, rate.size) and rate.half_width <= width


def tell(found: ErrorRate | None, more: int | None, width: float, size: int) -> str:
    """The estimate as a person reads it, with what it would take to be surer.

    Args:
        found: the estimate, or None
        more: what :func:`more_reviews` says
        width: the half width wanted
        size: the labels that the estimate speaks of
    """
    if found is None:
        return f"No estimate yet: a few reviews of each of the parts of {size:,} labels come first."
    said = (
        f"{found.rate:.1%} of {size:,} labels are wrong, 95% interval {100 * found.low:.1f} to "
        f"{100 * found.high:.1f}, after {found.reviews:,} reviews"
    )
    goal = f"±{100 * width:g}%"
    if may_stop(found, width):
        return f"{said}. Enough for {goal}: you may stop."
    early = max(fewest(width, found.size) - found.reviews, 0)
    if not more:
        return f"{said}; {max(early, 1):,} more, so that {goal} is not by chance."
    more = max(more, early)
    if more >= MOST:
        return f"{said}; more than {MOST:,} more for {goal}."
    return f"{said}; about {_round(more):,} more for {goal}."


def _round(number: int) -> int:
    step = 1 if number < 20 else 5 if number < 50 else 10 if number < 1_000 else 100
    return -(-number // step) * step


def _expected(strata: Sequence[Seen], rate: float) -> np.ndarray:
    # One more review a stratum, half as the score predicts and half as reviews found overall.
    # A score that says 0 proves nothing: an interval must not end where the score is sure.
    risk = np.clip([stratum.risk for stratum in strata], SAFEST, RISKIEST)
    found = np.array([stratum.wrong.sum() for stratum in strata])
    counts = np.array([len(stratum.wrong) for stratum in strata])
    return (found + (risk + rate) / 2) / (counts + 1)


def _variance(strata: Sequence[Seen], counts: np.ndarray, expected: np.ndarray) -> float:
    share = shares_of_population(strata)
    unseen = 1 - counts / np.array([stratum.size for stratum in strata])
    return float(np.sum(share**2 * unseen * expected * (1 - expected) / counts))


def _ends(
    strata: Sequence[Seen],
    counts: np.ndarray,
    expected: np.ndarray,
    rate: float,
    variance: float,
    level: float,
) -> tuple[float, float]:
    # Strata of which everything was reviewed are known; the doubt is of the others alone.
    left = counts < [stratum.size for stratum in strata]
    if not left.any() or variance <= 0:
        return rate, rate
    share = shares_of_population(strata)
    known = sum(p * s.wrong.mean() for p, s, open_ in zip(share, strata, left) if not open_)
    doubt, middle = share[left].sum(), np.average(expected[left], weights=share[left])
    effective = doubt**2 * middle * (1 - middle) / variance
    low, high = wilson(float(np.clip((rate - known) / doubt, 0, 1)), effective, level)
    return known + doubt * low, known + doubt * high
