"""Read opinions: from a model's raw answers to one text field an aspect."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import fiftyone as fo

from ..agreement.aspects import ACTION100M_ANSWER
from ..agreement.texts import clean
from ..engine.columns import read_chunks, root_dataset, write_columns
from ..engine.failures import FailureBudget
from ..engine.fields import STATUS
from ..engine.ledger import ledger_field
from ..engine.problems import Problems
from ..engine.progress import Progress
from ..engine.records import Record, count_rows, find_record_files, read_records
from ..models.answers import COMPLETE, EMPTY, PARTIAL, UNREADABLE
from .base import Stage
from .opinions_reading import Reading, read, recall, remembered
from .opinions_tally import Tally
from .sample_keys import KEY_COLUMNS, SampleKeys
from .settings import setting
from .spread import SpreadSettings, failures_setting

Samples: TypeAlias = fo.core.collections.SampleCollection

# Where a file keeps the raw answer; else the row's own columns are the answer.
_ANSWER_COLUMNS = ("answer", "raw", "response", "output", "result")
_BATCH = 1_000
_MOST_RAW = 1_000_000

# What each outcome means for the sample's status.
_STATUS_OF = {COMPLETE: "ok", PARTIAL: "missing", EMPTY: "missing", UNREADABLE: "failed"}


# ---- settings ----


@dataclass(frozen=True)
class ReadSettings(SpreadSettings):
    prefix: str | None = setting(
        None,
        "Prefix",
        "What the opinions' fields begin with, such as qwen3vl in qwen3vl_summary_brief",
        required=True,
    )
    source_field: str | None = setting(
        None,
        "Field of answers",
        "The field that holds what the model wrote",
        kind="field",
        types=(fo.StringField,),
    )
    file: str | None = setting(
        None,
        "File of answers",
        "Or a JSON Lines, CSV or parquet file, one row a sample, found by the sample's id, its "
        "file's name or its video_uid",
        kind="path",
    )
    overwrite: bool = setting(
        False, "Overwrite", "Do everything again, and replace fields this audit did not write"
    )
    max_failures: float | None = failures_setting()

    def field_of(self, suffix: str) -> str:
        """The name of a field of this witness."""
        return f"{self.prefix}_{suffix}"

    @property
    def work(self) -> str:
        """The name of this work: every witness has a status and a ledger of its own."""
        return f"read_opinions_{self.prefix}"


# ---- work ----


class ReadOpinions(Stage):
    """Reads a witness's answers into the fields that are compared."""

    name = "read_opinions"
    label = "Read opinions"
    description = (
        "Reads what another model wrote of each clip, from a field or a file, in whatever form "
        "it answered. Writes one text field an aspect, the raw answer, the reason wherever it "
        "could not be read, and audit_status."
    )
    icon = "record_voice_over"
    settings = ReadSettings

    def writes(self, settings: ReadSettings) -> dict[str, tuple]:
        written = {
            settings.field_of(suffix): (fo.StringField, f"{settings.prefix}: {suffix}")
            for suffix in ACTION100M_ANSWER
        }
        raw = settings.field_of("raw")
        if raw != settings.source_field:
            written[raw] = (fo.StringField, f"What {settings.prefix} wrote, as it wrote it")
        why = "Why the answer could not be read, or not all of it"
        return {**written, settings.field_of("error"): (fo.StringField, why)}

    def check(self, samples: Samples, settings: ReadSettings) -> dict[str, str]:
        if not settings.prefix.isidentifier() or settings.prefix.startswith("_"):
            return {
                "prefix": f"Prefix: {settings.prefix!r} cannot begin a field's name; use letters, "
                "digits and underscores."
            }
        if bool(settings.source_field) == bool(settings.file):
            return {"source_field": "Give either the field or the file that holds the answers."}
        raw = settings.field_of("raw")
        if settings.source_field != raw and settings.source_field in self.writes(settings):
            return {
                "prefix": f"Prefix: the answers are in {settings.source_field!r}, which would be "
                "written to. Choose another prefix."
            }
        if settings.file:
            try:
                find_record_files(settings.file)
            except ValueError as error:
                return {"file": f"File of answers: {error}"}
        return {}

    def status_name(self, settings: ReadSettings) -> str:
        return settings.work

    def work(self, samples: Samples, settings: ReadSettings, progress: Progress) -> dict:
        self.open(samples, settings)
        tally = Tally(FailureBudget(settings.max_failures, samples.count()))
        if settings.source_field:
            _read_field(samples, settings, tally, progress)
        else:
            _read_file(samples, settings, tally, progress)
        return _report(settings, samples.count(), tally)

    def shows(self, samples: Samples, settings: ReadSettings, report: dict) -> fo.DatasetView:
        return samples.exists(settings.field_of("error"))


def _read_field(samples: Samples, settings: ReadSettings, tally: Tally, progress: Progress) -> None:
    chunks = read_chunks(samples, [settings.source_field, *remembered(settings)])
    for chunk in progress.over(chunks, "Reading answers", samples.count()):
        answers, before = {}, recall(chunk, settings)
        for sample_id, raw in zip(chunk.ids, chunk.columns[settings.source_field]):
            answers[sample_id] = reading = read(raw, sample_id, before)
            tally.count(reading.answer, f"sample {sample_id}")
        _write(samples, settings, answers, tally)


def _read_file(samples: Samples, settings: ReadSettings, tally: Tally, progress: Progress) -> None:
    keys = SampleKeys(samples)
    seen: dict = {}
    for batch in _batches(settings, tally.problems, progress):
        answers: dict[str, Reading] = {}
        before: dict[str, Reading] = {}
        found = [(keys.find(record, tally.problems), record) for record in batch]
        # What this very run read of a sample is newer than what the database tells
        unread = samples.select([i for i, _ in found if i is not None and i not in seen])
        for chunk in read_chunks(unread, remembered(settings)):
            before |= recall(chunk, settings)
        for sample_id, record in found:
            if sample_id is None:
                continue
            reading = read(_raw_of(record, settings), sample_id, before)
            if sample_id in seen:
                tally.problems.add("sample_answered_twice", f"{record.where}: the last is kept")
                if reading.answer.outcome == EMPTY:
                    continue
            answers[sample_id] = reading
            seen[sample_id] = tally.count(reading.answer, record.where, seen.get(sample_id))
        _write(samples, settings, answers, tally)
    tally.silent(len(keys) - len(seen))


def _batches(
    settings: ReadSettings, problems: Problems, progress: Progress
) -> Iterator[list[Record]]:
    files = find_record_files(settings.file)
    records = read_records(files, problems)
    with progress.step("Reading answers", count_rows(files) or 0) as advance:
        while batch := list(islice(records, _BATCH)):
            yield batch
            advance(len(batch))


def _raw_of(record: Record, settings: ReadSettings) -> object:
    for name in _ANSWER_COLUMNS:
        if name in record.values:
            raw = record.values[name]
            return None if isinstance(raw, float) and math.isnan(raw) else raw
    own = f"{settings.prefix}_"
    return {
        name.removeprefix(own): value
        for name, value in record.values.items()
        if name not in KEY_COLUMNS and value is not None and value != ""
    } or None


def _write(
    samples: Samples, settings: ReadSettings, answers: dict[str, Reading], tally: Tally
) -> None:
    status, why = f"{STATUS}.{settings.work}", f"{STATUS}.{settings.work}_why"
    ledger = ledger_field(settings.work)
    dataset = root_dataset(samples)
    stale = {i: reading for i, reading in answers.items() if reading.stale}
    tally.kept += len(answers) - len(stale)
    # A sample without an answer keeps what another run may have written there.
    silent = {i: given for i, given in stale.items() if given.answer.outcome == EMPTY}
    reason = f"{settings.prefix}: there is no answer"
    nothing = {status: [_STATUS_OF[EMPTY]] * len(silent), why: [reason] * len(silent)}
    nothing[ledger] = [given.key for given in silent.values()]
    write_columns(dataset, list(silent), nothing)
    said = {i: given for i, given in stale.items() if i not in silent}
    answered = [given.answer for given in said.values()]
    reasons = [answer.reason for answer in answered]
    columns = {
        settings.field_of(suffix): [
            clean(answer.texts[suffix] or "") or None for answer in answered
        ]
        for suffix in ACTION100M_ANSWER
    }
    if settings.field_of("raw") != settings.source_field:
        columns[settings.field_of("raw")] = [
            _as_text(given.raw, i, tally.problems) for i, given in said.items()
        ]
    columns[settings.field_of("error")] = reasons
    columns[status] = [_STATUS_OF[answer.outcome] for answer in answered]
    columns[why] = [reason and f"{settings.prefix}: {reason}" for reason in reasons]
    # One that could not be read is tried again in the next run
    columns[ledger] = [
        None if given.answer.outcome == UNREADABLE else given.key for given in said.values()
    ]
    write_columns(dataset, list(said), columns)
    tally.spend([answer for answer in answered if answer.outcome == UNREADABLE])


def _as_text(raw: object, sample_id: str, problems: Problems) -> str:
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
    if len(text) > _MOST_RAW:
        problems.add("raw_answer_cut", f"sample {sample_id}: {len(text):,} characters")
    return clean(text[:_MOST_RAW])


# ---- form ----


def _report(settings: ReadSettings, total: int, tally: Tally) -> dict:
    outcomes = tally.by(0)
    sentences = [
        f"Read {outcomes[COMPLETE]:,} answers of {total:,} samples in full and "
        f"{outcomes[PARTIAL]:,} in part; {outcomes[UNREADABLE]:,} could not be read and "
        f"{outcomes[EMPTY]:,} samples have none.",
        f"{tally.kept:,} of {total:,} had been read before and are unchanged.",
    ]
    if tally.problems["key_unmatched"]:
        sentences.append(f"{tally.problems['key_unmatched']:,} rows belong to no sample here.")
    return {
        "summary": sentences,
        "samples": total,
        "answered": total - outcomes[EMPTY],
        "without_answer": outcomes[EMPTY],
        "up_to_date": tally.kept,
        "outcomes": [
            {"outcome": name, "samples": outcomes[name]}
            for name in (COMPLETE, PARTIAL, UNREADABLE, EMPTY)
        ],
        "forms": [{"form": form, "answers": n} for form, n in tally.by(1).most_common()],
        "fields": [
            {
                "field": settings.field_of(suffix),
                "filled": tally.filled(suffix),
                "missing": total - tally.filled(suffix),
            }
            for suffix in ACTION100M_ANSWER
        ],
        "problems": tally.problems.rows(),
    }
