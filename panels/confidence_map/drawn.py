"""What each open panel drew last, so that an event sent earlier cannot undo it."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field

import fiftyone.operators as foo

from ..base import dataset_name, keep_newest
from . import selection

_MOST_PAGES = 20


@dataclass
class Drawn:
    """What an open panel drew last.

    Attributes:
        dataset: the dataset's name
        settings: what was picked, and the limits
        viewed: of which view, and to which the map narrowed it
        selected: which samples were selected in the grid, in a short word
        sent: which points the browser was sent; None where the page has no picture
        given: ``{page's number: the settings that it showed}``, of the newest pages
        chosen_on: ``{picker: the number of the page on which a person moved it last}``
    """

    dataset: str | None
    settings: dict
    viewed: dict
    selected: str
    sent: str | None
    given: dict[int, dict] = field(default_factory=dict)
    chosen_on: dict[str, int] = field(default_factory=dict)


_DRAWN: dict[str | None, Drawn] = {}


def last(ctx: foo.ExecutionContext) -> Drawn | None:
    """What the panel drew last of the dataset that is open."""
    drawn = _DRAWN.get(ctx.panel_id)
    return drawn if drawn is not None and drawn.dataset == dataset_name(ctx) else None


def keep(ctx: foo.ExecutionContext, sent: str | None) -> None:
    """Remembers what is drawn now."""
    before = last(ctx)
    settings = settings_of(ctx)
    given, chosen_on = (before.given, before.chosen_on) if before else ({}, {})
    given[ctx.panel.state.get("page")] = settings
    while len(given) > _MOST_PAGES:
        del given[next(iter(given))]
    now = (dataset_name(ctx), settings, viewed_of(ctx), short(ctx.selected), sent)
    keep_newest(_DRAWN, ctx.panel_id, Drawn(*now, given, chosen_on))


def catch_up(ctx: foo.ExecutionContext) -> None:
    """Takes what was picked from the last event that was drawn, and from this one its own.

    An event carries the state of when it was sent. One that was sent before a picker was moved,
    and is answered after it, would put the picker back.
    """
    drawn = last(ctx)
    if drawn is None:
        return
    settings, viewed = deepcopy((drawn.settings, drawn.viewed))
    if viewed["shown"] == selection.fingerprint(ctx.view):
        viewed["left"] = None
    group, picked = _picker(ctx)
    if group in settings and _is_moved(ctx, drawn):
        settings[group] = {**(settings[group] or {}), picked: ctx.params.get("value")}
    if {**settings, **viewed} != {**settings_of(ctx), **viewed_of(ctx)}:
        ctx.panel.state.set({**settings, **viewed})


def is_choice(ctx: foo.ExecutionContext) -> bool:
    """Whether a person moved a picker, and to something else than what is drawn."""
    drawn = last(ctx)
    if drawn is None:
        return True
    if not _is_moved(ctx, drawn) or drawn.settings == settings_of(ctx):
        return False
    drawn.chosen_on[ctx.params.get("path")] = ctx.panel.state.get("page") or 0
    return True


def settings_of(ctx: foo.ExecutionContext) -> dict:
    """What was picked, and the limits, as the panel's state has them."""
    return {name: deepcopy(ctx.panel.state.get(name)) for name in ("pick", "by")}


def viewed_of(ctx: foo.ExecutionContext) -> dict:
    """Of which view the map is, as the panel's state has it."""
    return {name: deepcopy(ctx.panel.state.get(name)) for name in selection.REMEMBERED}


def short(ids: Iterable[str]) -> str:
    """A short word for a set of samples."""
    return selection.digest(sorted(ids))


def _is_moved(ctx: foo.ExecutionContext, drawn: Drawn) -> bool:
    # A picker that appears on a page sends an event as well, with the value that the page gave it.
    # Where events or answers crossed, something else was chosen and drawn since, and that value
    # would undo it. So would a choice that was made on an older page than a later one.
    group, picked = _picker(ctx)
    page = ctx.panel.state.get("page")
    given = (drawn.given.get(page) or {}).get(group) or {}
    told = picked in given and given[picked] == ctx.params.get("value")
    return not told and (page or 0) >= drawn.chosen_on.get(ctx.params.get("path"), 0)


def _picker(ctx: foo.ExecutionContext) -> tuple[str, str]:
    if ctx.params.get("__method__") != "on_setting":
        return "", ""
    group, _, picked = (ctx.params.get("path") or "").rpartition(".")
    return group, picked
