"""Compare lenses: how far two embedding spaces agree on who is like whom, sample by sample."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TypeAlias

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np

from ..agreement.neighbourhoods import jaccard, nearest, rank_biased
from ..engine.columns import root_dataset, write_columns
from ..engine.fields import STATUS
from ..engine.progress import Progress
from .base import Stage
from .lenses import LENSES
from .settings import Settings, setting
from .spooled_vectors import spool

Samples: TypeAlias = fo.core.collections.SampleCollection

_STEMS = {f"{stem}_embeddings": stem for stem, _, _ in LENSES.values()}
# Similarities held at a time: a block of rows against all samples, never all against all
_SIMILARITIES = 10_000_000


# ---- settings ----


@dataclass(frozen=True)
class CompareSettings(Settings):
    lenses: list = setting(
        [],
        "Lenses",
        "The fields of vectors to compare, every two of them; all where empty",
        kind="field",
        types=(fo.VectorField,),
        many=True,
    )
    k: int = setting(10, "Neighbours", "How many neighbours are compared", low=1, high=1000)
    example: str | None = setting(
        None,
        "Example",
        "The id of a sample whose neighbours are listed and shown side by side; in the App, the "
        "sample that is selected",
    )
    overwrite: bool = setting(False, "Overwrite", "Replace fields this audit did not write")


def short_name(field: str) -> str:
    """A lens's name in the names of fields: ``qwen_embeddings`` is ``qwen``."""
    return _STEMS.get(field) or field.removesuffix("_embeddings")


def pair_fields(left: str, right: str) -> tuple[str, str]:
    """The fields of a pair of lenses: overlap, and overlap that weighs the nearest most."""
    pair = f"{short_name(left)}_{short_name(right)}"
    return f"overlap_{pair}", f"overlap_rbo_{pair}"


# ---- work ----


class CompareLenses(Stage):
    """Measures, for each sample, how much its neighbourhoods in two lenses overlap."""

    name = "compare_lenses"
    label = "Compare lenses"
    description = (
        "Measures how much each sample's nearest neighbours in one lens are its neighbours in "
        "another. Writes two fields a pair of lenses, from 0 (none) to 1 (the same), and "
        "audit_status. The vectors lie in a temporary file meanwhile, 4 bytes a number."
    )
    icon = "join_inner"
    settings = CompareSettings

    def writes(self, settings: CompareSettings) -> dict[str, tuple]:
        written = {}
        for left, right in combinations(settings.lenses, 2):
            plain, ranked = pair_fields(left, right)
            both = f"{settings.k} nearest in {left} and {right}"
            written[plain] = (fo.FloatField, f"Jaccard overlap of the {both}, 0 to 1")
            written[ranked] = (fo.FloatField, f"Rank-biased overlap of the {both}, 0 to 1")
        return written

    def check(self, samples: Samples, settings: CompareSettings) -> dict[str, str]:
        found = _lenses(root_dataset(samples), settings)
        if len(found) < 2:
            return {
                "lenses": "Lenses: at least two fields of vectors are needed; the dataset has "
                f"{', '.join(found) or 'none'}. Run embed first."
            }
        if len({short_name(lens) for lens in found}) < len(found):
            return {"lenses": "Lenses: two of the fields have the same short name; rename one."}
        if settings.example and settings.example not in samples.values("id"):
            return {"example": f"Example: there is no sample {settings.example!r} here."}
        return {}

    def problems(self, samples: Samples | None, settings: CompareSettings) -> dict[str, str]:
        return super().problems(samples, _complete(samples, settings))

    def work(self, samples: Samples, settings: CompareSettings, progress: Progress) -> dict:
        settings = _complete(samples, settings)
        dataset = self.open(samples, settings)
        with tempfile.TemporaryDirectory(prefix="second-opinion-") as folder:
            # Only samples that every lens has seen: another crowd has other neighbours
            ids, spaces = spool(samples, settings.lenses, Path(folder), progress.share(0.0, 0.2))
            if len(ids) <= settings.k:
                raise ValueError(
                    f"{len(ids):,} samples have vectors in all of {', '.join(settings.lenses)}; "
                    f"comparing {settings.k} neighbours needs more than that."
                )
            scores, near = _compare(ids, spaces, settings, progress.share(0.2, 0.9))
        write_columns(dataset, ids, {**scores, f"{STATUS}.{self.name}": ["ok"] * len(ids)})
        _mark_missing(dataset, samples, self.name, ids, list(scores))
        report = _report(samples.count(), ids, settings, scores)
        return {**report, **_side_by_side(samples, settings, near)}

    def resolve_input(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        _take_selected(ctx)
        return super().resolve_input(ctx)

    def execute(self, ctx: foo.ExecutionContext) -> dict:
        _take_selected(ctx)
        return super().execute(ctx)

    def shows(self, samples: Samples, settings: CompareSettings, report: dict) -> fo.DatasetView:
        if report["neighbours"]:
            # The example, then the nearest of each lens, the next nearest of each, and so on
            ranked = [
                row[f"{lens} id"] for row in report["neighbours"] for lens in report["lenses"]
            ]
            return samples.select(list(dict.fromkeys([settings.example, *ranked])), ordered=True)
        first = report["pairs"][0]["field"]
        return samples.exists(first).sort_by(first)


def _lenses(dataset: fo.Dataset, settings: CompareSettings) -> list[str]:
    schema = dataset.get_field_schema(ftype=fo.VectorField)
    return list(dict.fromkeys(settings.lenses)) or list(schema)


def _complete(samples: Samples | None, settings: CompareSettings) -> CompareSettings:
    if samples is None or not isinstance(samples, fo.core.collections.SampleCollection):
        return settings
    lenses = _lenses(root_dataset(samples), settings)
    return replace(settings, lenses=lenses)


def _compare(
    ids: list[str], spaces: list[np.ndarray], settings: CompareSettings, progress: Progress
) -> tuple[dict[str, np.ndarray], list[list[str]]]:
    pairs = list(combinations(range(len(spaces)), 2))
    names = [pair_fields(settings.lenses[a], settings.lenses[b]) for a, b in pairs]
    scores = {name: np.empty(len(ids)) for both in names for name in both}
    example = ids.index(settings.example) if settings.example in ids else -1
    near_example: list[list[str]] = []
    block = max(1, min(1024, _SIMILARITIES // len(ids)))
    with progress.step("Comparing neighbourhoods", len(ids)) as advance:
        for start in range(0, len(ids), block):
            rows = np.arange(start, min(start + block, len(ids)))
            near = [nearest(space, rows, settings.k) for space in spaces]
            for (a, b), (plain, ranked) in zip(pairs, names):
                scores[plain][rows] = jaccard(near[a], near[b])
                scores[ranked][rows] = rank_biased(near[a], near[b])
            if start <= example <= rows[-1]:
                near_example = [[ids[place] for place in n[example - start]] for n in near]
            advance(len(rows))
    return scores, near_example


def _side_by_side(samples: Samples, settings: CompareSettings, near: list[list[str]]) -> dict:
    """The example's neighbours, a row a rank: each lens's file, its id, and who shares it."""
    known = sorted({sample_id for ids in near for sample_id in ids})
    found, paths = samples.select(known).values(["id", "filepath"]) if known else ([], [])
    files = {sample_id: Path(path).name for sample_id, path in zip(found, paths)}
    rows = []
    for rank, ids in enumerate(zip(*near), start=1):
        row: dict = {"rank": rank}
        for lens, sample_id in zip(settings.lenses, ids):
            others = sum(sample_id in others for others in near) - 1
            row[lens] = f"{files[sample_id]}{' (shared)' if others else ''}"
            row[f"{lens} id"] = sample_id
        rows.append(row)
    told: dict = {"lenses": list(settings.lenses), "neighbours": rows}
    if settings.example and not rows:
        told["example"] = f"{settings.example} has no vector in some lens."
    return told


def _take_selected(ctx: foo.ExecutionContext) -> None:
    selected = ctx.selected or []
    if len(selected) == 1 and "example" not in ctx.params:
        ctx.params["example"] = selected[0]


def _mark_missing(
    dataset: fo.Dataset, samples: Samples, stage: str, ids: list[str], fields: list[str]
) -> None:
    seen = set(ids)
    missing = [sample_id for sample_id in samples.values("id") if sample_id not in seen]
    blank: dict[str, list] = {field: [None] * len(missing) for field in fields}
    status = {f"{STATUS}.{stage}": ["missing"] * len(missing)}
    write_columns(dataset, missing, {**blank, **status})


def _report(
    total: int,
    ids: list[str],
    settings: CompareSettings,
    scores: dict[str, np.ndarray],
) -> dict:
    # Two lenses that know nothing of each other share k of n - 1 by chance
    others, k = len(ids) - 1, settings.k
    chance = k / others / (2 - k / others)
    rows = []
    for left, right in combinations(settings.lenses, 2):
        plain, ranked = pair_fields(left, right)
        rows.append(
            {
                "lenses": f"{short_name(left)}, {short_name(right)}",
                "field": plain,
                "mean overlap": round(float(scores[plain].mean()), 4),
                "mean rank-biased": round(float(scores[ranked].mean()), 4),
                "by chance": round(chance, 4),
                "samples without a common neighbour": int((scores[plain] == 0).sum()),
                "n": len(ids),
            }
        )
    summary = [
        f"Compared the {k} nearest neighbours of {len(ids):,} of {total:,} samples in "
        f"{len(settings.lenses)} lenses; {total - len(ids):,} have no vector in some lens."
    ]
    for row in rows:
        summary.append(
            f"{row['lenses']}: {row['mean overlap']:.2f} of the neighbours are shared on average "
            f"({row['by chance']:.2f} by chance)."
        )
    return {"summary": summary, "samples": total, "pairs": rows}
