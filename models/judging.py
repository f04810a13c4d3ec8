"""Judges: who says how far a clip shows what a statement claims.

A judge looks at a clip once and is then asked about any number of statements. Each way of
judging is a file of its own (``judge_yes``, ``judge_pointing``, ``judge_rerank``); a judge of
one's own is made known by :func:`register` and named in ``ground_disputes`` like the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from .frames import SampledClip


@dataclass(frozen=True)
class Point:
    """Where a judge sees something.

    Attributes:
        seconds: from the beginning of the clip
        x: 0..1 of the picture's width, from the left
        y: 0..1 of its height, from the top
        label: what is there
        index: the thing's number
    """

    seconds: float
    x: float
    y: float
    label: str
    index: int | None = None


class Sight(Protocol):
    """What a judge keeps of one clip."""

    def log_odds(self, statements: Sequence[str]) -> np.ndarray:
        """How far the clip shows each statement.

        Returns:
            ``(n,)`` float64: ``ln(p / (1 - p))`` of what the judge believes, nan where it
            gave no answer
        """


class Judge(Protocol):
    """Somebody who can be asked what a clip shows.

    Attributes:
        name: the model's name
        revision: what was loaded, or where it is served

    Where it also has ``wording``, another wording is another question, and is asked anew.
    """

    name: str
    revision: str

    def look(self, clip: SampledClip) -> Sight:
        """Watches a clip, which may be part of a longer one, or black."""


_OWN: dict[str, Callable[[], Judge]] = {}


def register(method: str, make: Callable[[], Judge]) -> None:
    """Makes a judge of one's own known to this process, under the name of a method.

    Args:
        method: a name of letters, digits and underscores
        make: makes the judge when it is needed
    """
    if not method.isidentifier():
        raise ValueError(f"{method!r} cannot be a method's name: write letters and digits.")
    _OWN[method] = make


def registered() -> dict[str, Callable[[], Judge]]:
    """The judges that were made known: ``{method: what makes it}``."""
    return dict(_OWN)


def blackened(clip: SampledClip) -> SampledClip:
    """The same clip with nothing to see: black frames of the same number, size and times."""
    return replace(clip, frames=np.zeros_like(clip.frames))


def windows(clip: SampledClip, count: int) -> list[SampledClip]:
    """Cuts a clip into parts that follow each other, of two frames or more each.

    Args:
        clip: the clip
        count: how many parts are wanted; a short clip gives fewer

    Returns:
        the parts; each one's seconds are counted from its own first frame
    """
    total = len(clip.frames)
    count = max(1, min(count, total // 2))
    borders = np.linspace(0, total, count + 1).round().astype(int)
    return [_part(clip, first, last) for first, last in zip(borders[:-1], borders[1:])]


def _part(clip: SampledClip, first: int, last: int) -> SampledClip:
    record, begin = clip.record, clip.record.seconds[first]
    end = record.seconds[last] if last < len(record.seconds) else record.duration
    part = replace(
        record,
        frame_numbers=record.frame_numbers[first:last],
        seconds=tuple(second - begin for second in record.seconds[first:last]),
        total_frames=max(last - first, round((end - begin) * record.source_fps)),
        first_frame=record.frame_numbers[first],
    )
    return SampledClip(clip.frames[first:last], part)


def sigmoid(log_odds: Any) -> Any:
    """``p`` from ``ln(p / (1 - p))``, for numbers and arrays; nan stays nan."""
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -500, 500)))
