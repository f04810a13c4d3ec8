"""Which labels to call suspect, so that few of them are in fact fine."""

from __future__ import annotations

import numpy as np


def suspects(match: np.ndarray, rate: float = 0.1) -> np.ndarray:
    """The largest set, worst first, whose expected share of fine labels is at most ``rate``.

    The mean of posterior probabilities over a set is the expected share of false
    alarms in it (local false discovery rates: Efron et al., 2001; the step-up rule:
    Sun and Cai, "Oracle and adaptive compound decision rules for false discovery rate
    control", 2007).

    Args:
        match: ``(n,)`` probabilities that each label is fine; nan where unknown
        rate: the tolerated share of fine labels among the suspects, 0..1

    Returns:
        ``(n,)`` booleans; never true where ``match`` is nan. Labels with equal ``match``
        are all in or all out

    Raises:
        ValueError: if the rate is not between 0 and 1
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"The rate must be between 0 and 1, and is {rate}.")
    match = np.asarray(match, dtype=np.float64)
    found = np.zeros(len(match), dtype=bool)
    known = np.flatnonzero(~np.isnan(match))
    if not len(known):
        return found
    worst = np.sort(match[known])
    means = np.cumsum(worst) / np.arange(1, len(worst) + 1)
    last_of_ties = np.append(worst[1:] > worst[:-1], True)
    allowed = np.flatnonzero((means <= rate + 1e-12) & last_of_ties)
    if len(allowed):
        found[known] = match[known] <= worst[allowed[-1]]
    return found
