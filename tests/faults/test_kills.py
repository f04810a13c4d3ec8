"""Killed at any moment and run again, the stages end where an undisturbed run ends.

`make faults` kills a hundred times, and with stages that watch clips.
"""

import random
import time

import fiftyone as fo
import pytest

_WHY = "the checkout's root is not on the path"
killing = pytest.importorskip("tests.faults.killing", reason=_WHY)
killing_workers = pytest.importorskip("tests.faults.killing_workers", reason=_WHY)


def test_killed_stages_end_like_undisturbed_ones(tmp_path):
    killing.write_inputs(tmp_path, 24, random.Random(51))
    after = killing.kill_and_compare(tmp_path, kills=3, seed=random.Random(7).randrange(1000))
    assert sum(after.values()) == 3


@pytest.fixture
def workers():
    """Two workers of the queue, which end with the test."""
    started = [killing_workers.Worker() for _ in range(2)]
    yield started
    for worker in started:
        worker.kill()


def test_what_a_killed_worker_left_is_put_back_and_what_a_living_one_does_is_not(
    dataset, operator, workers, until
):
    aspects = [{"name": "cap", "annotation": "label", "opinions": {"a": "one"}}]
    score = operator("score_agreement")
    dataset.persistent = True
    said = [f"The dog number {i} {'often ' * (i % 7)}runs past tree {i * 7}." for i in range(800)]
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/none/{i}.mp4", label=text, one=said[i - 1] if i % 9 else None)
            for i, text in enumerate(said)
        ]
    )
    calm = dataset.clone()
    queued = score(dataset, aspects=aspects, shards=4, delegate=True)
    killed, living = workers

    def work_of(worker):
        running = [op for op, s in zip(queued, killing_workers.states(queued)) if s == "running"]
        return {str(op) for op in running if killing_workers.pid_of(op) == worker.pid}

    until(lambda: work_of(killed), 240)
    time.sleep(random.Random(7).uniform(0.0, 1.0))
    killed.kill()
    left, at_work = work_of(killed), work_of(living)
    report = operator("requeue_stale")(dataset, seconds=9.0)
    # one that it had only just taken may have been left as well, without a sign of life
    assert left <= set(report["requeued"]) and not at_work & set(report["requeued"])
    until(lambda: set(killing_workers.states(queued)) == {"completed"}, 240)
    score(calm, aspects=aspects)
    dataset.reload()
    assert killing.schema(dataset) == killing.schema(calm)
    assert killing.documents(dataset) == killing.documents(calm)
    calm.delete()
