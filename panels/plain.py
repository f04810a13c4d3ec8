"""Text as text: nothing that an annotation holds may act, hide or turn the page around.

The App renders markdown in a markdown view and offers links from bare addresses in it. A text
view hands its words to the page as a text node, which knows no markup at all; so texts of
annotations go through text views only, with their invisible characters made visible.
"""

from __future__ import annotations

import re
import unicodedata

# Joiners that scripts and emoji need, and the tags that spell the flags of regions.
_HARMLESS = {"\n", "\t", "\u200c", "\u200d"} | {chr(code) for code in range(0xE0020, 0xE0080)}
_SUSPICIOUS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0001-\U000e007f]"
)


def reveal(text: str) -> str:
    """Replaces characters that act or hide by visible ones.

    Control characters become their pictures (U+2400 for a null character), and those that
    turn the writing around, have no width or are half a character become their code, such as
    ``[U+202E]``. Line ends become ``\\n``; letters, emoji and accents stay as they are.
    """
    return _SUSPICIOUS.sub(_picture, text.replace("\r\n", "\n").replace("\r", "\n"))


def _picture(match: re.Match) -> str:
    character = match.group()
    if character in _HARMLESS:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"[U+{code:04X}]"


def cut(text: str, length: int) -> str:
    """The first ``length`` characters or a few less: up to a blank, never inside a character."""
    if len(text) <= length:
        return text
    shorter = text[:length]
    while shorter and (unicodedata.combining(text[len(shorter)]) or shorter[-1] == "\u200d"):
        shorter = shorter[:-1]
    blank = max(shorter.rfind(" "), shorter.rfind("\n"))
    return shorter[:blank] if blank > length * 0.8 else shorter
