"""``sup``: how much of what one text says, the others say too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from .texts import is_scorable
from .token_weights import TokenWeights

# Words said by both texts match above 0.6 with all-MiniLM-L6-v2, unrelated ones below 0.4.
UNSUPPORTED_BELOW = 0.5
# How much of a token's match is its neighbours' match at the same distance: "red hat, blue
# shirt" holds the words of "blue hat, red shirt", in another order.
_NEIGHBOURS = 0.15

_Number = TypeVar("_Number", float, np.ndarray)


class Tokens(Protocol):
    """The tokens of one text.

    Attributes:
        vectors: ``(t, d)`` contextual unit vectors
        offsets: ``(t, 2)`` start and end of each token in the text, in characters
        ids: ``(t,)`` vocabulary ids
    """

    vectors: np.ndarray
    offsets: np.ndarray
    ids: np.ndarray


class TokenEncoder(Protocol):
    """Anything that gives the tokens of texts, such as ``models.encoder.Encoder``."""

    def encode_tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, Sequence[Tokens]]:
        """Returns the sentence vectors and the tokens of the texts."""


def support(
    said: Sequence[Tokens | None],
    by: Sequence[Sequence[Tokens | None]],
    weights: TokenWeights,
    instead_of: Sequence[Tokens | None] | None = None,
) -> np.ndarray:
    """How much of what each text says is also said by its opinions.

    Every token of the text is matched with the most similar token of any opinion
    (BERTScore's precision, Zhang et al., 2020), its neighbours weighing in. The match is
    Tanimoto's coefficient, ``cos / (2 - cos)`` for unit vectors, which tells small
    differences better than the cosine; what stays unmatched is weighed by how much the
    token tells::

        1 - sum_t w_t (1 - match(t)) / sum_t (w_t + typical weight)  * 2

    A plain idf-weighted mean forgives an invented rare word, because the word's own
    weight grows the denominator too; half of the denominator is therefore what a text
    of that many tokens ordinarily tells. Not symmetric: a text that says less than its
    opinions is fully supported.

    Args:
        said: the tokens of ``n`` texts; None where a text is missing or "N/A"
        by: ``n`` lists of opinions' tokens, None among them where one is missing
        weights: the weights of tokens over the texts at hand
        instead_of: the tokens of the ``n`` texts at hand that ``said`` are changed copies of

    Returns:
        ``n`` floats in 0..1; nan where the text or all of its opinions are missing

    Raises:
        ValueError: if the lengths differ
    """
    if len(said) != len(by):
        raise ValueError(f"{len(said)} texts cannot be compared with {len(by)} lists of opinions.")
    scores = np.full(len(said), np.nan)
    for i, (tokens, opinions) in enumerate(zip(said, by)):
        matches = token_support(tokens, opinions)
        if matches is not None and len(matches):
            own = None if instead_of is None or instead_of[i] is None else instead_of[i].ids
            told = weights(tokens.ids, own)
            scores[i] = weighted_support(matches, told, weights.typical)
    return scores


def token_support(tokens: Tokens | None, opinions: Sequence[Tokens | None]) -> np.ndarray | None:
    """The ``(t,)`` best matches of a text's tokens among its opinions', in 0..1.

    None where the text or all of its opinions are missing.
    """
    heard = [o.vectors for o in opinions if o is not None and len(o.ids)]
    if tokens is None or not heard:
        return None
    said = np.asarray(tokens.vectors, dtype=np.float32)
    best = np.full(len(said), -1.0, dtype=np.float32)
    for vectors in heard:
        cosines = said @ np.asarray(vectors, dtype=np.float32).T
        np.maximum(best, in_order(cosines).max(axis=1), out=best)
    return np.clip(best, 0.0, 1.0)


def in_order(cosines: np.ndarray, starts: np.ndarray | None = None) -> np.ndarray:
    """The match of each token with each other one, their neighbours' match counted in.

    Args:
        cosines: ``(t, u)`` cosines of one text's tokens with those of others
        starts: where among the ``u`` tokens each of the other texts begins; by default
            they are one text

    Returns:
        ``(t, u)`` matches; a token at an edge of its text stands in for its own neighbour
    """
    first = np.zeros(1, dtype=np.int64) if starts is None else starts
    last = np.append(first[1:], cosines.shape[1]) - 1
    before, after = cosines.copy(), cosines.copy()
    before[1:, 1:] = cosines[:-1, :-1]
    after[:-1, :-1] = cosines[1:, 1:]
    before[:, first], after[:, last] = cosines[:, first], cosines[:, last]
    return (1.0 - _NEIGHBOURS) * cosines + 0.5 * _NEIGHBOURS * (before + after)


def missed(cosines: np.ndarray) -> np.ndarray:
    """What is missing to a perfect match, 0..1: one minus Tanimoto's coefficient."""
    cosines = np.clip(cosines, 0.0, 1.0)
    return 1.0 - cosines / (2.0 - cosines)


def weighted_support(matches: np.ndarray, weights: np.ndarray, typical: float) -> float:
    """``support`` of one text from its tokens' best matches and weights, both ``(t,)``."""
    total = weighted_total(float(weights.sum()), len(weights), typical)
    return min(1.0, max(0.0, 1.0 - float(weights @ missed(matches)) / total))


def weighted_total(weight: _Number, count: _Number, typical: float) -> _Number:
    """What ``support`` divides by: half the text's own weight, half what is ordinary."""
    return 0.5 * (weight + count * typical)


def unsupported_spans(
    annotation: str | None,
    opinions: Sequence[str | None],
    encoder: TokenEncoder,
    weights: TokenWeights | None = None,
    threshold: float = UNSUPPORTED_BELOW,
) -> list[tuple[int, int]]:
    """Where an annotation says what none of the opinions say, for a viewer to mark.

    Args:
        annotation: the text under audit
        opinions: what the witnesses said; missing ones are ignored
        encoder: gives the tokens of texts
        weights: the weights of tokens over the dataset; without them, every word that
            holds a letter or digit may be marked
        threshold: a word is marked when its best match stays below this, 0..1

    Returns:
        ``(start, end)`` character spans of the annotation, whole words, neighbours
        joined, in order; empty where there is nothing to compare
    """
    heard = [opinion for opinion in opinions if is_scorable(opinion)]
    if not is_scorable(annotation) or not heard:
        return []
    _, (tokens, *others) = encoder.encode_tokens([annotation, *heard])
    return spans_below(annotation, tokens, others, weights, threshold)


def spans_below(
    annotation: str,
    tokens: Tokens,
    opinions: Sequence[Tokens | None],
    weights: TokenWeights | None = None,
    threshold: float = UNSUPPORTED_BELOW,
) -> list[tuple[int, int]]:
    """``unsupported_spans`` from tokens already at hand."""
    matches = token_support(tokens, opinions)
    if matches is None:
        return []
    told = None if weights is None else weights.rarity(tokens.ids) >= 0.5 * weights.typical_rarity
    spans: list[tuple[int, int]] = []
    for start, end, members in _words(tokens.offsets):
        if not any(letter.isalnum() for letter in annotation[start:end]):
            continue
        if told is not None and not told[members].any():
            continue  # a word that nearly every text holds tells nothing
        if matches[members].mean() < threshold:
            if spans and not annotation[spans[-1][1] : start].strip():
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
    return spans


def _words(offsets: np.ndarray) -> list[tuple[int, int, slice]]:
    """Joins tokens that touch into words: start, end, and which tokens."""
    words: list[tuple[int, int, slice]] = []
    for i, (start, end) in enumerate(np.asarray(offsets).tolist()):
        if words and words[-1][1] == start:
            words[-1] = (words[-1][0], end, slice(words[-1][2].start, i + 1))
        else:
            words.append((start, end, slice(i, i + 1)))
    return words
