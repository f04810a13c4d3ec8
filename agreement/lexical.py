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
    return folded_similarity(fold(left, case_sensitive), fold(right, case_sensitive))


def fold(texts: Sequence[str | None], case_sensitive: bool = False) -> list[str | None]:
    """Texts as they are compared: ends stripped, in lower case; None where there is none."""
    form = str.strip if case_sensitive else _lower
    return [form(text) if is_scorable(text) else None for text in texts]


def folded_similarity(left: Sequence[str | None], right: Sequence[str | None]) -> np.ndarray:
    """:func:`lexical_similarity` of texts that :func:`fold` gave.

    Raises:
        ValueError: if the lengths differ
    """
    if len(left) != len(right):
        raise ValueError(f"{len(left)} texts cannot be paired with {len(right)}.")
    scores = np.full(len(left), np.nan)
    pairs = [i for i, (a, b) in enumerate(zip(left, right)) if a is not None and b is not None]
    if pairs:
        scores[pairs] = cpdist(
            [left[i] for i in pairs],
            [right[i] for i in pairs],
            scorer=Levenshtein.normalized_similarity,
            dtype=np.float64,
            workers=-1,
        )
    return scores


def _lower(text: str) -> str:
    return text.strip().lower()
