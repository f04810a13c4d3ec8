"""Export audit: tables for other tools, corrected annotations, and a report for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import fiftyone as fo

from ..agreement.aspects import PRESETS, Aspect
from ..agreement.ruling import ruling_field, suggestion_field
from ..engine import reviews
from ..engine.columns import read_chunks, root_dataset
from ..engine.labels import noun_of
from ..engine.progress import Progress
from ..engine.review_queue import load_plan, planned_aspects
from ..engine.table import audited_fields
from .audit_settings import earlier_aspects
from .base import Stage
from .export_labels import labels_path, write_labels_table
from .export_report import score_fields, write_report
from .export_tables import FORMATS, write_table
from .settings import Settings, setting

_KINDS = {fo.StringField: str, fo.FloatField: float, fo.ListField: list}

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class ExportSettings(Settings):
    path: str | None = setting(
        None, "File", "The file to write; one that is there is replaced", kind="path", required=True
    )
    format: str = setting(
        "parquet",
        "Format",
        "A table, or html: one page with pictures that opens without a network",
        choices=(*FORMATS, "html"),
    )
    content: str = setting(
        "audit",
        "Content",
        "audit: texts, scores and verdicts; corrections: the annotations with reviewers' fixes",
        choices=("audit", "corrections"),
        shown=lambda settings: settings.format != "html",
    )
    worst: int = setting(
        24,
        "Worst samples",
        "How many of the least trusted samples the page shows with a picture",
        low=0,
        high=500,
        shown=lambda settings: settings.format == "html",
    )


# ---- work ----


class ExportAudit(Stage):
    """Writes what an audit found to a file."""

    name = "export_audit"
    label = "Export audit"
    description = (
        "Writes the audit to a file: a table (parquet, CSV, JSON Lines), the corrected "
        "annotations, or one HTML page. Where segments or regions were audited, a table of them "
        "goes beside it, named after their field. Writes no sample field."
    )
    icon = "download"
    settings = ExportSettings

    def check(self, samples: Samples, settings: ExportSettings) -> dict[str, str]:
        if Path(settings.path).is_dir():
            return {"path": f"File: {settings.path} is a folder; add a file's name to it."}
        if settings.format == "html" or settings.content == "audit":
            return {}
        dataset = root_dataset(samples)
        if not planned_aspects(dataset):
            return {
                "content": "Content: nobody has reviewed anything here, so that there is nothing "
                "to correct. Open the panel Review first."
            }
        for aspect in planned_aspects(dataset):
            field = load_plan(dataset, aspect)["annotation"]
            if dataset.get_field(field) is None:
                return {
                    "content": f"Content: the field {field!r}, reviewed as {aspect}, is no longer "
                    "in the dataset. If it was renamed, give it its name back."
                }
        return {}

    def work(self, samples: Samples, settings: ExportSettings, progress: Progress) -> dict:
        dataset, path = root_dataset(samples), Path(settings.path)
        if settings.format == "html":
            shown = write_report(samples, path, find_aspects(dataset), settings.worst, progress)
            told = f"Wrote a report of {samples.count():,} samples to {path}."
            if shown["pictures"] < shown["worst"]:
                gone = shown["worst"] - shown["pictures"]
                told += f" {gone:,} samples have no picture: their files could not be read."
            left_out = [
                f"The {samples.count(f'{field}.detections'):,} audited {noun_of(dataset, field)} "
                f"of {field} are not in the report; parquet, csv and jsonl write a table of them."
                for field in audited_fields(dataset)
            ]
            return {"summary": [told, *left_out], "path": str(path), **shown}
        corrected = settings.content == "corrections"
        columns, chunks = (_corrections if corrected else _audit)(samples, progress)
        rows = write_table(path, settings.format, columns, chunks)
        summary = [f"Wrote {rows:,} rows of {len(columns)} columns to {path}."]
        labels = [] if corrected else _write_labels(samples, settings, progress)
        summary += [
            f"Wrote {of['rows']:,} {noun_of(dataset, of['field'])} of {of['field']} to "
            f"{of['path']}: their texts, scores, verdicts and tags."
            for of in labels
        ]
        if settings.format == "csv":
            summary.append(
                "In CSV, an apostrophe stands before what a spreadsheet would run as a formula: "
                "where a text begins, or goes on after a semicolon or a line's end. The other "
                "formats hold every text as it is."
            )
        return {
            "summary": summary,
            "path": str(path),
            "rows": rows,
            "columns": [{"column": name, "type": kind.__name__} for name, kind in columns.items()],
            "labels": labels,
        }


def _write_labels(samples: Samples, settings: ExportSettings, progress: Progress) -> list[dict]:
    written = []
    for field in audited_fields(root_dataset(samples)):
        path = labels_path(Path(settings.path), field)
        rows = write_labels_table(samples, field, path, settings.format, progress)
        written.append({"field": field, "rows": rows, "path": str(path)})
    return written


def find_aspects(dataset: fo.Dataset) -> list[Aspect]:
    """The aspects whose annotation is a text field here: scored ones, reviewed ones, presets'."""
    found: dict[str, Aspect] = {}
    for aspect in _known_aspects(dataset):
        found.setdefault(aspect.name, aspect)
    return list(found.values())


def _known_aspects(dataset: fo.Dataset) -> list[Aspect]:
    # The newest first; of one name there may be several, of other fields
    known = [a for _, aspects in earlier_aspects(dataset, "score_agreement") for a in aspects]
    for name in planned_aspects(dataset):
        plan = load_plan(dataset, name)
        known.append(Aspect(name, plan["annotation"], plan["opinions"]))
    known += [aspect for preset in PRESETS.values() for aspect in preset]
    there = set(dataset.get_field_schema(ftype=fo.StringField))
    found = []
    for aspect in known:
        if aspect.annotation in there:
            opinions = {name: field for name, field in aspect.opinions.items() if field in there}
            found.append(Aspect(aspect.name, aspect.annotation, opinions))
    return found


def _audit(samples: Samples, progress: Progress) -> tuple[dict[str, type], Iterator[dict]]:
    dataset = root_dataset(samples)
    schema = dataset.get_field_schema()
    aspects = _known_aspects(dataset)
    texts = [name for aspect in aspects for name in aspect.fields]
    ruled = [name(aspect.name) for aspect in aspects for name in (ruling_field, suggestion_field)]
    wanted = ["filepath", "tags", *texts, *score_fields(dataset), "verdict", *ruled, "audit_tags"]
    names = [name for name in dict.fromkeys(wanted) if name in schema]
    columns: dict[str, type] = {"id": str}
    for name in names:
        columns[name] = next((k for f, k in _KINDS.items() if isinstance(schema[name], f)), str)
    reviewed = _reviewed(dataset)
    for aspect in reviewed:
        columns |= {f"review_{aspect}": str, f"fix_{aspect}": str}

    def chunks() -> Iterator[dict]:
        read = read_chunks(samples, names)
        for chunk in progress.over(read, "Exporting", samples.count()):
            table = {"id": chunk.ids, **chunk.columns}
            for aspect, (outcomes, fixes) in reviewed.items():
                table[f"review_{aspect}"] = [outcomes.get(i) for i in chunk.ids]
                table[f"fix_{aspect}"] = [fixes.get(i) for i in chunk.ids]
            yield table

    return columns, chunks()


def _corrections(samples: Samples, progress: Progress) -> tuple[dict[str, type], Iterator[dict]]:
    dataset = root_dataset(samples)
    reviewed = _reviewed(dataset)
    fields = {aspect: load_plan(dataset, aspect)["annotation"] for aspect in reviewed}
    columns: dict[str, type] = {"id": str, "filepath": str}
    for aspect, field in fields.items():
        columns |= {field: str, f"review_{aspect}": str, f"corrected_{aspect}": bool}

    def chunks() -> Iterator[dict]:
        read = read_chunks(samples, ["filepath", *fields.values()])
        for chunk in progress.over(read, "Exporting", samples.count()):
            table = {"id": chunk.ids, **chunk.columns}
            for aspect, field in fields.items():
                outcomes, fixes = reviewed[aspect]
                now = table[field]  # two aspects may be of one annotation
                table[field] = [fixes.get(i, text) for i, text in zip(chunk.ids, now)]
                table[f"review_{aspect}"] = [outcomes.get(i) for i in chunk.ids]
                table[f"corrected_{aspect}"] = [i in fixes for i in chunk.ids]
            yield table

    return columns, chunks()


def _reviewed(dataset: fo.Dataset) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    found = {}
    for aspect in planned_aspects(dataset):
        entries = reviews.read(dataset, aspect)
        found[aspect] = (reviews.outcomes(entries), reviews.fixes(entries))
    return found
