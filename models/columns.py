"""Columns of texts to columns of vectors and tokens, each text encoded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .encoder import Encoder, TokenRecord

# What is remembered of texts seen before: 150 MB of vectors at 384 dimensions, or
# some 200 MB of token vectors for long captions.
_VECTORS, _TOKENS = 100_000, 2_000


class ColumnEncoder:
    """Encodes columns that arrive chunk by chunk; a text that comes again is remembered.

    Args:
        encoder: the encoder
        with_tokens: whether token vectors are wanted beside sentence vectors
    """

    def __init__(self, encoder: Encoder, with_tokens: bool) -> None:
        self.encoder = encoder
        self.with_tokens = with_tokens
        self._capacity = _TOKENS if with_tokens else _VECTORS
        self._known: dict[str, tuple[np.ndarray, TokenRecord | None]] = {}

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
        self._learn([text for text in texts if text not in self._known])
        blank = np.full(self.encoder.dimension, np.nan, dtype=np.float32)
        nothing = (blank, None)
        found = {
            name: [nothing if text is None else self._known[text] for text in column]
            for name, column in columns.items()
        }
        vectors = {
            name: np.stack([vector for vector, _ in rows]) if rows else np.empty((0, len(blank)))
            for name, rows in found.items()
        }
        tokens = {}
        if self.with_tokens:
            tokens = {name: [record for _, record in rows] for name, rows in found.items()}
        for text in list(self._known)[: max(0, len(self._known) - self._capacity)]:
            del self._known[text]  # the oldest first
        return vectors, tokens

    def _learn(self, texts: list[str]) -> None:
        if not texts:
            return
        texts.sort()  # the same batches whatever order the set had
        if self.with_tokens:
            vectors, records = self.encoder.encode_tokens(texts)
            self._known.update(zip(texts, zip(vectors, records)))
        else:
            self._known.update((t, (v, None)) for t, v in zip(texts, self.encoder.encode(texts)))
