"""Killed at any moment and run again, the stages end where an undisturbed run ends.

`make faults` kills a hundred times, and with stages that watch clips.
"""

import json
import os
import random
import threading
import time

import fiftyone as fo
import pytest

_WHY = "the checkout's root is not on the path"
killing = pytest.importorskip("tests.faults.killing", reason=_WHY)
killing_workers = pytest.importorskip("tests.faults.killing_workers", reason=_WHY)


def test_killed_stages_end_like_undisturbed_ones(tmp_path):
    killing.write_inputs(tmp_path, 24, random.Random(51))
    after = killing.kill_and_compare(tmp_path, kills=2, seed=random.Random(7).randrange(1000))
    assert sum(after.values()) == 2


@pytest.fixture
def workers():
    """Two workers of the queue, which end with the test."""
    started = [killing_workers.Worker(watches=False) for _ in range(2)]
    yield started
    for worker in started:
        worker.kill()


def told_slowly(path, lines, held_back):
    """Lets whoever reads a pipe have the lines, and the last of them once it may end."""

    def tell():
        try:
            with open(path, "w") as pipe:  # opens once there is a reader
                pipe.writelines(lines[:-1])
                pipe.flush()
                held_back.wait()
                pipe.write(lines[-1])
        except BrokenPipeError:  # the reader was killed
            pass

    threading.Thread(target=tell, daemon=True).start()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes to wait on")
def test_what_a_killed_worker_left_is_put_back_and_what_a_living_one_does_is_not(
    dataset, operator, workers, until, tmp_path
):
    dataset.persistent = True
    dataset.add_samples([fo.Sample(filepath=f"/none/{i}.mp4") for i in range(2_500)])
    lines = [
        json.dumps({"filename": f"{i}.mp4", "answer": {"summary": {"brief": f"Dog {i} runs."}}})
        for i in range(2_500)
    ]
    lines = [line + "\n" for line in lines]
    (tmp_path / "whole.jsonl").write_text("".join(lines))
    calm, read = dataset.clone(), operator("read_opinions")
    go_on, pipes, queued = threading.Event(), {}, {}
    for witness in ("a", "b"):
        # answers that come through a pipe keep a worker at work until the last of them
        os.mkfifo(tmp_path / f"{witness}.jsonl")
        pipes[witness] = str(tmp_path / f"{witness}.jsonl")
        told_slowly(pipes[witness], lines, go_on)
        queued[witness] = read(dataset, prefix=witness, file=pipes[witness], delegate=True)
    at_work = until(lambda: _at_work(queued, workers), 240)
    killed, living = ("a", "b") if random.Random(7).random() < 0.5 else ("b", "a")
    ledger = {f"audit_ledger.read_opinions_{killed}": {"$gt": ""}}
    until(lambda: dataset._sample_collection.count_documents(ledger), 240)
    time.sleep(random.Random(11).uniform(0.0, 1.0))
    at_work[killed].kill()

    report = operator("requeue_stale")(dataset, seconds=9.0)

    assert report["requeued"] == [str(queued[killed])]
    assert (report["running"], report["alive"]) == (2, 1)
    assert set(killing_workers.states(queued.values())) == {"queued", "running"}
    told_slowly(pipes[killed], lines, go_on)
    go_on.set()
    until(lambda: set(killing_workers.states(queued.values())) == {"completed"}, 240)
    for witness in pipes:
        read(calm, prefix=witness, file=str(tmp_path / "whole.jsonl"))
    dataset.reload()
    assert killing.schema(dataset) == killing.schema(calm)
    assert killing.documents(dataset) == killing.documents(calm)
    calm.delete()


def _at_work(queued, workers):
    """Which worker is at which operation, once there is one at each."""
    pids = {witness: killing_workers.pid_of(operation) for witness, operation in queued.items()}
    by_pid = {worker.pid: worker for worker in workers}
    return all(pids.values()) and {witness: by_pid[pid] for witness, pid in pids.items()}
