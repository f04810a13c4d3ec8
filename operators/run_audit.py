"""Run audit: the chosen stages in order, as one operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.types import Button, Placement, Places

from ..agreement.aspects import ACTION100M_HOISTED, read_aspects
from ..engine.columns import root_dataset
from ..engine.progress import Progress
from .audit_settings import aspects_setting, segments_setting
from .base import Stage
from .calibrate import Calibrate
from .hoist_labels import HoistLabels
from .score_agreement import ScoreAgreement
from .settings import Settings, SettingsError, setting
from .tag_confidence import TagConfidence

#: The stages that can be chosen, in the order in which they run.
STAGES: dict[str, type[Stage]] = {
    stage.name: stage for stage in (HoistLabels, ScoreAgreement, Calibrate, TagConfidence)
}

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class RunSettings(Settings):
    stages: list | None = setting(
        None,
        "Stages",
        "Which stages to run, always in this order; those that suit the dataset where empty",
        many=True,
        choices=tuple(STAGES),
    )
    aspects: object = aspects_setting()
    segments: str | None = segments_setting()
    settings: dict = setting(
        {}, "Settings", 'The stages\' own settings, as {"tag_confidence": {"aspect": "actor"}}'
    )
    overwrite: bool = setting(
        False, "Overwrite", "Do everything again, and replace fields this audit did not write"
    )


# ---- work ----


class RunAudit(Stage):
    """Runs the chosen stages in order; what a stage finished stays, whatever follows."""

    name = "run_audit"
    label = "Run audit"
    description = (
        "Runs the chosen stages in order with one progress bar. Writes what those stages write; "
        "each stage's results are kept as soon as it ends, and a second run goes on from there."
    )
    icon = "playlist_play"
    settings = RunSettings
    keeps_run = False  # every stage keeps its own

    def resolve_placement(self, ctx: foo.ExecutionContext) -> Placement:
        """A button above the samples' grid."""
        button = Button(label="Second opinion: run an audit", icon=self.icon, prompt=True)
        return Placement(Places.SAMPLES_GRID_SECONDARY_ACTIONS, button)

    def check(self, samples: Samples, settings: RunSettings) -> dict[str, str]:
        try:
            plan = _plan(root_dataset(samples), settings)
        except (SettingsError, ValueError) as error:
            return {"settings": f"Settings: {error}"}
        if not plan:
            return {"stages": "Stages: choose at least one."}
        return _first_problem(samples, plan)

    def writes(self, settings: RunSettings) -> dict[str, tuple]:
        return {}  # each stage declares and guards its own fields

    def work(self, samples: Samples, settings: RunSettings, progress: Progress) -> dict:
        plan = _plan(root_dataset(samples), settings)
        summary, reports = [], {}
        for i, (stage, stage_settings) in enumerate(plan):
            part = progress.share(i / len(plan), (i + 1) / len(plan), f"{i + 1}/{len(plan)} ")
            reports[stage.name] = stage.run(samples, stage_settings, part)
            summary += [f"{stage.label}: {line}" for line in reports[stage.name]["summary"]]
        return {"summary": summary, "stages": reports}


def _plan(dataset: fo.Dataset, settings: RunSettings) -> list[tuple[Stage, Settings]]:
    aspects = read_aspects(settings.aspects)
    chosen = settings.stages
    if chosen is None:
        chosen = [name for name in STAGES if _suits(name, dataset, settings)]
    unknown = [name for name in settings.settings if name not in STAGES]
    if unknown:
        raise ValueError(f"there is no stage {unknown[0]!r}; there are {', '.join(STAGES)}.")
    shared = {
        "aspects": settings.aspects,
        "segments": settings.segments,
        "overwrite": settings.overwrite,
        "aspect": "sum_detailed" if settings.aspects == "action100m" else aspects[0].name,
    }
    plan = []
    for name, stage in STAGES.items():
        if name in chosen:
            declared = stage.settings.declared()
            given = {key: value for key, value in shared.items() if key in declared}
            given |= settings.settings.get(name, {})
            plan.append((stage(), stage.settings.read(given)))
    return plan


def _suits(name: str, dataset: fo.Dataset, settings: RunSettings) -> bool:
    if settings.segments:
        return "segments" in STAGES[name].settings.declared()
    if name == HoistLabels.name:
        return settings.aspects == "action100m" and any(
            dataset.get_field(source) is not None for source in ACTION100M_HOISTED
        )
    return True


def _first_problem(samples: Samples, plan: list[tuple[Stage, Settings]]) -> dict[str, str]:
    # The first stage is checked in full. The others may need fields that are not
    # there yet, so only their values are checked now, and the rest at their turn.
    for i, (stage, settings) in enumerate(plan):
        problems = settings.problems(None) if i else stage.problems(samples, settings)
        if problems:
            return {"settings": f"{stage.label}: {' '.join(problems.values())}"}
    return {}
