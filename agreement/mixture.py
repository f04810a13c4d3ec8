"""True and wrong pairs as a mixture, fitted without labels.

The observed pairs are a mixture of true and wrong ones, and wrongly paired texts of
several kinds show what wrong ones look like. Under the exponential tilt
``p_true(x) = exp(a + b x) p_kind(x)`` the slopes, the share of true pairs and how the
wrong ones divide among the kinds are found together by expectation and maximisation
(Anderson, "Multivariate logistic compounds", 1979; Qin, "Empirical likelihood ratio
based confidence intervals for mixture proportions", 1999), each step a multinomial
logistic regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

#: The inverse of the ridge penalty on standardised evidence.
STRENGTH = 0.5
#: The same for few pieces that are log ratios already: shrinking them would hide wrong pairs.
WEAK_RIDGE = 10.0
_STEPS = 80
_FITTED = 3000  # pairs of one kind that a model is fitted on; more adds only time
_BEND = 0.5  # spreads above the mean of true and wrong pairs together
_GAP = 3.0
_LEAST = 1e-3  # the least share of any kind
# Of a hundred pairs that look entirely wrong, so many are true: the witness speaks of something
# else. No comparison of texts can tell more.
_MISHEARD = 0.03
# A kind of wrong pair rarer than this cannot be told from true pairs that match badly.
_COMMON = 0.06


@dataclass
class Mixture:
    """Log densities of true and wrong pairs, and the shares in which they occur.

    Attributes:
        kinds: "true" and the kinds of wrong pairs
        shares: ``(c,)`` the estimated share of each kind among the observed pairs
        centre: ``(f,)`` the evidence's mean
        scale: ``(f,)`` the evidence's spread
        bent: columns with another slope below ``_BEND`` spreads: true pairs that match
            badly are more common than one slope allows
        slopes: ``(c, f + bent)`` what a spread of evidence adds for each kind
        intercepts: ``(c,)`` what every pair starts with
        plain: whether a gap made it plain which observed pairs are true
    """

    kinds: list[str]
    shares: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    bent: Sequence[int]
    slopes: np.ndarray
    intercepts: np.ndarray
    plain: bool = False

    def log_ratio(self, evidence: np.ndarray) -> np.ndarray:
        """``ln(p_true / p_wrong)`` of each row; nan where all evidence is missing."""
        density = self.columns(evidence) @ self.slopes.T + self.intercepts
        wrong = self.shares[1:] / self.shares[1:].sum()
        ratio = density[:, 0] - _log_sum(density[:, 1:] + np.log(wrong))
        return np.where(np.isnan(evidence).all(axis=1), np.nan, ratio)

    def probability(self, evidence: np.ndarray) -> np.ndarray:
        """The probability that each row is a true pair, given the estimated shares."""
        return match_probability(self.log_ratio(evidence), self.shares[0])

    def columns(self, evidence: np.ndarray) -> np.ndarray:
        """The evidence in spreads from its mean, 0 where missing, with its bent pieces."""
        scaled = np.nan_to_num((evidence - self.centre) / self.scale)
        low = np.minimum(scaled[:, list(self.bent)] - _BEND, 0.0)
        return np.concatenate([scaled, low], axis=1)


def fit_mixture(
    observed: np.ndarray,
    wrong: np.ndarray,
    kind: np.ndarray,
    bent: Sequence[int] = (),
    rng: np.random.Generator | None = None,
    strength: float = STRENGTH,
) -> Mixture:
    """Fits the densities and shares of true and wrong pairs.

    Args:
        observed: ``(n, f)`` evidence of the observed pairs; nan for missing pieces
        wrong: ``(m, f)`` evidence of the wrong pairs
        kind: ``(m,)`` their kinds
        bent: columns that have another slope where they are low
        rng: draws which pairs are used where there are very many
        strength: the inverse of the ridge penalty

    Returns:
        the fitted mixture, without the kinds that hardly occur
    """
    rng = rng or np.random.default_rng(0)
    kinds = sorted(set(kind.tolist()))
    samples = [_some(observed, rng), *(_some(wrong[kind == k], rng) for k in kinds)]
    everything = np.concatenate(samples)
    scale = np.nanstd(everything, axis=0)
    model = Mixture(
        kinds=["true", *kinds],
        shares=np.array([0.8, *(0.2 / len(kinds) for _ in kinds)]),
        centre=np.nan_to_num(np.nanmean(everything, axis=0)),
        scale=np.where(scale > 1e-9, scale, 1.0),
        bent=bent,
        slopes=np.empty(0),
        intercepts=np.empty(0),
    )
    n, classes = len(samples[0]), np.repeat(np.arange(len(samples)), [len(s) for s in samples])
    x = model.columns(everything)
    known = np.concatenate([np.full(len(s), n / len(s)) for s in samples[1:]])
    belief = np.full(n, model.shares[0])
    regression = LogisticRegression(C=strength, warm_start=True, max_iter=200, tol=1e-3)
    absent = np.zeros(len(samples), dtype=bool)  # kinds that do not occur
    for step in range(_STEPS):
        regression.fit(x, classes, sample_weight=np.concatenate([belief, known]))
        sizes = np.array([belief.sum(), *(n for _ in kinds)])
        model.slopes, model.intercepts = _by_class(regression, sizes)
        if step == 0 and (plain := _apart(x, classes, model)) is not None:
            return _fit_plain(model, regression, x, classes, plain, known)
        belief, shares = _divide(x[:n], model, absent)
        moved = np.abs(shares - model.shares).max()
        model.shares = shares
        if moved < 1e-3 and not _drop_rarest(shares, absent):
            break
    return model


def _fit_plain(
    model: Mixture,
    regression: LogisticRegression,
    x: np.ndarray,
    classes: np.ndarray,
    plain: np.ndarray,
    known: np.ndarray,
) -> Mixture:
    """Finishes a fit where it is plain which observed pairs are true."""
    model.plain = True
    regression.fit(x, classes, sample_weight=np.concatenate([plain, known]))
    kinds = len(model.kinds) - 1
    sizes = np.array([plain.sum(), *(len(plain) for _ in range(kinds))])
    model.slopes, model.intercepts = _by_class(regression, sizes)
    wrong = max(1.0 - plain.mean(), _LEAST)
    model.shares = np.array([1.0 - wrong, *(wrong / kinds for _ in range(kinds))])
    return model


def match_probability(log_ratio: np.ndarray, share: float) -> np.ndarray:
    """``P(true)`` from ``ln(p_true / p_wrong)`` and the share of true pairs (Bayes).

    A small part of the true pairs is taken to look like wrong ones, so that no pair is
    called wrong with more certainty than its texts can give.
    """
    prior = np.log(share) - np.log1p(-share)
    looks_true = expit(log_ratio + prior)
    return _MISHEARD + (1.0 - _MISHEARD) * looks_true


def _by_class(regression: LogisticRegression, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    slopes, intercepts = regression.coef_, regression.intercept_
    if len(slopes) == 1:  # two classes are stored as the second against the first
        slopes, intercepts = np.stack([-slopes[0] / 2, slopes[0] / 2]), intercepts[0] / 2
        intercepts = np.array([-intercepts, intercepts])
    return slopes.copy(), intercepts - np.log(sizes / sizes.sum())


def _apart(x: np.ndarray, classes: np.ndarray, model: Mixture) -> np.ndarray | None:
    """Which observed pairs are true, 1 or 0, where a gap makes it plain; else None.

    Where true and wrong pairs do not overlap, the mixture cannot tell whether the
    observed pairs that look wrong are wrong, or true ones that happen to look so, and
    drifts towards the latter. There is a gap where the median of the observed pairs is
    farther from the wrong ones than three times from its own upper end.
    """
    density = x @ model.slopes.T + model.intercepts
    score = density[:, 0] - _log_sum(density[:, 1:])
    observed, limit = score[classes == 0], np.quantile(score[classes > 0], 0.95)
    middle, upper = np.quantile(observed, [0.5, 0.95])
    if middle - limit <= _GAP * (upper - middle):
        return None
    return (observed > (middle + limit) / 2).astype(float)


def _divide(x: np.ndarray, model: Mixture, absent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each observed pair is believed to be true, and the kinds' shares."""
    joint = x @ model.slopes.T + model.intercepts + np.log(model.shares)
    belief = np.exp(joint - _log_sum(joint)[:, None])
    shares = np.where(absent, _LEAST, np.maximum(belief.mean(axis=0), _LEAST))
    return belief[:, 0], shares / shares.sum()


def _drop_rarest(shares: np.ndarray, absent: np.ndarray) -> bool:
    """Marks the rarest kind as absent if it is too rare to be told; the last one stays."""
    kinds = [kind for kind in range(1, len(shares)) if not absent[kind]]
    rarest = min(kinds, key=lambda kind: shares[kind])
    if len(kinds) == 1 or shares[rarest] >= _COMMON:
        return False
    absent[rarest] = True
    return True


def _some(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if len(rows) <= _FITTED:
        return rows
    return rows[np.sort(rng.choice(len(rows), _FITTED, replace=False))]


def _log_sum(values: np.ndarray) -> np.ndarray:
    top = values.max(axis=1)
    return top + np.log(np.exp(values - top[:, None]).sum(axis=1))
