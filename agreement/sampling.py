"""Which labels a person looks at: a stratified draw whose inclusion probabilities are known.

Reviewing the worst-looking labels first finds many errors and says nothing of their share.
Here every label has a known chance of being looked at, and doubtful labels a larger one: the
population is cut into strata by a score, each stratum is put into random order once, and how
the strata take turns is fixed before anybody has looked. (Letting the turns follow what was
found would bias the share downward: strata whose first labels happened to be fine would be
left alone.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

#: Labels of a stratum that are put in order; more are not looked at by people.
LONGEST = 3_000
#: A stratum gives this many labels before the strata take turns by their shares.
FIRST = 2

#: A score may be sure of itself and wrong: no label counts as safer or riskier than this.
SAFEST, RISKIEST = 0.02, 0.98
# For the same reason this part of the reviews goes by size alone.
_BY_SIZE = 0.3
# Nobody reads more digits of a score.
_DIGITS = 9


@dataclass(frozen=True)
class Stratum:
    """Labels of like risk.

    Attributes:
        size: the labels of the stratum in the population
        low: the lowest score among them; None where they have no score
        high: the highest score among them
        risk: the mean predicted probability that a label is wrong, 0 to 1
        ids: the first labels of the stratum in random order, at most :data:`LONGEST`
        risks: the predicted probability of each of ``ids``
    """

    size: int
    low: float | None
    high: float | None
    risk: float
    ids: list[str]
    risks: list[float]

    def name(self, digits: int = 2) -> str:
        """The range of its scores, as a person reads it."""
        if self.low is None:
            return "no score"
        return f"score {self.low:.{digits}f} to {self.high:.{digits}f}"


@dataclass(frozen=True)
class Seen:
    """What is known of one stratum after some reviews.

    Attributes:
        size: the labels of the stratum in the population
        risk: the mean predicted probability that a label is wrong
        wrong: ``n`` booleans: which of the reviewed labels are wrong
        risks: ``n`` predicted probabilities of the reviewed labels
        ids: the ``n`` reviewed labels
    """

    size: int
    risk: float
    wrong: np.ndarray
    risks: np.ndarray
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A draw: the strata, each in random order, and the share of the reviews each gets."""

    strata: list[Stratum]

    @property
    def size(self) -> int:
        """The labels of the population."""
        return sum(stratum.size for stratum in self.strata)

    @property
    def drawn(self) -> list[str]:
        """Every label that was put in order."""
        return [label for stratum in self.strata for label in stratum.ids]

    @property
    def names(self) -> list[str]:
        """The strata's names, with as many digits as tell them apart: scores crowd near 1."""
        for digits in range(2, _DIGITS):
            names = [stratum.name(digits) for stratum in self.strata]
            if len(set(names)) == len(names):
                return names
        return [f"part {i + 1}: {stratum.name()}" for i, stratum in enumerate(self.strata)]

    @property
    def shares(self) -> np.ndarray:
        """The share of the reviews that each stratum gets; they sum to 1."""
        return review_shares([s.size for s in self.strata], [s.risk for s in self.strata])

    def next(
        self,
        decided: Collection[str],
        passed: Collection[str] = (),
        counted: Collection[str] | None = None,
    ) -> str | None:
        """The label to look at next.

        Args:
            decided: labels that were looked at and decided
            passed: labels not to be offered now: skipped, unsure, or open at somebody else's
            counted: those of the decided ones that the estimate counts (see :meth:`counted`),
                by which the strata take turns; None for all. A stratum with decisions from
                elsewhere alone would else wait for all others, and there be no estimate

        Returns:
            an id, or None where none is left
        """
        known = decided if counted is None else counted
        seen = [sum(i in known for i in stratum.ids) for stratum in self.strata]
        for row in _turns(seen, [len(s.ids) for s in self.strata], self.shares):
            for label in self.strata[row].ids:
                if label not in decided and label not in passed:
                    return label
        return None

    def counted(self, wrong: Mapping[str, bool], asked: Collection[str]) -> dict[str, bool]:
        """Those of the decisions that the estimate may count.

        A decision from elsewhere (an earlier plan, say) counts once the queue has passed it:
        within a stratum every decided label up to the last one that this plan asked for. Any
        other choice of labels would not be a random one.

        Args:
            wrong: ``{label: whether it is wrong}``, from wherever
            asked: labels that were decided because this plan offered them
        """
        kept: dict[str, bool] = {}
        for stratum in self.strata:
            reached = max((row for row, i in enumerate(stratum.ids) if i in asked), default=-1)
            passed = stratum.ids[: reached + 1]
            kept |= {label: wrong[label] for label in passed if label in wrong}
        return kept

    def stratum_of(self) -> dict[str, str]:
        """``{label: its stratum's name}`` of the labels in order."""
        named = zip(self.names, self.strata)
        return {label: name for name, stratum in named for label in stratum.ids}

    def seen(self, wrong: Mapping[str, bool]) -> list[Seen]:
        """What reviews tell of each stratum; labels outside the plan are left out."""
        found = []
        for stratum in self.strata:
            rows = [row for row, label in enumerate(stratum.ids) if label in wrong]
            found.append(
                Seen(
                    stratum.size,
                    stratum.risk,
                    np.array([wrong[stratum.ids[row]] for row in rows], dtype=bool),
                    np.array([stratum.risks[row] for row in rows], dtype=np.float64),
                    tuple(stratum.ids[row] for row in rows),
                )
            )
        return found

    def as_dict(self) -> dict:
        """The plan as plain values, for a store."""
        return {"strata": [asdict(stratum) for stratum in self.strata]}

    @classmethod
    def from_dict(cls, stored: Mapping) -> Plan:
        """Reads what :meth:`as_dict` gave; keys of others are left alone."""
        return cls([Stratum(**stratum) for stratum in stored["strata"]])


def draw_plan(
    ids: Sequence[str], scores: Sequence[float | None] | None, strata: int = 5, seed: int = 51
) -> Plan:
    """Cuts a population into strata and puts each into random order.

    Args:
        ids: ``n`` labels
        scores: ``n`` scores 0..1, high where a label is probably right; None where missing,
            and None for one stratum of all
        strata: how many strata to cut; ties and small populations give fewer
        seed: the seed of the random order

    Returns:
        a plan
    """
    n = len(ids)
    values = np.full(n, np.nan)
    if scores is not None:
        values = np.array([np.nan if s is None else s for s in scores], dtype=np.float64)
    risk = np.clip(1 - values, 0, 1)
    labels = stratify(risk, strata)
    overall = np.nanmean(risk) if (~np.isnan(risk)).any() else 0.5
    random = np.random.default_rng(seed)
    drawn = []
    for label in range(labels.max(initial=-1) + 1):
        rows = random.permutation(np.flatnonzero(labels == label))
        known = not np.isnan(values[rows]).any()
        kept = rows[:LONGEST]
        risks = risk[kept] if known else np.full(len(kept), overall)
        drawn.append(
            Stratum(
                size=len(rows),
                low=float(values[rows].min()) if known else None,
                high=float(values[rows].max()) if known else None,
                risk=float(risk[rows].mean() if known else overall),
                ids=[ids[row] for row in kept],
                risks=[round(float(value), 6) for value in risks],
            )
        )
    return Plan(drawn)


def stratify(risk: np.ndarray, count: int) -> np.ndarray:
    """Cuts labels into strata by their risk, so that all strata count alike.

    Labels in order of risk are cut where the sum of their expected standard deviations
    sqrt(p (1 - p)) has grown by another ``1 / count`` (the "equal aggregate sigma" rule of
    Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, section 12.4).
    Equal risks are never parted, and labels without a risk are a stratum of their own.

    Args:
        risk: ``n`` probabilities that a label is wrong; nan where unknown
        count: how many strata to cut

    Returns:
        ``n`` stratum numbers from 0, riskiest first
    """
    labels = np.zeros(len(risk), dtype=int)
    known = np.flatnonzero(~np.isnan(risk))
    if len(known):
        held = np.clip(risk[known], SAFEST, RISKIEST)
        order = np.argsort(-risk[known], kind="stable")
        deviation = np.sqrt(held * (1 - held))[order]
        grown = np.cumsum(deviation) - deviation / 2
        cut = np.minimum(count * grown / deviation.sum(), count - 1).astype(int)
        values = risk[known][order]
        first = np.r_[True, values[1:] != values[:-1]]
        cut = cut[np.flatnonzero(first)][np.cumsum(first) - 1]  # equal risks stay together
        labels[known[order]] = np.unique(cut, return_inverse=True)[1]
    unknown = np.isnan(risk)
    if unknown.any():
        labels[unknown] = labels[known].max(initial=-1) + 1
    return labels


def review_shares(sizes: Sequence[int], risks: Sequence[float]) -> np.ndarray:
    """The share of the reviews that each stratum gets.

    Neyman's optimal allocation, size times expected standard deviation, mixed with
    proportional allocation, so that a score that misleads costs little.
    """
    size = np.asarray(sizes, dtype=np.float64)
    risk = np.clip(np.asarray(risks, dtype=np.float64), SAFEST, RISKIEST)
    best = size * np.sqrt(risk * (1 - risk))
    return (1 - _BY_SIZE) * best / best.sum() + _BY_SIZE * size / size.sum()


def take_turns(
    seen: Sequence[int], sizes: Sequence[int], shares: Sequence[float], more: int
) -> list[int]:
    """How many reviews each stratum has after ``more`` further ones."""
    counts = list(seen)
    for _ in range(more):
        turns = _turns(counts, sizes, shares)
        if not turns:
            break
        counts[turns[0]] += 1
    return counts


def _turns(
    seen: Sequence[int], sizes: Sequence[int], shares: Sequence[float] | np.ndarray
) -> list[int]:
    # Strata with labels left, the one whose turn it is first: those with almost no review,
    # then D'Hondt's rule, which keeps the counts closest to the shares at every length.
    left = [row for row, (n, size) in enumerate(zip(seen, sizes)) if n < size]
    return sorted(left, key=lambda row: (min(seen[row], FIRST), -shares[row] / (seen[row] + 1)))
