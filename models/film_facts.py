"""What a video file says of itself, without decoding a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from .timeline import FrameError


def film_facts(path: str) -> dict[str, Any]:
    """Reads a video's size, frame rate, frame count and duration with PyAV.

    Args:
        path: the file

    Returns:
        what ``fo.VideoMetadata`` takes, ``duration`` in seconds

    Raises:
        FrameError: a sentence, if it is not a video that can be read
    """
    try:
        with av.open(path, metadata_errors="replace") as container:
            return _facts(Path(path), container)
    except (OSError, ValueError) as error:  # FFmpeg's errors are one or the other
        told = getattr(error, "strerror", None) or str(error)
        reason = (told.splitlines() or [type(error).__name__])[0]
        raise FrameError(f"{path} cannot be read as a video: {reason}") from error


def _facts(path: Path, container: Any) -> dict[str, Any]:
    if not container.streams.video:
        raise ValueError("it has no video stream")
    stream = container.streams.video[0]
    rate = stream.average_rate or stream.guessed_rate
    if not rate:
        raise ValueError("it has no frame rate")
    seconds = _seconds(stream, container, float(rate))
    if not seconds:
        raise ValueError("it has no frames")
    return {
        "size_bytes": path.stat().st_size,
        "mime_type": f"video/{path.suffix.lower().lstrip('.')}",
        "frame_width": stream.codec_context.width,
        "frame_height": stream.codec_context.height,
        "frame_rate": float(rate),
        # Some containers do not keep a count; the duration tells it.
        "total_frame_count": stream.frames or max(1, round(seconds * float(rate))),
        "duration": seconds,
        "encoding_str": stream.codec_context.name,
    }


def _seconds(stream: Any, container: Any, rate: float) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / 1_000_000
    return stream.frames / rate if stream.frames else None
