"""Import Action100M: from published rows to a dataset whose annotations can be audited."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone import ViewField as F

from ..engine import provenance
from ..engine.columns import write_columns
from ..engine.problems import Problems
from ..engine.progress import Progress
from ..engine.records import Record, count_rows, find_record_files, read_records
from .action100m import read_uid, read_video
from .action100m_fields import declare_fields
from .action100m_films import Films
from .action100m_report import Tally, make_report
from .base import Stage
from .settings import Settings, setting
from .timed_labels import NOMINAL_FRAME_RATE, Clip, Notes

# How an import is recognised when it is run again, in ``dataset.info``.
_MARK = "second_opinion_import"
# Set with everything else in one write, so that a sample that has it is complete.
_DONE = "full_video_url"
# A batch is this many rows or segments: long trees make few rows a batch.
_BATCH_ROWS = 200
_BATCH_NODES = 8_000


# ---- settings ----


@dataclass(frozen=True)
class ImportSettings(Settings):
    annotations: str | None = setting(
        None,
        "Annotations",
        "A parquet, JSON or JSON Lines file in the published schema, or a folder of them",
        kind="path",
        required=True,
    )
    name: str | None = setting(
        None, "Dataset", "The dataset to make, or to go on with", required=True
    )
    media_dir: str | None = setting(
        None,
        "Videos",
        "The folder that holds {video_uid}.mp4 and the like; texts can be audited without",
        kind="path",
    )
    clip_seconds: float = setting(
        90.0,
        "Clip seconds",
        "The videos show the first so many seconds of what was annotated; 0 if they show all",
        low=0,
    )
    na: str = setting(
        "drop",
        "N/A actions",
        'Leave actions "N/A" out, as the FiftyOne workshop does, or keep them as labels',
        choices=("drop", "keep"),
    )

    @classmethod
    def read(cls, given: dict, ignore: tuple[str, ...] = ()) -> ImportSettings:
        # None is an answer here: the videos were not clipped.
        if "clip_seconds" in given and given["clip_seconds"] is None:
            given = {**given, "clip_seconds": 0.0}
        return super().read(given, ignore)

    @property
    def lasting(self) -> dict:
        """What must not change when an import goes on: every sample is read alike."""
        return {"clip_seconds": self.clip_seconds, "na": self.na}


# ---- work ----


class ImportAction100M(Stage):
    """Makes a dataset of Action100M's published rows."""

    name = "import_action100m"
    label = "Import Action100M"
    description = (
        "Reads trees of captions in Action100M's published schema, row by row, and makes a video "
        "dataset with the annotations, the captions they were made from, and what the clip shows "
        "of them. Writes a dataset; run again, it adds what is missing."
    )
    icon = "download"
    settings = ImportSettings
    needs_samples = False

    def check(self, samples: None, settings: ImportSettings) -> dict[str, str]:
        problems = {}
        try:
            find_record_files(settings.annotations)
        except ValueError as error:
            problems["annotations"] = f"Annotations: {error}"
        if settings.media_dir and (why := _folder_problem(settings.media_dir)):
            problems["media_dir"] = f"Videos: {why}"
        sentence = _name_problem(settings)
        if sentence:
            problems["name"] = f"Dataset: {sentence}"
        return problems

    def work(self, samples: None, settings: ImportSettings, progress: Progress) -> dict:
        dataset = _open(settings)
        tally = Tally()
        started = _now()
        files = find_record_files(settings.annotations)
        with closing(Films(settings.media_dir or settings.annotations)) as films:
            for batch in _batches(_with_progress(files, tally.problems, progress)):
                _import_batch(dataset, batch, settings, films, tally, started)
        report = make_report(settings.name, dataset.count(), tally, settings.media_dir)
        if dataset.count():
            provenance.register(dataset, self.name, settings.as_params(), report)
        return report

    def execute(self, ctx: foo.ExecutionContext) -> dict:
        report = super().execute(ctx)
        if not ctx.delegated:
            ctx.ops.open_dataset(report["dataset"])
        return report


def _open(settings: ImportSettings) -> fo.Dataset:
    """The dataset, with every field declared, so that empty ones exist too."""
    if fo.dataset_exists(settings.name):
        dataset = fo.load_dataset(settings.name)
    else:
        dataset = fo.Dataset(settings.name, persistent=True)
        dataset.info[_MARK] = settings.lasting
        dataset.media_type = "video"
        dataset.save()
    if "video_uid" not in dataset.get_index_information():  # the last thing made here
        declare_fields(dataset)
        dataset.create_index("video_uid")
    return dataset


def _with_progress(files: list[Path], problems: Problems, progress: Progress) -> Iterator[Record]:
    total = count_rows(files)  # known of parquet files only; else files are counted
    label = "Importing rows" if total is not None else "Importing files"
    with progress.step(label, len(files) if total is None else total) as advance:
        for file in files:
            for record in read_records([file], problems):
                yield record
                if total is not None:
                    advance(1)
            if total is None:
                advance(1)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch, size = [], 0
    for record in records:
        batch.append(record)
        nodes = record.values.get("nodes")
        size += len(nodes) if isinstance(nodes, list) else 1
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_NODES:
            yield batch
            batch, size = [], 0
    yield batch


def _import_batch(
    dataset: fo.Dataset,
    batch: list[Record],
    settings: ImportSettings,
    films: Films,
    tally: Tally,
    started: datetime,
) -> None:
    rows = _by_uid(batch, tally.problems)
    there = _already_there(dataset, list(rows))
    new: list[dict] = []
    for uid, record in rows.items():
        sample_id, done, made = there.get(uid, (None, False, None))
        if done and made >= started:
            tally.problems.add("video_uid_twice", f"{record.where}: {uid}")
        elif done:
            tally.already += 1
        elif (columns := _read_columns(uid, record, settings, films, tally)) is None:
            continue
        elif sample_id is None:
            new.append(columns)
        else:  # a run that broke off left it half done
            del columns["filepath"], columns["metadata"]
            write_columns(dataset, [sample_id], {name: [v] for name, v in columns.items()})
            tally.completed += 1
    if new:
        ids = _add_samples(dataset, new)
        write_columns(dataset, ids, {name: [row[name] for row in new] for name in new[0]})
        tally.imported += len(ids)


def _by_uid(batch: list[Record], problems: Problems) -> dict[str, Record]:
    rows: dict[str, Record] = {}
    for record in batch:
        uid = read_uid(record.values)
        if uid is None:
            shown = str(record.values.get("video_uid"))[:40]
            problems.add("video_uid_unusable", f"{record.where}: {shown!r}")
        elif uid in rows:
            problems.add("video_uid_twice", f"{record.where}: {uid}")
        else:
            rows[uid] = record
    return rows


def _add_samples(dataset: fo.Dataset, rows: list[dict]) -> list[str]:
    # Labels are written afterwards, as the database stores them: as objects they
    # take a second a video. No sample may stay in memory, or each write reads it again.
    samples = (
        fo.Sample(
            filepath=row.pop("filepath"), metadata=row.pop("metadata"), video_uid=row["video_uid"]
        )
        for row in rows
    )
    return dataset.add_samples(samples, progress=False)


def _already_there(dataset: fo.Dataset, uids: list[str]) -> dict[str, tuple[str, bool, datetime]]:
    found = dataset.match(F("video_uid").is_in(uids))
    rows = zip(*found.values(["video_uid", "id", _DONE, "created_at"]))
    return {uid: (i, done is not None, made) for uid, i, done, made in rows}


def _read_columns(
    uid: str, record: Record, settings: ImportSettings, films: Films, tally: Tally
) -> dict[str, object] | None:
    notes = Notes(tally.problems, tally.remarks, f"{record.where}, {uid}")
    path = films.find(uid)
    metadata = films.metadata(path, notes)
    clip = _clip(settings.clip_seconds or None, metadata)
    video = read_video(record.values, uid, clip, settings.na == "keep", notes)
    if video is None:
        return None
    tally.count(video)
    tally.no_media += not os.path.exists(path)
    return {
        "filepath": str(path.absolute()),
        "metadata": metadata,
        **video.columns,
        "import_problems": list(notes.kinds),
    }


def _clip(seconds: float | None, metadata: fo.VideoMetadata | None) -> Clip:
    if metadata is None:
        return Clip(seconds, NOMINAL_FRAME_RATE)
    shown = min(seconds or math.inf, metadata.duration)
    return Clip(shown, metadata.frame_rate, metadata.total_frame_count)


def _now() -> datetime:
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)  # as the database keeps it


# ---- form ----


def _folder_problem(folder: str) -> str | None:
    path = os.path.expanduser(folder)
    if not os.path.isdir(path):
        return f"there is no folder {folder}."
    if not os.access(path, os.R_OK | os.X_OK):
        return f"the folder {folder} may not be read by the user that runs this."
    return None


def _name_problem(settings: ImportSettings) -> str | None:
    if not fo.dataset_exists(settings.name):
        return None
    mark = fo.load_dataset(settings.name).info.get(_MARK)
    if mark is None:
        return (
            f"there is a dataset {settings.name!r} already, which was not made by this import. "
            "Choose another name, or delete it first."
        )
    if mark != settings.lasting:
        before = ", ".join(f"{key}={value!r}" for key, value in mark.items())
        return (
            f"{settings.name!r} was imported with {before}. Go on with the same settings, or "
            "choose another name."
        )
    return None
