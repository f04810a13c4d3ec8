"""Whether the texts of a tree fit each other and its times: needs no second model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .texts import is_scorable

_SAME = 0.98  # cosine of sibling texts that say the same
_TOLERANCE = 0.5  # seconds


class NodeFit(NamedTuple):
    """What was found of each node.

    Attributes:
        fit: ``(n,)`` share of other possible parents that the node fits worse than its
            own, 0..1; nan where there is nothing to compare with
        repeats: ``(n,)`` booleans: a sibling's text says the same
        gap: ``(n,)`` seconds between the previous sibling's end and this start; nan
            for first children
        overlap: ``(n,)`` seconds shared with the previous sibling; nan likewise
        out_of_order: ``(n,)`` booleans: listed after a sibling that starts later
    """

    fit: np.ndarray
    repeats: np.ndarray
    gap: np.ndarray
    overlap: np.ndarray
    out_of_order: np.ndarray


def tree_fit(
    parents: Sequence[int] | np.ndarray,
    texts: Sequence[str | None],
    vectors: np.ndarray,
    spans: np.ndarray | None = None,
    levels: Sequence[int | None] | None = None,
) -> NodeFit:
    """Judges every node of one tree against its parent and its siblings.

    A node is compared with its own parent and with the parents of other nodes on its
    level that do not overlap it: a child that fits another segment's parent better was
    probably described from the wrong place.

    Args:
        parents: ``n`` positions of the parents; -1 for roots and orphans
        texts: ``n`` texts of the nodes, in the order in which they are listed
        vectors: ``(n, d)`` unit sentence vectors; nan rows where missing
        spans: ``(n, 2)`` start and end in seconds; nan where unknown
        levels: ``n`` depths in the tree; by default counted from the parents

    Returns:
        what was found of each node
    """
    parents = np.asarray(parents, dtype=np.int64)
    spans = np.full((len(parents), 2), np.nan) if spans is None else np.asarray(spans, float)
    depth = (
        _depths(parents) if levels is None else np.array([-1 if v is None else v for v in levels])
    )
    there = np.array([is_scorable(text) for text in texts], dtype=bool)
    there &= ~np.isnan(vectors).any(axis=1) if len(vectors) else False
    fit = _parent_fit(parents, vectors, spans, depth, there)
    repeats, gap, overlap, out_of_order = _siblings(parents, vectors, spans, there)
    return NodeFit(fit, repeats, gap, overlap, out_of_order)


def tree_score(found: NodeFit) -> float:
    """One number for a tree, 0 (nothing fits) to 1: the mean fit of nodes that repeat no sibling.

    Nodes that repeat a sibling count as 0; nan where no node could be judged.
    """
    known = ~np.isnan(found.fit) | found.repeats
    if not known.any():
        return float("nan")
    return float(np.where(found.repeats, 0.0, np.nan_to_num(found.fit))[known].mean())


def _parent_fit(
    parents: np.ndarray,
    vectors: np.ndarray,
    spans: np.ndarray,
    depth: np.ndarray,
    there: np.ndarray,
) -> np.ndarray:
    fit = np.full(len(parents), np.nan)
    children = np.flatnonzero(there & (parents >= 0))
    children = children[there[parents[children]]]
    for level in np.unique(depth[children]):
        rows = children[depth[children] == level]
        candidates = np.unique(parents[rows])
        if len(candidates) < 2:
            continue
        cosines = vectors[rows] @ vectors[candidates].T
        own = cosines[np.arange(len(rows)), np.searchsorted(candidates, parents[rows])]
        apart = _apart(spans[rows], spans[candidates])
        apart &= candidates[None, :] != parents[rows][:, None]
        worse = (cosines < own[:, None]) + 0.5 * (cosines == own[:, None])
        counts = apart.sum(axis=1)
        fit[rows] = np.divide(
            (worse * apart).sum(axis=1), counts, out=np.full(len(rows), np.nan), where=counts > 0
        )
    return fit


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``(n, m)`` whether spans do not overlap; unknown times count as apart."""
    overlap = (a[:, None, 0] < b[None, :, 1]) & (b[None, :, 0] < a[:, None, 1])
    return ~overlap


def _siblings(
    parents: np.ndarray, vectors: np.ndarray, spans: np.ndarray, there: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n = len(parents)
    repeats, out_of_order = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    gap, overlap = np.full(n, np.nan), np.full(n, np.nan)
    for parent in np.unique(parents[parents >= 0]):
        listed = np.flatnonzero(parents == parent)
        told = listed[there[listed]]
        if len(told) > 1:
            cosines = vectors[told] @ vectors[told].T
            np.fill_diagonal(cosines, -1.0)
            repeats[told] = cosines.max(axis=1) >= _SAME
        timed = listed[~np.isnan(spans[listed]).any(axis=1)]
        out_of_order[timed[1:]] = (
            spans[timed[1:], 0] < np.maximum.accumulate(spans[timed, 0])[:-1] - _TOLERANCE
        )
        ordered = timed[np.argsort(spans[timed, 0], kind="stable")]
        between = spans[ordered[1:], 0] - np.maximum.accumulate(spans[ordered, 1])[:-1]
        gap[ordered[1:]] = np.maximum(between, 0.0)
        overlap[ordered[1:]] = np.maximum(-between, 0.0)
    return repeats, gap, overlap, out_of_order


def _depths(parents: np.ndarray) -> np.ndarray:
    """Generations below a root; nodes on a cycle count as far as they were followed."""
    depth = np.zeros(len(parents), dtype=np.int64)
    here = parents.copy()
    for _ in range(len(parents)):
        below = here >= 0
        if not below.any():
            break
        depth[below] += 1
        here[below] = parents[here[below]]
    return depth
