"""The scenes: seeded, varied, and possible to draw."""

from collections import Counter

import pytest

from demo.language import DUO, HEIGHT, SOLO, TITLE, WIDTH
from demo.motion import poses_at
from demo.scenes import make_scenes


@pytest.fixture(scope="module")
def many():
    return make_scenes(160)


def test_the_same_seed_makes_the_same_scenes():
    assert make_scenes(12, seed=3) == make_scenes(12, seed=3)
    assert make_scenes(12, seed=3) != make_scenes(12, seed=4)


def test_more_scenes_leave_the_first_ones_as_they_are():
    assert make_scenes(20)[:8] == make_scenes(8)


def test_every_clip_has_an_id_of_its_own(many):
    assert len({scene.uid for scene in many}) == len(many)
    assert all(len(scene.uid) == 11 and scene.uid.isalnum() for scene in many)


def test_everything_that_can_happen_does(many):
    happened = Counter(beat.action for scene in many for beat in scene.beats)
    assert set(happened) == {*SOLO, *DUO, TITLE}


def test_a_story_has_two_to_four_beats_without_gaps(many):
    for scene in many:
        assert scene.beats[0].start == 0
        for before, after in zip(scene.beats, scene.beats[1:]):
            assert after.start == pytest.approx(before.end)
        if scene.cast:
            assert 2 <= len(scene.acted) <= 4


def test_clips_are_short(many):
    whole = [scene for scene in many if scene.shown == scene.duration]
    assert all(4.5 < scene.shown < 11 for scene in whole)


def test_some_clips_show_less_than_was_annotated(many):
    cut = [scene for scene in many if scene.shown < scene.duration]
    assert 4 <= len(cut) <= 16
    assert all(scene.seen and len(scene.seen) < len(scene.beats) for scene in cut)


def test_in_some_clips_nobody_acts(many):
    idle = [scene for scene in many if not scene.acted]
    assert 4 <= len(idle) <= 16
    assert all(not scene.cast for scene in idle)


def test_whoever_is_there_after_a_beat_stands_inside_the_picture(many):
    for scene in many:
        for beat in scene.acted:
            for actor, pose in zip(scene.cast, poses_at(scene, beat.end)):
                if pose.alpha == 0:
                    continue
                wide, high = actor.half_size()
                assert wide * pose.scale - 4 <= pose.x <= WIDTH - wide * pose.scale + 4
                assert high * pose.scale - 4 <= pose.y <= HEIGHT - high * pose.scale + 4


def test_every_actor_of_the_cast_acts(many):
    for scene in many:
        acting = {index for beat in scene.beats for index in (beat.actor, beat.other)}
        assert acting - {None} == set(range(len(scene.cast)))


def test_nobody_acts_who_is_not_there(many):
    coming = {"enter", "appear", "cross", "multiply", "chase"}
    for scene in many:
        for beat in scene.acted:
            there = poses_at(scene, beat.start)[beat.actor].alpha > 0
            assert there == (beat.action not in coming), (scene.uid, beat)
