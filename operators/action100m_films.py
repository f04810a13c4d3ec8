"""The films of Action100M: where they lie, and what they say of themselves."""

from __future__ import annotations

import os
from pathlib import Path

import fiftyone as fo

from ..engine.media import find_video, refused
from ..models.decoding import Decoder
from ..models.timeline import FrameError
from .timed_labels import Notes

_TIMEOUT = 30.0  # seconds: no more than a file's beginning and end is read


class Films:
    """The films of a folder, read in a process that a file which hangs or crashes it may end.

    Args:
        place: the folder, or a file in it
    """

    def __init__(self, place: str) -> None:
        folder = Path(place).expanduser()
        self._folder = folder.parent if folder.is_file() else folder
        self._decoder = Decoder()

    def find(self, uid: str) -> Path:
        """The video's file, or the path where it would be looked for."""
        return find_video(self._folder, uid) or self._folder / f"{uid}.mp4"

    def metadata(self, path: Path, notes: Notes) -> fo.VideoMetadata | None:
        """Size, frame rate, frame count and duration; None where there is no file.

        Args:
            path: the file
            notes: told why a file that is there cannot be read
        """
        if not os.path.lexists(path):
            return None
        try:
            if why := refused(path):
                raise FrameError(why)
            return fo.VideoMetadata(**self._decoder.facts(str(path), _TIMEOUT))
        except FrameError as error:
            notes.add("video_unreadable", str(error))
            return None

    def close(self) -> None:
        """Ends the process."""
        self._decoder.close()
