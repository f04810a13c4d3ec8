"""What a witness believes that it saw."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """Somebody on the screen, as far as the witness could tell."""

    colour: str
    shape: str
    count: int = 1


@dataclass(frozen=True)
class Sighting:
    """One thing that happened, as far as the witness could tell.

    Attributes:
        action: in the words of `demo.language`
        start: in seconds
        end: in seconds
        figure: who acted
        other: the second one of a duo
        side: where it came from or went to
        text: the word on a sign, where the witness can read
        colour: the colour it turned to
    """

    action: str
    start: float
    end: float
    figure: Figure
    other: Figure | None = None
    side: str | None = None
    text: str | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Reading:
    """All that a witness saw in one clip.

    Attributes:
        backdrop: light or dark
        sightings: in order of time
        title: the words of a title card; "" where there was one that could not be read
    """

    backdrop: str
    sightings: list[Sighting] = field(default_factory=list)
    title: str | None = None
