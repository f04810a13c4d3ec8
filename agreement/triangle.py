"""One aspect's triangle calibrated: every edge, the whole panel, and all aspects together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from .confidence import merged_vectors, panel_evidence
from .copies import weigh_copies
from .evidence import Evidence, Party
from .match import Calibration, calibrate_pairs
from .mixture import WEAK_RIDGE
from .null import WrongPairs, wrong_pairs
from .token_weights import TokenWeights
from .verdict import effective_votes


@dataclass
class Triangle:
    """What calibrating one aspect gave.

    Attributes:
        edges: ``{edge: calibration}``, witnesses among each other too
        panel: the word of all witnesses on the annotation: its ``match`` is the
            label's confidence, which copies of the label on other clips weigh on too
        votes: how many independent witnesses the panel is worth
    """

    edges: dict[str, Calibration]
    panel: Calibration
    votes: float


def draw_wrong_pairs(
    annotations: Sequence[Party],
    groups: Sequence | None,
    spans: np.ndarray | None = None,
    seed: int = 51,
) -> WrongPairs:
    """Wrong pairs of whole clips, the same for every aspect.

    Args:
        annotations: the annotation of each aspect, ``n`` clips
        groups: which clips are of one video; None where unknown
        spans: ``(n, 2)`` start and end of each clip in its video
        seed: the same seed draws the same pairs
    """
    together = merged_vectors([party.vectors for party in annotations])
    return wrong_pairs(together.astype(np.float32), groups, spans, seed)


def calibrate_triangle(
    annotation: Party,
    witnesses: Mapping[str, Party],
    pairs: WrongPairs,
    groups: Sequence | None = None,
    weights: TokenWeights | None = None,
    edges: Sequence[str] | None = None,
    seed: int = 51,
    spans: np.ndarray | None = None,
) -> Triangle:
    """Calibrates every edge of one aspect, then the panel.

    Args:
        annotation: the party under audit, ``n`` clips
        witnesses: ``{witness: party}``
        pairs: wrong pairs of the ``n`` clips
        groups: which clips are of one video; None where unknown
        weights: the weights of tokens, where parties have tokens
        edges: the names of the edges wanted; all of them by default
        seed: the same seed gives the same figures
        spans: ``(n, 2)`` start and end of each clip in its video, if known

    Returns:
        the calibrated triangle; too few pairs give warnings instead of numbers
    """
    parties = {name: (annotation, witness) for name, witness in witnesses.items()}
    for a, b in combinations(witnesses, 2):
        parties[a + b] = (witnesses[a], witnesses[b])
    wanted = [name for name in parties if edges is None or name in edges]
    found = {name: _calibrate_edge(*parties[name], pairs, groups, weights, seed) for name in wanted}
    heard = {name: party for name, party in witnesses.items() if name in found}
    sound = {name: party for name, party in heard.items() if found[name].warning is None}
    if not sound:
        return Triangle(found, next(iter(found.values())), float("nan"))
    panel = next(iter(found[name] for name in sound))
    if len(sound) > 1:
        observed, wrong, names = panel_evidence(annotation, sound, found, pairs)
        wrong[_same_text(annotation, pairs)] = np.nan
        panel = calibrate_pairs(observed, wrong, pairs, names, names, seed, WEAK_RIDGE)
    panel = replace(panel, match=weigh_copies(annotation.texts, panel.match, groups, spans))
    ratios = np.stack([found[name].log_ratio for name in sound], axis=1)
    votes = float("nan") if panel.warning else effective_votes(ratios, panel.match)
    return Triangle(found, panel, votes)


def fuse_aspects(
    panels: Mapping[str, Calibration],
    pairs: WrongPairs,
    texts: Mapping[str, Sequence[str | None]],
    seed: int = 51,
    groups: Sequence | None = None,
    spans: np.ndarray | None = None,
) -> Calibration | None:
    """All aspects' panels as one: the confidence in the clip's annotation as a whole.

    Args:
        panels: ``{aspect: calibration}`` of each aspect's annotation
        pairs: the wrong pairs that they were calibrated with
        texts: ``{aspect: n texts}``, the annotations; copies of them all on other clips weigh
        seed: the same seed gives the same figures
        groups: which clips are of one video; None where unknown
        spans: ``(n, 2)`` start and end of each clip in its video, if known

    Returns:
        the calibration; None where no aspect could be calibrated
    """
    sound = {name: panel for name, panel in panels.items() if panel.warning is None}
    if len(sound) < 2:
        return next(iter(sound.values()), None)
    observed = np.stack([panel.log_ratio for panel in sound.values()], axis=1)
    wrong = np.stack([panel.wrong_log_ratio for panel in sound.values()], axis=1)
    names = list(sound)
    fused = calibrate_pairs(
        observed, wrong, pairs, names, bent=names, seed=seed, strength=WEAK_RIDGE
    )
    labels = list(zip(*(texts[name] for name in names)))
    return replace(fused, match=weigh_copies(labels, fused.match, groups, spans))


def _calibrate_edge(
    said: Party,
    heard: Party,
    pairs: WrongPairs,
    groups: Sequence | None,
    weights: TokenWeights | None,
    seed: int,
) -> Calibration:
    evidence = Evidence(said, heard, groups, weights)
    wrong = evidence.of(pairs.taken, pairs.given)
    wrong[_same_text(said, pairs)] = np.nan
    return calibrate_pairs(evidence.observed(), wrong, pairs, evidence.names, seed=seed)


def _same_text(party: Party, pairs: WrongPairs) -> np.ndarray:
    # Two clips whose text is the same on this aspect are no wrong pair on this aspect.
    texts = party.texts
    return np.array([texts[i] == texts[j] for i, j in zip(pairs.taken, pairs.given)], dtype=bool)
