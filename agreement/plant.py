"""Errors of known kinds planted into copies of texts, to test what an audit can see.

Nothing here touches a dataset: texts in, changed copies out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence, Set
from dataclasses import dataclass

import numpy as np

from .null import random_pairs, within_group_pairs
from .texts import is_scorable
from .word_classes import ACTORS, ATTRIBUTES, NUMBERS, PREPOSITIONS, VERB_FORMS, verb_form

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+")
_CLAUSE = re.compile(r"(?:[.;]\s+|,\s+(?:and\s+)?then\s+|,\s+and\s+|,\s+)", re.IGNORECASE)
_NOUN = r"\b(?:a|an|the|his|her|their|its)\s+(?:[a-z]+\s+)?([a-z]{3,})(?=\s*[.,;]|\s+(?:%s)\b|$)"
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|will|does|do)\b(?!\s+not\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Planted:
    """Copies of texts with an error each.

    Attributes:
        kind: what was planted
        texts: ``n`` changed texts; None where the kind cannot be planted
        changed: ``(n,)`` booleans, which texts were changed
    """

    kind: str
    texts: list[str | None]
    changed: np.ndarray

    @property
    def is_edit(self) -> bool:
        """Whether the texts are changed copies of their own, rather than another clip's texts."""
        return self.kind in _EDITS


def plant(
    texts: Sequence[str | None],
    kind: str,
    seed: int = 51,
    groups: Sequence[Hashable] | None = None,
    spans: np.ndarray | None = None,
) -> Planted:
    """Plants one error of a kind into a copy of every text that can hold it.

    Args:
        texts: ``n`` texts; missing ones and "N/A" stay as they are
        kind: one of ``KINDS``
        seed: the same seed plants the same errors
        groups: which clips are of one video; ``other_segment`` needs it
        spans: ``(n, 2)`` start and end of clips, so that no overlapping segment is taken

    Returns:
        the changed texts

    Raises:
        ValueError: if there is no such kind
    """
    if kind not in KINDS:
        raise ValueError(f"There is no planted error {kind!r}. Use one of {', '.join(KINDS)}.")
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    there = np.array([i for i, text in enumerate(texts) if is_scorable(text)], dtype=np.int64)
    changed: list[str | None] = [None] * len(texts)
    if kind not in _EDITS:
        codes = None
        if groups is not None:
            codes = np.unique([str(group) for group in groups], return_inverse=True)[1]
        if kind == "other_clip":
            taken, given = random_pairs(there, codes, rng)
        elif codes is not None:
            taken, given = within_group_pairs(there, codes, spans, rng)
        else:
            taken = given = there[:0]
        for source, target in zip(taken, given):
            changed[target] = texts[source]
    else:
        known = _Corpus([texts[i] for i in there])
        for i in there:
            changed[i] = _EDITS[kind](texts[i], rng, known)
    changed = [
        new if new is not None and _plain(new) != _plain(old) else None
        for new, old in zip(changed, texts)
    ]
    return Planted(kind, changed, np.array([text is not None for text in changed], dtype=bool))


class _Corpus:
    """What the texts at hand talk about: their nouns, verbs and closing phrases."""

    def __init__(self, texts: Sequence[str]):
        prepositions = "|".join(sorted(PREPOSITIONS | {"is", "are", "and"}))
        pattern = re.compile(_NOUN % prepositions)
        nouns = Counter(m.group(1) for text in texts for m in pattern.finditer(text.lower()))
        least = 2 if len(texts) > 200 else 1
        known = {word for kinds in ATTRIBUTES for word in kinds} | ACTORS | NUMBERS | PREPOSITIONS
        self.nouns = sorted(n for n, count in nouns.items() if count >= least and n not in known)
        self.noun_set = set(self.nouns)
        self.phrases = sorted({phrase for text in texts if (phrase := _last_phrase(text))})


def _replace(word_sets: Callable, text: str, rng: np.random.Generator) -> str | None:
    """Replaces one word by another of its set."""
    places = [(m, others) for m in _WORD.finditer(text) if (others := word_sets(m.group().lower()))]
    if not places:
        return None
    match, others = places[rng.integers(len(places))]
    others = sorted(others)
    return _put(text, match.start(), match.end(), others[rng.integers(len(others))])


def _actor(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    def others(word: str) -> Set[str]:
        plural = word.endswith("s") or word in ("men", "women", "people", "children")
        same = {
            a
            for a in ACTORS
            if (a.endswith("s") or a in ("men", "women", "people", "children")) == plural
        }
        return same - {word} if word in ACTORS else set()

    return _replace(others, text, rng)


def _action(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    def others(word: str) -> Set[str]:
        form = verb_form(word)
        return VERB_FORMS[form] - {word} if form else set()

    return _replace(others, text, rng)


def _object(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    here = {m.group().lower() for m in _WORD.finditer(text)}

    def others(word: str) -> Set[str]:
        if word not in corpus.noun_set:
            return set()
        plural = word.endswith("s")
        return {n for n in corpus.nouns if n.endswith("s") == plural and n not in here}

    return _replace(others, text, rng)


def _attribute(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    def others(word: str) -> Set[str]:
        return next((kinds - {word} for kinds in ATTRIBUTES if word in kinds), set())

    return _replace(others, text, rng)


def _relation(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    places = {"on", "under", "above", "behind", "beside", "inside", "below", "outside", "over"}
    return _replace(lambda word: places - {word} if word in places | {"in"} else set(), text, rng)


def _number(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    def others(word: str) -> Set[str]:
        if word.isdigit() and len(word) < 4:
            return {str(int(word) + step) for step in (1, 2, 3)}
        # "one" is most often no number: "one another", "the other one"
        return NUMBERS - {word} if word in NUMBERS - {"one"} else set()

    return _replace(others, text, rng)


def _order(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    """Swaps two neighbouring clauses, or two nouns where there is one clause only."""
    parts = [part for part in _CLAUSE.split(text.rstrip(" .")) if len(part.split()) > 1]
    if len(parts) > 1:
        i = int(rng.integers(len(parts) - 1))
        first, second = text.index(parts[i]), text.index(parts[i + 1])
        if first + len(parts[i]) <= second:
            between = text[first + len(parts[i]) : second]
            tail = text[second + len(parts[i + 1]) :]
            return text[:first] + parts[i + 1] + between + parts[i] + tail
    return _swap(text, rng, corpus)


def _swap(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    """Swaps two nouns or two attributes: who does what to whom, or which is red."""
    attributes = {word for kinds in ATTRIBUTES for word in kinds}
    for wanted in (attributes, corpus.noun_set | ACTORS):
        found = [m for m in _WORD.finditer(text) if m.group().lower() in wanted]
        if len({m.group().lower() for m in found}) > 1:
            pairs = [
                (a, b)
                for a in found
                for b in found
                if a.start() < b.start() and a.group().lower() != b.group().lower()
            ]
            a, b = pairs[rng.integers(len(pairs))]
            swapped = _put(text, b.start(), b.end(), a.group())
            return _put(swapped, a.start(), a.end(), b.group())
    return None


def _negation(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    if re.search(r"\bnot\s+", text):
        return re.sub(r"\bnot\s+", "", text, count=1)
    if _AUXILIARY.search(text):
        return _AUXILIARY.sub(r"\1 not", text, count=1)
    for match in _WORD.finditer(text):
        form = verb_form(match.group().lower())
        if form == "ing":
            return _put(text, match.start(), match.end(), f"not {match.group()}")
        if form == "base" and match.start() == 0:
            return f"Do not {text[0].lower()}{text[1:]}"
    return None


def _dropped(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    phrase = _last_phrase(text)
    kept = text.rstrip(" .")[: -len(phrase)].rstrip(" ,") if phrase else ""
    return kept + "." * text.rstrip().endswith(".") if len(kept.split()) >= 2 else None


def _invented(text: str, rng: np.random.Generator, corpus: _Corpus) -> str | None:
    strange = [phrase for phrase in corpus.phrases if phrase.lower() not in text.lower()]
    if not strange:
        return None
    phrase = strange[rng.integers(len(strange))]
    return f"{text.rstrip(' .')} {phrase}" + "." * text.rstrip().endswith(".")


def _last_phrase(text: str) -> str | None:
    """The last phrase that a preposition opens: "on a wooden table"."""
    body = text.rstrip(" .")
    found = [m for m in _WORD.finditer(body) if m.group().lower() in PREPOSITIONS]
    if not found or not body[found[-1].start() :].strip().count(" "):
        return None
    return body[found[-1].start() :]


def _put(text: str, start: int, end: int, word: str) -> str:
    if text[start].isupper() and start == 0:
        word = word[0].upper() + word[1:]
    elif start > 0:
        word = word[0].lower() + word[1:] if word[1:].islower() or len(word) == 1 else word
    before = text[:start]
    if article := re.search(r"\b([Aa])n? $", before):
        vowel = "n" if word[0].lower() in "aeiou" else ""
        before = before[: article.start()] + article.group(1) + vowel + " "
    return before + word + text[end:]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


_EDITS: dict[str, Callable[[str, np.random.Generator, _Corpus], str | None]] = {
    "actor": _actor,
    "action": _action,
    "object": _object,
    "attribute": _attribute,
    "relation": _relation,
    "number": _number,
    "order": _order,
    "swap": _swap,
    "negation": _negation,
    "dropped": _dropped,
    "invented": _invented,
}

#: Every kind of error that can be planted: first those that take another clip's text as it is.
KINDS = ("other_clip", "other_segment", *_EDITS)
