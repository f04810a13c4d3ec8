"""How fast agreement is scored, against the obvious way, in the same run.

    python -m benchmarks.agreement             # 1,144 samples, lexical and semantic
    python -m benchmarks.agreement --large     # lexical at 10,000 and 100,000 as well

The obvious way loads the model for each comparison, encodes both columns, and
writes one field after another. Texts come from ../shared/data where it is there,
and from a word list otherwise. Every figure is printed with its command's settings.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np

REPO = Path(__file__).resolve().parents[1]
DATA = REPO.parent / "shared" / "data" / "action100m_dev.parquet"
SCORE = "@second-opinion/audit/score_agreement"
NAMES = ("sum_brief", "sum_detailed", "act_brief", "act_detailed", "actor")
ASPECTS = [
    {"name": name, "annotation": f"gt_{name}", "opinions": {"q": f"q_{name}", "m": f"m_{name}"}}
    for name in NAMES
]
EDGES = ["q", "m"]  # ten comparisons a metric, as the workshop makes them


def main() -> None:
    """Runs the comparison and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="lexical at 10k and 100k as well")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "METRIC", "N"), help="a single figure")
    options = parser.parse_args()
    if options.one:
        way, metric, n = options.one
        print(json.dumps(measure(way, metric, int(n))))
        return
    runs = [("lex", 1_144), ("sem", 1_144)]
    runs += [("lex", 10_000), ("lex", 100_000)] if options.large else []
    print("| metric | samples | way | seconds | pairs/s | peak memory | drift |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for metric, n in runs:
        obvious, ours = in_own_process("obvious", metric, n), in_own_process("ours", metric, n)
        drift = np.nanmax(np.abs(np.subtract(obvious["sample"], ours["sample"])))
        for way, figures in (("obvious", obvious), ("ours", ours)):
            print(
                f"| {metric} | {n:,} | {way} | {figures['seconds']:.2f} | "
                f"{10 * n / figures['seconds']:,.0f} | {figures['peak_mb']:,.0f} MB | {drift:.1e} |"
            )
        print(f"| {metric} | {n:,} | ratio | {obvious['seconds'] / ours['seconds']:.1f}x | | | |")
        if "model" in ours:
            print(f"| {metric} | {n:,} | of ours, loading the model | {ours['model']:.2f} | | | |")


def in_own_process(way: str, metric: str, n: int) -> dict:
    """Measures in a fresh process, so that peak memory is this run's own."""
    command = [sys.executable, "-m", "benchmarks.agreement", "--one", way, metric, str(n)]
    done = subprocess.run(command, cwd=REPO, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(way: str, metric: str, n: int) -> dict:
    """Seconds, peak memory in MB, and some scores, for one way of scoring ``n`` samples."""
    foo.get_operator(SCORE)  # the plugin loads before the clock starts
    import sentence_transformers  # noqa: F401  (and so does torch)

    dataset = build(n)
    gc.collect()  # or FiftyOne refreshes every sample still in memory at each write
    try:
        started = time.perf_counter()
        figures = (obvious_way if way == "obvious" else our_way)(dataset, metric)
        figures["seconds"] = time.perf_counter() - started
        figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        first = dataset.limit(500)
        fields = [f"{metric}_{edge}_{name}" for name in NAMES for edge in EDGES]
        figures["sample"] = [
            [np.nan if v is None else v for v in column] for column in first.values(fields)
        ]
    finally:
        dataset.delete()
    return figures


def our_way(dataset: fo.Dataset, metric: str) -> dict:
    """One operator: each unique text once, one write a sample."""
    fo.config.show_progress_bars = False
    foo.get_operator(SCORE)(dataset, aspects=ASPECTS, edges=EDGES, metrics=[metric])
    if metric != "sem":
        return {}
    from fiftyone.plugins.orgs.second_opinion.audit.models.encoder import Encoder

    started = time.perf_counter()
    Encoder()
    return {"model": time.perf_counter() - started}


def obvious_way(dataset: fo.Dataset, metric: str) -> dict:
    """A comparison at a time: load, encode both sides, write one field."""
    for aspect in ASPECTS:
        for edge in EDGES:
            left = dataset.values(aspect["opinions"][edge])
            right = dataset.values(aspect["annotation"])
            score = one_by_one_lexical if metric == "lex" else one_by_one_semantic
            dataset.set_values(f"{metric}_{edge}_{aspect['name']}", score(left, right))
    return {}


def one_by_one_lexical(left: list[str], right: list[str]) -> list[float]:
    """Levenshtein similarity in a loop."""
    from rapidfuzz.distance import Levenshtein

    scores = []
    for a, b in zip(left, right):
        a, b = a.strip().lower(), b.strip().lower()
        scores.append(1 - Levenshtein.distance(a, b) / max(len(a), len(b)))
    return scores


def one_by_one_semantic(left: list[str], right: list[str]) -> list[float]:
    """A model load and two encodes."""
    from fiftyone.plugins.orgs.second_opinion.audit.models.encoder import embedded_model_folder
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(embedded_model_folder()), local_files_only=True)
    a = model.encode(left, normalize_embeddings=True, show_progress_bar=False)
    b = model.encode(right, normalize_embeddings=True, show_progress_bar=False)
    return np.clip((a * b).sum(axis=1), 0, 1).astype(float).tolist()


def build(n: int) -> fo.Dataset:
    """A dataset of ``n`` samples with fifteen texts each, every text its own."""
    rows, chance = texts(), random.Random(51)
    dataset = fo.Dataset()
    for start in range(0, n, 5_000):
        dataset.add_samples(
            [
                fo.Sample(filepath=f"/none/{i}.mp4", **sample_texts(rows, i, chance))
                for i in range(start, min(start + 5_000, n))
            ],
            progress=False,
        )
    return dataset


def sample_texts(rows: list[dict], i: int, chance: random.Random) -> dict[str, str]:
    """The texts of one sample: an annotation, and two witnesses that reword it."""
    row, texts = rows[i % len(rows)], {}
    for name in NAMES:
        texts[f"gt_{name}"] = f"{row[name]} ({i})"
        for witness in EDGES:
            words = row[name].split()
            chance.shuffle(words)
            texts[f"{witness}_{name}"] = f"{' '.join(words)} {witness}{i}"
    return texts


def texts() -> list[dict[str, str]]:
    """Real annotations by aspect, or sentences from a short word list."""
    if not DATA.is_file():
        return [generated(random.Random(i)) for i in range(400)]
    import pyarrow.parquet as pq

    found = []
    for record in pq.read_table(DATA, columns=["nodes"]).to_pylist():
        for node in record["nodes"]:
            if node["gpt"]:
                summary, action = node["gpt"]["summary"], node["gpt"]["action"]
                found.append(
                    {
                        "sum_brief": summary["brief"],
                        "sum_detailed": summary["detailed"],
                        "act_brief": action["brief"],
                        "act_detailed": action["detailed"],
                        "actor": action["actor"],
                    }
                )
    return found


def generated(chance: random.Random) -> dict[str, str]:
    """Texts of the lengths that Action100M has, where the real ones are absent."""
    words = [
        "a",
        "the",
        "man",
        "woman",
        "dog",
        "opens",
        "closes",
        "red",
        "box",
        "table",
        "park",
        "slowly",
        "then",
        "two",
        "holds",
    ]
    lengths = dict(zip(NAMES, (20, 110, 5, 30, 6)))
    return {name: " ".join(chance.choices(words, k=k)) for name, k in lengths.items()}


if __name__ == "__main__":
    main()
