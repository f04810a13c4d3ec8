"""Witness q's reasoning: from what it followed to what happened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from demo.reading import Figure, Sighting

Box = tuple[int, int, int, int]
_EDGE = 3  # pixels from the rim of the picture that count as touching it
_MOVING = ("enter", "slide", "rise", "sink")
_FAR = 13.0  # pixels that count as having gone somewhere


@dataclass(eq=False)
class Track:
    """The figures of one colour in every frame.

    Attributes:
        colour: the colour's name
        shape: the shape's name
        times: of the frames, in seconds
        masks: ``(frames, height, width)``
        boxes: top, left, bottom and right of each figure, for each frame
    """

    colour: str
    shape: str
    times: np.ndarray
    masks: np.ndarray
    boxes: list[list[Box]]
    count: np.ndarray = field(init=False)
    place: np.ndarray = field(init=False)  # (frames, 2): y and x of the middle
    size: np.ndarray = field(init=False)  # the root of the area of one figure

    def __post_init__(self) -> None:
        self.count = np.array([len(found) for found in self.boxes])
        self.place = np.full((len(self.boxes), 2), np.nan)
        self.size = np.full(len(self.boxes), np.nan)
        for index in np.flatnonzero(self.count):
            y, x = np.nonzero(self.masks[index])
            self.place[index] = y.mean(), x.mean()
            self.size[index] = np.sqrt(len(y) / self.count[index])

    def at_rim(self, index: int) -> str | None:
        """The side of the picture that a figure touches in a frame."""
        high, wide = self.masks.shape[1:]
        found = self.boxes[index]
        gaps = {
            "top": min((box[0] for box in found), default=99),
            "left": min((box[1] for box in found), default=99),
            "bottom": high - max((box[2] for box in found), default=-99),
            "right": wide - max((box[3] for box in found), default=-99),
        }
        side = min(gaps, key=gaps.get)
        return side if gaps[side] <= _EDGE else None

    def stirring(self) -> np.ndarray:
        """How much the figures change from frame to frame, relative to their outline."""
        changed = (self.masks[1:] ^ self.masks[:-1]).sum(axis=(1, 2))
        area = np.maximum(self.masks[1:].sum(axis=(1, 2)), self.masks[:-1].sum(axis=(1, 2)))
        outline = 3.5 * np.sqrt(np.maximum(area * np.maximum(self.count[1:], 1), 1))
        return np.concatenate([[0.0], np.where(area > 0, changed / outline, 0.0)])


@dataclass(eq=False)
class Sign:
    """A sign that came up under a figure."""

    track: Track
    time: float
    word: str | None


@dataclass(eq=False)
class Spell:
    """A stretch of frames in which one track stirs, and what it amounts to."""

    track: Track
    first: int
    last: int
    action: str = ""
    side: str | None = None

    @property
    def span(self) -> tuple[float, float]:
        return float(self.track.times[self.first]), float(self.track.times[self.last])

    def overlap(self, other: Spell) -> float:
        """The shared share of the shorter one."""
        (a, b), (c, d) = self.span, other.span
        return max(0.0, min(b, d) - max(a, c)) / max(min(b - a, d - c), 0.1)


def find_events(tracks: list[Track], signs: list[Sign]) -> list[Sighting]:
    """Turns tracks and signs into what happened, in order of time."""
    spells = [spell for track in tracks for spell in _spells(track)]
    for spell in spells:
        spell.action, spell.side = _name(spell, tracks)
    spells = [spell for spell in spells if spell.action]
    # the figure next to one with a sign seems to have it too; the first one has it
    signs = list({sign.word: sign for sign in sorted(signs, key=lambda s: -s.time)}.values())
    sightings = [_sign_event(sign) for sign in signs]
    sightings += _recoloured(spells)
    sightings += _together(spells) + _beside_another(spells, tracks)
    sightings += [_alone(spell) for spell in spells]
    return sorted(sightings, key=lambda sighting: sighting.start)


def _figure(track: Track, first: int = 0, last: int | None = None) -> Figure:
    counts = track.count[first:last]
    counts = counts[counts > 0]
    if not len(counts):
        counts = track.count[track.count > 0]
    # the number that is there for long, or that it ends with
    usual = int(np.percentile(counts, 90))
    return Figure(track.colour, track.shape, max(1, min(usual, 9)))


def _alone(spell: Spell) -> Sighting:
    figure = _figure(spell.track, spell.first)
    return Sighting(spell.action, *spell.span, figure, side=spell.side)


def _sign_event(sign: Sign) -> Sighting:
    return Sighting("show", sign.time, sign.time + 1.0, _figure(sign.track), text=sign.word)


def _spells(track: Track) -> list[Spell]:
    stirs = track.stirring() > 0.13
    frames = np.flatnonzero(stirs)
    if not len(frames):
        return []
    spells = [Spell(track, int(frames[0]), int(frames[0]))]
    for index in frames[1:].tolist():
        last = spells[-1]
        counting = 0 < track.count[last.last] < track.count[index] and index - last.last <= 11
        if index - last.last <= 4 or counting:
            last.last = index
        else:
            spells.append(Spell(track, index, index))
    kept = [s for s in spells if s.last - s.first >= 3 or _changes_presence(s)]
    return [Spell(track, max(s.first - 1, 0), s.last) for s in kept]


def _changes_presence(spell: Spell) -> bool:
    count = spell.track.count
    return bool(count[max(spell.first - 1, 0)]) != bool(count[spell.last])


def _name(spell: Spell, tracks: list[Track]) -> tuple[str, str | None]:
    """The action of a spell and its side; an empty action for nothing of note."""
    track, first, last = spell.track, spell.first, spell.last
    inside = np.flatnonzero(track.count[first : last + 1]) + first
    if not len(inside):
        return "", None
    born, lost = track.count[first] == 0, track.count[last] == 0
    if first == 0 and track.at_rim(0):
        born = True
    start, end = track.place[inside[0]], track.place[inside[-1]]
    way = end - start
    far = float(np.hypot(*way))
    if born and lost:
        if far > 60:
            return "cross", "left" if way[1] > 0 else "right"
        return "blink", None
    if born:
        side = track.at_rim(inside[0])
        if side and far > _FAR:
            return "enter", side
        grew = np.unique(track.count[inside])
        return ("multiply" if len(grew) > 1 and grew[-1] > 1 else "appear"), None
    if lost:
        side = track.at_rim(inside[-1])
        return ("leave", side) if side and far > _FAR else ("vanish", None)
    return _name_in_place(spell, inside, way, tracks)


def _name_in_place(
    spell: Spell, inside: np.ndarray, way: np.ndarray, tracks: list[Track]
) -> tuple[str, str | None]:
    track, first, last = spell.track, spell.first, spell.last
    there = (track.count[first : last + 1] > 0).astype(int)
    if (np.diff(there) < 0).sum() >= 2:
        return "blink", None
    if track.count[last] > track.count[first]:
        return "multiply", None
    if np.hypot(*way) > _FAR:
        if abs(way[0]) > abs(way[1]):
            return ("sink" if way[0] > 0 else "rise"), None
        return "slide", "right" if way[1] > 0 else "left"
    swell = track.size[inside[-1]] / track.size[inside[0]]
    if not 0.83 < swell < 1.2:
        return ("grow" if swell > 1 else "shrink"), None
    places = track.place[inside]
    high, wide = np.ptp(places, axis=0)
    if high > 10 and wide > 20:
        return "orbit", None
    if high > 7 and high > 1.5 * wide:
        return "bounce", None
    return ("spin" if last - first >= 8 else ""), None


def _recoloured(spells: list[Spell]) -> list[Sighting]:
    """One colour goes where another comes, at the same time: a change of colour."""
    found = []
    for gone in [s for s in spells if s.action == "vanish"]:
        for come in [s for s in spells if s.action == "appear" and s.track is not gone.track]:
            there = gone.track.place[: gone.last + 1]
            there = there[~np.isnan(there[:, 0])]
            here = come.track.place[come.first :]
            here = here[~np.isnan(here[:, 0])]
            near = len(there) and len(here) and np.hypot(*(there[-1] - here[0])) < 8
            if near and abs(gone.span[1] - come.span[0]) < 1.2 and gone in spells:
                spells.remove(gone)
                spells.remove(come)
                figure = replace(_figure(gone.track), shape=come.track.shape)
                span = min(gone.span[0], come.span[0]), max(gone.span[1], come.span[1])
                found.append(Sighting("recolour", *span, figure, colour=come.track.colour))
    return found


def _together(spells: list[Spell]) -> list[Sighting]:
    """Two tracks that stir at the same time, and belong together."""
    found = []
    for one in list(spells):
        for other in list(spells):
            if one is other or one.track is other.track or one.overlap(other) < 0.6:
                continue
            if one not in spells or other not in spells:
                continue
            duo = _duo(one, other)
            if duo:
                spells.remove(one)
                spells.remove(other)
                found.append(duo)
    return found


def _beside_another(spells: list[Spell], tracks: list[Track]) -> list[Sighting]:
    """One track that goes up to, away from, or around another that stays where it is."""
    found = []
    for spell in list(spells):
        for track in tracks:
            still = Spell(track, spell.first, spell.last, action="stay")
            if track is spell.track or spell.action not in (*_MOVING, "orbit"):
                continue
            if not (track.count[spell.first] and track.count[spell.last]):
                continue
            duo = _duo(still, spell) if spell.action != "orbit" else None
            if spell.action == "orbit":
                pair = _figure(spell.track), _figure(track)
                duo = Sighting("orbit", *spell.span, pair[0], other=pair[1])
            if duo:
                spells.remove(spell)
                found.append(duo)
                break
    return found


def _duo(one: Spell, other: Spell) -> Sighting | None:
    span = min(one.span[0], other.span[0]), max(one.span[1], other.span[1])
    if one.action == other.action == "cross" and one.side == other.side:
        first, second = sorted((one, other), key=lambda spell: spell.first)
        hunter, prey = _figure(second.track), _figure(first.track)
        return Sighting("chase", *span, hunter, other=prey, side=one.side)
    if one.action not in _MOVING and other.action not in _MOVING:
        return None
    start, end = _gap(one, other, first=True), _gap(one, other, first=False)
    # the one that was there first is the one who acts
    first, second = sorted((one, other), key=lambda spell: spell.action == "enter")
    pair = _figure(first.track), _figure(second.track)
    if end < 7 and start > end + 6:
        return Sighting("meet", *span, pair[0], other=pair[1])
    if start < 7 and end > start + 6:
        return Sighting("part", *span, pair[0], other=pair[1])
    return None


def _gap(one: Spell, other: Spell, first: bool) -> float:
    """How many pixels lie between two tracks at the beginning or the end."""
    last = max(one.last, other.last)
    frame = max(one.first, other.first)
    frames = range(frame, last + 1) if first else range(last, -1, -1)
    for index in frames:
        if one.track.boxes[index] and other.track.boxes[index]:
            a, b = one.track.boxes[index][0], other.track.boxes[index][0]
            across = max(a[1], b[1]) - min(a[3], b[3])
            down = max(a[0], b[0]) - min(a[2], b[2])
            return float(max(across, down))
    return 99.0
