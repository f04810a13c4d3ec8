"""How good scores and probabilities are, where the truth is known."""

from __future__ import annotations

import numpy as np


def area_under_roc(
    matched: np.ndarray,
    corrupted: np.ndarray,
    weight: np.ndarray | None = None,
    corrupted_weight: np.ndarray | None = None,
) -> float:
    """How often a matched pair scores above a corrupted one, ties counting half; 0..1.

    Mann and Whitney, 1947; with weights, how often of two pairs that are drawn by them. nan
    where either side is empty.
    """
    matched, weight = _known(matched, weight)
    corrupted, corrupted_weight = _known(corrupted, corrupted_weight)
    if not weight.sum() or not corrupted_weight.sum():
        return float("nan")
    order = np.argsort(corrupted)
    upto = np.concatenate([[0.0], np.cumsum(corrupted_weight[order])])
    places = (np.searchsorted(corrupted[order], matched, side) for side in ("left", "right"))
    below, not_above = (upto[place] for place in places)
    return float(weight @ (below + not_above) / 2 / (weight.sum() * upto[-1]))


def recall_at_false_alarms(
    matched: np.ndarray,
    corrupted: np.ndarray,
    weight: np.ndarray | None = None,
    corrupted_weight: np.ndarray | None = None,
    alarms: float = 0.05,
) -> float:
    """The share of corrupted pairs below all but ``alarms`` of the matched ones; 0..1."""
    matched, weight = _known(matched, weight)
    corrupted, corrupted_weight = _known(corrupted, corrupted_weight)
    if not weight.sum() or not corrupted_weight.sum():
        return float("nan")
    order = np.argsort(matched)
    passed = np.cumsum(weight[order]) > alarms * weight.sum()
    allowed = matched[order][passed.argmax()]
    return float(corrupted_weight[corrupted < allowed].sum() / corrupted_weight.sum())


def _known(scores: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are there, and their weights: 1 where none are given, 0 where one is nan."""
    scores = np.asarray(scores, float)
    weight = np.ones(len(scores)) if weight is None else np.nan_to_num(weight)
    there = ~np.isnan(scores)
    return scores[there], weight[there]


def calibration_error(
    probability: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None, bins: int = 10
) -> float:
    """Expected calibration error over bins of equal width; 0..1.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", 2015.
    """
    probability, label = np.asarray(probability, float), np.asarray(label, float)
    weight = np.ones(len(label)) if weight is None else np.asarray(weight, float)
    if not len(label):
        return float("nan")
    index = np.clip((probability * bins).astype(int), 0, bins - 1)
    gap = np.bincount(index, weight * (probability - label), bins)
    return float(np.abs(gap).sum() / weight.sum())


def brier_score(
    probability: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """The mean squared error of probabilities; 0 is perfect. Brier, 1950."""
    probability, label = np.asarray(probability, float), np.asarray(label, float)
    if not len(label):
        return float("nan")
    return float(np.average((probability - label) ** 2, weights=weight))
