"""The frames that a judge looked at, as small pictures."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from fiftyone.operators import types

from ...engine.media import refused
from ..typeset import FAINT, line, row, stack

#: So many are shown, spread over all that were looked at.
MOST_PICTURES = 6

_PIXELS = 180 * 180
_HEIGHT = "90px"
_SECONDS = 5.0  # a person waits no longer for a help


def add_pictures(
    parent: types.Object, key: str, path: str, frames: Sequence[int], seconds: Sequence[float]
) -> None:
    """Adds some of a film's frames with their times; nothing where it cannot be decoded.

    Args:
        parent: where to
        key: tells one sample's pictures from another's
        path: the film
        frames: numbers of the frames that were looked at, from 1
        seconds: when each is shown
    """
    places = np.linspace(0, len(frames) - 1, min(MOST_PICTURES, len(frames))).round().astype(int)
    chosen = [int(frames[place]) for place in dict.fromkeys(places.tolist())]
    pictures = _pictures(path, _stamp(path), tuple(chosen))
    if not pictures:
        return
    times = dict(zip(frames, seconds))
    shown = row(parent, "pictures", columnGap=1, rowGap=0.5, alignItems="flex-start")
    for number in chosen:
        if number in pictures:
            place = stack(shown, f"frame_{number}", gap=0)
            view = types.ImageView(height=_HEIGHT, alt=f"Frame {number}")
            # a name of its own for each, or the App would keep another sample's picture
            name = f"picture_{key}_{number}"
            place.define_property(name, types.String(), default=pictures[number], view=view)
            when = f"{times[number]:.1f} s" if number in times else f"frame {number}"
            line(place, "when", when, **FAINT)


def _stamp(path: str) -> float | None:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


@lru_cache(maxsize=64)
def _pictures(path: str, stamp: float | None, numbers: tuple[int, ...]) -> dict[int, str]:
    """``{frame number: JPEG as a data URI}``, decoded once for all drawings of the page."""
    if stamp is None or refused(path):
        return {}
    from PIL import Image

    from ...models.frames import read_frames

    try:
        found = read_frames(path, numbers, _PIXELS, _SECONDS)
    except Exception:  # noqa: BLE001  a picture is a help; whatever a broken film does, go on
        return {}
    uris = {}
    for number, picture in found.items():
        held = io.BytesIO()
        Image.fromarray(picture).save(held, "JPEG", quality=80)
        uri = base64.b64encode(held.getvalue()).decode()
        uris[number] = f"data:image/jpeg;base64,{uri}"
    return uris
