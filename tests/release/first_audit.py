"""A stranger's first audit, in a process of its own, by whichever plugin FiftyOne finds there.

    python tests/release/first_audit.py DATASET

Makes a small dataset of captions, some of them wrong, audits it, and prints what came of it as
JSON. It leans on nothing of this repository, so that it can run in any environment.
"""

import json
import random
import sys

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.registry import OperatorRegistry

PLUGIN = "@second-opinion/audit"
ASPECTS = [{"name": "cap", "annotation": "gt", "opinions": {"q": "one", "m": "two"}}]
WORDS = (
    ("A small dog", "An old man", "A red car", "A young girl", "A tall horse", "A white boat"),
    ("runs along", "waits beside", "turns around", "stops behind", "hurries past"),
    ("a wooden fence", "the harbour", "a busy market", "an empty school", "the frozen lake"),
    ("at dawn", "in heavy rain", "while people watch", "before the concert", "after the snow"),
)
SAMPLES, WRONG = 120, 24


def make(name: str) -> fo.Dataset:
    """Clips that are told apart by their texts; a fifth of the captions are other clips'."""
    rng = random.Random(51)
    told = [[rng.choice(words) for words in WORDS] for _ in range(SAMPLES)]
    if fo.dataset_exists(name):
        fo.delete_dataset(name)
    dataset = fo.Dataset(name, persistent=True)
    samples = []
    for i, (who, does, where, when) in enumerate(told):
        wrong = told[(i + 7) % SAMPLES] if i < WRONG else told[i]
        samples.append(
            fo.Sample(
                filepath=f"/clips/{i}.mp4",
                gt=" ".join(wrong) + ".",
                one=f"{when.capitalize()}, {who.lower()} {does} {where}.",
                two=None if i % 10 == 9 else f"{who} {does} {where}.",
            )
        )
    dataset.add_samples(samples, progress=False)
    return dataset


def main(name: str) -> None:
    """Audits, and prints what came of it."""
    found = OperatorRegistry().list_errors()
    operators = [operator for operator in foo.list_operators() if operator.plugin_name == PLUGIN]
    dataset = make(name)
    foo.get_operator(f"{PLUGIN}/run_audit")(dataset, aspects=ASPECTS)
    run = dataset.get_run_info(dataset.list_runs()[-1])
    told = {
        "errors": found,
        "operators": sorted(operator.name for operator in operators),
        "fiftyone": fo.__version__,
        "versions": getattr(run.config, "versions", {}),
        "fields": sorted(dataset.get_field_schema()),
        "scored": len(dataset.exists("sem_q_cap")),
        "suspects": dataset.match_tags("suspect").values("filepath"),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
