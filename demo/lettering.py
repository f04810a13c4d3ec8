"""Reads short printed words by comparing each letter with printed ones."""

from __future__ import annotations

import string
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_SIDE = 14  # letters are compared at this size


def read_line(picture: np.ndarray, plate: bool) -> str | None:
    """Reads the first line of capital letters in a picture.

    Args:
        picture: ``(height, width)`` brightness, 0 to 255
        plate: whether the letters stand on a bright plate with a dark border

    Returns:
        the words, or None where there is nothing like letters
    """
    picture = picture.astype(np.float32)
    ink = _ink_on_plate(picture) if plate else _ink_on_ground(picture)
    if ink is None or ink.sum() < 12:
        return None
    rows = [run for run in runs(ink.any(axis=1)) if run[1] - run[0] >= 6]
    if not rows:
        return None
    line = ink[rows[0][0] : rows[0][1]]
    letters = [run for run in runs(line.any(axis=0)) if line[:, run[0] : run[1]].sum() >= 4]
    if not letters:
        return None
    high, text, last = line.shape[0], "", letters[0][0]
    for left, right in letters:
        text += " " if left - last > 0.34 * high else ""
        text += _letter(line[:, left:right])
        last = right
    return text


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Where a row of flags is up: ``[(first, one past the last), ...]``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _ink_on_plate(picture: np.ndarray) -> np.ndarray | None:
    bright = picture > 222
    rows = runs(bright.sum(axis=1) > 12)
    rows = [run for run in rows if run[1] - run[0] >= 8]
    if not rows:
        return None
    top, bottom = rows[0]
    columns = np.flatnonzero(bright[top : top + 2].any(axis=0))
    inside = picture[top:bottom, columns[0] : columns[-1] + 1]
    return inside[:, 3:-3] < 150


def _ink_on_ground(picture: np.ndarray) -> np.ndarray:
    apart = np.abs(picture - np.median(picture, axis=1, keepdims=True))
    return apart > max(40.0, 0.5 * float(apart.max()))


def _letter(ink: np.ndarray) -> str:
    rows = np.flatnonzero(ink.any(axis=1))
    ink = ink[rows[0] : rows[-1] + 1]
    slim = ink.shape[1] / ink.shape[0]
    picture = _standard(Image.fromarray(ink.astype(np.uint8) * 255))

    def unlike(known: tuple[str, np.ndarray, float]) -> float:
        return float(np.mean((known[1] - picture) ** 2)) + 0.15 * abs(known[2] - slim)

    return min(_alphabet(), key=unlike)[0]


def _standard(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float32) / 255


@lru_cache(maxsize=1)
def _alphabet() -> list[tuple[str, np.ndarray, float]]:
    font = ImageFont.load_default(34)
    known = []
    for letter in string.ascii_uppercase:
        left, top, right, bottom = (round(edge) for edge in font.getbbox(letter))
        image = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(image).text((-left, -top), letter, fill=255, font=font)
        image = image.crop(image.getbbox())
        known.append((letter, _standard(image), image.width / image.height))
    return known
