"""Video files: where they are, and what PyAV says of them without decoding."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import fiftyone as fo

#: Names the folders that media may be read from, apart by ``:``; anywhere where it is not set.
ROOTS = "SECOND_OPINION_MEDIA_ROOTS"

#: Endings of video files, those that a browser plays first.
VIDEO_ENDINGS = (".mp4", ".webm", ".mov", ".m4v", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".flv")


def find_video(folder: str | Path, stem: str) -> Path | None:
    """Finds ``{stem}.*`` in a folder, of several the one that a browser plays best.

    Args:
        folder: the folder; its subfolders are not searched
        stem: the file's name without its ending, taken letter by letter
    """
    for ending in VIDEO_ENDINGS:
        for written in (ending, ending.upper()):
            path = Path(folder) / (stem + written)
            if path.is_file():
                return path
    return None


def refused(path: str | Path) -> str | None:
    """Why a file may not be read, in a sentence; None where it may.

    A dataset that somebody else made can name any file of this machine. Links are
    followed before the path is judged.
    """
    roots = [root for root in os.environ.get(ROOTS, "").split(os.pathsep) if root]
    if not roots:
        return None
    try:
        real = Path(path).resolve()
    except (OSError, RuntimeError) as error:  # a circle of links is one or the other
        return f"{path} cannot be followed: {error}."
    if any(real.is_relative_to(Path(root).resolve()) for root in roots):
        return None
    return f"{path} lies outside of the folders that {ROOTS} allows."


def read_metadata(path: str | Path) -> fo.VideoMetadata:
    """Reads a video's size, frame rate, frame count and duration with PyAV.

    Args:
        path: the file

    Returns:
        the metadata, ``duration`` in seconds

    Raises:
        ValueError: a sentence, if it is not a video that can be read
    """
    import av

    if why := refused(path):
        raise ValueError(why)
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            return _metadata(Path(path), container)
    except (OSError, ValueError) as error:  # FFmpeg's errors are one or the other
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path} cannot be read as a video: {reason}") from error


def _metadata(path: Path, container: Any) -> fo.VideoMetadata:
    if not container.streams.video:
        raise ValueError("it has no video stream")
    stream = container.streams.video[0]
    rate = stream.average_rate or stream.guessed_rate
    if not rate:
        raise ValueError("it has no frame rate")
    seconds = _seconds(stream, container, float(rate))
    if not seconds:
        raise ValueError("it has no frames")
    return fo.VideoMetadata(
        size_bytes=path.stat().st_size,
        mime_type=f"video/{path.suffix.lower().lstrip('.')}",
        frame_width=stream.codec_context.width,
        frame_height=stream.codec_context.height,
        frame_rate=float(rate),
        # Some containers do not keep a count; the duration tells it.
        total_frame_count=stream.frames or max(1, round(seconds * float(rate))),
        duration=seconds,
        encoding_str=stream.codec_context.name,
    )


def _seconds(stream: Any, container: Any, rate: float) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / 1_000_000
    return stream.frames / rate if stream.frames else None
