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
BY_TAG = "the tags these thresholds give"

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
    return types.Property(panel, view=types.GridView(orientation="vertical", padding=2))


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
    return types.Property(
        panel, view=types.GridView(orientation="vertical", padding=3, gap=2, align_x="center")
    )


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
        height="46vh",
    )
    _add_buttons(root, panel, counts)
    if counts["rules"]:
        _add_sliders(root, panel, limits)
        root.md(_change(counts), name="change")
        actions = root.h_stack("actions", gap=1)
        actions.btn(
            "apply",
            label="Apply",
            icon="sell",
            variant="contained",
            on_click=panel.on_apply,
            disabled=not counts["changed"],
        )
        actions.btn("reset", label="Reset", icon="restart_alt", on_click=panel.on_reset)
    else:
        root.md(
            "The tag rules need the lexical and semantic scores of the witnesses q and m against "
            "the annotation; this aspect lacks some of them.",
            name="change",
        )
    return types.Property(
        root, view=types.GridView(orientation="vertical", width=100, gap=1, padding=1)
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
            on_change=panel.on_pick,
        )


def _coverage(counts: dict, picked: dict) -> str:
    missing = counts["samples"] - counts["scored"]
    gap = f" {missing:,} lack a score and have no point." if missing else ""
    return f"{counts['scored']:,} of {counts['samples']:,} samples are on the map.{gap}"


def _add_buttons(root: types.Object, panel: ConfidenceMap, counts: dict) -> None:
    row = root.h_stack("tags", gap=1, wrap=True)
    for i, (tag, now, then) in enumerate(counts["tags"]):
        number = f"{now:,}" if now == then else f"{now:,} → {then:,}"
        row.btn(
            f"tag_{i}",
            label=f"{tag}: {number}",
            variant="outlined",
            on_click=panel.on_tag,
            params={"tag": tag},
            disabled=not then,
        )
    corners = root.h_stack("corners", gap=1, wrap=True)
    for i, (name, count) in enumerate(counts["corners"].items()):
        corners.btn(
            f"corner_{i}",
            label=f"{name}: {count:,}",
            variant="round",
            on_click=panel.on_corner,
            params={"corner": name},
            disabled=not count,
        )
    corners.btn("all", label="Show all", icon="filter_alt_off", on_click=panel.on_show_all)


def _add_sliders(root: types.Object, panel: ConfidenceMap, limits: dict[str, float]) -> None:
    sliders = root.h_stack("limits", gap=1, wrap=True)
    for name, label in _SLIDERS.items():
        sliders.float(
            name,
            min=0,
            max=1,
            default=limits[name],
            on_change=panel.on_threshold,
            view=types.SliderView(
                label=label,
                label_position="top",
                value_precision=2,
                value_label_display="on",
                min=0,
                max=1,
            ),
        )


def _change(counts: dict) -> str:
    if not counts["changed"]:
        return "These thresholds give the tags that the samples already have."
    return (
        f"Applied, these thresholds would change the tags of **{counts['changed']:,}** of "
        f"{counts['samples']:,} samples. Nothing is written yet."
    )
