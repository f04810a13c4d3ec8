"""Claims: what a text says, cut into sentences that are each true or false of a clip.

A claim may need others: that the red star is large can only be asked where there is a red
star. A model cuts texts better than rules do; :func:`split_text` is for where there is none,
and cuts only where punctuation and linking words leave no doubt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from .differences import content_words
from .texts import clean, is_scorable

#: Who, does what, with what, where, how many, in what order.
KINDS = ("who", "does", "with", "where", "how_many", "order")
#: The most claims of one text; a model that is stuck repeats itself without end.
MOST = 24
#: Log odds under which a claim fails, so that what needs it is not asked: odds of 1 to 3.
FAILS = float(np.log(1 / 3))

_LONGEST = 400
_NUMBERS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|many"
_GROUPS = "a (?:pair|couple|trio|group) of|a single"
_START = rf"(?:{_GROUPS}|an?|the|one|{_NUMBERS}|\d+)"
_SINGLE = ("a", "an", "the", "one", "1", "a single")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[\"'\u201c(]?[A-Z0-9])")
_CLAUSE = re.compile(rf",?\s+and\s+then\s+|,\s*then\s+|;\s+|,\s+(?:and\s+)?(?={_START}\s)", re.I)
_LINKED = re.compile(r"(?:,?\s+and\s+then\s+|,\s*then\s+)\Z", re.I)
_LINK = re.compile(
    r"(?:and\s+)?(?:then|next|afterwards?|after (?:that|this)|later|finally|a moment later)\b,?\s+",
    re.I,
)
_FIGURE = re.compile(rf"\b({_START})\s+((?:[^\W\d_][\w'-]*\s*){{1,4}})", re.I)
_STOP = re.compile(
    "of|in|on|at|to|from|with|by|for|into|onto|and|or|but|is|are|was|were|be|that|which|who|"
    "as|up|down|out|off|over|under|while|then|towards|through|around"
)
_ENDS = re.compile(r".{2,}(?:ing|ed)\Z")
# What may follow "the stars" and cannot follow "the star glides": a verb of many
_VERB = re.compile(rf"(?!(?:{_STOP.pattern}|{_START})\Z)[a-z]+(?<!ly)(?<!s)\Z")
_NOT_SEEN = re.compile(
    "clips?|videos?|segment|scene|frames?|screen|picture|image|camera|view|backdrop|background|"
    "animation|text|words|title|end|sign|way|others?|two|left|right|sides?|top|bottom|middle|"
    "cent(re|er)|edge|corner|times?"
)


@dataclass(frozen=True)
class Claim:
    """One thing that a text says.

    Attributes:
        text: a sentence that is true or false of a clip
        kind: one of :data:`KINDS`
        needs: the places, in the text's list of claims, of those that must hold before
        target: what could be pointed at, such as "a red star"; None for nothing
    """

    text: str
    kind: str
    needs: tuple[int, ...] = ()
    target: str | None = None

    def as_dict(self) -> dict:
        """The claim as plain values, for a database."""
        return {**asdict(self), "needs": list(self.needs)}

    @classmethod
    def from_dict(cls, plain: Mapping) -> Claim:
        """The reverse of :meth:`as_dict`."""
        return cls(plain["text"], plain["kind"], tuple(plain["needs"]), plain.get("target"))


def split_text(text: str | None) -> list[Claim]:
    """Cuts a text into claims by rules: clauses, figures, numbers and order.

    Args:
        text: any text; None, blank and "N/A" hold no claim

    Returns:
        the claims, each after those that it needs
    """
    if not is_scorable(text):
        return []
    claims: list[Claim] = []
    before: int | None = None
    for words, linked in _clauses(clean(text)):
        needs = []
        for thing, counted in _figures(words):
            needs.append(len(claims))
            claims.append(Claim(f"The clip shows {thing}.", "who", (), thing))
            if counted:
                many = f"The clip shows {counted}, not more and not fewer."
                claims.append(Claim(many, "how_many", (needs[-1],)))
        claims.append(Claim(_sentence(words), "does", tuple(needs[:1])))
        here = len(claims) - 1
        if linked and before is not None:
            told = f"First: {claims[before].text} After that: {claims[here].text}"
            claims.append(Claim(told, "order", (before, here)))
        before = here
    return dedupe(claims)


def read_claims(body: object) -> list[Claim]:
    """Reads claims as a model writes them; whatever is malformed is left out.

    Args:
        body: ``{"claims": [{"text", "kind", "needs": [places from 1], "target"}]}``, or the list

    Returns:
        the claims, each after those that it needs
    """
    listed = body.get("claims") if isinstance(body, Mapping) else body
    claims: list[Claim] = []
    places: dict[int, int] = {}
    for number, item in enumerate(listed[: 4 * MOST] if isinstance(listed, list) else [], 1):
        text = item.get("text") if isinstance(item, Mapping) else None
        if not is_scorable(text) or item.get("kind") not in KINDS:
            continue
        given = item.get("needs")
        # A claim that needs itself or a later one would never be asked
        needs = [places[n] for n in given if n in places] if isinstance(given, list) else []
        target = item.get("target")
        target = clean(target)[:_LONGEST] if is_scorable(target) else None
        places[number] = len(claims)
        claims.append(Claim(clean(text)[:_LONGEST], item["kind"], tuple(needs), target))
    return dedupe(claims)


def dedupe(claims: Sequence[Claim]) -> list[Claim]:
    """Leaves out claims that were made before, in the same words; at most :data:`MOST` stay."""
    kept: list[Claim] = []
    seen: dict[str, int] = {}
    moved: dict[int, int] = {}
    for place, claim in enumerate(claims):
        words = _plain(claim.text)
        if words not in seen:
            if len(kept) == MOST or any(need not in moved for need in claim.needs):
                continue
            seen[words] = len(kept)
            needs = tuple(dict.fromkeys(moved[need] for need in claim.needs))
            kept.append(replace(claim, needs=needs))
        moved[place] = seen[words]
    return kept


def rounds(claims: Sequence[Claim]) -> list[list[int]]:
    """The places of the claims in the order of asking: a round needs only earlier rounds."""
    depth: list[int] = []
    for claim in claims:
        depth.append(1 + max((depth[need] for need in claim.needs), default=-1))
    levels = range(max(depth, default=-1) + 1)
    return [[place for place, at in enumerate(depth) if at == level] for level in levels]


def may_ask(claim: Claim, log_odds: Sequence[float | None]) -> bool:
    """Whether all that a claim needs was asked and did not fail.

    Args:
        claim: the claim
        log_odds: of the text's claims; None where not asked, nan where there was no answer,
            which is no failure
    """
    needed = [log_odds[need] for need in claim.needs]
    return all(odds is not None and not odds < FAILS for odds in needed)


def decisive(
    winner: Sequence[Claim],
    winner_chances: Sequence[float | None],
    loser: Sequence[Claim],
    loser_chances: Sequence[float | None],
    most: int = 5,
) -> list[tuple[bool, int]]:
    """The claims that decided: what only one side says, and the video shows or does not.

    Args:
        winner: the claims of the text that won
        winner_chances: the probability of each; None or nan where it was not asked
        loser: the claims of the text that lost
        loser_chances: likewise
        most: how many to name

    Returns:
        ``(whether it is the winner's, its place)``, the clearest first
    """
    found = []
    for ours, claims, chances, others in (
        (True, winner, winner_chances, loser),
        (False, loser, loser_chances, winner),
    ):
        said = {word.stem for claim in others for word in content_words(claim.text)}
        for place, (claim, chance) in enumerate(zip(claims, chances)):
            if chance is None or chance != chance or (chance >= 0.5) != ours:
                continue
            order = claim.kind == "order"  # the same words in another order
            if order or {word.stem for word in content_words(claim.text)} - said:
                found.append((abs(chance - 0.5), ours, place))
    found.sort(key=lambda item: -item[0])
    return [(ours, place) for _, ours, place in found[:most]]


def _clauses(text: str) -> list[tuple[str, bool]]:
    """The clauses, and whether each is said to follow the one before."""
    found: list[tuple[str, bool]] = []
    for sentence in _SENTENCE.split(text):
        at, subject, linked = 0, "", False
        for border in [*_CLAUSE.finditer(sentence), None]:
            words = sentence[at : border.start() if border else len(sentence)].strip()
            link = _LINK.match(f"{words} ")  # it may stand alone: "Next, the star ..."
            stripped = words[link.end() :] if link else words
            linked = linked or link is not None
            if len(stripped.split()) > 1:
                names = [counted or thing for thing, counted in _figures(stripped)]
                if names and re.match(_START + r"\s", stripped, re.I):
                    subject = names[0]
                elif subject and linked:  # "..., then grows": the one who acted before
                    stripped = f"{subject} {stripped}"
                found.append((stripped, linked))
                linked = False
            if border:
                at, linked = border.end(), linked or bool(_LINKED.search(border.group()))
    return found[:MOST]


def _figures(words: str) -> list[tuple[str, str]]:
    """Who or what is named, as "a red star" or "hearts", and "three hearts" where counted."""
    found: list[tuple[str, str]] = []
    for start, rest in _FIGURE.findall(words):
        counted = start.lower() not in _SINGLE
        name: list[str] = []
        words_after = rest.split()
        for place, word in enumerate(words_after):
            plain = word.lower()
            if _STOP.fullmatch(plain):
                break
            ends = plain.endswith("s") and not plain.endswith("ss")
            plural = counted or start.lower() == "the" and _VERB.match(_at(words_after, place + 1))
            if name and not (ends and plural) and (ends or _ENDS.search(plain)):
                break  # the verb of "a red star glides"
            name.append(word)
            if plural and ends:
                break
        if not name or _NOT_SEEN.fullmatch(name[-1].lower()) or len(name) > 3:
            continue
        if counted and not name[-1].lower().endswith("s"):
            continue
        many = name[-1].lower().endswith("s") and not name[-1].lower().endswith("ss")
        article = "" if many else "an " if name[0][0].lower() in "aeiou" else "a "
        thing = " ".join(name)
        found.append((article + thing, f"{start.lower()} {thing}" if counted else ""))
    return found


def _at(words: Sequence[str], place: int) -> str:
    return words[place].lower() if place < len(words) else ""


def _sentence(words: str) -> str:
    words = words.strip().rstrip(".;,")
    return f"{words[:1].upper()}{words[1:]}."


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
