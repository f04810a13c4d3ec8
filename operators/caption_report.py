"""What a run of questions tells of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .caption_writing import SampleWriter, SegmentWriter
from .media_record import Recorder
from .witnesses import Witness

if TYPE_CHECKING:
    from .caption import CaptionSettings


def report_of(
    settings: CaptionSettings,
    witness: Witness,
    recorder: Recorder,
    writer: SampleWriter | SegmentWriter,
    total: int,
    asked: int,
) -> dict:
    """The report: who answered for how many, what was cut off or dropped, what failed and why."""
    what = "segments" if settings.segments else "clips"
    tally = writer.tally
    summary = [
        f"{witness.name} ({witness.revision}) answered for {tally['answered']:,} of {total:,} "
        f"{what}; {total - asked:,} were up to date and {tally['failed']:,} failed.",
    ]
    if tally["unreadable"]:
        summary.append(f"{tally['unreadable']:,} answers could not be read.")
    if tally["cut"]:
        summary.append(f"{tally['cut']:,} answers were cut off; allow longer ones.")
    dropped = [
        {"malformed part": reason, "dropped": count}
        for reason, count in writer.dropped.most_common()
    ]
    if dropped:
        parts = sum(writer.dropped.values())
        summary.append(f"{parts:,} malformed parts of answers were dropped.")
    return {
        "summary": summary,
        what: total,
        **{name: tally[name] for name in ("answered", "failed", "unreadable", "cut")},
        "model": witness.name,
        "revision": witness.revision,
        "held_to_schema": witness.holds_schema,
        "prompt": settings.asked().prompt,
        "dropped": dropped,
        "failures": recorder.failures(),
    }
