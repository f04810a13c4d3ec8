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

from .clauses import Clause, read_clauses
from .differences import content_words
from .figures import find_figures
from .texts import clean, is_scorable
from .verbs import FUNCTION, SEEN, is_third, main_verb

#: Who, does what, with what, where, how many, in what order.
KINDS = ("who", "does", "with", "where", "how_many", "order")
#: The most claims of one text; a model that is stuck repeats itself without end.
MOST = 24
#: Log odds under which a claim fails, so that what needs it is not asked: odds of 1 to 3.
FAILS = float(np.log(1 / 3))

_LONGEST = 400
# Where somebody does something, and with what, at the end of a clause
_WITH = "with|using"
_WHERE = (
    "in front of|on top of|next to|close to|in|on|at|inside|outside|under|underneath|behind|beside|"
    "near|above|below|against|between|among"
)
_PLACES = re.compile(rf"\s+({_WITH}|{_WHERE})\s+(?=[a-z0-9])", re.I)


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
    for clause in read_clauses(text or ""):
        who: dict[str, int] = {}
        for figure in (*filter(None, [clause.subject]), *clause.figures):
            if figure.thing not in who:
                who[figure.thing] = len(claims)
                claims.append(Claim(f"The clip shows {figure.thing}.", "who", (), figure.thing))
            if figure.counted:
                many = f"The clip shows {figure.counted}, not more and not fewer."
                claims.append(Claim(many, "how_many", (who[figure.thing],)))
        needs = tuple(who.values())[:1]
        here = len(claims)
        claims += _doings(clause, here, needs)
        if clause.linked and before is not None:
            told = f"First: {claims[before].text} After that: {claims[here].text}"
            claims.append(Claim(told, "order", (before, here)))
        before = here
    return dedupe(_fewer(claims))


def _fewer(claims: list[Claim]) -> list[Claim]:
    """Leaves out what is merely named, from the end, where there are too many claims."""
    made = list(dict.fromkeys(_plain(claim.text) for claim in claims))
    over = len(made) - MOST
    needed = {_plain(claims[need].text) for claim in claims for need in claim.needs}
    named = {_plain(claim.text) for claim in claims if claim.kind == "who"} - needed
    out = set([text for text in reversed(made) if text in named][: max(0, over)])
    kept = [place for place, claim in enumerate(claims) if _plain(claim.text) not in out]
    moved = {place: new for new, place in enumerate(kept)}
    return [
        replace(claims[place], needs=tuple(moved[need] for need in claims[place].needs))
        for place in kept
    ]


def _doings(clause: Clause, here: int, needs: tuple[int, ...]) -> list[Claim]:
    """What is done, then where and with what, which need that it is done."""
    if not clause.whole:
        return [Claim(_shown(clause.text), "does", needs)]
    core, links = _without_place(clause)
    claims = [Claim(_sentence(core), "does", needs)]
    for link, rest in links:
        kind = "with" if re.fullmatch(_WITH, link, re.I) else "where"
        claims.append(Claim(_sentence(f"{core} {link} {rest}"), kind, (here,)))
    return claims


def _without_place(clause: Clause) -> tuple[str, list[tuple[str, str]]]:
    """A clause without what is told at its end of place and means, and each of those."""
    core = clause.text.strip().rstrip(".;,!?")
    links: list[tuple[str, str]] = []
    acts = clause.subject or re.match(r"(?:it|they|he|she)\b", core, re.I)
    while acts and len(links) < 2 and (found := _last_place(core)):
        core, link, rest = found
        links.insert(0, (link, rest))
    return core, links


def _last_place(words: str) -> tuple[str, str, str] | None:
    """``(what is before, "in", "the kitchen")``; None where a clause does not end in a place."""
    at = main_verb(words)
    ends = list(_PLACES.finditer(words))
    if at is None or not ends:
        return None
    last = ends[-1]
    core, rest = words[: last.start()], words[last.end() :]
    # what is left must be a doing, and what is taken off must hold none
    done = re.findall(r"[^\W_][\w'-]*", core)
    if "," in rest or _goes_on(rest) or main_verb(rest) is not None or not at < len(done):
        return None
    if done[-1].lower() in FUNCTION or len(done) < 2 or not find_figures(rest):
        return None
    return core, last.group(1), rest


def _goes_on(words: str) -> bool:
    """Whether something more is done: "at a table and eat soup"."""
    return any(w in SEEN or is_third(w) for w in re.findall(r"\band (\w+)", words.lower()))


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


def _sentence(words: str) -> str:
    words = words.strip().rstrip(".;,!")
    return f"{words[:1].upper()}{words[1:]}."


def _shown(words: str) -> str:
    """What is no sentence by itself, said of the clip: "A dog on a bed"."""
    first, _, rest = words.strip().partition(" ")
    lowered = first if first[1:] != first[1:].lower() else first.lower()
    article = "a " if re.fullmatch("close-?up|view|shot|photo|picture|image", lowered) else ""
    return _sentence(f"The clip shows {article}{lowered} {rest}".rstrip())


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
