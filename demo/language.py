"""The language of the scenes: what can be in a clip, and what can happen there.

A scene has a cast (coloured shapes, alone or in a group), a setting and two to
four beats in order. Everything about a clip follows from its scene, so a scene
is the truth about its clip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 240
FPS = 12

SHAPES = (
    *("circle", "square", "triangle", "star", "heart"),
    *("crescent", "cross", "ring", "diamond", "arrow"),
)
#: ``{colour: hue in degrees}``
COLOURS = {
    "red": 0,
    "orange": 27,
    "yellow": 52,
    "green": 125,
    "teal": 178,
    "blue": 218,
    "purple": 274,
    "pink": 325,
}
SETTINGS = ("sky", "sand", "mint", "lavender", "paper", "dusk", "midnight", "graphite")
PATTERNS = ("plain", "grid", "dots", "stripes")
FORMATIONS = ("row", "cluster")
WORDS = (
    *("HELLO", "OPEN", "STOP", "GO", "SALE", "YES", "LOVE", "WIN", "NEW", "HOT", "COLD", "FISH"),
    *("MOON", "TAXI", "EXIT", "LUNCH", "MUSIC", "RUN", "SNOW", "TEA", "UP", "ZOO", "BIKE", "GAME"),
)
TITLES = (
    *("CHAPTER ONE", "THE END", "MEANWHILE", "PART TWO", "ONE DAY", "SHAPE STORIES"),
    *("A SHORT TALE", "LATER ON", "NEXT MORNING", "INTERMISSION"),
)
SIDES = ("left", "right", "top", "bottom")
OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}

#: What one actor can do, what two can do together, and what no actor does.
SOLO = (
    *("enter", "leave", "cross", "rise", "sink", "slide", "bounce", "spin", "grow"),
    *("shrink", "blink", "appear", "vanish", "multiply", "recolour", "show"),
)
DUO = ("meet", "part", "chase", "orbit")
TITLE = "title"


@dataclass(frozen=True)
class Actor:
    """One coloured shape, or a group of equal ones.

    Attributes:
        shape: one of `SHAPES`
        colour: one of `COLOURS`
        count: how many there are, 1 to 5
        radius: of each one, in pixels
        formation: how a group stands, one of `FORMATIONS`
        hue_shift: how far this one's hue is from its colour's, in degrees
    """

    shape: str
    colour: str
    count: int = 1
    radius: float = 28.0
    formation: str = "row"
    hue_shift: float = 0.0

    def places(self) -> list[tuple[float, float]]:
        """Where each member stands, in pixels from the middle of the group."""
        step = 2.5 * self.radius
        if self.count == 1:
            return [(0.0, 0.0)]
        if self.formation == "row":
            middle = (self.count - 1) / 2
            return [((i - middle) * step, 0.0) for i in range(self.count)]
        ring = step / 2 if self.count == 2 else step / (2 * math.sin(math.pi / self.count))
        turns = (-math.pi / 2 + 2 * math.pi * i / self.count for i in range(self.count))
        return [(ring * math.cos(turn), ring * math.sin(turn)) for turn in turns]

    def half_size(self) -> tuple[float, float]:
        """Half the width and half the height of the actor, in pixels."""
        places = self.places()
        return (
            max(x for x, _ in places) + self.radius,
            max(abs(y) for _, y in places) + self.radius,
        )


@dataclass(frozen=True)
class Beat:
    """One thing that happens.

    Attributes:
        action: one of `SOLO`, `DUO` or `TITLE`
        start: in seconds
        end: in seconds
        actor: the index in the cast of who acts, or None for a title card
        other: the index of the second actor of a duo
        side: where it comes from (enter, cross, chase) or goes to (leave, slide)
        target: where the actor ends, in pixels
        other_target: where the second actor ends
        text: the word on the sign, or the title
        colour: the colour it turns to
    """

    action: str
    start: float
    end: float
    actor: int | None = None
    other: int | None = None
    side: str | None = None
    target: tuple[float, float] | None = None
    other_target: tuple[float, float] | None = None
    text: str | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Scene:
    """One clip's truth.

    Attributes:
        uid: the clip's id, eleven characters
        setting: the background's colour, one of `SETTINGS`
        pattern: the background's pattern, one of `PATTERNS`
        tint: the camera's gain for red, green and blue: white balance is never perfect
        cast: the actors
        beats: what happens, in order
        shown: how many seconds of the story the clip shows
    """

    uid: str
    setting: str
    pattern: str
    tint: tuple[float, float, float]
    cast: tuple[Actor, ...]
    beats: tuple[Beat, ...]
    shown: float

    @property
    def duration(self) -> float:
        """The length of the annotated story in seconds; the clip may show less of it."""
        return self.beats[-1].end

    @property
    def seen(self) -> tuple[Beat, ...]:
        """The beats that the clip shows."""
        return tuple(beat for beat in self.beats if beat.start < self.shown)

    @property
    def acted(self) -> tuple[Beat, ...]:
        """The beats in which somebody acts."""
        return tuple(beat for beat in self.beats if beat.action != TITLE)
