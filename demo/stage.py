"""Who is where while a story is being made, and what can happen next."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from demo.language import COLOURS, HEIGHT, SIDES, WIDTH, WORDS, Actor, Beat

Place = tuple[float, float]
GROWTH = 1.6  # how much larger a shape is after it grew


class Stage:
    """Who is where while a story is being made, and what may happen next.

    Args:
        rng: the source of the random choices
        cast: the actors that may come on
    """

    def __init__(self, rng: random.Random, cast: tuple[Actor, ...]) -> None:
        self.rng = rng
        self.cast = cast
        self.place: dict[int, tuple[float, float]] = {}  # of the actors now on stage
        self.scale = dict.fromkeys(range(len(cast)), 1.0)
        self.done: list[tuple[str, int]] = []
        self.touching: tuple[int, int] | None = None
        self.signed: set[int] = set()
        self.colours = {actor.colour for actor in cast}

    def next_beat(self, start: float, end: float) -> Beat:
        """Makes one beat that is possible now, and moves the actors on."""
        options = [option for option in self._options() if option[:2] not in self.done]
        while options:
            weights = [option[2] for option in options]
            option = self.rng.choices(options, weights)[0]
            beat = self._try(Beat(option[0], start, end, actor=option[1]))
            if beat is not None:
                self.done.append((beat.action, beat.actor))
                return beat
            options.remove(option)
        raise AssertionError("some actor can always enter or leave")

    def _options(self) -> Iterator[tuple[str, int, float]]:
        off = [i for i in range(len(self.cast)) if i not in self.place]
        singles = [i for i in range(len(self.cast)) if self.cast[i].count == 1]
        full = len(self.place) >= 2
        if not self.done:
            off = off[:1]  # the first of the cast opens the story
        for i in off:
            if full:
                break
            group = self.cast[i].count > 1
            newcomer = 1.0 if not self.place else 0.3
            yield from (("enter", i, newcomer), ("cross", i, newcomer * 0.3))
            yield ("multiply", i, 3 * newcomer) if group else ("appear", i, 0.6 * newcomer)
            if not group and not self.place and len(singles) > 1:
                yield "chase", i, 0.2
        for i in self.place:
            yield from ((action, i, 1.0) for action in ("rise", "sink", "slide", "bounce"))
            yield from (("leave", i, 0.4), ("vanish", i, 0.4), ("blink", i, 0.7))
            if self.cast[i].shape not in ("circle", "ring"):
                yield "spin", i, 1.0
            if self.cast[i].count == 1:
                yield from (("grow", i, 1.0), ("shrink", i, 1.0), ("recolour", i, 0.8))
                yield "show", i, 1.5
                yield "meet", i, 3.0
        if self.touching:
            yield from ((action, self.touching[0], 12.0) for action in ("part", "orbit"))

    def _try(self, beat: Beat) -> Beat | None:
        make = getattr(self, f"_{beat.action}")
        beat = make(beat)
        if beat is None:
            return None
        if beat.action not in ("meet", "orbit", "spin", "blink", "recolour", "show"):
            self.touching = None
        return beat

    def _free(self, actor: int, place: tuple[float, float], but: int | None = None) -> bool:
        wide, high = (half * self.scale[actor] for half in self.cast[actor].half_size())
        x, y = place
        room = 10
        if not (wide + room <= x <= WIDTH - wide - room and high + room <= y):
            return False
        if y > HEIGHT - high - room - (22 if actor in self.signed else 0):
            return False
        for index, (other_x, other_y) in self.place.items():
            if index in (actor, but):
                continue
            w, h = (half * self.scale[index] for half in self.cast[index].half_size())
            if abs(x - other_x) < wide + w + 8 and abs(y - other_y) < high + h + 26:
                return False
        return True

    def _anywhere(self, actor: int) -> tuple[float, float] | None:
        for _ in range(60):
            place = self.rng.uniform(45, WIDTH - 45), self.rng.uniform(50, HEIGHT - 50)
            if self._free(actor, place):
                return round(place[0], 1), round(place[1], 1)
        return None

    # One method for each action: the beat with its details and the stage after
    # it, or None where there is no room for it.

    def _enter(self, beat: Beat) -> Beat | None:
        target = self._anywhere(beat.actor)
        if target is None:
            return None
        self.place[beat.actor] = target
        return replace(beat, target=target, side=self.rng.choice(SIDES))

    def _appear(self, beat: Beat) -> Beat | None:
        target = self._anywhere(beat.actor)
        if target is None:
            return None
        self.place[beat.actor] = target
        return replace(beat, target=target)

    _multiply = _appear

    def _cross(self, beat: Beat) -> Beat | None:
        target = self._anywhere(beat.actor)
        if target is None or self.place:
            return None
        return replace(beat, target=target, side=self.rng.choice(("left", "right")))

    def _chase(self, beat: Beat) -> Beat | None:
        others = [i for i, a in enumerate(self.cast) if a.count == 1 and i != beat.actor]
        if self.cast[beat.actor].count > 1:
            return None
        target = (WIDTH / 2, round(self.rng.uniform(70, HEIGHT - 70), 1))
        side = self.rng.choice(("left", "right"))
        return replace(beat, other=self.rng.choice(others), target=target, side=side)

    def _leave(self, beat: Beat) -> Beat:
        del self.place[beat.actor]
        self.signed.discard(beat.actor)
        return replace(beat, side=self.rng.choice(SIDES))

    def _vanish(self, beat: Beat) -> Beat:
        del self.place[beat.actor]
        self.signed.discard(beat.actor)
        return beat

    def _shift(self, beat: Beat, across: float, down: float, side: str | None) -> Beat | None:
        x, y = self.place[beat.actor]
        for share in (1.0, 0.8, 0.65):
            target = round(x + across * share, 1), round(y + down * share, 1)
            if self._free(beat.actor, target):
                self.place[beat.actor] = target
                return replace(beat, target=target, side=side)
        return None

    def _rise(self, beat: Beat) -> Beat | None:
        return self._shift(beat, 0, -self.rng.uniform(80, 110), None)

    def _sink(self, beat: Beat) -> Beat | None:
        return self._shift(beat, 0, self.rng.uniform(80, 110), None)

    def _slide(self, beat: Beat) -> Beat | None:
        side = self.rng.choice(("left", "right"))
        way = self.rng.uniform(90, 150)
        return self._shift(beat, way if side == "right" else -way, 0, side)

    def _bounce(self, beat: Beat) -> Beat | None:
        x, y = self.place[beat.actor]
        return beat if self._free(beat.actor, (x, y - 34)) else None

    def _spin(self, beat: Beat) -> Beat:
        return beat

    _blink = _spin

    def _scaled(self, beat: Beat, factor: float) -> Beat | None:
        before = self.scale[beat.actor]
        self.scale[beat.actor] = before * factor
        if not 0.5 < self.scale[beat.actor] < 2 or not self._free(
            beat.actor, self.place[beat.actor]
        ):
            self.scale[beat.actor] = before
            return None
        return beat

    def _grow(self, beat: Beat) -> Beat | None:
        return self._scaled(beat, GROWTH)

    def _shrink(self, beat: Beat) -> Beat | None:
        return self._scaled(beat, 1 / GROWTH)

    def _recolour(self, beat: Beat) -> Beat:
        colour = self.rng.choice(sorted(set(COLOURS) - self.colours))
        self.colours.add(colour)
        return replace(beat, colour=colour)

    def _show(self, beat: Beat) -> Beat | None:
        if beat.actor in self.signed:
            return None
        self.signed.add(beat.actor)
        if not self._free(beat.actor, self.place[beat.actor]):
            self.signed.discard(beat.actor)
            return None
        return replace(beat, text=self.rng.choice(WORDS))

    def _meet(self, beat: Beat) -> Beat | None:
        partners = [i for i, a in enumerate(self.cast) if a.count == 1 and i != beat.actor]
        partners = [i for i in partners if i in self.place or len(self.place) < 2]
        if not partners or self.touching:
            return None
        other = self.rng.choice(partners)
        x, y = self.place[beat.actor]
        x = min(max(x, 120), WIDTH - 120)
        y = min(max(y, 95), HEIGHT - 95)
        there = self.place.get(other, (WIDTH if x < WIDTH / 2 else 0, y))
        apart = self._touch(beat.actor, other) / 2
        way = apart if there[0] > self.place[beat.actor][0] else -apart
        targets = (round(x - way, 1), round(y, 1)), (round(x + way, 1), round(y, 1))
        self.place[beat.actor], self.place[other] = targets
        self.touching = (beat.actor, other)
        side = "left" if way > 0 else "right"
        return replace(beat, other=other, side=side, target=targets[0], other_target=targets[1])

    def _touch(self, one: int, other: int) -> float:
        sizes = (self.cast[i].radius * self.scale[i] for i in (one, other))
        return sum(sizes) + 3

    def _part(self, beat: Beat) -> Beat:
        one, other = self.touching
        way = 55 if self.place[one][0] < self.place[other][0] else -55
        for index, step in ((one, -way), (other, way)):
            x, y = self.place[index]
            self.place[index] = (min(max(x + step, 48), WIDTH - 48), y)
        targets = self.place[one], self.place[other]
        return replace(beat, other=other, target=targets[0], other_target=targets[1])

    def _orbit(self, beat: Beat) -> Beat:
        return replace(beat, other=self.touching[1])
