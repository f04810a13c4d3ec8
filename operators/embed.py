"""Embed: vectors of clips or texts through a lens, and what FiftyOne's brain makes of them."""

from __future__ import annotations

import importlib.util
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import fiftyone as fo

from ..engine.columns import read_chunks, root_dataset, write_values
from ..engine.fields import declare
from ..engine.ledger import fingerprint, ledger_field, stale_rows
from ..engine.progress import Progress, up_to
from . import embed_brain
from .base import Stage
from .lenses import LENSES, load_lens
from .media_record import Recorder, open_recorder
from .media_work import (
    FrameSettings,
    Item,
    decoded,
    in_batches,
    media_problem,
    pictures,
    stale_items,
)
from .revisions import remember
from .settings import setting
from .spread import SpreadSettings, is_spread

if TYPE_CHECKING:
    from ..models.embedder import Embedder

Samples: TypeAlias = fo.core.collections.SampleCollection

_TRANSCRIPT = "transcript"
_FLUSH = 64
_TEXTS = 1000

# ---- settings ----


@dataclass(frozen=True)
class EmbedSettings(FrameSettings, SpreadSettings):
    lens: str | None = setting(
        None,
        "Lens",
        "What is looked at: the clips (visual, grounding) or what is said in them (transcript); "
        "where empty, the field of texts if one is named, or else visual",
        choices=tuple(LENSES),
    )
    model: str | None = setting(
        None, "Model", "A name, name@revision or a folder; the lens's own where empty"
    )
    source_field: str | None = setting(
        None,
        "Field of texts",
        "Embeds the texts of this field instead of the media",
        kind="field",
        types=(fo.StringField,),
    )
    embeddings_field: str | None = setting(
        None, "Field of vectors", "Where the vectors go; qwen_embeddings and the like where empty"
    )
    brain: list = setting(
        [],
        "Brain",
        "What to make of the vectors afterwards",
        many=True,
        choices=embed_brain.METHODS,
    )
    layout: str = setting("umap", "Layout", "How vectors become a map", choices=embed_brain.LAYOUTS)

    @property
    def chosen(self) -> str:
        """The lens whose model is used by default."""
        return self.lens or ("transcript" if self.source_field else "visual")

    @property
    def reads_texts(self) -> bool:
        """Whether texts are embedded, and not media."""
        return self.chosen == "transcript" or self.source_field is not None

    @property
    def texts(self) -> str:
        """The field whose texts are embedded."""
        return self.source_field or _TRANSCRIPT

    @property
    def field(self) -> str:
        """The field that the vectors go to."""
        return self.embeddings_field or f"{self.stem}_embeddings"

    @property
    def work(self) -> str:
        """The name of this work, which has a status and a ledger of its own."""
        return f"embed_{self.field}"

    @property
    def stem(self) -> str:
        """What the names of this lens's fields and brain runs begin with."""
        if self.embeddings_field:
            return self.embeddings_field.removesuffix("_embeddings")
        if self.source_field and self.source_field != _TRANSCRIPT:
            return self.source_field
        return LENSES[self.chosen][0]


# ---- work ----


class Embed(Stage):
    """Embeds clips or texts, and maps, indexes and ranks them."""

    name = "embed"
    label = "Embed"
    description = (
        "Embeds clips or texts through a lens. Writes one field of vectors, which frames were "
        "seen, audit_status, and the brain runs and fields that are asked for."
    )
    icon = "scatter_plot"
    settings = EmbedSettings
    prefers_delegation = True

    def writes(self, settings: EmbedSettings) -> dict[str, tuple]:
        seen = settings.texts if settings.reads_texts else "the clip"
        written = {settings.field: (fo.VectorField, f"A vector of {seen}")}
        if not settings.reads_texts:
            frames = f"{settings.stem}_frames"
            written[frames] = (fo.DictField, f"The frames that {settings.field} was made from")
        return written | embed_brain.fields(settings)

    def check(self, samples: Samples, settings: EmbedSettings) -> dict[str, str]:
        dataset = root_dataset(samples)
        if settings.brain and (is_spread(settings) or settings.part):
            return {
                "brain": "Brain: maps and indexes need the whole set of vectors at once. Embed in "
                "parts first, then run embed once more with the brain and without parts."
            }
        if settings.reads_texts and not isinstance(
            dataset.get_field(settings.texts), fo.StringField
        ):
            return {"source_field": f"Field of texts: there are no texts in {settings.texts!r}."}
        if not settings.reads_texts and (why := media_problem(samples, ("video", "image"))):
            return {"lens": f"Lens: {why}"}
        if "visualization" in settings.brain and settings.layout == "umap":
            if importlib.util.find_spec("umap") is None:
                return {"layout": "Layout: umap needs pip install umap-learn; or choose pca."}
        return embed_brain.check(dataset, settings.stem, settings.brain, settings.field)

    def block(self, settings: EmbedSettings) -> int:
        return _TEXTS if settings.reads_texts else settings.batch_size

    def status_name(self, settings: EmbedSettings) -> str:
        return settings.work

    def proof(self, settings: EmbedSettings) -> list[str]:
        return [settings.field]

    def work(self, samples: Samples, settings: EmbedSettings, progress: Progress) -> dict:
        dataset, work = root_dataset(samples), settings.work
        model = load_lens(
            settings.chosen, settings.model, settings.trust_remote_code, settings.revision, dataset
        )
        model.require("texts" if settings.reads_texts else "clips")
        declare(dataset, self.name, embed_brain.fields(settings))  # no reason to embed anew
        self.open(samples, settings)
        told = remember(samples, work, model.name, model.revision, settings.revision)
        recorder = open_recorder(samples, settings, work)
        method = [model.name, model.revision, model.pooling, model.prompt]
        half = progress.share(0.0, 0.8 if settings.brain else 1.0)
        if settings.reads_texts:
            done = _embed_texts(samples, settings, model, recorder, work, method, half)
        else:
            done = _embed_media(samples, settings, model, recorder, work, method, half)
        rest = progress.share(0.8, 1.0)
        made = told + embed_brain.run(samples, settings, model, bool(done), rest)
        return _report(samples, settings, model, recorder, done, made)

    def shows(self, samples: Samples, settings: EmbedSettings, report: dict) -> fo.DatasetView:
        return samples.exists(settings.field)


def _embed_texts(
    samples: Samples,
    settings: EmbedSettings,
    model: Embedder,
    recorder: Recorder,
    work: str,
    method: list,
    progress: Progress,
) -> int:
    dataset, done = root_dataset(samples), 0
    chunks = read_chunks(samples, [settings.texts, ledger_field(work)], size=_TEXTS)
    for chunk in progress.over(chunks, "Embedding texts", samples.count()):
        texts = chunk.columns[settings.texts]
        keys = [fingerprint(method, text) for text in texts]
        stale = stale_rows(chunk, work, keys, settings.overwrite)
        vectors = model.embed_texts([texts[row] for row in stale], settings.batch_size)
        found, rows = {}, []
        for row, vector in zip(stale, vectors):
            failed = isinstance(vector, Exception)
            found[chunk.ids[row]] = None if failed else vector
            outcome = (
                ("failed", str(vector), None) if failed
                else ("missing", f"no {settings.texts}", keys[row]) if vector is None
                else ("ok", None, keys[row])
            )  # fmt: skip
            rows.append((chunk.ids[row], *outcome))
        write_values(dataset, settings.field, found)
        recorder.write(rows)
        done += len(stale)
    return done


def _embed_media(
    samples: Samples,
    settings: EmbedSettings,
    model: Embedder,
    recorder: Recorder,
    work: str,
    method: list,
    progress: Progress,
) -> int:
    dataset = root_dataset(samples)
    method = [*method, *settings.frames_method()]
    items = stale_items(samples, work, method, settings.overwrite)
    failed: list[tuple] = []

    def fail(item: Item, error: Exception) -> None:
        failed.append((item.id, "failed", str(error), None))

    if dataset.media_type == "image":
        pairs, run = pictures(items, settings, fail), model.embed_images
    else:
        pairs, run = decoded(items, settings, fail), model.embed_clips
    rows: list[tuple] = []
    with closing(pairs), progress.step("Embedding clips", len(items)) as advance:
        tell = up_to(advance)
        due = _FLUSH if dataset.media_type == "image" else settings.batch_size  # clips take long

        def flush() -> None:
            done, lost = rows.copy(), failed.copy()
            rows.clear()
            failed.clear()  # forgotten first: where too many failed, the recorder ends the run
            for place, name in ((1, settings.field), (2, f"{settings.stem}_frames")):
                write_values(dataset, name, {row[0].id: row[place] for row in done})
            recorder.write([(row[0].id, "ok", None, row[0].key) for row in done] + lost)

        try:
            for item, given, vector in in_batches(pairs, run, settings.batch_size):
                if isinstance(vector, Exception):
                    fail(item, vector)
                else:
                    record = getattr(given, "record", None)
                    rows.append((item, vector, record and record.as_dict()))
                if len(rows) + len(failed) >= due:
                    flush()
                tell(recorder.outcomes.total() + len(rows) + len(failed))
        finally:
            flush()  # what was embedded is kept, whatever ended the run
        tell(len(items))
    return len(items)


def _report(
    samples: Samples,
    settings: EmbedSettings,
    model: Embedder,
    recorder: Recorder,
    done: int,
    made: list[str],
) -> dict:
    total = samples.count()
    counts = recorder.outcomes
    have = samples.exists(settings.field).count()
    summary = [
        f"Embedded {counts['ok']:,} of {total:,} samples with {model.name} ({model.revision}); "
        f"{total - done:,} were up to date, {counts['missing']:,} have no text and "
        f"{counts['failed']:,} failed.",
        f"{settings.field} now holds vectors of {model.dimension} numbers for {have:,} of "
        f"{total:,} samples.",
        *made,
    ]
    return {
        "summary": summary,
        "samples": total,
        "embedded": counts["ok"],
        "missing": counts["missing"],
        "failed": counts["failed"],
        "field": settings.field,
        "model": model.name,
        "revision": model.revision,
        "pooling": model.pooling,
        "failures": recorder.failures(),
    }
