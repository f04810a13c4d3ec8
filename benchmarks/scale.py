"""How seconds and memory grow with the dataset, against the straightforward way, in one run.

    python -m benchmarks.scale                                # 10,000 and 100,000 samples
    python -m benchmarks.scale --sizes 10000 100000 1000000   # half an hour, 25 GB of disk
    python -m benchmarks.scale --encoder 1000 4000            # what asks the encoder
    python -m benchmarks.scale --workers 100000               # one worker against two

Every figure is taken in a process of its own. Texts are made of the words of
../shared/data, or of a short list where that is absent; no two samples have the same.
The straightforward way reads whole columns into lists and writes one field after another.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
from fiftyone import ViewField as F

from benchmarks.agreement import texts

REPO = Path(__file__).resolve().parents[1]
ASPECTS = [{"name": "cap", "annotation": "gt", "opinions": {"q": "qwen", "m": "molmo"}}]
STRAIGHT = "score_agreement lex, straightforward"
#: ``{stage: (operator, settings)}``, in the order in which they run.
STAGES = {
    "hoist_labels": ("hoist_labels", {"fields": {"tree": "root"}}),
    "read_opinions": ("read_opinions", {"prefix": "third", "source_field": "answer"}),
    "score_agreement lex": ("score_agreement", {"aspects": ASPECTS, "metrics": ["lex"]}),
    "score_agreement lex, again": ("score_agreement", {"aspects": ASPECTS, "metrics": ["lex"]}),
    "tag_confidence": ("tag_confidence", {"aspect": "cap", "rules": "workshop"}),
}
# Overwrite, since the samples come with drawn scores for tag_confidence.
_SEM = {"aspects": ASPECTS, "overwrite": True}
ENCODED = {
    "score_agreement sem": ("score_agreement", {**_SEM, "metrics": ["sem"]}),
    "score_agreement sup": ("score_agreement", {**_SEM, "metrics": ["sup"]}),
    "calibrate": ("calibrate", _SEM),
}
_BASE = 10_000  # samples made one by one; more are copies on the server, told apart


def main() -> None:
    """Measures what the options name, and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N")
    parser.add_argument("--encoder", nargs="+", type=int, metavar="N")
    parser.add_argument("--workers", type=int, metavar="N")
    parser.add_argument("--one", nargs=2, metavar=("STAGE", "DATASET"), help="a single figure")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return
    if options.encoder:
        tabulate(list(ENCODED), options.encoder)
    if options.workers:
        compare_workers(options.workers)
    if options.sizes or not (options.encoder or options.workers):
        sizes = options.sizes or [10_000, 100_000]
        tabulate([*STAGES, STRAIGHT], sizes)


def tabulate(stages: list[str], sizes: list[int]) -> None:
    """Prints a row for every stage and size, and how each stage grows."""
    print("| stage | samples | seconds | samples/s | peak memory | of that, work |", flush=True)
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    seconds: dict[str, list[float]] = {}
    for n in sizes:
        name = f"scale_{n}"
        started = time.perf_counter()
        build(name, n)
        print(f"| (making the samples) | {n:,} | {time.perf_counter() - started:.1f} | | | |")
        for stage in stages:
            found = in_own_process(stage, name)
            seconds.setdefault(stage, []).append(found["seconds"])
            print(
                f"| {stage} | {n:,} | {found['seconds']:.1f} | {n / found['seconds']:,.0f} | "
                f"{found['peak']:,.0f} MB | {found['peak'] - found['start']:,.0f} MB |",
                flush=True,
            )
        fo.delete_dataset(name)
    if len(sizes) > 1:
        print("\nGrowth: seconds go with samples to the power of")
        for stage, taken in seconds.items():
            slope = np.polyfit([math.log(n) for n in sizes], [math.log(s) for s in taken], 1)[0]
            print(f"- {stage}: {slope:.2f}")


def in_own_process(stage: str, name: str) -> dict:
    """Measures in a fresh process, so that peak memory is this stage's own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--one", stage, name]
    done = subprocess.run(command, cwd=REPO, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(stage: str, name: str) -> dict:
    """Seconds, and memory in MB before the work and at its peak."""
    fo.config.show_progress_bars = False
    foo.list_operators()  # the plugin loads before the clock starts
    dataset = fo.load_dataset(name)
    if stage in ENCODED:
        from fiftyone.plugins.orgs.second_opinion.audit.models.encoder import Encoder

        Encoder().encode(["so that all that the encoder needs is in memory"])
    start = memory("VmRSS")
    started = time.perf_counter()
    if stage == STRAIGHT:
        straightforward(dataset)
    else:
        operator, settings = {**STAGES, **ENCODED}[stage]
        foo.get_operator(f"@second-opinion/audit/{operator}")(dataset, **settings)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "start": start, "peak": memory("VmHWM")}


def memory(what: str) -> float:
    """MB of this process, as Linux counts them: ``VmRSS`` now, ``VmHWM`` at its peak."""
    # getrusage would give the peak of the process that started this one
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return math.nan


def straightforward(dataset: fo.Dataset) -> None:
    """Whole columns in lists, a loop over pairs, one ``set_values`` a field."""
    from rapidfuzz.distance import Levenshtein

    columns = {name: dataset.values(name) for name in ("gt", "qwen", "molmo")}
    for edge, (left, right) in {
        "q": ("qwen", "gt"),
        "m": ("molmo", "gt"),
        "qm": ("qwen", "molmo"),
    }.items():
        scores = [
            Levenshtein.normalized_similarity(a.strip().lower(), b.strip().lower())
            for a, b in zip(columns[left], columns[right])
        ]
        dataset.set_values(f"plain_{edge}", scores)


# ---- the samples ----


def build(name: str, n: int) -> None:
    """Makes a dataset of ``n`` samples: some one by one, the rest as copies told apart."""
    if fo.dataset_exists(name):
        fo.delete_dataset(name)
    dataset = fo.Dataset(name, persistent=True)
    rows, chance = [row["sum_brief"] for row in texts()], random.Random(51)
    vocabulary = sorted({word for row in rows for word in row.split()})
    first = min(n, _BASE)
    for start in range(0, first, 1_000):
        ids = range(start, min(start + 1_000, first))
        samples = [sample(rows[i % len(rows)], vocabulary, i, chance) for i in ids]
        dataset.add_samples(samples, progress=False)
    if n > first:
        base = dataset.clone()
        for _ in range(n // first - 1):
            dataset.add_collection(base, new_ids=True)
        base.delete()
    for field in ("gt", "qwen", "molmo"):
        dataset.set_field(field, F(field).concat(" ", F("_id").to_string())).save(field)


def sample(text: str, vocabulary: list[str], i: int, chance: random.Random) -> fo.Sample:
    """One sample: an annotation, two opinions that reword it, a tree, and a raw answer."""

    def reworded() -> str:
        words = [w if chance.random() < 0.7 else chance.choice(vocabulary) for w in text.split()]
        return " ".join(words)

    root = fo.TemporalDetection(label=text, support=[1, 9], level=0, tier="root")
    leaf = fo.TemporalDetection(label=reworded(), support=[1, 4], level=1, tier="leaf")
    answer = {"summary": {"brief": reworded(), "detailed": f"{reworded()} {reworded()}"}}
    answer["action"] = {"brief": reworded(), "detailed": reworded(), "actor": "a person"}
    return fo.Sample(
        filepath=f"/none/{i}.mp4",
        gt=text,
        qwen=reworded(),
        molmo=reworded(),
        tree=fo.TemporalDetections(detections=[root, leaf]),
        answer=json.dumps(answer),
        sem_q_cap=chance.random(),
        sem_m_cap=chance.random(),
    )


# ---- workers ----


def compare_workers(n: int) -> None:
    """One worker against two on the same work, and what starting one costs."""
    build("scale_workers", n)
    dataset = fo.load_dataset("scale_workers")
    print("| workers | seconds of work | start of a worker | samples/s |")
    print("| ---: | ---: | ---: | ---: |")
    for workers in (1, 2):
        taken, start = run_queued(dataset, workers)
        print(f"| {workers} | {taken:.1f} | {start:.1f} s | {n / taken:,.0f} |", flush=True)
    dataset.delete()


def run_queued(dataset: fo.Dataset, workers: int) -> tuple[float, float]:
    """Seconds from the first shard's start to the last one's end, and to the first start."""
    from fiftyone.operators.delegated import DelegatedOperationService

    score = foo.get_operator("@second-opinion/audit/score_agreement")
    queued = score(
        dataset, aspects=ASPECTS, metrics=["lex"], overwrite=True, shards=workers, delegate=True
    )
    ids = queued if isinstance(queued, list) else [queued]
    command = [str(Path(sys.executable).with_name("fiftyone")), "delegated", "launch"]
    began = time.time()
    running = [
        subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL) for _ in range(workers)
    ]
    try:
        service = DelegatedOperationService()
        while any(operation.completed_at is None for operation in map(service.get, ids)):
            if any(service.get(i).failed_at for i in ids):
                raise RuntimeError("a shard failed; see the worker's output")
            time.sleep(0.5)
        done = [service.get(i) for i in ids]
    finally:
        for process in running:
            process.kill()
            process.wait()
    first = min(operation.started_at for operation in done)
    last = max(operation.completed_at for operation in done)
    utc = first.timestamp() - time.timezone
    return (last - first).total_seconds(), utc - began


if __name__ == "__main__":
    main()
