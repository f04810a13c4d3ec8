"""The far side of a decoder: a process that decodes one clip after another.

It knows neither FiftyOne nor torch, starts in a fraction of a second, and ends with
whoever started it: its input then closes, and a clip that FFmpeg never comes back
from is ended by an alarm of the system's.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

from .frames import Clip, Sampling, sample_frames
from .timeline import FrameError

READY = b"ready\n"
#: Seconds beyond a clip's timeout after which the process ends itself, if nobody ended it.
GRACE = 5


def serve() -> None:
    """Answers requests until they end.

    A request is a line of JSON, ``{"path", "support", "sampling"}``. Its answer is a line of
    JSON, ``{"error"}`` or ``{"record", "shape"}``, the latter followed by the frames' bytes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not pass for an answer
    requests: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    answers.write(READY)
    answers.flush()
    while True:
        request = json.loads(requests.get())
        _answer(Clip(request["path"], request["support"]), Sampling(**request["sampling"]), answers)


def _listen(requests: queue.SimpleQueue) -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)  # even in the middle of a clip: there is nobody left to have it


def _answer(clip: Clip, sampling: Sampling, answers: BinaryIO) -> None:
    told: dict
    try:
        _alarm(int(sampling.timeout) + GRACE)
        sampled = sample_frames(clip, sampling)
        told = {"record": vars(sampled.record), "shape": sampled.frames.shape}
        frames = sampled.frames.data.cast("B")
    except FrameError as error:
        told, frames = {"error": str(error)}, memoryview(b"")
    except Exception as error:  # noqa: BLE001 - it belongs to this clip alone
        told, frames = {"error": f"{clip.path} cannot be decoded: {error!r}."}, memoryview(b"")
    finally:
        _alarm(0)
    answers.write(json.dumps(told).encode() + b"\n")
    answers.write(frames)
    answers.flush()


def _alarm(seconds: int) -> None:
    # Not Python's doing but the kernel's: it ends a process whose threads all hang
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
