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
    started = [killing_workers.Worker(watches=False) for _ in range(2)]
    yield started
    for worker in started:
        worker.kill()


@pytest.mark.long  # minutes on a busy machine
def test_what_a_killed_worker_left_is_put_back_and_what_a_living_one_does_is_not(
    dataset, operator, workers, until
):
    read = operator("read_opinions")
    dataset.persistent = True
    answers = [
        f'Well:\n```json\n{{"summary": {{"brief": "Dog {i} runs.", "detailed": "{"far " * 50}"}}}}'
        for i in range(9_000)
    ]
    dataset.add_samples(
        [fo.Sample(filepath=f"/none/{i}.mp4", said=said) for i, said in enumerate(answers)]
    )
    calm = dataset.clone()
    given = {"prefix": "q", "source_field": "said"}
    queued = read(dataset, **given, shards=3, delegate=True)
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
    read(calm, **given)
    dataset.reload()
    assert killing.schema(dataset) == killing.schema(calm)
    assert killing.documents(dataset) == killing.documents(calm)
    calm.delete()
