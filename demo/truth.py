"""What really happens in a scene, in the same form as a witness's reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from demo.language import TITLE, Beat, Scene
from demo.reading import Figure, Reading, Sighting


def true_reading(scene: Scene, beats: Iterable[Beat] | None = None) -> Reading:
    """What a perfect witness would have seen.

    Args:
        scene: the scene
        beats: only these of its beats; all of them by default

    Returns:
        the reading; its ``backdrop`` is the name of the scene's setting
    """
    chosen = list(scene.beats if beats is None else beats)
    colours = {index: actor.colour for index, actor in enumerate(scene.cast)}
    sightings, titles = [], []
    for beat in scene.beats:
        if beat.action == TITLE:
            titles += [beat.text] if beat in chosen else []
            continue
        if beat in chosen:
            sightings.append(_sighting(scene, beat, colours))
        if beat.action == "recolour":
            colours[beat.actor] = beat.colour
    return Reading(scene.setting, sightings, " / ".join(titles) if titles else None)


def _sighting(scene: Scene, beat: Beat, colours: dict[int, str]) -> Sighting:
    def figure(index: int | None) -> Figure | None:
        if index is None:
            return None
        return Figure(colours[index], scene.cast[index].shape, scene.cast[index].count)

    return Sighting(
        beat.action,
        beat.start,
        beat.end,
        figure(beat.actor),
        other=figure(beat.other),
        side=beat.side if beat.action != "meet" else None,
        text=beat.text,
        colour=beat.colour,
    )


@dataclass
class Accuracy:
    """How often a witness was right, fact by fact.

    Attributes:
        right: ``{fact: how many were right}``
        asked: ``{fact: how many there were}``
        invented: how many events it told that never happened
    """

    right: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    invented: int = 0

    def add(self, seen: Reading, scene: Scene) -> None:
        """Compares a reading with what its clip really shows."""
        left = list(seen.sightings)
        for truth in true_reading(scene, scene.seen).sightings:
            told = max(left, key=lambda other: _shared(truth, other), default=None)
            if told is None or _shared(truth, told) <= 0:
                self._count("action", False)
                continue
            left.remove(told)
            self._count("action", told.action == truth.action)
            for fact in ("colour", "shape", "count"):
                told_fact = getattr(told.figure, fact)
                self._count(fact, told_fact == getattr(truth.figure, fact))
            if truth.text:
                self._count("sign", told.text == truth.text)
        self.invented += len(left)

    def _count(self, fact: str, right: bool) -> None:
        self.asked[fact] = self.asked.get(fact, 0) + 1
        self.right[fact] = self.right.get(fact, 0) + right

    def share(self, fact: str) -> float:
        """The share of a fact that the witness got right, 0 to 1."""
        return self.right[fact] / self.asked[fact]


def _shared(one: Sighting, other: Sighting) -> float:
    """For how many seconds two sightings speak of the same time."""
    return min(one.end, other.end) - max(one.start, other.start)
