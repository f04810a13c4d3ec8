"""Puts what somebody saw into words: an answer with Action100M's five texts."""

from __future__ import annotations

import random

from demo.language import OPPOSITE
from demo.reading import Figure, Reading, Sighting
from demo.voices import Voice

NOBODY = "N/A"


def tell(reading: Reading, voice: Voice, rng: random.Random) -> dict:
    """Tells a reading in somebody's voice.

    Args:
        reading: what was seen
        voice: the words to use
        rng: chooses among equal ways to say it

    Returns:
        ``{"summary": {"brief", "detailed"}, "action": {"brief", "detailed", "actor"}}``;
        the action is "N/A" three times where nobody acts
    """
    backdrop = voice.backdrops[reading.backdrop]
    titles = _title_sentences(reading, voice, rng)
    opening = _capital(rng.choice(voice.openings).format(backdrop=backdrop))
    if not reading.sightings:
        brief = voice.nobody.format(backdrop=backdrop)
        detailed = " ".join([opening, *titles, brief])
        nothing = {"brief": NOBODY, "detailed": NOBODY, "actor": NOBODY}
        return {"summary": {"brief": brief, "detailed": detailed}, "action": nothing}
    doings = [_doing(sighting, voice, rng) for sighting in reading.sightings]
    sentences = _sentences(reading.sightings, doings, voice, rng)
    detailed = " ".join([opening, *titles, *sentences, rng.choice(voice.endings)]).strip()
    brief = _brief(reading.sightings, doings, voice)
    action = {
        "brief": _capital(_order(reading.sightings[0], doings[0], voice)),
        "detailed": _instructions(reading.sightings, doings, voice),
        "actor": _capital(_main_actor(reading.sightings, voice)),
    }
    if len(doings) > 1:
        action["brief"] += " and " + _order(reading.sightings[-1], doings[-1], voice)
    return {"summary": {"brief": brief, "detailed": detailed}, "action": action}


def name(figure: Figure, voice: Voice, known: bool = False) -> str:
    """Names a figure: "a red star", "the red star", "three blue hearts"."""
    colour, shape = voice.colours[figure.colour], voice.shapes[figure.shape]
    if figure.count == 1:
        article = "the" if known else "an" if colour[0] in "aeiou" else "a"
        return f"{article} {colour} {shape[0]}"
    number = voice.numbers[min(figure.count, 9)]
    if known:
        return f"the {colour} {shape[1]}"
    return f"{number} {colour} {shape[1]}"


def _doing(sighting: Sighting, voice: Voice, rng: random.Random) -> str:
    templates = voice.actions[sighting.action]
    template = rng.choice(templates)
    if sighting.action == "show" and not sighting.text:
        return template.replace("“{word}”", "something illegible")
    return template


def _fill(template: str, sighting: Sighting, voice: Voice, many: bool, known: set[Figure]) -> str:
    other = sighting.other
    one = sighting.figure.count == 1
    bent = {
        "s": "" if many else "s",
        "es": "" if many else "es",
        "ies": "y" if many else "ies",
        "its": "its" if one else "their",
        "itself": "itself" if one else "themselves",
    }
    return template.format(
        **bent,
        B=name(other, voice, other in known) if other else "another figure",
        side=voice.sides.get(sighting.side or "", "one side"),
        far=voice.sides.get(OPPOSITE.get(sighting.side or "", ""), "the other side"),
        word=sighting.text,
        own=voice.colours[sighting.figure.colour],
        colour=voice.colours.get(sighting.colour or "", "another colour"),
    )


def _sentences(
    sightings: list[Sighting], doings: list[str], voice: Voice, rng: random.Random
) -> list[str]:
    known: set[Figure] = set()
    told = []
    for index, (sighting, doing) in enumerate(zip(sightings, doings, strict=True)):
        who = name(sighting.figure, voice, sighting.figure in known)
        known.add(sighting.figure)
        what = _fill(doing, sighting, voice, sighting.figure.count > 1, known)
        if sighting.other:
            known.add(sighting.other)
        link = rng.choice(voice.links) if index else ""
        told.append(_capital(f"{link}{who} {what}."))
    return told


def _brief(sightings: list[Sighting], doings: list[str], voice: Voice) -> str:
    parts: list[str] = []
    last = None
    for sighting, doing in zip(sightings, doings, strict=True):
        what = _fill(doing, sighting, voice, sighting.figure.count > 1, set())
        who = "" if sighting.figure == last else name(sighting.figure, voice) + " "
        parts.append(who + what)
        last = sighting.figure
    if len(parts) > 1:
        parts[-1] = "and " + parts[-1] if len(parts) > 2 else "then " + parts[-1]
    return _capital(", ".join(parts)) + "."


def _order(sighting: Sighting, doing: str, voice: Voice) -> str:
    """The doing as an order: "glide in from the left"."""
    return _fill(doing, sighting, voice, True, set())


def _instructions(sightings: list[Sighting], doings: list[str], voice: Voice) -> str:
    orders = []
    last = None
    for sighting, doing in zip(sightings, doings, strict=True):
        figure = sighting.figure
        again = "it" if figure.count == 1 else "them"
        who = again if figure == last else name(figure, voice)
        orders.append(f"{voice.command} {who} {_order(sighting, doing, voice)}")
        last = figure
    return _capital(", then ".join(orders)) + "."


def _main_actor(sightings: list[Sighting], voice: Voice) -> str:
    """Whoever acts most often, the earlier one of two."""
    actors = [sighting.figure for sighting in sightings]
    main = max(dict.fromkeys(actors), key=actors.count)
    pair = next((s for s in sightings if s.figure == main and s.action == "chase"), None)
    return name(main, voice) + (f", behind {name(pair.other, voice)}" if pair else "")


def _title_sentences(reading: Reading, voice: Voice, rng: random.Random) -> list[str]:
    if reading.title is None:
        return []
    titles = [title for title in reading.title.split(" / ") if title] or ["illegible lettering"]
    return [rng.choice(voice.titled).format(title=title) for title in titles]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
