"""Small pictures of samples, inside the page that shows them."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import fiftyone.core.media as fom

from ..engine.media import refused

if TYPE_CHECKING:  # slow to import
    from ..models.decoding import Decoder

_TIMEOUT = 10.0  # seconds: a picture is not worth more
_WIDTH = 320  # pixels: enough to recognise the scene, about 10 kB


def as_data_uri(filepath: str, decoder: Decoder) -> str | None:
    """A small JPEG of an image, or of the middle of a video; None where it cannot be read.

    Args:
        filepath: the file
        decoder: reads it, so that a file that hangs does not keep the report
    """
    if refused(filepath):
        return None
    try:
        picture = _picture(filepath, decoder)
    except Exception:  # noqa: BLE001  a picture is a help; whatever a broken file does, go on
        return None
    picture.thumbnail((_WIDTH, _WIDTH))
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode()


def _picture(filepath: str, decoder: Decoder):
    from PIL import Image

    from ..models.frames import Clip, Sampling

    sampling = Sampling(max_frames=3, timeout=_TIMEOUT)
    if fom.get_media_type(filepath) != fom.VIDEO:
        return Image.fromarray(decoder.picture(Clip(filepath), sampling))
    frames = decoder.read(Clip(filepath), sampling).frames
    return Image.fromarray(frames[len(frames) // 2])
