"""Clear audit: remove what we wrote, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo

from ..engine.columns import CHUNK, root_dataset
from ..engine.fields import FRAMES, LEDGER, STATUS, is_work_of, owned
from ..engine.progress import Progress
from ..engine.provenance import run_keys, work_of
from ..engine.table import open_table
from ..engine.workspace import remove_views
from .base import Stage
from .settings import Settings, setting
from .tag_confidence import OURS

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class ClearSettings(Settings):
    stages: list | None = setting(
        None, "Stages", "Whose results to remove; all stages' where empty", many=True
    )


# ---- work ----


class ClearAudit(Stage):
    """Removes the fields, tags and runs of an audit; of a view, its samples' values."""

    name = "clear_audit"
    label = "Clear audit"
    description = (
        "Removes the fields, tags, runs and views that this plugin wrote, and nothing else. On a "
        "view, empties the fields of its samples only. The annotations stay."
    )
    icon = "delete_sweep"
    settings = ClearSettings
    keeps_run = False

    def check(self, samples: Samples, settings: ClearSettings) -> dict[str, str]:
        known = sorted(set(owned(root_dataset(samples)).values()))
        unknown = [stage for stage in settings.stages or [] if stage not in known]
        if unknown:
            return {
                "stages": f"Stages: {unknown[0]!r} wrote nothing here; "
                f"there are results of {', '.join(known) or 'no stage'}."
            }
        return {}

    def work(self, samples: Samples, settings: ClearSettings, progress: Progress) -> dict:
        dataset = root_dataset(samples)
        fields = {
            name: stage
            for name, stage in owned(dataset).items()
            if settings.stages is None or stage in settings.stages
        }
        tagged = [name.partition(".")[0] for name in fields if name.endswith(f".{OURS}")]
        tagged += [None] if OURS in fields else []
        untagged = sum(_take_back_tags(samples, field, progress) for field in tagged)
        whole = isinstance(samples, fo.Dataset) or samples == dataset.view()
        runs: list[str] = []
        if whole:
            runs = _remove(dataset, fields, settings)
        else:
            _empty(samples, fields, settings)
        verb = "Removed" if whole else f"Emptied, for {samples.count():,} samples,"
        summary = (
            f"{verb} {len(fields)} fields and took back the tags of {untagged:,} samples and "
            f"labels; {len(runs)} runs were forgotten."
        )
        return {
            "summary": [summary],
            "fields": sorted(fields),
            "untagged": untagged,
            "runs": runs,
        }


def _take_back_tags(samples: Samples, segments: str | None, progress: Progress) -> int:
    table, untagged = open_table(samples, segments), 0
    chunks = table.chunks(["tags", OURS], [], CHUNK)
    for found in progress.over(chunks, "Taking back tags", table.count()):
        rows = found.take([row for row, ours in enumerate(found.columns[OURS]) if ours])
        pairs = zip(rows.columns["tags"], rows.columns[OURS])
        kept = [[tag for tag in tags if tag not in ours] for tags, ours in pairs]
        table.write(rows, {"tags": kept, OURS: [[] for _ in kept]}, {})
        untagged += len(rows)
    return untagged


def _remove(dataset: fo.Dataset, fields: dict[str, str], settings: ClearSettings) -> list[str]:
    dataset.delete_sample_fields([name for name in fields if not name.startswith(FRAMES)])
    of_frames = [name.removeprefix(FRAMES) for name in fields if name.startswith(FRAMES)]
    if of_frames:
        dataset.delete_frame_fields(of_frames)
    runs = [key for key in run_keys(dataset) if _is_chosen(work_of(key), settings)]
    for key in runs:
        dataset.delete_run(key)
    if settings.stages is None:
        remove_views(dataset)
    else:
        names = dataset.get_field_schema(flat=True)
        dataset.delete_sample_fields([name for name in names if _is_internal(name, settings)])
    return runs


def _is_chosen(work: str, settings: ClearSettings) -> bool:
    return settings.stages is None or any(is_work_of(work, stage) for stage in settings.stages)


def _is_internal(name: str, settings: ClearSettings) -> bool:
    parent, _, work = name.partition(".")
    return parent in (STATUS, LEDGER) and bool(work) and _is_chosen(work, settings)


def _empty(samples: Samples, fields: dict[str, str], settings: ClearSettings) -> None:
    dataset = root_dataset(samples)
    for name in fields:
        if name.startswith(FRAMES):
            samples.clear_frame_field(name.removeprefix(FRAMES))
        elif name not in (STATUS, LEDGER):
            samples.clear_sample_field(name)
    for name in dataset.get_field_schema(flat=True):
        if _is_internal(name, settings):
            samples.clear_sample_field(name)
