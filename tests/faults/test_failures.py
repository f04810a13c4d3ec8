"""Failures: counted against a budget, named, and tried again where they happened."""

import json

import fiftyone as fo
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine.failures import TooManyFailures

GOOD = json.dumps(
    {
        "summary": {"brief": "A dog runs.", "detailed": "A dog runs on a beach."},
        "action": {"brief": "run", "detailed": "run on a beach", "actor": "a dog"},
    }
)
BAD = "no answer at all"


@pytest.fixture
def answers(dataset):
    raw = [GOOD, BAD, GOOD, BAD, BAD, GOOD]
    dataset.add_samples(
        [fo.Sample(filepath=f"/none/{i}.mp4", said=text) for i, text in enumerate(raw)]
    )
    return dataset


SETTINGS = {"prefix": "third", "source_field": "said"}
STATUS = "audit_status.read_opinions_third"


@pytest.mark.parametrize("most", [2, 0.4, 0])
def test_a_run_stops_past_its_budget_and_keeps_what_is_done(answers, operator, most):
    with pytest.raises(TooManyFailures, match="3 of 6 samples failed and max_failures is"):
        operator("read_opinions")(answers, **SETTINGS, max_failures=most)
    assert answers.values(STATUS).count("failed") == 3
    assert answers.first().third_summary_brief == "A dog runs."


@pytest.mark.parametrize("most", [3, 0.5, None])
def test_a_run_within_its_budget_ends(answers, operator, most):
    operator("read_opinions")(answers, **SETTINGS, max_failures=most)
    assert answers.values(STATUS).count("failed") == 3


def test_only_what_failed_is_tried_again_and_the_reason_goes_once_it_is_mended(answers, operator):
    operator("read_opinions")(answers, **SETTINGS)
    ids = answers.values("id")
    answers.set_values("said", {ids[1]: GOOD, ids[3]: GOOD}, key_field="id")
    answers.set_values("third_summary_brief", {ids[0]: "mine"}, key_field="id")
    report = operator("retry_failed")(answers)
    assert (report["failed"], report["mended"]) == (3, 2)
    assert answers.values(STATUS) == ["ok", "ok", "ok", "ok", "failed", "ok"]
    reasons = answers.values(f"{STATUS}_why")
    assert reasons[1] is None and reasons[4].startswith("third: ")
    assert answers.first().third_summary_brief == "mine"  # it had not failed
    assert operator("retry_failed")(answers, stages=["read_opinions"])["failed"] == 1


def test_what_a_stopped_run_failed_on_can_be_tried_again_too(answers, operator):
    with pytest.raises(TooManyFailures):
        operator("read_opinions")(answers, **SETTINGS, max_failures=0.1)
    answers.set_values("said", [GOOD] * 6)
    report = operator("retry_failed")(answers)
    assert (report["failed"], report["mended"]) == (3, 3)


def test_retrying_where_nothing_failed_or_ran_says_so(answers, operator):
    assert "No sample has failed" in operator("retry_failed")(answers)["summary"][0]
    with pytest.raises(ValueError, match="'embed' has no status here"):
        operator("retry_failed")(answers, stages=["embed"])
