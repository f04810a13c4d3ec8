"""``lex``: how alike two texts are, letter by letter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from .texts import is_scorable


def lexical_similarity(
    left: Sequence[str | None], right: Sequence[str | None], case_sensitive: bool = False
) -> np.ndarray:
    """Normalised Levenshtein similarity, ``1 - distance / max(len(a), len(b))``.

    Ends are stripped, and case is ignored unless asked for. Levenshtein, "Binary
    codes capable of correcting deletions, insertions and reversals", 1966.

    Args:
        left: ``n`` texts
        right: ``n`` texts, compared pairwise with ``left``
        case_sensitive: whether "Dog" and "dog" differ

    Returns:
        ``n`` floats in 0..1; nan where either text is missing or "N/A"

    Raises:
        ValueError: if the lengths differ
    """
    if len(left) != len(right):
        raise ValueError(f"{len(left)} texts cannot be paired with {len(right)}.")
    scores = np.full(len(left), np.nan)
    pairs = [i for i, (a, b) in enumerate(zip(left, right)) if is_scorable(a) and is_scorable(b)]
    if pairs:
        fold = str.strip if case_sensitive else _fold
        scores[pairs] = cpdist(
            [fold(left[i]) for i in pairs],
            [fold(right[i]) for i in pairs],
            scorer=Levenshtein.normalized_similarity,
            dtype=np.float64,
            workers=-1,
        )
    return scores


def _fold(text: str) -> str:
    return text.strip().lower()
