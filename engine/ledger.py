"""What was done already: fingerprints of inputs, so that a second run does only what is new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import fiftyone as fo
from fiftyone import ViewField as F

from .columns import Chunk, root_dataset, write_columns
from .fields import LEDGER, STATUS

Samples: TypeAlias = fo.core.collections.SampleCollection


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


def stale_rows(
    chunk: Chunk,
    stage: str,
    keys: Sequence[str],
    overwrite: bool,
    results: Mapping[str, Sequence] | None = None,
) -> list[int]:
    """The rows whose work was never done, was done from other inputs, or is gone.

    Args:
        chunk: a chunk that holds the column ``ledger_field(stage)``, and those of ``results``
        stage: the stage's name
        keys: the fingerprint of each row's inputs
        overwrite: whether everything is to be done again
        results: ``{field: what each row is to hold}``; a row that lacks some of it is stale
    """
    if overwrite:
        return list(range(len(chunk)))
    done = chunk.columns[ledger_field(stage)]
    stale = {row for row, key in enumerate(keys) if done[row] != key}
    for name, values in (results or {}).items():
        held = chunk.columns[name]
        stale |= {row for row, v in enumerate(values) if v is not None and held[row] is None}
    return sorted(stale)


def forget_lost(samples: Samples, work: str, results: Sequence[str]) -> None:
    """Makes the next run do again the samples that are called ok though a result of theirs is gone.

    Args:
        samples: a dataset or view whose status and ledger are declared
        work: the name of the work
        results: fields of which a sample that is ok lacks none
    """
    if not results:
        return
    known = (F(f"{STATUS}.{work}") == "ok") & F(ledger_field(work)).exists()
    gone = F.any([~F(name).exists() for name in results])
    ids = samples.match(known & gone).values("id")
    write_columns(root_dataset(samples), ids, {ledger_field(work): [None] * len(ids)})
