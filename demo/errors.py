"""Errors planted on purpose: what a captioner gets wrong, one kind at a time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from demo.language import COLOURS, DUO, SHAPES, Scene
from demo.reading import Figure, Reading, Sighting
from demo.truth import true_reading

#: The kinds of planted errors, in words.
KINDS = {
    "actor": "wrong actor",
    "action": "wrong action",
    "order": "wrong order",
    "number": "wrong number",
    "other": "another clip's text",
}

_UNLIKE = {
    **dict.fromkeys(("enter", "appear", "multiply"), ("bounce", "spin", "cross", "vanish")),
    **dict.fromkeys(("leave", "vanish"), ("grow", "spin", "bounce")),
    **dict.fromkeys(("rise", "sink", "slide"), ("blink", "spin", "vanish")),
    **dict.fromkeys(("bounce", "spin", "blink"), ("slide", "leave", "grow")),
    **dict.fromkeys(("grow", "shrink", "recolour"), ("leave", "bounce", "blink")),
    "show": ("spin", "sink", "vanish"),
    "cross": ("bounce", "spin", "blink"),
    "meet": ("part",),
    "part": ("orbit",),
    "chase": ("part", "orbit"),
    "orbit": ("chase",),
}


def plan_errors(scenes: Sequence[Scene], share: float = 0.2, seed: int = 51) -> dict[str, str]:
    """Chooses which clips get a wrong annotation, and of what kind.

    Only clips that show the whole of what is annotated, and in which somebody
    acts, are chosen: in the others a mismatch has a reason of its own.

    Args:
        scenes: all of them
        share: of the scenes that get an error, 0 to 1
        seed: of the random choices

    Returns:
        ``{uid: kind}``, the kinds as even as the scenes allow
    """
    rng = random.Random(f"errors-{seed}")
    fit = [scene for scene in scenes if scene.acted and scene.shown >= scene.duration]
    rng.shuffle(fit)
    wanted = round(share * len(scenes))
    planned: dict[str, str] = {}
    # numbers first: they need a group, which not every scene has
    for kind in ("number", "order", "action", "actor", "other"):
        quota = wanted // len(KINDS) + (len(KINDS) - list(KINDS).index(kind) <= wanted % len(KINDS))
        for scene in [scene for scene in fit if scene.uid not in planned]:
            if quota and possible(kind, scene):
                planned[scene.uid] = kind
                quota -= 1
    return planned


def possible(kind: str, scene: Scene) -> bool:
    """Whether an error of this kind makes the annotation of this scene untrue."""
    if kind == "number":
        return any(actor.count > 1 for actor in scene.cast)
    if kind == "order":
        return len({beat.action for beat in scene.acted}) > 1
    return bool(scene.acted)


def misread(kind: str, scene: Scene, others: Sequence[Scene], rng: random.Random) -> Reading:
    """What the annotator believes instead of the truth.

    Args:
        kind: one of `KINDS`
        scene: the annotated scene
        others: the scenes whose text may be taken by mistake
        rng: the source of the random choices

    Returns:
        an untrue reading of the whole scene
    """
    truth = true_reading(scene)
    if kind == "other":
        taken = [other for other in others if other.acted and other.uid != scene.uid]
        return true_reading(rng.choice(taken))
    change = {"actor": _actor, "action": _action, "order": _order, "number": _number}[kind]
    return replace(truth, sightings=change(truth.sightings, rng))


def _actor(sightings: list[Sighting], rng: random.Random) -> list[Sighting]:
    figures = {f for s in sightings for f in (s.figure, s.other) if f}
    shapes = sorted(set(SHAPES) - {figure.shape for figure in figures})
    turned = {sighting.colour for sighting in sightings}
    colours = sorted(set(COLOURS) - {figure.colour for figure in figures} - turned)
    old = max((s.figure for s in sightings), key=[s.figure for s in sightings].count)
    new_shape, new_colour = rng.choice(shapes), rng.choice(colours)

    def swap(figure: Figure | None) -> Figure | None:
        if figure is None or figure.shape != old.shape:
            return figure
        return replace(figure, shape=new_shape, colour=new_colour)

    return [replace(s, figure=swap(s.figure), other=swap(s.other)) for s in sightings]


def _action(sightings: list[Sighting], rng: random.Random) -> list[Sighting]:
    """Changes at least half of what is done."""
    changed = set(rng.sample(range(len(sightings)), (len(sightings) + 1) // 2))
    told = []
    for index, sighting in enumerate(sightings):
        if index in changed:
            done = {s.action for s in sightings}
            choices = [a for a in _UNLIKE[sighting.action] if a not in done] or ["grow"]
            action = rng.choice(choices)
            other = sighting.other if action in DUO else None
            side = sighting.side or rng.choice(("left", "right"))
            sighting = replace(sighting, action=action, other=other, side=side)
        told.append(sighting)
    return told


def _order(sightings: list[Sighting], rng: random.Random) -> list[Sighting]:
    return sightings[::-1]


def _number(sightings: list[Sighting], rng: random.Random) -> list[Sighting]:
    group = next(s.figure.count for s in sightings if s.figure.count > 1)
    number = rng.choice([n for n in (1, 2, 3, 4, 5, 6) if abs(n - group) >= 2])
    return [
        replace(s, figure=replace(s.figure, count=number)) if s.figure.count == group else s
        for s in sightings
    ]
