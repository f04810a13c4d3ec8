"""Where everything is at each moment of a scene."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from demo.language import FPS, HEIGHT, OPPOSITE, TITLE, WIDTH, Beat, Scene
from demo.stage import GROWTH

#: The share of a beat that is stillness after the movement.
PAUSE = 0.2
_HOPS, _FLASHES = 3, 4


@dataclass
class Pose:
    """One actor at one moment: where, how large, how turned, how visible.

    Attributes:
        x: the middle, in pixels from the left
        y: the middle, in pixels from the top
        scale: 1 is the actor's own radius
        angle: in degrees, clockwise
        alpha: 0 is unseen, 1 is solid
        members: how many of a group are there; the last one may be half faded in
        colour: a colour's name
        blend: 0 shows ``colour``, 1 shows ``next_colour``
        next_colour: the colour it is turning to
        word: on the sign that it carries
        sign: 0 hides the sign, 1 shows it
    """

    colour: str
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    angle: float = 0.0
    alpha: float = 0.0
    members: float = 0.0
    blend: float = 0.0
    next_colour: str | None = None
    word: str | None = None
    sign: float = 0.0


def poses_at(scene: Scene, time: float) -> list[Pose]:
    """Every actor's pose, in the order of the cast, ``time`` seconds into the story."""
    poses = [Pose(actor.colour, members=actor.count) for actor in scene.cast]
    for beat in scene.beats:
        if beat.action == TITLE or time <= beat.start:
            continue
        moving = (beat.end - beat.start) * (1 - PAUSE)
        progress = min((time - beat.start) / moving, 1.0)
        _ACTIONS[beat.action](scene, beat, poses, progress)
    return poses


def title_at(scene: Scene, time: float) -> tuple[str, float] | None:
    """The title on the screen and its alpha, or None."""
    for beat in scene.beats:
        if beat.action == TITLE and beat.start <= time < beat.end:
            edge = min(time - beat.start, beat.end - time)
            return beat.text, min(1.0, 0.15 + edge / 0.3)
    return None


def ease(progress: float) -> float:
    """Starts and stops gently: 0 to 1 for 0 to 1."""
    return progress * progress * (3 - 2 * progress)


def _outside(scene: Scene, index: int, side: str, at: tuple[float, float]) -> tuple[float, float]:
    wide, high = scene.cast[index].half_size()
    x, y = at
    return {
        "left": (-wide - 6, y),
        "right": (WIDTH + wide + 6, y),
        "top": (x, -high - 6),
        "bottom": (x, HEIGHT + high + 6),
    }[side]


def _move(pose: Pose, start: tuple[float, float], end: tuple[float, float], share: float) -> None:
    pose.x = start[0] + (end[0] - start[0]) * share
    pose.y = start[1] + (end[1] - start[1]) * share


def _enter(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    pose.alpha = 1.0
    start = _outside(scene, beat.actor, beat.side, beat.target)
    _move(pose, start, beat.target, ease(progress))


def _leave(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    here = pose.x, pose.y
    _move(pose, here, _outside(scene, beat.actor, beat.side, here), ease(progress))
    if progress >= 1:
        pose.alpha, pose.word = 0.0, None


def _cross(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    start = _outside(scene, beat.actor, beat.side, beat.target)
    end = _outside(scene, beat.actor, OPPOSITE[beat.side], beat.target)
    _move(pose, start, end, progress)
    pose.alpha = float(progress < 1)


def _chase(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    start = _outside(scene, beat.actor, beat.side, beat.target)
    end = _outside(scene, beat.actor, OPPOSITE[beat.side], beat.target)
    gap = 95 if beat.side == "left" else -95
    hunter, prey = poses[beat.actor], poses[beat.other]
    _move(prey, start, (end[0] + gap, end[1]), progress)
    _move(hunter, (start[0] - gap, start[1]), end, progress)
    hunter.alpha = prey.alpha = float(progress < 1)


def _appear(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    pose.x, pose.y = beat.target
    pose.alpha = min(1.0, progress * 2)


def _multiply(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    pose.x, pose.y = beat.target
    pose.alpha = 1.0
    pose.members = progress * scene.cast[beat.actor].count


def _vanish(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    pose.alpha = max(0.0, 1 - progress * 2)
    if progress >= 1:
        pose.word = None


def _shift(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    _move(pose, (pose.x, pose.y), beat.target, ease(progress))


def _bounce(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    poses[beat.actor].y -= 34 * abs(math.sin(math.pi * _HOPS * progress))


def _spin(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    poses[beat.actor].angle = 360 * ease(progress)


def _blink(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    if progress < 1 and (progress * _FLASHES) % 1 > 0.55:
        poses[beat.actor].alpha = 0.0


def _grow(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    factor = GROWTH if beat.action == "grow" else 1 / GROWTH
    poses[beat.actor].scale *= 1 + (factor - 1) * ease(progress)


def _recolour(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    pose.next_colour, pose.blend = beat.colour, ease(progress)
    if progress >= 1:
        pose.colour, pose.blend = beat.colour, 0.0


def _show(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    pose = poses[beat.actor]
    pose.word, pose.sign = beat.text, min(1.0, progress * 1.6)


def _meet(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    one, other = poses[beat.actor], poses[beat.other]
    start = (other.x, other.y)
    if other.alpha == 0:
        start = _outside(scene, beat.other, OPPOSITE[beat.side], beat.other_target)
        other.alpha = 1.0
    _move(one, (one.x, one.y), beat.target, ease(progress))
    _move(other, start, beat.other_target, ease(progress))


def _part(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    for index, target in ((beat.actor, beat.target), (beat.other, beat.other_target)):
        pose = poses[index]
        _move(pose, (pose.x, pose.y), target, ease(progress))


def _orbit(scene: Scene, beat: Beat, poses: list[Pose], progress: float) -> None:
    one, other = poses[beat.actor], poses[beat.other]
    across, down = one.x - other.x, one.y - other.y
    turn = 2 * math.pi * ease(progress)
    one.x = other.x + across * math.cos(turn) - down * math.sin(turn)
    one.y = other.y + across * math.sin(turn) + down * math.cos(turn)


_ACTIONS = {
    "enter": _enter,
    "leave": _leave,
    "cross": _cross,
    "chase": _chase,
    "appear": _appear,
    "multiply": _multiply,
    "vanish": _vanish,
    "rise": _shift,
    "sink": _shift,
    "slide": _shift,
    "bounce": _bounce,
    "spin": _spin,
    "blink": _blink,
    "grow": _grow,
    "shrink": _grow,
    "recolour": _recolour,
    "show": _show,
    "meet": _meet,
    "part": _part,
    "orbit": _orbit,
}


def frame_times(scene: Scene) -> Iterator[float]:
    """The moment of each frame of the clip, in seconds."""
    return (index / FPS for index in range(round(scene.shown * FPS)))
