"""Import Action100M: from published rows to a dataset whose annotations can be audited."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone import ViewField as F

from ..engine import media, provenance
from ..engine.columns import write_columns
from ..engine.progress import Progress
from ..engine.records import Problems, Record, count_rows, find_record_files, read_records
from .action100m import LABEL_FIELDS, Video, read_uid, read_video
from .action100m_fields import declare_fields
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


@dataclass
class _Tally:
    imported: int = 0
    completed: int = 0
    already: int = 0
    no_media: int = 0
    beyond_clip: int = 0
    segments_beyond: int = 0
    na_dropped: int = 0
    partly_shown: int = 0
    coverage_unknown: int = 0
    labels: Counter = field(default_factory=Counter)
    labelled: Counter = field(default_factory=Counter)
    problems: Problems = field(default_factory=Problems)
    remarks: Problems = field(default_factory=Problems)


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
        if settings.media_dir and not Path(settings.media_dir).expanduser().is_dir():
            problems["media_dir"] = f"Videos: there is no folder {settings.media_dir}."
        sentence = _name_problem(settings)
        if sentence:
            problems["name"] = f"Dataset: {sentence}"
        return problems

    def work(self, samples: None, settings: ImportSettings, progress: Progress) -> dict:
        dataset = _open(settings)
        tally = _Tally()
        started = _now()
        files = find_record_files(settings.annotations)
        batch, nodes = [], 0
        for record in _with_progress(files, tally.problems, progress):
            batch.append(record)
            nodes += _size(record)
            if len(batch) >= _BATCH_ROWS or nodes >= _BATCH_NODES:
                _import_batch(dataset, batch, settings, tally, started)
                batch, nodes = [], 0
        _import_batch(dataset, batch, settings, tally, started)
        report = _report(dataset, settings, tally)
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
        return fo.load_dataset(settings.name)
    dataset = fo.Dataset(settings.name, persistent=True)
    dataset.media_type = "video"
    dataset.info[_MARK] = settings.lasting
    dataset.save()
    declare_fields(dataset)
    dataset.create_index("video_uid")
    return dataset


def _with_progress(files: list[Path], problems: Problems, progress: Progress) -> Iterator[Record]:
    # Rows can be counted beforehand in parquet files only; else files are counted.
    total = count_rows(files)
    label = "Importing rows" if total is not None else "Importing files"
    with progress.step(label, len(files) if total is None else total) as advance:
        for file in files:
            for record in read_records([file], problems):
                yield record
                if total is not None:
                    advance(1)
            if total is None:
                advance(1)


def _size(record: Record) -> int:
    nodes = record.values.get("nodes")
    return len(nodes) if isinstance(nodes, list) else 1


def _import_batch(
    dataset: fo.Dataset,
    batch: list[Record],
    settings: ImportSettings,
    tally: _Tally,
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
        elif (columns := _read_columns(uid, record, settings, tally)) is None:
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
    found = dataset.match(F("video_uid").is_in(uids)) if uids else None
    if found is None:
        return {}
    columns = found.values(["video_uid", "id", _DONE, "created_at"])
    return {uid: (i, done is not None, made) for uid, i, done, made in zip(*columns)}


def _read_columns(
    uid: str, record: Record, settings: ImportSettings, tally: _Tally
) -> dict[str, object] | None:
    notes = Notes(tally.problems, tally.remarks, f"{record.where}, {uid}")
    path = _find_media(uid, settings)
    metadata = _read_media(path, notes)
    clip = _clip(settings.clip_seconds or None, metadata)
    video = read_video(record.values, uid, clip, settings.na == "keep", notes)
    if video is None:
        return None
    _count(video, tally)
    tally.no_media += not path.exists()
    return {
        "filepath": str(path.absolute()),
        "metadata": metadata,
        **video.columns,
        "import_problems": list(notes.kinds),
    }


def _find_media(uid: str, settings: ImportSettings) -> Path:
    """The video's file, or the path where it would be looked for."""
    folder = Path(settings.media_dir or _folder_of(settings.annotations)).expanduser()
    return media.find_video(folder, uid) or folder / f"{uid}.mp4"


def _read_media(path: Path, notes: Notes) -> fo.VideoMetadata | None:
    if not path.exists():
        return None
    try:
        return media.read_metadata(path)
    except ValueError as error:
        notes.add("video_unreadable", str(error))
        return None


def _folder_of(annotations: str) -> Path:
    path = Path(annotations).expanduser()
    return path if path.is_dir() else path.parent


def _clip(seconds: float | None, metadata: fo.VideoMetadata | None) -> Clip:
    if metadata is None:
        return Clip(seconds, NOMINAL_FRAME_RATE)
    shown = min(seconds or math.inf, metadata.duration)
    return Clip(shown, metadata.frame_rate, metadata.total_frame_count)


def _count(video: Video, tally: _Tally) -> None:
    tally.labels.update(video.labels)
    tally.labelled.update(name for name, n in video.labels.items() if n)
    tally.na_dropped += video.na_dropped
    tally.segments_beyond += video.beyond_clip
    tally.beyond_clip += bool(video.beyond_clip)
    coverage = video.columns["clip_coverage"]
    tally.coverage_unknown += coverage is None
    tally.partly_shown += coverage is not None and coverage < 1


def _now() -> datetime:
    # The database keeps whole milliseconds, so that nothing made from here on is older.
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


# ---- form ----


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


def _report(dataset: fo.Dataset, settings: ImportSettings, tally: _Tally) -> dict:
    new = tally.imported + tally.completed
    fields = [
        {
            "field": name,
            "labels": tally.labels[name],
            "samples": tally.labelled[name],
            "samples_without": new - tally.labelled[name],
        }
        for name in LABEL_FIELDS
    ]
    return {
        "summary": _sentences(settings, tally, new),
        "dataset": dataset.name,
        "samples": dataset.count(),
        "imported": tally.imported,
        "completed": tally.completed,
        "already_there": tally.already,
        "without_video": tally.no_media,
        "na_dropped": tally.na_dropped,
        "segments_outside_clip": tally.segments_beyond,
        "clip_shows_part": tally.partly_shown,
        "clip_coverage_unknown": tally.coverage_unknown,
        "fields": fields,
        "problems": tally.problems.rows(),
        "remarks": tally.remarks.rows(),
    }


def _sentences(settings: ImportSettings, tally: _Tally, new: int) -> list[str]:
    sentences = [
        f"Imported {tally.imported:,} videos; {tally.already:,} were there already"
        + (f" and {tally.completed:,} were completed." if tally.completed else ".")
    ]
    if tally.no_media:
        where = f"in {settings.media_dir}" if settings.media_dir else "beside the annotations"
        sentences.append(
            f"{tally.no_media:,} of {new:,} have no video {where}; their texts can be audited."
        )
    if tally.segments_beyond or tally.partly_shown:
        sentences.append(
            f"Of {new:,} clips, {tally.partly_shown:,} show only a part of the annotated video "
            f"(clip_coverage), and {tally.segments_beyond:,} segments lie wholly outside "
            "(outside_clip)."
        )
    if tally.na_dropped:
        sentences.append(f'{tally.na_dropped:,} actions "N/A" were left out.')
    count = len(tally.problems)
    if count:
        sentences.append(f"{count:,} problems in {len(tally.problems.rows())} kinds; see the list.")
    return sentences
