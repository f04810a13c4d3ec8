"""How much each token of a text tells: little where it is common, or its neighbours call for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

# How much of what the neighbours foretell of a token is taken off its weight. All of it would
# forgive a wrong word in a common phrase.
_FORETOLD = 0.5
# Occurrences' worth of trust that a token is as likely beside this neighbour as anywhere.
_TRUST = 10.0
# A token tells at least this share of what its rarity says.
_LEAST = 0.1
_START, _END = -1, -2


class TokenWeights:
    """How much each token tells among the texts at hand.

    A token's rarity is its inverse document frequency, ``ln((n + 1) / (df + 1/2))``, after
    Sparck Jones, "A statistical interpretation of term specificity", 1972; smoothed so that
    it is positive and known for unseen tokens too. A token that its neighbours call for
    tells less, and one that is strange beside them more: half of the mean of
    ``ln(p(token | neighbour) / p(token))`` over the left and the right neighbour is taken
    off, probabilities smoothed towards ``p(token)`` (Zhai and Lafferty, "A study of
    smoothing methods for language models", 2004). So "a wooden table on a plate" tells
    more, and needs more support, than "a plate on a wooden table". No text counts as
    evidence for itself: its own occurrences are taken off first.
    """

    def __init__(self, texts: Iterable[np.ndarray] = ()):
        self.texts = self._size = 0
        self._holders: Counter[int] = Counter()
        self._seen: Counter[int] = Counter()
        self._beside: Counter[tuple[int, int]] = Counter()
        self._typical: float | None = None
        for ids in texts:
            self.add(ids)

    def add(self, ids: np.ndarray) -> None:
        """Counts one more text, given its ``(t,)`` token ids."""
        between = _between(ids)
        self.texts += 1
        self._size += len(between)
        self._holders.update(set(between[1:-1]))
        self._seen.update(between)
        self._beside.update(zip(between, between[1:]))
        self._typical = None

    def __call__(self, ids: np.ndarray, instead_of: np.ndarray | None = None) -> np.ndarray:
        """The ``(t,)`` positive weights of a text's tokens.

        Args:
            ids: ``(t,)`` token ids of one whole text, in order
            instead_of: the ids of the text that was counted where this one is a changed
                copy of it; by default the text itself was counted
        """
        rarity = self.rarity(ids)
        if not len(rarity):
            return rarity
        text = _between(ids)
        own = text if instead_of is None else _between(instead_of)
        ours, pairs_of_ours = Counter(own), Counter(zip(own, own[1:]))
        seen = np.array([max(0, self._seen[t] - ours[t]) for t in text], np.float64)
        beside = np.array(
            [max(0, self._beside[p] - pairs_of_ours[p]) for p in zip(text, text[1:])], np.float64
        )
        only_here = sum(self._seen[token] == times for token, times in ours.items())
        chance = self._chance(seen[1:-1], len(own), only_here)
        before = _foretold(beside[:-1], chance, seen[:-2])
        after = _foretold(beside[1:], chance, seen[2:])
        return np.maximum(rarity - _FORETOLD * 0.5 * (before + after), _LEAST * rarity)

    def rarity(self, ids: np.ndarray | Sequence[int]) -> np.ndarray:
        """The ``(t,)`` positive inverse document frequencies of ``(t,)`` token ids."""
        held = [self._holders[i] for i in np.asarray(ids).tolist()]
        return math.log(self.texts + 1) - np.log(np.array(held, np.float64) + 0.5)

    @property
    def typical(self) -> float:
        """The mean weight of a token where it occurs."""
        if self._typical is None:
            rarity = self.typical_rarity
            self._typical = max(rarity - _FORETOLD * self._mean_foretold(), _LEAST * rarity)
        return self._typical

    @property
    def typical_rarity(self) -> float:
        """The mean rarity of a token where it occurs."""
        if not self._holders:
            return 1.0
        tokens = list(self._holders)
        times = np.array([self._seen[token] for token in tokens], np.float64)
        return float(np.average(self.rarity(tokens), weights=times))

    def _mean_foretold(self) -> float:
        """How much the neighbours call for a token, on average, each without itself."""
        if not self._holders:
            return 0.0
        pairs = np.array(list(self._beside))
        beside = np.array(list(self._beside.values()), np.float64)
        seen = np.array([[self._seen[t] for t in pair] for pair in pairs.tolist()]) - 1.0
        total = 0.0
        for token, neighbour in ((0, 1), (1, 0)):
            inside = pairs[:, token] >= 0
            chance = self._chance(seen[inside, token], 1)
            each = _foretold(beside[inside] - 1.0, chance, seen[inside, neighbour])
            total += 0.5 * float(beside[inside] @ each)
        return total / (self._size - 2 * self.texts)

    def _chance(self, seen: np.ndarray, left_out: int, only_there: int = 0) -> np.ndarray:
        """The probabilities of tokens seen so often, half an occurrence added to each.

        ``left_out`` occurrences do not count, nor ``only_there`` tokens seen nowhere else.
        """
        total = max(0, self._size - left_out)
        return (seen + 0.5) / (total + 0.5 * (len(self._seen) - only_there + 1))


def _between(ids: np.ndarray | Sequence[int]) -> list[int]:
    """A text's ids with what stands before and after every text."""
    return [_START, *np.asarray(ids).tolist(), _END]


def _foretold(beside: np.ndarray, chance: np.ndarray, neighbour: np.ndarray) -> np.ndarray:
    """``ln(p(token | neighbour) / p(token))``: how much the neighbour calls for the token.

    Args:
        beside: how often the two stand side by side
        chance: the probability of the token anywhere
        neighbour: how often the neighbour is seen
    """
    return np.log((beside / chance + _TRUST) / (neighbour + _TRUST))
