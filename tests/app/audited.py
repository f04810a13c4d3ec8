"""A dataset as an audit leaves it, of any size, for pictures and figures of the panels."""

from pathlib import Path

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
from PIL import Image

SCENES = ("a girl opens a wooden box", "a cook slices bread", "two men lift a ladder")
LENS = "qwen_viz"


def make_dataset(n: int, folder: Path, name: str = "audited") -> fo.Dataset:
    """Clips that were audited: five aspects, two witnesses, scores, confidences and verdicts.

    A projection and the confidences of wrong pairs are there as well, so that no view is empty.

    Args:
        n: how many samples
        folder: where their one picture is written
        name: the dataset's name begins with it; one that has the name is replaced
    """
    from fiftyone.plugins.orgs.second_opinion.audit.agreement.aspects import ACTION100M
    from fiftyone.plugins.orgs.second_opinion.audit.engine.workspace import install_workspace

    random = np.random.default_rng(51)
    picture = folder / "frame.png"
    Image.new("RGB", (320, 240), (60, 90, 120)).save(picture)
    good = random.random(n) < 0.85
    if n < 20:
        good[0] = False  # of a few, one is suspect
    columns: dict[str, list] = {"verdict": np.where(good, "agreed", "annotation_suspect").tolist()}
    columns["confidence"] = np.where(good, random.beta(8, 1, n), random.beta(1, 30, n)).tolist()
    for aspect in ACTION100M:
        for i, field in enumerate(aspect.fields):
            own = np.where(good | (i > 0), 0, 1) + np.arange(n)
            columns[field] = [f"{SCENES[k % 3]}, as {field} has it." for k in own]
        columns[f"confidence_{aspect.name}"] = columns["confidence"]
        for edge in aspect.edges():
            for metric, low in (("lex", 0.35), ("sem", 0.7), ("sup", 0.6), ("match", 0.9)):
                centre = np.where(good | (edge.name == "qm"), low, low / 3)
                score = np.clip(random.normal(centre, 0.12), 0, 1)
                lost = random.random(n) < 0.04
                columns[edge.field(metric)] = [None if g else s for g, s in zip(lost, score)]
    tags = [[v] if ok else [v, "suspect"] for v, ok in zip(columns["verdict"], good)]
    dataset = fo.Dataset(f"{name}-{n}", overwrite=True, persistent=True)
    rows = zip(*columns.values())
    dataset.add_samples(
        (
            fo.Sample(filepath=str(picture), tags=t, audit_tags=t, **dict(zip(columns, row)))
            for t, row in zip(tags, rows)
        ),
        num_samples=n,
    )
    places = random.normal(size=(n, 2)) + np.array([[0, 0], [4, 3]])[good.astype(int)]
    fob.compute_visualization(dataset, points=places, brain_key=LENS, verbose=False)
    _keep_wrong_pairs(dataset, [aspect.name for aspect in ACTION100M])
    install_workspace(dataset)
    return dataset


def _keep_wrong_pairs(dataset: fo.Dataset, aspects: list[str]) -> None:
    # As a run of calibrate keeps them
    counts = [400, 180, 90, 50, 30, 20, 12, 8, 5, 3, *[1] * 10]
    config = dataset.init_run(stage="calibrate", finished="2026-01-31T10:20:30")
    key = "second_opinion_calibrate_20260131_102030_ab12"
    dataset.register_run(key, config)
    report = {"null": dict.fromkeys(aspects, counts)}
    dataset.save_run_results(key, dataset.init_run_results(key, report=report))
