"""Random but seeded scenes: an ordered story of two to four beats for each clip."""

from __future__ import annotations

import random
import string
from dataclasses import replace

from demo.language import (
    COLOURS,
    FORMATIONS,
    FPS,
    PATTERNS,
    SETTINGS,
    SHAPES,
    TITLE,
    TITLES,
    Actor,
    Beat,
    Scene,
)
from demo.stage import Stage


def make_scenes(count: int, seed: int = 51) -> list[Scene]:
    """Makes ``count`` scenes; the same seed always gives the same ones.

    Every twentieth scene is a title card in which nobody acts, and every
    sixteenth is longer than its clip.

    Args:
        count: how many scenes
        seed: of the random choices

    Returns:
        the scenes, each with its own ``uid``
    """
    scenes = []
    for index in range(count):
        rng = random.Random(f"{seed}-{index}")
        if index % 20 == 7:
            scenes.append(_title_scene(rng))
        elif index % 16 == 11:
            scenes.append(_cut_short(_story(rng, beats=4)))
        else:
            scenes.append(_story(rng, beats=rng.choice((2, 2, 3, 3, 3, 4))))
    return scenes


def _frame_of(rng: random.Random) -> dict:
    letters = string.ascii_letters + string.digits
    tints = tuple(round(rng.gauss(1.0, 0.06), 3) for _ in range(3))
    return {
        "uid": "".join(rng.choice(letters) for _ in range(11)),
        "setting": rng.choice(SETTINGS),
        "pattern": rng.choice(PATTERNS),
        "tint": tints,
    }


def _on_frame(time: float) -> float:
    """The nearest moment at which a frame begins, so that a clip ends with its story."""
    return round(time * FPS) / FPS


def _title_scene(rng: random.Random) -> Scene:
    frame = _frame_of(rng)
    titles = rng.sample(TITLES, 2)
    middle, end = _on_frame(rng.uniform(3.0, 3.6)), _on_frame(rng.uniform(6.2, 7.0))
    beats = (Beat(TITLE, 0.0, middle, text=titles[0]), Beat(TITLE, middle, end, text=titles[1]))
    return Scene(**frame, cast=(), beats=beats, shown=end)


def _cut_short(scene: Scene) -> Scene:
    return replace(scene, shown=scene.acted[1].end)


def _story(rng: random.Random, beats: int) -> Scene:
    frame = _frame_of(rng)
    stage = Stage(rng, _cast(rng))
    told, now = [], 0.0
    if rng.random() < 0.12:
        now = _on_frame(1.6)
        openings = [title for title in TITLES if title != "THE END"]
        told.append(Beat(TITLE, 0.0, now, text=rng.choice(openings)))
    length = {2: 3.0, 3: 2.45, 4: 2.15}[beats]
    for _ in range(beats):
        end = _on_frame(now + length * rng.uniform(0.93, 1.07))
        told.append(stage.next_beat(now, end))
        now = end
    used = {index for beat in told for index in (beat.actor, beat.other) if index is not None}
    cast, told = _without_idlers(stage.cast, told, sorted(used))
    return Scene(**frame, cast=cast, beats=tuple(told), shown=told[-1].end)


def _without_idlers(
    cast: tuple[Actor, ...], beats: list[Beat], used: list[int]
) -> tuple[tuple[Actor, ...], list[Beat]]:
    place = {old: new for new, old in enumerate(used)} | {None: None}
    renumbered = [replace(b, actor=place[b.actor], other=place[b.other]) for b in beats]
    return tuple(cast[index] for index in used), renumbered


def _cast(rng: random.Random) -> tuple[Actor, ...]:
    shapes, colours = rng.sample(SHAPES, 3), rng.sample(sorted(COLOURS), 3)
    group = rng.choice((0, None, 0, None, None, 1))
    cast = []
    for index, (shape, colour) in enumerate(zip(shapes, colours, strict=True)):
        count = rng.choice((2, 3, 3, 4, 5)) if index == group else 1
        radius = rng.uniform(26, 35) if count == 1 else rng.uniform(15.5, 19)
        formation = rng.choice(FORMATIONS) if count > 2 else "row"
        shift = round(rng.gauss(0.0, 6.0), 1)
        cast.append(Actor(shape, colour, count, round(radius, 1), formation, shift))
    return tuple(cast)
