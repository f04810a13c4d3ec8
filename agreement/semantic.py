"""``sem``: how alike two texts are in meaning."""

from __future__ import annotations

import numpy as np


def cosine_similarity(left_vectors: np.ndarray, right_vectors: np.ndarray) -> np.ndarray:
    """``max(0, cosine)`` of paired sentence embeddings.

    Sentence-BERT, Reimers and Gurevych, 2019. The vectors need not be of unit length.

    Args:
        left_vectors: ``(n, d)`` floats; a row with a nan stands for a missing text
        right_vectors: ``(n, d)`` floats, compared row by row with ``left_vectors``

    Returns:
        ``n`` floats in 0..1; nan where either row holds a nan or has no length

    Raises:
        ValueError: if the shapes differ
    """
    left, right = np.asarray(left_vectors), np.asarray(right_vectors)
    if left.shape != right.shape or left.ndim != 2:
        raise ValueError(f"Vectors of shape {left.shape} cannot be paired with {right.shape}.")
    if not len(left):
        return np.empty(0)
    left, right = left.astype(np.float64, copy=False), right.astype(np.float64, copy=False)
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    lengths[lengths == 0] = np.nan
    return np.clip(np.einsum("nd,nd->n", left, right) / lengths, 0.0, 1.0)
