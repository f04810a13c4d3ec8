"""Texts of labels and where the labels are: in a clip by time, in an image by their box.

A label's text is an attribute of it, or of the label of another field that is for the same
segment or region: the one of the same ``node_id``, where both fields have those, else the
one with the same ``support`` or ``bounding_box``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import fiftyone as fo
import numpy as np

# What tells where in its clip or image a label is.
_PLACE = {fo.TemporalDetections: "support", fo.Detections: "bounding_box"}
#: The fields of labels that can be compared.
LABEL_LISTS = tuple(_PLACE)

_NODE = "node_id"
_NO_TEXTS = (_NODE, "parent_id", "tier", "mask_path")  # strings that describe nothing
_TIMES = ("start", "end")  # of the whole video, where a clip shows only its beginning


@dataclass(frozen=True)
class Source:
    """Where a label's text is.

    Attributes:
        path: the attribute that holds it
        key: where that is another field's, the attribute that both share; else None
    """

    path: str
    key: str | None = None

    @property
    def labels(self) -> str:
        """The list of labels that has the attribute."""
        return self.path.rpartition(".")[0]


def find_source(dataset: fo.Dataset, field: str, name: str) -> Source:
    """Finds the text that is called ``name`` for the labels of ``field``.

    Args:
        dataset: the dataset
        field: the field of labels
        name: an attribute of theirs, another field of labels (whose ``label`` is meant), or
            both with a dot between

    Raises:
        ValueError: a sentence, where there is no such text, or nothing to match labels by
    """
    other, _, attribute = name.rpartition(".")
    if not other and dataset.get_field(f"{field}.detections.{name}") is not None:
        return Source(f"{field}.detections.{name}")
    other, attribute = (other, attribute) if other else (name, "label")
    kind = _kind(dataset, other)
    path = f"{other}.detections.{attribute}"
    if kind is None or dataset.get_field(path) is None:
        raise ValueError(
            f"The labels of {field!r} have no attribute {name!r}, and no other field of labels "
            "has it (add_dynamic_sample_fields() declares attributes that are only stored)."
        )
    if other == field:
        return Source(path)
    ends = [f"{end}.detections.{_NODE}" for end in (field, other)]
    if all(dataset.get_field(end) is not None for end in ends):
        return Source(path, _NODE)
    if kind is not _kind(dataset, field):
        raise ValueError(
            f"The labels of {other!r} and {field!r} cannot be matched: give both a {_NODE}, or "
            "name fields of one type."
        )
    return Source(path, _PLACE[kind])


def _kind(dataset: fo.Dataset, field: str) -> type | None:
    document = getattr(dataset.get_field(field), "document_type", None)
    return document if document in _PLACE else None


def text_names(dataset: fo.Dataset, field: str) -> list[str]:
    """The texts that the labels of a field may have: names that :func:`find_source` takes."""
    attributes = dataset.get_field(f"{field}.detections").field.get_field_schema(
        ftype=fo.StringField
    )
    names = [name for name in attributes if name not in _NO_TEXTS]
    for name in dataset.get_field_schema():
        if _kind(dataset, name) and name not in (field, *attributes):
            with suppress(ValueError):  # labels that cannot be matched have no texts for these
                find_source(dataset, field, name)
                names.append(name)
    return names


def noun_of(dataset: fo.Dataset, field: str) -> str:
    """What a person calls the labels of a field."""
    return "segments" if _kind(dataset, field) is fo.TemporalDetections else "regions"


def places_of(dataset: fo.Dataset, field: str) -> list[str]:
    """The attributes that tell where the labels of a field are: start and end, or one for both."""
    times = [f"{field}.detections.{name}" for name in _TIMES]
    if all(dataset.get_field(name) is not None for name in times):
        return times
    return [f"{field}.detections.{_PLACE[_kind(dataset, field)]}"]


def matched(keys: list | None, others: list | None, texts: list | None) -> list[str | None]:
    """The texts of the labels with the same keys; None where it is not plain which one."""
    keys, others = (list(map(_hashable, column or [])) for column in (keys, others))
    found = dict(zip(others, texts or []))
    twice = {key for column in (keys, others) for key, n in Counter(column).items() if n > 1}
    return [None if key is None or key in twice else found.get(key) for key in keys]


def _hashable(key: object) -> object:
    return tuple(key) if isinstance(key, (list, tuple)) else key


def spans(columns: Sequence[list]) -> np.ndarray:
    """Begin and end of every label in each dimension, from start and end, support or box."""
    rows = columns[0] if len(columns) == 1 else list(zip(*columns))
    size = 4 if any(row and len(row) == 4 for row in rows) else 2
    found = np.full((len(rows), size), np.nan)
    for i, row in enumerate(rows):
        if row and len(row) == size and None not in row:
            found[i] = row
    if size == 2:
        return found
    left, top, width, height = found.T
    return np.stack([left, left + width, top, top + height], axis=1)
