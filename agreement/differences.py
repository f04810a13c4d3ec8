"""Which words of a text its other tellers say too: a cheap pass over words, without a model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .texts import is_scorable

#: Nobody else says this word.
ALONE = "alone"
#: Some of the others say this word, and some do not.
DISPUTED = "disputed"

# Scripts without blanks between words are compared sign by sign.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}_])\w)+(?:['\u2019](?:(?!_)\w)+)*")

# Words that carry grammar and not content. "not", "no" and "without" carry content.
_GRAMMAR_WORDS = (
    "a an the this that these those some any each and or but as so then than while when where "
    "who whom whose which what of to in on at by for from with into onto upon "
    "is are was were be been being am do does did has have had having will would can could may "
    "might shall should must it its it's he she they them his her hers him their theirs i you we "
    "us my our your there here also very just"
)
_GRAMMAR = frozenset(_GRAMMAR_WORDS.split())
_IRREGULAR = {
    **dict.fromkeys(("children", "childs"), "child"),
    **{"men": "man", "women": "woman", "people": "person", "feet": "foot", "fallen": "fall"},
    **{"knives": "knife", "leaves": "leaf", "halves": "half", "grey": "gray", "teeth": "tooth"},
    **{"took": "take", "taken": "take", "held": "hold", "ran": "run", "sat": "sit"},
    **{"stood": "stand", "threw": "throw", "thrown": "throw", "went": "go", "gone": "go"},
    **{"used": "use", "using": "use", "agreed": "agree", "died": "die", "lied": "lie"},
    **{"tied": "tie", "tying": "tie", "lying": "lie", "dying": "die", "fell": "fall"},
    **{"made": "make", "gave": "give", "given": "give", "broke": "break"},
    **{"broken": "break", "wore": "wear", "worn": "wear", "spoke": "speak", "shown": "show"},
    **{"drew": "draw", "drawn": "draw", "ate": "eat", "eaten": "eat", "drove": "drive"},
    **{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"},
    **{"seven": "7", "eight": "8", "nine": "9", "ten": "10", "n't": "not", "cannot": "not"},
}
_SUFFIXES = (
    *(("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ees", "ee")),
    *(("eed", "eed"), ("ing", ""), ("ed", ""), ("es", "")),
)
_SHORTEST_STEM = 3


@dataclass(frozen=True)
class Word:
    """One word of a text that carries content.

    Attributes:
        start: its first character
        end: one past its last character
        text: the word as written
        stem: what it is compared by
    """

    start: int
    end: int
    text: str
    stem: str


@dataclass(frozen=True)
class Mark:
    """A stretch of a text that not everybody else says.

    Attributes:
        start: its first character
        end: one past its last character
        kind: :data:`ALONE` or :data:`DISPUTED`
    """

    start: int
    end: int
    kind: str


def content_words(text: str | None) -> list[Word]:
    """The words of a text that carry content, in order; none where it is missing or "N/A"."""
    if not is_scorable(text):
        return []
    found = []
    for match in _WORD.finditer(text):
        plain = unicodedata.normalize("NFKC", match.group()).casefold().replace("\u2019", "'")
        if plain not in _GRAMMAR:
            found.append(Word(match.start(), match.end(), match.group(), stem(plain)))
    return found


@lru_cache(maxsize=10_000)
def stem(word: str) -> str:
    """What a lower-case word is compared by: closes, closed, closing and close are one.

    A few English endings and irregular forms, and the spelling of colour, are folded; words
    of other languages stay as they are but for these endings. It need not be a word.
    """
    if word.endswith("n't"):
        return "not"
    word = word.removesuffix("'s").removesuffix("'")
    word = _IRREGULAR.get(word, word)
    for ending, instead in _SUFFIXES:
        base = word.removesuffix(ending)
        if word.endswith(ending) and len(base) >= _SHORTEST_STEM - len(instead):
            word = _undouble(base + instead)
            break
    else:
        if len(word) > _SHORTEST_STEM and word[-1] == "s" and word[-2] not in "sui":
            word = word[:-1]
    if len(word) > _SHORTEST_STEM and word[-1] == "e":
        word = word[:-1]
    return word.replace("our", "or") if len(word) > 4 else word


def _undouble(word: str) -> str:
    # run-n-ing and stop-p-ed, but not fall-ing, pass-ing and buzz-ing
    doubled = len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "lszaeiou"
    return word[:-1] if doubled else word


def mark_differences(said: str | None, others: Sequence[str | None]) -> list[Mark]:
    """Marks the words of a text that not all of its other tellers say.

    Args:
        said: the text
        others: what the others say; missing and "N/A" ones are not heard

    Returns:
        marks in order, neighbours of one kind joined across blanks and hyphens; none where
        there is nothing to compare
    """
    heard = [_stems(other) for other in others if is_scorable(other)]
    marks: list[Mark] = []
    if not heard:
        return marks
    for word in content_words(said):
        by = sum(word.stem in stems for stems in heard)
        if by == len(heard):
            continue
        kind = DISPUTED if by else ALONE
        last = marks[-1] if marks else None
        if last and last.kind == kind and not said[last.end : word.start].strip(" -\n\t"):
            marks[-1] = Mark(last.start, word.end, kind)
        else:
            marks.append(Mark(word.start, word.end, kind))
    return marks


def words_of_nobody_else(said: str | None, others: Sequence[str | None]) -> list[str]:
    """The content words that only this text says, as written, each once, in order."""
    heard = frozenset().union(*(_stems(other) for other in others))
    return _each_once(word for word in content_words(said) if word.stem not in heard)


def words_of_all_but(texts: Sequence[str | None], other: str | None) -> list[str]:
    """The content words that all these texts say and the other does not, as the first writes
    them, each once, in order; none where a text is missing."""
    if not texts or not all(is_scorable(text) for text in texts):
        return []
    there = _stems(other)
    shared = [_stems(text) for text in texts[1:]]
    return _each_once(
        word
        for word in content_words(texts[0])
        if word.stem not in there and all(word.stem in stems for stems in shared)
    )


@lru_cache(maxsize=64)  # a viewer asks for the same few texts again and again
def _stems(text: str | None) -> frozenset[str]:
    return frozenset(word.stem for word in content_words(text))


def _each_once(words) -> list[str]:
    seen: dict[str, str] = {}
    for word in words:
        seen.setdefault(word.stem, word.text)
    return list(seen.values())
