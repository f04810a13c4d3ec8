"""The far side of a decoder: a process that reads one file after another.

It knows neither FiftyOne nor torch, starts in a fraction of a second, and ends with
whoever started it: its input then closes, and a file that FFmpeg never comes back
from is ended by an alarm of the system's.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from .film_facts import film_facts
from .frames import Clip, Sampling, sample_frames
from .timeline import FrameError

READY = b"ready\n"
#: Seconds beyond a clip's timeout after which the process ends itself, if nobody ended it.
GRACE = 5


def serve() -> None:
    """Answers requests until they end.

    A request is a line of JSON: ``ask`` (one of :data:`ASKED`), ``path``, ``timeout``, and what
    else it needs. Its answer is a line of JSON, ``{"error"}`` or ``{"told", "shape"}``, the
    latter followed by so many bytes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not pass for an answer
    requests: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    answers.write(READY)
    answers.flush()
    while True:
        _answer(json.loads(requests.get()), answers)


def _listen(requests: queue.SimpleQueue) -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)  # even in the middle of a clip: there is nobody left to have it


def _clip(request: dict) -> tuple[dict, np.ndarray]:
    clip = Clip(request["path"], request["support"])
    sampled = sample_frames(clip, Sampling(**request["sampling"]))
    return vars(sampled.record), sampled.frames


def _picture(request: dict) -> tuple[dict, np.ndarray]:
    from PIL import Image

    try:
        with Image.open(request["path"]) as picture:
            return {}, np.array(picture.convert("RGB"))
    except Exception as error:
        raise FrameError(f"{request['path']} cannot be read as a picture: {error}") from error


def _facts(request: dict) -> tuple[dict, np.ndarray]:
    return film_facts(request["path"]), np.empty(0, np.uint8)


#: What may be asked of a file: something told of it, and its pixels.
ASKED: dict[str, Callable[[dict], tuple[dict, np.ndarray]]] = {
    "clip": _clip,
    "picture": _picture,
    "facts": _facts,
}


def _answer(request: dict, answers: BinaryIO) -> None:
    answer: dict[str, Any]
    pixels = np.empty(0, np.uint8)
    try:
        _alarm(int(request["timeout"]) + GRACE)
        told, pixels = ASKED[request["ask"]](request)
        answer = {"told": told, "shape": pixels.shape}
    except FrameError as error:
        answer = {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - it belongs to this file alone
        answer = {"error": f"{request['path']} cannot be decoded: {error!r}."}
    finally:
        _alarm(0)
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.write(pixels.data.cast("B") if pixels.size else b"")
    answers.flush()


def _alarm(seconds: int) -> None:
    # Not Python's doing but the kernel's: it ends a process whose threads all hang
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
