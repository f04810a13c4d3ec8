"""The panel's typography: lines, cards, columns and marked texts, made of text views only."""

from __future__ import annotations

from collections.abc import Sequence

from fiftyone.operators import types

from ..agreement.differences import ALONE, DISPUTED, Mark
from .plain import reveal

#: mark: how it looks. Two tints and two kinds of line, so that colour is not needed.
MARKS = {
    ALONE: {
        "backgroundColor": "rgba(213, 94, 0, 0.28)",
        "borderBottom": "2px solid #D55E00",
        "borderRadius": "2px",
    },
    DISPUTED: {"borderBottom": "2px dotted #3B9BDC"},
}
#: Beyond so many marks a text stays plain: a page of marks marks nothing.
MOST_MARKS = 300

#: A framed block.
CARD = {
    "border": "1px solid",
    "borderColor": "divider",
    "borderRadius": "6px",
    "padding": "12px 14px",
}
#: What says where a text is from, beside the text itself.
FAINT = {"color": "text.secondary", "fontSize": "0.8rem"}

_TEXT = {"fontSize": "0.9rem", "lineHeight": 1.55, "fontFamily": "inherit"}
_WRAP = {"whiteSpace": "pre-wrap", "overflowWrap": "anywhere", "overflow": "hidden"}
_BUTTON = {
    "textTransform": "none",
    "whiteSpace": "nowrap",
    "minWidth": 0,
    "padding": "0 6px",
    "color": "primary.main",
    "& .MuiTypography-root": {"fontSize": "0.8rem"},
}
_INLINE = {"display": "inline", "width": "auto"}


def stack(parent: types.Object, name: str, **style) -> types.Object:
    """Adds a block of children below each other; ``style`` is CSS of the block."""
    return grid(parent, name, {"display": "flex", "flexDirection": "column", **style})


def row(parent: types.Object, name: str, **style) -> types.Object:
    """Adds a row that wraps where it is too narrow; its children are as wide as they are."""
    return grid(
        parent, name, {"display": "flex", "flexWrap": "wrap", "alignItems": "center", **style}
    )


def columns(parent: types.Object, name: str, narrowest: str) -> types.Object:
    """Adds columns of equal width, as many side by side as fit."""
    tracks = f"repeat(auto-fit, minmax(min(100%, {narrowest}), 1fr))"
    style = {"display": "grid", "gridTemplateColumns": tracks, "gap": 2.5, "alignItems": "start"}
    return grid(parent, name, style)


def grid(parent: types.Object, name: str, style: dict) -> types.Object:
    """Adds a block of children; ``style`` is CSS of the block."""
    view = types.GridView(
        componentsProps={
            "grid": {"sx": {"gap": 0.75, "minWidth": 0, **style}},
            "item": {"sx": {"minWidth": 0}},
        }
    )
    made = types.Object()
    parent.define_property(name, made, view=view)
    return made


def line(parent: types.Object, name: str, text: str, inline: bool = False, **style) -> None:
    """Adds one text, whatever it holds, as text; ``style`` is CSS."""
    place = _INLINE if inline else {}
    kept = {"flexShrink": 0} if style.get("whiteSpace") == "nowrap" else {}
    attributes = style.pop("attributes", {})
    text_props = {"sx": {**_TEXT, **_WRAP, **style}, **attributes}
    if inline:
        text_props["component"] = "span"
    parent.view(
        name,
        types.TextView(
            title=reveal(text),
            padding=0,
            color=style.get("color", "text.primary"),
            componentsProps={
                "item": {"sx": {"minWidth": 0, **place, **kept}},
                "container": {"sx": place},
                "text": text_props,
            },
        ),
    )


def marked_text(parent: types.Object, key: str, text: str, marks: Sequence[Mark]) -> None:
    """Adds a text whose marked stretches stand out; it runs on as one paragraph."""
    # "auto": Hebrew and Arabic run from the right, as their readers expect
    style = {"display": "block", "minWidth": 0, **_WRAP}
    view = types.GridView(
        componentsProps={
            "grid": {"sx": style, "dir": "auto", "data-text": key},
            "item": {"sx": {"minWidth": 0}},
        }
    )
    paragraph = types.Object()
    parent.define_property("text", paragraph, view=view)
    at = 0
    for i, mark in enumerate(marks[:MOST_MARKS]):
        if mark.start > at:
            _run(paragraph, f"plain_{i}", text[at : mark.start], None)
        _run(paragraph, f"mark_{i}", text[mark.start : mark.end], mark.kind)
        at = mark.end
    if at < len(text):
        _run(paragraph, "rest", text[at:], None)


def _run(parent: types.Object, name: str, text: str, kind: str | None) -> None:
    attributes = {"data-mark": kind} if kind else {}
    style = {"display": "inline", "overflow": "visible", **MARKS.get(kind, {})}
    line(parent, name, text, inline=True, attributes=attributes, **style)


def badge(parent: types.Object, name: str, text: str, colour: str) -> None:
    """Adds a word in a rounded frame of a colour of the App's theme, such as ``success.main``."""
    line(
        parent,
        name,
        text,
        inline=True,
        color=colour,
        border="1px solid",
        borderColor=colour,
        borderRadius="10px",
        padding="2px 9px",
        fontSize="0.8rem",
        whiteSpace="nowrap",
    )


def small_button(parent: types.Object, name: str, label: str, on_click, **params) -> None:
    """Adds a button of the size of a link; its label must be ours, never an annotation's."""
    parent.btn(
        name,
        label=label,
        variant="text",
        on_click=on_click,
        params=params,
        componentsProps={
            "item": {"sx": {"width": "auto", "flexShrink": 0}},
            "button": {"size": "small", "sx": _BUTTON},
        },
    )
