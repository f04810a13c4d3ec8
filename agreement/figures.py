"""Who and what a clause names: "a red star", "three blue hearts"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .verbs import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION,
    NEGATORS,
    PRONOUNS,
    SEEN,
    WORD,
    acts,
    ends_in_s,
    is_adverb,
    is_third,
)
from .word_classes import ATTRIBUTES

_NUMBERS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_GROUPS = "a (?:pair|couple|trio) of|a single"
_SEVERAL = ("some", "several", "many", "a group of", "a bunch of", "a number of")
#: How a thing begins to be named.
START = rf"(?:{_GROUPS}|{'|'.join(reversed(_SEVERAL))}|an?|the|one|{_NUMBERS}|\d+)"
_BEGINS = re.compile(rf"(?<![\w'-])({START})\s+(?=[^\W\d_])", re.I)
_SINGLE = ("a", "an", "one", "1", "a single")
_UNCOUNTED = (*_SINGLE, *_SEVERAL, "the")
_ENDS = re.compile(r".{2,}(?:ing|ed)\Z")
# Things whose names look like forms of verbs
_NAMES = re.compile(
    "(?:build|ceil|clean|paint|draw|earr|cloth|light|ra?il|sibl|duckl|str|spr|w|r|k|th|wedd|warn|cross|dress|even|morn)ings?"
    "|(?:sea)?beds?|seeds?|weeds?|sheds?|sleds?|speed|hotbed|biped"
)
_RANKS = frozenset(
    [
        "same",
        "other",
        "next",
        "first",
        "second",
        "last",
        "opposite",
        "entire",
        "whole",
        "only",
        "own",
        "few",
    ]
)
_NOT_SEEN = re.compile(
    "clips?|videos?|segments?|scenes?|frames?|screen|picture|image|photo(graph)?|camera|views?|"
    "backdrop|background|foreground|animation|text|words?|title|end|way|others?|another|left|"
    "right|sides?|top|bottom|middle|cent(re|er)|edge|corner|times?|close-?ups?|few|lot|lots|bit|"
    "moments?|seconds?|minutes?|while|day|air|front|shot|first|second|last|next|same|rest|part|"
    "process|step|kind|type|sort|variety|series|set|use|motion|movement|distance|inside|outside|"
    "whole|half|piece|pieces|pair|row|group|time|lower|upper|only|own|beginning|start|amount|collection|duration|placement|location|lighting|layout|"
    "point|direction|sound|adjustment|attention|focus"
)
_MOST = 5
_ADJECTIVES = frozenset(word for kind in ATTRIBUTES if "glass" not in kind for word in kind) - {
    "square",
    "orange",
    "silver",
}  # which are things as well
_AFTER_NAMES = frozenset(["steady", "ajar", "upright", "alone", "aside", "open", "shut"])


@dataclass(frozen=True)
class Figure:
    """Something that a clause names.

    Attributes:
        thing: "a red star", or "hearts" for many
        counted: "three hearts" where a number was told, else empty
        begin: where it begins in the clause
        end: where it ends
    """

    thing: str
    counted: str
    begin: int
    end: int

    @property
    def name(self) -> str:
        """What to call it: with its number, where there is one."""
        return self.counted or self.thing

    @property
    def head(self) -> str:
        """What it is, without what kind of."""
        return self.thing.split()[-1].lower()

    @property
    def many(self) -> bool:
        """Whether there are several."""
        return ends_in_s(self.head) or self.head in ("people", "men", "women", "children")


def find_figures(words: str) -> list[Figure]:
    """Who or what a clause says is there; what it says is not there is left out."""
    denied = [m.start() for m in WORD.finditer(words) if m.group().lower() in NEGATORS]
    last = min(denied, default=len(words))
    found: list[Figure] = []
    for begins in _BEGINS.finditer(words):
        if begins.start() > last:
            break
        if found and begins.start() < found[-1].end:
            continue
        # who is named before anything is done does it
        figure = _read(words, begins, _begins_clause(words[: begins.start()]))
        if figure:
            found.append(figure)
    return found


def _read(words: str, begins: re.Match, subject: bool) -> Figure | None:
    start = begins.group(1).lower()
    counted = start not in _UNCOUNTED
    name: list[str] = []
    end = at = begins.end()
    while len(name) < _MOST and (match := WORD.match(words, at)):
        word, after = match.group(), _next(words, match.end())
        plain = word.lower()
        if _breaks(plain, name, after, start, subject, counted):
            break
        at = match.end()
        if not is_adverb(plain):
            name.append(word)
            end = at
            if ends_in_s(plain) and start not in _SINGLE and not _goes_on(words, end):
                break  # "the stars"
        if words[at : at + 1] != " ":
            break  # a comma or a quote ends it
        at += 1
    if not name or _NOT_SEEN.fullmatch(name[-1].lower()) or name[-1].lower() in _ADJECTIVES:
        return None
    if len(name) == 1 and _ENDS.match(name[0]) and not _NAMES.fullmatch(name[0].lower()):
        return None  # "one holding a ball"
    if name[0].lower() in _RANKS or _is_cut_off(name, words[end:]):
        return None
    many = ends_in_s(name[-1].lower()) or name[-1].lower() in ("people", "men", "women", "children")
    if start not in (*_SINGLE, "the") and not many:
        return None
    article = (
        ""
        if many and not name[0].endswith("'s")
        else "an "
        if name[0][0].lower() in "aeiou"
        else "a "
    )
    thing = " ".join(name)
    told = f"{start} {thing}" if counted else ""
    return Figure(article + thing, told, begins.start(), end)


def _breaks(
    plain: str, name: list[str], after: str, start: str, subject: bool, counted: bool
) -> bool:
    """Whether a word no longer belongs to the name of a thing."""
    if plain in FUNCTION or re.fullmatch(f"one|{_NUMBERS}", plain):
        return True
    if not name:
        return False
    if is_adverb(plain):
        return True
    formed = _ENDS.match(plain) and not _NAMES.fullmatch(plain)
    if formed and not _ENDS.match(name[-1].lower()) or plain in _AFTER_NAMES:
        return True
    if plain in SEEN and (ends_in_s(name[-1].lower()) or after in FUNCTION):
        return True
    if not (ends_in_s(plain) or is_third(plain)) or counted:
        return False
    followed = after in DETERMINERS or after in PRONOUNS
    if start in _SINGLE:  # "a red star glides": one thing has no plural
        return is_third(plain) or not after or after in FUNCTION or followed
    if subject and is_third(plain):  # "the stars swell", but "the star swells"
        return not acts(after, plain, "") or followed
    return followed


def _begins_clause(before: str) -> bool:
    plain = [word.lower() for word in WORD.findall(before)]
    if not plain or plain[-1] in ("while", "as", "when", "until", "then"):
        return True
    around = zip(["", *plain], plain, [*plain[1:], ""])
    return not any(acts(word, earlier, later) for earlier, word, later in around)


def _goes_on(words: str, at: int) -> bool:
    """Whether a word in s is the first of a compound: "the rules sign is shown"."""
    follows = re.match(r" ([a-z]+) ([a-z]+)", words[at:])
    return bool(follows) and follows.group(1) not in FUNCTION and (
        follows.group(1) not in SEEN and follows.group(2) in AUXILIARIES
    )  # fmt: skip


def _is_cut_off(name: list[str], rest: str) -> bool:
    """Whether only words for what kind of thing it is were read, and not the thing."""
    if len(name) == 1 and "-" in name[0][2:]:  # "a red-boxed ...", but "a T-shirt"
        return True
    if re.match(r"\s[\u201c\"(]", rest):
        return True
    follows = re.match(r", ([a-z][\w'-]*)", rest)
    if len(name) > 1 or not follows:
        return False
    word = follows.group(1)
    return not (word in FUNCTION or is_third(word) or _ENDS.match(word) or is_adverb(word))


def _next(words: str, at: int) -> str:
    """The next word, if nothing but a blank stands before it."""
    match = WORD.match(words, at + 1) if words[at : at + 1] == " " else None
    return match.group().lower() if match else ""
