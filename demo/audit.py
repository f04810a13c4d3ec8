"""Runs the audit's stages on the demo's clips, and reads off whom the tags accuse."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.core.odm.dataset import ActiveFields

from demo.selfcheck import Rule

PLUGIN = "@second-opinion/audit"
ASPECT = "sum_detailed"
#: The share of good labels to tolerate among the accused.
FDR = 0.1
#: The share of the labels that a person would review, worst first.
REVIEWED = 0.2
#: The witnesses' fields begin like this.
PREFIXES = {"q": "qwen3vl", "m": "molmo"}

_MADE_FROM = "demo_made_from"
#: The workshop's tags by which at least one witness agrees.
_FOR_IT = (
    *("qwen_agrees", "molmo_agrees", "triple_agreement"),
    *("qwen_only", "molmo_only", "paraphrase"),
)


def show_bars(shown: bool) -> None:
    """Shows or hides FiftyOne's progress bars, which make a mess of a log."""
    fo.config.show_progress_bars = shown


def run_stages(
    name: str, annotations: Path, clips: Path, answers: dict[str, Path], say: Callable[[str], None]
) -> tuple[fo.Dataset, list[Rule]]:
    """Imports, reads both witnesses' answers, scores, and tags by either kind of rules.

    Every stage goes on from what an earlier run left, unless the annotations have
    changed since: then the dataset is made anew.

    Args:
        name: of the dataset
        annotations: the parquet file
        clips: the folder of the videos
        answers: ``{witness: JSONL file of raw answers}``
        say: takes one line about each stage

    Returns:
        the dataset, with the calibrated tags, and whom each rule accused
    """

    def run(stage: str, samples: fo.Dataset | None, **settings: object) -> None:
        operator = foo.get_operator(f"{PLUGIN}/{stage}")
        summary = operator(samples, **settings)["summary"]
        say(f"{stage}: {' '.join(summary)}")

    made_from = hashlib.sha256(annotations.read_bytes() + str(clips).encode()).hexdigest()
    if fo.dataset_exists(name):
        if fo.load_dataset(name).info.get(_MADE_FROM, made_from) != made_from:
            say(f"The clips or their annotations have changed: {name} is made anew.")
            fo.delete_dataset(name)
    # kept, because "N/A" is an answer too: nobody acts on a title card
    files = {"annotations": str(annotations), "media_dir": str(clips)}
    run("import_action100m", None, **files, name=name, na="keep")
    dataset = fo.load_dataset(name)
    dataset.info[_MADE_FROM] = made_from
    # the grid is to show the films, not every label on top of them
    dataset.app_config.active_fields = ActiveFields(paths=["tags"])
    dataset.save()
    run("hoist_labels", dataset)
    for witness, file in answers.items():
        run("read_opinions", dataset, prefix=PREFIXES[witness], file=str(file))
    if dataset.has_sample_field(f"ruling_{ASPECT}"):  # an earlier run's; first the texts alone
        run("clear_audit", dataset, stages=["ground_disputes"])
    run("score_agreement", dataset)
    run("tag_confidence", dataset, rules="workshop", aspect=ASPECT)
    rules = workshop_accusations(dataset)
    run("calibrate", dataset)
    run("tag_confidence", dataset, rules="calibrated", aspect=ASPECT, fdr=FDR)
    semantic = [f"sem_q_{ASPECT}", f"sem_m_{ASPECT}"]
    rules.append(calibrated_accusation(dataset))
    rules.append(lowest(dataset, "lowest sem", semantic, "mean semantic similarity"))
    confidence = [f"confidence_{ASPECT}"]
    rules.append(lowest(dataset, "lowest conf.", confidence, "calibrated confidence"))
    return dataset, rules


def lowest(dataset: fo.Dataset, name: str, scores: list[str], words: str) -> Rule:
    """Accuses the fifth of the labels that a score ranks lowest: an equal budget of reviews."""
    values = {}
    for uid, *row in zip(*dataset.values(["video_uid", *scores])):
        known = [value for value in row if value is not None]
        values[uid] = sum(known) / len(known) if known else None
    ranked = sorted((value, uid) for uid, value in values.items() if value is not None)
    worst = {uid for _, uid in ranked[: round(REVIEWED * len(ranked))]}
    accused = {uid: None if value is None else uid in worst for uid, value in values.items()}
    return Rule(
        name, f"It accuses the {REVIEWED:.0%} of the labels with the lowest {words}.", accused
    )


def calibrated_accusation(dataset: fo.Dataset) -> Rule:
    """Accuses the labels that the calibrated rules call suspect."""
    fields = ["video_uid", "tags", "verdict", f"confidence_{ASPECT}"]
    accused = {
        uid: None if confidence is None or verdict == "beyond_clip" else "suspect" in (tags or ())
        for uid, tags, verdict, confidence in zip(*dataset.values(fields))
    }
    meaning = f"It accuses a suspect; about {FDR:.0%} of the suspects may be fine labels."
    return Rule("calibrated", meaning, accused)


def workshop_accusations(dataset: fo.Dataset) -> list[Rule]:
    """Two ways to accuse a label by the workshop's tags, the strict and the broad."""
    fields = ["video_uid", "tags", f"sem_q_{ASPECT}", f"sem_m_{ASPECT}"]
    strict: dict[str, bool | None] = {}
    broad: dict[str, bool | None] = {}
    for uid, tags, *scores in zip(*dataset.values(fields)):
        judged = all(score is not None for score in scores)
        tags = set(tags or ())
        strict[uid] = "triple_disagreement" in tags if judged else None
        broad[uid] = not tags & set(_FOR_IT) if judged else None
    return [
        Rule(
            "both disagree",
            "It accuses a label that has the workshop's tag triple_disagreement.",
            strict,
        ),
        Rule(
            "none agrees",
            "It accuses a label that has none of the workshop's tags by which a witness agrees.",
            broad,
        ),
    ]
