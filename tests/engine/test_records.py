"""Reading rows out of files, good and bad."""

from __future__ import annotations

import json
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine.problems import Problems
from fiftyone.plugins.orgs.second_opinion.audit.engine.records import (
    count_rows,
    find_record_files,
    read_records,
)

ROWS = [{"id": str(i), "answer": f"a cat, number {i}\nsits"} for i in range(40)]


def read(path):
    problems = Problems()
    return list(read_records(find_record_files(path), problems)), problems.report()


def write_parquet(path, rows=ROWS, **options):
    pq.write_table(pa.Table.from_pylist(rows), path, **options)
    return path


def write_lines(path, rows=ROWS):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_csv(path, rows=ROWS):
    lines = ["id,answer", *(f'{row["id"]},"{row["answer"]}"' for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_json(path, rows=ROWS, **options):
    path.write_text(json.dumps(rows, **options))
    return path


@pytest.mark.parametrize(
    "write, name",
    [
        (write_parquet, "rows.parquet"),
        (write_lines, "rows.jsonl"),
        (write_lines, "rows.ndjson"),
        (write_lines, "lines_called.json"),
        (write_json, "rows.json"),
        (write_csv, "rows.csv"),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path, write, name):
    records, problems = read(write(tmp_path / name))
    assert [record.values for record in records] == ROWS
    assert problems == {}
    assert records[3].where == f"{name}, row 4"


def test_an_indented_list_and_a_single_row_are_read(tmp_path):
    assert len(read(write_json(tmp_path / "list.json", indent=2))[0]) == 40
    records, problems = read(write_json(tmp_path / "one.json", ROWS[0]))
    assert [record.values for record in records] == ROWS[:1] and problems == {}


def test_a_folder_is_read_in_order_with_its_subfolders(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "_cache").mkdir()
    write_lines(tmp_path / "b" / "2.jsonl", ROWS[20:])
    write_json(tmp_path / "a.json", ROWS[:20])
    write_json(tmp_path / "_cache" / "old.json")
    (tmp_path / "readme.txt").write_text("not rows")
    assert [record.values for record in read(tmp_path)[0]] == ROWS


def test_paths_that_cannot_be_read_say_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="Check the path"):
        find_record_files(tmp_path / "nowhere.parquet")
    with pytest.raises(ValueError, match="holds no file that ends in"):
        find_record_files(tmp_path)
    (tmp_path / "rows.xlsx").write_text("")
    with pytest.raises(ValueError, match="must end in one of"):
        find_record_files(tmp_path / "rows.xlsx")


def test_a_truncated_parquet_file_is_named_and_the_next_file_is_read(tmp_path):
    data = write_parquet(tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[: len(data) // 2])
    write_parquet(tmp_path / "b.parquet")
    records, problems = read(tmp_path)
    assert len(records) == 40
    assert problems["file_truncated"]["count"] == 1
    assert problems["file_truncated"]["examples"][0].startswith("a.parquet: ")


def test_a_broken_row_group_costs_only_its_rows(tmp_path):
    path = write_parquet(
        tmp_path / "a.parquet", row_group_size=10, compression="zstd", use_dictionary=False
    )
    column = pq.read_metadata(path).row_group(1).column(1)
    data = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    data[middle : middle + 30] = b"\xff" * 30
    path.write_bytes(data)
    records, problems = read(path)
    assert [record.values for record in records] == ROWS[:10] + ROWS[20:]
    assert records[10].row == 21
    assert problems["row_unreadable"]["count"] == 10
    assert "rows 11 to 20" in problems["row_unreadable"]["examples"][0]


def test_a_parquet_text_that_is_not_utf8_costs_its_row(tmp_path):
    raw = pa.array([b"a", b"\xff\xfe", b"c"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    pq.write_table(pa.table({"answer": text}), tmp_path / "a.parquet")
    records, problems = read(tmp_path / "a.parquet")
    assert [(record.row, record.values["answer"]) for record in records] == [(1, "a"), (3, "c")]
    assert problems["row_unreadable"]["count"] == 1


def test_bad_lines_are_counted_and_the_rest_is_kept(tmp_path):
    good = json.dumps(ROWS[0]).encode()
    lines = [good, b"{broken", b"", b"[1, 2]", b'{"a": "\xff"}', b"[" * 5000, good]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    records, problems = read(tmp_path / "a.jsonl")
    assert [record.row for record in records] == [1, 7]
    assert problems["row_unreadable"]["count"] == 3
    assert problems["row_wrong_type"]["count"] == 1
    assert "file_truncated" not in problems


@pytest.mark.parametrize("cut", [5, 20])
@pytest.mark.parametrize("write, name", [(write_lines, "a.jsonl"), (write_json, "a.json")])
def test_a_file_that_breaks_off_keeps_the_rows_before(tmp_path, write, name, cut):
    path = write(tmp_path / name)
    path.write_bytes(path.read_bytes()[:-cut])
    records, problems = read(path)
    assert [record.values for record in records] == ROWS[:-1]
    assert problems["file_truncated"]["count"] == 1


def test_a_json_list_without_its_end_keeps_every_row(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(ROWS)[:-1])
    records, problems = read(tmp_path / "a.json")
    assert len(records) == 40 and problems["file_truncated"]["count"] == 1


def test_broken_json_names_the_row_it_stopped_at(tmp_path):
    (tmp_path / "a.json").write_text('[{"id": 1}, {"id": 2 3}, ' + json.dumps(ROWS) + "]")
    records, problems = read(tmp_path / "a.json")
    assert [record.values for record in records] == [{"id": 1}]
    assert "from row 2 on" in problems["file_unreadable"]["examples"][0]


def test_json_bytes_that_are_not_utf8_cost_their_row(tmp_path):
    (tmp_path / "a.json").write_bytes(b'[{"id": "1"}, {"id": "\xff"}, {"id": "\\ud800"}]')
    records, problems = read(tmp_path / "a.json")
    assert [record.row for record in records] == [1, 3]
    assert problems["row_unreadable"]["count"] == 1


def test_nan_in_json_is_read_as_nan(tmp_path):
    (tmp_path / "a.json").write_text('[{"start": NaN}]')
    (record,), _ = read(tmp_path / "a.json")
    assert record.values["start"] != record.values["start"]


def test_csv_rows_of_the_wrong_width_or_cut_short_are_counted(tmp_path):
    (tmp_path / "a.csv").write_bytes(
        b'id,answer\n1,fine\n2,too,many\n3\n\n4,caf\xe9\n5,"a ""quoted"", one"\n6,"no end\n'
    )
    records, problems = read(tmp_path / "a.csv")
    assert [record.values["id"] for record in records] == ["1", "5"]
    assert records[1].values["answer"] == 'a "quoted", one'
    assert problems["row_unreadable"]["count"] == 3
    assert problems["file_truncated"]["count"] == 1


def test_a_csv_cell_longer_than_the_usual_limit_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("id,answer\n1," + "x" * 200_000 + "\n")
    (record,), problems = read(tmp_path / "a.csv")
    assert len(record.values["answer"]) == 200_000 and problems == {}


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_an_empty_file_is_named(tmp_path, name):
    (tmp_path / name).write_text("")
    assert read(tmp_path / name)[1]["file_empty"]["count"] == 1


def test_rows_are_counted_from_parquet_footers_only(tmp_path):
    files = [write_parquet(tmp_path / "a.parquet"), write_parquet(tmp_path / "b.parquet")]
    assert count_rows(files) == 80
    assert count_rows([*files, write_lines(tmp_path / "c.jsonl")]) is None


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    write = {"a.json": write_json, "a.jsonl": write_lines, "a.csv": write_csv}[name]
    write(tmp_path / name, [{"id": str(i), "answer": "x" * 5000} for i in range(4000)])
    assert (tmp_path / name).stat().st_size > 20_000_000
    tracemalloc.start()
    try:
        rows = sum(1 for _ in read_records(find_record_files(tmp_path / name), Problems()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 4000
    assert peak < 12_000_000


def test_problems_keep_a_few_examples_of_each_kind_and_count_all():
    problems = Problems(examples=2)
    for i in range(5):
        problems.add("orphan", f"row {i}")
    problems.add("no_root", "row 9", count=7)
    assert list(problems.report()) == ["no_root", "orphan"]
    assert problems.report()["orphan"] == {"count": 5, "examples": ["row 0", "row 1"]}
    assert len(problems) == 12 and problems["nothing"] == 0
