"""The planted errors: each kind changes what it is named after."""

import random
from collections import Counter

import pytest

from demo.errors import KINDS, misread, possible
from demo.scenes import make_scenes
from demo.truth import true_reading


@pytest.fixture(scope="module")
def pairs():
    """For each kind, true and untrue sightings of every scene that can have it."""
    scenes = make_scenes(60)
    found = {kind: [] for kind in KINDS}
    for scene in scenes:
        for kind in KINDS:
            if possible(kind, scene):
                wrong = misread(kind, scene, scenes, random.Random(scene.uid))
                found[kind].append((true_reading(scene).sightings, wrong.sightings))
    return found


def test_every_kind_is_possible_somewhere(pairs):
    assert all(len(found) > 10 for found in pairs.values())


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_makes_the_reading_untrue(pairs, kind):
    assert all(right != wrong for right, wrong in pairs[kind])


def test_a_wrong_order_keeps_what_happens(pairs):
    for right, wrong in pairs["order"]:
        assert Counter(right) == Counter(wrong)


def test_a_wrong_number_changes_numbers_only(pairs):
    for right, wrong in pairs["number"]:
        assert [s.action for s in right] == [s.action for s in wrong]
        changed = [(a.figure, b.figure) for a, b in zip(right, wrong) if a != b]
        assert changed
        for before, after in changed:
            assert before.count != after.count
            assert (before.colour, before.shape) == (after.colour, after.shape)


def test_a_wrong_actor_does_the_same(pairs):
    for right, wrong in pairs["actor"]:
        assert [s.action for s in right] == [s.action for s in wrong]
        before = {s.figure.shape for s in right}
        assert {s.figure.shape for s in wrong} - before


def test_a_wrong_action_leaves_who_acts(pairs):
    for right, wrong in pairs["action"]:
        assert [s.figure for s in right] == [s.figure for s in wrong]
        changed = sum(a.action != b.action for a, b in zip(right, wrong))
        assert changed >= len(right) / 2
