"""One text on several clips: evidence that no comparison with a witness can give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from .texts import is_scorable

_TRUST = 10.0  # texts' worth of belief in what is said before any is seen
_MOVED = 0.1  # the share of copied texts that belong to one clip, as believed before
# Clips of one text whose evidence against it adds up: a plain text matches a bit badly everywhere.
_MOST = 3.0
_STEPS = 30
_CERTAIN = 1e-6


def weigh_copies(
    texts: Sequence[str | None] | Sequence[Sequence[str | None]], match: np.ndarray
) -> np.ndarray:
    """Probabilities that the labels are right, given also which texts stand on several clips.

    A label that was taken from another clip, or that a stuck captioner wrote, has a copy
    elsewhere. A copied text is either one that its clips share rightly, each being right
    as often as a text that stands once; or it belongs to one clip at most, and of its
    clips the one that it matches best is the likeliest. How common the two are, and how
    often labels are right, is read off the dataset itself by expectation and
    maximisation, with ``match`` as what each clip's witnesses say: where clips rightly
    share their texts, copies speak against nobody.

    Args:
        texts: ``n`` labels; or several aspects' labels, which are copies where all are
        match: ``(n,)`` probabilities that each is right, from its witnesses; nan if unknown

    Returns:
        ``(n,)`` probabilities, nan where ``match`` is
    """
    match = np.asarray(match, dtype=np.float64)
    known = ~np.isnan(match)
    copies = [members for members in _holders(texts) if len(members) > 1]
    if not copies or not known.any():
        return match.copy()
    right = float(np.clip(match[known].mean(), _CERTAIN, 1 - _CERTAIN))
    # What the witnesses say alone: the belief before is taken off.
    ratio = np.where(known, np.exp(_log_odds(match) - _log_odds(right)), 1.0)
    rows, size = np.concatenate(copies), np.array([len(members) for members in copies])
    text = np.repeat(np.arange(len(copies)), size)
    once = known.copy()
    once[rows] = False
    # Of a text that belongs to one clip, or to none: the one may have lost it too.
    belongs = right * ratio[rows] / size[text]
    anywhere = np.bincount(text, belongs) + 1 - right
    often, moved = right, _MOVED
    for _ in range(_STEPS):
        shared = np.bincount(text, np.log(often * ratio[rows] + 1 - often))
        shared = np.where(shared < 0, shared * np.minimum(size, _MOST) / size, shared)
        moved_here = _probability(np.log(anywhere) - shared + _log_odds(moved))
        alone = _probability(np.log(ratio) + _log_odds(often))
        often = (alone[once].sum() + _TRUST * right) / (once.sum() + _TRUST)
        moved = (moved_here.sum() + _TRUST * _MOVED) / (len(copies) + _TRUST)
    found = alone.copy()
    weight = moved_here[text]
    found[rows] = weight * belongs / anywhere[text] + (1 - weight) * alone[rows]
    return np.where(known, found, np.nan)


def _holders(texts: Sequence[str | None] | Sequence[Sequence[str | None]]) -> list[list[int]]:
    """Which labels hold each text, case and blanks aside; none where all of it is missing."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for i, said in enumerate(texts):
        parts = [said] if said is None or isinstance(said, str) else said
        plain = tuple(" ".join(t.casefold().split()) if is_scorable(t) else None for t in parts)
        if any(plain):
            found[plain].append(i)
    return list(found.values())


def _log_odds(probability: np.ndarray | float) -> np.ndarray:
    bounded = np.clip(probability, _CERTAIN, 1 - _CERTAIN)
    return np.log(bounded) - np.log1p(-bounded)


def _probability(log_odds: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -500, 500)))
