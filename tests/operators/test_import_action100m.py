"""Importing Action100M: the published schema, what the clip shows of it, and going on."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import datetime

import fiftyone as fo
import pyarrow.parquet as pq
import pytest
from fiftyone import ViewField as F
from fiftyone.plugins.orgs.second_opinion.audit.operators.import_action100m import (
    ImportAction100M,
)


def test_a_row_becomes_a_sample_with_the_workshops_fields(rows, load, tmp_path):
    dataset, report = load(rows.ROW)
    sample = dataset.first()
    assert dataset.media_type == "video" and dataset.persistent
    assert sample.filepath == str(tmp_path / "-a_Video_1.mp4")
    assert sample.title == "How to cook" and sample.description == "A video\nabout cooking"
    assert sample.full_video_url == "https://www.youtube.com/watch?v=-a_Video_1"
    assert sample.upload_date == datetime(2011, 5, 19)
    assert (sample.view_count, sample.like_count, sample.full_video_duration) == (12, 3, 120.0)
    assert sample.tree_depth == 2
    assert rows.labels(sample, "gpt_summary_brief") == [
        "A cook chops.",
        "A cook slices.",
        "A cook waves.",
    ]
    assert rows.labels(sample, "plm_caption") == ["A kitchen."]
    assert rows.labels(sample, "plm_action") == ["chop", "wave"]
    assert rows.labels(sample, "llama3_caption") == ["A hand."]
    root = sample.gpt_action_actor.detections[0]
    assert (root.node_id, root.parent_id, root.level, root.tier) == ("r", None, 0, "root")
    assert sample.gpt_action_actor.detections[1].tier == "mid"
    assert sample.llama3_caption.detections[0].tier == "leaf"
    assert sample.import_problems == [] and report["problems"] == []


def test_what_the_database_holds_passes_fiftyones_own_reading(rows, load):
    dataset, _ = load(rows.ROW)
    root = dataset.filter_labels("gpt_summary_brief", F("tier") == "root")
    assert root.values("gpt_summary_brief.detections.label") == [["A cook chops."]]
    clips = dataset.to_clips("gpt_summary_brief")
    assert clips.values("support") == [[1, 2701], [1, 2701], [2701, 2701]]
    sample = dataset.first()
    sample.gpt_summary_brief.detections[0]["note"] = "seen"
    sample.save()  # validates every label
    assert dataset.count("gpt_summary_brief.detections.note") == 1


def test_na_actions_are_dropped_as_the_workshop_does(rows, load):
    dataset, report = load(rows.ROW)
    sample = dataset.first()
    assert rows.labels(sample, "gpt_action_brief") == ["chop", "slice"]
    assert len(rows.labels(sample, "gpt_action_detailed")) == 2
    assert rows.labels(sample, "gpt_action_actor") == ["a cook", "a cook", "N/A"]
    assert report["na_dropped"] == 2


def test_na_actions_are_kept_on_request(rows, load):
    dataset, report = load(rows.ROW, na="keep")
    assert rows.labels(dataset.first(), "gpt_action_brief") == ["chop", "slice", "N/A"]
    assert report["na_dropped"] == 0


def test_the_clip_cuts_supports_and_marks_what_it_does_not_show(rows, load):
    dataset, report = load(rows.ROW)
    sample = dataset.first()
    found = {d.node_id: d for d in sample.gpt_summary_brief.detections}
    assert found["m"].support == [1, 2701] and found["m"].end == 90.5
    assert found["n"].support == [2701, 2701] and found["n"].start == 100.0
    assert [found[i].outside_clip for i in "rmn"] == [False, False, True]
    assert sample.clip_coverage == 0.75
    assert report["segments_outside_clip"] == 1 and report["clip_shows_part"] == 1
    assert sample.transcript == "hello and welcome"
    spoken = sample.transcript_segments.detections
    assert [(d.label, d.support, d.start) for d in spoken] == [
        ("hello", [46, 121], 1.5),
        ("and welcome", [121, 211], 4.0),
    ]
    assert rows.counts(report, "remarks") == {"transcript_entry_beyond_clip": 1}


@pytest.mark.parametrize("none", [None, 0])
def test_without_a_clip_everything_is_kept_and_the_coverage_unknown(rows, load, none):
    dataset, report = load(rows.ROW, clip_seconds=none)
    sample = dataset.first()
    assert sample.clip_coverage is None and report["clip_coverage_unknown"] == 1
    assert any("is not known for 1 of 1" in sentence for sentence in report["summary"])
    assert sample.gpt_summary_brief.detections[0].support == [1, 3601]
    assert not any(dataset.values("gpt_summary_brief.detections.outside_clip")[0])
    assert sample.transcript == "hello and welcome goodbye"


def test_a_video_gives_metadata_frames_and_the_true_coverage(rows, load, tmp_path):
    (tmp_path / "videos").mkdir()
    rows.write_video(tmp_path / "videos" / "-a_Video_1.mp4", seconds=6, rate=10)
    dataset, report = load(rows.ROW, rows.row("other"), media_dir=tmp_path / "videos")
    sample = dataset.match(F("video_uid") == "-a_Video_1").first()
    assert sample.metadata.frame_rate == 10 and sample.metadata.total_frame_count == 60
    assert sample.clip_coverage == pytest.approx(0.05)
    assert sample.gpt_summary_brief.detections[0].support == [1, 60]
    assert sample.llama3_caption.detections[0].support == [21, 31]
    assert report["without_video"] == 1
    assert any("1 of 2 have no video" in sentence for sentence in report["summary"])


def test_a_whole_video_covers_all_of_a_short_root(rows, load, tmp_path):
    rows.write_video(tmp_path / "-a_Video_1.mp4", seconds=6)
    short = rows.row(nodes=[rows.node("r", None, 0, 0.0, 6.0, gpt=rows.gpt("chop"))])
    dataset, _ = load(short, media_dir=tmp_path)
    assert dataset.first().clip_coverage == 1.0


def test_run_again_it_adds_only_what_is_missing(rows, load):
    dataset, _ = load(rows.row("a"), rows.row("b"))
    before = dataset.values(["id", "gpt_summary_brief.detections.id", "last_modified_at"])
    dataset, report = load(rows.row("a"), rows.row("b"), rows.row("c"))
    assert (report["imported"], report["already_there"]) == (1, 2)
    assert rows.counts(report) == {}
    after = dataset.values(["id", "gpt_summary_brief.detections.id", "last_modified_at"])
    assert [column[:2] for column in after] == list(before)


def test_a_sample_left_half_done_by_a_broken_run_is_completed(rows, load):
    dataset, _ = load(rows.row("a"), rows.row("b"))
    sample_id = dataset.first().id
    for field in ("full_video_url", "gpt_summary_brief"):
        dataset.set_values(field, {sample_id: None}, key_field="id")
    dataset, report = load(rows.row("a"), rows.row("b"))
    assert (report["imported"], report["completed"], report["already_there"]) == (0, 1, 1)
    assert dataset.values("id")[0] == sample_id
    assert len(rows.labels(dataset.first(), "gpt_summary_brief")) == 3


def test_a_dataset_of_somebody_elses_is_left_alone(rows, load, name):
    fo.Dataset(name)
    with pytest.raises(ValueError, match="was not made by this import"):
        load(rows.ROW)
    assert fo.load_dataset(name).count() == 0


def test_an_import_cannot_go_on_with_other_settings(rows, load):
    load(rows.ROW)
    with pytest.raises(ValueError, match="was imported with clip_seconds=90.0"):
        load(rows.ROW, clip_seconds=30)


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"name": "x"}, "Annotations: this one is needed"),
        ({"annotations": "/nowhere/a.parquet", "name": "x"}, "Check the path"),
        ({"annotations": ".", "name": "x", "na": "guess"}, "'guess' is not one of"),
        ({"annotations": ".", "name": "x", "clip_seconds": -1}, "-1 is not at least 0"),
        ({"annotations": ".", "name": "x", "clip_seconds": math.nan}, "nan is not at least 0"),
        ({"annotations": ".", "name": "x", "media": "videos"}, "There is no setting 'media'"),
        ({"annotations": "rows", "name": "x", "media_dir": "/nowhere"}, "there is no folder"),
    ],
)
def test_bad_settings_give_a_sentence_before_any_work(rows, tmp_path, monkeypatch, settings, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.json").write_text(json.dumps(rows.ROW))
    with pytest.raises(ValueError, match=says):
        ImportAction100M()(None, **settings)
    assert not fo.dataset_exists("x")


def test_the_published_rows_import_without_a_problem(rows, shared_data, name):
    dataset, report = rows.run(annotations=shared_data / "action100m_dev.parquet", name=name)
    assert report["imported"] == 5 and report["problems"] == []
    found = {line["field"]: line["labels"] for line in report["fields"]}
    table = pq.read_table(shared_data / "action100m_dev.parquet").to_pylist()
    nodes = [n for r in table for n in r["nodes"]]
    assert found["gpt_summary_brief"] == sum(n["gpt"] is not None for n in nodes)
    assert found["plm_caption"] == sum(n["plm_caption"] is not None for n in nodes)
    na = Counter(n["gpt"]["action"]["brief"] == "N/A" for n in nodes if n["gpt"])
    assert found["gpt_action_brief"] == na[False] and report["na_dropped"] == 2 * na[True]
    for field in filter(lambda name: name.startswith("gpt_"), found):
        tiers = dataset.values(f"{field}.detections.tier")
        assert all(tier.count("root") <= 1 for tier in tiers)
    leaves = dataset.values("llama3_caption.detections.tier", unwind=True)
    assert set(leaves) == {"leaf"}
    assert all(0 < coverage < 1 for coverage in dataset.values("clip_coverage"))
