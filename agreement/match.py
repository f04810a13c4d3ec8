"""``match``: the calibrated probability that two texts describe the same clip.

A mixture of true and wrong pairs (``mixture.py``) is fitted on four fifths of the clips
and judges the last. No human label is needed, wrong pairs among the observed ones do not
pass for true, and no pair is judged by a model that was fitted on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .mixture import STRENGTH, Mixture, fit_mixture
from .null import WrongPairs
from .reliability import area_under_roc, brier_score, calibration_error

#: Fewer observed pairs than this cannot carry a probability.
PAIRS_NEEDED = 100
_FOLDS = 5


@dataclass
class Calibration:
    """What calibrating one edge, or one panel of edges, gave.

    Attributes:
        match: ``(n,)`` probabilities that the observed pairs are true; nan where missing
        log_ratio: ``(n,)`` ``ln(p_true / p_wrong)`` of the observed pairs
        wrong_log_ratio: ``(m,)`` the same of the wrong pairs
        share: the estimated share of true pairs among the observed ones
        report: ``pairs``, ``shares`` by kind, ``ece``, ``brier``, ``auroc`` by kind,
            ``carried_by`` (share of the separation by piece of evidence); where there are too
            few pairs only ``pairs`` and ``wrong``, how many there are of either
        warning: a sentence where there are too few pairs, else None
    """

    match: np.ndarray
    log_ratio: np.ndarray
    wrong_log_ratio: np.ndarray
    share: float
    report: dict = field(default_factory=dict)
    warning: str | None = None


def calibrate_pairs(
    observed: np.ndarray,
    wrong: np.ndarray,
    pairs: WrongPairs,
    names: Sequence[str],
    bent: Sequence[str] = ("sem_csls",),
    seed: int = 51,
    strength: float = STRENGTH,
) -> Calibration:
    """Turns evidence into calibrated probabilities, cross-fitted.

    Args:
        observed: ``(n, f)`` evidence of every clip's own pair; nan where missing
        wrong: ``(m, f)`` evidence of the wrong pairs
        pairs: the wrong pairs, whose clips decide which models may judge them
        names: the ``f`` names of the pieces of evidence
        bent: names of evidence that has another slope where it is low
        seed: the same seed gives the same figures
        strength: the inverse of the ridge penalty

    Returns:
        the calibration; with fewer than ``PAIRS_NEEDED`` pairs only a warning
    """
    there = ~np.isnan(observed).all(axis=1)
    valid = ~np.isnan(wrong).all(axis=1)
    if there.sum() < PAIRS_NEEDED or valid.sum() < PAIRS_NEEDED:
        return _too_few(there, valid)
    columns = [i for i, name in enumerate(names) if name in bent]
    rng = np.random.default_rng(seed)
    fold = rng.integers(0, _FOLDS, len(observed))
    result = Calibration(
        match=np.full(len(there), np.nan),
        log_ratio=np.full(len(there), np.nan),
        wrong_log_ratio=np.full(len(valid), np.nan),
        share=0.0,
    )
    fitted = []
    for held in range(_FOLDS):
        known = there & (fold != held)
        apart = valid & (fold[pairs.taken] != held) & (fold[pairs.given] != held)
        rows, judged = there & (fold == held), valid & (fold[pairs.given] == held)
        seen = observed[known], wrong[apart], pairs.kind[apart]
        # How long the tail of badly matching true pairs is cannot be known from the
        # mixture alone, so a straight and a bent one are averaged; a gap needs no tail.
        models = [fit_mixture(*seen, (), rng, strength)]
        if not models[0].plain:
            models.append(fit_mixture(*seen, columns, rng, strength))
        result.match[rows] = np.mean([m.probability(observed[rows]) for m in models], axis=0)
        result.log_ratio[rows] = np.mean([m.log_ratio(observed[rows]) for m in models], axis=0)
        result.wrong_log_ratio[judged] = np.mean(
            [m.log_ratio(wrong[judged]) for m in models], axis=0
        )
        fitted += models
    result.share = float(np.mean([model.shares[0] for model in fitted]))
    result.report = _report(result, fitted, observed, wrong, pairs, names)
    return result


def _report(
    result: Calibration,
    fitted: list[Mixture],
    observed: np.ndarray,
    wrong: np.ndarray,
    pairs: WrongPairs,
    names: Sequence[str],
) -> dict:
    kinds = fitted[0].kinds[1:]
    shares: np.ndarray = np.stack([model.shares for model in fitted]).mean(axis=0)
    ours = result.log_ratio[~np.isnan(result.log_ratio)]
    theirs = {k: result.wrong_log_ratio[pairs.kind == k] for k in kinds}
    theirs = {k: values[~np.isnan(values)] for k, values in theirs.items()}
    # Which of the two samples a pair comes from is known, so this is checked without labels.
    ratio = np.concatenate([ours, *theirs.values()])
    label = np.concatenate([np.ones(len(ours)), np.zeros(len(ratio) - len(ours))])
    parts = shares[1:] / shares[1:].sum() * len(ours)
    sizes = [len(values) for values in theirs.values()]
    weight = np.concatenate([np.ones(len(ours)), np.repeat(parts / sizes, sizes)])
    mixed = shares[0] * np.exp(np.clip(ratio, -50, 50)) + 1 - shares[0]
    chance = mixed / (mixed + 1.0)
    return {
        "pairs": len(ours),
        "shares": dict(zip(fitted[0].kinds, np.round(shares, 4).tolist())),
        "ece": calibration_error(chance, label, weight),
        "brier": brier_score(chance, label, weight),
        "auroc": {k: area_under_roc(ours, values) for k, values in theirs.items()},
        "carried_by": _carried_by(fitted, observed, wrong, names, result.match),
    }


def _carried_by(
    fitted: list[Mixture],
    observed: np.ndarray,
    wrong: np.ndarray,
    names: Sequence[str],
    match: np.ndarray,
) -> dict[str, float]:
    """Each piece's share of the distance between true and wrong pairs; may be negative."""
    there = ~np.isnan(match)
    total = np.zeros(len(names))
    for model in fitted:
        parts = model.shares[1:] / model.shares[1:].sum()
        slopes = model.slopes[0] - parts @ model.slopes[1:]
        true = np.average(model.columns(observed[there]), axis=0, weights=match[there] + 1e-9)
        gap = slopes * (true - model.columns(wrong).mean(axis=0))
        np.add.at(total, [*range(len(names)), *model.bent], gap)
    whole = total.sum() or 1.0
    order = np.argsort(-total)
    return {names[i]: round(float(total[i] / whole), 4) for i in order}


def _too_few(there: np.ndarray, valid: np.ndarray) -> Calibration:
    report = {"pairs": int(there.sum()), "wrong": int(valid.sum())}
    warning = (
        f"There are {report['pairs']} complete pairs, and {report['wrong']} wrong ones to compare "
        f"them with; {PAIRS_NEEDED} are needed of each."
    )
    empty, wrong = np.full(len(there), np.nan), np.full(len(valid), np.nan)
    return Calibration(empty, empty.copy(), wrong, float("nan"), report, warning)
