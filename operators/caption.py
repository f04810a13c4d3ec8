"""Caption: ask a model that never saw the annotation what each clip or segment shows."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import fiftyone as fo

from ..engine.columns import root_dataset
from ..engine.progress import Progress, up_to
from ..models.labels import WRITTEN
from ..models.prompts import TASK_NAMES, Task, read_task
from .base import Stage
from .caption_report import report_of
from .caption_writing import SampleWriter, SegmentWriter, segment_items
from .media_record import open_recorder
from .media_work import FrameSettings, Item, decoded, media_problem, stale_items
from .read_opinions import ReadOpinions, ReadSettings
from .revisions import remember
from .settings import setting
from .spread import SpreadSettings
from .witnesses import Witness, open_witness

if TYPE_CHECKING:
    from ..models.frames import SampledClip
    from ..models.generation import Generation

Samples: TypeAlias = fo.core.collections.SampleCollection

#: The tasks whose answers are texts, which a segment can carry.
SEGMENT_TASKS = ("action100m", "description", "custom")
_FLUSH = 8


# ---- settings ----


@dataclass(frozen=True)
class CaptionSettings(FrameSettings, SpreadSettings):
    model: str | None = setting(
        None,
        "Model",
        "The witness: a name, name@revision or a folder; with an endpoint, the name it serves",
    )
    prefix: str | None = setting(
        None,
        "Prefix",
        "What the witness's fields begin with, such as qwen3vl in qwen3vl_summary_brief",
        required=True,
    )
    task: str = setting("action100m", "Task", "What the witness is asked", choices=TASK_NAMES)
    segments: str | None = setting(
        None,
        "Segments",
        "Asks about each segment of this field instead of the whole clip, one opinion a segment",
        kind="field",
        types=(fo.TemporalDetections,),
    )
    prompt: str | None = setting(
        None, "Prompt", "Words of your own instead of the task's; the task custom needs them"
    )
    endpoint: str | None = setting(
        None,
        "Endpoint",
        "The address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1, that "
        "runs the model in place of this machine",
    )
    in_flight: int = setting(
        16, "In flight", "Requests to the endpoint at the same time", low=1, high=512
    )
    max_new_tokens: int | None = setting(
        None,
        "Longest answer",
        "Tokens after which an answer is cut off; the task's own where empty",
        kind="integer",
        low=1,
    )
    sample: bool = setting(
        False, "Draw words", "Draws words by chance instead of taking the likeliest each time"
    )
    temperature: float = setting(
        0.7,
        "Temperature",
        "How boldly words are drawn",
        low=0.01,
        high=5.0,
        shown=lambda settings: settings.sample,
    )
    top_p: float = setting(
        0.8,
        "Top p",
        "The share of probability that words are drawn from",
        low=0.01,
        high=1.0,
        shown=lambda settings: settings.sample,
    )
    seed: int = setting(
        51, "Seed", "Makes drawing repeatable", low=0, shown=lambda settings: settings.sample
    )  # fmt: skip

    def asked(self) -> Task:
        """The task with its prompt."""
        return read_task(self.task, self.prompt)

    def generation(self) -> Generation:
        """How answers are written."""
        from ..models.generation import Generation

        tokens = self.max_new_tokens or self.asked().max_new_tokens
        return Generation(tokens, self.sample, self.temperature, self.top_p, self.seed)

    @property
    def work(self) -> str:
        """The name of this work, which has a status and a ledger of its own."""
        return f"caption_{self.prefix}_{self.task}"

    def own(self, suffix: str) -> str:
        """A field of this witness: ``raw``, ``frames``; of each task apart."""
        task = "" if self.task == "action100m" else f"{self.task}_"
        return f"{self.prefix}_{task}{suffix}"

    def field_of(self, suffix: str) -> str:
        """The field of a finding: ``events`` or ``frames.objects`` with the prefix."""
        if suffix.startswith("frames."):
            return f"frames.{self.prefix}_{suffix.removeprefix('frames.')}"
        return f"{self.prefix}_{suffix}"


# ---- work ----


class Caption(Stage):
    """Asks a witness about clips or segments and writes what it answers."""

    name = "caption"
    label = "Caption"
    description = (
        "Asks a model that never saw the annotation what each clip or segment shows. Writes its "
        "raw answer, the frames it saw, what the task finds (texts, events, classes, boxes), "
        "audit_status; on segments, attributes of them. Sends frames to the endpoint, if named."
    )
    icon = "closed_caption"
    settings = CaptionSettings
    prefers_delegation = True
    rides_ray = False  # its answers reach frames and segments as well

    def writes(self, settings: CaptionSettings) -> dict[str, tuple]:
        if settings.segments or not settings.prefix:
            return {}
        found = {
            settings.field_of(suffix): (kind, f"{settings.prefix}, {settings.task}: {suffix}")
            for suffix, kind in WRITTEN.get(settings.task, {}).items()
        }
        if reading := _reading(settings):
            found |= ReadOpinions().writes(reading)
        return {
            settings.own("raw"): (fo.StringField, f"What {settings.prefix} wrote"),
            settings.own("frames"): (fo.DictField, f"The frames that {settings.prefix} saw"),
            **found,
        }

    def check(self, samples: Samples, settings: CaptionSettings) -> dict[str, str]:
        if not settings.prefix.isidentifier() or settings.prefix.startswith("_"):
            return {
                "prefix": f"Prefix: {settings.prefix!r} cannot begin a field's name; use letters, "
                "digits and underscores."
            }
        if not settings.model and not settings.endpoint:
            return {"model": "Model: name a model, or the endpoint of a server that runs one."}
        if settings.segments and settings.task not in SEGMENT_TASKS:
            return {
                "task": f"Task: segments can carry {', '.join(SEGMENT_TASKS)}, not {settings.task}."
            }
        try:
            settings.asked()
        except ValueError as error:
            return {"prompt": f"Prompt: {error}"}
        why = media_problem(samples, ("video",))
        return {"samples": why} if why else {}

    def block(self, settings: CaptionSettings) -> int:
        return settings.batch_size

    def status_name(self, settings: CaptionSettings) -> str:
        return settings.work

    def proof(self, settings: CaptionSettings) -> list[str]:
        if settings.segments:
            return []
        written = WRITTEN.get(settings.task, {})
        texts = [settings.field_of(n) for n, kind in written.items() if kind is fo.StringField]
        return [settings.own("raw"), settings.own("frames"), *texts]

    def open(self, samples: Samples, settings: CaptionSettings) -> fo.Dataset:
        if reading := _reading(settings):  # first: a field that had to be made is read for anew
            ReadOpinions().open(samples, reading)
        return super().open(samples, settings)

    def work(self, samples: Samples, settings: CaptionSettings, progress: Progress) -> dict:
        # Whatever cannot be loaded or reached is said before any sample is touched
        witness = open_witness(settings, root_dataset(samples))
        dataset = self.open(samples, settings)
        about = remember(samples, settings.work, witness.name, witness.version, settings.revision)
        recorder = open_recorder(samples, settings, settings.work)
        method = [
            witness.name, witness.version, settings.asked().fingerprint,
            settings.frames_method(), vars(settings.generation()),
        ]  # fmt: skip
        if settings.segments:
            items, total = segment_items(samples, settings, method)
            writer = SegmentWriter(dataset, settings, recorder)
        else:
            items = stale_items(samples, settings.work, method, settings.overwrite)
            total = samples.count()
            writer = SampleWriter(dataset, settings, recorder)  # type: ignore[assignment]
        reading = _reading(settings)
        share = progress.share(0.0, 0.95 if reading else 1.0)
        with closing(decoded(items, settings, writer.fail)) as pairs:
            _ask(pairs, len(items), witness, writer, share)
        report = report_of(settings, witness, recorder, writer, total, len(items))
        report["summary"] += about
        if reading:
            told = ReadOpinions().work(samples, reading, progress.share(0.95, 1.0))
            report["summary"] += told["summary"]
            report["answers"] = told
        return report

    def shows(
        self, samples: Samples, settings: CaptionSettings, report: dict
    ) -> fo.DatasetView | None:
        return None if settings.segments else samples.exists(settings.own("raw"))


def _reading(settings: CaptionSettings) -> ReadSettings | None:
    if settings.task != "action100m" or settings.segments:
        return None
    given = {"source_field": settings.own("raw"), "overwrite": settings.overwrite}
    return ReadSettings.read({"prefix": settings.prefix, **given})


def _ask(
    pairs: Iterable[tuple[Item, SampledClip]],
    count: int,
    witness: Witness,
    writer: SampleWriter | SegmentWriter,
    progress: Progress,
) -> None:
    with progress.step(f"Asking {witness.name}", count) as advance:
        tell = up_to(advance)
        try:
            for item, clip, reply in witness.ask(pairs):
                if isinstance(reply, Exception):
                    writer.fail(item, reply)
                else:
                    writer.add(item, clip.record, reply)
                writer.flush_from(_FLUSH)
                tell(writer.done)
        finally:
            writer.flush_from(1)  # what was answered is kept, whatever ended the run
        tell(count)
