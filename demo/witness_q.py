"""Witness q looks at every frame.

It fits a smooth surface to the background and subtracts it, finds the hues that
stand out, cuts each hue's pixels into figures along empty rows and columns, and
follows their middles from frame to frame. A shape is told by how far its edge
is from its middle all the way round, letters by comparing them with printed ones.

It sees nothing but the file. Its limits are its method's: near hues run
together, figures whose rows and columns overlap are not cut apart, what moves
little is not seen to move.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from demo.drawing import silhouette
from demo.language import SHAPES
from demo.lettering import read_line, runs
from demo.reading import Reading
from demo.tracks import Sign, Track, find_events

_WIDE, _HIGH = 160, 120
_STANDS_OUT = 34  # levels between a figure and the background
_COLOURFUL = 60  # levels between a figure's strongest and weakest channel
_SMALLEST = 14  # pixels of a figure
_NO_HUE = 255
_LARGE_EVERY = 6  # one frame in so many is also kept at full size
#: Where each colour's name lies on the wheel, in degrees.
_NAMES = {
    **{"red": 0, "orange": 28, "yellow": 53, "green": 120},
    **{"teal": 178, "blue": 220, "purple": 275, "pink": 325},
}


@dataclass
class Footage:
    """The decoded clip: small frames, a few of full size, and their moments."""

    small: np.ndarray  # (frames, 120, 160, 3) bytes
    large: np.ndarray  # (every sixth frame, height, width) bytes of brightness
    times: np.ndarray  # (frames,) seconds


def read_clip(path: str | Path) -> Reading:
    """Looks at a clip's pixels and says what it saw.

    Args:
        path: of the video file

    Returns:
        the reading
    """
    return read_footage(_decode(path))


def read_footage(footage: Footage) -> Reading:
    """Looks at decoded frames and says what it saw."""
    ground = _background(footage.small)
    figures, grey, hues = _stand_out(footage.small, ground)
    tracks = [_track(hues, hue, footage.times) for hue in _palette(hues)]
    tracks = [track for track in tracks if track is not None]
    signs = [sign for track in tracks if (sign := _find_sign(footage, track, grey))]
    backdrop = "dark" if ground.mean() < 128 else "light"
    return Reading(backdrop, find_events(tracks, signs), _read_title(footage, figures, grey))


def _decode(path: str | Path) -> Footage:
    with av.open(str(path)) as container:
        return watch((frame, frame.time) for frame in container.decode(video=0))


def watch(frames: Iterable[tuple[av.VideoFrame, float]]) -> Footage:
    """Keeps what it needs of frames, each with its moment in seconds."""
    small, large, times = [], [], []
    for index, (frame, time) in enumerate(frames):
        picture = frame.reformat(_WIDE, _HIGH, "rgb24", interpolation="BILINEAR")
        small.append(picture.to_ndarray())
        times.append(time)
        if index % _LARGE_EVERY == 0:
            large.append(frame.to_ndarray(format="gray"))
    return Footage(np.stack(small), np.stack(large), np.array(times))


def _background(frames: np.ndarray) -> np.ndarray:
    """A quadratic surface through what the frames have in common, outliers left out."""
    usual = np.median(frames[:: max(1, len(frames) // 12)], axis=0)
    y, x = np.mgrid[-1 : 1 : _HIGH * 1j, -1 : 1 : _WIDE * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).reshape(-1, 6)
    values = usual.reshape(-1, 3)
    kept = np.ones(len(values), bool)
    for _ in range(4):
        surface = terms @ np.linalg.lstsq(terms[kept][::5], values[kept][::5], rcond=None)[0]
        kept = np.abs(values - surface).max(axis=1) < 24
        if kept.sum() < 600:
            break
    return surface.reshape(usual.shape).astype(np.int16)


def _stand_out(frames: np.ndarray, ground: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is not background: the colourful, the grey, and each pixel's hue in steps."""
    red, green, blue = (frames[..., channel] for channel in range(3))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    vivid = spread > _COLOURFUL
    apart = np.zeros(vivid.shape, bool)
    for channel, level in ((red, 0), (green, 1), (blue, 2)):
        apart |= np.abs(channel - ground[..., level]) > _STANDS_OUT
    figures = apart & vivid
    hues = np.full(vivid.shape, _NO_HUE, np.uint8)
    hues[figures] = _hue(frames[figures]) / 2
    return figures, apart & ~vivid, hues


def _hue(pixels: np.ndarray) -> np.ndarray:
    """The hue of each pixel, 0 to just under 360."""
    red, green, blue = pixels.T.astype(np.float32)
    hue = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue))
    return np.where(hue < 0, hue + 359.99, hue)


def _away(hue: np.ndarray | float, other: float) -> np.ndarray | float:
    return np.abs((hue - other + 180) % 360 - 180)


def _palette(hues: np.ndarray) -> list[float]:
    """The hues of the figures: the peaks of the histogram over all frames."""
    counts = np.bincount(hues[hues != _NO_HUE], minlength=256)[:180].astype(float)
    smooth = sum(np.roll(counts, shift) for shift in range(-4, 5))
    peaks: list[float] = []
    for index in np.argsort(-smooth):
        if smooth[index] < max(250, 0.02 * smooth.max()) or len(peaks) == 4:
            break
        hue = float(np.average(np.arange(-4, 5), weights=np.roll(counts, 4 - index)[:9]))
        hue = 2 * (index + hue) + 1
        if all(_away(hue, other) > 20 for other in peaks):
            peaks.append(hue % 360)
    return peaks


def _cut(mask: np.ndarray, top: int = 0, left: int = 0) -> list[tuple[int, int, int, int]]:
    """Cuts a mask into figures along its empty columns and rows, until none is left."""
    if mask.sum() < _SMALLEST:
        return []
    across, down = runs(mask.any(axis=0)), runs(mask.any(axis=1))
    if len(across) == 1 and len(down) == 1:
        (x0, x1), (y0, y1) = across[0], down[0]
        return [(top + y0, left + x0, top + y1, left + x1)]
    if len(across) > 1:
        return [box for a, b in across for box in _cut(mask[:, a:b], top, left + a)]
    return [box for a, b in down for box in _cut(mask[a:b], top + a, left)]


def _track(hues: np.ndarray, hue: float, times: np.ndarray) -> Track | None:
    """Follows the figures of one hue through all frames."""
    like = _away(2 * np.arange(256) + 1, hue) < 13
    like[180:] = False
    masks = like[hues]
    boxes = [_cut(mask) for mask in masks]
    seen = [index for index, found in enumerate(boxes) if found]
    if len(seen) < 3:
        return None
    shape = _name_shape(masks, boxes)
    return Track(_name_colour(hue), shape, times, masks, boxes)


def _name_colour(hue: float) -> str:
    return min(_NAMES, key=lambda name: _away(hue, _NAMES[name]))


def radial_profile(mask: np.ndarray) -> np.ndarray | None:
    """How far a shape's edge is from its middle, whichever way the shape is turned.

    Args:
        mask: a boolean picture of one shape

    Returns:
        twice the strengths of the first eight waves of the edge's distance round
        the middle, how much of its circle the shape fills, and how full its
        middle is; None for a shape that is too small
    """
    y, x = np.nonzero(mask)
    if len(y) < 40:
        return None
    middle_y, middle_x = y.mean(), x.mean()
    distance = np.hypot(y - middle_y, x - middle_x)
    turn = ((np.arctan2(y - middle_y, x - middle_x) / (2 * np.pi) % 1) * 32).astype(int)
    edge = np.zeros(32)
    np.maximum.at(edge, turn, distance)
    edge = np.where(edge > 0, edge, np.nan)
    edge = np.where(np.isnan(edge), np.nanmin(edge), edge) + 0.5
    waves = np.abs(np.fft.rfft(edge / edge.mean()))[1:9] / 16
    filled = len(y) / (np.pi * edge.max() ** 2)
    inner = (distance < 0.3 * edge.mean()).sum() / (np.pi * (0.3 * edge.mean()) ** 2)
    return np.concatenate([waves * 2, [2 * filled, 1.2 * min(inner, 1)]])


@lru_cache(maxsize=1)
def _shapes() -> list[tuple[str, np.ndarray]]:
    known = []
    for shape in SHAPES:
        for side in range(18, 46, 3):
            mask = np.asarray(silhouette(shape).resize((side, side))) > 127
            profile = radial_profile(mask)
            if profile is not None:
                known.append((shape, profile))
    return known


def _name_shape(masks: np.ndarray, boxes: list[list[tuple[int, int, int, int]]]) -> str:
    """The shape that most of the figures' outlines resemble."""
    votes: dict[str, int] = {}
    whole = [
        (index, box)
        for index, found in enumerate(boxes)
        for box in found
        if box[0] > 0 and box[1] > 0 and box[2] < _HIGH and box[3] < _WIDE
    ]
    for index, (top, left, bottom, right) in whole[:: max(1, len(whole) // 24)]:
        profile = radial_profile(masks[index, top:bottom, left:right])
        if profile is not None:
            shape = min(_shapes(), key=lambda known: float(np.sum((known[1] - profile) ** 2)))[0]
            votes[shape] = votes.get(shape, 0) + 1
    return max(votes, key=votes.get) if votes else "circle"


def _find_sign(footage: Footage, track: Track, grey: np.ndarray) -> Sign | None:
    """The sign under a figure: a grey patch that comes up and stays."""
    patches = np.zeros(len(track.times))
    areas: list[tuple[slice, slice] | None] = []
    for index, boxes in enumerate(track.boxes):
        areas.append(None)
        if len(boxes) == 1:
            _, left, bottom, right = boxes[0]
            middle = (left + right) // 2
            area = (slice(bottom, bottom + 18), slice(max(middle - 38, 0), middle + 38))
            areas[-1] = area
            patches[index] = grey[index][area].sum()
    up = patches > 90
    if up.sum() < 5:
        return None
    first = int(np.argmax(up))
    words = []
    for index in np.flatnonzero(up)[3:]:
        if index % _LARGE_EVERY == 0:
            rows, columns = (slice(2 * s.start, 2 * s.stop) for s in areas[index])
            words.append(read_line(footage.large[index // _LARGE_EVERY][rows, columns], plate=True))
    words = [word for word in words if word]
    word = max(set(words), key=words.count) if words else None
    return Sign(track, float(track.times[first]), word)


def _read_title(footage: Footage, figures: np.ndarray, grey: np.ndarray) -> str | None:
    """The words of the title cards, in order; None where there are none."""
    titles: list[str] = []
    for index in range(0, len(grey), _LARGE_EVERY):
        if figures[index].sum() < _SMALLEST and grey[index].sum() > 150:
            titles.append(read_line(footage.large[index // _LARGE_EVERY], plate=False) or "")
    if len(titles) < 2:
        return None
    # a title stays for a while; one that is fading is misread
    steady = [text for text in dict.fromkeys(titles) if titles.count(text) > 1]
    return " / ".join(text for text in steady if len(text) > 3)
