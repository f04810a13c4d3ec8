"""The metrics that score an edge. To add one: write its file, and name it here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .lexical import fold, folded_similarity
from .semantic import cosine_similarity
from .support import Tokens, support
from .token_weights import TokenWeights


@dataclass(frozen=True)
class Column:
    """What one party says of ``n`` samples, in every form that a metric may need.

    Attributes:
        texts: ``n`` texts; None where missing or "N/A"
        vectors: ``(n, d)`` sentence vectors, rows of nan where there is no text
        tokens: ``n`` tokens, or None where there is no text
    """

    texts: Sequence[str | None]
    vectors: np.ndarray | None = None
    tokens: Sequence[Tokens | None] | None = None

    @cached_property
    def folded(self) -> list[str | None]:
        """The texts as ``lex`` compares them: folded once, however many edges meet here."""
        return fold(self.texts)


@dataclass(frozen=True)
class Metric:
    """A way to score an edge, in 0..1, nan where a text is missing.

    Attributes:
        name: the first part of its fields' names
        label: what a person reads
        short: the same in one word, for panels
        needs: "texts", "vectors" or "tokens"
        score: of what one party says, how much the other says too
        edition: of its formula; raised with it, so that what is stored by the older one is stale
    """

    name: str
    label: str
    short: str
    needs: str
    score: Callable[[Column, Column, TokenWeights | None], np.ndarray]
    edition: int = 1


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "lex",
            "Lexical similarity",
            "lexical",
            "texts",
            lambda said, heard, weights: folded_similarity(said.folded, heard.folded),
        ),
        Metric(
            "sem",
            "Semantic similarity",
            "semantic",
            "vectors",
            lambda said, heard, weights: cosine_similarity(said.vectors, heard.vectors),
        ),
        Metric(
            "sup",
            "Support",
            "support",
            "tokens",
            lambda said, heard, weights: support(said.tokens, [[t] for t in heard.tokens], weights),
            edition=3,
        ),
    )
}


def support_by_all(
    said: Column,
    heard: Sequence[Column],
    weights: TokenWeights,
    instead_of: Column | None = None,
) -> np.ndarray:
    """How much of what one party says any of the others says too; ``n`` floats in 0..1.

    Where ``said`` are changed copies of texts that the weights were learnt from, these are
    ``instead_of``.
    """
    by = list(zip(*(party.tokens for party in heard)))
    return support(said.tokens, by, weights, None if instead_of is None else instead_of.tokens)
