"""What is compared, row by row: samples, or the labels of one of their fields.

A table tells where texts come from and where numbers go, so that a stage works on both
alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo
import numpy as np
from fiftyone import ViewField as F

from .columns import Chunk, read_chunks, root_dataset, write_columns, write_labels
from .fields import STATUS
from .labels import LABEL_LISTS, Source, find_source, matched, noun_of, places_of, spans
from .provenance import run_keys, work_of

Samples: TypeAlias = fo.core.collections.SampleCollection

# The stages whose runs on labels mean that these were audited.
_AUDITING = ("score_agreement", "calibrate")


@dataclass(frozen=True)
class Rows:
    """What is compared, of some samples.

    Attributes:
        samples: the samples, with columns of their own
        owner: ``n`` places in ``samples``: the sample that each row is, or is on
        columns: ``{name: n values}``
        labels: ``n`` ids, where the rows are labels
        places: ``(n, 2 d)`` where each label begins and ends in each of ``d`` dimensions
            (seconds or frames; across and down), nan where unknown; None for samples
    """

    samples: Chunk
    owner: list[int]
    columns: dict[str, list]
    labels: list[str] | None = None
    places: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, rows: Sequence[int]) -> Rows:
        """These rows only; the samples stay."""
        return Rows(
            self.samples,
            [self.owner[i] for i in rows],
            {name: [values[i] for i in rows] for name, values in self.columns.items()},
            None if self.labels is None else [self.labels[i] for i in rows],
            None if self.places is None else self.places[list(rows)],
        )

    def of_samples(self, keep: Sequence[int]) -> Rows:
        """The rows of these samples only."""
        at = {sample: place for place, sample in enumerate(keep)}
        rows = self.take([row for row, sample in enumerate(self.owner) if sample in at])
        owner = [at[sample] for sample in rows.owner]
        return Rows(self.samples.rows(keep), owner, rows.columns, rows.labels, rows.places)

    def inputs(self) -> list[list]:
        """What each sample's rows hold, for its fingerprint."""
        found: list[list] = [[] for _ in self.samples.ids]
        values = list(self.columns.values())
        if self.labels is not None:  # a label made anew has no scores yet
            values.insert(0, self.labels)
        for row, sample in enumerate(self.owner):
            found[sample].append([column[row] for column in values])
        return found

    def status(self, work: str, lacking: Sequence[Sequence[str]]) -> dict[str, list]:
        """``audit_status`` of the samples, and why.

        Args:
            work: the name of the work
            lacking: what each row lacks; a sample none of whose rows is whole is ``missing``
        """
        found: list[list] = [[] for _ in self.samples.ids]
        for sample, names in zip(self.owner, lacking):
            found[sample].append(names)
        whole = [any(not names for names in rows) for rows in found]
        return {
            f"{STATUS}.{work}": ["ok" if known else "missing" for known in whole],
            f"{STATUS}.{work}_why": [_why(rows) for rows in found],
        }


def _why(lacking: list[Sequence[str]]) -> str | None:
    if not lacking:
        return "no labels"
    names = ", ".join(dict.fromkeys(name for names in lacking for name in names))
    short = sum(bool(names) for names in lacking)
    if not short or len(lacking) == 1:
        return f"no {names}" if short else None
    return f"{short} of {len(lacking)} labels lack some of {names}"


def open_table(samples: Samples, segments: str | None = None) -> SampleTable | LabelTable:
    """The samples as rows; with ``segments``, the labels of that field."""
    return LabelTable(samples, segments) if segments else SampleTable(samples)


def result_path(name: str, segments: str | None) -> str:
    """The full name of the field that holds a number: of samples, or of the segments' labels."""
    return f"{segments}.detections.{name}" if segments else name


def work_name(stage: str, segments: str | None) -> str:
    """The name under which a stage's work is remembered: of samples and of segments apart."""
    return f"{stage}_{segments}" if segments else stage


def audited_fields(dataset: fo.Dataset) -> list[str]:
    """The fields whose labels were compared one by one, the newest run's first."""
    found: dict[str, None] = {}
    for work in map(work_of, reversed(run_keys(dataset))):
        for stage in _AUDITING:
            name = work.removeprefix(f"{stage}_")
            kind = getattr(dataset.get_field(name), "document_type", None)
            if name != work and kind in LABEL_LISTS:
                found[name] = None
    return list(found)


class SampleTable:
    """Every sample is a row.

    Args:
        samples: a dataset or view

    Attributes:
        noun: what a person calls the rows
    """

    noun = "samples"

    def __init__(self, samples: Samples) -> None:
        self._samples, self._dataset = samples, root_dataset(samples)

    def sizes(self) -> dict[str, int]:
        """How many rows each sample has, by its id."""
        return dict.fromkeys(self._samples.values("id"), 1)

    def count(self) -> int:
        """How many rows there are."""
        return self._samples.count()

    def chunks(self, names: Sequence[str], more: Sequence[str], size: int) -> Iterator[Rows]:
        """Reads ``names`` of rows and ``more`` of their samples, some ``size`` rows at a time."""
        for chunk in read_chunks(self._samples, [*names, *more], size):
            yield _sample_rows(chunk, names)

    def read(self, ids: Sequence[str], names: Sequence[str], more: Sequence[str] = ()) -> Rows:
        """Reads the rows of these samples, in this order."""
        (chunk,) = read_chunks(self._dataset.select(ids, ordered=True), [*names, *more], len(ids))
        return _sample_rows(chunk, names)

    def write(self, rows: Rows, columns: Mapping[str, Sequence], more: Mapping) -> None:
        """Writes ``columns`` of the rows, and ``more`` of their samples."""
        ids = [rows.samples.ids[sample] for sample in rows.owner]
        write_columns(self._dataset, ids, {**columns, **more})


def _sample_rows(chunk: Chunk, names: Sequence[str]) -> Rows:
    return Rows(chunk, list(range(len(chunk))), {name: chunk.columns[name] for name in names})


class LabelTable:
    """Every label of a field is a row; a view that filters the labels has fewer.

    Args:
        samples: a dataset or view
        field: a field of one of the ``LABEL_LISTS``

    Attributes:
        noun: what a person calls the rows
    """

    def __init__(self, samples: Samples, field: str) -> None:
        self._samples, self._dataset, self._field = samples, root_dataset(samples), field
        self._labels = f"{field}.detections"
        self.noun = noun_of(self._dataset, field)
        self._place = places_of(self._dataset, field)
        self._kept = None
        if not isinstance(samples, fo.Dataset):  # read once: what is written may move them
            self._kept = set(samples.values(f"{self._labels}.id", unwind=True))

    def sizes(self) -> dict[str, int]:
        """How many rows each sample has, by its id."""
        return dict(zip(*self._samples.values(["id", F(self._labels).length()])))

    def count(self) -> int:
        """How many rows there are."""
        return self._samples.count(self._labels)

    def chunks(self, names: Sequence[str], more: Sequence[str], size: int) -> Iterator[Rows]:
        """Reads ``names`` of rows and ``more`` of their samples, some ``size`` rows at a time.

        A sample's rows stay together, so that one with more is a chunk of its own.
        """
        batch: list[str] = []
        held = 0
        for sample_id, rows in self.sizes().items():
            if batch and (held + rows > size or len(batch) == size):
                yield from self._read(batch, names, more)
                batch, held = [], 0
            batch.append(sample_id)
            held += rows
        if batch:
            yield from self._read(batch, names, more)

    def read(self, ids: Sequence[str], names: Sequence[str], more: Sequence[str] = ()) -> Rows:
        """Reads the rows of these samples, in this order."""
        (rows,) = self._read(ids, names, more)
        return rows

    def write(self, rows: Rows, columns: Mapping[str, Sequence], more: Mapping) -> None:
        """Writes ``columns`` of the rows, then ``more`` of their samples."""
        owners = [rows.samples.ids[sample] for sample in rows.owner]
        write_labels(self._dataset, self._labels, owners, rows.labels, columns)
        write_columns(self._dataset, rows.samples.ids, more)

    def _read(self, ids: Sequence[str], names: Sequence[str], more: Sequence[str]) -> Iterator:
        sources = {name: self._source(name) for name in names}
        wanted = [*more, f"{self._labels}.id", *self._place]
        for source in sources.values():
            ends = (self._labels, source.labels) if source.key else ()
            wanted += [source.path, *(f"{end}.{source.key}" for end in ends)]
        for chunk in read_chunks(self._dataset.select(ids, ordered=True), wanted, len(ids)):
            yield self._rows(chunk, sources)

    def _source(self, name: str) -> Source:
        try:
            return find_source(self._dataset, self._field, name)
        except ValueError:  # as of samples, what does not exist reads as None
            return Source(f"{self._labels}.{name}")

    def _rows(self, chunk: Chunk, sources: Mapping[str, Source]) -> Rows:
        labels = _flat(chunk.columns[f"{self._labels}.id"])
        owner = [
            sample
            for sample, ids in enumerate(chunk.columns[f"{self._labels}.id"])
            for _ in ids or []
        ]
        columns = {}
        for name, source in sources.items():
            texts = chunk.columns[source.path]
            if source.key:
                keys = (f"{self._labels}.{source.key}", f"{source.labels}.{source.key}")
                texts = list(map(matched, *(chunk.columns[key] for key in keys), texts))
            columns[name] = _flat(texts)
        places = spans([_flat(chunk.columns[name]) for name in self._place])
        rows = Rows(chunk, owner, columns, labels, places)
        if self._kept is None:
            return rows
        return rows.take([i for i, label in enumerate(labels) if label in self._kept])


def _flat(column: Sequence[list | None]) -> list:
    return [value for values in column for value in values or []]
