"""How good scores and probabilities are, where the truth is known."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def area_under_roc(matched: np.ndarray, corrupted: np.ndarray) -> float:
    """How often a matched pair scores above a corrupted one, ties counting half; 0..1.

    Mann and Whitney, 1947. nan where either side is empty.
    """
    matched, corrupted = np.asarray(matched, float), np.asarray(corrupted, float)
    matched, corrupted = matched[~np.isnan(matched)], corrupted[~np.isnan(corrupted)]
    if not len(matched) or not len(corrupted):
        return float("nan")
    ranks = rankdata(np.concatenate([matched, corrupted]))[: len(matched)]
    least = len(matched) * (len(matched) + 1) / 2
    return float((ranks.sum() - least) / (len(matched) * len(corrupted)))


def recall_at_false_alarms(
    matched: np.ndarray, corrupted: np.ndarray, alarms: float = 0.05
) -> float:
    """The share of corrupted pairs below all but ``alarms`` of the matched ones; 0..1."""
    matched, corrupted = np.asarray(matched, float), np.asarray(corrupted, float)
    matched, corrupted = matched[~np.isnan(matched)], corrupted[~np.isnan(corrupted)]
    if not len(matched) or not len(corrupted):
        return float("nan")
    allowed = np.sort(matched)[int(np.floor(alarms * len(matched)))]
    return float((corrupted < allowed).mean())


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
