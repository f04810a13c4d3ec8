"""What was picked, or what comes nearest to it in the dataset that is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import fiftyone as fo

from ...agreement.workshop_rules import THRESHOLDS
from ..aspects import FIRST_ASPECT
from .found import SCORES, WHOLE, Found
from .proposal import FDR, WORKSHOP, possible_rules
from .table import Table

#: The views, by the name that the state holds.
AGREEMENT, CONFIDENCES, WITNESSES, LENS, TABLE = (
    "agreement",
    "confidence",
    "witnesses",
    "lens",
    "table",
)
VIEWS = {
    AGREEMENT: "lexical × semantic",
    CONFIDENCES: "confidence, with the null",
    WITNESSES: "witness × witness",
    LENS: "a lens's projection",
    TABLE: "aspects × witnesses",
}
#: The choice that colours points by tag; no field can have this name.
BY_TAG = "the tags"

_COLOURABLE = (fo.StringField, fo.BooleanField, fo.IntField, fo.FloatField)
_HIDDEN = ("id", "filepath", "created_at", "last_modified_at")
LOWEST_FDR, HIGHEST_FDR = 0.01, 0.5


@dataclass(frozen=True)
class Choice:
    """What a person chose, completed by what comes nearest to it in the dataset."""

    view: str
    aspect: str | None
    edge: str | None
    other: str | None
    score: str | None
    lens: str | None
    colour: str
    rules: str | None
    limits: Mapping[str, float]
    fdr: float


def colours(dataset: fo.Dataset) -> list[str]:
    """What the points can be coloured by: the tags, or a field of few words or of numbers."""
    fields = dataset.get_field_schema(ftype=_COLOURABLE)
    return [BY_TAG, *(name for name in fields if name not in _HIDDEN)]


def crossed(chosen: Choice) -> bool:
    """Whether a meaning would have to be both the same and another."""
    limits = chosen.limits
    return chosen.rules == WORKSHOP and limits["sem_low"] > limits["sem_high"]


def choose(picked: Mapping, by: Mapping, table: Table, found: Found, dataset: fo.Dataset) -> Choice:
    """Completes what the panel's state holds; what does not exist here gives way.

    Args:
        picked: what the pickers hold
        by: the rules, the share of fine labels that they tolerate among the suspects, and the
            thresholds of the workshop's rules
        table: the dataset's columns
        found: what the dataset holds
        dataset: the dataset
    """
    view = picked.get("view") if picked.get("view") in VIEWS else _first_view(found)
    aspect = _nearest(picked.get("aspect"), offered(view, None, found)[0], FIRST_ASPECT)
    edges = list(offered(view, aspect, found)[1])
    edge = _nearest(picked.get("edge"), edges)
    others = [name for name in edges if name != edge] or edges
    score = _nearest(picked.get("score"), _scores(found, aspect if view != TABLE else None))
    rules = possible_rules(table, found, aspect) if aspect else []
    given = {name: value for name, value in by.items() if value is not None}
    held = by.get("fdr") if isinstance(by.get("fdr"), (int, float)) else FDR
    colour = picked.get("colour")
    if colour not in colours(dataset):
        colour = _first_colour(view, found, dataset)
    return Choice(
        view=view,
        aspect=aspect,
        edge=edge,
        other=_nearest(picked.get("other"), edges if picked.get("other") else others),
        score=score,
        lens=_nearest(picked.get("lens"), list(found.lenses)),
        colour=colour,
        rules=_nearest(by.get("rules"), rules),
        limits={name: round(given.get(name, value), 2) for name, value in THRESHOLDS.items()},
        fdr=round(float(held), 2),
    )


def offered(view: str, aspect: str | None, found: Found) -> tuple[list[str], Mapping[str, str]]:
    """The aspects that a view can show, and ``{edge: who}`` of one of them."""
    if view in (CONFIDENCES, LENS) and found.confidences:
        return list(found.confidences), {}
    comparisons = {AGREEMENT: found.comparable, WITNESSES: found.pairs}.get(view)
    shown = found.edges if comparisons is None else comparisons()
    return list(shown), shown.get(aspect, {})


def as_picked(choice: Choice) -> dict:
    """The choice as the pickers hold it."""
    names = ("view", "aspect", "edge", "other", "score", "lens", "colour")
    return {name: getattr(choice, name) for name in names}


def as_state(choice: Choice) -> dict:
    """The choice as the panel's state holds it."""
    by = {"rules": choice.rules, "fdr": choice.fdr, **choice.limits}
    return {"pick": as_picked(choice), "by": by}


def _first_view(found: Found) -> str:
    if found.comparable():
        return AGREEMENT
    if found.confidences:
        return CONFIDENCES
    return LENS if found.lenses and not found.edges else TABLE


def _first_colour(view: str, found: Found, dataset: fo.Dataset) -> str:
    if view == LENS and WHOLE in found.confidences:
        return found.confidences[WHOLE]
    return BY_TAG


def _scores(found: Found, aspect: str | None) -> list[str]:
    # Every score that the aspect has, the most telling first
    held = [s for (name, _), scores in found.scores.items() for s in scores if name == aspect]
    if aspect is None:
        held = [s for scores in found.scores.values() for s in scores]
    return sorted(set(held), key=("match", "sem", *SCORES).index)


def _nearest(picked: object, there: list[str], first: str | None = None) -> str | None:
    if picked in there:
        return picked
    return first if first in there else next(iter(there), None)
