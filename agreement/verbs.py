"""English verbs of what can be seen, by which a clause is told from a list of things."""

from __future__ import annotations

import re

#: A word, with what is joined to it by a hyphen or an apostrophe.
WORD = re.compile(r"[^\W_][\w'-]*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Verbs whose third person is seldom a noun in the plural.
SEEN = _words(
    """activate add adjust advance appear apply approach arrange arrive assemble attach bake
    balance bark beat become begin bend bite blend blink blow boil bounce break bring browse
    build burn carry carve catch change chase chew chop clap clean climb close collect
    combine come compare connect contain continue cook cover crack crawl create cross crouch
    crush cry cut dance decorate demonstrate depict deposit describe detach dig dip
    disappear discard discuss display dive drag drain draw drift drink drip drive drizzle
    drop eat embrace emerge end enlarge enter examine exit expand explain expose extend fade
    fall fasten feature feed fetch fight fill finish fit fix flap flatten flip float flow
    fly focus fold follow form freeze fry gallop garnish gather gaze gesture get give glance
    glide glow go grab grasp graze greet grill grind grip grow guide hang highlight hit hold
    hop hover hug include indicate insert inspect jog join jump keep kick kneel knit knock
    latch lay lead lean leap leave lick lie lift list listen load locate look lower make
    manipulate march marinate measure meet melt mix move narrate nod open operate oscillate
    paddle pass paste pat pause peel perform pet pick place play pluck plug point polish
    pose pour prepare present press pry pull punch push put raise reach read rearrange
    reflect release remain remove repeat replace rest retrieve reveal reverse ride rinse
    rise roast roll rotate rub run sail say scatter scoop scrape scroll separate serve set
    sew shake shave shift shoot show shrink shut sing sit skate slice slide slip smell smile
    smooth speak spin splash split spray spread sprinkle squat squeeze stand stare start
    stay step stick stir stop stretch strike stroke strum sway sweep swell swim swing swirl
    switch take talk tap taste teach tear tell throw tie tighten tilt toss touch trace
    transfer transition trim tuck turn twist type unfold unlock unroll untie unwrap use
    vanish visit wade wait walk wander wash watch wave wear weave weigh whisk wipe wrap
    write yawn zoom"""
)
#: Those that are as often names of things: told by what follows them.
ALSO_THINGS = _words(
    """brush button comb cup dress drum dust face film frame glue hammer hand handle hook iron
    label light lock nail pack paint pan part plant plate record rock season shape ski stack
    tape water"""
)
_PAST = _words(
    """ate began came drew drove fell flew gave jumped knelt lay looked played ran rode rose
    sang sat shook slept smiled spoke stood swam swung talked threw took walked waved went
    wore wrote"""
)
#: What carries a clause by itself, or helps another verb to.
AUXILIARIES = _words(
    """is are was were has have had does do did can will would could should may might must cannot
    isn't aren't wasn't weren't hasn't haven't doesn't don't didn't can't won't"""
)
DETERMINERS = _words(
    """a an the his her its their my your our this these those each every another some any several
    many"""
)
PRONOUNS = _words("it him them himself herself itself themselves something someone somebody")
PREPOSITIONS = _words(
    """of in on at to from with by for into onto over under above below behind beside near between
    among against across along around through inside outside within without during before after
    toward towards upon beneath underneath alongside past off out up down about like via amid
    throughout back away forward forwards backward backwards upward upwards downward downwards
    together apart next"""
)
LINKS = _words("and or but nor while as then when where because so than if though until whereas")
RELATIVES = _words("that which who whose whom what")
#: What takes a thing away in place of showing it.
NEGATORS = _words(
    """no not never without neither nor none nobody nothing cannot isn't aren't wasn't weren't
    hasn't haven't doesn't don't didn't can't won't absent missing lack lacks lacking instead rather
    except avoid avoids avoiding hardly barely"""
)
#: Words that stand between others and name nothing themselves.
FUNCTION = (
    AUXILIARIES | DETERMINERS | PRONOUNS | PREPOSITIONS | LINKS | RELATIVES | NEGATORS
    | _words("he she they i we you here there both all also just still again not very only")
    | _words("clockwise anticlockwise counterclockwise sideways indoors outdoors off-camera")
)  # fmt: skip


def third(verb: str) -> str:
    """The third person of a verb: "carries", "passes", "goes"."""
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


_THIRD = frozenset(map(third, SEEN))


def ends_in_s(word: str) -> bool:
    """Whether a word may be a plural or a third person."""
    return word.endswith("s") and not word.endswith(("ss", "'s", "us", "is", "as"))


def is_third(word: str) -> bool:
    """Whether a word is the third person of a known verb."""
    return word in _THIRD


def is_adverb(word: str) -> bool:
    """Whether a word can stand between somebody and what they do."""
    lowered = word.endswith("ly") and word not in ("family", "butterfly", "fly", "jelly", "lily")
    return lowered or word in ("then", "also", "now", "still", "again", "both", "all", "each")


def acts(word: str, before: str, after: str) -> bool:
    """Whether a word carries its clause, as far as its neighbours tell.

    Args:
        word: in small letters, without punctuation
        before: the word before, empty at the beginning
        after: the word after, empty at the end
    """
    if word in AUXILIARIES or word in _PAST:
        return True
    if before in DETERMINERS or before in PREPOSITIONS:
        return False
    object_follows = after in DETERMINERS or after in PRONOUNS
    if ends_in_s(word) or word in _THIRD:
        return word in _THIRD or object_follows
    if word.endswith("ed"):
        return object_follows
    many = ends_in_s(before) and before not in _THIRD
    return word in SEEN and (many or before in ("people", "men", "women", "children", "they"))


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation."""
    return [word.lower() for word in WORD.findall(text)]


def main_verb(words: str) -> int | None:
    """The place of the word that carries a clause; None in a list of things."""
    plain = words_of(words)
    skip = 0
    for place, word in enumerate(plain):
        before = next((w for w in reversed(plain[:place]) if not is_adverb(w)), "")
        after = plain[place + 1] if place + 1 < len(plain) else ""
        if place and word in RELATIVES:
            skip += 1
        elif place and word in ("while", "as", "when", "where", "because"):
            return None
        elif acts(word, before, after) and not (place == 0 and word in SEEN):
            if skip == 0:
                return place
            skip -= 1
        elif "and" in plain[:place] and word in SEEN and after in FUNCTION and not skip:
            return place  # "a child and a dog play in the snow"
    return None
