"""Small classes of English words of which one can stand for another in a caption."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTORS = _words(
    """man woman boy girl child kid person baby lady guy player men women people children boys
    girls kids players skier surfer rider dog cat horse bird bear elephant cow sheep dogs cats
    horses birds presenter chef worker teacher driver dancer singer athlete host narrator
    instructor student farmer mechanic nurse soldier"""
)

ATTRIBUTES = tuple(
    _words(kinds)
    for kinds in (
        "red blue green yellow black white brown orange pink purple gray grey silver golden beige",
        "small large big little tiny huge tall short long narrow wide thick thin",
        "wooden metal glass plastic brick stone leather ceramic paper",
        "old young new elderly",
        "empty full",
        "open closed",
        "wet dry",
        "clean dirty",
        "left right",
        "round square",
        "bright dark",
        "hot cold",
    )
)

NUMBERS = _words("one two three four five six seven eight nine ten several")

PREPOSITIONS = _words(
    """on in under above behind beside near with over inside outside below at into from through
    across against around between along toward towards beneath"""
)

_VERBS = _words(
    """sit stand walk run ride hold eat play lie fly jump swing throw drive hang look sleep
cut carry wear pull watch push pour stir mix chop slice open close wash clean paint draw write
read talk sing dance climb swim kick catch hit lift drop point show pick place put turn twist
press rub wipe spray fill fold wrap peel cook bake fry taste drink brush comb tie cover spread
shake touch kneel bend lean wave smile laugh speak explain demonstrate compare remove attach
insert apply assemble"""
)
_DOUBLED = _words("sit run cut swim hit drop chop stir wrap put")
_PAST = {
    "sit": "sat", "stand": "stood", "run": "ran", "ride": "rode", "hold": "held", "eat": "ate",
    "lie": "lay", "fly": "flew", "swing": "swung", "throw": "threw", "drive": "drove",
    "hang": "hung", "sleep": "slept", "cut": "cut", "wear": "wore", "draw": "drew",
    "write": "wrote", "read": "read", "sing": "sang", "swim": "swam", "catch": "caught",
    "hit": "hit", "show": "showed", "put": "put", "drink": "drank", "spread": "spread",
    "shake": "shook", "kneel": "knelt", "bend": "bent", "speak": "spoke",
}  # fmt: skip


def _third(verb: str) -> str:
    if verb.endswith(("s", "x", "ch", "sh")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


def _ing(verb: str) -> str:
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    return (verb[:-1] if verb.endswith("e") else verb) + "ing"


def _past(verb: str) -> str:
    if verb in _PAST:
        return _PAST[verb]
    if verb in _DOUBLED:
        return verb + verb[-1] + "ed"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + ("d" if verb.endswith("e") else "ed")


#: ``{form: verbs in that form}``.
VERB_FORMS = {
    "ing": frozenset(map(_ing, _VERBS)),
    "third": frozenset(map(_third, _VERBS)),
    "base": _VERBS,
    "past": frozenset(map(_past, _VERBS)),
}


def verb_form(word: str) -> str | None:
    """The form that a known verb is in, or None."""
    return next((form for form, verbs in VERB_FORMS.items() if word in verbs), None)
