"""The null: the same texts paired wrongly, so that what chance reaches is known.

A wrong pair gives clip ``i`` the annotation of clip ``j``. A random ``j`` is easy to
tell; another segment of the same video, or a clip with a similar annotation, is what
real mistakes look like.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

#: Nearer than the 10th, a text is too often true of this clip as well.
NEAR_RANKS = (10, 50)
_BLOCK = 1024
_SAME_TEXT = 0.999


class WrongPairs(NamedTuple):
    """Wrongly paired clips.

    Attributes:
        taken: ``(m,)`` clips whose annotation is taken
        given: ``(m,)`` clips that it is given to
        kind: ``(m,)`` strings: "random", "within" or "near"
    """

    taken: np.ndarray
    given: np.ndarray
    kind: np.ndarray


def wrong_pairs(
    vectors: np.ndarray,
    groups: Sequence[Hashable] | None = None,
    spans: np.ndarray | None = None,
    seed: int = 51,
    ranks: tuple[int, int] = NEAR_RANKS,
) -> WrongPairs:
    """Draws at most one wrong pair of every kind for every clip.

    Args:
        vectors: ``(n, d)`` unit vectors of the annotations; nan rows where missing
        groups: what clips are of one video; None where unknown
        spans: ``(n, 2)`` start and end of each clip in its video, or ``(n, 2 d)`` of each
            region in ``d`` dimensions; overlapping ones are then never paired within a group
        seed: the same seed draws the same pairs
        ranks: the first and last rank of a near neighbour, the nearest being 1

    Returns:
        the pairs, kind by kind; a kind that cannot be drawn is absent
    """
    rng = np.random.default_rng(seed)
    codes = None if groups is None else np.unique([str(g) for g in groups], return_inverse=True)[1]
    there = np.flatnonzero(~np.isnan(vectors).any(axis=1))
    drawn = [("random", *random_pairs(there, codes, rng))]
    if codes is not None:
        drawn.append(("within", *within_group_pairs(there, codes, spans, rng)))
    drawn.append(("near", *near_pairs(there, vectors, codes, rng, ranks)))
    kind = np.concatenate([np.full(len(taken), name) for name, taken, _ in drawn])
    taken = np.concatenate([taken for _, taken, _ in drawn])
    given = np.concatenate([given for _, _, given in drawn])
    # One text on two clips is no wrong pair of texts.
    differ = np.einsum("nd,nd->n", vectors[taken], vectors[given]) < _SAME_TEXT
    return WrongPairs(taken[differ], given[differ], kind[differ])


def random_pairs(
    there: np.ndarray, codes: np.ndarray | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Gives each clip the annotation of a random other one, of another group if any."""
    if len(there) < 2:
        return _none()
    taken = rng.permutation(there)
    # a cyclic shift of a random order pairs nobody with itself
    given = np.roll(taken, 1)
    if codes is not None:
        other = codes[taken] != codes[given]
        taken, given = taken[other], given[other]
    return taken, given


def within_group_pairs(
    there: np.ndarray,
    codes: np.ndarray,
    spans: np.ndarray | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Gives each clip the annotation of another, non-overlapping clip of its group."""
    taken, given = [], []
    order = there[np.argsort(codes[there], kind="stable")]
    borders = np.flatnonzero(np.diff(codes[order])) + 1
    for members in np.split(order, borders):
        for clip in members:
            others = members[members != clip]
            if spans is not None:
                before = spans[others, 1::2] <= spans[clip, 0::2]
                after = spans[others, 0::2] >= spans[clip, 1::2]
                others = others[(before | after).any(axis=1)]
            if len(others):
                taken.append(others[rng.integers(len(others))])
                given.append(clip)
    return np.array(taken, dtype=np.int64), np.array(given, dtype=np.int64)


def near_pairs(
    there: np.ndarray,
    vectors: np.ndarray,
    codes: np.ndarray | None,
    rng: np.random.Generator,
    ranks: tuple[int, int] = NEAR_RANKS,
    block: int = _BLOCK,
) -> tuple[np.ndarray, np.ndarray]:
    """Gives each clip the annotation of a near neighbour, of another group if any."""
    first, last = ranks
    if len(there) <= first:
        return _none()
    known = vectors[there].astype(np.float32)
    last = min(last, len(there) - 1)
    taken, given = [], []
    for start in range(0, len(there), block):
        cosines = known[start : start + block] @ known.T
        for row, clip in enumerate(there[start : start + block]):
            forbidden = there == clip if codes is None else codes[there] == codes[clip]
            cosines[row, forbidden] = -np.inf
            open_ = len(there) - int(forbidden.sum())
            if open_ < first:
                continue
            rank = int(rng.integers(first, min(last, open_) + 1))
            taken.append(there[np.argpartition(-cosines[row], rank - 1)[rank - 1]])
            given.append(clip)
    return np.array(taken, dtype=np.int64), np.array(given, dtype=np.int64)


def _none() -> tuple[np.ndarray, np.ndarray]:
    return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
