"""Video files: where they are, and whether they may be read."""

from __future__ import annotations

import os
from pathlib import Path

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
            if os.path.isfile(path):  # False where a folder may not be entered
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
