"""The workshop's seven tags: guessed thresholds, kept to the letter for comparison."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

#: The workshop's constants.
THRESHOLDS = {"sem_high": 0.6, "lex_high": 0.6, "lex_low": 0.3, "sem_low": 0.5}

TAGS = (
    "qwen_agrees",
    "molmo_agrees",
    "triple_agreement",
    "triple_disagreement",
    "qwen_only",
    "molmo_only",
    "paraphrase",
)


def workshop_tags(
    sem_q: np.ndarray,
    lex_q: np.ndarray,
    sem_m: np.ndarray,
    lex_m: np.ndarray,
    thresholds: Mapping[str, float] = THRESHOLDS,
) -> dict[str, np.ndarray]:
    """The seven tags of "Interrogating AI-written annotations", Voxel51's workshop.

    A comparison with a missing score is false, so a missing score never makes a tag.

    Args:
        sem_q: ``n`` semantic scores of the first witness (Qwen); nan where missing
        lex_q: ``n`` lexical scores of the first witness
        sem_m: ``n`` semantic scores of the second witness (Molmo)
        lex_m: ``n`` lexical scores of the second witness
        thresholds: ``sem_high`` and ``lex_high``, from which a witness agrees;
            ``lex_low``, under which words differ; ``sem_low``, under which meaning does

    Returns:
        ``{tag: n booleans}``, in the order of :data:`TAGS`
    """
    limits = {**THRESHOLDS, **thresholds}
    sem_q, lex_q, sem_m, lex_m = (
        np.asarray(scores, dtype=np.float64) for scores in (sem_q, lex_q, sem_m, lex_m)
    )
    high_q, high_m = sem_q >= limits["sem_high"], sem_m >= limits["sem_high"]
    low_q, low_m = sem_q < limits["sem_low"], sem_m < limits["sem_low"]
    reworded = (lex_q < limits["lex_low"]) & (lex_m < limits["lex_low"])
    return {
        "qwen_agrees": high_q & (lex_q >= limits["lex_high"]),
        "molmo_agrees": high_m & (lex_m >= limits["lex_high"]),
        "triple_agreement": high_q & high_m,
        "triple_disagreement": low_q & low_m,
        "qwen_only": high_q & low_m,
        "molmo_only": high_m & low_q,
        "paraphrase": reworded & high_q & high_m,
    }
