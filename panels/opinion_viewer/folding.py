"""Long texts fold: their beginning, and a button for more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fiftyone.operators import types

from ...agreement.differences import mark_differences
from ...agreement.texts import is_missing, is_na
from ..plain import cut
from ..typeset import line, marked_text, row, small_button

#: A text is shown up to the first of these lengths, then by parts of the second: a browser
#: takes a minute to break a million characters into lines.
LENGTHS = (600, 20_000)


def add_text(
    place: types.Object,
    key: str,
    text: str | None,
    others: Sequence[str | None],
    unfolded: Mapping[str, int],
    on_unfold: Callable,
) -> None:
    """Adds a text with the words marked that the others do not say.

    Args:
        place: where it is added
        key: the text's key among those that a person unfolded
        text: the text
        others: what the others say
        unfolded: ``{key: how many characters a person asked for}``
        on_unfold: called with the key and the length that a person asks for
    """
    if is_missing(text):
        line(place, "text", "No text here.", fontStyle="italic", color="text.secondary")
        return
    if is_na(text):
        line(place, "text", f"{text.strip()}: there is nothing of the kind, it says.")
        return
    add_part(place, key, text, others, unfolded.get(key, LENGTHS[0]), on_unfold)


def add_part(
    place: types.Object,
    key: str,
    text: str,
    others: Sequence[str | None],
    length: int,
    on_unfold: Callable,
) -> None:
    """Adds the part of a text that ends at ``length``, and the buttons for others."""
    fold, part = LENGTHS
    start = len(cut(text, length - part)) if length > part else 0
    end, total = len(cut(text, length)), len(text)
    before, after = "\u2026 " if start else "", " \u2026" if end < total else ""
    shown = f"{before}{text[start:end]}{after}"
    marked_text(place, key, shown, mark_differences(shown, others))
    if total <= fold:
        return
    buttons = row(place, "fold", columnGap=1, rowGap=0)
    if end < total and length < part:
        label = f"Show {part:,} of {total:,} characters"
        label = f"Show all {total:,} characters" if total <= part else label
        small_button(buttons, "more", label, on_unfold, key=key, length=part)
    elif end < total:
        label = f"Next {part:,} of {total:,} characters"
        small_button(buttons, "more", label, on_unfold, key=key, length=length + part)
        last = -(-total // part) * part
        small_button(buttons, "last", "Show the end", on_unfold, key=key, length=last)
    if length > fold:
        small_button(buttons, "less", "Show less", on_unfold, key=key, length=fold)
