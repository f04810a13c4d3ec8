"""The review's page: the clip, what is said of it, the buttons, and what is known so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

import fiftyone as fo
from fiftyone.operators import types

from ..next_stage import NextStage, add_next, add_stage, begin_empty
from ..opinion_viewer.folding import add_text
from ..typeset import CARD, FAINT, columns, line, row, small_button, stack

if TYPE_CHECKING:
    from fiftyone.operators.panel import PanelRefState

    from .panel import Review
    from .queue import Item, Standing

#: What the score may be where a person names none.
BEST_SCORE = "the confidence, if there is one"
WIDTHS = {"±1%": 0.01, "±2%": 0.02, "±3%": 0.03, "±5%": 0.05}

_OWN_FIELDS = NextStage(
    "plan_review",
    "Plan a review",
    "Or review annotations in fields of your own: name them where the review is planned.",
)

_EXPORT = NextStage(
    "export_audit",
    "Export audit",
    "Export the audit to keep what was found: the decisions, the corrected texts and the rates.",
)

# decision: (label, colour, icon, key): the key works with Alt (on a Mac, Control and Option)
_BUTTONS = {
    "correct": ("Correct", "success", "check", "1"),
    "wrong": ("Wrong", "error", "close", "2"),
    "unsure": ("Unsure", "warning", "question_mark", "3"),
    "skip": ("Skip", "secondary", "skip_next", "4"),
}
_KEYS = "Keys: Alt with 1 correct, 2 wrong, 3 unsure, 4 skip, 5 fix, 0 undo."


def say(sentence: str) -> types.Property:
    """A page of one sentence."""
    root = types.Object()
    line(root, "sentence", sentence)
    return _page(root)


def wait_for(panel: Review, dataset: fo.Dataset) -> types.Property:
    """The page where no known annotation is: what to run, or how to review one's own fields."""
    root = begin_empty("Nothing to review yet")
    add_next(root, panel, dataset)
    add_stage(root, panel, _OWN_FIELDS, "outlined")
    return _page(root)


def lose(
    panel: Review, state: PanelRefState, aspects: list[str], annotation: str
) -> types.Property:
    """The page where the field under review is gone; another aspect can be picked."""
    root = types.Object()
    _add_pickers(root, panel, state, aspects)
    line(
        root,
        "lost",
        f"The field {annotation}, which was reviewed, is no longer in the dataset. The decisions "
        "are kept. If it was renamed, give it its name back, or plan the review anew with restart.",
    )
    add_stage(root, panel, _OWN_FIELDS, "outlined")
    return _page(root)


def begin(
    panel: Review,
    state: PanelRefState,
    aspects: list[str],
    scores: list[str],
    planned: bool,
    begun: bool,
) -> types.Property:
    """The page before a reviewer sees the first sample.

    Args:
        panel: whose methods the buttons call
        state: what was picked
        aspects: what can be reviewed
        scores: the fields by which samples may be drawn
        planned: whether the aspect's samples are drawn already
        begun: whether somebody has decided on one of them
    """
    root = types.Object()
    line(root, "title", "Review annotations", fontSize="1.1rem", fontWeight=600)
    line(
        root,
        "why",
        "Look at some samples and say whether the annotation is right. The order is random within "
        "parts of like confidence, so that the decisions tell which share of all is wrong.",
    )
    _add_pickers(root, panel, state, aspects)
    if begun:
        line(root, "begun", "Reviews of this aspect have begun. They go on where they stopped.")
    elif planned:
        line(root, "planned", "The samples are drawn already. Nobody has decided on one yet.")
    else:
        _add_choice(root, "score", "Doubtful by", [BEST_SCORE, *scores], BEST_SCORE)
    reviewer = ((state.get("pick") or {}).get("reviewer") or "").strip()
    named = f"Your decisions are kept with the name {reviewer}."
    line(root, "as", named if reviewer else "Write your name: decisions are kept with it.", **FAINT)
    root.btn(
        "begin",
        label="Go on" if begun else "Begin",
        icon="play_arrow",
        variant="contained",
        on_click=panel.on_begin,
    )
    return _page(root)


def review(
    panel: Review,
    state: PanelRefState,
    aspects: list[str],
    item: Item | None,
    standing: Standing,
) -> types.Property:
    """The page with a sample to judge, or with the word that none is left."""
    root = types.Object()
    _add_pickers(root, panel, state, aspects)
    colour = "success.main" if standing.enough else "text.primary"
    line(root, "told", standing.told, fontWeight=600, color=colour)
    doubtful = f"; {standing.doubtful:,} without a clear decision" if standing.doubtful else ""
    place = row(root, "standing", columnGap=1, rowGap=0)
    line(place, "count", f"{standing.mine:,} decisions of yours{doubtful}.", inline=True, **FAINT)
    if standing.mine:
        small_button(place, "use", "Correct the confidences by all decisions", panel.on_use)
    if item is None:
        line(
            root,
            "end",
            "Nothing is left to review: every sample is decided, was passed to somebody else, or "
            "you were unsure of it.",
        )
        _add_undo(row(root, "actions", columnGap=1), panel)
        add_stage(root, panel, _EXPORT, "outlined")
        return _page(root)
    _add_media(root, panel, item)
    _add_annotation(root, panel, state, item)
    if state.get("fixing") == item.id:
        _add_fix(root, panel, item)
    else:
        _add_buttons(root, panel, item)
    _add_opinions(root, panel, state, item)
    return _page(root)


def _add_pickers(
    root: types.Object, panel: Review, state: PanelRefState, aspects: list[str]
) -> None:
    picked = state.get("pick") or {}
    pick = root.h_stack("pick", gap=1)
    _add_choice(pick, "aspect", "Aspect", aspects, picked.get("aspect"), panel.on_pick)
    _add_choice(pick, "width", "Until", list(WIDTHS), picked.get("width"), panel.on_pick)
    pick.str(
        "reviewer",
        label="Your name",
        default=picked.get("reviewer"),
        on_change=panel.on_pick,
        view=types.TextFieldView(),
    )


def _add_choice(
    root: types.Object,
    name: str,
    label: str,
    values: list[str],
    default: str | None,
    on_change=None,
) -> None:
    view = types.DropdownView()
    for value in values:
        view.add_choice(value, label=value)
    heard = {"on_change": on_change} if on_change else {}
    root.enum(name, values, default=default, label=label, view=view, **heard)


def _add_media(root: types.Object, panel: Review, item: Item) -> None:
    url = f"/media?filepath={quote(item.filepath, safe='')}"
    # A key of its own for each sample, or the App would keep the old one's player.
    name = f"media_{item.id}"
    if item.media_type == "video":
        view = types.MediaPlayerView(url=url)
        root.define_property(name, types.Object(), view=view)
    elif item.media_type == "image":
        view = types.ImageView(height="30vh", alt="The sample under review")
        root.define_property(name, types.String(), default=url, view=view)
    place = row(root, "open", columnGap=1)
    small_button(place, "open_sample", "Open this sample in the App", panel.on_open, sample=item.id)


def _add_annotation(root: types.Object, panel: Review, state: PanelRefState, item: Item) -> None:
    unfolded: Mapping[str, int] = state.get("unfolded") or {}
    said = list(item.opinions.values())
    card = stack(root, "annotation", **CARD, borderWidth="2px")
    line(card, "what", "The annotation: is it right?", **FAINT)
    add_text(card, "annotation", item.annotation, said, unfolded, panel.on_unfold)


def _add_opinions(root: types.Object, panel: Review, state: PanelRefState, item: Item) -> None:
    """Adds what others say, below the buttons: the clip decides, and they may be wrong as well."""
    unfolded: Mapping[str, int] = state.get("unfolded") or {}
    said = list(item.opinions.values())
    if item.suggestion:
        card = stack(root, "suggestion", **CARD)
        line(card, "what", "Suggested instead: the text that the video supports best", **FAINT)
        add_text(card, "suggestion", item.suggestion, [item.annotation], unfolded, panel.on_unfold)
    if not item.opinions:
        return
    place = columns(root, "opinions", "260px")
    for i, (witness, text) in enumerate(item.opinions.items()):
        card = stack(place, f"opinion_{i}", **CARD)
        line(card, "what", f"What {witness} says (it may be wrong as well)", **FAINT)
        others = [item.annotation, *(said[:i] + said[i + 1 :])]
        add_text(card, f"opinion_{i}", text, others, unfolded, panel.on_unfold)


def _add_buttons(root: types.Object, panel: Review, item: Item) -> None:
    place = row(root, "actions", columnGap=1, rowGap=1)
    for decision, (label, colour, icon, key) in _BUTTONS.items():
        said = {"decision": decision, "sample": item.id, "aspect": item.aspect}
        _button(place, decision, label, panel.on_decide, icon, key, colour, **said)
    _button(place, "fix", "Fix the text", panel.on_fix, "edit", "5", "error", sample=item.id)
    _add_undo(place, panel)
    line(root, "keys", _KEYS, **FAINT)


def _add_undo(place: types.Object, panel: Review) -> None:
    _button(place, "undo", "Undo", panel.on_undo, "undo", "0", "secondary")


def _button(
    place: types.Object, name: str, label: str, on_click, icon: str, key: str, colour: str, **params
) -> None:
    place.btn(
        name,
        label=label,
        icon=icon,
        variant="outlined",
        on_click=on_click,
        params=params,
        componentsProps={
            "item": {"sx": {"width": "auto"}},
            "button": {"accessKey": key, "color": colour, "sx": {"textTransform": "none"}},
        },
    )


def _add_fix(root: types.Object, panel: Review, item: Item) -> None:
    root.str(
        f"fix_{item.id}",
        label="The right text",
        default=item.suggestion or item.annotation or "",
        view=types.TextFieldView(multiline=True, rows=4),
    )
    place = row(root, "actions", columnGap=1)
    label, here = "Wrong, and this is right", {"sample": item.id, "aspect": item.aspect}
    _button(place, "save_fix", label, panel.on_save_fix, "save", "5", "error", **here)
    _button(place, "leave_fix", "Back", panel.on_leave_fix, "arrow_back", "0", "secondary")


def _page(root: types.Object) -> types.Property:
    return types.Property(
        root, view=types.GridView(orientation="vertical", columns=1, gap=1.5, pad=2)
    )
