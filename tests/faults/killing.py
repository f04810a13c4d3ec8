"""Kills a pipeline of real processes at random moments, and compares what it leaves behind.

python -m tests.faults.killing 100      # a hundred kills, with stages that watch clips
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
# What differs between two runs of anything: identity and time.
_PASSING = {"_id", "_dataset_id", "created_at", "last_modified_at", "_rand", "_sample_id"}
# Of the ledgers, one holds the ids of labels, which no two imports share.
_PASSING.add("check_tree_gpt_summary_brief")


def write_inputs(folder: Path, samples: int, chance: random.Random) -> None:
    """Writes trees of captions, and what two witnesses answered; some of it is broken."""
    subjects = ["dog", "cat", "cook", "child", "rider", "singer", "painter", "nurse"]
    deeds = ["opens", "stirs", "paints", "lifts", "washes", "folds", "throws", "cuts"]
    things = ["box", "soup", "wall", "chair", "plate", "shirt", "ball", "rope"]

    def said() -> str:
        return f"A {chance.choice(subjects)} {chance.choice(deeds)} a {chance.choice(things)}."

    def node(name: str, parent: str | None, level: int, start: float, end: float) -> dict:
        brief = said()
        gpt = {
            "summary": {"brief": brief, "detailed": f"{brief} {said()}"},
            "action": {"brief": brief.lower(), "detailed": brief, "actor": brief.split()[1]},
        }
        place = {"node_id": name, "parent_id": parent, "level": level, "start": start, "end": end}
        return {
            **place,
            "plm_action": None,
            "plm_caption": None,
            "llama3_caption": None,
            "gpt": gpt,
        }

    answers: dict[str, list] = {"q": [], "m": []}
    with (folder / "rows.jsonl").open("w") as rows:
        for i in range(samples):
            root = node("r", None, 0, 0.0, 4.0)
            leaves = [node(f"l{k}", "r", 1, k * 1.0, k + 1.0) for k in range(3)]
            row = {"video_uid": f"clip{i:04}", "metadata": {"title": said()}}
            rows.write(json.dumps({**row, "nodes": [root, *leaves]}) + "\n")
            for told in answers.values():
                text = root["gpt"]["summary"]["brief"] if chance.random() < 0.7 else said()
                answer = {"summary": {"brief": text}, "action": {"brief": text.lower()}}
                raw = "this is no answer" if chance.random() < 0.1 else json.dumps(answer)
                told.append({"video_uid": row["video_uid"], "answer": raw})
    for witness, told in answers.items():
        lines = [json.dumps(answer) + "\n" for answer in told if chance.random() < 0.95]
        (folder / f"answers_{witness}.jsonl").write_text("".join(lines))


class Pipeline:
    """A process that has loaded what costs time, and forks one that works when it is told to.

    Args:
        folder: the inputs
    """

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.pipeline", str(folder)],
            cwd=REPO,
            env={**os.environ, "FIFTYONE_SHOW_PROGRESS_BARS": "false"},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._read_until("ready")

    def run(self, name: str) -> float:
        """Does all the work on the dataset of this name; gives the seconds that took.

        Raises:
            AssertionError: with its output, if it failed
        """
        self._begin(name)
        started = time.monotonic()
        *told, status = self._read_until("ended")
        assert status == "ended 0", "\n".join(told[-30:])
        return time.monotonic() - started

    def kill(self, name: str, seconds: float) -> str | None:
        """Works on the dataset, and kills the process that does so long after its beginning.

        Returns:
            the stage that it had finished last; None if it had come to its end before
        """
        pid = self._begin(name)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        *told, status = self._read_until("ended")
        if status == "ended 0":
            return None
        done = [line for line in told if line.isidentifier()]
        return done[-1] if done else "nothing"

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.communicate()

    def _begin(self, name: str) -> int:
        print(name, file=self._process.stdin, flush=True)
        return int(self._read_until("pid")[-1].split()[1])

    def _read_until(self, word: str) -> list[str]:
        told = []
        for line in self._process.stdout:
            told.append(line.strip())
            if line.split()[:1] == [word]:
                return told
        raise AssertionError("\n".join(told[-30:]))


def documents(dataset) -> list[dict]:
    """Every document of samples as it lies in the database, less identities and times."""
    found = [_bare(document) for document in dataset._sample_collection.find()]
    return sorted(found, key=lambda document: document["filepath"])


def _bare(value: object) -> object:
    if isinstance(value, dict):
        return {k: _bare(v) for k, v in value.items() if k not in _PASSING}
    return [_bare(v) for v in value] if isinstance(value, list) else value


def schema(dataset) -> dict:
    """Every field with its kind and our mark."""
    fields = dataset.get_field_schema(flat=True)
    return {name: (str(field), str(field.info)) for name, field in fields.items()}


def kill_and_compare(folder: Path, kills: int, seed: int) -> Counter:
    """Runs the pipeline undisturbed, and again with kills; asserts that both end alike.

    Args:
        folder: the inputs
        kills: how often it is killed at work before it may end
        seed: draws the moments

    Returns:
        how often it was killed after which stage
    """
    import fiftyone as fo

    calm, killed = f"calm-{seed}-{os.getpid()}", f"killed-{seed}-{os.getpid()}"
    chance, after = random.Random(seed), Counter()
    pipeline = Pipeline(folder)
    try:
        seconds = pipeline.run(calm)
        while sum(after.values()) < kills:
            stage = pipeline.kill(killed, chance.uniform(0.0, 0.7) * seconds)
            if stage is not None:
                after[stage] += 1
            elif fo.dataset_exists(killed):
                fo.delete_dataset(killed)  # all was done: only what is begun anew can be hit
        pipeline.run(killed)
        left, right = fo.load_dataset(calm), fo.load_dataset(killed)
        assert schema(left) == schema(right)
        assert documents(left) == documents(right)
    finally:
        pipeline.close()
        for name in (calm, killed):
            if fo.dataset_exists(name):
                fo.delete_dataset(name)
    return after


def main() -> None:
    """Kills as often as it is told to, in rounds of ten."""
    kills, folder = int(sys.argv[1]), Path(tempfile.mkdtemp())
    write_inputs(folder, 30, random.Random(51))
    write_media(folder, 8)
    after: Counter = Counter()
    for seed in range(-(-kills // 10)):
        after += kill_and_compare(folder, min(10, kills - 10 * seed), seed)
        print(f"{sum(after.values())} kills so far, both ends alike", flush=True)
    print("killed after:", ", ".join(f"{name} {n}" for name, n in after.most_common()))


def write_media(folder: Path, films: int) -> None:
    """Writes films, and tiny checkpoints of the models that watch them."""
    from tests import torchvision_on_cpu

    torchvision_on_cpu.offer()  # before transformers is imported
    from tests.models import checkpoints
    from tests.models import films as writer

    checkpoints.siglip2(folder / "lens")
    checkpoints.qwen3_vl(folder / "witness")
    for i in range(films):
        writer.write(folder / f"clip{i:04}.mp4", 10 + 2 * i, gop=10 + i)


if __name__ == "__main__":
    main()
