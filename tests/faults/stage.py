"""One command in a process of its own, on whatever server FIFTYONE_DATABASE_URI names.

    python -m tests.faults.stage COMMAND [ARGUMENTS AS JSON]

Prints its result as JSON, or ends with 3 and the last line of the error.
"""

from __future__ import annotations

import json
import os
import sys

import fiftyone as fo
import fiftyone.operators as foo

foo.list_operators()  # the plugin, by its path


def build(name: str, samples: int, kilobytes: int = 0) -> None:
    """Makes samples with three texts each, no two alike, and bytes that take room."""
    dataset = fo.Dataset(name, persistent=True)
    rows = [
        fo.Sample(
            filepath=f"/none/{i}.mp4",
            label=f"A dog runs past tree number {i}.",
            one=f"A dog sits under tree number {i + 3}.",
            two=None if i % 5 == 0 else f"Tree number {i} and a dog.",
            room=os.urandom(kilobytes * 500).hex(),
        )
        for i in range(samples)
    ]
    dataset.add_samples(rows, progress=False)


def run(name: str, stage: str, settings: dict) -> dict:
    """Runs a stage on a dataset."""
    return foo.get_operator(f"@second-opinion/audit/{stage}")(fo.load_dataset(name), **settings)


def watch(name: str, stage: str, settings: dict) -> dict:
    """Runs a stage that watches clips."""
    from tests import torchvision_on_cpu

    torchvision_on_cpu.offer()  # before transformers is imported
    return run(name, stage, settings)


def documents(name: str) -> list[dict]:
    """The samples as they lie in the database, less identities and times."""
    from tests.faults import killing

    return killing.documents(fo.load_dataset(name))


if __name__ == "__main__":
    command = {"build": build, "run": run, "watch": watch, "documents": documents}[sys.argv[1]]
    try:
        print(json.dumps(command(*json.loads(sys.argv[2])), default=str))
    except Exception as error:  # noqa: BLE001 - the test wants to read it
        print(f"{type(error).__name__}: {error}")
        sys.exit(3)
