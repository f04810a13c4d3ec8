"""The whole panel's word on one annotation: every witness's, and the witnesses' on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from .evidence import Party
from .hubness import corrected, mean_of_nearest, nearest
from .match import Calibration
from .null import WrongPairs

_K = 5


def panel_evidence(
    annotation: Party,
    witnesses: Mapping[str, Party],
    edges: Mapping[str, Calibration],
    pairs: WrongPairs,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Gathers what all witnesses say for and against each annotation.

    Beside every witness's own log ratio stands the annotation's similarity to what the
    witnesses say on average, and how much the witnesses agree: little is to be expected
    of the annotation where even they do not.

    Args:
        annotation: the party under audit, ``n`` clips
        witnesses: ``{witness: party}``
        edges: ``{witness: calibration}`` of each witness against the annotation
        pairs: the ``m`` wrong pairs that the edges were calibrated with

    Returns:
        ``(n, f)`` evidence of the observed panels, ``(m, f)`` of the wrong ones, and the
        names, ready for ``calibrate_pairs(..., bent=names)``
    """
    own = np.arange(len(annotation.texts))
    observed = [edges[name].log_ratio for name in witnesses]
    wrong = [edges[name].wrong_log_ratio for name in witnesses]
    names = [f"match_{name}" for name in witnesses]
    if len(witnesses) > 1:
        parties = list(witnesses.values())
        merged = merged_vectors([party.vectors for party in parties])
        close = _closeness(annotation.vectors, merged, own, own)
        observed += close
        wrong += _closeness(annotation.vectors, merged, pairs.taken, pairs.given)
        among = _among(parties)
        observed += among
        wrong += [values[pairs.given] for values in among]
        names += ["together", "together_csls", "among", "among_csls"]
    complete = ~np.isnan(np.stack(observed, axis=1)).all(axis=1)
    table = np.stack(observed, axis=1)
    table[~complete | ~annotation.there] = np.nan
    return table, np.stack(wrong, axis=1), names


def merged_vectors(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """The ``(n, d)`` unit directions of what several witnesses say, missing ones left out."""
    stacked = np.stack(vectors)
    there = ~np.isnan(stacked).any(axis=2, keepdims=True)
    total = np.where(there, stacked, 0.0).sum(axis=0)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 1e-9, total / np.maximum(length, 1e-9), np.nan)


def _closeness(
    left: np.ndarray, right: np.ndarray, taken: np.ndarray, given: np.ndarray
) -> list[np.ndarray]:
    """Cosine and corrected cosine of pairs, each judged against the dataset."""
    there, back = nearest(left, right, _K + 2), nearest(right, left, _K + 2)
    cosine = np.einsum("nd,nd->n", left[taken], right[given])
    own = np.stack([taken, given], axis=1)
    return [
        cosine,
        corrected(
            cosine,
            mean_of_nearest(there.similarity[taken], there.index[taken], given[:, None], _K),
            mean_of_nearest(back.similarity[given], back.index[given], own, _K),
        ),
    ]


def _among(parties: Sequence[Party]) -> list[np.ndarray]:
    """How much the witnesses agree on each clip: mean cosine and mean corrected cosine."""
    own = np.arange(len(parties[0].texts))
    found = [_closeness(a.vectors, b.vectors, own, own) for a, b in combinations(parties, 2)]
    return [mean_of_known(np.stack(column)) for column in zip(*found)]


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """The ``(n,)`` column means of ``(m, n)`` values, nan left out; nan where all are."""
    there = ~np.isnan(values)
    counts = there.sum(axis=0)
    totals = np.where(there, values, 0.0).sum(axis=0)
    return np.divide(totals, counts, out=np.full(values.shape[1], np.nan), where=counts > 0)
