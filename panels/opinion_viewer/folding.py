"""Long texts fold: their beginning, and a button for more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fiftyone.operators import types

from ...agreement.differences import mark_differences
from ...agreement.texts import is_missing, is_na
from .plain import cut
from .typeset import line, marked_text, row, small_button

#: A text is shown up to the first of these lengths, then the second, then whole.
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
    length = unfolded.get(key, LENGTHS[0])
    shown = cut(text, length)
    marks = mark_differences(cut(shown, LENGTHS[1]), others)
    marked_text(place, key, shown + _more(shown, text), marks)
    add_fold(place, key, (len(shown), len(text), length), on_unfold)


def _more(shown: str, text: str) -> str:
    return " \u2026" if len(shown) < len(text) else ""


def add_fold(
    place: types.Object, key: str, lengths: tuple[int, int, int], on_unfold: Callable
) -> None:
    """Adds the buttons for more and for less; ``lengths`` are shown, total and asked for."""
    shown, total, length = lengths
    if total <= LENGTHS[0]:
        return
    buttons = row(place, "fold", columnGap=1, rowGap=0)
    if shown < total:
        longer = next((step for step in LENGTHS if step > length), total)
        label = f"Show all {total:,} characters"
        if longer < total:
            label = f"Show {longer:,} of {total:,} characters"
        small_button(buttons, "more", label, on_unfold, key=key, length=longer)
    if shown > LENGTHS[0]:
        small_button(buttons, "less", "Show less", on_unfold, key=key, length=LENGTHS[0])
