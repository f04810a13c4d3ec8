"""The whole audit: in one call, in a queue, in another process, and undone again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import fiftyone as fo
import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionRunState
from fiftyone.plugins.orgs.second_opinion.audit.agreement.aspects import ACTION100M

WORKSHOP = {"tag_confidence": {"rules": "workshop"}}
FIELDS = [name for aspect in ACTION100M for name in aspect.opinions.values()]
SOURCES = ["gpt_summary_brief", "gpt_summary_detailed"]
SOURCES += ["gpt_action_brief", "gpt_action_detailed", "gpt_action_actor"]


@pytest.fixture
def annotated(dataset):
    def tree(text):
        root = fo.TemporalDetection(label=text, support=[1, 9], level=0, tier="root")
        return fo.TemporalDetections(detections=[root])

    said = ["a red ball rolls left", "a blue cube falls", "two dogs meet in a park"]
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/tmp/{i}.mp4",
                tags=["mine"],
                note="kept",
                **{source: tree(text) for source in SOURCES},
                **dict.fromkeys(FIELDS, text if i else "nothing alike at all"),
            )
            for i, text in enumerate(said)
        ]
    )
    return dataset


def documents(dataset):
    """Every document as it lies in the database, less what time alone changes."""
    found = dataset._sample_collection.find({}, {"last_modified_at": 0, "audit_ledger": 0})
    return sorted(found, key=lambda document: document["_id"])


def test_one_call_runs_every_stage_and_keeps_its_settings(annotated, operator):
    report = operator("run_audit")(annotated, settings=WORKSHOP)
    stages = ["hoist_labels", "score_agreement", "calibrate", "tag_confidence"]
    assert list(report["stages"]) == stages
    assert annotated.count_sample_tags()["triple_agreement"] == 2
    runs = [annotated.get_run_info(key).config.stage for key in annotated.list_runs()]
    assert sorted(runs) == sorted(report["stages"])


def test_a_stage_that_fails_leaves_what_was_done_before(annotated, operator):
    annotated.set_values("sem_q_actor", [0.5] * 3)
    with pytest.raises(ValueError, match="did not write"):
        operator("run_audit")(annotated, settings=WORKSHOP)
    assert annotated.first().gpt_summary_root_brief == "a red ball rolls left"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"settings": {"no_stage": {}}}, "no stage 'no_stage'"),
        ({"settings": {"tag_confidence": {"rules": "luck"}}}, "'luck' is not one of"),
        ({"settings": {"tag_confidence": {"colour": 1}}}, "no setting 'colour'"),
        ({"stages": ["guess"]}, "'guess' is not one of"),
    ],
)
def test_bad_settings_of_any_stage_are_refused_before_the_first(
    annotated, operator, settings, sentence
):
    with pytest.raises(ValueError, match=sentence):
        operator("run_audit")(annotated, **settings)
    assert "gpt_summary_root_brief" not in annotated.get_field_schema()


def test_clearing_leaves_the_documents_as_they_were(annotated, operator):
    before, schema = documents(annotated), set(annotated.get_field_schema())
    operator("run_audit")(annotated, settings=WORKSHOP)
    assert documents(annotated) != before
    tagged = sum(bool(tags) for tags in annotated.values("audit_tags"))
    assert tagged > 0
    report = operator("clear_audit")(annotated)
    assert documents(annotated) == before
    assert set(annotated.get_field_schema()) == schema
    assert annotated.list_runs() == []
    assert report["untagged"] == tagged


def test_clearing_a_view_empties_only_its_samples(annotated, operator):
    operator("run_audit")(annotated, settings=WORKSHOP)
    operator("clear_audit")(annotated.skip(1))
    assert annotated.values("sem_q_actor")[1:] == [None, None]
    assert annotated.values("sem_q_actor")[0] is not None
    assert annotated.values("tags")[1:] == [["mine"], ["mine"]]
    operator("run_audit")(annotated, settings=WORKSHOP)
    assert None not in annotated.values("sem_q_actor")


def test_clearing_one_stage_keeps_the_others(annotated, operator):
    operator("run_audit")(annotated, settings=WORKSHOP)
    operator("clear_audit")(annotated, stages=["tag_confidence"])
    assert set(annotated.count_sample_tags()) == {"mine"}
    assert None not in annotated.values("sem_q_actor")
    with pytest.raises(ValueError, match="'tag_confidence' wrote nothing here"):
        operator("clear_audit")(annotated, stages=["tag_confidence"])


@pytest.fixture
def worker():
    """A second process that runs what is queued, as a person would start it."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    started = []

    def start():
        command = [str(Path(sys.executable).with_name("fiftyone")), "delegated", "launch"]
        started.append(subprocess.Popen(command, env=environment))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_for(state, operation, seconds=120):
    service, end = DelegatedOperationService(), time.monotonic() + seconds
    while time.monotonic() < end:
        found = service.get(ObjectId(operation))
        if found.run_state in (state, ExecutionRunState.FAILED):
            break
        time.sleep(0.2)
    error = found.result.error if found.run_state == ExecutionRunState.FAILED else None
    assert found.run_state == state, error
    return found


def test_a_worker_in_another_process_leaves_the_same_documents(annotated, operator, worker):
    operator("run_audit")(annotated, settings=WORKSHOP)
    here = documents(annotated)
    operator("clear_audit")(annotated)
    annotated.persistent = True
    operation = operator("run_audit")(annotated, settings=WORKSHOP, delegate=True)
    worker()
    finished = wait_for(ExecutionRunState.COMPLETED, operation)
    annotated.reload()
    assert documents(annotated) == here
    assert "Tag confidence" in " ".join(finished.result.result["summary"])
