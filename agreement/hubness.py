"""Hubness: some texts are near everything, so raw similarities do not compare.

A similarity is judged against how near each of the two texts is to its nearest texts
of the other party (cross-domain similarity local scaling, CSLS: Conneau et al.,
"Word translation without parallel data", 2018). No n x n matrix is ever held.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_BLOCK = 1024
_NONE = np.empty(0, dtype=np.int64)


class Neighbours(NamedTuple):
    """The nearest references of each query, nearest first.

    Attributes:
        index: ``(n, k)`` positions among the references; -1 where there is none
        similarity: ``(n, k)`` float32 cosines; nan where there is none
    """

    index: np.ndarray  # type: ignore[assignment]  # a tuple has a method of that name
    similarity: np.ndarray


def nearest(queries: np.ndarray, references: np.ndarray, k: int, block: int = _BLOCK) -> Neighbours:
    """The ``k`` most similar references of each query.

    Args:
        queries: ``(n, d)`` unit vectors; a row with a nan stands for a missing text
        references: ``(m, d)`` unit vectors, likewise
        k: how many to find
        block: how many queries are compared at once, ``block x m`` floats

    Returns:
        the neighbours, ``(n, k)``; equal similarities in order of position
    """
    index = np.full((len(queries), k), -1, dtype=np.int64)
    similarity = np.full((len(queries), k), np.nan, dtype=np.float32)
    there = np.flatnonzero(~np.isnan(references).any(axis=1)) if len(references) else _NONE
    asked = np.flatnonzero(~np.isnan(queries).any(axis=1)) if len(queries) else _NONE
    found = min(k, len(there))
    if not found or not len(asked):
        return Neighbours(index, similarity)
    transposed = np.ascontiguousarray(references[there].T.astype(np.float32))
    for start in range(0, len(asked), block):
        rows = asked[start : start + block]
        cosines = queries[rows].astype(np.float32) @ transposed
        top = _top(cosines, found)
        index[rows, :found] = there[top]
        similarity[rows, :found] = np.take_along_axis(cosines, top, axis=1)
    return Neighbours(index, similarity)


def mean_of_nearest(
    values: np.ndarray, index: np.ndarray, excluded: np.ndarray, k: int = 10
) -> np.ndarray:
    """The mean value at each query's first ``k`` neighbours that are not excluded.

    Args:
        values: ``(n, K)`` what was measured at each neighbour, nearest first, with K
            a little over k so that exclusions leave enough
        index: ``(n, K)`` positions of the neighbours, -1 where there is none
        excluded: ``(n, e)`` positions to leave out, such as the pair itself; -1 for none
        k: how many neighbours to average

    Returns:
        ``n`` floats; nan where no neighbour is left
    """
    kept = (index >= 0) & ~np.isnan(values)
    for column in excluded.T:
        kept &= index != column[:, None]
    kept &= np.cumsum(kept, axis=1) <= k
    counts = kept.sum(axis=1)
    totals = np.where(kept, values, 0.0).sum(axis=1)
    return np.divide(totals, counts, out=np.full(len(values), np.nan), where=counts > 0)


def corrected(similarity: np.ndarray, left_mean: np.ndarray, right_mean: np.ndarray) -> np.ndarray:
    """``2 s - l - r``: a similarity against what its two texts reach elsewhere (CSLS)."""
    return 2.0 * similarity - left_mean - right_mean


def hubness_corrected_cosine(left: np.ndarray, right: np.ndarray, k: int = 10) -> np.ndarray:
    """CSLS of ``n`` pairs of texts, each judged against the other pairs' texts.

    Args:
        left: ``(n, d)`` unit vectors; a row with a nan stands for a missing text
        right: ``(n, d)`` unit vectors, paired with ``left``
        k: how many neighbours to average; the pair itself is never one of them

    Returns:
        ``n`` floats in -4..4; nan where a text is missing or has no neighbour
    """
    own = np.arange(len(left))[:, None]
    there, back = nearest(left, right, k + 1), nearest(right, left, k + 1)
    return corrected(
        np.einsum("nd,nd->n", left, right),
        mean_of_nearest(there.similarity, there.index, own, k),
        mean_of_nearest(back.similarity, back.index, own, k),
    )


def _top(cosines: np.ndarray, k: int) -> np.ndarray:
    """Columns of the ``k`` largest of each row, largest first."""
    if k < cosines.shape[1]:
        top = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        top.sort(axis=1)  # so that ties come in order of position
    else:
        top = np.broadcast_to(np.arange(k), (len(cosines), k))
    order = np.argsort(-np.take_along_axis(cosines, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)
