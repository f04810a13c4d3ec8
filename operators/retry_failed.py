"""Retry failed: run a stage again on the samples that it failed on, and on no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone import ViewField as F

from ..engine.columns import root_dataset, write_columns
from ..engine.fields import STATUS, is_work_of
from ..engine.ledger import ledger_field
from ..engine.progress import Progress
from ..engine.provenance import run_keys, work_of
from .base import PLUGIN, Stage
from .settings import Settings, setting

Samples: TypeAlias = fo.core.collections.SampleCollection

_FAILED = "failed"
# What was about all samples of that run, and not about these
_OF_ONE_RUN = ("part", "shards", "runner", "brain", "max_failures")


# ---- settings ----


@dataclass(frozen=True)
class RetrySettings(Settings):
    stages: list | None = setting(
        None, "Stages", "Whose failures to try again; all stages' where empty", many=True
    )


# ---- work ----


class RetryFailed(Stage):
    """Runs stages again on what they failed on, with the settings of their last run."""

    name = "retry_failed"
    label = "Retry failed"
    description = (
        "Runs stages again, with the settings of their last run, on the samples whose audit_status "
        "says that they failed. Writes what those stages write; a reason goes once it is mended."
    )
    icon = "replay"
    settings = RetrySettings
    prefers_delegation = True
    keeps_run = False  # every stage keeps its own

    def check(self, samples: Samples, settings: RetrySettings) -> dict[str, str]:
        known = _works(root_dataset(samples))
        for stage in settings.stages or []:
            if not any(is_work_of(work, stage) for work in known):
                return {
                    "stages": f"Stages: {stage!r} has no status here; there are "
                    f"{', '.join(known) or 'none'}."
                }
        return {}

    def work(self, samples: Samples, settings: RetrySettings, progress: Progress) -> dict:
        dataset = root_dataset(samples)
        failed = {
            work: ids
            for work in _works(dataset)
            if settings.stages is None or any(is_work_of(work, s) for s in settings.stages)
            if (ids := samples.match(F(f"{STATUS}.{work}") == _FAILED).values("id"))
        }
        rows, summary = [], []
        for i, (work, ids) in enumerate(failed.items()):
            part = progress.share(i / len(failed), (i + 1) / len(failed), f"{work}: ")
            rows.append(_retry(dataset, work, ids, part))
            mended = f"{work}: of {len(ids):,} samples, {rows[-1]['mended']:,} are mended."
            summary.append(rows[-1]["why"] or mended)
        return {
            "summary": summary or ["No sample has failed, so nothing was tried again."],
            "failed": sum(row["failed"] for row in rows),
            "mended": sum(row["mended"] for row in rows),
            "stages": rows,
        }


def _works(dataset: fo.Dataset) -> list[str]:
    names = dataset.get_field_schema(flat=True)
    works = [name.partition(".")[2] for name in names if name.startswith(f"{STATUS}.")]
    return [work for work in works if not work.endswith("_why")]


def _retry(dataset: fo.Dataset, work: str, ids: list[str], progress: Progress) -> dict:
    row = {"stage": work, "failed": len(ids), "mended": 0, "why": None}
    found = _last_run(dataset, work)
    if found is None:
        row["why"] = f"{work}: no finished run tells its settings; run the stage itself again."
        return row
    stage, settings = found
    # An answer that could not be read counts as done until it is forgotten
    if dataset.get_field(ledger_field(work)) is not None:
        write_columns(dataset, ids, {ledger_field(work): [None] * len(ids)})
    stage.run(dataset.select(ids), settings, progress)
    status = dataset.select(ids).values(f"{STATUS}.{work}")
    row["mended"] = sum(found != _FAILED for found in status)
    return row


def _last_run(dataset: fo.Dataset, work: str) -> tuple[Stage, Settings] | None:
    """The stage that did this work last, with the settings that it had."""
    runs = [key for key in reversed(run_keys(dataset)) if is_work_of(work, work_of(key))]
    told = [_read_run(dataset, key) for key in runs]
    told = [run for run in told if run is not None]
    # One stage may run for several models, each with a status of its own
    own = [run for run in told if run[0].status_name(run[1]) == work]
    return next(iter([*own, *told]), None)


def _read_run(dataset: fo.Dataset, key: str) -> tuple[Stage, Settings] | None:
    config = dataset.get_run_info(key).config
    stages = {op.name: op for op in foo.list_operators() if op.uri.startswith(f"{PLUGIN}/")}
    names = [name for name in stages if is_work_of(config.stage, name)]
    if not names:
        return None
    stage = stages[max(names, key=len)]
    given = {name: v for name, v in config.settings.items() if name not in _OF_ONE_RUN}
    return stage, stage.settings.read(given)
