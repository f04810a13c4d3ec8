"""From what judges answered to rulings: bias, calibration, winners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..agreement.claims import Claim
from ..agreement.ruling import (
    ANNOTATION,
    REFUSED,
    UNSETTLED,
    Bias,
    Ruling,
    calibrate_statements,
    contrast,
    judge_bias,
    rule,
)
from .grounding_settings import COSINE, GroundSettings
from .grounding_units import Unit

_NAN = float("nan")
_OWN, _WRONG, _BLACK = range(3)
_POINTING = "pointing"
_WHOLE = 0.99  # shows as much: times are rounded


@dataclass
class Rulings:
    """What the judges' answers come to.

    Attributes:
        found: ``{unit's own id: ruling}`` of the disputed ones
        ratios: ``{unit's own id: log likelihood ratio of the annotation}``
        chances: ``{unit's own id: {statement: probability}}`` of claims
        biases: ``{method: bias}``
        report: figures of the calibrations
        warning: why nothing could be ruled; empty where it could
    """

    found: dict[str, Ruling] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    chances: dict[str, dict[str, float]] = field(default_factory=dict)
    biases: dict[str, Bias] = field(default_factory=dict)
    report: dict = field(default_factory=dict)
    warning: str = ""


def decide(units: Sequence[Unit], settings: GroundSettings) -> Rulings:
    """Rules on every disputed unit from all answers that are kept, old and new."""
    answers = {
        (unit.key, method): {row[0]: _odds(row) for row in result["asked"]}
        for unit in units
        for method, result in unit.results.items()
    }
    rulings = Rulings()
    for method in settings.methods:
        table = [odds for (_, m), said in answers.items() if m == method for odds in said.values()]
        columns = np.array(table, dtype=float).reshape(-1, 3).T
        rulings.biases[method] = judge_bias(*columns, settings.most_bias)
    trusted = [m for m, bias in rulings.biases.items() if not bias.refused]
    why = " ".join(f"{m}: {bias.refused}" for m, bias in rulings.biases.items() if bias.refused)
    if trusted:
        _weigh_claims(units, trusted, answers, settings, rulings)
        ratios = _weigh_texts(units, trusted, answers, settings, rulings)
    else:
        ratios = {}
    refusal = rulings.warning if trusted else why
    for unit in units:
        if unit.disputed:
            given = {party: ratios.get((unit.key, party), _NAN) for party in unit.texts}
            ruling = rule(given, _doubtful(unit, rulings), settings.least_margin, refusal)
            ruling = _within_clip(unit, ruling)
            rulings.found[unit.key] = ruling
            ruled = ruling.winner not in (REFUSED, UNSETTLED)
            rulings.ratios[unit.key] = given[ANNOTATION] if ruled else _NAN
    return rulings


def _odds(row: list) -> tuple[float, float, float]:
    own, wrong, black = (_NAN if value is None else value for value in row[1:4])
    return own, wrong, black


def _weigh_texts(
    units: Sequence[Unit],
    methods: list[str],
    answers: dict,
    settings: GroundSettings,
    rulings: Rulings,
) -> dict[tuple[str, str], float]:
    """The log likelihood ratio of every text."""
    places = [(unit, party) for unit in units for party in unit.texts]
    names = [name for method in methods for name in _pieces(method)]
    sides = []
    for control in (_OWN, _WRONG):
        rows = [
            [v for m in methods for v in _text_evidence(unit, party, m, answers, control)]
            for unit, party in places
        ]
        sides.append(np.array(rows, dtype=float).reshape(len(places), len(names)))
    found = calibrate_statements(*sides, names, settings.seed)
    rulings.warning = found.warning or ""
    rulings.report["texts"] = found.report
    return {
        (unit.key, party): ratio for (unit, party), ratio in zip(places, found.log_ratio.tolist())
    }


def _pieces(method: str) -> list[str]:
    if method == COSINE:
        return [COSINE]
    return (
        [method] if method == _POINTING else [f"{method}_{p}" for p in ("whole", "mean", "worst")]
    )


def _text_evidence(unit: Unit, party: str, method: str, answers: dict, control: int) -> list[float]:
    said = answers.get((unit.key, method), {})
    if method == _POINTING:
        targets = [claim.target for claim in unit.claims.get(party, ()) if claim.target]
        values = [_video_alone(said.get(target), control) for target in targets]
        known = [value for value in values if value == value]
        return [float(np.mean(known)) if known else _NAN]
    whole = _video_alone(said.get(unit.texts[party]), control)
    if method == COSINE:
        return [whole]
    claims = _claim_values(unit.claims.get(party, ()), said, control)
    known = [value for value in claims if value == value]
    return [whole, float(np.mean(known)), float(min(known))] if known else [whole, _NAN, _NAN]


def _claim_values(claims: Sequence[Claim], said: dict, control: int) -> list[float]:
    """What the video adds to each claim; one that was not asked failed with what it needs."""
    values: list[float] = []
    for claim in claims:
        if claim.text in said:
            values.append(_video_alone(said[claim.text], control))
        else:
            values.append(min((values[need] for need in claim.needs), default=_NAN))
    return values


def _video_alone(odds: tuple[float, float, float] | None, control: int) -> float:
    if odds is None:
        return _NAN
    return float(contrast(np.float64(odds[control]), np.float64(odds[_BLACK])))


def _weigh_claims(
    units: Sequence[Unit],
    methods: list[str],
    answers: dict,
    settings: GroundSettings,
    rulings: Rulings,
) -> None:
    """The probability of every claim that was asked."""
    judging = [method for method in methods if method != COSINE]
    places: list = []
    rows: tuple[list, list] = ([], [])
    for unit in units:
        claims = {claim.text: claim for listed in unit.claims.values() for claim in listed}
        for claim in claims.values():
            said = [
                answers.get((unit.key, m), {}).get(claim.target if m == _POINTING else claim.text)
                for m in judging
            ]
            if all(odds is None for odds in said):
                continue
            places.append((unit.key, claim.text))
            for side, control in zip(rows, (_OWN, _WRONG)):
                side.append([_video_alone(odds, control) for odds in said])
    if not places:
        return
    sides = [np.array(side, dtype=float) for side in rows]
    found = calibrate_statements(*sides, judging, settings.seed)
    rulings.report["claims"] = found.report
    for (key, text), chance in zip(places, found.match.tolist()):
        if chance == chance:
            rulings.chances.setdefault(key, {})[text] = chance


def _within_clip(unit: Unit, ruling: Ruling) -> Ruling:
    """A clip that shows less than was annotated cannot overrule the annotation."""
    if not ruling.overruled or unit.coverage is None or unit.coverage > _WHOLE:
        return ruling
    told = f"The clip shows only {unit.coverage:.0%} of what was annotated, so it cannot overrule."
    return replace(ruling, winner=UNSETTLED, margin=0.0, reason=told)


def _doubtful(unit: Unit, rulings: Rulings) -> list[str]:
    """The parties some of whose claims the video refutes."""
    chances = rulings.chances.get(unit.key, {})
    return [
        party
        for party, claims in unit.claims.items()
        if any(chances.get(claim.text, 1.0) < 0.5 for claim in claims)
    ]
