"""Witness m glances at the clip about twice a second.

It looks at the two colour planes that the file itself stores, takes what is
far from the plane's usual value as a figure, names its colour by the direction
it is off, paints the figures one by one to count them, and tells a shape by how
its mass lies in its box. What happened it guesses from the differences
between one glance and the next.

It sees nothing but the file. Its limits are its method's: what happens between
two glances is lost, near neighbours are painted as one, a turned shape looks
like another, and it cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

from demo.drawing import silhouette
from demo.glances import Glimpse, guess_events
from demo.language import SHAPES
from demo.reading import Reading

EVERY = 5  # frames from one glance to the next
_HIGH, _WIDE = 60, 80  # cells of a glance, four pixels wide
_OFF = 17.0  # levels of colour that a figure is off the background
_SMALLEST = 7  # cells of a figure
#: What a screen shows for each colour's name, as red, green and blue.
_NAMES = {
    "red": (217, 38, 38),
    "orange": (217, 118, 38),
    "yellow": (217, 193, 38),
    "green": (38, 217, 53),
    "teal": (38, 212, 217),
    "blue": (38, 104, 217),
    "purple": (140, 38, 217),
    "pink": (217, 38, 143),
}


@dataclass
class Glance:
    """One look at the screen: brightness and how far off its two colour values are."""

    time: float
    bright: np.ndarray  # (120, 160)
    off: np.ndarray  # (60, 80, 2)


def read_clip(path: str | Path) -> Reading:
    """Glances at a clip and says what it believes to have seen.

    Args:
        path: of the video file

    Returns:
        the reading
    """
    with av.open(str(path)) as container:
        frames = enumerate(container.decode(video=0))
        return read_glances([glance(f, f.time) for i, f in frames if i % EVERY == 0])


def read_glances(glances: list[Glance]) -> Reading:
    """Says what it believes to have seen in some glances."""
    seen = [_figures(look) for look in glances]
    _settle_colours(seen)
    backdrop = "dark" if np.median([np.median(g.bright) for g in glances]) < 128 else "light"
    written = [not found and _has_lettering(g) for g, found in zip(glances, seen, strict=True)]
    times = [glance.time for glance in glances]
    return Reading(backdrop, guess_events(times, seen), "" if sum(written) >= 2 else None)


def glance(frame: av.VideoFrame, time: float) -> Glance:
    """One look at a frame's planes of brightness and colour, as the file stores them."""
    bright, *colour = (
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    )
    cells = [_halve(plane) - np.median(plane) for plane in colour]
    return Glance(time, _halve(bright), np.stack(cells, axis=-1))


def _halve(plane: np.ndarray) -> np.ndarray:
    high, wide = plane.shape
    return plane.reshape(high // 2, 2, wide // 2, 2).mean(axis=(1, 3), dtype=np.float32)


@lru_cache(maxsize=1)
def _directions() -> np.ndarray:
    """Where each colour's name lies in the plane of the two colour values, unit vectors."""
    red, green, blue = np.array(list(_NAMES.values()), float).T
    off = np.stack(
        [
            -0.169 * red - 0.331 * green + 0.5 * blue,
            0.5 * red - 0.419 * green - 0.081 * blue,
        ],
        axis=-1,
    )
    return off / np.linalg.norm(off, axis=1, keepdims=True)


def _figures(glance: Glance) -> list[Glimpse]:
    """Every colour's figures in one glance."""
    strength = np.linalg.norm(glance.off, axis=-1)
    nearest = (glance.off @ _directions().T).argmax(axis=-1)
    found = []
    for index, colour in enumerate(_NAMES):
        mask = (strength > _OFF) & (nearest == index)
        parts = _paint(mask)
        if parts:
            largest = max(parts, key=len)
            shape = _shape_of(largest) if _is_whole(largest) else None
            cells = np.concatenate(parts)
            sign = _has_sign(glance, cells)
            found.append(Glimpse.of(colour, shape, cells, len(parts), sign))
    return found


def _paint(mask: np.ndarray) -> list[np.ndarray]:
    """Paints each figure of a mask in its own ink: ``[(cells, 2) of y and x, ...]``."""
    if mask.sum() < _SMALLEST:
        return []
    image = Image.fromarray(mask.astype(np.uint8)).copy()  # the first one cannot be painted
    for ink in range(2, 12):
        left = np.argwhere(np.asarray(image) == 1)
        if not len(left):
            break
        ImageDraw.floodfill(image, (int(left[0][1]), int(left[0][0])), ink)
    painted = np.asarray(image)
    parts = [np.argwhere(painted == ink) for ink in range(2, painted.max() + 1)]
    return [part for part in parts if len(part) >= _SMALLEST]


def _is_whole(cells: np.ndarray) -> bool:
    return bool(cells.min() > 0 and cells[:, 0].max() < _HIGH - 1 and cells[:, 1].max() < _WIDE - 1)


def _mass(cells: np.ndarray) -> np.ndarray:
    """How a figure's mass lies in its box: ten shares and ratios."""
    top, left = cells.min(axis=0)
    y, x = (cells - (top, left)).T
    high, wide = y.max() + 1, x.max() + 1
    down, across = (y + 0.5) / high - 0.5, (x + 0.5) / wide - 0.5
    near = np.hypot(down, across) < 0.2
    return np.array(
        [
            len(cells) / (high * wide),
            0.6 * np.log(wide / high),
            2 * down.mean(),
            2 * across.mean(),
            6 * down.var(),
            6 * across.var(),
            0.8 * near.sum() / max(1.0, 0.1257 * high * wide),
            2 * np.mean(np.abs(down * across)) * 4,
            1.5 * np.mean(np.abs(down) + np.abs(across) < 0.5),
            20 * np.mean(down**2 * across),
        ]
    )


@lru_cache(maxsize=1)
def _known_masses() -> list[tuple[str, np.ndarray]]:
    known = []
    for shape in SHAPES:
        for side in (10, 12, 14, 17, 20):
            cells = np.argwhere(np.asarray(silhouette(shape).resize((side, side))) > 110)
            known.append((shape, _mass(cells)))
    return known


def _shape_of(cells: np.ndarray) -> str:
    mass = _mass(cells)
    return min(_known_masses(), key=lambda known: float(np.sum((known[1] - mass) ** 2)))[0]


def _has_sign(glance: Glance, cells: np.ndarray) -> bool:
    """Whether there is a patch of strong grey contrast under a figure."""
    bottom, middle = int(cells[:, 0].max()) + 1, int(cells[:, 1].mean())
    top, left = bottom + 1, max(middle - 8, 0)
    if top + 6 > _HIGH:
        return False
    patch = glance.bright[2 * top : 2 * (top + 6), 2 * left : 2 * (left + 16)]
    plain = np.linalg.norm(glance.off[top : top + 6, left : left + 16], axis=-1).max() < _OFF
    return bool(plain and patch.size and np.ptp(np.percentile(patch, (4, 96))) > 75)


def _has_lettering(glance: Glance) -> bool:
    band = glance.bright[40:80]
    return bool(np.ptp(np.percentile(band, (3, 97))) > 55)


def _settle_colours(seen: list[list[Glimpse]]) -> None:
    """Two colours that lie in the same place are one figure: the larger one's."""
    for found in seen:
        for small in sorted(found, key=lambda glimpse: glimpse.area):
            if any(big.area > small.area and big.covers(small) for big in found):
                found.remove(small)
