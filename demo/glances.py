"""Witness m's reasoning: from what differs between glances to what happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from demo.reading import Figure, Sighting

_RIM = 6.0  # cells from the rim within which a figure seems to come or go
_HIGH, _WIDE = 60, 80


@dataclass(frozen=True)
class Glimpse:
    """One colour's figures in one glance; lengths are in cells of four pixels."""

    colour: str
    shape: str | None
    y: float
    x: float
    area: int
    count: int
    box: tuple[int, int, int, int]  # top, left, bottom, right
    cells: frozenset[tuple[int, int]]
    sign: bool

    @classmethod
    def of(
        cls, colour: str, shape: str | None, cells: np.ndarray, count: int, sign: bool
    ) -> Glimpse:
        """Measures the figures that consist of these cells."""
        (top, left), (bottom, right) = cells.min(axis=0), cells.max(axis=0) + 1
        box = int(top), int(left), int(bottom), int(right)
        middle = cells.mean(axis=0)
        inside = frozenset(map(tuple, cells.tolist()))
        return cls(colour, shape, *map(float, middle), len(cells), count, box, inside, sign)

    @property
    def size(self) -> float:
        """The root of the area of one figure."""
        return float(np.sqrt(self.area / self.count))

    def covers(self, other: Glimpse) -> bool:
        """Whether the other one lies within a cell of this one's box."""
        (a, b, c, d), (e, f, g, h) = self.box, other.box
        return a - 2 <= e and b - 2 <= f and c + 2 >= g and d + 2 >= h

    def away(self, other: Glimpse) -> float:
        return float(np.hypot(self.y - other.y, self.x - other.x))

    def gap(self, other: Glimpse) -> float:
        """How many cells lie between the two boxes."""
        (a, b, c, d), (e, f, g, h) = self.box, other.box
        return max(max(a, e) - min(c, g), max(b, f) - min(d, h))

    def rim(self) -> str | None:
        """The side of the screen that is near."""
        top, left, bottom, right = self.box
        gaps = {"top": top, "left": left, "bottom": _HIGH - bottom, "right": _WIDE - right}
        side = min(gaps, key=gaps.get)
        return side if gaps[side] <= _RIM else None

    def turned(self, other: Glimpse) -> bool:
        """Whether the figure's cells differ though its middle and size do not."""
        down, across = round(other.y - self.y), round(other.x - self.x)
        moved = {(y + down, x + across) for y, x in self.cells}
        shared = len(moved & other.cells)
        return shared / max(len(moved | other.cells), 1) < 0.72


@dataclass(eq=False)
class Episode:
    """Glances in a row between which one colour's figures changed."""

    colour: str
    first: int
    last: int
    seen: list[Glimpse | None]  # from the glance before to the last one

    @property
    def present(self) -> list[Glimpse]:
        return [glimpse for glimpse in self.seen if glimpse]

    action: str = ""
    side: str | None = None


def guess_events(times: list[float], seen: list[list[Glimpse]]) -> list[Sighting]:
    """Guesses what happened from what was seen in each glance.

    Args:
        times: of the glances, in seconds
        seen: the figures in each glance

    Returns:
        the sightings, in order of time
    """
    colours = Counter(glimpse.colour for found in seen for glimpse in found)
    rows = {
        colour: [next((g for g in found if g.colour == colour), None) for found in seen]
        for colour, number in colours.items()
        if number >= 3
    }
    figures = {colour: _figure(row) for colour, row in rows.items()}
    episodes = [episode for colour, row in rows.items() for episode in _episodes(colour, row)]
    for episode in episodes:
        episode.action, episode.side = _guess(episode)
    episodes = _counted_once([episode for episode in episodes if episode.action])
    sightings = _recoloured(times, episodes, figures) + _pairs(times, episodes, rows, figures)
    for e in episodes:
        figure = figures[e.colour]
        sightings.append(Sighting(e.action, times[e.first], times[e.last], figure, side=e.side))
    sightings += [s for colour, row in rows.items() for s in _signs(times, row, figures[colour])]
    return sorted(sightings, key=lambda sighting: sighting.start)


def _figure(row: list[Glimpse | None]) -> Figure:
    glimpses = [glimpse for glimpse in row if glimpse]
    shapes = Counter(glimpse.shape for glimpse in glimpses if glimpse.shape)
    counts = Counter(glimpse.count for glimpse in glimpses)
    often = [count for count, number in counts.items() if number >= 0.2 * len(glimpses)]
    shape = shapes.most_common(1)[0][0] if shapes else "circle"
    return Figure(glimpses[0].colour, shape, max(often, default=1))


def _changed(before: Glimpse | None, after: Glimpse | None) -> bool:
    if before is None or after is None:
        return before is not after
    if before.away(after) > 1.0 or before.count != after.count:
        return True
    return not 0.92 < after.size / before.size < 1.09 or before.turned(after)


def _episodes(colour: str, row: list[Glimpse | None]) -> list[Episode]:
    episodes: list[Episode] = []
    for index in range(1, len(row)):
        if not _changed(row[index - 1], row[index]):
            continue
        if episodes and episodes[-1].last == index - 1:
            episodes[-1].last = index
        else:
            episodes.append(Episode(colour, index - 1, index, []))
    for episode in episodes:
        episode.seen = row[episode.first : episode.last + 1]
    return episodes


def _guess(episode: Episode) -> tuple[str, str | None]:
    """The action of an episode and its side; an empty action for nothing of note."""
    present = episode.present
    if not present:
        return "", None
    born, lost = episode.seen[0] is None, episode.seen[-1] is None
    start, end = present[0], present[-1]
    down, across = end.y - start.y, end.x - start.x
    far = start.away(end)
    if born and lost:
        if abs(across) > 25:
            return "cross", "left" if across > 0 else "right"
        return "blink", None
    if born:
        if start.rim() and far > 3:
            return "enter", start.rim()
        return ("multiply" if end.count > start.count else "appear"), None
    if lost:
        return ("leave", end.rim()) if end.rim() and far > 3 else ("vanish", None)
    if None in episode.seen:
        return "blink", None
    if end.count > start.count:
        return "multiply", None
    if far > 6:
        if abs(down) > abs(across):
            return ("sink" if down > 0 else "rise"), None
        return "slide", "right" if across > 0 else "left"
    swell = end.size / start.size
    if not 0.82 < swell < 1.22:
        return ("grow" if swell > 1 else "shrink"), None
    high, wide = (np.ptp([getattr(g, axis) for g in present]) for axis in "yx")
    if wide > 8 and high > 4:
        return "orbit", None
    if high > 2.5 and high > wide:
        return "bounce", None
    return ("spin" if len(present) > 2 else ""), None


def _counted_once(episodes: list[Episode]) -> list[Episode]:
    """What one figure does in several steps is one event."""
    kept: list[Episode] = []
    for episode in episodes:
        before = kept[-1] if kept else None
        if before and before.colour == episode.colour and episode.first - before.last <= 2:
            coming = before.action == "appear" and episode.action == "multiply"
            if coming or before.action == episode.action:
                before.last, before.action = episode.last, episode.action
                before.seen = before.seen + episode.seen[1:]
                continue
        kept.append(episode)
    return kept


def _recoloured(
    times: list[float], episodes: list[Episode], figures: dict[str, Figure]
) -> list[Sighting]:
    """A figure that is gone where another colour's has come."""
    found = []
    for gone in [e for e in episodes if e.action == "vanish"]:
        for come in [e for e in episodes if e.action in ("appear", "blink")]:
            near = gone.colour != come.colour and gone.present[-1].away(come.present[0]) < 4
            soon = -1 <= come.first - gone.last <= 3
            if near and soon and gone in episodes and come in episodes:
                episodes.remove(gone)
                episodes.remove(come)
                span = times[gone.first], times[come.last]
                figure = figures[gone.colour]
                found.append(Sighting("recolour", *span, figure, colour=come.colour))
    return found


def _pairs(
    times: list[float],
    episodes: list[Episode],
    rows: dict[str, list[Glimpse | None]],
    figures: dict[str, Figure],
) -> list[Sighting]:
    """Figures that come together, go apart, follow or circle each other."""
    found = []
    for one in list(episodes):
        for colour, row in rows.items():
            if colour == one.colour or one not in episodes:
                continue
            partner = next(
                (e for e in episodes if e.colour == colour and _overlap(one, e) > 0.5), None
            )
            action = _pair_action(one, partner, row)
            if not action:
                continue
            episodes.remove(one)
            if partner and action != "orbit":
                episodes.remove(partner)
            # whoever came later is the second one, but in a chase it is the hunter
            late = bool(partner) and partner.first > one.first
            late = late if action == "chase" else one.action == "enter"
            names = (colour, one.colour) if late else (one.colour, colour)
            pair = figures[names[0]], figures[names[1]]
            side = one.side if action == "chase" else None
            span = times[one.first], times[one.last]
            found.append(Sighting(action, *span, pair[0], other=pair[1], side=side))
    return found


def _overlap(one: Episode, other: Episode) -> float:
    shared = min(one.last, other.last) - max(one.first, other.first)
    return shared / max(min(one.last - one.first, other.last - other.first), 1)


def _pair_action(one: Episode, partner: Episode | None, row: list[Glimpse | None]) -> str | None:
    if partner and one.action == partner.action == "cross":
        return "chase"
    if one.action not in ("enter", "slide", "rise", "sink", "orbit"):
        return None
    theirs = [glimpse for glimpse in row[one.first : one.last + 1] if glimpse]
    if not theirs:
        return None
    start, end = one.present[0].gap(theirs[0]), one.present[-1].gap(theirs[-1])
    if one.action == "orbit":
        return "orbit" if end < 5 else None
    if end < 4 and start > end + 3:
        return "meet"
    return "part" if start < 4 and end > start + 3 else None


def _signs(times: list[float], row: list[Glimpse | None], figure: Figure) -> list[Sighting]:
    """The first of at least three glances at a sign under a figure."""
    up = [index for index, glimpse in enumerate(row) if glimpse and glimpse.sign]
    if len(up) < 3:
        return []
    return [Sighting("show", times[max(up[0] - 1, 0)], times[up[0]] + 0.5, figure)]
