"""The map's page: pickers, picture, tags as buttons, sliders, and what they would change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import fiftyone as fo
from fiftyone.operators import types

from ...engine.table import audited_fields
from ..next_stage import NextStage, add_labels, add_next, add_stage, begin_empty
from ..typeset import FAINT, line, row
from .choices import (
    AGREEMENT,
    CONFIDENCES,
    LENS,
    TABLE,
    VIEWS,
    WITNESSES,
    Choice,
    colours,
    crossed,
    offered,
)
from .controls import add_button, add_choice, add_rules, add_tags
from .found import SCORE_NAMES, Found
from .picture import Picture
from .proposal import CALIBRATED, Proposal
from .telling import may_apply, tell_change

if TYPE_CHECKING:
    from .panel import ConfidenceMap


def say(sentence: str) -> types.Property:
    """A page of one sentence."""
    root = types.Object()
    line(root, "sentence", sentence)
    return _page(root)


def wait_for(panel: ConfidenceMap, dataset: fo.Dataset) -> types.Property:
    """The page where there is nothing to show yet: what to do, with a button."""
    root = begin_empty("Nothing to show yet")
    add_next(root, panel, dataset)
    return _page(root)


def begin(panel: ConfidenceMap, chosen: Choice, found: Found, dataset: fo.Dataset) -> types.Object:
    """The top of the page: the view, and what it is of."""
    root = types.Object()
    pick = row(root, "pick", columnGap=1, rowGap=1, flexWrap="wrap")
    add_choice(pick, panel, "view", "View", VIEWS, chosen.view)
    aspects, edges = offered(chosen.view, chosen.aspect, found)
    if chosen.aspect and chosen.view in (AGREEMENT, CONFIDENCES, WITNESSES):
        add_choice(pick, panel, "aspect", "Aspect", {name: name for name in aspects}, chosen.aspect)
    if chosen.view == AGREEMENT and edges:
        add_choice(pick, panel, "edge", "Compared", edges, chosen.edge)
    if chosen.view == WITNESSES and edges:
        add_choice(pick, panel, "edge", "Across", edges, chosen.edge)
        add_choice(pick, panel, "other", "Upwards", edges, chosen.other)
    if chosen.view == LENS and chosen.lens:
        add_choice(pick, panel, "lens", "Lens", {k: k for k in found.lenses}, chosen.lens)
    if chosen.view in (WITNESSES, TABLE) and chosen.score:
        there = {score for scores in found.scores.values() for score in scores}
        named = {score: name for score, name in SCORE_NAMES.items() if score in there}
        add_choice(pick, panel, "score", "Score", named, chosen.score)
    if chosen.view in (AGREEMENT, WITNESSES, LENS):
        names = {name: name for name in colours(dataset)}
        add_choice(pick, panel, "colour", "Coloured by", names, chosen.colour)
    return root


def lack(
    root: types.Object, panel: ConfidenceMap, stage: NextStage, found: Found, dataset: fo.Dataset
) -> types.Property:
    """The rest of the page where the view has nothing to show."""
    audited = [] if found.edges or stage.operator == "embed" else audited_fields(dataset)
    if audited:
        add_labels(root, panel, dataset, audited[0])
    else:
        add_stage(root, panel, stage)
    return _page(root)


def close(root: types.Object) -> types.Property:
    """The finished page."""
    return _page(root)


def draw(
    root: types.Object,
    panel: ConfidenceMap,
    picture: Picture,
    chosen: Choice,
    proposal: Proposal,
    rules: Sequence[str],
    bright: str | None,
) -> types.Property:
    """The rest of the page: the picture, the tags, the sliders and what they would change."""
    said = " ".join([*picture.said, *([bright] if bright else [])])
    line(root, "said", said, **FAINT)
    root.plot(
        "map",
        layout=picture.layout,
        on_selected=panel.on_lasso,
        on_click=panel.on_point,
        height="46vh" if chosen.rules == CALIBRATED else "38vh",
    )
    add_tags(root, panel, proposal)
    add_rules(root, panel, chosen, rules)
    line(root, "change", tell_change(proposal, chosen))
    actions = row(root, "actions", columnGap=1, rowGap=1)
    if rules:
        blocked = not may_apply(proposal) or crossed(chosen)
        add_button(actions, "apply", "Apply", "sell", panel.on_apply, "contained", disabled=blocked)
        add_button(actions, "reset", "Reset", "restart_alt", panel.on_reset)
    add_button(actions, "all", "Show all", "filter_alt_off", panel.on_show_all)
    if CALIBRATED not in rules and chosen.aspect:
        wanted = {"params": {"stage": "calibrate"}}
        add_button(actions, "calibrate", "Calibrate", "tune", panel.on_next_stage, **wanted)
    return _page(root)


def _page(root: types.Object) -> types.Property:
    return types.Property(
        root, view=types.GridView(orientation="vertical", columns=1, gap=1, pad=1)
    )
