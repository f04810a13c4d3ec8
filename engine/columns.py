"""Columns in chunks: how text leaves the database and how results go back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import wraps
from itertools import islice

import fiftyone as fo
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

#: Samples a chunk: large enough to keep the database busy, small enough to forget.
CHUNK = 5_000


@dataclass(frozen=True)
class Chunk:
    """Some samples' ids and the values of some of their fields, row by row alike."""

    ids: list[str]
    columns: dict[str, list]

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, keep: Sequence[int]) -> Chunk:
        """The chunk made of these rows only."""
        return Chunk(
            [self.ids[i] for i in keep],
            {name: [values[i] for i in keep] for name, values in self.columns.items()},
        )


def root_dataset(samples: fo.core.collections.SampleCollection) -> fo.Dataset:
    """The dataset that a dataset or view speaks of."""
    return samples._root_dataset  # the only handle that views and datasets share


def read_chunks(
    samples: fo.core.collections.SampleCollection, fields: Sequence[str], size: int = CHUNK
) -> Iterator[Chunk]:
    """Reads columns of a dataset or view, chunk by chunk, in the view's order.

    The ids are read once, so that samples which a stage's own writes move in or
    out of the view are neither skipped nor seen twice. A field that does not
    exist reads as None.

    Args:
        samples: a dataset or view
        fields: field names, dotted for embedded ones
        size: the samples a chunk

    Yields:
        chunks of at most ``size`` samples; samples deleted meanwhile are left out
    """
    dataset = root_dataset(samples)
    known = [name for name in dict.fromkeys(fields) if _is_stored(dataset, name)]
    ids = iter(samples.values("id"))
    while batch := list(islice(ids, size)):
        found, *values = dataset.select(batch).values(["id", *known])
        at = {sample_id: row for row, sample_id in enumerate(found)}
        order = [at[sample_id] for sample_id in batch if sample_id in at]
        columns = {name: [column[i] for i in order] for name, column in zip(known, values)}
        for name in fields:
            columns.setdefault(name, [None] * len(order))
        yield Chunk([found[i] for i in order], columns)


_relay: Callable[[str, tuple], None] | None = None


@contextmanager
def relayed_to(relay: Callable[[str, tuple], None]) -> Iterator[None]:
    """Hands every write of this process to ``relay``, as a name and arguments, instead."""
    global _relay
    _relay = relay
    try:
        yield
    finally:
        _relay = None


def write_relayed(dataset: fo.Dataset, name: str, given: tuple) -> None:
    """Does a write that another process relayed."""
    _WRITES[name](dataset, *given)


def _relayed(write: Callable) -> Callable:
    @wraps(write)
    def relayed(dataset: fo.Dataset, *given: object) -> None:
        if _relay is None:
            write(dataset, *given)
        else:
            _relay(write.__name__, given)

    return relayed


@_relayed
def write_columns(dataset: fo.Dataset, ids: Sequence[str], columns: Mapping[str, Sequence]) -> None:
    """Writes several sample fields of several samples in one go.

    ``Dataset.set_values`` sends one update per sample and *field*; sixty score
    fields cost sixty round trips. One update per sample leaves equal documents.

    Args:
        dataset: the dataset
        ids: ``n`` sample ids
        columns: ``{declared field: n values}``; nan becomes None
    """
    plain = {name: [_plain(value) for value in values] for name, values in columns.items()}
    if not ids or not plain:
        return
    if not hasattr(dataset, "_bulk_write"):
        _write_publicly(dataset, ids, plain)
        return
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    updates = [
        UpdateOne(
            {"_id": ObjectId(sample_id)},
            {"$set": {**dict(zip(plain, row)), "last_modified_at": now}},
        )
        for sample_id, row in zip(ids, zip(*plain.values()))
    ]
    dataset._bulk_write(updates, ids=list(ids))


@_relayed
def write_labels(
    dataset: fo.Dataset,
    path: str,
    ids: Sequence[str],
    labels: Sequence[str],
    columns: Mapping[str, Sequence],
) -> None:
    """Writes several attributes of several labels in one go.

    ``Dataset.set_label_values`` sends one update per label and *attribute*. One update
    per label leaves equal documents, and takes a twentieth of the time for fifty.

    Args:
        dataset: the dataset
        path: the list of labels, such as ``gpt_summary_brief.detections``
        ids: ``n`` sample ids
        labels: ``n`` label ids
        columns: ``{declared attribute: n values}``; nan becomes None
    """
    plain = {name: [_plain(value) for value in values] for name, values in columns.items()}
    if not labels or not plain:
        return
    if not hasattr(dataset, "_bulk_write"):
        for name, values in plain.items():
            dataset.set_label_values(f"{path}.{name}", dict(zip(labels, values)))
        return
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    names = [f"{path}.$.{name}" for name in plain]
    updates = [
        UpdateOne(
            {"_id": ObjectId(sample_id), f"{path}._id": ObjectId(label_id)},
            {"$set": {**dict(zip(names, row)), "last_modified_at": now}},
        )
        for sample_id, label_id, row in zip(ids, labels, zip(*plain.values()))
    ]
    dataset._bulk_write(updates, ids=list(dict.fromkeys(ids)))


@_relayed
def write_values(dataset: fo.Dataset, field: str, values: Mapping[str, object]) -> None:
    """Writes one field of values that FiftyOne must put into stored form: vectors, labels.

    Args:
        dataset: the dataset
        field: a declared field
        values: ``{sample id: value}``
    """
    if values:
        dataset.set_values(field, dict(values), key_field="id")


_WRITES = {write.__name__: write for write in (write_columns, write_labels, write_values)}


def _write_publicly(
    dataset: fo.Dataset, ids: Sequence[str], columns: Mapping[str, Sequence]
) -> None:
    for name, values in columns.items():
        dataset.set_values(name, dict(zip(ids, values)), key_field="id")


def _plain(value: object) -> object:
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    return value.item() if isinstance(value, np.generic) else value


def _is_stored(dataset: fo.Dataset, name: str) -> bool:
    # an attribute of labels may be stored without being declared in the schema
    return name == "id" or dataset.get_field(name.split(".")[0]) is not None
