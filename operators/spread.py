"""One stage over many workers: as operations in the queue, or as actors of a Ray cluster."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import fiftyone as fo

from ..engine import columns, ray_runner
from ..engine.columns import root_dataset
from ..engine.progress import Progress
from ..engine.shards import between, cut
from .settings import Settings, SettingsError, setting

if TYPE_CHECKING:
    from .base import Stage

Samples: TypeAlias = fo.core.collections.SampleCollection

_NAMES = ("shards", "runner")


@dataclass(frozen=True)
class SpreadSettings(Settings):
    """The settings of stages that work sample by sample, so that many workers can share them."""

    shards: int = setting(
        1,
        "Parts",
        "Splits the work into so many operations, which any workers take from the queue; on Ray, "
        "into so many actors",
        low=1,
        high=4096,
        late=True,
    )
    runner: str = setting(
        "here",
        "Runner",
        "Where the work is done: here (or by the worker that takes it), or on a Ray cluster",
        choices=("here", "ray"),
        late=True,
    )
    part: list | None = setting(
        None, "Part", "The ids where this part begins and ends", many=True, late=True,
        shown=lambda settings: False,
    )  # fmt: skip


def failures_setting() -> Any:
    """How many samples may fail before a run is stopped."""
    return setting(
        None,
        "Most failures",
        "Stops once more samples failed than this: a count from 1 up, or a share of the samples "
        "below 1; what was done is kept. No limit where empty",
        kind="number",
        low=0.0,
        late=True,
    )


def refuse_spread(stage: Stage, given: dict) -> None:
    """Says of a stage that needs all samples at once that it cannot be split.

    Raises:
        SettingsError: a sentence
    """
    declared = stage.settings.declared()
    problems = {
        name: f"{stage.label} needs the whole set of samples at once, so it cannot be split over "
        f"workers; leave out {name}."
        for name in _NAMES
        if name in given and name not in declared and given[name] not in (1, "here", None)
    }
    if problems:
        raise SettingsError(problems)
    for name in _NAMES:
        if name not in declared:
            given.pop(name, None)


def problems(stage: Stage, settings: Settings) -> dict[str, str]:
    """What stands in the way of the runner that is asked for."""
    if getattr(settings, "runner", "here") != "ray":
        return {}
    if not stage.rides_ray:
        return {
            "runner": f"Runner: {stage.label} is not sent through Ray; use shards with workers."
        }
    why = ray_runner.missing()
    return {"runner": f"Runner: {why}"} if why else {}


def is_spread(settings: Settings) -> bool:
    """Whether the work is to be shared, and this is not a share already."""
    if getattr(settings, "part", None):
        return False
    return getattr(settings, "shards", 1) > 1 or getattr(settings, "runner", "here") == "ray"


def run_part(stage: Stage, samples: Samples | None, settings: Settings, progress: Progress) -> dict:
    """Does the work on the part that the settings name; on all samples where they name none."""
    part = getattr(settings, "part", None)
    return stage.work(between(samples, *part) if part else samples, settings, progress)


def queue_parts(stage: Stage, samples: Samples, settings: SpreadSettings) -> list:
    """Queues an operation for each part; gives their ids."""
    return [stage.queue(samples, part) for part in _parts(stage, samples, settings)]


def run_parts(stage: Stage, samples: Samples, settings: SpreadSettings, progress: Progress) -> dict:
    """Queues the parts, or runs them on Ray and writes what comes back."""
    if settings.runner == "ray":
        return _run_on_ray(stage, samples, settings, progress)
    queued = [str(operation) for operation in queue_parts(stage, samples, settings)]
    summary = (
        f"Queued {len(queued)} parts of {samples.count():,} samples. Start workers with "
        "`fiftyone delegated launch`, on any machine that reaches this database."
    )
    return {"summary": [summary], "samples": samples.count(), "operations": queued}


def _parts(stage: Stage, samples: Samples, settings: SpreadSettings) -> list[SpreadSettings]:
    # Fields are declared once, here: workers that declare the same ones at once collide
    stage.open(samples, settings)
    bounds = cut(samples, settings.shards, stage.block(settings))
    return [replace(settings, part=part, runner="here") for part in bounds]


def _run_on_ray(
    stage: Stage, samples: Samples, settings: SpreadSettings, progress: Progress
) -> dict:
    parts = [part.as_params() for part in _parts(stage, samples, settings)]
    dataset, reports = root_dataset(samples), []
    with progress.step(f"{stage.label} on Ray", len(parts)) as advance:
        for name, given in ray_runner.run(stage.uri, samples, parts, stage.prefers_delegation):
            if name == "report":
                reports.append(given[0])
                advance(1)
            else:
                columns.write_relayed(dataset, name, given)
                advance(0)
    dataset.reload()  # the actors have kept with it which models they used
    totals: Counter = Counter()
    for report in reports:
        totals.update({k: n for k, n in report.items() if type(n) is int})
    told = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in totals.items())
    summary = [f"Ray worked on {len(parts)} parts of {samples.count():,} samples: {told}."]
    return {"summary": summary, **totals, "parts": [{"part": r["summary"][0]} for r in reports]}
