"""The method ``pointing``: Molmo2 points at who and what is named, or finds nothing there.

Its answer is ``<points coords="t n x y n x y ...">label</points>``: a time in seconds, then
a number and a place in thousandths of the picture for each thing; other times follow
after a tab, a colon, a comma or a semicolon.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from .annotator import Annotator
from .endpoint import Endpoint
from .frames import SampledClip
from .generation import Generation
from .judging import Point

#: The log odds of something that was found; of what was not, the same below zero.
FOUND = math.log(9.0)
_COORDS = re.compile(r"<(?:points?|tracks?)\b[^<>]{0,200}?\bcoords=\"([^\"<>]{0,20000})\"", re.I)
_MOST = 500
_GENERATION = Generation(max_new_tokens=512)


def ask_to_point(target: str) -> str:
    """The request to point at something."""
    return f"Point to {' '.join(target.split())}."


def read_points(answer: str, label: str, duration: float) -> list[Point]:
    """Reads where something was pointed at; whatever is malformed or outside is left out.

    Args:
        answer: what the model wrote
        label: what it was asked to point at
        duration: the clip's length in seconds
    """
    points: list[Point] = []
    for coords in _COORDS.findall(answer):
        for group in re.split(r"[\t:,;]+", coords):
            time, *numbers = _numbers(group) or [-1.0]
            if not 0 <= time <= duration + 0.5 or len(numbers) % 3:
                continue
            for index, x, y in zip(numbers[::3], numbers[1::3], numbers[2::3]):
                if 0 <= x <= 1000 and 0 <= y <= 1000 and len(points) < _MOST:
                    seconds = min(time, duration)
                    points.append(Point(seconds, x / 1000, y / 1000, label, int(index)))
    return points


def _numbers(group: str) -> list[float] | None:
    try:
        found = [float(part) for part in group.split()]
    except ValueError:
        return None
    return found if all(math.isfinite(number) for number in found) else None


class PointingJudge:
    """A model that points, here or behind a server.

    Args:
        model: the model; its answers are words, so each thing is a request of its own
        generation: how answers are written

    Attributes:
        name: the model's name
        revision: what was loaded, or where it is served
    """

    def __init__(self, model: Annotator | Endpoint, generation: Generation = _GENERATION):
        self.model, self._generation = model, generation
        self.name, self.revision = model.name, model.revision

    @property
    def wording(self) -> str:
        """What is asked, for the ledger."""
        return ask_to_point("...")

    def look(self, clip: SampledClip) -> PointingSight:
        """Keeps a clip to be pointed at."""
        return PointingSight(self, clip)

    def point(self, clip: SampledClip, targets: Sequence[str]) -> list[list[Point] | None]:
        """Where each target is; an empty list where it is not; None where nothing was told."""
        prompts = [ask_to_point(target) for target in targets]
        replies = self.model.annotate([clip] * len(targets), prompts, self._generation)
        found = []
        for target, reply in zip(targets, replies):
            if isinstance(reply, Exception):
                raise reply
            points = read_points(reply.text, target, clip.record.duration)
            told = points or (reply.finished and reply.text)
            found.append(points if told else None)
        return found


class PointingSight:
    """One clip as a :class:`PointingJudge` keeps it.

    Attributes:
        points: all points that were found so far
    """

    def __init__(self, judge: PointingJudge, clip: SampledClip):
        self._judge, self._clip = judge, clip
        self.points: list[Point] = []

    def log_odds(self, statements: Sequence[str]) -> np.ndarray:
        """Odds of 9 to 1 for what was found, against what was not; see :class:`~.judging.Sight`.

        Args:
            statements: who or what to point at, such as "a red star"
        """
        if not statements:
            return np.empty(0)
        found = self._judge.point(self._clip, statements)
        self.points += [point for points in found for point in points or ()]
        odds = [float("nan") if p is None else FOUND if p else -FOUND for p in found]
        return np.array(odds)
