"""Vectors of a dataset in files, so that neighbours are found in little memory."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import fiftyone as fo
import numpy as np

from ..engine.columns import read_chunks
from ..engine.progress import Progress

Samples: TypeAlias = fo.core.collections.SampleCollection

_CHUNK = 1_000  # samples whose vectors are read at a time


def spool(
    samples: Samples, lenses: Sequence[str], folder: Path, progress: Progress
) -> tuple[list[str], list[np.ndarray]]:
    """Puts unit vectors into files, from which the blocks that are compared are paged in.

    Args:
        samples: the samples
        lenses: fields of vectors
        folder: where the files are made, 4 bytes a number
        progress: where to tell how far it has come

    Returns:
        the ids of ``n`` samples that have a vector in every lens, and an ``n x d`` float32
        array a lens, which lies on disk

    Raises:
        ValueError: a sentence, if a field's vectors differ in length, or the disk is full
    """
    ids: list[str] = []
    lengths = [0] * len(lenses)
    files = [open(folder / str(place), "wb") for place in range(len(lenses))]  # noqa: SIM115
    try:
        chunks = read_chunks(samples, lenses, size=_CHUNK)
        for chunk in progress.over(chunks, "Reading vectors", samples.count()):
            columns = [chunk.columns[lens] for lens in lenses]
            rows = [row for row in range(len(chunk)) if all(_is_whole(c[row]) for c in columns)]
            if not rows:
                continue
            for place, column in enumerate(columns):
                vectors = _unit([column[row] for row in rows], lenses[place], lengths[place])
                lengths[place] = vectors.shape[1]
                _require_room(folder, vectors.nbytes)
                vectors.tofile(files[place])
            ids += [chunk.ids[row] for row in rows]
    finally:
        for file in files:
            file.close()
    if not ids:
        return ids, []
    return ids, [
        np.memmap(file.name, np.float32, "r", shape=(len(ids), length))
        for file, length in zip(files, lengths)
    ]


def _is_whole(vector: np.ndarray | None) -> bool:
    return vector is not None and len(vector) > 0 and bool(np.isfinite(vector).all())


def _unit(rows: list, lens: str, length: int) -> np.ndarray:
    if len({len(row) for row in rows} | ({length} if length else set())) > 1:
        raise ValueError(
            f"{lens} holds vectors of several lengths, which no one model made. Run embed again "
            "on the whole dataset."
        )
    vectors = np.asarray(rows, np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def _require_room(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size + 2**28:
        raise ValueError(
            f"There is no room for the vectors in {folder.parent}. Set the environment variable "
            "TMPDIR to a folder on a larger disk."
        )
