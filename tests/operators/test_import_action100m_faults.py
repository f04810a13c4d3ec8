"""Importing Action100M: every way in which a row, a file or a video is bad."""

from __future__ import annotations

import json
import math
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fiftyone import ViewField as F


def test_an_unreadable_video_costs_its_metadata_only(rows, load, tmp_path):
    (tmp_path / "-a_Video_1.mp4").write_bytes(b"no video")
    dataset, report = load(rows.ROW, media_dir=tmp_path)
    sample = dataset.first()
    assert rows.counts(report) == {"video_unreadable": 1}
    assert sample.metadata is None and sample.filepath == str(tmp_path / "-a_Video_1.mp4")
    assert sample.import_problems == ["video_unreadable"]
    assert len(rows.labels(sample, "gpt_summary_brief")) == 3


#: What is changed in a row, and the problems that must be counted for it.
FAULTS = [
    ({"r": {"parent_id": "gone"}}, {"no_root": 1, "orphan": 1}),
    ({"n": {"parent_id": None, "level": 0}}, {"several_roots": 1}),
    ({"l": {"parent_id": "gone"}}, {"orphan": 1}),
    ({"m": {"start": math.nan}}, {"time_missing": 1}),
    ({"m": {"start": None, "end": "soon"}}, {"time_missing": 2}),
    ({"m": {"start": 50.0, "end": 10.0}}, {"time_reversed": 1}),
    ({"l": {"end": 99.0}}, {"outside_parent": 1}),
    ({"m": {"start": "0.0"}}, {"time_as_text": 1}),
    ({"l": {"level": "two"}}, {"level_wrong": 1}),
    ({"r": {"gpt": None}}, {"gpt_missing": 1}),
    ({"m": {"gpt": "A cook."}}, {"text_wrong_type": 5}),
    ({"m": {"gpt": {"summary": {"brief": 3}}}}, {"text_wrong_type": 1}),
    ({"metadata": None}, {"metadata_missing": 1}),
    ({"metadata": {"title": 7, "view_count": "many"}}, {"metadata_wrong_type": 2}),
    ({"metadata": {"upload_date": "May", "transcript": 1}}, {"metadata_wrong_type": 2}),
    ({"metadata": {"duration": math.nan, "like_count": 2**70}}, {"metadata_wrong_type": 2}),
    (
        {"metadata": {"transcript": [{"time": "x", "text": "a"}, "b", {"time": 1}]}},
        {"transcript_entry_unreadable": 3},
    ),
]


def test_each_fault_is_named_and_counted_and_its_row_is_kept(rows, load):
    given = [rows.row(f"bad-{i}", **changes) for i, (changes, _) in enumerate(FAULTS)]
    dataset, report = load(*given, rows.row("good"))
    named = dict(zip(*dataset.values(["video_uid", "import_problems"])))
    assert len(named) == len(FAULTS) + 1 and named["good"] == []
    total = Counter()
    for i, (changes, problems) in enumerate(FAULTS):
        assert set(named[f"bad-{i}"]) == set(problems), changes
        total.update(problems)
    assert rows.counts(report) == total
    assert all("row " in line["examples"] for line in report["problems"])
    good = dataset.match(F("video_uid") == "good").first()
    assert len(rows.labels(good, "gpt_summary_brief")) == 3


def test_a_segment_whose_times_are_useless_keeps_its_text(rows, load):
    dataset, _ = load(rows.row(r={"start": math.nan}))
    root = dataset.first().gpt_summary_brief.detections[0]
    assert root.label == "A cook chops." and root.tier == "root"
    assert root.support == [1, 2701] and root.start is None and root.end == 120.0
    assert dataset.first().clip_coverage is None


@pytest.mark.parametrize(
    "bad, problem",
    [
        ({"video_uid": None}, "video_uid_unusable"),
        ({"video_uid": 7}, "video_uid_unusable"),
        ({"uid": "../../etc/passwd"}, "video_uid_unusable"),
        ({"uid": ".."}, "video_uid_unusable"),
        ({"uid": "a\ud800b"}, "video_uid_unusable"),
        ({"nodes": None}, "no_nodes"),
        ({"nodes": []}, "no_nodes"),
        ({"nodes": "none"}, "no_nodes"),
        ([1, 2], "row_wrong_type"),
        ({"uid": "good"}, "video_uid_twice"),
    ],
)
def test_a_row_that_cannot_be_a_sample_is_named_and_the_rest_imported(rows, load, bad, problem):
    given = rows.row(**bad) if isinstance(bad, dict) else bad
    dataset, report = load(rows.row("good"), given, rows.row("also-good"))
    assert sorted(dataset.values("video_uid")) == ["also-good", "good"]
    assert rows.counts(report)[problem] == 1 and report["imported"] == 2


def test_nodes_of_the_wrong_type_are_left_out_and_counted(rows, load):
    dataset, report = load(rows.row(nodes=[*rows.ROW["nodes"], "node", None]))
    assert rows.counts(report) == {"node_wrong_type": 2}
    assert len(rows.labels(dataset.first(), "gpt_summary_brief")) == 3


def test_hostile_text_does_not_stop_the_import(rows, load):
    bad = rows.row(
        r={"plm_caption": "a \ud800 b \x00 c", "node_id": "r\ud800"}, m={"parent_id": "r\ud800"}
    )
    bad["metadata"]["title"] = "\udfff"
    bad["nodes"][2]["parent_id"] = "r\ud800"
    dataset, report = load(bad)
    assert report["problems"] == []
    (caption,) = dataset.first().plm_caption.detections
    assert caption.label == "a ? b   c" and caption.node_id == "r?"


def test_a_tree_too_large_for_the_database_loses_its_longest_captions_first(rows, load):
    nodes = [rows.node("r", None, 0, 0.0, 9.0, plm_caption="x" * 8_000_000, gpt=rows.gpt("chop"))]
    nodes += [rows.node("s", "r", 1, 0.0, 9.0, plm_caption="y" * 8_000_000, plm_action="chop")]
    dataset, report = load(rows.row(nodes=nodes))
    sample = dataset.first()
    assert rows.counts(report)["too_large_for_database"] >= 1
    assert sample.plm_caption is None and rows.labels(sample, "plm_action") == ["chop"]
    assert rows.labels(sample, "gpt_summary_brief") == ["A cook chops."]


def test_a_truncated_file_keeps_its_good_rows(rows, tmp_path, name):
    text = json.dumps([rows.row("a"), rows.row("b"), rows.row("c")])
    (tmp_path / "rows.json").write_text(text[:-400])
    dataset, report = rows.run(annotations=tmp_path / "rows.json", name=name)
    assert dataset.values("video_uid") == ["a", "b"]
    assert rows.counts(report) == {"file_truncated": 1}


def test_a_folder_with_a_truncated_parquet_file_imports_the_others(rows, tmp_path, name):
    pq.write_table(pa.Table.from_pylist([rows.row("a"), rows.row("b")]), tmp_path / "1.parquet")
    data = (tmp_path / "1.parquet").read_bytes()
    (tmp_path / "2.parquet").write_bytes(data[: len(data) // 2])
    (tmp_path / "3.json").write_text(json.dumps(rows.row("c")))
    dataset, report = rows.run(annotations=tmp_path, name=name)
    assert dataset.values("video_uid") == ["a", "b", "c"]
    assert rows.counts(report) == {"file_truncated": 1}
    assert dataset.first().filepath == str(tmp_path / "a.mp4")
