"""The ruling on a disputed text: from a judge's answers to who is right, or that nobody can tell.

Every statement is also asked of another clip (a wrong video) and of black frames. What a judge
answers on black frames it answers from the text alone, so that is subtracted. Against the wrong
videos the rest becomes a likelihood ratio, by the same mixture as ``match``: no label of a
person is needed, and wrong texts among the observed ones do not pass for right. A judge whose
answers hang on the text more than on the video gives no ruling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from .null import WrongPairs
from .reliability import area_under_roc

if TYPE_CHECKING:
    from .match import Calibration

ANNOTATION = "annotation"
UNSETTLED = "unsettled"
REFUSED = "refused"

#: Above this share of its answers' variance explained by the text alone, a judge is refused.
MOST_BIAS = 0.5
#: The least margin of a ruling: odds of 3 to 1 between the two sides.
LEAST_MARGIN = 0.5
_WINS = 0.75  # the least chance, from even odds, of a text that is upheld for itself
_FEW = 20  # statements under which a judge's bias cannot be told


def ruling_field(aspect: str, kind: str = "") -> str:
    """The field of a ruling: who is right, or its margin, ratio, by (who ruled) or details."""
    return f"ruling_{aspect}_{kind}" if kind else f"ruling_{aspect}"


def suggestion_field(aspect: str) -> str:
    """The field of the text that the video supports best, where the annotation lost."""
    return f"suggested_{aspect}"


@dataclass(frozen=True)
class Bias:
    """How far a judge answers from the text alone.

    Attributes:
        statements: how many were asked of their own clip and of a control
        missing: how many were not answered, or had no control
        text_share: the share of the answers' variance that the text explains, 0..1
        over_wrong: how often a statement's own clip beats a wrong video with it, 0..1
        over_black: how often it beats black frames, 0..1; nan without them
        auroc: own clips against wrong videos over all statements, 0..1
        refused: a sentence that says why this judge gives no ruling; empty where it may
    """

    statements: int
    missing: int
    text_share: float
    over_wrong: float
    over_black: float
    auroc: float
    refused: str = ""

    def as_dict(self) -> dict:
        """The figures, rounded, None for nan."""
        rounded = {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }
        return {k: None if isinstance(v, float) and v != v else v for k, v in rounded.items()}


@dataclass(frozen=True)
class Ruling:
    """Who is right about one aspect of one clip.

    Attributes:
        winner: :data:`ANNOTATION`, a witness's name, :data:`UNSETTLED` or :data:`REFUSED`
        margin: 0..1, how much more probable the winner is than the other side, where exactly
            one of the two is right; 0 where nobody won
        chances: ``{party: probability that its text is right, from even odds}``
        reason: one sentence
        best: the party with the best chance
    """

    winner: str
    margin: float
    chances: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    best: str | None = None

    @property
    def overruled(self) -> bool:
        """Whether the annotation lost."""
        return self.winner not in (ANNOTATION, UNSETTLED, REFUSED)


def contrast(scores: np.ndarray, black: np.ndarray) -> np.ndarray:
    """What the video adds to the text alone: log odds less those on black frames, if asked."""
    return scores - np.nan_to_num(black)


def judge_bias(
    own: np.ndarray, wrong: np.ndarray, black: np.ndarray, most: float = MOST_BIAS
) -> Bias:
    """Measures how far a judge answers from the text alone.

    The share of variance is the intraclass correlation of a statement's answers to its own
    clip, a wrong video and black frames (Shrout and Fleiss, "Intraclass correlations", 1979,
    case 1): 1 where the video changes nothing, 0 or less (given as 0) where it decides.

    Args:
        own: ``(n,)`` log odds on the statements' own clips
        wrong: ``(n,)`` the same on wrong videos
        black: ``(n,)`` the same on black frames; all nan where there are none
        most: the largest share with which a judge may rule
    """
    table = np.stack([own, wrong, black])
    kept = table[~np.isnan(table).all(axis=1)]
    there = ~np.isnan(kept).any(axis=0) if len(kept) else np.zeros(len(own), bool)
    count, missing = int(there.sum()), int((~there).sum())
    if count < 2 or len(kept) < 2:
        why = f"it was asked {count} statements with controls, and {_FEW} are needed"
        return Bias(count, missing, *(float("nan"),) * 4, refused=f"{why}.")
    asked = kept[:, there]
    share = _text_share(asked)
    over_wrong, over_black = (_beats(own[there], control[there]) for control in (wrong, black))
    auroc = area_under_roc(own[there], wrong[there])
    found = Bias(count, missing, share, over_wrong, over_black, auroc)
    return replace(found, refused=_refusal(found, most))


def _refusal(bias: Bias, most: float) -> str:
    count, share = bias.statements, bias.text_share
    over_wrong, over_black = bias.over_wrong, bias.over_black
    if count < _FEW:
        return f"it was asked {count} statements with controls, and {_FEW} are needed."
    if share > most:
        return (
            f"the text alone explains {share:.0%} of the variance of its answers to {count:,} "
            f"statements, and {most:.0%} is the most with which it may rule."
        )
    for against, over in (("wrong videos", over_wrong), ("black frames", over_black)):
        # one-sided, 95%: no better than a coin
        if over == over and over - 1.64 * np.sqrt(0.25 / count) <= 0.5:
            return (
                f"on {count:,} statements it prefers their own clips to {against} {over:.0%} of "
                "the time, which may be chance."
            )
    return ""


def _text_share(asked: np.ndarray) -> float:
    ways, count = asked.shape
    between = ways * asked.mean(axis=0).var(ddof=1)
    within = asked.var(axis=0, ddof=1).mean()
    if between + within <= 1e-12:
        return 1.0  # it says the same to everything: the video changes nothing
    return float(np.clip((between - within) / (between + (ways - 1) * within), 0.0, 1.0))


def _beats(own: np.ndarray, control: np.ndarray) -> float:
    """How often own is above control, ties counting half; nan without a control."""
    if np.isnan(control).all():
        return float("nan")
    return float(np.nanmean((own > control) + 0.5 * (own == control)))


def calibrate_statements(
    observed: np.ndarray, wrong: np.ndarray, names: Sequence[str], seed: int = 51
) -> Calibration:
    """Turns a judge's evidence into likelihood ratios against wrong videos, cross-fitted.

    Args:
        observed: ``(n, f)`` evidence of each statement on its own clip; nan where missing
        wrong: ``(n, f)`` the same on a wrong video
        names: the ``f`` names of the pieces of evidence
        seed: the same seed gives the same figures

    Returns:
        the calibration; its log ratios are held within the odds that so many controls can
        tell, and all are nan, with a warning, under ``PAIRS_NEEDED`` statements
    """
    from .match import PAIRS_NEEDED, calibrate_pairs  # scikit-learn takes seconds to import

    rows = np.arange(len(observed))
    pairs = WrongPairs(rows, rows, np.full(len(rows), "wrong video"))
    found = calibrate_pairs(observed, wrong, pairs, names, (), seed)
    if found.warning:
        known = int((~np.isnan(observed).all(axis=1)).sum())
        found.warning = (
            f"{known} statements were judged, and {PAIRS_NEEDED} with a wrong video each are "
            "needed to tell what an answer is worth. Judge more samples."
        )
        return found
    limit = np.log(1 + (~np.isnan(wrong).all(axis=1)).sum())
    found.log_ratio = np.clip(found.log_ratio, -limit, limit)
    return found


def rule(
    ratios: Mapping[str, float],
    doubtful: Sequence[str] = (),
    least_margin: float = LEAST_MARGIN,
    refused: str = "",
) -> Ruling:
    """Decides between the annotation and the witnesses.

    A witness wins where it is at least :data:`LEAST_MARGIN` ahead of the annotation and more
    probably right than not. The annotation wins where no witness does, it is ahead of all by
    the margin or is itself as good as certain, and none of its claims failed.

    Args:
        ratios: ``{party: ln(P(answers | right) / P(answers | wrong video))}``; nan if missing
        doubtful: the parties of whose own claims the video refutes some
        least_margin: 0..1
        refused: why the judges may not rule, if they may not

    Returns:
        the ruling
    """
    known = {party: float(ratio) for party, ratio in ratios.items() if ratio == ratio}
    chances = {party: float(expit(ratio)) for party, ratio in known.items()}
    if refused:
        return Ruling(REFUSED, 0.0, {}, f"No ruling: {refused}")
    rivals = {party: ratio for party, ratio in known.items() if party != ANNOTATION}
    if ANNOTATION not in known or not rivals:
        return Ruling(UNSETTLED, 0.0, chances, "There are no two texts that could be judged.")
    ours, rival = known[ANNOTATION], max(rivals, key=rivals.get)
    best = rival if rivals[rival] > ours else ANNOTATION
    ahead = float(np.tanh((rivals[rival] - ours) / 2))  # 2 sigmoid(x) - 1
    if ahead >= least_margin and chances[rival] >= 0.5:
        why = f"The video supports {rival} ({chances[rival]:.0%}), not the annotation"
        return Ruling(rival, ahead, chances, f"{why} ({chances[ANNOTATION]:.0%}).", best)
    upheld = chances[ANNOTATION] >= _WINS and ahead < least_margin
    if upheld and (ANNOTATION not in doubtful or -ahead >= least_margin):
        why = f"The video supports the annotation ({chances[ANNOTATION]:.0%})"
        told = f"{why}; the best witness, {rival}, has {chances[rival]:.0%}."
        return Ruling(ANNOTATION, max(0.0, -ahead), chances, told, best)
    told = ", ".join(f"{party} {chance:.0%}" for party, chance in chances.items())
    return Ruling(UNSETTLED, 0.0, chances, f"The video does not settle it: {told}.", best)
