"""The audit of labels as a table: a row for each segment or region."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import fiftyone as fo
import numpy as np

from ..engine.columns import CHUNK, root_dataset
from ..engine.labels import find_source, places_of, text_names
from ..engine.progress import Progress
from ..engine.table import LabelTable, Rows, work_name
from .audit_settings import earlier_aspects
from .export_tables import write_table

#: What the numbers of a label's place are called; of times, the labels have columns anyway.
_PLACES = {
    "support": ("first_frame", "last_frame"),
    "bounding_box": ("left", "right", "top", "bottom"),
}
_LISTS = ("tags", "audit_tags")

Samples: TypeAlias = fo.core.collections.SampleCollection


def labels_path(path: Path, field: str) -> Path:
    """The file for the labels of a field, beside the one for the samples."""
    return path.with_name(f"{path.stem}_{field}{path.suffix}")


def write_labels_table(
    samples: Samples, field: str, path: Path, form: str, progress: Progress
) -> int:
    """Writes texts, scores, verdicts and tags of each label of a field.

    Args:
        samples: a dataset or view
        field: a field of labels
        path: the file
        form: one of ``FORMATS``
        progress: where to tell the progress

    Returns:
        how many labels were written
    """
    dataset, table = root_dataset(samples), LabelTable(samples, field)
    own = dataset.get_field(f"{field}.detections").field.get_field_schema()
    # A label's own confidence is that of the model that made it
    numbers = [n for n, f in own.items() if isinstance(f, fo.FloatField) and n != "confidence"]
    lists = [name for name in _LISTS if name in own]
    names = [*_texts(dataset, field), *numbers, *lists]
    places = _PLACES.get(places_of(dataset, field)[0].rpartition(".")[2], ())
    columns: dict[str, type] = {"sample_id": str, "filepath": str, "id": str}
    columns |= dict.fromkeys(places, float) | dict.fromkeys(names, str)
    columns |= dict.fromkeys(numbers, float) | dict.fromkeys(lists, list)

    def chunks() -> Iterator[dict]:
        read = table.chunks(names, ["filepath"], CHUNK)
        for rows in progress.over(read, f"Exporting {table.noun}", table.count()):
            yield {
                "sample_id": [rows.samples.ids[sample] for sample in rows.owner],
                "filepath": [rows.samples.columns["filepath"][sample] for sample in rows.owner],
                "id": rows.labels,
                **_placed(rows, places),
                **rows.columns,
            }

    return write_table(path, form, columns, chunks())


def _texts(dataset: fo.Dataset, field: str) -> list[str]:
    found = dict.fromkeys(["label", *text_names(dataset, field)])
    for _, aspects in earlier_aspects(dataset, work_name("score_agreement", field)):
        for name in (name for aspect in aspects for name in aspect.fields):
            with suppress(ValueError):  # a field that was renamed since, or a preset's
                find_source(dataset, field, name)
                found[name] = None
    return list(found)


def _placed(rows: Rows, names: tuple[str, ...]) -> dict[str, list]:
    # Where no label of a chunk has a place, there are fewer columns than names.
    found: dict[str, list] = {name: [None] * len(rows) for name in names}
    for name, column in zip(names, rows.places.T):
        found[name] = [None if np.isnan(value) else float(value) for value in column]
    return found
