"""One text on two clips: evidence that no comparison with a witness can give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .texts import is_scorable

_TRUST = 10.0  # copies' worth of belief that copies are as common among right as wrong labels


def weigh_copies(texts: Sequence[str | None], match: np.ndarray) -> np.ndarray:
    """Probabilities that the labels are right, given also which texts stand on several clips.

    A label that was taken from another clip, or that a stuck captioner wrote, has a copy
    elsewhere. How much that speaks against it is read off the dataset itself: how much
    more common copies are among labels that match badly than among those that match
    well (one step of Bayes, with the shares shrunk towards each other). Where clips
    rightly share their texts it changes nothing.

    Args:
        texts: ``n`` labels
        match: ``(n,)`` probabilities that each is right, from its witnesses; nan if unknown

    Returns:
        ``(n,)`` probabilities, nan where ``match`` is
    """
    match = np.asarray(match, dtype=np.float64)
    plain = [" ".join(t.casefold().split()) if is_scorable(t) else None for t in texts]
    holders = Counter(text for text in plain if text is not None)
    copied = np.array([holders.get(text, 0) > 1 for text in plain], dtype=bool)
    known = ~np.isnan(match)
    if not (copied & known).any() or not (~copied & known).any():
        return match.copy()
    common = copied[known].mean()
    right = _shrunk(copied[known], match[known], common)
    wrong = _shrunk(copied[known], 1.0 - match[known], common)
    odds = np.where(copied, right / wrong, (1.0 - right) / (1.0 - wrong))
    return np.clip(match * odds / (match * odds + 1.0 - match), 0.0, 1.0)


def _shrunk(copied: np.ndarray, weight: np.ndarray, common: float) -> float:
    return float((weight[copied].sum() + _TRUST) / (weight.sum() + _TRUST / common))
