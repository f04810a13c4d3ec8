"""The map's page: pickers, chart, tags as buttons, thresholds as sliders, and what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo
from fiftyone.operators import types

from ...agreement.workshop_rules import THRESHOLDS
from .chart import lay_out

if TYPE_CHECKING:
    from fiftyone.operators.panel import PanelRefState

    from .empty import NextStage
    from .panel import ConfidenceMap

#: The choice that colours points by tag; no field can have this name.
BY_TAG = "what the tags say"

_COLOURABLE = (fo.StringField, fo.BooleanField, fo.IntField, fo.FloatField)
_HIDDEN = ("id", "filepath", "created_at", "last_modified_at")
_SLIDERS = {
    "sem_high": "Same meaning from",
    "sem_low": "Other meaning below",
    "lex_high": "Same words from",
    "lex_low": "Other words below",
}


def colours(dataset: fo.Dataset) -> list[str]:
    """What the points can be coloured by: the tags, or a field of few words or of numbers."""
    fields = dataset.get_field_schema(ftype=_COLOURABLE)
    return [BY_TAG, *(name for name in fields if name not in _HIDDEN)]


def say(sentence: str) -> types.Property:
    """A page of one sentence."""
    panel = types.Object()
    panel.md(sentence, name="sentence")
    return types.Property(panel, view=types.GridView(orientation="vertical", pad=2))


def wait_for(stage: NextStage, on_click) -> types.Property:
    """The page where there is nothing to show yet: which stage to run, with its button."""
    panel = types.Object()
    panel.md(f"### Nothing to show yet\n\n{stage.reason}", name="reason")
    if on_click:
        panel.btn(
            "next_stage",
            label=stage.label,
            icon="play_arrow",
            variant="contained",
            on_click=on_click,
            params={"stage": stage.operator},
        )
    return types.Property(panel, view=types.GridView(orientation="vertical", pad=3, gap=2))


def build(panel: ConfidenceMap, state: PanelRefState, dataset: fo.Dataset) -> types.Property:
    """The page with the map."""
    counts, limits = state.get("counts"), {**THRESHOLDS, **(state.get("limits") or {})}
    root = types.Object()
    _add_pickers(root, panel, state, dataset)
    root.md(_coverage(counts, state.get("pick")), name="coverage")
    root.plot(
        "map",
        layout=lay_out(limits, counts["corners"], counts["scored"], bool(state.get("scale"))),
        on_selected=panel.on_lasso,
        on_click=panel.on_point,
        height="42vh",
    )
    _add_buttons(root, panel, counts)
    if counts["rules"]:
        _add_sliders(root, panel, limits)
    root.md(_change(counts, limits), name="change")
    actions = root.grid("actions", orientation="horizontal", gap=1, columns=4)
    if counts["rules"]:
        actions.btn(
            "apply",
            label="Apply",
            icon="sell",
            variant="contained",
            on_click=panel.on_apply,
            disabled=not counts["changed"] or _crossed(limits),
        )
        actions.btn("reset", label="Reset", icon="restart_alt", on_click=panel.on_reset)
    actions.btn("all", label="Show all", icon="filter_alt_off", on_click=panel.on_show_all)
    return types.Property(
        root, view=types.GridView(orientation="vertical", columns=1, gap=1, pad=1)
    )


def _add_pickers(
    root: types.Object, panel: ConfidenceMap, state: PanelRefState, dataset: fo.Dataset
) -> None:
    found, picked = state.get("comparisons"), state.get("pick")
    pick = root.h_stack("pick", gap=1)
    choices = {
        "aspect": ("Aspect", {name: name for name in found}),
        "edge": ("Compared", found[picked["aspect"]]),
        "colour": ("Coloured by", {name: name for name in colours(dataset)}),
    }
    for name, (label, values) in choices.items():
        view = types.DropdownView()
        for value, text in values.items():
            view.add_choice(value, label=text)
        pick.enum(
            name,
            list(values),
            default=picked[name],
            label=label,
            view=view,
            on_change=panel.on_setting,
        )


def _coverage(counts: dict, picked: dict) -> str:
    missing = counts["samples"] - counts["scored"]
    gap = f" {missing:,} lack a score and have no point." if missing else ""
    return f"{counts['scored']:,} of {counts['samples']:,} samples are on the map.{gap}"


def _add_buttons(root: types.Object, panel: ConfidenceMap, counts: dict) -> None:
    row = root.grid("tags", orientation="horizontal", gap=1, columns=4)
    for i, (tag, now, then) in enumerate(counts["tags"]):
        number = f"{now:,}" if now == then else f"{now:,}\u00a0→\u00a0{then:,}"
        row.btn(
            f"tag_{i}",
            label=f"{tag}: {number}",
            variant="outlined",
            on_click=panel.on_tag,
            params={"tag": tag},
            disabled=not (now or then),
        )


def _add_sliders(root: types.Object, panel: ConfidenceMap, limits: dict[str, float]) -> None:
    sliders = root.grid("limits", orientation="horizontal", gap=0, columns=4)
    for name, label in _SLIDERS.items():
        sliders.float(
            name,
            min=0,
            max=1,
            default=limits[name],
            on_change=panel.on_setting,
            view=types.SliderView(
                label=f"{label} {limits[name]:.2f}",
                label_position="top",
                value_precision=2,
                value_label_display="auto",
                min=0,
                max=1,
            ),
        )


def _change(counts: dict, limits: dict[str, float]) -> str:
    if not counts["rules"]:
        return (
            "The tag rules need the lexical and semantic scores of the witnesses q and m against "
            "the annotation; this aspect lacks some of them."
        )
    if _crossed(limits):
        return "These thresholds cross: a meaning cannot be both the same and another."
    if counts["calibrated"] and not counts["changed"]:
        return (
            "These tags come from calibrated rules. Move a threshold to see what the workshop's "
            "rules would put in their place."
        )
    if not counts["changed"]:
        return "These thresholds give the tags that the samples already have."
    return (
        f"Applied, these thresholds would change the tags of **{counts['changed']:,}** of "
        f"{counts['samples']:,} samples. Nothing is written yet."
    )


def _crossed(limits: dict[str, float]) -> bool:
    return limits["sem_low"] > limits["sem_high"]
