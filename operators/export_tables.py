"""Tables as files, written chunk by chunk: parquet, CSV and JSON Lines."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

# What a spreadsheet takes for a formula where a cell begins (OWASP, "CSV Injection"), also behind
# blanks and characters without a width. Where a comma stands in numbers, as in much of Europe, a
# spreadsheet parts cells at semicolons and lines, so that one may begin within a text.
_UNSEEN = (
    " \x00-\x09\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u3000\ufeff"
)
_SIGN = "[-=+@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(f'^(?=[\t\r\n]|[{_UNSEEN}]*{_SIGN})|(?<=[;\r\n])(?="?{_SIGN})')

FORMATS = ("parquet", "csv", "jsonl")


def write_table(
    path: Path, form: str, columns: dict[str, type], chunks: Iterable[dict[str, list]]
) -> int:
    """Writes a table; a file that is there already is replaced only once the new one is whole.

    Args:
        path: the file
        form: one of :data:`FORMATS`
        columns: ``{name: str, float, int, bool or list (of strings)}``
        chunks: pieces of the table, ``{name: values}``

    Returns:
        how many rows were written
    """
    writer = {"parquet": _write_parquet, "csv": _write_csv, "jsonl": _write_jsonl}[form]
    with replacing(path) as unfinished:
        return writer(unfinished, columns, chunks)


@contextmanager
def replacing(path: Path):
    """Gives a path beside ``path`` to write to, and moves it there if nothing went wrong."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def harmless(text: str) -> str:
    """A text that no spreadsheet runs: an apostrophe goes before what looks like a formula."""
    return _FORMULA.sub("'", text)


def _write_parquet(path: Path, columns: dict[str, type], chunks: Iterable[dict]) -> int:
    import pyarrow as pa  # takes long to import, and only this format needs it
    import pyarrow.parquet as pq

    types = {
        str: pa.string(),
        float: pa.float64(),
        int: pa.int64(),
        bool: pa.bool_(),
        list: pa.list_(pa.string()),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    rows = 0
    with pq.ParquetWriter(path, schema) as writer:
        for chunk in chunks:
            table = pa.table({name: chunk[name] for name in columns}, schema=schema)
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _write_csv(path: Path, columns: dict[str, type], chunks: Iterable[dict]) -> int:
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(name) for name in columns])
        for chunk in chunks:
            for row in zip(*(chunk[name] for name in columns)):
                writer.writerow([_cell(value) for value in row])
                rows += 1
    return rows


def _write_jsonl(path: Path, columns: dict[str, type], chunks: Iterable[dict]) -> int:
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        for chunk in chunks:
            for row in zip(*(chunk[name] for name in columns)):
                plain = {name: _plain(value) for name, value in zip(columns, row)}
                file.write(json.dumps(plain, ensure_ascii=False, allow_nan=False))
                file.write("\n")
                rows += 1
    return rows


def _plain(value: object) -> object:
    # JSON has no word for what is no number, and most readers refuse a line with one
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = json.dumps(value, ensure_ascii=False)
    return harmless(value) if isinstance(value, str) else value
