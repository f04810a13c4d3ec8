"""Kills workers of FiftyOne's queue at random moments, puts back what they left, and compares.

python -m tests.faults.killing_workers 13      # as many kills, one a stage and again
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults import killing

# `fiftyone delegated launch`; where models are to watch clips, with torchvision in reach
_LAUNCH = "from fiftyone.core.cli import main; main()"
_WATCHING = f"from tests import torchvision_on_cpu; torchvision_on_cpu.offer(); {_LAUNCH}"


class Worker:
    """A worker of the queue, in a process of its own.

    Args:
        watches: whether it is to run models that watch clips
    """

    def __init__(self, watches: bool = True) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WATCHING if watches else _LAUNCH, "delegated", "launch"],
            cwd=killing.REPO,
            env={**os.environ, "FIFTYONE_SHOW_PROGRESS_BARS": "false"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self._process.pid

    def kill(self) -> None:
        """Kills it as a power cut would."""
        self._process.kill()
        self._process.wait()


def states(queued: list) -> list[str]:
    """The states of queued operations.

    Raises:
        AssertionError: with its error, if one failed
    """
    from fiftyone.operators.delegated import DelegatedOperationService

    operations = [DelegatedOperationService().get(operation) for operation in queued]
    for operation in operations:
        assert operation.run_state != "failed", operation.result.error
    return [operation.run_state for operation in operations]


def pid_of(operation: object) -> int | None:
    """The process that said last that it works on an operation."""
    from fiftyone.operators.store import ExecutionStore

    life = ExecutionStore.create("second_opinion_workers").get(str(operation))
    return life and life["pid"]


def finish(dataset, queued: object, kills: int, longest: float, chance: random.Random) -> int:
    """Lets workers do what is queued, one after another, as they are killed.

    Args:
        dataset: the dataset
        queued: the operation
        kills: how many workers are killed while they are at it, unless it ends before
        longest: the most seconds from its beginning to a kill
        chance: draws the moments

    Returns:
        how many were killed while they were at it
    """
    import fiftyone.operators as foo

    requeue, killed = foo.get_operator("@second-opinion/audit/requeue_stale"), 0
    while True:
        worker = Worker()
        try:
            _wait(lambda: states([queued]) != ["queued"])
            if killed == kills:
                _wait(lambda: states([queued]) == ["completed"])
                return killed
            time.sleep(chance.uniform(0.0, longest))
        finally:
            worker.kill()
        if states([queued]) == ["completed"]:
            return killed
        if states([queued]) == ["running"]:
            killed += 1
            assert requeue(dataset, seconds=6.0)["requeued"] == [str(queued)]


def _wait(is_so, seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def main() -> None:
    """Kills as often as it is told to, stage after stage, and again until it is enough."""
    import fiftyone as fo
    import fiftyone.operators as foo

    from tests.faults import pipeline

    foo.list_operators()  # the plugin, by its path
    kills, folder, after = int(sys.argv[1]), Path(tempfile.mkdtemp()), Counter()
    chance = random.Random(51)
    killing.write_inputs(folder, 30, chance)
    killing.write_media(folder, 8)
    calm, killed = f"calm-{os.getpid()}", f"killed-{os.getpid()}"
    try:
        undisturbed = killing.Pipeline(folder)
        undisturbed.run(calm)
        undisturbed.close()
        while sum(after.values()) < kills:
            if fo.dataset_exists(killed):
                fo.delete_dataset(killed)
            foo.get_operator("@second-opinion/audit/import_action100m")(
                None, annotations=str(folder / "rows.jsonl"), media_dir=str(folder), name=killed
            )
            dataset = fo.load_dataset(killed)
            for stage, settings in pipeline.stages(folder):
                operator = foo.get_operator(f"@second-opinion/audit/{stage}")
                queued = operator(dataset, delegate=True, **settings)
                due = int(sum(after.values()) < kills)
                after[stage] += finish(dataset, queued, due, 6.0, chance)
                dataset.reload()
            left = fo.load_dataset(calm)
            left.reload()
            assert killing.schema(left) == killing.schema(dataset)
            assert killing.documents(left) == killing.documents(dataset)
            print(f"{sum(after.values())} workers killed so far, both ends alike", flush=True)
    finally:
        for name in (calm, killed):
            if fo.dataset_exists(name):
                fo.delete_dataset(name)
    print("killed during:", ", ".join(f"{name} {n}" for name, n in after.most_common()))


if __name__ == "__main__":
    main()
