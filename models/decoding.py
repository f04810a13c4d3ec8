"""Frames decoded ahead of the model, by a few processes, a few clips at a time.

A file that makes FFmpeg hang or crash costs one clip and a sentence, never the run:
its process is killed, and another takes its place.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import numpy as np

from .decoder_process import READY
from .frames import DEFAULT_SAMPLING, Clip, FrameRecord, SampledClip, Sampling
from .timeline import FrameError

# Decoding watches its own clock; a second longer tells a hang from a slow file.
_GRACE = 1.0
# A machine that swaps takes long to start a process; one that takes longer never will.
_START = 120.0
_PIPE_BYTES = 1 << 20  # fewer turns from one process to the other for a clip of 20 MB
# A process of its own does not know the name under which FiftyOne loaded this code.
_CODE = """
import sys, types
room = sys.modules["second_opinion_decoder"] = types.ModuleType("second_opinion_decoder")
room.__path__ = [sys.argv[1]]
from second_opinion_decoder.decoder_process import serve
serve()
"""


def decoding_processes() -> int:
    """As many as there are cores, up to 8: one clip each keeps a GPU of today fed."""
    return min(8, os.cpu_count() or 1)


class DecoderUnavailable(RuntimeError):
    """No process that decodes can be started here, whatever the file."""


class Decoder:
    """A process that reads one file at a time, started when the first one comes.

    Where a file makes the process crash, or hang for longer than a timeout, the process is
    ended and a ``FrameError`` says which; where none can be started, ``DecoderUnavailable``.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()  # whoever closes may come while another starts
        self._closed = False

    def read(self, clip: Clip, sampling: Sampling = DEFAULT_SAMPLING) -> SampledClip:
        """Decodes the frames of a clip that a model is to see.

        Raises:
            FrameError: as :func:`~.frames.sample_frames`, and where the file breaks the process
        """
        more = {"support": clip.support, "sampling": asdict(sampling)}
        record, frames = self._ask("clip", clip.path, sampling.timeout, **more)
        for name in ("frame_numbers", "seconds"):
            record[name] = tuple(record[name])
        return SampledClip(frames, FrameRecord(**record))

    def picture(self, clip: Clip, sampling: Sampling = DEFAULT_SAMPLING) -> np.ndarray:
        """Reads a still picture, all of its pixels: ``H x W x 3`` uint8 RGB.

        Raises:
            FrameError: if it is no picture, or breaks the process
        """
        return self._ask("picture", clip.path, sampling.timeout)[1]

    def facts(self, path: str, timeout: float) -> dict[str, Any]:
        """What a video file says of itself, as :func:`~.film_facts.film_facts`.

        Raises:
            FrameError: if it is no video, or breaks the process
        """
        return self._ask("facts", path, timeout)[0]

    def _ask(self, what: str, path: str, timeout: float, **more: Any) -> tuple[dict, np.ndarray]:
        process = self._started()
        request = {"ask": what, "path": path, "timeout": timeout, **more}
        limit = timeout + _GRACE
        begun = time.monotonic()
        alarm = threading.Timer(limit, process.kill)
        alarm.start()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            return _received(process)
        except (EOFError, OSError):
            code = self._end()
        finally:
            alarm.cancel()
        if time.monotonic() - begun >= limit:
            raise FrameError(f"{path} did not answer within {timeout:g} s.")
        raise FrameError(f"{path} made the decoder crash ({_named(code)}).")

    def close(self) -> None:
        """Ends the process, whatever it is doing; the clip that it was at fails."""
        with self._lock:
            self._closed = True
        self._end()

    def _started(self) -> subprocess.Popen:
        with self._lock:
            if self._closed:
                raise FrameError("Decoding has ended.")
            if self._process is None:
                self._process = _start()
            return self._process

    def _end(self) -> int:
        with self._lock:
            process, self._process = self._process, None
        return 0 if process is None else _kill(process)


def _start() -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", _CODE, str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # It multiplies no matrices, and threads for that cost memory and time to start
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        pipesize=_PIPE_BYTES,
    )
    alarm = threading.Timer(_START, process.kill)
    alarm.start()
    try:
        if process.stdout.readline() == READY:
            return process
    finally:
        alarm.cancel()
    raise DecoderUnavailable(
        f"The process that decodes videos ended before it began ({_named(_kill(process))}); "
        f"its error is in this program's log. It was started as {sys.executable}."
    )


def _received(process: subprocess.Popen) -> tuple[dict, np.ndarray]:
    header = process.stdout.readline()
    if not header.endswith(b"\n"):
        raise EOFError
    answer = json.loads(header)
    if "error" in answer:
        raise FrameError(answer["error"])
    pixels = np.empty(answer["shape"], np.uint8)
    if pixels.size:
        room = pixels.data.cast("B")
        if cast(BufferedReader, process.stdout).readinto(room) < pixels.nbytes:
            raise EOFError
    return answer["told"], pixels


def _kill(process: subprocess.Popen) -> int:
    process.kill()
    code = process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # what was not sent yet has nowhere to go
            pipe.close()
    return code


def _named(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"it ended with {code}"


class DecodeAhead:
    """Iterates over clips' frames in order, decoding some clips ahead.

    Its processes end with the iteration: close the iterator of one that is left early.

    Args:
        clips: the clips
        sampling: which frames of each
        workers: processes that decode
        ahead: the most clips decoded or being decoded at any moment, which bounds memory
        read: how one clip is read; in a process of its own where None
        stills: whether the clips are pictures, which come as ``H x W x 3`` arrays

    Attributes:
        waited: seconds that the consumer has waited for frames so far
    """

    def __init__(
        self,
        clips: Iterable[Clip],
        sampling: Sampling = DEFAULT_SAMPLING,
        workers: int = 2,
        ahead: int = 8,
        read: Callable[[Clip, Sampling], SampledClip] | None = None,
        stills: bool = False,
    ):
        self.waited = 0.0
        self._clips = iter(clips)
        self._sampling = sampling
        self._workers = workers
        self._ahead = max(ahead, workers)
        self._read, self._stills = read, stills

    def __iter__(self) -> Iterator[Any]:
        """Yields, for each clip in order, its frames or the error that replaces them."""
        decoders = [Decoder() for _ in range(self._workers)]
        idle: queue.LifoQueue = queue.LifoQueue()  # one that runs already goes first
        for decoder in decoders:
            idle.put(decoder)

        def read(clip: Clip) -> Any:
            decoder = idle.get()
            try:
                own = decoder.picture if self._stills else decoder.read
                return (self._read or own)(clip, self._sampling)
            except FrameError as error:
                return error
            except DecoderUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - it belongs to this clip alone
                return FrameError(f"{clip.path} cannot be decoded: {error!r}.")
            finally:
                idle.put(decoder)

        threads = ThreadPoolExecutor(self._workers, "decode")
        pending: deque[Future] = deque()
        try:
            for clip in self._clips:
                pending.append(threads.submit(read, clip))
                if len(pending) >= self._ahead:
                    yield self._collect(pending.popleft())
            while pending:
                yield self._collect(pending.popleft())
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            for decoder in decoders:
                decoder.close()
            threads.shutdown()

    def _collect(self, reading: Future) -> SampledClip | FrameError:
        begun = time.monotonic()
        try:
            return reading.result()
        finally:
            self.waited += time.monotonic() - begun
