"""The method ``cosine``: vectors of clips against their texts, corrected for hubs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..engine.ledger import fingerprint
from .grounding_settings import COSINE, GroundSettings
from .grounding_units import Unit, Units
from .grounding_vectors import clip_vectors, open_lens
from .media_record import Recorder

if TYPE_CHECKING:
    from ..engine.progress import Progress
    from ..models.embedder import Embedder


def compare_vectors(units: Units, settings: GroundSettings, progress: Progress) -> Recorder:
    """Compares every text with its own clip's vector and with another's, and keeps both."""
    from ..agreement.text_to_clip import corrected_similarity

    lens = open_lens(units.dataset, settings)
    vectors, failed = clip_vectors(units, settings, lens, progress.share(0.0, 0.8))
    recorder = Recorder(units.dataset, settings.work(COSINE))
    known = [unit for unit in units.all if unit.key in vectors]
    with progress.share(0.8, 1.0).step("Grounding by cosine", len(units.all)) as advance:
        if known:
            parties = [
                (i, text) for i, u in enumerate(known) for text in dict.fromkeys(u.texts.values())
            ]
            texts = np.stack(lens.embed_texts([text for _, text in parties], settings.batch_size))
            clips = np.stack([vectors[unit.key] for unit in known])
            owner = np.array([i for i, _ in parties])
            own, wrong = corrected_similarity(texts, clips, owner, _others(known))
            found = _results(known, parties, own, wrong, settings, lens)
            units.write({settings.own(COSINE): found})
        recorder.write([_outcome(unit, settings, vectors, failed) for unit in known])
        # last, so that a sample one of whose segments failed says so
        others = [unit for unit in units.all if unit.key not in vectors]
        recorder.write([_outcome(unit, settings, vectors, failed) for unit in others])
        advance(len(units.all))
    return recorder


def _outcome(
    unit: Unit, settings: GroundSettings, vectors: Collection[str], failed: Mapping[str, str]
) -> tuple[str, str, str | None, str | None]:
    if unit.key in failed:
        return unit.id, "failed", failed[unit.key], None
    if unit.key not in vectors:
        return unit.id, "missing", f"no {settings.embeddings_field}", None
    return unit.id, "ok", None, None if unit.label else unit.results[COSINE]["key"]


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
    known: list[Unit],
    parties: list,
    own: np.ndarray,
    wrong: np.ndarray,
    settings: GroundSettings,
    lens: Embedder,
) -> dict[str, dict]:
    asked: dict[int, list] = {}
    for (i, text), here, there in zip(parties, own.tolist(), wrong.tolist()):
        there = None if there != there else there
        asked.setdefault(i, []).append([text, here, there, None, None, None])
    found = {}
    for i, rows in asked.items():
        unit = known[i]
        key = fingerprint(
            *(lens.name, lens.revision, settings.embeddings_field), unit.stamp(), unit.texts
        )
        found[unit.key] = {"key": key, "model": lens.name, "revision": lens.revision, "asked": rows}
        unit.results[COSINE] = found[unit.key]
    return found
