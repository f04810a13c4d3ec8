"""The map's controls: pickers, tags as buttons, and the sliders of the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fiftyone.operators import types

from ...agreement.workshop_rules import TAGS
from ..typeset import grid, row
from .choices import HIGHEST_FDR, LOWEST_FDR, Choice
from .points import TELLING
from .proposal import CALIBRATED, SUSPECT, WORKSHOP, Proposal

if TYPE_CHECKING:
    from .panel import ConfidenceMap

# The rules and four sliders side by side, or fewer where it is narrow
_FIVE = "repeat(auto-fit, minmax(min(100%, 118px), 1fr))"
_LIMITS = {"display": "grid", "gridTemplateColumns": _FIVE, "alignItems": "end", "columnGap": 2}
# The App's sliders keep 32 pixels free above and below, and Apply would be out of sight.
_CLOSE = {"& > div": {"padding": "0 12px"}}
_SLIDERS = {
    "sem_high": "Same meaning from",
    "sem_low": "Other meaning below",
    "lex_high": "Same words from",
    "lex_low": "Other words below",
}


def add_choice(
    place: types.Object,
    panel: ConfidenceMap,
    name: str,
    label: str,
    values: Mapping[str, str],
    chosen: str | None,
) -> None:
    """Adds a dropdown, wide enough for what is chosen; ``values`` are ``{value: label}``."""
    width = f"min(100%, {max(120, 46 + 7 * len(values.get(chosen, '')))}px)"
    view = types.DropdownView(
        componentsProps={"item": {"sx": {"minWidth": width, "flex": f"1 1 {width}"}}}
    )
    for value, text in values.items():
        view.add_choice(value, label=text)
    place.enum(
        name,
        list(values),
        default=chosen,
        label=label,
        view=view,
        on_change=panel.on_setting,
    )


def add_tags(root: types.Object, panel: ConfidenceMap, proposal: Proposal) -> None:
    """Adds a button for each tag: how many have it, and would have it."""
    place = row(root, "tags", columnGap=1, rowGap=1)
    known = list(TELLING) if proposal.stored == CALIBRATED else list(TAGS)
    known = [SUSPECT, *known] if proposal.rules == CALIBRATED else known
    there = {*proposal.now, *proposal.then}
    for i, tag in enumerate(t for t in dict.fromkeys([*known, *sorted(there)]) if t in there):
        now, then = proposal.counts(tag)
        colour = TELLING.get(tag, "#8A8A8A")
        number = f"{now:,}" if now == then else f"{now:,}\u00a0→\u00a0{then:,}"
        add_button(
            place,
            f"tag_{i}",
            f"{tag}: {number}",
            None,
            panel.on_tag,
            disabled=not (now or then),
            params={"tag": tag},
            borderLeft=f"5px solid {colour}",
            **{"&:hover, &:focus": {"borderLeft": f"5px solid {colour}"}},
        )


def add_rules(
    root: types.Object, panel: ConfidenceMap, chosen: Choice, rules: Sequence[str]
) -> None:
    """Adds the rules to choose from, and the sliders of those chosen."""
    if not rules:
        return
    told = chosen.rules == CALIBRATED
    place = row(root, "by", columnGap=2, rowGap=1) if told else grid(root, "by", _LIMITS)
    names = {CALIBRATED: "confidence", WORKSHOP: "thresholds"}
    if len(rules) > 1:
        add_choice(place, panel, "rules", "Tags by", {r: names[r] for r in rules}, chosen.rules)
    if told:
        label = f"Fine labels to tolerate among the suspects: {chosen.fdr:.0%}"
        _slider(place, panel, "fdr", label, chosen.fdr, LOWEST_FDR, HIGHEST_FDR, flex="2 1 330px")
        return
    for name, label in _SLIDERS.items():
        at = chosen.limits[name]
        _slider(place, panel, name, f"{label} {at:.2f}", at, 0, 1)


def _slider(
    place: types.Object,
    panel: ConfidenceMap,
    name: str,
    label: str,
    at: float,
    low: float,
    high: float,
    **style,
) -> None:
    place.float(
        name,
        min=low,
        max=high,
        default=at,
        on_change=panel.on_setting,
        view=types.SliderView(
            label=label,
            label_position="top",
            value_precision=2,
            value_label_display="auto",
            min=low,
            max=high,
            componentsProps={"item": {"sx": {**_CLOSE, **style}}},
        ),
    )


def add_button(
    place: types.Object,
    name: str,
    label: str,
    icon: str | None,
    on_click,
    variant: str = "outlined",
    disabled: bool = False,
    params: dict | None = None,
    **style,
) -> None:
    """Adds a button; ``style`` is CSS."""
    place.btn(
        name,
        label=label,
        icon=icon,
        variant=variant,
        on_click=on_click,
        params=params or {},
        disabled=disabled,
        componentsProps={
            "item": {"sx": {"width": "auto"}},
            "button": {"sx": {"textTransform": "none", **style}},
        },
    )
