"""Columns of texts to columns of vectors and tokens, each text encoded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
from cachetools import LRUCache

from .encoder import Encoder, TokenRecord

# What a process remembers, in bytes: some 160,000 tokens at 384 dimensions. That is every text of
# a few hundred samples, and of as many more as the stages that follow each other can afford.
_REMEMBERED = 256 * 2**20
_OBJECTS = 1_000  # bytes that a text and its arrays take beside their numbers


class _Encoded(NamedTuple):
    """What is remembered of one text; no tokens where only its vector was asked for."""

    vector: np.ndarray
    tokens: TokenRecord | None

    @property
    def size(self) -> int:
        """Bytes."""
        return _OBJECTS + self.vector.nbytes + sum(part.nbytes for part in self.tokens or ())


# Of the process and not of a stage: stages that follow each other read the same texts. Whether
# a text is found here changes no bit of a result, since a text's vectors hang on nothing but
# the text and its encoder. The App's server runs stages side by side, hence the lock.
_known: LRUCache = LRUCache(_REMEMBERED, getsizeof=lambda encoded: encoded.size)
_lock = Lock()


class ColumnEncoder:
    """Encodes columns that arrive chunk by chunk; a text that comes again is remembered.

    Args:
        encoder: the encoder
        with_tokens: whether token vectors are wanted beside sentence vectors
    """

    def __init__(self, encoder: Encoder, with_tokens: bool) -> None:
        self.encoder = encoder
        self.with_tokens = with_tokens

    def encode(
        self, columns: Mapping[str, Sequence[str | None]]
    ) -> tuple[dict[str, np.ndarray], dict[str, list[TokenRecord | None]]]:
        """Encodes columns of ``n`` texts.

        Args:
            columns: ``{name: n texts}``; None where there is no text

        Returns:
            ``{name: (n, d) vectors}`` with rows of nan where there is no text, and
            ``{name: n tokens}`` with None there, empty unless tokens were asked for
        """
        texts = {text for column in columns.values() for text in column if text is not None}
        known = self._recall(texts)
        known |= self._learn(sorted(texts - known.keys()))  # sorted: as a set has no order
        blank = np.full(self.encoder.dimension, np.nan, dtype=np.float32)
        nothing = _Encoded(blank, None)
        found = {
            name: [nothing if text is None else known[text] for text in column]
            for name, column in columns.items()
        }
        vectors = {
            name: np.stack([row.vector for row in rows]) if rows else np.empty((0, len(blank)))
            for name, rows in found.items()
        }
        tokens = {}
        if self.with_tokens:
            tokens = {name: [row.tokens for row in rows] for name, rows in found.items()}
        return vectors, tokens

    def _recall(self, texts: set[str]) -> dict[str, _Encoded]:
        identity = self.encoder.identity
        with _lock:
            found = {text: _known.get((identity, text)) for text in texts}
        return {
            text: encoded
            for text, encoded in found.items()
            if encoded and (encoded.tokens or not self.with_tokens)
        }

    def _learn(self, texts: list[str]) -> dict[str, _Encoded]:
        if self.with_tokens:
            vectors, records = self.encoder.encode_tokens(texts)
        else:
            vectors, records = self.encoder.encode(texts), [None] * len(texts)
        learnt = {}
        for text, vector, tokens in zip(texts, vectors, records):
            # A copy: a row would keep all rows. Read-only: other stages read them too
            learnt[text] = _Encoded(vector.copy(), tokens)
            for part in (learnt[text].vector, *(tokens or ())):
                part.flags.writeable = False
        identity = self.encoder.identity
        with _lock:
            for text, encoded in learnt.items():
                if encoded.size <= _known.maxsize:
                    _known[identity, text] = encoded
        return learnt
