"""A dataset's columns in memory: read once, and of what is written since, only that.

A panel answers each event anew and keeps nothing but a few scalars; without this, every move of
a slider would read the same hundred thousand scores from the database.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import fiftyone as fo
import numpy as np
from fiftyone import ViewField as F

# Datasets that are kept: a person looks at one, perhaps compares two.
_KEPT = 2
# A dataset with more samples has its columns read before they are asked for.
_MANY = 20_000
# Where a larger part of the samples has changed, everything is read anew.
_FEW = 0.2
_TABLES: OrderedDict[str, Table] = OrderedDict()
_LOCK = threading.Lock()


class Table:
    """The columns of a dataset that were asked for, row by row alike.

    Attributes:
        stamp: changes with each sample that is written or removed
        memory: what was made of the columns, by name; forgotten with them
    """

    def __init__(self, dataset: fo.Dataset, stamp: tuple) -> None:
        self._dataset, self.stamp = dataset, stamp
        self._ids: list[str] | None = None
        self._at: dict[str, int] | None = None
        self._columns: dict[str, Sequence] = {}
        self.memory: dict[object, object] = {}
        self._reading = threading.RLock()
        self._ahead: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def ids(self) -> list[str]:
        """The ``n`` sample ids."""
        if self._ids is None:
            self._ids = _read(self._dataset, ["id"])[0]
        return self._ids

    def load(self, names: Iterable[str]) -> None:
        """Reads several columns in one go; those that do not exist are None everywhere."""
        names = [name for name in dict.fromkeys(names) if name not in self._columns]
        if names:
            with self._reading:  # whoever waited may find them read
                self._load([name for name in names if name not in self._columns])

    def load_ahead(self, groups: Sequence[Sequence[str]]) -> None:
        """Begins to read groups of columns that may be asked for, where reading takes long."""
        if len(self) > _MANY and self._ahead is None:
            self._ahead = threading.Thread(target=self._load_groups, args=[groups], daemon=True)
            self._ahead.start()

    def _load_groups(self, groups: Sequence[Sequence[str]]) -> None:
        with suppress(Exception):  # what a panel then asks for itself tells what is wrong
            for names in groups:
                self.load(names)

    def _load(self, wanted: list[str]) -> None:
        known = [name for name in wanted if self._dataset.get_field(name) is not None]
        if known:
            found, *columns = _read(self._dataset, ["id", *known])
            if self._ids is None:
                self._ids = found
            if found != self._ids:  # written to meanwhile: the next event reads anew
                at = {sample_id: row for row, sample_id in enumerate(found)}
                rows = [at.get(sample_id) for sample_id in self._ids]
                columns = [[None if r is None else c[r] for r in rows] for c in columns]
            for name, column in zip(known, columns):
                is_number = isinstance(self._dataset.get_field(name), fo.FloatField)
                # as an array, a number takes 8 bytes and None is nan
                self._columns[name] = np.array(column, np.float64) if is_number else column
        for name in wanted:
            self._columns.setdefault(name, [None] * len(self.ids))

    def values(self, name: str) -> Sequence:
        """The ``n`` values of a field; of one that holds fractions, an array, nan where missing."""
        self.load([name])
        return self._columns[name]

    def numbers(self, name: str) -> np.ndarray:
        """The ``n`` numbers of a field, nan where missing."""
        return np.asarray(self.values(name), dtype=np.float64)

    def masks(self, name: str) -> dict[str, np.ndarray]:
        """``{word: n booleans}`` of a field that holds a list of words a sample."""
        return self.remember(("masks", name), lambda: self._make_masks(name))

    def rows(self, ids: Iterable[str]) -> np.ndarray:
        """The rows of samples, in the order of their ids; unknown ones are left out."""
        if self._at is None:
            self._at = {sample_id: row for row, sample_id in enumerate(self.ids)}
        found = [self._at[sample_id] for sample_id in ids if sample_id in self._at]
        return np.array(found, dtype=np.int64)

    def rows_of(self, view: fo.core.collections.SampleCollection) -> np.ndarray:
        """The rows of a view's samples; of a view of clips or patches, of their samples."""
        if isinstance(view, fo.Dataset) or not view._serialize():
            return np.arange(len(self.ids))
        (ids,) = _read(view, ["sample_id" if _is_generated(view) else "id"])
        return np.unique(self.rows(ids))

    def remember(self, key: object, make: Callable[[], object]) -> object:
        """What ``make`` gave when it was first called with this key."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]

    def renewed(self, dataset: fo.Dataset, stamp: tuple) -> Table:
        """The table as it is now: with the samples read that were written since this one."""
        fresh = Table(dataset, stamp)  # which knows the fields that were added meanwhile
        count, newest, _ = self.stamp
        if self._ids is None or newest is None or stamp[0] != count or stamp[2] != self.stamp[2]:
            return fresh
        written = dataset.match(F("last_modified_at") >= newest)
        held = dict(self._columns)
        known = [name for name in held if dataset.get_field(name) is not None]
        if written.count() > _FEW * count:
            return fresh
        found, *columns = _read(written, ["id", *known])
        rows = self.rows(found)
        if len(rows) != len(found):  # as many were removed as were added
            return fresh
        fresh._ids, fresh._at = self._ids, self._at
        for name, values in zip(known, columns):
            column = fresh._columns[name] = held[name].copy()
            for row, value in zip(rows, values):
                missing = value is None and isinstance(column, np.ndarray)
                column[row] = np.nan if missing else value
        return fresh

    def _make_masks(self, name: str) -> dict[str, np.ndarray]:
        rows: dict[str, list[int]] = {}
        for row, words in enumerate(self.values(name)):
            for word in words or ():
                rows.setdefault(word, []).append(row)
        found = {}
        for word, members in rows.items():
            found[word] = np.zeros(len(self.ids), dtype=bool)
            found[word][members] = True
        return found


def read_table(dataset: fo.Dataset) -> Table:
    """The columns of a dataset: those that were read before, with what was written since."""
    key = str(dataset._doc.id)
    stamp = _stamp(dataset)
    with _LOCK:
        table = _TABLES.get(key)
        if table is None:
            table = _TABLES[key] = Table(dataset, stamp)
        elif table.stamp != stamp:
            table = _TABLES[key] = table.renewed(dataset, stamp)
        _TABLES.move_to_end(key)
        while len(_TABLES) > _KEPT:
            _TABLES.popitem(last=False)
    return table


def _read(samples: fo.core.collections.SampleCollection, names: list[str]) -> list[list]:
    with _uncollected():
        return samples.values(names)


_COUNTING = threading.Lock()
_reading = 0


@contextmanager
def _uncollected() -> Iterator[None]:
    # A hundred thousand documents set off the garbage collector again and again, which finds
    # nothing in them and takes more time than all else: two thirds of it for lists of tags.
    global _reading
    with _COUNTING:
        _reading += 1
        gc.disable()
    try:
        yield
    finally:
        with _COUNTING:
            _reading -= 1
            if not _reading:  # of readings side by side, the last
                gc.enable()


def _stamp(dataset: fo.Dataset) -> tuple:
    # Both are found by an index; a slice of a grouped dataset is another set of samples.
    newest = dataset.sort_by("last_modified_at", reverse=True).limit(1).values("last_modified_at")
    return dataset.count(), newest[0] if newest else None, dataset.group_slice


def _is_generated(view: fo.core.collections.SampleCollection) -> bool:
    return getattr(view, "_is_generated", False)
