"""Classify: zero-shot classes of clips by a visual lens, or of texts by a text lens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

import fiftyone as fo
import numpy as np

from ..engine.columns import read_chunks, root_dataset
from ..engine.progress import Progress
from .base import Stage
from .embed import Embed, EmbedSettings
from .lenses import load_lens
from .media_record import Recorder
from .media_work import FrameSettings, open_work
from .revisions import remember
from .settings import setting

if TYPE_CHECKING:
    from ..models.embedder import Embedder

Samples: TypeAlias = fo.core.collections.SampleCollection

_VISUAL, _TEXT = "visual", "transcript"
#: ``{lens: (field of its classes, as the workshop has it)}``.
_FIELDS = {_VISUAL: "predicted_class", _TEXT: "jina_predicted_class"}
_TEXT_MODEL = "jinaai/jina-embeddings-v5-text-small-classification"
_CHUNK = 1000


# ---- settings ----


@dataclass(frozen=True)
class ClassifySettings(FrameSettings):
    lens: str = setting(
        _VISUAL,
        "Lens",
        "What is looked at: the clips, or texts about them (transcript)",
        choices=(_VISUAL, _TEXT),
    )
    classes: list = setting([], "Classes", "The classes to choose from", many=True, required=True)
    label_field: str | None = setting(
        None,
        "Field of classes",
        "Where the classes go; predicted_class or jina_predicted_class where empty",
    )
    text_prompt: str = setting(
        "A video of {}", "Wording", "How a class is put into words; {} stands for the class"
    )
    model: str | None = setting(
        None, "Model", "A name, name@revision or a folder; the lens's own where empty"
    )
    source_fields: list = setting(
        ["title", "description"],
        "Fields of texts",
        "The texts that a text lens reads, one after the other",
        kind="field",
        types=(fo.StringField,),
        many=True,
        shown=lambda settings: settings.lens == _TEXT,
    )
    against: str | None = setting(
        None,
        "Compare with",
        "Another field of classes to evaluate against, for the Model Evaluation panel",
        kind="field",
        types=(fo.Classification,),
    )

    @property
    def field(self) -> str:
        """The field that the classes go to."""
        return self.label_field or _FIELDS[self.lens]

    def problems(self, dataset: fo.Dataset | None) -> dict[str, str]:
        found = super().problems(dataset)
        if self.lens == _VISUAL:
            found.pop("source_fields", None)  # they are not read
        return found


# ---- work ----


class Classify(Stage):
    """Gives each sample the class whose words lie nearest to it."""

    name = "classify"
    label = "Classify"
    description = (
        "Gives each clip the nearest of the classes named, by a visual lens or by its texts. "
        "Writes one field of classes with similarity and margin, the vectors that the visual "
        "lens needs, audit_status, and an evaluation, if one is asked for."
    )
    icon = "category"
    settings = ClassifySettings
    prefers_delegation = True

    def writes(self, settings: ClassifySettings) -> dict[str, tuple]:
        what = "the clip" if settings.lens == _VISUAL else ", ".join(settings.source_fields)
        written = {settings.field: (fo.Classification, f"The class nearest to {what}")}
        if settings.lens == _VISUAL:
            written |= Embed().writes(_embedding(settings))
        return written

    def check(self, samples: Samples, settings: ClassifySettings) -> dict[str, str]:
        classes = [str(name).strip() for name in settings.classes]
        if len(set(classes)) < 2 or "" in classes or len(set(classes)) < len(classes):
            return {"classes": "Classes: name at least two different ones."}
        if "{}" not in settings.text_prompt:
            return {"text_prompt": "Wording: write {} where the class belongs."}
        if settings.against == settings.field:
            return {"against": "Compare with: choose another field than the one written to."}
        if settings.lens == _TEXT:
            absent = [
                name
                for name in settings.source_fields
                if not isinstance(root_dataset(samples).get_field(name), fo.StringField)
            ]
            if absent or not settings.source_fields:
                return {"source_fields": f"Fields of texts: there are no texts in {absent}."}
            return {}
        return Embed().check(samples, _embedding(settings))

    def status_name(self, settings: ClassifySettings) -> str:
        return f"classify_{settings.field}"

    def work(self, samples: Samples, settings: ClassifySettings, progress: Progress) -> dict:
        dataset, work = root_dataset(samples), self.status_name(settings)
        model = _load(settings, dataset)
        if settings.lens == _VISUAL and not model.shares_space:
            raise ValueError(
                f"{model.name} puts clips and words into spaces of their own, so that no class "
                "is near a clip. Choose a lens that was made for both, such as SigLIP2."
            )
        words = [settings.text_prompt.replace("{}", str(name)) for name in settings.classes]
        names = np.stack(model.embed_texts(words, settings.batch_size))
        embedded = []
        if settings.lens == _VISUAL:
            # Only what is missing or out of date is embedded
            done = Embed().work(samples, _embedding(settings), progress.share(0.0, 0.8))
            embedded = done["summary"]
        open_work(dataset, self.name, work, self.writes(settings))
        told = remember(samples, work, model.name, model.revision, settings.revision)
        recorder = Recorder(dataset, work)
        counts = _classify(samples, settings, model, names, recorder, progress.share(0.8, 1.0))
        report = _report(samples, settings, model, recorder, counts)
        # A lens that watched the clips has said already which version it is
        report["summary"] = embedded + report["summary"] + ([] if embedded else told)
        if settings.against:
            _evaluate(samples, settings, report)
        return report

    def shows(self, samples: Samples, settings: ClassifySettings, report: dict) -> fo.DatasetView:
        return samples.exists(settings.field)


def _embedding(settings: ClassifySettings) -> EmbedSettings:
    shared = {field.name: getattr(settings, field.name) for field in fields(FrameSettings)}
    # To replace a field of classes is no reason to watch every clip again
    return EmbedSettings(**{**shared, "lens": _VISUAL, "model": settings.model, "overwrite": False})


def _load(settings: ClassifySettings, dataset: fo.Dataset) -> Embedder:
    model = settings.model
    if settings.lens == _TEXT and model is None:
        import torch

        model = _TEXT_MODEL if torch.cuda.is_available() else None
    return load_lens(settings.lens, model, settings.trust_remote_code, settings.revision, dataset)


def _classify(
    samples: Samples,
    settings: ClassifySettings,
    model: Embedder,
    names: np.ndarray,
    recorder: Recorder,
    progress: Progress,
) -> Counter:
    dataset, counts = root_dataset(samples), Counter[str]()
    visual = settings.lens == _VISUAL
    sources = [_embedding(settings).field] if visual else list(settings.source_fields)
    chunks = read_chunks(samples, sources, size=_CHUNK)
    for chunk in progress.over(chunks, "Classifying", samples.count()):
        columns = [chunk.columns[name] for name in sources]
        vectors = (
            columns[0]
            if visual
            else model.embed_texts([_joined(row) for row in zip(*columns)], settings.batch_size)
        )
        found, rows = {}, []
        for sample_id, vector in zip(chunk.ids, vectors):
            unknown = vector is None or isinstance(vector, Exception)
            found[sample_id] = None if unknown else _nearest(vector, names, settings)
            outcome = (
                ("missing", f"no {' or '.join(sources)}") if vector is None
                else ("failed", str(vector)) if unknown
                else ("ok", None)
            )  # fmt: skip
            rows.append((sample_id, *outcome, None))
        dataset.set_values(settings.field, found, key_field="id", dynamic=True)
        recorder.write(rows)
        counts.update(label.label for label in found.values() if label is not None)
    return counts


def _joined(texts: tuple) -> str | None:
    said = [text.strip() for text in texts if isinstance(text, str) and text.strip()]
    return "\n".join(said) or None


def _nearest(
    vector: np.ndarray, names: np.ndarray, settings: ClassifySettings
) -> fo.Classification:
    vector = np.asarray(vector, np.float32)
    similar = names @ (vector / (np.linalg.norm(vector) or 1.0))
    second, first = np.argsort(similar)[-2:]
    # No confidence: a cosine is no probability, and a softmax of cosines would pass for one
    return fo.Classification(
        label=str(settings.classes[first]),
        similarity=round(float(similar[first]), 6),
        margin=round(float(similar[first] - similar[second]), 6),
    )


def _evaluate(samples: Samples, settings: ClassifySettings, report: dict) -> None:
    key = f"{settings.field}_against_{settings.against}"
    view = samples.exists(settings.field).exists(settings.against)
    dataset = root_dataset(samples)
    if not view.count():
        report["summary"].append(f"No sample has a class in {settings.against} as well.")
        return
    if dataset.has_evaluation(key):
        dataset.delete_evaluation(key)
    results = view.evaluate_classifications(
        settings.field, gt_field=settings.against, eval_key=key, method="simple"
    )
    agreed = results.metrics()["accuracy"]
    report["summary"].append(
        f"Evaluation {key!r}: the two agree on {agreed:.1%} of {view.count():,} samples. Open the "
        "Model Evaluation panel for more."
    )
    report["evaluation"] = [
        {"class": name, **{key: round(float(value), 4) for key, value in row.items()}}
        for name, row in results.report().items()
        if isinstance(row, dict)
    ]


def _report(
    samples: Samples,
    settings: ClassifySettings,
    model: Embedder,
    recorder: Recorder,
    counts: Counter,
) -> dict:
    total, outcomes = samples.count(), recorder.outcomes
    summary = (
        f"Classified {outcomes['ok']:,} of {total:,} samples into {settings.field} with "
        f"{model.name} ({model.revision}); {outcomes['missing']:,} had nothing to go by and "
        f"{outcomes['failed']:,} failed."
    )
    return {
        "summary": [summary],
        "samples": total,
        "classified": outcomes["ok"],
        "missing": outcomes["missing"],
        "failed": outcomes["failed"],
        "model": model.name,
        "revision": model.revision,
        "classes": [
            {"class": str(name), "samples": counts[str(name)]} for name in settings.classes
        ],
    }
