"""The verdict on a label, read from the whole triangle of annotation and witnesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from .texts import is_missing, is_na

AGREED = "agreed"
PARAPHRASE = "paraphrase"
ANNOTATION_SUSPECT = "annotation_suspect"
WITNESS_SUSPECT = "witness_suspect_{}"
SCATTERED = "scattered"
UNSCORED = "unscored"
NA_CONFLICT = "na_conflict"
BEYOND_CLIP = "beyond_clip"
#: What the video itself made of a dispute: see :func:`ruled`.
OVERRULED = "overruled"
UPHELD = "upheld"
#: The verdicts that leave open who is right, and those that settled it.
DISPUTED = (ANNOTATION_SUSPECT, SCATTERED, NA_CONFLICT, OVERRULED, UPHELD)


def verdicts(
    annotation: Sequence[str | None],
    opinions: Mapping[str, Sequence[str | None]],
    match: Mapping[str, np.ndarray],
    lex: Mapping[str, np.ndarray] | None = None,
    coverage: Sequence[float | None] | None = None,
    agrees: float = 0.5,
    paraphrase_below: float = 0.3,
    coverage_needed: float = 0.5,
) -> list[str]:
    """One verdict for every label.

    Two parties agree where the ``match`` of their edge is at least ``agrees``. A label
    that at least half of the witnesses agree with is ``agreed``, or ``paraphrase`` where
    they use other letters, or ``witness_suspect_<name>`` where exactly one witness
    agrees with nobody. A label that most contradict is ``annotation_suspect`` where
    these agree with each other, else ``scattered``. Where nobody acts ("N/A") for one
    side only, it is ``na_conflict``.

    Args:
        annotation: ``n`` texts under audit
        opinions: ``{witness: n texts}``
        match: ``{edge: (n,) probabilities}``, an edge being a witness's name or two
            names joined in the order of ``opinions``; any other score in 0..1 will do
        lex: ``{edge: (n,) lexical similarities}``; without it nothing is a paraphrase
        coverage: ``n`` shares of what the annotation covers that the clip shows, 0..1
        agrees: the least match of parties that agree
        paraphrase_below: the lexical similarity under which agreement is a paraphrase
        coverage_needed: less than this, and the label is ``beyond_clip``

    Returns:
        ``n`` verdicts; ``unscored`` where a text or a score is missing
    """
    found = []
    for i, label in enumerate(annotation):
        if coverage is not None and _less(coverage[i], coverage_needed):
            found.append(BEYOND_CLIP)
            continue
        said = {name: texts[i] for name, texts in opinions.items() if not is_missing(texts[i])}
        if is_missing(label) or not said:
            found.append(UNSCORED)
            continue
        differ = [name for name, text in said.items() if is_na(text) != is_na(label)]
        if 2 * len(differ) > len(said) or (differ and len(differ) == len(said)):
            found.append(NA_CONFLICT)
        elif is_na(label):
            found.append(AGREED)
        else:
            heard = [name for name in said if name not in differ]
            edges = _edges(heard, list(opinions), match, i, agrees)
            found.append(_triangle(heard, edges, lex, i, paraphrase_below))
    return found


def ruled(found: Sequence[str], rulings: Sequence[str | None]) -> list[str]:
    """The verdicts with the rulings of ``ground_disputes`` taken into account.

    Args:
        found: ``n`` verdicts, as :func:`verdicts` gives them
        rulings: ``n`` winners: "annotation", a witness's name, "unsettled" or "refused"; None
            where there was no ruling

    Returns:
        ``overruled`` where a witness won, ``upheld`` where a disputed annotation did, and the
        verdict as it was elsewhere
    """
    heard = []
    for verdict, winner in zip(found, rulings):
        if (
            winner is None
            or winner in ("unsettled", "refused")
            or verdict in (BEYOND_CLIP, UNSCORED)
        ):
            heard.append(verdict)
        elif winner == "annotation":
            heard.append(UPHELD if verdict in DISPUTED else verdict)
        else:
            heard.append(OVERRULED)
    return heard


def weighed(confidence: np.ndarray, log_ratio: np.ndarray) -> np.ndarray:
    """Confidence with a judge's word added: its odds times the likelihood ratio (Bayes).

    Args:
        confidence: ``n`` probabilities; nan where missing
        log_ratio: ``n`` ``ln`` of the ratio; nan where no judge ruled

    Returns:
        ``n`` probabilities
    """
    bounded = np.clip(confidence, 1e-9, 1 - 1e-9)
    odds = np.log(bounded / (1 - bounded)) + np.nan_to_num(log_ratio)
    return np.where(np.isnan(log_ratio), confidence, 1 / (1 + np.exp(-odds)))


def effective_votes(log_ratios: np.ndarray, confidence: np.ndarray) -> float:
    """How many independent witnesses the panel is worth: 1 (they err as one) to all.

    ``W / (1 + (W - 1) r)``, Kish's design effect (1965), with ``r`` the mean correlation
    of the witnesses' agreement with labels that are probably right: where the label is
    right, a low score is the witness's own error.

    Args:
        log_ratios: ``(n, W)`` each witness's agreement with the annotation, nan if missing
        confidence: ``(n,)`` probabilities that the label is right, used as weights

    Returns:
        the effective number of votes; nan with fewer than 10 complete rows
    """
    values = np.asarray(log_ratios, dtype=np.float64)
    count = values.shape[1]
    there = ~np.isnan(values).any(axis=1) & ~np.isnan(confidence)
    if count < 2:
        return float(count)
    if there.sum() < 10 or confidence[there].sum() <= 0:
        return float("nan")
    covariance = np.cov(values[there], rowvar=False, aweights=confidence[there] + 1e-9)
    spread = np.sqrt(np.diag(covariance))
    pairs = list(combinations(range(count), 2))
    together = [
        covariance[a, b] / (spread[a] * spread[b]) if spread[a] * spread[b] > 0 else 1.0
        for a, b in pairs
    ]
    shared = float(np.clip(np.mean(together), 0.0, 1.0))
    return count / (1.0 + (count - 1) * shared)


def _edges(
    heard: list[str], order: list[str], match: Mapping[str, np.ndarray], i: int, agrees: float
) -> dict[str, bool]:
    """Which of the edges among the heard witnesses agree; edges without a score are absent."""
    names = heard + [a + b for a, b in combinations([w for w in order if w in heard], 2)]
    known = {name: match[name][i] for name in names if name in match}
    return {name: bool(p >= agrees) for name, p in known.items() if p is not None and p == p}


def _triangle(
    heard: list[str],
    edges: dict[str, bool],
    lex: Mapping[str, np.ndarray] | None,
    i: int,
    paraphrase_below: float,
) -> str:
    votes = [name for name in heard if name in edges]
    if not votes:
        return UNSCORED
    agree = [name for name in votes if edges[name]]
    among = {(a, b): edges[a + b] for a, b in combinations(votes, 2) if a + b in edges}
    if 2 * len(agree) >= len(votes):
        alone = [
            name
            for name in votes
            if name not in agree and not any(ok for pair, ok in among.items() if name in pair)
        ]
        if len(alone) == 1 and any(alone[0] in pair for pair in among):
            return WITNESS_SUSPECT.format(alone[0])
        return PARAPHRASE if _in_other_letters(agree, lex, i, paraphrase_below) else AGREED
    against = [name for name in votes if name not in agree]
    mutual = [ok for pair, ok in among.items() if set(pair) <= set(against)]
    return ANNOTATION_SUSPECT if mutual and 2 * sum(mutual) > len(mutual) else SCATTERED


def _in_other_letters(
    agree: list[str], lex: Mapping[str, np.ndarray] | None, i: int, below: float
) -> bool:
    letters = [lex[name][i] for name in agree if lex is not None and name in lex]
    letters = [value for value in letters if value is not None and value == value]
    return bool(letters) and max(letters) < below


def _less(value: float | None, least: float) -> bool:
    return value is not None and value == value and value < least
