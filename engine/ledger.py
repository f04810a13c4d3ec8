"""What was done already: fingerprints of inputs, so that a second run does only what is new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from .columns import Chunk
from .fields import LEDGER


def fingerprint(*parts: object) -> str:
    """A short name for some inputs: equal inputs, equal name.

    Args:
        parts: anything JSON can hold, in an order that matters

    Returns:
        32 hexadecimal digits (BLAKE2b, 128 bits)
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def ledger_field(stage: str) -> str:
    """The field that holds the stage's fingerprint of a sample's inputs."""
    return f"{LEDGER}.{stage}"


def stale_rows(chunk: Chunk, stage: str, keys: Sequence[str], overwrite: bool) -> list[int]:
    """The rows whose work was never done, or was done from other inputs.

    Args:
        chunk: a chunk that holds the column ``ledger_field(stage)``
        stage: the stage's name
        keys: the fingerprint of each row's inputs
        overwrite: whether everything is to be done again
    """
    if overwrite:
        return list(range(len(chunk)))
    done = chunk.columns[ledger_field(stage)]
    return [row for row, key in enumerate(keys) if done[row] != key]
