"""What speaks for a pair of texts describing the same clip: one row of numbers a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from .hubness import corrected, mean_of_nearest, nearest
from .lexical import lexical_similarity
from .support import Tokens, in_order, missed, weighted_total
from .texts import is_scorable
from .token_weights import TokenWeights

#: What is measured of every pair, and again against what both texts reach elsewhere.
MEASURES = ("sem", "words", "letters", "said", "heard")
_SPARE = 2  # neighbours beyond k, so that leaving out the pair itself leaves k
_SUPPORTED_AT = 5  # neighbours at which support is measured; it costs the most
_PAIRS = 8192  # sparse rows multiplied at once
_GROUP_PRIOR = 3.0  # clips' worth of trust in the overall mean against a group's own


@dataclass
class Party:
    """One side of an edge: the annotation's or a witness's texts.

    Attributes:
        texts: ``n`` texts, None where missing or "N/A"
        vectors: ``(n, d)`` sentence vectors of unit length, nan rows where missing
        tokens: ``n`` tokens or None each; None where there are no token vectors at all
    """

    texts: Sequence[str | None]
    vectors: np.ndarray
    tokens: Sequence[Tokens | None] | None = None
    there: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.vectors = np.asarray(self.vectors, dtype=np.float32)
        self.there = np.array([is_scorable(text) for text in self.texts], dtype=bool)
        self.there &= ~np.isnan(self.vectors).any(axis=1)


class Evidence:
    """Measures any pairing of two parties' texts, each against its neighbourhood.

    Five measures, each as it is and corrected for hubness: cosine of sentence vectors,
    tf-idf cosine of words, tf-idf cosine of letter n-grams, support of the annotation by
    the witness and of the witness by the annotation; beside them Levenshtein similarity
    and the cosine after subtracting what all clips of the group (video) have in common,
    also corrected.

    Args:
        annotation: the party whose texts may be wrong
        witness: the party that it is compared with
        groups: which clips are of one video; None where unknown
        weights: the weights of tokens; needed where parties have tokens
        k: how many neighbours a similarity is corrected by
    """

    def __init__(
        self,
        annotation: Party,
        witness: Party,
        groups: Sequence | None = None,
        weights: TokenWeights | None = None,
        k: int = 10,
    ):
        self.k, self.weights = k, weights
        self._sides = (annotation, witness)
        self._with_tokens = None not in (annotation.tokens, witness.tokens, weights)
        if self._with_tokens:
            # Weighed once: a text meets many others
            self._told = [
                [None if tokens is None else weights(tokens.ids) for tokens in side.tokens]
                for side in self._sides
            ]
        self._groups = None
        if groups is not None:
            self._groups = np.unique([str(group) for group in groups], return_inverse=True)[1]
        self._words = self._tfidf(sublinear_tf=True)
        self._letters = self._tfidf(sublinear_tf=True, analyzer="char_wb", ngram_range=(3, 5))
        self._means = tuple(self._group_means(side) for side in self._sides)
        self._around = (self._neighbourhood(0), self._neighbourhood(1))

    @property
    def names(self) -> list[str]:
        """The columns of ``of``."""
        kept = MEASURES if self._with_tokens else MEASURES[:3]
        centred = ["sem_in_group", "sem_in_group_csls"] if self._groups is not None else []
        return [*kept, *(f"{name}_csls" for name in kept), "lex", *centred]

    def observed(self) -> np.ndarray:
        """The evidence of every clip's own pair; nan rows where a text is missing."""
        own = np.arange(len(self._sides[0].texts))
        return self.of(own, own)

    def of(self, taken: np.ndarray, given: np.ndarray) -> np.ndarray:
        """The evidence of pairs: clip ``given`` under the annotation of clip ``taken``.

        Every pair is measured as it would be if it stood in the dataset: what the
        annotation reaches at its own clip counts against it, and the annotation that
        the clip really has is not there to compare with.

        Args:
            taken: ``(m,)`` clips whose annotation is used
            given: ``(m,)`` clips whose witness is used

        Returns:
            ``(m, len(names))`` floats; rows are nan where a text is missing
        """
        annotation, witness = self._sides
        there = annotation.there[taken] & witness.there[given]
        table = np.full((len(taken), len(self.names)), np.nan)
        left, right = taken[there], given[there]
        raw = self._measure(left, right)
        if self._with_tokens:
            raw = np.concatenate([raw, self._supports(left, right)], axis=1)
        index, values = self._around[0]
        back_index, back_values = self._around[1]
        pair, own = right[:, None], np.stack([left, right], axis=1)
        fixed = [
            corrected(
                raw[:, m],
                mean_of_nearest(values[left, :, m], index[left], pair, self.k),
                mean_of_nearest(back_values[right, :, m], back_index[right], own, self.k),
            )
            for m in range(raw.shape[1])
        ]
        lex = lexical_similarity(
            [annotation.texts[i] for i in left], [witness.texts[i] for i in right]
        )
        columns = [*raw.T, *fixed, lex]
        if self._groups is not None:
            columns += self._within_group(left, right)
        table[there] = np.stack(columns, axis=1) if len(left) else np.empty((0, len(columns)))
        return table

    def _measure(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        annotation, witness = self._sides
        columns = [np.einsum("nd,nd->n", annotation.vectors[left], witness.vectors[right])]
        columns += [_row_dots(t[0], left, t[1], right) for t in (self._words, self._letters)]
        return np.stack(columns, axis=1)

    def _supports(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """``(m, 2)`` how much each witness supports each annotation, and the reverse."""
        annotation, witness = self._sides
        found = np.full((len(left), 2), np.nan)
        order = np.argsort(left, kind="stable")
        # All partners of one text are compared in one product: small ones cost the most.
        for rows in np.split(order, np.flatnonzero(np.diff(left[order])) + 1):
            if len(rows) and (tokens := annotation.tokens[left[rows[0]]]) is not None:
                told = [self._told[1][j] for j in right[rows]]
                others = [witness.tokens[j] for j in right[rows]]
                found[rows] = mutual_support(
                    tokens, others, self._told[0][left[rows[0]]], told, self.weights.typical
                )
        return found

    def _neighbourhood(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest texts of the other party, and every measure at each of them."""
        queries, references = self._sides[side], self._sides[1 - side]
        found = nearest(
            np.where(queries.there[:, None], queries.vectors, np.nan),
            np.where(references.there[:, None], references.vectors, np.nan),
            self.k + _SPARE,
        )
        rows, columns = np.nonzero(found.index >= 0)
        others = found.index[rows, columns]
        pair = (rows, others) if side == 0 else (others, rows)
        count = len(MEASURES) if self._with_tokens else 3
        values = np.full((*found.index.shape, count), np.nan, dtype=np.float32)
        if len(rows):
            values[rows, columns, :3] = self._measure(*pair)
        if count > 3:
            few = columns < _SUPPORTED_AT
            values[rows[few], columns[few], 3:] = self._supports(pair[0][few], pair[1][few])
        return found.index, values

    def _tfidf(self, **options: object) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        texts = [[text or "" for text in side.texts] for side in self._sides]
        vectorizer = TfidfVectorizer(dtype=np.float32, **options)
        try:
            vectorizer.fit([text for side in texts for text in side])
        except ValueError:  # no text holds a single word
            return tuple(sparse.csr_matrix((len(side), 1), dtype=np.float32) for side in texts)
        return tuple(vectorizer.transform(side) for side in texts)

    def _group_means(self, side: Party) -> np.ndarray | None:
        if self._groups is None or not side.there.any():
            return None
        overall = side.vectors[side.there].mean(axis=0)
        size = self._groups.max() + 1
        totals = np.zeros((size, side.vectors.shape[1]), dtype=np.float32)
        np.add.at(totals, self._groups[side.there], side.vectors[side.there])
        counts = np.bincount(self._groups[side.there], minlength=size)[:, None]
        return (totals + _GROUP_PRIOR * overall) / (counts + _GROUP_PRIOR)

    def _within_group(self, left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
        """Cosine beyond what the group has in common, as it is and corrected.

        The annotation is judged in the group of the clip that it is given to.
        """
        if not len(left):
            return [np.empty(0), np.empty(0)]
        annotation, witness = self._sides
        groups = self._groups[right]
        ours = _unit(annotation.vectors[left] - self._means[0][groups])
        theirs = _unit(witness.vectors[right] - self._means[1][groups])
        cosines = np.einsum("nd,nd->n", ours, theirs)
        means = []
        own = np.stack([left, right], axis=1)
        for side, query, asked, excluded in (
            (0, ours, left, right[:, None]),
            (1, theirs, right, own),
        ):
            index = self._around[side][0][asked]
            other = self._sides[1 - side].vectors
            centres = self._means[1 - side]
            values = np.full(index.shape, np.nan, dtype=np.float32)
            for column in range(index.shape[1]):
                found = index[:, column]
                beyond = _unit(other[found] - centres[self._groups[found]])
                values[:, column] = np.where(
                    found >= 0, np.einsum("nd,nd->n", query, beyond), np.nan
                )
            means.append(mean_of_nearest(values, index, excluded, self.k))
        return [cosines, corrected(cosines, *means)]


def mutual_support(
    tokens: Tokens,
    others: Sequence[Tokens | None],
    told: np.ndarray,
    others_told: Sequence[np.ndarray | None],
    typical: float,
) -> np.ndarray:
    """How much each other text supports this one, and this one each other.

    Args:
        tokens: the tokens of one text
        others: the tokens of ``m`` texts
        told: the weights of this text's tokens
        others_told: the weights of each other text's tokens
        typical: the mean weight of a token where it occurs

    Returns:
        ``(m, 2)`` floats in 0..1; nan where a text has no tokens
    """
    found = np.full((len(others), 2), np.nan)
    there = [i for i, other in enumerate(others) if other is not None and len(other.ids)]
    if not there or not len(tokens.ids):
        return found
    sizes = np.array([len(others[i].ids) for i in there])
    starts = np.cumsum(sizes) - sizes
    together = np.concatenate([np.asarray(others[i].vectors, np.float32) for i in there])
    cosines = np.asarray(tokens.vectors, np.float32) @ together.T
    matches = in_order(cosines, starts)
    lacking = told @ missed(np.maximum.reduceat(matches, starts, axis=1))
    found[there, 0] = 1.0 - lacking / weighted_total(told.sum(), len(told), typical)
    theirs = np.concatenate([others_told[i] for i in there])
    lacking = np.add.reduceat(theirs * missed(matches.max(axis=0)), starts)
    found[there, 1] = 1.0 - lacking / weighted_total(
        np.add.reduceat(theirs, starts), sizes, typical
    )
    return np.clip(found, 0.0, 1.0)


def _row_dots(
    a: sparse.csr_matrix, rows: np.ndarray, b: sparse.csr_matrix, others: np.ndarray
) -> np.ndarray:
    found = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        found[part] = np.asarray(a[rows[part]].multiply(b[others[part]]).sum(axis=1)).ravel()
    return found


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
