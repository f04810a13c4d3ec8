"""Reading opinions a second time: only what is missing or stale, and the report says so."""

import json

import fiftyone as fo
import pytest

SUFFIXES = ("summary_brief", "summary_detailed", "action_brief", "action_detailed", "action_actor")


def answer(word, suffixes=SUFFIXES):
    made = {"summary": {}, "action": {}}
    for suffix in suffixes:
        outer, inner = suffix.split("_", 1)
        made[outer][inner] = f"{suffix} of {word}"
    return json.dumps(made)


@pytest.fixture
def clips(dataset):
    """A whole answer, half of one, one that cannot be read, and none."""
    raws = [answer("a"), answer("b", SUFFIXES[:2]), "A man sings.", None]
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/videos/{stem}.mp4", raw_answer=raw)
            for stem, raw in zip("abcd", raws)
        ]
    )
    return dataset


@pytest.fixture
def rows(tmp_path):
    """Writes the clips' answers to a file; gives its path."""

    def write(clips, *more):
        stems = [path.split("/")[-1][:-4] for path in clips.values("filepath")]
        told = [*zip(stems, clips.values("raw_answer")), *more]
        file = tmp_path / "rows.jsonl"
        file.write_text("".join(json.dumps({"stem": s, "answer": raw}) + "\n" for s, raw in told))
        return str(file)

    return write


@pytest.fixture(params=["field", "file"])
def read(request, clips, operator, rows):
    """Reads the clips' answers, from their field or from a file."""

    def read(**more):
        given = {"file": rows(clips)} if request.param == "file" else {"source_field": "raw_answer"}
        report = operator("read_opinions")(clips, prefix="q", **given, **more)
        return report

    return read


def written(clips):
    """The moment at which each sample was last written."""
    return clips.values("last_modified_at")


def told(report):
    """What a report says of all answers, whenever they were read."""
    return {name: report[name] for name in ("samples", "answered", "outcomes", "fields")}


def test_nothing_is_written_twice_and_the_report_still_speaks_of_all(clips, read):
    first = read()
    before = written(clips)
    again = read()
    # the unreadable one is tried again: another reader may be better at it
    assert [a == b for a, b in zip(before, written(clips))] == [True, True, False, True]
    assert first["up_to_date"] == 0 and again["up_to_date"] == 3
    assert "3 of 4 had been read before and are unchanged." in again["summary"]
    assert told(again) == told(first)
    assert {"form": "read before", "answers": 2} in again["forms"]
    assert clips.values("audit_status.read_opinions_q") == ["ok", "missing", "failed", "missing"]


def test_a_new_answer_is_read_and_one_that_went_and_came_back_too(clips, read):
    read()
    ids = clips.values("id")
    clips.set_values("raw_answer", {ids[0]: answer("new"), ids[3]: answer("d")}, key_field="id")
    assert read()["up_to_date"] == 1
    assert clips.values("q_summary_brief")[0] == "summary_brief of new"
    assert clips.values("q_action_actor")[3] == "action_actor of d"
    clips.set_values("raw_answer", {ids[0]: None}, key_field="id")
    assert read()["up_to_date"] == 2
    assert clips.values("audit_status.read_opinions_q")[0] == "missing"
    clips.set_values("raw_answer", {ids[0]: answer("new")}, key_field="id")
    assert read()["up_to_date"] == 2
    assert clips.values("audit_status.read_opinions_q")[0] == "ok"


def test_a_persons_word_stays_unless_all_is_to_be_read_again(clips, read):
    read()
    clips.set_values("q_summary_brief", ["mine"] * 4)
    read()
    assert clips.values("q_summary_brief")[:2] == ["mine", "mine"]
    assert read(overwrite=True)["up_to_date"] == 0
    assert clips.values("q_summary_brief")[:2] == ["summary_brief of a", "summary_brief of b"]


def test_texts_that_are_gone_are_read_again(clips, read):
    read()
    clips.delete_sample_field("q_action_actor")
    assert read()["up_to_date"] == 0
    assert clips.first().q_action_actor == "action_actor of a"
    clips.set_values("audit_ledger.read_opinions_q", [None] * 4)
    clips.set_values("q_summary_brief", [None] * 4)
    read()
    assert clips.first().q_summary_brief == "summary_brief of a"


def test_each_witness_has_its_own_status_and_ledger(clips, operator):
    def read(prefix, samples):
        return operator("read_opinions")(samples, prefix=prefix, source_field="raw_answer")

    read("q", clips)
    read("m", clips.limit(2))
    assert clips.values("audit_status.read_opinions_q")[2] == "failed"
    assert clips.values("audit_status.read_opinions_m") == ["ok", "missing", None, None]
    assert read("q", clips)["up_to_date"] == 3
    clips.set_values("raw_answer", [answer(word) for word in "abcd"])
    retried = operator("retry_failed")(clips, stages=["read_opinions"])
    assert (retried["failed"], retried["mended"]) == (1, 1)
    assert clips.values("q_summary_brief")[2] == "summary_brief of c"


def test_of_two_answers_for_a_sample_the_last_is_kept_however_often_they_are_read(
    clips, operator, rows
):
    filler = [("nobody", None)] * 1_000  # so that the two are not read together
    for more in ([("a", answer("late"))], [*filler, ("a", answer("late"))]):
        for _ in range(2):
            operator("read_opinions")(clips, prefix="q", file=rows(clips, *more))
            assert clips.first().q_summary_brief == "summary_brief of late"
