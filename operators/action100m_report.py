"""What an import of Action100M did: counted, and told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..engine.problems import Problems
from .action100m import LABEL_FIELDS, Video


@dataclass
class Tally:
    """What an import did, counted as it goes."""

    imported: int = 0
    completed: int = 0
    already: int = 0
    no_media: int = 0
    segments_beyond: int = 0
    na_dropped: int = 0
    partly_shown: int = 0
    coverage_unknown: int = 0
    labels: Counter = field(default_factory=Counter)
    labelled: Counter = field(default_factory=Counter)
    problems: Problems = field(default_factory=Problems)
    remarks: Problems = field(default_factory=Problems)

    def count(self, video: Video) -> None:
        """Counts a row that was read."""
        self.labels.update(video.labels)
        self.labelled.update(name for name, n in video.labels.items() if n)
        self.na_dropped += video.na_dropped
        self.segments_beyond += video.beyond_clip
        coverage = video.columns["clip_coverage"]
        self.coverage_unknown += coverage is None
        self.partly_shown += coverage is not None and coverage < 1

    @property
    def new(self) -> int:
        """The videos whose annotations were written."""
        return self.imported + self.completed


def make_report(name: str, samples: int, tally: Tally, media_dir: str | None) -> dict:
    """The report of an import into the dataset ``name``, which now has ``samples``."""
    fields = [
        {
            "field": name,
            "labels": tally.labels[name],
            "samples": tally.labelled[name],
            "samples_without": tally.new - tally.labelled[name],
        }
        for name in LABEL_FIELDS
    ]
    return {
        "summary": _sentences(tally, media_dir),
        "dataset": name,
        "samples": samples,
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


def _sentences(tally: Tally, media_dir: str | None) -> list[str]:
    sentences = [
        f"Imported {tally.imported:,} videos; {tally.already:,} were there already"
        + (f" and {tally.completed:,} were completed." if tally.completed else ".")
    ]
    if tally.no_media:
        where = f"in {media_dir}" if media_dir else "beside the annotations"
        sentences.append(
            f"{tally.no_media:,} of {tally.new:,} have no video {where}; "
            "their texts can be audited."
        )
    if tally.segments_beyond or tally.partly_shown:
        sentences.append(
            f"Of {tally.new:,} clips, {tally.partly_shown:,} show only a part of the annotated "
            f"video (clip_coverage), and {tally.segments_beyond:,} segments lie wholly outside "
            "(outside_clip)."
        )
    if tally.coverage_unknown:
        sentences.append(
            f"How much of the annotated video the clip shows is not known for "
            f"{tally.coverage_unknown:,} of {tally.new:,}."
        )
    if tally.na_dropped:
        sentences.append(f'{tally.na_dropped:,} actions "N/A" were left out.')
    count = len(tally.problems)
    if count:
        sentences.append(f"{count:,} problems in {len(tally.problems.rows())} kinds; see the list.")
    return sentences
