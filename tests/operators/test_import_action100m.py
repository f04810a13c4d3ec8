"""Importing Action100M: the published schema, and every way in which a row is bad."""

from __future__ import annotations

import copy
import json
import math
from collections import Counter
from datetime import datetime
from uuid import uuid4

import av
import fiftyone as fo
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fiftyone import ViewField as F
from fiftyone.plugins.orgs.second_opinion.audit.operators.import_action100m import (
    ImportAction100M,
)

GPT = (
    "gpt_summary_brief",
    "gpt_summary_detailed",
    "gpt_action_brief",
    "gpt_action_detailed",
    "gpt_action_actor",
)


def gpt(word, action=True):
    """The five annotations of a segment, which all contain a word."""
    return {
        "summary": {"brief": f"A cook {word}s.", "detailed": f"A cook {word}s with a knife."},
        "action": {
            "brief": word if action else "N/A",
            "detailed": f"{word} with a knife" if action else "N/A",
            "actor": "a cook" if action else "N/A",
        },
    }


def node(node_id, parent, level, start, end, **more):
    texts = {"plm_action": None, "plm_caption": None, "llama3_caption": None, "gpt": None}
    place = {"node_id": node_id, "parent_id": parent, "level": level, "start": start, "end": end}
    return {**place, **texts, **more}


ROW = {
    "video_uid": "-a_Video_1",
    "metadata": {
        "title": "How to cook",
        "description": "A video\nabout cooking",
        "view_count": 12,
        "like_count": 3,
        "duration": 120,
        "upload_date": "20110519",
        "transcript": [
            {"time": "1.5", "text": "hello"},
            {"time": "4.0", "text": "and welcome"},
            {"time": "95.0", "text": "goodbye"},
        ],
    },
    "nodes": [
        node("r", None, 0, 0.0, 120.0, plm_caption="A kitchen.", gpt=gpt("chop")),
        node("m", "r", 1, 0.0, 90.5, plm_action="chop", gpt=gpt("slice")),
        node("n", "r", 1, 100.0, 120.0, plm_action="wave", gpt=gpt("wave", action=False)),
        node("l", "m", 2, 2.0, 3.0, llama3_caption="A hand."),
    ],
}


def row(uid="-a_Video_1", **changes):
    """The row with other values: nodes by id, or whole parts of it."""
    made = copy.deepcopy(ROW)
    made["video_uid"] = uid
    for name, change in changes.items():
        if name in ("metadata", "nodes", "video_uid"):
            made[name] = change
        else:
            next(n for n in made["nodes"] if n["node_id"] == name).update(change)
    return made


def write_video(path, seconds=6, rate=10):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = 64, 48
        for i in range(seconds * rate):
            picture = np.full((48, 64, 3), i % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def name():
    made = f"import-{uuid4().hex[:8]}"
    yield made
    if fo.dataset_exists(made):
        fo.delete_dataset(made)


@pytest.fixture
def load(tmp_path, name):
    """Imports rows from JSON Lines; gives the dataset and the report."""

    def load(*rows, **settings):
        lines = "".join(json.dumps(r) + "\n" for r in rows)
        (tmp_path / "rows.jsonl").write_text(lines)
        return run(annotations=tmp_path / "rows.jsonl", name=name, **settings)

    return load


def run(**settings):
    report = ImportAction100M()(None, **settings)
    assert json.loads(json.dumps(report)) == report
    return fo.load_dataset(settings["name"]), report


def counts(report, table="problems"):
    return {line["problem"]: line["count"] for line in report[table]}


def labels(sample, field):
    return [detection.label for detection in sample[field].detections]


def test_a_row_becomes_a_sample_with_the_workshops_fields(load, tmp_path):
    dataset, report = load(ROW)
    sample = dataset.first()
    assert dataset.media_type == "video" and dataset.persistent
    assert sample.filepath == str(tmp_path / "-a_Video_1.mp4")
    assert sample.title == "How to cook" and sample.description == "A video\nabout cooking"
    assert sample.full_video_url == "https://www.youtube.com/watch?v=-a_Video_1"
    assert sample.upload_date == datetime(2011, 5, 19)
    assert (sample.view_count, sample.like_count, sample.full_video_duration) == (12, 3, 120.0)
    assert sample.tree_depth == 2
    assert labels(sample, "gpt_summary_brief") == [
        "A cook chops.",
        "A cook slices.",
        "A cook waves.",
    ]
    assert labels(sample, "plm_caption") == ["A kitchen."]
    assert labels(sample, "plm_action") == ["chop", "wave"]
    assert labels(sample, "llama3_caption") == ["A hand."]
    root = sample.gpt_action_actor.detections[0]
    assert (root.node_id, root.parent_id, root.level, root.tier) == ("r", None, 0, "root")
    assert sample.gpt_action_actor.detections[1].tier == "mid"
    assert sample.llama3_caption.detections[0].tier == "leaf"
    assert sample.import_problems == [] and report["problems"] == []


def test_what_the_database_holds_passes_fiftyones_own_reading(load):
    dataset, _ = load(ROW)
    root = dataset.filter_labels("gpt_summary_brief", F("tier") == "root")
    assert root.values("gpt_summary_brief.detections.label") == [["A cook chops."]]
    clips = dataset.to_clips("gpt_summary_brief")
    assert clips.values("support") == [[1, 2701], [1, 2701], [2701, 2701]]
    sample = dataset.first()
    sample.gpt_summary_brief.detections[0]["note"] = "seen"
    sample.save()  # validates every label
    assert dataset.count("gpt_summary_brief.detections.note") == 1


def test_na_actions_are_dropped_as_the_workshop_does(load):
    dataset, report = load(ROW)
    sample = dataset.first()
    assert labels(sample, "gpt_action_brief") == ["chop", "slice"]
    assert len(labels(sample, "gpt_action_detailed")) == 2
    assert labels(sample, "gpt_action_actor") == ["a cook", "a cook", "N/A"]
    assert report["na_dropped"] == 2


def test_na_actions_are_kept_on_request(load):
    dataset, report = load(ROW, na="keep")
    assert labels(dataset.first(), "gpt_action_brief") == ["chop", "slice", "N/A"]
    assert report["na_dropped"] == 0


def test_the_clip_cuts_supports_and_marks_what_it_does_not_show(load):
    dataset, report = load(ROW)
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
    assert counts(report, "remarks") == {"transcript_entry_beyond_clip": 1}


@pytest.mark.parametrize("none", [None, 0])
def test_without_a_clip_everything_is_kept_and_the_coverage_unknown(load, none):
    dataset, report = load(ROW, clip_seconds=none)
    sample = dataset.first()
    assert sample.clip_coverage is None and report["clip_coverage_unknown"] == 1
    assert sample.gpt_summary_brief.detections[0].support == [1, 3601]
    assert not any(dataset.values("gpt_summary_brief.detections.outside_clip")[0])
    assert sample.transcript == "hello and welcome goodbye"


def test_a_video_gives_metadata_frames_and_the_true_coverage(load, tmp_path):
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos" / "-a_Video_1.mp4", seconds=6, rate=10)
    dataset, report = load(ROW, row("other"), media_dir=tmp_path / "videos")
    sample = dataset.match(F("video_uid") == "-a_Video_1").first()
    assert sample.metadata.frame_rate == 10 and sample.metadata.total_frame_count == 60
    assert sample.clip_coverage == pytest.approx(0.05)
    assert sample.gpt_summary_brief.detections[0].support == [1, 60]
    assert sample.llama3_caption.detections[0].support == [21, 31]
    assert report["without_video"] == 1
    assert any("1 of 2 have no video" in sentence for sentence in report["summary"])


def test_a_whole_video_covers_all_of_a_short_root(load, tmp_path):
    write_video(tmp_path / "-a_Video_1.mp4", seconds=6)
    short = row(nodes=[node("r", None, 0, 0.0, 6.0, gpt=gpt("chop"))])
    dataset, _ = load(short, media_dir=tmp_path)
    assert dataset.first().clip_coverage == 1.0


def test_an_unreadable_video_costs_its_metadata_only(load, tmp_path):
    (tmp_path / "-a_Video_1.mp4").write_bytes(b"no video")
    dataset, report = load(ROW, media_dir=tmp_path)
    sample = dataset.first()
    assert counts(report) == {"video_unreadable": 1}
    assert sample.metadata is None and sample.filepath == str(tmp_path / "-a_Video_1.mp4")
    assert sample.import_problems == ["video_unreadable"]
    assert len(labels(sample, "gpt_summary_brief")) == 3


@pytest.mark.parametrize(
    "changes, problems",
    [
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
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_fault_is_named_and_counted_and_the_row_is_kept(load, changes, problems):
    dataset, report = load(row("bad", **changes), row("good"))
    found = counts(report)
    assert {kind: found.get(kind) for kind in problems} == problems
    assert sorted(dataset.values("video_uid")) == ["bad", "good"]
    bad, good = (dataset.match(F("video_uid") == uid).first() for uid in ("bad", "good"))
    assert set(bad.import_problems) == set(found) and good.import_problems == []
    assert "bad" in report["problems"][0]["examples"]
    assert len(labels(good, "gpt_summary_brief")) == 3


def test_a_segment_whose_times_are_useless_keeps_its_text(load):
    dataset, _ = load(row(r={"start": math.nan}))
    root = dataset.first().gpt_summary_brief.detections[0]
    assert root.label == "A cook chops." and root.tier == "root"
    assert root.support == [1, 2701] and root.start is None and root.end == 120.0
    assert dataset.first().clip_coverage is None


@pytest.mark.parametrize(
    "bad, problem",
    [
        (row(video_uid=None), "video_uid_unusable"),
        (row(video_uid=7), "video_uid_unusable"),
        (row("../../etc/passwd"), "video_uid_unusable"),
        (row(".."), "video_uid_unusable"),
        (row("a\ud800b"), "video_uid_unusable"),
        (row(nodes=None), "no_nodes"),
        (row(nodes=[]), "no_nodes"),
        (row(nodes="none"), "no_nodes"),
        ([1, 2], "row_wrong_type"),
        (row("good"), "video_uid_twice"),
    ],
)
def test_a_row_that_cannot_be_a_sample_is_named_and_the_rest_imported(load, bad, problem):
    dataset, report = load(row("good"), bad, row("also-good"))
    assert sorted(dataset.values("video_uid")) == ["also-good", "good"]
    assert counts(report)[problem] == 1 and report["imported"] == 2


def test_nodes_of_the_wrong_type_are_left_out_and_counted(load):
    dataset, report = load(row(nodes=[*ROW["nodes"], "node", None]))
    assert counts(report) == {"node_wrong_type": 2}
    assert len(labels(dataset.first(), "gpt_summary_brief")) == 3


def test_hostile_text_does_not_stop_the_import(load):
    bad = row(
        r={"plm_caption": "a \ud800 b \x00 c", "node_id": "r\ud800"}, m={"parent_id": "r\ud800"}
    )
    bad["metadata"]["title"] = "\udfff"
    bad["nodes"][2]["parent_id"] = "r\ud800"
    dataset, report = load(bad)
    assert report["problems"] == []
    (caption,) = dataset.first().plm_caption.detections
    assert caption.label == "a ? b   c" and caption.node_id == "r?"


def test_a_tree_too_large_for_the_database_loses_its_longest_captions_first(load):
    nodes = [node("r", None, 0, 0.0, 9.0, plm_caption="x" * 8_000_000, gpt=gpt("chop"))]
    nodes += [node("s", "r", 1, 0.0, 9.0, plm_caption="y" * 8_000_000, plm_action="chop")]
    dataset, report = load(row(nodes=nodes))
    sample = dataset.first()
    assert counts(report)["too_large_for_database"] >= 1
    assert sample.plm_caption is None and labels(sample, "plm_action") == ["chop"]
    assert labels(sample, "gpt_summary_brief") == ["A cook chops."]


def test_a_truncated_file_keeps_its_good_rows(tmp_path, name):
    text = json.dumps([row("a"), row("b"), row("c")])
    (tmp_path / "rows.json").write_text(text[:-400])
    dataset, report = run(annotations=tmp_path / "rows.json", name=name)
    assert dataset.values("video_uid") == ["a", "b"]
    assert counts(report) == {"file_truncated": 1}


def test_a_folder_with_a_truncated_parquet_file_imports_the_others(tmp_path, name):
    pq.write_table(pa.Table.from_pylist([row("a"), row("b")]), tmp_path / "1.parquet")
    data = (tmp_path / "1.parquet").read_bytes()
    (tmp_path / "2.parquet").write_bytes(data[: len(data) // 2])
    (tmp_path / "3.json").write_text(json.dumps(row("c")))
    dataset, report = run(annotations=tmp_path, name=name)
    assert dataset.values("video_uid") == ["a", "b", "c"]
    assert counts(report) == {"file_truncated": 1}
    assert dataset.first().filepath == str(tmp_path / "a.mp4")


def test_run_again_it_adds_only_what_is_missing(load):
    dataset, _ = load(row("a"), row("b"))
    before = dataset.values(["id", "gpt_summary_brief.detections.id", "last_modified_at"])
    dataset, report = load(row("a"), row("b"), row("c"))
    assert (report["imported"], report["already_there"]) == (1, 2)
    assert counts(report) == {}
    after = dataset.values(["id", "gpt_summary_brief.detections.id", "last_modified_at"])
    assert [column[:2] for column in after] == list(before)


def test_a_sample_left_half_done_by_a_broken_run_is_completed(load):
    dataset, _ = load(row("a"), row("b"))
    sample_id = dataset.first().id
    for field in ("full_video_url", "gpt_summary_brief"):
        dataset.set_values(field, {sample_id: None}, key_field="id")
    dataset, report = load(row("a"), row("b"))
    assert (report["imported"], report["completed"], report["already_there"]) == (0, 1, 1)
    assert dataset.values("id")[0] == sample_id
    assert len(labels(dataset.first(), "gpt_summary_brief")) == 3


def test_a_dataset_of_somebody_elses_is_left_alone(load, name):
    fo.Dataset(name)
    with pytest.raises(ValueError, match="was not made by this import"):
        load(ROW)
    assert fo.load_dataset(name).count() == 0


def test_an_import_cannot_go_on_with_other_settings(load):
    load(ROW)
    with pytest.raises(ValueError, match="was imported with clip_seconds=90.0"):
        load(ROW, clip_seconds=30)


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
def test_bad_settings_give_a_sentence_before_any_work(tmp_path, monkeypatch, settings, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.json").write_text(json.dumps(ROW))
    with pytest.raises(ValueError, match=says):
        ImportAction100M()(None, **settings)
    assert not fo.dataset_exists("x")


def test_the_published_rows_import_without_a_problem(shared_data, name):
    dataset, report = run(annotations=shared_data / "action100m_dev.parquet", name=name)
    assert report["imported"] == 5 and report["problems"] == []
    found = {line["field"]: line["labels"] for line in report["fields"]}
    table = pq.read_table(shared_data / "action100m_dev.parquet").to_pylist()
    nodes = [n for r in table for n in r["nodes"]]
    assert found["gpt_summary_brief"] == sum(n["gpt"] is not None for n in nodes)
    assert found["plm_caption"] == sum(n["plm_caption"] is not None for n in nodes)
    na = Counter(n["gpt"]["action"]["brief"] == "N/A" for n in nodes if n["gpt"])
    assert found["gpt_action_brief"] == na[False] and report["na_dropped"] == 2 * na[True]
    for field in GPT:
        tiers = dataset.values(f"{field}.detections.tier")
        assert all(tier.count("root") <= 1 for tier in tiers)
    leaves = dataset.values("llama3_caption.detections.tier", unwind=True)
    assert set(leaves) == {"leaf"}
    assert all(0 < coverage < 1 for coverage in dataset.values("clip_coverage"))
