"""How much two neighbourhoods of one thing overlap, by membership and by rank."""

from __future__ import annotations

import numpy as np


def nearest(vectors: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """The ``k`` most similar others of some rows, the most similar first.

    Args:
        vectors: ``n x d`` unit vectors
        rows: which ``m`` rows to find neighbours of
        k: how many; fewer than ``n``

    Returns:
        ``m x k`` row numbers, the most similar first

    Raises:
        ValueError: if there are not so many others
    """
    if not 0 < k < len(vectors):
        raise ValueError(f"{k} neighbours cannot be found among {len(vectors) - 1} others.")
    similar = vectors[rows] @ vectors.T
    similar[np.arange(len(rows)), rows] = -np.inf  # nobody is a neighbour of itself
    some = np.sort(np.argpartition(-similar, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(similar, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def jaccard(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Shared neighbours over all neighbours. Jaccard, "Etude comparative", 1901.

    Args:
        left: ``m x k`` neighbours
        right: ``m x k`` neighbours of the same things elsewhere

    Returns:
        ``m`` floats in 0..1
    """
    shared = (left[:, :, None] == right[:, None, :]).any(axis=2).sum(axis=1)
    return shared / (left.shape[1] + right.shape[1] - shared)


def rank_biased(left: np.ndarray, right: np.ndarray, p: float = 0.9) -> np.ndarray:
    """Rank-biased overlap, extrapolated: agreement at the top counts most.

    Webber, Moffat and Zobel, "A similarity measure for indefinite rankings", ACM TOIS
    2010, equation 32 for lists of equal length.

    Args:
        left: ``m x k`` neighbours, the nearest first
        right: ``m x k`` neighbours of the same things elsewhere
        p: how much each next rank weighs less, in 0..1; 0.9 puts 86% of the weight on
            the first ten ranks

    Returns:
        ``m`` floats in 0..1; 1 where the lists are the same
    """
    depth = left.shape[1]
    same = left[:, :, None] == right[:, None, :]
    # A pair is shared from the later of its two ranks on
    later = np.maximum(np.arange(depth)[:, None], np.arange(depth)[None, :])
    shared = np.stack([(same & (later <= d)).sum(axis=(1, 2)) for d in range(depth)], axis=1)
    ranks = np.arange(1, depth + 1)
    weights = p**ranks
    agreement = shared / ranks
    return agreement[:, -1] * p**depth + (1 - p) / p * (agreement * weights).sum(axis=1)
