"""When each frame of a video file is shown, read from its packets without decoding."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from stat import S_ISREG

import av


class FrameError(Exception):
    """A clip whose frames cannot be had; the message says why and what to do."""


@dataclass
class Timeline:
    """The frames of a file in the order in which they are shown.

    Attributes:
        pts: presentation time of each frame, in units of ``time_base``; None where the
            container keeps none (AVI, raw streams), and frames are counted instead
        keyframes: 0-based places of the keyframes; empty where ``pts`` is None
        count: how many frames there are
        time_base: seconds of a unit of ``pts``
        fps: the average frame rate
    """

    pts: list[int] | None
    keyframes: list[int]
    count: int
    time_base: float
    fps: float

    @classmethod
    def of(cls, path: str) -> Timeline:
        """Reads the timeline of a file.

        Raises:
            FrameError: if the file holds no video
        """
        with av.open(path) as container:
            stream = video_stream(container, path)
            packets = [
                (packet.pts, packet.is_keyframe)
                for packet in container.demux(stream)
                if packet.size and not packet.is_discard
            ]
            rate = stream.average_rate or stream.guessed_rate
            time_base = float(stream.time_base)
        if not packets:
            raise FrameError(f"{path} holds a video stream without a single frame.")
        times = {pts for pts, _ in packets}
        known = None not in times and len(times) == len(packets)
        packets = sorted(packets) if known else packets
        pts = [pts for pts, _ in packets] if known else None
        keyframes = [index for index, (_, key) in enumerate(packets) if key and known]
        fps = float(rate) if rate else 0.0
        if fps <= 0 and pts and len(pts) > 1:
            fps = (len(pts) - 1) / ((pts[-1] - pts[0]) * time_base)
        return cls(pts, keyframes, len(packets), time_base, fps if fps > 0 else 1.0)

    def __len__(self) -> int:
        return self.count

    def seconds(self, index: int) -> float:
        """When a frame is shown, from the first frame of the file."""
        if self.pts is None:
            return index / self.fps
        return (self.pts[index] - self.pts[0]) * self.time_base

    def nearest_keyframes(self, wanted: list[int], first: int, last: int) -> list[int]:
        """The keyframe nearest to each wanted frame, within the clip; empty if it has none."""
        inside = [index for index in self.keyframes if first <= index <= last]
        if not inside:
            return []
        return sorted({min(inside, key=lambda key: abs(key - index)) for index in wanted})


def timeline_of(path: str) -> Timeline:
    """The timeline of a file, remembered for the last few, since it takes reading all of it.

    The segments of a film are asked about one after the other.

    Raises:
        FrameError: if the file holds no video
    """
    stat = os.stat(path)
    if not stat.st_size and S_ISREG(stat.st_mode):
        raise FrameError(f"{path} is empty: it has 0 bytes.")
    return _remembered(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)
def _remembered(path: str, size: int, changed: int) -> Timeline:
    return Timeline.of(path)


def video_stream(container, path: str):
    """The first video stream of an open container."""
    if not container.streams.video:
        raise FrameError(f"{path} holds no video.")
    return container.streams.video[0]
