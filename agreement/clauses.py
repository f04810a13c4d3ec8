"""A text cut into clauses, each with somebody who acts, and whether it follows the one before.

A clause is cut off only where a verb of its own follows; a list of things stays whole. Who acts is
carried on to clauses that do not say it, in place of a pronoun or of nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .figures import START, Figure, find_figures
from .texts import clean
from .verbs import (
    ALSO_THINGS,
    DETERMINERS,
    FUNCTION,
    PRONOUNS,
    SEEN,
    WORD,
    acts,
    ends_in_s,
    is_adverb,
    is_third,
    main_verb,
    third,
    words_of,
)
from .word_classes import ACTORS

_AS_ASCII = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2019": "'", "\u2018": "'"})
_SENTENCE = re.compile(r"(?<=[.!?;])[\"'\u201d)]*\s+(?=[\"'\u201c(]?[A-Z0-9])")
_BORDER = re.compile(r",?\s+and\s+then\s+|,\s*then\s+|;\s+|,\s+(?:and\s+|but\s+)?|\s+and\s+", re.I)
_THEN = re.compile(r"(?:,?\s+and\s+then\s+|,\s*then\s+)\Z", re.I)
_LINK = re.compile(
    r"(?:and\s+)?(?:then|next|afterwards?|after (?:that|this)|later|finally|a moment later)\b,?\s+",
    re.I,
)
_INNER_LINK = re.compile(r"\A((?:[\w'-]+\s+){1,4}?)(?:then|finally|next)\s+(?=[a-z])", re.I)
_AFTER = re.compile(r"\A(?:after|once)\s+(?!.{0,20}(?:seconds?|minutes?|moments?)\b)", re.I)
_SUBORDINATE = re.compile(r"\A(?:when|while|as|if|because|before|until|since|although)\b", re.I)
_SUBJECT_PRONOUN = re.compile(r"\A(he|she|they|it)\b", re.I)
_INNER_PRONOUN = re.compile(r"\b(he|she)\b", re.I)
_HUMAN = ACTORS | frozenset(
    ["host", "speaker", "individual", "someone", "somebody", "cook", "artist"]
)
_ANIMALS = frozenset(
    [
        "dog",
        "cat",
        "horse",
        "bird",
        "bear",
        "elephant",
        "cow",
        "sheep",
        "dogs",
        "cats",
        "horses",
        "birds",
        "rabbit",
        "fish",
    ]
)
_MALE = frozenset(["man", "men", "boy", "boys", "guy", "gentleman", "father"])
_FEMALE = frozenset(["woman", "women", "girl", "girls", "lady", "mother"])
_FIRST = re.compile(r"\A(?:(?:and|but)\s+(?!then\b)|(?:at first|first|firstly|also),\s+)", re.I)
_LONGEST = 60
_SHORTENED = {
    re.compile(r"\b(he|she|it|there|who)'s\b", re.I): r"\1 is",
    re.compile(r"\b(they|we|you)'re\b", re.I): r"\1 are",
}


@dataclass(frozen=True)
class Clause:
    """One clause.

    Attributes:
        text: a sentence, or what can be said after "The clip shows"
        figures: who and what is named in it
        subject: who acts, if it is told; also where an earlier clause told it
        linked: whether it is said to follow the clause before
        whole: whether it has a verb that carries it
    """

    text: str
    figures: tuple[Figure, ...]
    subject: Figure | None
    linked: bool
    whole: bool


def read_clauses(text: str) -> list[Clause]:
    """Cuts a text into clauses."""
    found: list[Clause] = []
    text = clean(text).translate(_AS_ASCII)
    for short, full in _SHORTENED.items():
        text = short.sub(full, text)
    for sentence in _SENTENCE.split(text):
        found += _Sentence(sentence, [c.subject for c in found if c.subject]).clauses
        if len(found) >= _LONGEST:
            break
    return found[:_LONGEST]


class _Sentence:
    """The clauses of one sentence."""

    def __init__(self, sentence: str, actors: list[Figure]):
        self.clauses: list[Clause] = []
        self._actors = list(actors)
        self._subject: tuple[str, Figure | None] | None = None  # whoever acts in this sentence
        sentence = _FIRST.sub("", sentence)
        first = re.match(r"[^\W\d_]+(?=\s|[.!]?\Z)", sentence)
        self._order = first.group().lower() if first and _is_order(sentence) else None
        at, linked, begin = 0, False, 0
        for border in [*_BORDER.finditer(sentence), None]:
            end = border.start() if border else len(sentence)
            if border and not self._splits(sentence[begin:end], border, sentence[border.end() :]):
                continue
            linked = self._add(sentence[begin:end], linked, at > 0)
            if border:
                linked = linked or bool(_THEN.search(border.group()))
                begin, at = border.end(), at + 1

    def _splits(self, before: str, border: re.Match, rest: str) -> bool:
        """Whether a new clause begins after the border."""
        if _SUBORDINATE.match(before) or not self._is_whole(before):
            return False
        after = _AFTER.match(before)
        if after and main_verb(before[after.end() :]) is None:
            return False
        ahead = _BORDER.search(rest)
        piece = rest[: ahead.start()] if ahead else rest
        hard = bool(_THEN.search(border.group())) or ";" in border.group()
        words = words_of(_LINK.sub("", piece, count=1) if _LINK.match(piece) else piece)
        if not words:
            return False
        acting = self._acting(before)
        verb_first = self._verb_first(words, acting) and bool(self._order or acting)
        if hard:
            return verb_first or main_verb(piece) is not None
        if border.group().strip() == "and":  # "seasons and fills two eggs" is one doing
            verb = main_verb(before)
            at = 0 if self._order else verb
            # what is said of another's doing meanwhile goes on to the end
            aside = re.search(r"\b(?:while|as|when|that|who|which)\b", before)
            told = at is not None and len(words_of(before)) - at > 1 + (not self._order)
            named = re.match(rf"{START}\s", piece, re.I) and main_verb(piece) is not None
            return bool(named or verb_first and told) and not aside
        if verb_first:
            return True
        named = re.match(rf"(?:{START}|he|she|they|it|there)\s", piece, re.I)
        return bool(named) and main_verb(_up_to_verb(rest)) is not None

    def _is_whole(self, piece: str) -> bool:
        words = words_of(_LINK.sub("", piece, count=1) if _LINK.match(piece) else piece)
        return bool(words) and (self._verb_first(words) or main_verb(piece) is not None)

    def _verb_first(
        self, words: list[str], acting: tuple[str, Figure | None] | None = None
    ) -> bool:
        """Whether the words go on with what somebody does."""
        while len(words) > 2 and words[0].endswith("ly"):
            words = words[1:]
        first, after = words[0], words[1] if len(words) > 1 else ""
        if self._order:
            known = first in SEEN or first == self._order
            return known or first in ALSO_THINGS and after in FUNCTION
        told, actor = acting or self._subject or ("", None)
        if actor and actor.many or told.lower() == "they":
            return first in SEEN
        object_follows = after in DETERMINERS or after in PRONOUNS
        return is_third(first) or ends_in_s(first) and object_follows

    def _add(self, words: str, linked: bool, later: bool) -> bool:
        """Adds a clause; gives whether the next one is linked to it."""
        words = _FIRST.sub("", words.strip())
        inner = _INNER_LINK.match(words)
        if inner:
            words, linked = inner.group(1) + words[inner.end() :], True
        link = _LINK.match(f"{words} ")
        if link:  # it may stand alone: "Next, the star ..."
            words, linked = words[link.end() :], True
        after = _AFTER.match(words)
        before_next = bool(after) and main_verb(words[after.end() :]) is not None
        if before_next and after:
            words = words[after.end() :]
        plain = words_of(words)
        if not plain or (len(plain) == 1 and not self._verb_first(plain)):
            return linked
        words, subject = self._with_subject(words, plain)
        figures = tuple(find_figures(words))
        self._subject = self._acting(words) or self._subject
        if subject is None and self._acting(words):
            subject = self._acting(words)[1]
        self._actors += [f for f in figures if f.head in _HUMAN]
        if subject:
            self._actors.append(subject)
        whole = main_verb(words) is not None
        self.clauses.append(Clause(words, figures, subject, linked, whole))
        return before_next

    def _acting(self, words: str) -> tuple[str, Figure | None] | None:
        """Who acts in a clause, as it says, and as a figure if it is one; None where unclear."""
        if self._verb_first(words_of(words)):
            return self._subject
        verb = main_verb(words)
        if verb is None:
            return None
        places = [match.start() for match in WORD.finditer(words)]
        head = words[: places[verb]].rstrip()
        named = [figure for figure in find_figures(words) if figure.begin < len(head)]
        comma = head.rfind(", ") + 2 if ", " in head else 0
        for figure in named:
            if figure.begin in (0, comma):
                return figure.name, figure
        told = head[comma:]
        if told.lower() in ACTORS | {"person"}:  # "Man opens the door"
            return told, Figure(f"a {told.lower()}", "", 0, 0)
        return (told, None) if 0 < len(told.split()) <= 4 else None

    def _with_subject(self, words: str, plain: list[str]) -> tuple[str, Figure | None]:
        """Says who acts, where a pronoun or an earlier clause does."""
        if self._order and self._verb_first(plain):
            return f"somebody {_as_third(words)}", None
        pronoun = _SUBJECT_PRONOUN.match(words)
        if pronoun:
            actor = self._meant(pronoun.group(1).lower())
            return (actor.name + words[pronoun.end() :], actor) if actor else (words, None)
        if self._verb_first(plain) and self._subject:
            told, actor = self._subject
            return f"{told} {words}", actor
        inner = _INNER_PRONOUN.search(words)
        actor = self._meant(inner.group(1).lower()) if inner else None
        if inner and actor and not _names_human(words[: inner.start()]):
            return words[: inner.start()] + actor.name + words[inner.end() :], None
        return words, None

    def _meant(self, pronoun: str) -> Figure | None:
        """Whom a pronoun means: the last one that it fits."""
        other = {"he": _FEMALE, "she": _MALE}.get(pronoun, frozenset())
        for actor in reversed(self._actors):
            human = actor.head in _HUMAN
            fits = {
                "they": actor.many,
                "it": (not human or actor.head in _ANIMALS) and not actor.many,
            }.get(pronoun, human and not actor.many and actor.head not in other)
            if fits:
                return actor
        told = {"he": "a man", "she": "a woman"}.get(pronoun)  # that much it says itself
        return Figure(told, "", 0, 0) if told else None


def _up_to_verb(rest: str) -> str:
    """As much of what follows as one clause can be: to the next sentence's border but commas."""
    ahead = re.search(r",?\s+and\s+then\s+|,\s*then\s+|;\s+|,\s+(?:and\s+)?", rest, re.I)
    return rest[: ahead.start()] if ahead else rest


def _is_order(sentence: str) -> bool:
    """Whether a sentence tells somebody to do something: "Open the jar"."""
    words = words_of(sentence)
    first = words[0]
    if first not in SEEN and first not in ALSO_THINGS:
        known = first in FUNCTION or first in _HUMAN or first[:1].isdigit() or first == "one"
        formed = first.endswith(("ing", "ed", "s", "ly"))
        return not known and not formed and len(words) > 2 and words[1] in DETERMINERS
    return len(words) == 1 or not acts(words[1], words[0], words[2] if len(words) > 2 else "")


def _as_third(words: str) -> str:
    words = re.sub(r"\byour\b", "their", words)
    first, _, rest = words.partition(" ")
    if is_adverb(first.lower()):
        return f"{first.lower()} {_as_third(rest)}"
    stripped = first.rstrip(".,;")
    verb = third(stripped.lower())
    told = verb + first[len(stripped) :]
    # "open and close the locker", "crack and peel an egg"
    follows = re.match(r"(and|or)\s+([a-z]+)(?=\s|\Z)", rest)
    if follows and follows.group(2) in SEEN:
        rest = f"{follows.group(1)} {third(follows.group(2))}{rest[follows.end() :]}"
    return f"{told} {rest}".strip()


def _names_human(words: str) -> bool:
    return any(word in _HUMAN for word in words_of(words))
