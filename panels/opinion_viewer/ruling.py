"""What the video ruled: who is right, each claim with its probability, and the frames looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import fiftyone as fo
from fiftyone.operators import types

from ...agreement.aspects import Aspect
from ...agreement.ruling import ANNOTATION, REFUSED, UNSETTLED, ruling_field, suggestion_field
from ..plain import cut
from ..typeset import FAINT, badge, columns, line, row, stack
from .frames import add_pictures

_KINDS = ("", "margin", "by", "details")
_LONGEST = 600
_MOST_FRAMES = 24


@dataclass(frozen=True)
class ShownRuling:
    """The ruling on one aspect of one sample.

    Attributes:
        winner: who is right, or that nobody can tell
        margin: 0..1
        by: who ruled, with the revisions
        details: reason, chances, claims and frames, as ``ground_disputes`` keeps them
        suggestion: the best-supported text, where the annotation lost
    """

    winner: str
    margin: float | None
    by: str | None
    details: Mapping
    suggestion: str | None


def ruling_names(dataset: fo.Dataset, aspects: Iterable[Aspect]) -> list[str]:
    """The fields that hold rulings on these aspects."""
    schema = dataset.get_field_schema()
    names = [name for a in aspects for name in (*_fields(a.name), suggestion_field(a.name))]
    return [name for name in names if name in schema]


def read_rulings(found: Mapping, aspects: Iterable[Aspect]) -> dict[str, ShownRuling]:
    """The rulings among a sample's values: ``{aspect: ruling}``."""
    rulings = {}
    for aspect in aspects:
        winner, margin, by, details = (found.get(name) for name in _fields(aspect.name))
        if winner:
            suggestion = found.get(suggestion_field(aspect.name))
            rulings[aspect.name] = ShownRuling(winner, margin, by, details or {}, suggestion)
    return rulings


def _fields(aspect: str) -> list[str]:
    return [ruling_field(aspect, kind) for kind in _KINDS]


def add_ruling(
    card: types.Object, ruling: ShownRuling | None, key: str = "", film: str | None = None
) -> None:
    """Adds the ruling below an aspect's texts; nothing where there is none.

    Args:
        card: where to
        ruling: the ruling
        key: tells one sample from another
        film: the file whose frames were looked at; None shows their numbers alone
    """
    if ruling is None:
        return
    place = stack(card, "ruling", gap=0.5, borderTop="1px solid", borderColor="divider", pt=1)
    head = row(place, "head", columnGap=1, rowGap=0)
    line(head, "what", "The video", inline=True, fontWeight=600)
    badge(head, "winner", *told_of(ruling.winner))
    if ruling.winner not in (REFUSED, UNSETTLED) and ruling.margin is not None:
        line(head, "margin", f"margin {ruling.margin:.2f}", inline=True, **FAINT)
    if ruling.details.get("reason"):
        line(place, "reason", ruling.details["reason"])
    if ruling.suggestion:
        text = cut(ruling.suggestion, _LONGEST)
        line(place, "suggestion", f"Suggested instead: {text}", fontWeight=500)
    _add_claims(place, ruling.details)
    frames, seconds = (ruling.details.get(name) or () for name in ("frames", "seconds"))
    if film and frames:
        add_pictures(place, key, film, frames, seconds)
    _add_frames(place, ruling)


def told_of(winner: str) -> tuple[str, str]:
    """What the video did, in words that go on after "the video", and their colour."""
    if winner == ANNOTATION:
        return "upholds the annotation", "success.main"
    if winner == UNSETTLED:
        return "does not settle it", "warning.main"
    if winner == REFUSED:
        return "was not heard: the judge is biased", "text.secondary"
    return f"supports witness {winner}", "error.main"


def _add_claims(place: types.Object, details: Mapping) -> None:
    parties: dict[str, list[Mapping]] = {}
    for claim in details.get("claims") or ():
        parties.setdefault(claim["party"], []).append(claim)
    if not parties:
        return
    side_by_side = columns(place, "claims", "230px")
    for party, claims in parties.items():
        column = stack(side_by_side, f"claims_{party}", gap=0.25)
        chance = (details.get("chances") or {}).get(party)
        who = "Annotation" if party == ANNOTATION else f"Witness {party}"
        told = f"{who}: {chance:.0%}" if chance is not None else f"{who}: no answer"
        line(column, "who", told, fontWeight=600, fontSize="0.8rem")
        for i, claim in enumerate(claims):
            weight = 600 if claim.get("decisive") else 400
            told = f"{_chance(claim)}  {cut(claim['text'], _LONGEST)}{_when(claim)}"
            line(column, f"claim_{i}", told, fontSize="0.8rem", fontWeight=weight)


def _chance(claim: Mapping) -> str:
    if claim.get("chance") is not None:
        return f"{claim['chance']:.0%}"
    return "no answer" if claim.get("asked") else "not asked"


def _when(claim: Mapping) -> str:
    span = claim.get("span")
    return f" ({span[0]:.1f} to {span[1]:.1f} s)" if span else ""


def _add_frames(place: types.Object, ruling: ShownRuling) -> None:
    frames = list(ruling.details.get("frames") or ())
    if frames:
        shown = ", ".join(map(str, frames[:_MOST_FRAMES]))
        more = f" and {len(frames) - _MOST_FRAMES} more" if len(frames) > _MOST_FRAMES else ""
        line(place, "frames", f"Frames looked at: {shown}{more}.", **FAINT)
    if ruling.by:
        line(place, "by", f"Judged by {ruling.by}. In bold: what decided.", **FAINT)
