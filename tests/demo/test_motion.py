"""Where everything is: each action moves what it says, and nothing else."""

import pytest

from demo.language import Actor, Beat, Scene
from demo.motion import poses_at, title_at

STAR, BALL = Actor("star", "red"), Actor("circle", "blue")


def scene_of(*beats, cast=(STAR, BALL)):
    return Scene("test", "sky", "plain", (1.0, 1.0, 1.0), cast, beats, beats[-1].end)


def entered(*beats):
    """The star comes on in the first two seconds and ends at (100, 120)."""
    return scene_of(Beat("enter", 0, 2, actor=0, side="left", target=(100, 120)), *beats)


def star(scene, time):
    return poses_at(scene, time)[0]


def test_nobody_is_seen_before_the_first_beat_begins():
    assert [pose.alpha for pose in poses_at(entered(), 0)] == [0, 0]


def test_entering_goes_from_outside_to_the_target():
    scene = entered()
    assert star(scene, 0.01).x < 0
    assert 0 < star(scene, 0.8).x < 100
    assert (star(scene, 2).x, star(scene, 2).y) == (100, 120)


def test_a_group_comes_on_one_by_one():
    beat = Beat("multiply", 0, 2, actor=0, target=(160, 120))
    scene = scene_of(beat, cast=(Actor("star", "red", count=4),))
    members = [star(scene, time / 10).members for time in range(1, 20)]
    assert members == sorted(members)
    assert members[0] < 1
    assert members[-1] == 4


@pytest.mark.parametrize(("action", "larger"), [("grow", True), ("shrink", False)])
def test_growing_and_shrinking_last(action, larger):
    scene = entered(Beat(action, 2, 4, actor=0))
    assert star(scene, 2).scale == 1
    assert (star(scene, 4).scale > 1) is larger
    assert star(scene, 9).scale == star(scene, 4).scale


def test_bouncing_and_spinning_end_where_they_began():
    for action in ("bounce", "spin"):
        scene = entered(Beat(action, 2, 4, actor=0))
        before, middle, after = (star(scene, time) for time in (2, 2.4, 4))
        assert (before.x, before.y) == pytest.approx((after.x, after.y))
        assert (middle.y, middle.angle) != (before.y, before.angle)
        assert after.angle % 360 == 0


def test_blinking_is_gone_and_back_several_times():
    scene = entered(Beat("blink", 2, 4, actor=0))
    seen = [star(scene, 2 + step / 50).alpha > 0 for step in range(101)]
    assert sum(before and not after for before, after in zip(seen, seen[1:])) >= 3
    assert seen[-1]


def test_orbiting_goes_once_round_the_other():
    scene = scene_of(
        Beat("enter", 0, 1, actor=1, side="right", target=(160, 120)),
        Beat("enter", 1, 2, actor=0, side="left", target=(100, 120)),
        Beat("orbit", 2, 4, actor=0, other=1),
    )
    places = [star(scene, 2 + step / 20) for step in range(41)]
    for pose in places:
        assert (pose.x - 160) ** 2 + (pose.y - 120) ** 2 == pytest.approx(60**2)
    assert max(pose.x for pose in places) > 210
    assert (places[-1].x, places[-1].y) == pytest.approx((100, 120))


def test_the_hunter_is_behind_the_prey_all_the_way():
    scene = scene_of(Beat("chase", 0, 2, actor=0, other=1, side="left", target=(160, 100)))
    for time in (0.3, 0.8, 1.2):
        hunter, prey = poses_at(scene, time)
        assert hunter.x < prey.x
    assert [pose.alpha for pose in poses_at(scene, 2)] == [0, 0]


def test_a_new_colour_stays():
    scene = entered(Beat("recolour", 2, 4, actor=0, colour="green"))
    assert star(scene, 3).next_colour == "green"
    assert star(scene, 9).colour == "green"


def test_a_sign_goes_when_its_bearer_goes():
    scene = entered(
        Beat("show", 2, 4, actor=0, text="TEA"), Beat("leave", 4, 6, actor=0, side="right")
    )
    assert star(scene, 4).word == "TEA"
    assert star(scene, 6).word is None


def test_a_title_is_there_in_its_time_only():
    scene = scene_of(Beat("title", 0, 2, text="LATER ON"), Beat("title", 2, 4, text="THE END"))
    assert title_at(scene, 1)[0] == "LATER ON"
    assert title_at(scene, 3) == ("THE END", 1.0)
    assert title_at(entered(), 1) is None
