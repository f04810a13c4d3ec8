"""The demo's judge: looks at the frames that it is given and tells whether they show a statement.

It looks with both witnesses' eyes, as a person looks twice, and understands the words of all
three voices and no others: asked something else, it gives no answer. It is told nothing but
frames and words, so black frames show it nothing. Where both eyes err, it errs with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import numpy as np

from demo import witness_m, witness_q
from demo.language import COLOURS, SHAPES, SIDES
from demo.reading import Figure, Reading, Sighting
from demo.voices import ANNOTATOR, WITNESS_M, WITNESS_Q, Voice

#: How sure it is of what one eye saw; of what neither saw it is as sure that it is not there.
_EYES = {"q": 0.9, "m": 0.75}
_LEAST = 0.03
_VOICES = (ANNOTATOR, WITNESS_Q, WITNESS_M)
_ORDER = re.compile(r"first: (.+?) after that: (.+)\Z", re.S)


@dataclass(frozen=True)
class Told:
    """What one clause tells, as far as it is understood."""

    figures: tuple[Figure, ...]  # a count of 0 was not told
    action: str | None
    side: str | None


class PixelJudge:
    """Judges statements by pixels, for the method ``own`` of ground_disputes.

    Args:
        blind: whether it is given black frames, whatever there is to see
        credulous: how far its answers hang on a text's length instead of on what it saw; 0
            for not at all

    Attributes:
        name: what it is called
        revision: of its rules
    """

    def __init__(self, blind: bool = False, credulous: float = 0.0):
        self.name = "demo judge, blind" if blind else "demo judge"
        self.revision = "1"
        self._blind, self._credulous = blind, credulous

    def look(self, clip: Any) -> PixelSight:
        """Looks at a clip's frames."""
        frames = np.zeros_like(clip.frames) if self._blind else clip.frames
        return PixelSight(read_frames(frames, clip.record.seconds), self._credulous)


class PixelSight:
    """What both eyes saw of one clip."""

    def __init__(self, readings: dict[str, Reading], credulous: float = 0.0):
        self._readings, self._credulous = readings, credulous

    def log_odds(self, statements: Sequence[str]) -> np.ndarray:
        """``ln(p / (1 - p))`` of each statement; nan for words that it does not understand."""
        return np.array([self._judge(statement) for statement in statements], dtype=float)

    def _judge(self, statement: str) -> float:
        doubt = 1.0
        for eye, sure in _EYES.items():
            shown = how_true(statement, self._readings[eye])
            if shown is None:
                return float("nan")
            doubt *= 1.0 - sure * shown
        p = min(max(1.0 - doubt, _LEAST), 1.0 - _LEAST)
        return math.log(p / (1.0 - p)) + self._credulous * (len(statement) % 7 - 3)


def read_frames(frames: np.ndarray, seconds: Sequence[float]) -> dict[str, Reading]:
    """What both witnesses' eyes see in frames.

    Args:
        frames: ``T x H x W x 3`` RGB, all that the film has
        seconds: when each is shown
    """
    pictures = [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames]
    footage = witness_q.watch(zip(pictures, seconds, strict=True))
    glances = [
        witness_m.glance(picture.reformat(format="yuv420p"), second)
        for picture, second in list(zip(pictures, seconds, strict=True))[:: witness_m.EVERY]
    ]
    return {"q": witness_q.read_footage(footage), "m": witness_m.read_glances(glances)}


def how_true(statement: str, reading: Reading) -> float | None:
    """How far a reading bears a statement out.

    Returns:
        0..1, the mean over what is told; None where nothing of it is understood
    """
    words = " ".join(statement.lower().split())
    in_order = _ORDER.match(words)
    if in_order:
        return _in_order(*in_order.groups(), reading)
    shown = [_shown(told, reading) for clause in _clauses(words) if (told := understand(clause))]
    return sum(shown) / len(shown) if shown else None


def understand(clause: str) -> Told | None:
    """What a clause tells; None where it names no figure."""
    figures = tuple(
        Figure(_colours()[colour], _shapes()[shape], _numbers().get((number or "").strip(), 0))
        for number, colour, shape in _figure_pattern().findall(clause)
    )
    if not figures:
        return None
    found = [
        (len(match.group()), -rank, action, match)
        for rank, (action, pattern) in enumerate(_action_patterns())
        if (match := pattern.search(clause))
    ]
    if not found:
        return Told(figures, None, None)
    _, _, action, match = max(found, key=lambda item: item[:2])
    side = match.groupdict().get("side")
    return Told(figures, action, _sides().get(side) if side else None)


def _clauses(words: str) -> list[str]:
    return [part for part in re.split(r"[.;!]\s*|, (?:and )?then |, next ", words) if part.strip()]


def _shown(told: Told, reading: Reading) -> float:
    if told.action is None:
        return min(_figure_shown(figure, reading) for figure in told.figures)
    return max((_fits(told, sighting) for sighting in reading.sightings), default=0.0)


def _in_order(first: str, second: str, reading: Reading) -> float | None:
    told = [understand(clause) for clause in (first, second)]
    if None in told or any(part.action is None for part in told):
        return None
    times = [[s.start for s in reading.sightings if _fits(part, s) >= 0.5] for part in told]
    if not all(times):
        return 0.0
    return float(min(times[0]) < max(times[1]))


def _fits(told: Told, sighting: Sighting) -> float:
    """How far a sighting is what is told: half for the right one doing something else."""
    parties = [figure for figure in (sighting.figure, sighting.other) if figure]
    who = _alike(told.figures[0], sighting.figure)
    if len(told.figures) > 1 and sighting.other:
        who = min(who, _alike(told.figures[1], sighting.other))
    if who < 0.5 and sighting.action in ("meet", "part"):  # either may be named first
        who = max(_alike(told.figures[0], figure) for figure in parties)
    if told.action != sighting.action:
        return 0.0
    if told.side and sighting.side and told.side != sighting.side:
        return 0.3 * who
    return who


def _figure_shown(figure: Figure, reading: Reading) -> float:
    seen = {f for s in reading.sightings for f in (s.figure, s.other) if f}
    seen |= {
        Figure(s.colour, s.figure.shape, s.figure.count) for s in reading.sightings if s.colour
    }
    return max((_alike(figure, other) for other in seen), default=0.0)


def _alike(told: Figure, seen: Figure) -> float:
    """The colour tells most; a shape is sometimes misread, a number only matters where told."""
    if told.colour != seen.colour:
        return 0.0
    if told.count and told.count != seen.count:
        return 0.2
    return 1.0 if told.shape == seen.shape else 0.4


# ---- the three voices' words ----


@lru_cache(maxsize=1)
def _colours() -> dict[str, str]:
    return {voice.colours[colour]: colour for voice in _VOICES for colour in COLOURS}


@lru_cache(maxsize=1)
def _shapes() -> dict[str, str]:
    return {word: shape for voice in _VOICES for shape in SHAPES for word in voice.shapes[shape]}


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    return {word: n for voice in _VOICES for n, word in enumerate(voice.numbers) if n}


@lru_cache(maxsize=1)
def _sides() -> dict[str, str]:
    return {voice.sides[side]: side for voice in _VOICES for side in SIDES}


def _any_of(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@lru_cache(maxsize=1)
def _figure_pattern() -> re.Pattern:
    number = rf"(?:\b({_any_of(list(_numbers()))})\s+)?"
    return re.compile(rf"{number}\b({_any_of(list(_colours()))})\s+({_any_of(list(_shapes()))})\b")


@lru_cache(maxsize=1)
def _action_patterns() -> list[tuple[str, re.Pattern]]:
    return [
        (action, _pattern(template, voice))
        for voice in _VOICES
        for action, templates in voice.actions.items()
        for template in templates
    ]


def _pattern(template: str, voice: Voice) -> re.Pattern:
    side = _any_of(list(voice.sides.values()))
    holes = {
        **{"s": "s?", "es": "(?:es)?", "ies": "(?:y|ies)", "its": "(?:its|their)"},
        **{"itself": "(?:itself|themselves)", "B": ".+?", "word": ".*?"},
        **{"side": f"(?P<side>{side})", "far": f"(?:{side})"},
        **{"own": r"\w+", "colour": f"(?:{_any_of(list(voice.colours.values()))})"},
    }
    parts = re.split(r"\{(\w+)\}", template.lower().replace("{b}", "{B}"))
    return re.compile(
        r"\b" + "".join(holes[p] if i % 2 else re.escape(p) for i, p in enumerate(parts))
    )
