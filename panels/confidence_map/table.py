"""A dataset's columns in memory: read once, kept until a sample is written or removed.

A panel answers each event anew and keeps nothing but a few scalars; without this, every move of
a slider would read the same hundred thousand scores from the database.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

import fiftyone as fo
import numpy as np

# Datasets that are kept: a person looks at one, perhaps compares two.
_KEPT = 2
_TABLES: OrderedDict[str, Table] = OrderedDict()
_LOCK = threading.Lock()


class Table:
    """The columns of a dataset that were asked for, row by row alike.

    Attributes:
        ids: the ``n`` sample ids
        memory: what was made of the columns, by name; forgotten with them
    """

    def __init__(self, dataset: fo.Dataset, stamp: tuple) -> None:
        self._dataset, self.stamp = dataset, stamp
        self.ids: list[str] = dataset.values("id")
        self._at: dict[str, int] | None = None
        self._columns: dict[str, list] = {}
        self._numbers: dict[str, np.ndarray] = {}
        self.memory: dict[object, object] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def load(self, names: Iterable[str]) -> None:
        """Reads several columns in one go; those that do not exist are None everywhere."""
        wanted = [name for name in dict.fromkeys(names) if name not in self._columns]
        known = [name for name in wanted if self._dataset.get_field(name) is not None]
        if known:
            found, *columns = self._dataset.values(["id", *known])
            if found != self.ids:  # written to meanwhile: the next event reads anew
                at = {sample_id: row for row, sample_id in enumerate(found)}
                rows = [at.get(sample_id) for sample_id in self.ids]
                columns = [[None if r is None else c[r] for r in rows] for c in columns]
            self._columns.update(zip(known, columns))
        for name in wanted:
            self._columns.setdefault(name, [None] * len(self.ids))

    def values(self, name: str) -> list:
        """The ``n`` values of a field."""
        self.load([name])
        return self._columns[name]

    def numbers(self, name: str) -> np.ndarray:
        """The ``n`` numbers of a field, nan where missing."""
        if name not in self._numbers:
            values = self.values(name)
            self._numbers[name] = np.array(
                [np.nan if value is None else value for value in values], dtype=np.float64
            )
        return self._numbers[name]

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
        return np.unique(self.rows(view.values("sample_id" if _is_generated(view) else "id")))

    def remember(self, key: object, make: Callable[[], object]) -> object:
        """What ``make`` gave when it was first called with this key."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]

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
    """The columns of a dataset: those that were read before, unless a sample has changed."""
    key = str(dataset._doc.id)
    stamp = _stamp(dataset)
    with _LOCK:
        table = _TABLES.get(key)
        if table is None or table.stamp != stamp:
            table = _TABLES[key] = Table(dataset, stamp)
        _TABLES.move_to_end(key)
        while len(_TABLES) > _KEPT:
            _TABLES.popitem(last=False)
    return table


def _stamp(dataset: fo.Dataset) -> tuple:
    # Both are found by an index; a slice of a grouped dataset is another set of samples.
    newest = dataset.sort_by("last_modified_at", reverse=True).limit(1).values("last_modified_at")
    return dataset.count(), newest[0] if newest else None, dataset.group_slice


def _is_generated(view: fo.core.collections.SampleCollection) -> bool:
    return getattr(view, "_is_generated", False)
