"""Vectors of clips for the method ``cosine``: embed's of whole clips; of segments made here, once.

A segment's vector is an attribute of its label, as FiftyOne keeps vectors of patches, so that
its brain can read it. Beside it stands what it was made from: another lens, other frames or
another file make it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo
import numpy as np

from ..engine import provenance
from ..engine.columns import read_chunks
from ..engine.ledger import fingerprint
from .grounding_settings import GroundSettings
from .grounding_units import Units
from .lenses import load_lens
from .media_work import Item, decoded, in_batches

if TYPE_CHECKING:
    from ..engine.progress import Progress
    from ..models.embedder import Embedder

_FLUSH = 64


def embedded_by(dataset: fo.Dataset, field: str) -> dict | None:
    """The report and settings of the run of embed that made a field of vectors; None if gone."""
    for key in reversed(provenance.run_keys(dataset, "embed")):
        report = dataset.load_run_results(key, cache=False).report
        if report.get("field") == field:
            return {**report, "settings": dataset.get_run_info(key).config.settings}
    return None


def open_lens(dataset: fo.Dataset, settings: GroundSettings) -> Embedder:
    """The lens of the vectors: that of embed's run, or for segments the one that is named.

    Raises:
        ModelUnavailable: a sentence that says why, and what to do
    """
    made = embedded_by(dataset, settings.embeddings_field) or {}
    given = made.get("settings", {})
    name = (settings.cosine_model if settings.segments else None) or given.get("model")
    chosen = given.get("lens") or "visual"
    lens = load_lens(chosen, name, settings.trust_remote_code, settings.revision, dataset)
    lens.require("clips")
    lens.require("texts")
    return lens


def clip_vectors(
    units: Units, settings: GroundSettings, lens: Embedder, progress: Progress
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The unit vectors of the clips or segments.

    Returns:
        ``{unit's own id: (d,) float32}``, and ``{unit's own id: why it failed}``
    """
    if settings.segments:
        return _of_segments(units, settings, lens, progress)
    by_sample = {unit.id: unit for unit in units.all}
    found: dict[str, np.ndarray] = {}
    field = settings.embeddings_field
    for chunk in read_chunks(units.dataset.select(list(by_sample)), [field]):
        for sample_id, vector in zip(chunk.ids, chunk.columns[field]):
            if vector is not None:
                found[by_sample[sample_id].key] = _unit(vector)
    return found, {}


def _of_segments(
    units: Units, settings: GroundSettings, lens: Embedder, progress: Progress
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    method = [lens.name, lens.revision, lens.pooling, lens.prompt, settings.frames_method()]
    keys = {unit.key: fingerprint(method, unit.stamp()) for unit in units.all}
    found = {} if settings.overwrite else _kept(units, settings, keys)
    failed: dict[str, str] = {}
    items = [unit.item(keys[unit.key]) for unit in units.all if unit.key not in found]
    items.sort(key=lambda item: (item.path, item.support))  # one file's parts after each other

    def fail(item: Item, error: Exception) -> None:
        failed[str(item.label)] = str(error)

    fresh: dict[str, np.ndarray] = {}
    with progress.step("Embedding segments", len(items)) as advance:
        pairs = decoded(items, settings, fail)
        for item, _, vector in in_batches(pairs, lens.embed_clips, settings.batch_size):
            if isinstance(vector, Exception):
                fail(item, vector)
            else:
                fresh[str(item.label)] = _unit(vector)
            advance(1)
            if len(fresh) >= _FLUSH:
                _keep(units, settings, fresh, keys)
                found |= fresh
                fresh = {}
        _keep(units, settings, fresh, keys)
    return found | fresh, failed


def _kept(units: Units, settings: GroundSettings, keys: dict[str, str]) -> dict[str, np.ndarray]:
    """The vectors that were made before, from the same segments in the same way."""
    base = f"{settings.segments}.detections"
    names = [f"{base}.{n}" for n in ("id", settings.embeddings_field, settings.vectors_made_from)]
    found: dict[str, np.ndarray] = {}
    owners = units.dataset.select(list({unit.id for unit in units.all}))
    for chunk in read_chunks(owners, names, size=_FLUSH):
        for labels in zip(*(chunk.columns[name] for name in names)):
            for label, vector, made_from in zip(*(column or [] for column in labels)):
                if vector is not None and made_from and keys.get(str(label)) == made_from:
                    found[str(label)] = _unit(vector)
    return found


def _keep(
    units: Units, settings: GroundSettings, fresh: dict[str, np.ndarray], keys: dict[str, str]
) -> None:
    if not fresh:
        return
    # by FiftyOne itself, which puts vectors into their stored form
    path = settings.path(settings.embeddings_field)
    units.dataset.set_label_values(path, dict(fresh))
    units.write({settings.vectors_made_from: {key: keys[key] for key in fresh}})


def _unit(vector: np.ndarray) -> np.ndarray:
    along = np.asarray(vector, np.float32)
    return along / max(float(np.linalg.norm(along)), 1e-9)
