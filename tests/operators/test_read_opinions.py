"""Reading opinions: from a field or a file to one text an aspect, and what could not be read."""

from __future__ import annotations

import csv
import json

import fiftyone as fo
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.operators.read_opinions import ReadOpinions

SUFFIXES = ("summary_brief", "summary_detailed", "action_brief", "action_detailed", "action_actor")


def texts(word):
    return {suffix: f"{suffix} of {word}" for suffix in SUFFIXES}


def answer(word):
    """An answer in the form that was asked for."""
    made = {"summary": {}, "action": {}}
    for suffix, text in texts(word).items():
        outer, inner = suffix.split("_", 1)
        made[outer][inner] = text
    return json.dumps(made)


def echo(word):
    """The same, inside the schema."""
    return json.dumps(
        {"properties": {k: {"properties": v} for k, v in json.loads(answer(word)).items()}}
    )


def run(samples, **settings):
    report = ReadOpinions()(samples, **settings)
    assert json.loads(json.dumps(report)) == report
    return report


def counts(report):
    return {line["problem"]: line["count"] for line in report["problems"]}


def outcomes(report):
    return {line["outcome"]: line["samples"] for line in report["outcomes"]}


def opinions(dataset, prefix="q"):
    """``{stem: [five texts]}``."""
    columns = dataset.values([f"{prefix}_{suffix}" for suffix in SUFFIXES])
    stems = [path.split("/")[-1][:-4] for path in dataset.values("filepath")]
    return dict(zip(stems, (list(row) for row in zip(*columns))))


@pytest.fixture
def clips(dataset):
    """Five clips, a to e, with raw answers of every kind."""
    raws = [
        answer("a"),
        f"Sure:\n```json\n{echo('b')}\n```",
        "A man sings.",
        None,
        answer("e")[:120],
    ]
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/videos/{stem}.mp4", video_uid=f"uid-{stem}", raw_answer=raw)
            for stem, raw in zip("abcde", raws)
        ]
    )
    return dataset


def test_a_field_of_raw_answers_becomes_five_fields(clips):
    report = run(clips, prefix="q", source_field="raw_answer")
    found = opinions(clips)
    assert found["a"] == list(texts("a").values())
    assert found["b"] == list(texts("b").values())
    assert found["c"] == found["d"] == [None] * 5
    assert found["e"][:2] == ["summary_brief of e", "summary_detailed of e"]
    assert outcomes(report) == {"complete": 2, "partial": 1, "unreadable": 1, "empty": 1}
    assert report["without_answer"] == 1 and report["answered"] == 4
    assert report["fields"][0] == {"field": "q_summary_brief", "filled": 3, "missing": 2}
    forms = {line["form"]: line["answers"] for line in report["forms"]}
    assert forms == {"json": 1, "fenced, schema": 1, "truncated": 1}


def test_every_unreadable_answer_keeps_its_raw_text_and_gets_a_reason(clips):
    report = run(clips, prefix="q", source_field="raw_answer")
    assert clips.values("q_raw") == clips.values("raw_answer")
    errors = clips.values("q_error")
    assert errors[0] is errors[1] is errors[3] is None
    assert errors[2] == "There is no JSON in the answer."
    assert errors[4].startswith("The answer breaks off")
    assert clips.values("audit_status.read_opinions_q") == [
        "ok",
        "ok",
        "failed",
        "missing",
        "missing",
    ]
    assert clips.values("audit_status.read_opinions_q_why")[2] == f"q: {errors[2]}"
    assert counts(report) == {"answer_unreadable": 1}
    assert clips.exists("q_error").count() == 2


def test_reading_again_changes_nothing_and_mends_what_was_corrected(clips):
    run(clips, prefix="q", source_field="raw_answer")
    before = opinions(clips)
    run(clips, prefix="q", source_field="raw_answer")
    assert opinions(clips) == before
    run(clips, prefix="q", source_field="q_raw")
    assert opinions(clips) == before
    clips.set_values("raw_answer", {clips.values("id")[2]: answer("c")}, key_field="id")
    run(clips, prefix="q", source_field="raw_answer")
    assert opinions(clips)["c"] == list(texts("c").values())
    assert clips.values("q_error")[2] is None


def test_only_the_samples_of_the_view_are_touched(clips):
    report = run(clips.limit(1), prefix="q", source_field="raw_answer")
    assert report["samples"] == 1
    assert opinions(clips)["b"] == [None] * 5


def test_two_witnesses_do_not_disturb_each_other(clips):
    run(clips, prefix="q", source_field="raw_answer")
    run(clips.skip(4), prefix="m", source_field="raw_answer")
    assert opinions(clips, "q")["a"] == list(texts("a").values())
    assert opinions(clips, "m")["a"] == [None] * 5


def test_no_answer_leaves_an_earlier_opinion_alone(clips):
    run(clips, prefix="q", source_field="raw_answer")
    clips.set_values("raw_answer", [None] * 5)
    run(clips, prefix="q", source_field="raw_answer")
    assert opinions(clips)["a"] == list(texts("a").values())


# ---- files ----


def write_rows(path, rows):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_file_in_any_format_is_matched_by_sample_id(clips, tmp_path, ending):
    ids = clips.values("id")
    rows = [{"id": ids[i], "answer": answer(word)} for i, word in ((2, "c"), (0, "a"))]
    report = run(clips, prefix="q", file=write_rows(tmp_path / f"rows.{ending}", rows))
    assert opinions(clips)["a"] == list(texts("a").values())
    assert opinions(clips)["c"] == list(texts("c").values())
    assert opinions(clips)["b"] == [None] * 5
    assert outcomes(report) == {"complete": 2, "partial": 0, "unreadable": 0, "empty": 3}
    assert report["problems"] == []


@pytest.mark.parametrize(
    "key",
    [
        {"stem": "a"},
        {"filename": "a.mp4"},
        {"filepath": "/videos/a.mp4"},
        {"filepath": "C:\\elsewhere\\a.mp4"},
        {"filename": "a.json"},
        {"video_uid": "uid-a"},
        {"id": "a"},
        {"id": 17, "stem": "a"},
    ],
)
def test_a_row_is_matched_by_what_names_the_clip(clips, tmp_path, key):
    file = write_rows(tmp_path / "rows.jsonl", [{**key, "raw": answer("a")}])
    report = run(clips, prefix="q", file=file)
    assert opinions(clips)["a"] == list(texts("a").values()) and report["problems"] == []


@pytest.mark.parametrize(
    "columns",
    [
        texts("a"),
        {f"q_{suffix}": text for suffix, text in texts("a").items()},
        json.loads(answer("a")),
        {"response": json.loads(echo("a"))},
    ],
    ids=["aspects", "prefixed", "nested", "struct"],
)
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_answers_may_come_in_columns(clips, tmp_path, columns, ending):
    file = write_rows(tmp_path / f"rows.{ending}", [{"stem": "a", **columns}])
    assert outcomes(run(clips, prefix="q", file=file))["complete"] == 1
    assert opinions(clips)["a"] == list(texts("a").values())
    assert texts("a")["action_actor"] in clips.first().q_raw


def test_what_does_not_match_or_is_broken_is_named_and_counted(clips, tmp_path):
    clips.add_sample(fo.Sample(filepath="/other/a.mp4"))
    rows = [
        {"stem": "a", "answer": answer("a")},
        {"filepath": "/videos/a.mp4", "answer": answer("a")},
        {"stem": "nobody", "answer": answer("x")},
        {"stem": "b.1", "answer": answer("x")},
        {"answer": answer("x")},
        {"stem": "b", "answer": answer("first")},
        {"stem": "b", "answer": answer("b")},
        {"stem": "b", "answer": ""},
        {"stem": "c", "answer": "no JSON"},
        {"stem": "d", "answer": None},
    ]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    file.write_text(file.read_text() + '{"stem": "e", "answer": "{')
    report = run(clips, prefix="q", file=file)
    assert counts(report) == {
        "key_ambiguous": 1,
        "key_unmatched": 2,
        "key_missing": 1,
        "sample_answered_twice": 2,
        "answer_unreadable": 1,
        "file_truncated": 1,
    }
    assert outcomes(report) == {"complete": 2, "partial": 0, "unreadable": 1, "empty": 3}
    assert opinions(clips.limit(5))["b"] == list(texts("b").values())
    assert clips.values("q_raw")[2] == "no JSON"
    assert any("2 rows belong to no sample here" in sentence for sentence in report["summary"])


def test_samples_outside_the_view_are_not_matched(clips, tmp_path):
    file = write_rows(tmp_path / "rows.jsonl", [{"stem": "e", "answer": answer("e")}])
    report = run(clips.limit(2), prefix="q", file=file)
    assert counts(report) == {"key_unmatched": 1}
    assert clips.values("q_raw") == [None] * 5


def test_hostile_answers_are_kept_and_do_not_stop_the_run(clips, tmp_path):
    bad = json.loads(answer("a"))
    bad["action"]["actor"] = "a \ud800 man\x00"
    rows = [
        {"stem": "a", "answer": json.dumps(bad)},
        {"stem": "b", "answer": "\ud800 nothing"},
        {"stem": "c", "answer": "{" * 3_000_000},
        {"stem": "d", "answer": 7},
    ]
    report = run(clips, prefix="q", file=write_rows(tmp_path / "rows.jsonl", rows))
    assert opinions(clips)["a"][4] == "a ? man"
    assert clips.values("q_raw")[1] == "? nothing"
    assert clips.values("q_raw")[3] == "7"
    assert len(clips.values("q_raw")[2]) == 1_000_000
    assert counts(report) == {"answer_unreadable": 3, "raw_answer_cut": 1}


def test_a_repeated_prompt_is_no_opinion(clips, tmp_path):
    shown = {"brief": {"type": "string", "description": "Single sentence video caption."}}
    raw = json.dumps({"properties": {"summary": {"properties": shown}}})
    run(clips, prefix="q", file=write_rows(tmp_path / "rows.jsonl", [{"stem": "a", "raw": raw}]))
    assert opinions(clips)["a"] == [None] * 5 and clips.first().q_error


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"source_field": "raw_answer"}, "Prefix: this one is needed"),
        ({"prefix": "q"}, "Give either the field or the file"),
        ({"prefix": "q", "source_field": "raw_answer", "file": "x.csv"}, "Give either"),
        ({"prefix": "q", "source_field": "nothing"}, "no field 'nothing'"),
        ({"prefix": "q", "source_field": "tags"}, "a StringField is needed"),
        ({"prefix": "q r", "source_field": "raw_answer"}, "cannot begin a field's name"),
        ({"prefix": "q", "file": "/nowhere.csv"}, "Check the path"),
        ({"prefix": "video", "source_field": "raw_answer"}, "which this audit did not write"),
        ({"prefix": "old", "source_field": "old_action_brief"}, "Choose another prefix"),
        ({"prefix": "gpt", "source_field": "raw_answer"}, "cannot hold what this stage writes"),
    ],
)
def test_bad_settings_give_a_sentence_before_any_work(clips, settings, says):
    clips.add_sample_field("old_action_brief", fo.StringField)
    clips.add_sample_field("video_summary_brief", fo.StringField)
    clips.add_sample_field(
        "gpt_summary_brief", fo.EmbeddedDocumentField, embedded_doc_type=fo.TemporalDetections
    )
    before = set(clips.get_field_schema())
    with pytest.raises(ValueError, match=says):
        ReadOpinions()(clips, **settings)
    assert set(clips.get_field_schema()) == before


def test_an_empty_dataset_is_refused(dataset):
    dataset.add_sample_field("raw_answer", fo.StringField)
    with pytest.raises(ValueError, match="is empty"):
        ReadOpinions()(dataset, prefix="q", source_field="raw_answer")
