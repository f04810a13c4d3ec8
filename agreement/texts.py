"""What counts as a text, as "nobody acts", and as nothing at all."""

from __future__ import annotations

# The ways in which captioning models say "there is no such thing here".
NOT_APPLICABLE = frozenset({"n/a", "na", "n.a", "not applicable", "none"})
_LONGEST = 32  # an "N/A" with blanks around it; longer texts need no closer look


def is_missing(text: object) -> bool:
    """Tells whether there is no text to compare: None, not a string, or blank."""
    return not isinstance(text, str) or not text or text.isspace()


def is_na(text: object) -> bool:
    """Tells whether the text is the answer "N/A", an answer and not a gap."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return False
    return text.strip().rstrip(".").casefold() in NOT_APPLICABLE


def is_scorable(text: object) -> bool:
    """Tells whether the text describes something, so that it can be scored."""
    return not is_missing(text) and not is_na(text)


def clean(text: str) -> str:
    """Replaces what no encoder or database can carry, and strips the ends.

    Lone surrogates and null characters cannot be encoded as UTF-8 or hashed by
    a tokenizer; one broken label must not stop a run.
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\x00", " ").strip()
