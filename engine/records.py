"""Rows out of files, one at a time: parquet, JSON, JSON Lines, CSV, or a folder of them.

A broken row costs that row, a file cut short costs what is missing from it. Both
are named and counted in a :class:`~.problems.Problems`, and everything readable is still read.
Memory does not grow with the size of a file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .json_stream import JsonStream
from .problems import Problems

#: The file endings that can be read.
READABLE = (".parquet", ".json", ".jsonl", ".ndjson", ".csv")

_CHUNK = 1 << 20
_PARQUET_ROWS = 16
# A model's answer, or a tree of captions, is longer than csv's own limit of 128 KiB.
_CSV_FIELD_LIMIT = 1 << 30
_NOT_UTF8 = "not UTF-8; save the file as UTF-8"


@dataclass(frozen=True)
class Record:
    """One row of a file.

    Attributes:
        file: the file it came from
        row: its place in the file, counted from 1 (a line of a JSON Lines file)
        values: the row itself
    """

    file: Path
    row: int
    values: dict[str, Any]

    @property
    def where(self) -> str:
        """The row's place in words: ``train.parquet, row 3``."""
        return f"{self.file.name}, row {self.row}"


def find_record_files(path: str | Path) -> list[Path]:
    """Lists the files to read: ``path`` itself, or every readable file below it.

    Args:
        path: a file, or a folder that is searched with its subfolders; names that
            begin with a dot or an underscore are passed over

    Returns:
        the files, in order of their names

    Raises:
        ValueError: a sentence, if there is nothing to read there
    """
    path = Path(path).expanduser()
    endings = ", ".join(READABLE)
    if path.is_dir():
        files = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in READABLE
            and not any(part[0] in "._" for part in file.relative_to(path).parts)
            and file.is_file()
        )
        if not files:
            raise ValueError(f"The folder {path} holds no file that ends in {endings}.")
        return files
    if not path.exists():
        raise ValueError(f"There is no file or folder {path}. Check the path.")
    if path.suffix.lower() not in READABLE:
        raise ValueError(f"{path} cannot be read: its name must end in one of {endings}.")
    return [path]


def count_rows(files: Iterable[Path]) -> int | None:
    """The number of rows, where it can be told without reading them.

    Returns:
        the total of parquet files' footers; None if any file has no such number
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    total = 0
    for file in files:
        if file.suffix.lower() != ".parquet":
            return None
        try:
            total += pq.read_metadata(file).num_rows
        except (OSError, pa.ArrowException):
            return None
    return total


def read_records(files: Iterable[Path], problems: Problems) -> Iterator[Record]:
    """Reads files row by row, in order.

    Args:
        files: what :func:`find_record_files` found
        problems: told of every row and file that could not be read

    Yields:
        a :class:`Record` for every readable row
    """
    for file in files:
        before = problems["file_unreadable"] + problems["file_truncated"]
        empty = True
        try:
            for row, values in _READERS[file.suffix.lower()](file, problems):
                empty = False
                if isinstance(values, dict):
                    yield Record(file, row, values)
                else:
                    problems.add(
                        "row_wrong_type",
                        f"{file.name}, row {row}: {type(values).__name__}, not named fields",
                    )
        except OSError as error:
            problems.add("file_unreadable", f"{file.name}: {error}")
        if empty and before == problems["file_unreadable"] + problems["file_truncated"]:
            problems.add("file_empty", f"{file.name}: no rows")


def _read_parquet(file: Path, problems: Problems) -> Iterator[tuple[int, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pq.ParquetFile(file, pre_buffer=False, buffer_size=_CHUNK)
    except (OSError, pa.ArrowException) as error:
        # The list of contents is at the end of a parquet file, so that a file
        # cut short gives no rows at all.
        problems.add("file_truncated", f"{file.name}: {_first_line(error)}")
        return
    with source:
        done = 0
        for group in range(source.num_row_groups):
            size = source.metadata.row_group(group).num_rows
            row = done
            try:
                for batch in source.iter_batches(_PARQUET_ROWS, row_groups=[group]):
                    for values in _batch_rows(batch):
                        row += 1
                        if isinstance(values, Exception):
                            problems.add(
                                "row_unreadable",
                                f"{file.name}, row {row}: {_first_line(values)}",
                            )
                        else:
                            yield row, values
            except (OSError, pa.ArrowException) as error:
                problems.add(
                    "row_unreadable",
                    f"{file.name}, rows {row + 1} to {done + size}: {_first_line(error)}",
                    done + size - row,
                )
            done += size


def _batch_rows(batch: Any) -> Iterator[Any]:
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        # One text that is not UTF-8 fails the batch: ask for each row alone.
        for i in range(batch.num_rows):
            try:
                yield batch.slice(i, 1).to_pylist()[0]
            except (ValueError, OverflowError) as error:
                yield error


def _read_lines(file: Path, problems: Problems) -> Iterator[tuple[int, Any]]:
    with open(file, "rb") as source:
        for row, line in enumerate(source, 1):
            if not line.strip():
                continue
            try:
                values = json.loads(line.decode("utf-8-sig" if row == 1 else "utf-8"))
            except (ValueError, RecursionError) as error:
                cut = not line.endswith(b"\n") and isinstance(error, json.JSONDecodeError)
                problems.add(
                    "file_truncated" if cut else "row_unreadable",
                    f"{file.name}, row {row}: {_first_line(error)}",
                )
            else:
                yield row, values


def _read_json(file: Path, problems: Problems) -> Iterator[tuple[int, Any]]:
    """Reads a list of rows, a single row, or rows one after the other."""
    with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as source:
        stream = JsonStream(source)
        row = 0
        try:
            listed = stream.skip("[")
            while stream.skip(",") or not stream.at_end():
                if listed and stream.skip("]"):
                    if not stream.at_end():
                        problems.add("row_unreadable", f"{file.name}: text after the list's end")
                    return
                row += 1
                values, text = stream.value()
                if _is_utf8(text):
                    yield row, values
                else:
                    problems.add("row_unreadable", f"{file.name}, row {row}: {_NOT_UTF8}")
            if listed:
                raise EOFError("the file ends before its list does")
        except EOFError as error:
            problems.add("file_truncated", f"{file.name}, after row {row}: {error}")
        except (ValueError, RecursionError) as error:
            problems.add("file_unreadable", f"{file.name}, from row {row} on: {_first_line(error)}")


def _read_csv(file: Path, problems: Problems) -> Iterator[tuple[int, Any]]:
    csv.field_size_limit(_CSV_FIELD_LIMIT)
    with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as source:
        rows = csv.reader((line.replace("\0", "") for line in source), strict=True)
        names = None
        row = 0
        while True:
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                cut = "unexpected end" in str(error)
                problems.add(
                    "file_truncated" if cut else "row_unreadable",
                    f"{file.name}, line {rows.line_num}: {error}",
                )
                continue
            if not cells:
                continue
            if names is None:
                names = [name.strip() for name in cells]
                for name in sorted({name for name in names if names.count(name) > 1}):
                    problems.add("column_twice", f"{file.name}: {name!r}; the last is read")
                continue
            row += 1
            fault = _csv_fault(cells, names)
            if fault:
                problems.add("row_unreadable", f"{file.name}, row {row}: {fault}")
            else:
                yield row, dict(zip(names, cells))


def _csv_fault(cells: list[str], names: list[str]) -> str | None:
    if len(cells) != len(names):
        return f"{len(cells)} cells where the first line has {len(names)}"
    return None if _is_utf8("".join(cells)) else _NOT_UTF8


def _is_utf8(text: str) -> bool:
    """Whether text read with ``surrogateescape`` met no byte that is not UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


_READERS = {
    ".parquet": _read_parquet,
    ".json": _read_json,
    ".jsonl": _read_lines,
    ".ndjson": _read_lines,
    ".csv": _read_csv,
}
