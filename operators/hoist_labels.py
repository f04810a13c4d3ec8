"""Hoist labels: from a tree of captions to one flat text field an aspect."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import fiftyone as fo

from ..agreement.aspects import ACTION100M_HOISTED
from ..engine.columns import read_chunks, root_dataset, write_columns
from ..engine.ledger import fingerprint, ledger_field, stale_rows
from ..engine.progress import Progress
from .base import Stage
from .settings import setting
from .spread import SpreadSettings

_PARTS = ("label", "level", "tier")


# ---- settings ----


@dataclass(frozen=True)
class HoistSettings(SpreadSettings):
    fields: dict = setting(
        ACTION100M_HOISTED,
        "Fields",
        "Which field of segments becomes which flat text field, as {source: target}",
    )
    tier: str | None = setting(
        "root", "Tier", "Take the segment of this tier; ignored where a level is given"
    )
    level: int | None = setting(
        None, "Level", "Take the segment of this level of the tree instead", kind="integer", low=0
    )
    overwrite: bool = setting(
        False, "Overwrite", "Do everything again, and replace fields this audit did not write"
    )


# ---- work ----


class HoistLabels(Stage):
    """Copies one segment's label per sample to a flat text field."""

    name = "hoist_labels"
    label = "Hoist labels"
    description = (
        "Copies the label of one tier or level of a tree of captions to flat text fields. "
        "Writes the target fields and audit_status."
    )
    icon = "vertical_align_top"
    settings = HoistSettings

    def writes(self, settings: HoistSettings) -> dict[str, tuple]:
        where = _where(settings)
        return {
            target: (fo.StringField, f"The {where} label of {source}")
            for source, target in settings.fields.items()
        }

    def check(
        self, samples: fo.core.collections.SampleCollection, settings: HoistSettings
    ) -> dict[str, str]:
        return _check_fields(root_dataset(samples), settings)

    def work(
        self,
        samples: fo.core.collections.SampleCollection,
        settings: HoistSettings,
        progress: Progress,
    ) -> dict:
        dataset = self.open(samples, settings)
        paths = {source: _segments_path(dataset, source) for source in settings.fields}
        columns = [f"{path}.{part}" for path in paths.values() for part in _PARTS]
        targets = list(settings.fields.values())
        method, done = sorted(settings.fields.items()), 0
        tallies = {target: Counter[str]() for target in targets}
        chunks = read_chunks(samples, [*columns, *targets, ledger_field(self.name)])
        for chunk in progress.over(chunks, "Hoisting labels", samples.count()):
            written, outcomes = {}, []
            for source, target in settings.fields.items():
                parts = [chunk.columns[f"{paths[source]}.{part}"] for part in _PARTS]
                picked = [_pick(label, level, tier, settings) for label, level, tier in zip(*parts)]
                written[target] = [text for text, _ in picked]
                outcomes.append([outcome for _, outcome in picked])
                tallies[target].update(outcomes[-1])
            # What was picked stands for the tree and for the tier or level alike
            keys = [fingerprint(method, *row) for row in zip(*written.values(), *outcomes)]
            stale = stale_rows(chunk, self.name, keys, settings.overwrite, results=written)
            written |= _status(self.name, targets, zip(*outcomes))
            written[ledger_field(self.name)] = keys
            ids = [chunk.ids[row] for row in stale]
            write_columns(
                dataset, ids, {name: [vs[row] for row in stale] for name, vs in written.items()}
            )
            done += len(stale)
        return _report(settings, samples.count(), done, tallies)


def _pick(
    labels: list | None, levels: list | None, tiers: list | None, settings: HoistSettings
) -> tuple[str | None, str]:
    # The label of the one segment asked for; two of them are reported, not guessed.
    if not labels:
        return None, "no segments"
    marks = tiers if settings.level is None else levels
    wanted = settings.tier if settings.level is None else settings.level
    found = [label for label, mark in zip(labels, marks or [None] * len(labels)) if mark == wanted]
    if not found:
        return None, f"no {_where(settings)} segment"
    if len(found) > 1:
        return None, f"{_where(settings)} segment not unique"
    return found[0], "hoisted" if found[0] else "no label"


def _status(stage: str, targets: list[str], rows: zip) -> dict[str, list]:
    statuses, reasons = [], []
    for outcomes in rows:
        wrong = [f"{t}: {o}" for t, o in zip(targets, outcomes) if o != "hoisted"]
        statuses.append("missing" if wrong else "ok")
        reasons.append("; ".join(wrong) or None)
    return {f"audit_status.{stage}": statuses, f"audit_status.{stage}_why": reasons}


def _report(settings: HoistSettings, total: int, done: int, tallies: dict[str, Counter]) -> dict:
    rows = []
    for source, target in settings.fields.items():
        tally = tallies[target]
        missing = {outcome: n for outcome, n in tally.items() if outcome != "hoisted"}
        rows.append(
            {
                "field": target,
                "source": source,
                "samples": total,
                "hoisted": tally["hoisted"],
                "missing": total - tally["hoisted"],
                "why": ", ".join(f"{o}: {n:,}" for o, n in missing.items()) or None,
            }
        )
    hoisted = sum(row["hoisted"] for row in rows)
    summary = [
        f"Hoisted {hoisted:,} {_where(settings)} labels into {len(rows)} fields of {total:,} "
        f"samples; {total * len(rows) - hoisted:,} are missing.",
        f"{done:,} of {total:,} samples were written; {total - done:,} were already up to date.",
    ]
    return {"summary": summary, "samples": total, "written": done, "fields": rows}


# ---- form ----


def _where(settings: HoistSettings) -> str:
    return settings.tier or "whole" if settings.level is None else f"level {settings.level}"


def _check_fields(dataset: fo.Dataset, settings: HoistSettings) -> dict[str, str]:
    fields = settings.fields
    if not isinstance(fields, dict) or not fields:
        return {"fields": 'Fields: write at least one pair, as {"source": "target"}.'}
    targets = list(fields.values())
    for source, target in fields.items():
        if not isinstance(target, str) or not target.isidentifier():
            return {"fields": f"Fields: {target!r} cannot be the name of a field."}
        if targets.count(target) > 1:
            return {"fields": f"Fields: two sources would be written to {target!r}."}
        if dataset.get_field(source) is None:
            return {"fields": f"Fields: the dataset has no field {source!r}."}
        if _segments_path(dataset, source) is None:
            return {
                "fields": f"Fields: {source!r} holds no list of labelled segments; a "
                "TemporalDetections field is needed."
            }
    return {}


def _segments_path(dataset: fo.Dataset, source: str) -> str | None:
    document = getattr(dataset.get_field(source), "document_type", None)
    list_field = getattr(document, "_LABEL_LIST_FIELD", None)
    return f"{source}.{list_field}" if list_field in ("detections", "classifications") else None
