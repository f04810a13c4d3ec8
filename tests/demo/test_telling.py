"""Putting what was seen into words."""

import random

import pytest

from demo.language import COLOURS, DUO, SHAPES, SOLO
from demo.reading import Figure, Reading, Sighting
from demo.telling import name, tell
from demo.voices import ANNOTATOR, WITNESS_M, WITNESS_Q

VOICES = {"annotator": ANNOTATOR, "q": WITNESS_Q, "m": WITNESS_M}
STAR, BALLS = Figure("red", "star"), Figure("orange", "circle", 3)


@pytest.fixture(params=VOICES)
def voice(request):
    return VOICES[request.param]


def texts(answer):
    return [text for part in answer.values() for text in part.values()]


def reading_of(voice, *sightings, title=None):
    return Reading(next(iter(voice.backdrops)), list(sightings), title)


def test_every_voice_knows_every_word(voice):
    assert set(voice.actions) == {*SOLO, *DUO}
    assert set(voice.colours) == set(COLOURS)
    assert set(voice.shapes) == set(SHAPES)


@pytest.mark.parametrize("action", [*SOLO, *DUO])
def test_every_action_can_be_told(voice, action):
    other = BALLS if action in DUO else None
    for figure in (STAR, BALLS):
        for seed in range(4):
            seen = Sighting(action, 0, 1, figure, other=other, side="left", colour="green")
            answer = tell(reading_of(voice, seen), voice, random.Random(seed))
            for text in texts(answer):
                assert text.strip()
                assert text[0].isupper()
                assert "{" not in text and "  " not in text


def test_one_acts_and_many_act():
    def brief(figure):
        seen = Sighting("rise", 0, 1, figure)
        return tell(reading_of(WITNESS_M, seen), WITNESS_M, random.Random(0))["summary"]["brief"]

    assert brief(STAR) in ("A crimson star shape climbs higher.", "A crimson star shape ascends.")
    assert brief(BALLS) in (
        "A trio of orange discs climb higher.",
        "A trio of orange discs ascend.",
    )


def test_names_take_their_articles():
    assert name(STAR, ANNOTATOR) == "a red star"
    assert name(Figure("orange", "circle"), ANNOTATOR) == "an orange circle"
    assert name(STAR, ANNOTATOR, known=True) == "the red star"
    assert name(BALLS, ANNOTATOR) == "three orange circles"


def test_the_order_of_events_is_the_order_of_sentences():
    first, second = Sighting("rise", 0, 1, STAR), Sighting("spin", 1, 2, BALLS)
    there = tell(reading_of(ANNOTATOR, first, second), ANNOTATOR, random.Random(0))
    back = tell(reading_of(ANNOTATOR, second, first), ANNOTATOR, random.Random(0))
    for answer, order in ((there, ("star", "circle")), (back, ("circle", "star"))):
        for text in (answer["summary"]["detailed"], answer["action"]["detailed"]):
            assert text.index(order[0]) < text.index(order[1])


def test_where_nobody_acts_the_action_is_not_applicable(voice):
    answer = tell(reading_of(voice, title="THE END"), voice, random.Random(0))
    assert set(answer["action"].values()) == {"N/A"}
    assert answer["summary"]["brief"]


def test_an_unread_sign_is_not_quoted():
    seen = Sighting("show", 0, 1, STAR, text=None)
    answer = tell(reading_of(WITNESS_Q, seen), WITNESS_Q, random.Random(0))
    assert "illegible" in answer["summary"]["brief"]
    assert "None" not in answer["summary"]["brief"]


def test_the_same_choices_say_the_same(voice):
    seen = reading_of(voice, Sighting("grow", 0, 1, STAR), Sighting("blink", 1, 2, STAR))
    assert tell(seen, voice, random.Random(7)) == tell(seen, voice, random.Random(7))
