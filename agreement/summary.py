"""Summaries of scores in little memory, each with how many it speaks of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_BINS = 2_000


class ScoreSummary:
    """Count, mean and quantiles of scores in 0..1 that arrive piece by piece.

    Quantiles come from a histogram, so they are right to 1 / 2,000 however many
    scores there are; the mean is exact.
    """

    def __init__(self) -> None:
        self.n = 0
        self.missing = 0
        self._sum = 0.0
        self._histogram = np.zeros(_BINS, dtype=np.int64)

    def add(self, scores: Iterable[float | None]) -> None:
        """Adds scores; None and nan count as missing."""
        values = np.asarray(
            [np.nan if score is None else score for score in scores], dtype=np.float64
        )
        known = values[~np.isnan(values)]
        self.n += len(known)
        self.missing += len(values) - len(known)
        self._sum += float(known.sum())
        bins = np.clip((known * _BINS).astype(int), 0, _BINS - 1)
        self._histogram += np.bincount(bins, minlength=_BINS)

    @property
    def mean(self) -> float | None:
        """The mean of the scores known; None where none is."""
        return self._sum / self.n if self.n else None

    def quantile(self, share: float) -> float | None:
        """The score under which this share of the known scores lies."""
        if not self.n:
            return None
        at = int(np.searchsorted(np.cumsum(self._histogram), share * self.n))
        return (min(at, _BINS - 1) + 0.5) / _BINS

    def as_row(self) -> dict:
        """Count, missing, mean and three quantiles, rounded for a report's table."""
        shares = {"p10": 0.1, "median": 0.5, "p90": 0.9}
        found = {"mean": self.mean} | {name: self.quantile(s) for name, s in shares.items()}
        rounded = {name: None if v is None else round(v, 3) for name, v in found.items()}
        return {"n": self.n, "missing": self.missing, **rounded}
