"""Many workers, one dataset: parts that never overlap, the same bits, and readers undisturbed."""

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
from fiftyone.plugins.orgs.second_opinion.audit.engine import ray_runner
from fiftyone.plugins.orgs.second_opinion.audit.engine.shards import between, cut

ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one"}}]
SCORES = ["lex_a_cap", "sem_a_cap", "sup_a_cap", "sup_all_cap"]
KEPT = [*SCORES, "audit_status.score_agreement", "audit_ledger.score_agreement"]


@pytest.fixture
def captions(dataset):
    dataset.persistent = True
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/none/{i}.mp4",
                label=f"A dog {'runs ' * (i % 9)}past tree number {i % 17}.",
                one=None if i % 7 == 0 else f"A dog {'sits ' * (i % 5)}under tree number {i % 13}.",
            )
            for i in range(230)
        ]
    )
    return dataset


@pytest.fixture
def workers():
    """Starts real workers, which end with the test."""
    started = []

    def start(count):
        command = [str(Path(sys.executable).with_name("fiftyone")), "delegated", "launch"]
        for _ in range(count):
            started.append(subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}))

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("count", "block"), [(1, 1), (3, 1), (3, 50), (300, 1), (5, 1000)])
def test_parts_cover_every_sample_once(captions, count, block):
    view = captions.sort_by("label", reverse=True).limit(211)
    parts = [between(view, *bounds).values("id") for bounds in cut(view, count, block)]
    assert len(parts) <= count and all(parts)
    assert sorted(i for part in parts for i in part) == sorted(view.values("id"))
    assert all(len(part) % block == 0 for part in parts[:-1])


def test_two_workers_leave_the_bits_that_one_leaves_and_a_reader_sees_whole_samples(
    captions, operator, workers, until
):
    score = operator("score_agreement")
    score(captions, aspects=ASPECTS)
    alone = captions.values(KEPT)
    operator("clear_audit")(captions)
    queued = score(captions, aspects=ASPECTS, shards=2, delegate=True)
    assert len(queued) == 2
    workers(2)
    service, seen = DelegatedOperationService(), set()

    def finished():
        for scores, done in zip(captions.values("lex_a_cap"), captions.values(KEPT[-1])):
            seen.add((scores is not None, done is not None))
        states = [service.get(ObjectId(operation)).run_state for operation in queued]
        assert ExecutionRunState.FAILED not in states
        return set(states) == {ExecutionRunState.COMPLETED}

    until(finished, 240)
    captions.reload()
    assert captions.values(KEPT) == alone
    # a score never without what says that it was made (a text may be missing, so not the reverse)
    assert (True, False) not in seen
    reports = [service.get(ObjectId(operation)).result.result for operation in queued]
    assert [report["samples"] for report in reports] == [115, 115]


def test_ray_leaves_the_bits_that_one_worker_leaves(captions, operator):
    pytest.importorskip("ray.data", reason="pip install ray[data] to run this")
    score = operator("score_agreement")
    score(captions, aspects=ASPECTS)
    alone = captions.values(KEPT)
    operator("clear_audit")(captions)
    try:
        report = score(captions, aspects=ASPECTS, shards=2, runner="ray")
    finally:
        import ray

        ray.shutdown()
    assert captions.values(KEPT) == alone
    assert report["scored"] == 230 and len(report["parts"]) == 2


def test_without_ray_a_sentence_says_what_to_install(captions, operator, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    assert "pip install" in ray_runner.missing()
    with pytest.raises(ValueError, match=r'Ray is not installed. Run pip install "ray\[data\]"'):
        operator("score_agreement")(captions, aspects=ASPECTS, runner="ray")


@pytest.mark.parametrize("stage", ["calibrate", "find_stuck_captions", "tag_confidence"])
def test_stages_that_need_every_sample_at_once_say_so(captions, operator, stage):
    with pytest.raises(ValueError, match="needs the whole set of samples at once"):
        operator(stage)(captions, shards=4)


def test_without_workers_the_parts_wait_and_the_report_says_how_to_start_some(captions, operator):
    report = operator("score_agreement")(captions, aspects=ASPECTS, metrics=["lex"], shards=3)
    assert "Queued 3 parts" in report["summary"][0] and "fiftyone delegated launch" in str(report)
    service = DelegatedOperationService()
    for operation in report["operations"]:
        assert service.get(ObjectId(operation)).run_state == ExecutionRunState.QUEUED
        service.delete_operation(ObjectId(operation))


def test_marking_an_operation_as_failed_stops_its_worker_within_a_batch(
    dataset, operator, workers, until
):
    dataset.persistent = True
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/none/{i}.mp4", label=f"Dog {i} runs.", one=f"Cat {i * 7} sits.")
            for i in range(4_000)
        ]
    )
    queued = operator("score_agreement")(dataset, aspects=ASPECTS, metrics=["sup"], delegate=True)
    workers(1)
    service = DelegatedOperationService()

    def done():
        names = dataset.get_field_schema(flat=True)
        return len(dataset.exists(KEPT[-1]).values("id")) if KEPT[-1] in names else 0

    def scored():
        dataset.reload()
        return done() >= 200

    until(scored)
    service.set_failed(queued)

    def stopped():
        before = done()
        time.sleep(5)  # several batches' time
        return done() == before

    until(stopped)
    assert 200 <= done() < 4_000
    assert service.get(queued).run_state == ExecutionRunState.FAILED
