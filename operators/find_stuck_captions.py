"""Find stuck captions: one text on many clips that have nothing in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np

from ..agreement.aspects import ACTION100M
from ..engine.columns import read_chunks, root_dataset, write_columns
from ..engine.progress import Progress
from .base import Stage
from .settings import Settings, setting

# What tells clips apart where no lens was run.
_CONTEXT = ("title", "transcript")
_SHOWN = 20
_LONGEST = 120

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class StuckSettings(Settings):
    fields: list | None = setting(
        None,
        "Fields",
        "The texts to look at; the preset's annotations and opinions where empty",
        kind="field",
        many=True,
        types=(fo.StringField,),
    )
    embeddings_field: str | None = setting(
        None,
        "Lens",
        "The field of a lens's embeddings, which tells how far apart clips are; title and "
        "transcript where empty",
        kind="field",
        types=(fo.VectorField, fo.ArrayField),
    )
    alike: float = setting(
        0.9, "Alike", "From which similarity two texts count as one, 0 to 1", low=0.5, high=1.0
    )
    far: float = setting(
        0.5, "Far", "From which mean distance clips count as far apart, 0 to 1", low=0.0, high=1.0
    )
    least: int = setting(3, "Clips", "On how many clips a text must be", low=2)
    overwrite: bool = setting(False, "Overwrite", "Replace fields that this audit did not write")

    def chosen(self, dataset: fo.Dataset) -> list[str]:
        """The fields to look at."""
        schema = dataset.get_field_schema()
        preset = [name for aspect in ACTION100M for name in aspect.fields]
        return self.fields or [name for name in preset if name in schema]


# ---- work ----


class FindStuckCaptions(Stage):
    """Finds texts that a captioner wrote again and again."""

    name = "find_stuck_captions"
    label = "Find stuck captions"
    description = (
        "Finds the same or nearly the same text on clips that are far apart. Writes "
        "stuck_captions: the fields whose text is stuck."
    )
    icon = "content_copy"
    settings = StuckSettings

    def writes(self, settings: StuckSettings) -> dict[str, tuple]:
        return {"stuck_captions": (fo.ListField, "The fields whose text is on many unlike clips")}

    def check(self, samples: Samples, settings: StuckSettings) -> dict[str, str]:
        if not settings.chosen(root_dataset(samples)):
            return {"fields": "Fields: choose at least one text field."}
        return {}

    def work(self, samples: Samples, settings: StuckSettings, progress: Progress) -> dict:
        from ..agreement.stuck import stuck_texts

        dataset = self.open(samples, settings)
        fields = settings.chosen(dataset)
        ids, distance, by = _distance(samples, settings)
        stuck: list[list[str]] = [[] for _ in ids]
        rows = []
        with progress.step("Looking for stuck captions", len(fields)) as advance:
            for name in fields:
                texts = _column(samples, name)
                for found in stuck_texts(
                    texts, distance, settings.alike, settings.far, settings.least
                ):
                    for member in found.members:
                        stuck[member].append(name)
                    rows.append(_row(name, found))
                advance(1)
        write_columns(dataset, ids, {"stuck_captions": stuck})
        return _report(ids, fields, rows, stuck, by)

    def shows(self, samples: Samples, settings: StuckSettings, report: dict) -> fo.DatasetView:
        return samples.match(fo.ViewField("stuck_captions").length() > 0)


def _column(samples: Samples, name: str) -> list[str | None]:
    return [text for chunk in read_chunks(samples, [name]) for text in chunk.columns[name]]


def _distance(
    samples: Samples, settings: StuckSettings
) -> tuple[list[str], np.ndarray | Callable | None, str]:
    if settings.embeddings_field:
        ids, found = samples.values(["id", settings.embeddings_field])
        size = next((len(v) for v in found if v is not None), 1)
        vectors = np.full((len(ids), size), np.nan, dtype=np.float32)
        for row, vector in enumerate(found):
            if vector is not None and np.linalg.norm(vector) > 0:
                vectors[row] = np.asarray(vector) / np.linalg.norm(vector)
        return ids, vectors, settings.embeddings_field
    ids, texts = [], []
    for chunk in read_chunks(samples, list(_CONTEXT)):
        ids += chunk.ids
        rows = zip(*(chunk.columns[name] for name in _CONTEXT))
        texts += [" ".join(text for text in row if isinstance(text, str)) for row in rows]
    if not any(text.strip() for text in texts):
        return ids, None, "nothing: no lens, title or transcript is there, so copies alone decide"
    return ids, _text_distance(texts), "title and transcript"


def _text_distance(texts: list[str]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(dtype=np.float32, sublinear_tf=True).fit_transform(texts)
    known = np.asarray(vectors.sum(axis=1)).ravel() > 0

    def distance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        cosines = np.asarray(vectors[left].multiply(vectors[right]).sum(axis=1)).ravel()
        return np.where(known[left] & known[right], 1.0 - cosines, np.nan)

    return distance


def _row(field: str, found: Any) -> dict:
    text = found.text if len(found.text) <= _LONGEST else f"{found.text[:_LONGEST]}..."
    distance = None if np.isnan(found.distance) else round(found.distance, 3)
    clips = len(found.members)
    return {
        "field": field,
        "clips": clips,
        "word for word": found.exact,
        "distance": distance,
        "text": text,
    }


def _report(
    ids: list[str], fields: list[str], rows: list[dict], stuck: list[list[str]], by: str
) -> dict:
    rows = sorted(rows, key=lambda row: -row["clips"])
    hit = sum(bool(names) for names in stuck)
    texts = f"{len(rows):,} stuck text{'s' * (len(rows) != 1)}"
    summary = (
        f"{texts} in {', '.join(fields)}, on {hit:,} of {len(ids):,} samples. "
        f"How far apart clips are was told by {by}."
    )
    return {"summary": [summary], "samples": len(ids), "hit": hit, "stuck": rows[:_SHOWN]}
