"""The method ``cosine``: stored vectors of clips against their texts, corrected for hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo
import numpy as np

from ..engine import provenance
from ..engine.columns import read_chunks
from ..engine.ledger import fingerprint
from .grounding_settings import COSINE, GroundSettings
from .grounding_units import Unit, Units
from .lenses import load_lens
from .media_work import Recorder

if TYPE_CHECKING:
    from ..engine.progress import Progress


def embedded_by(dataset: fo.Dataset, field: str) -> dict | None:
    """The report and settings of the run of embed that made a field of vectors; None if gone."""
    for key in reversed(provenance.run_keys(dataset, "embed")):
        report = dataset.load_run_results(key, cache=False).report
        if report.get("field") == field:
            return {**report, "settings": dataset.get_run_info(key).config.settings}
    return None


def compare_vectors(units: Units, settings: GroundSettings, progress: Progress) -> Recorder:
    """Compares every text with its own clip's vector and with another's, and keeps both."""
    from ..agreement.text_to_clip import corrected_similarity

    made = embedded_by(units.dataset, settings.embeddings_field)
    given = made["settings"]
    lens = load_lens(given.get("lens") or "visual", given.get("model"), settings.trust_remote_code)
    vectors = _stored(units, settings.embeddings_field)
    recorder = Recorder(units.dataset, settings.work(COSINE))
    known = [unit for unit in units.all if unit.key in vectors]
    rows = [(u.id, "missing", f"no {settings.embeddings_field}", None) for u in units.all
            if u.key not in vectors]  # fmt: skip
    with progress.step("Grounding by cosine", len(units.all)) as advance:
        if known:
            parties = [
                (i, text) for i, u in enumerate(known) for text in dict.fromkeys(u.texts.values())
            ]
            texts = np.stack(lens.embed_texts([text for _, text in parties], settings.batch_size))
            clips = np.stack([vectors[unit.key] for unit in known]).astype(np.float32)
            owner = np.array([i for i, _ in parties])
            other = _others(known)
            own, wrong = corrected_similarity(texts, clips, owner, other)
            found = _results(known, parties, own, wrong, made, lens)
            units.write({settings.own(COSINE): found})
            rows += [(u.id, "ok", None, None if u.label else found[u.key]["key"]) for u in known]
        recorder.write(rows)
        advance(len(units.all))
    return recorder


def _stored(units: Units, field: str) -> dict[str, np.ndarray]:
    by_sample: dict[str, list[Unit]] = {}
    for unit in units.all:
        by_sample.setdefault(unit.id, []).append(unit)
    found: dict[str, np.ndarray] = {}
    for chunk in read_chunks(units.dataset.select(list(by_sample)), [field]):
        for sample_id, vector in zip(chunk.ids, chunk.columns[field]):
            if vector is not None:
                along = np.asarray(vector, np.float32)
                along = along / max(float(np.linalg.norm(along)), 1e-9)
                found.update({u.key: along for u in by_sample[sample_id]})
    return found


def _others(known: list[Unit]) -> np.ndarray:
    """For each unit another one of another file; -1 where there is none."""
    found = np.full(len(known), -1)
    for i, unit in enumerate(known):
        for step in range(1, len(known)):
            j = (i + step) % len(known)
            if known[j].path != unit.path:
                found[i] = j
                break
    return found


def _results(
    known: list[Unit], parties: list, own: np.ndarray, wrong: np.ndarray, made: dict, lens
) -> dict[str, dict]:
    asked: dict[int, list] = {}
    for (i, text), here, there in zip(parties, own.tolist(), wrong.tolist()):
        there = None if there != there else there
        asked.setdefault(i, []).append([text, here, there, None, None, None])
    found = {}
    for i, rows in asked.items():
        unit = known[i]
        key = fingerprint(lens.name, lens.revision, made["field"], unit.stamp(), unit.texts)
        found[unit.key] = {"key": key, "model": lens.name, "revision": lens.revision, "asked": rows}
        unit.results[COSINE] = found[unit.key]
    return found
