"""Frames decoded ahead of the model, by a few threads, a few clips at a time.

A hung or broken file costs one clip and a sentence, never the run: a thread that
does not come back in time is left behind, and another takes its place.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from .frames import DEFAULT_SAMPLING, Clip, SampledClip, Sampling, sample_frames
from .timeline import FrameError


def decoding_threads() -> int:
    """As many as there are cores, up to 8: one clip each keeps a GPU of today fed."""
    return min(8, os.cpu_count() or 1)


class DecodeAhead:
    """Iterates over clips' frames in order, decoding some clips ahead.

    Args:
        clips: the clips
        sampling: which frames of each
        workers: threads that decode; FFmpeg releases Python's lock while it works
        ahead: the most clips decoded or being decoded at any moment, which bounds memory
        read: how one clip is read

    Attributes:
        waited: seconds that the consumer has waited for frames so far
    """

    def __init__(
        self,
        clips: Iterable[Clip],
        sampling: Sampling = DEFAULT_SAMPLING,
        workers: int = 2,
        ahead: int = 8,
        read: Callable[[Clip, Sampling], SampledClip] = sample_frames,
    ):
        self.waited = 0.0
        self._clips = iter(clips)
        self._sampling = sampling
        self._workers = workers
        self._ahead = max(ahead, workers)
        self._read = read
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()

    def __iter__(self) -> Iterator[SampledClip | FrameError]:
        """Yields, for each clip in order, its frames or the error that replaces them."""
        for _ in range(self._workers):
            self._hire()
        pending: deque[_Job] = deque()
        try:
            for clip in self._clips:
                job = _Job(clip)
                self._inbox.put(job)
                pending.append(job)
                if len(pending) >= self._ahead:
                    yield self._collect(pending.popleft())
            while pending:
                yield self._collect(pending.popleft())
        finally:
            for job in pending:
                job.abandoned = True
            for _ in range(self._workers):
                self._inbox.put(None)

    def _hire(self) -> None:
        threading.Thread(target=self._work, daemon=True, name="decode").start()

    def _work(self) -> None:
        while (job := self._inbox.get()) is not None:
            if job.abandoned:
                continue
            job.started = time.monotonic()
            try:
                job.result = self._read(job.clip, self._sampling)
            except FrameError as error:
                job.result = error
            except Exception as error:  # noqa: BLE001 - it belongs to this clip alone
                job.result = FrameError(f"{job.clip.path} cannot be decoded: {error!r}.")
            job.done.set()
            if job.abandoned:
                return

    def _collect(self, job: _Job) -> SampledClip | FrameError:
        begun = time.monotonic()
        # Decoding watches its own clock; a second longer tells a hang from a slow file
        limit = self._sampling.timeout + 1.0
        while not job.done.wait(0.05 if job.started is None else 0.5):
            if job.started is not None and time.monotonic() - job.started > limit:
                job.abandoned = True
                self._hire()
                self.waited += time.monotonic() - begun
                return FrameError(
                    f"{job.clip.path} did not answer within {self._sampling.timeout:g} s."
                )
        self.waited += time.monotonic() - begun
        return job.result


class _Job:
    def __init__(self, clip: Clip):
        self.clip = clip
        self.done = threading.Event()
        self.started: float | None = None
        self.abandoned = False
        self.result: SampledClip | FrameError | None = None
