"""Whatever a model answers or a file holds: read or refused in a sentence, never an error."""

import json

import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.aspects import ACTION100M_ANSWER
from fiftyone.plugins.orgs.second_opinion.audit.agreement.tree import read_tree
from fiftyone.plugins.orgs.second_opinion.audit.engine.problems import Problems
from fiftyone.plugins.orgs.second_opinion.audit.engine.records import read_records
from fiftyone.plugins.orgs.second_opinion.audit.models.answers import read_answer
from fiftyone.plugins.orgs.second_opinion.audit.operators.action100m import read_uid, read_video
from fiftyone.plugins.orgs.second_opinion.audit.operators.timed_labels import Clip, Notes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults import fuzzing

MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
KEYS = st.sampled_from(
    ["summary", "brief", "detailed", "action", "actor", "node_id", "parent_id", "level", "start",
     "end", "gpt", "plm_caption", "metadata", "transcript", "time", "text", "nodes", "video_uid"]
)  # fmt: skip
PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("N/A")
)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@MANY
@given(JSON | st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_any_answer_is_read_or_refused(raw):
    fuzzing.check_answer(read_answer, ACTION100M_ANSWER, raw)


@MANY
@given(JSON, st.integers(0, 400), st.integers(0, 400))
def test_any_cut_and_broken_json_is_read_or_refused(value, start, end):
    raw = json.dumps(value)
    fuzzing.check_answer(read_answer, ACTION100M_ANSWER, raw[start : len(raw) - end])


@MANY
@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_any_row_is_imported_or_refused(row):
    notes = Notes(Problems(), Problems(), "row 1")
    read_uid(row)
    video = read_video(row, "uid", Clip(90.0), False, notes)
    assert video is None or video.columns["video_uid"] == "uid"
    assert read_tree(row.get("nodes")) is not None


@MANY
@given(st.binary(max_size=400), st.sampled_from([".jsonl", ".json", ".csv", ".parquet"]))
def test_any_file_is_read_or_refused(tmp_path_factory, content, ending):
    file = tmp_path_factory.mktemp("files") / f"rows{ending}"
    file.write_bytes(content)
    problems = Problems()
    for record in read_records([file], problems):
        assert isinstance(record.values, dict)


@pytest.mark.parametrize("raw", fuzzing.FOUND)
def test_what_fuzzing_found_stays_mended(raw):
    fuzzing.check_answer(read_answer, ACTION100M_ANSWER, raw)
