"""What it costs to decode in processes that can be killed, against threads, in the same run.

    python -m benchmarks.decoding [--clips 40]

Starting the processes is within their time. "Handing over" sends as many bytes as a clip of
the films has, through a pipe and through shared memory, from one process to another. On a busy
machine seconds of the processor tell more than seconds of the clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from multiprocessing import shared_memory

import fiftyone.operators as foo
import numpy as np

from benchmarks import models

_SENDS = "import sys; b = bytes({n}); [sys.stdout.buffer.write(b) for _ in range({times})]"
_SHARES = """
import sys
from multiprocessing import resource_tracker, shared_memory
kept = bytes({n})
for name in sys.stdin:
    held = shared_memory.SharedMemory(name.strip())
    held.buf[:{n}] = kept
    held.close()
    resource_tracker.unregister("/" + name.strip(), "shared_memory")
    print(flush=True)
"""


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=40)
    clips = parser.parse_args().clips
    foo.list_operators()  # loads the plugin
    frames, decoding = models._module("frames"), models._module("decoding")
    films = [frames.Clip(path) for path in models._films(clips, None)]
    workers, size = decoding.decoding_processes(), 0
    print("| way | clips | seconds | of the processor |\n| --- | ---: | ---: | ---: |")
    for way, read in (("threads", frames.sample_frames), ("processes", None)) * 2:
        begun, used, size = time.perf_counter(), _processor(), 0
        for clip in decoding.DecodeAhead(films, workers=workers, ahead=8 + workers, read=read):
            size = max(size, clip.frames.nbytes)
        seconds = time.perf_counter() - begun
        print(f"| {way} | {clips} | {seconds:.1f} | {_processor() - used:.1f} |", flush=True)
    print(f"\nHanding over {size / 1e6:.1f} MB, load {os.getloadavg()[0]:.0f}:")
    print(f"pipe {_pipe(size) * 1e3:.1f} ms, shared memory {_shared(size) * 1e3:.1f} ms a clip")


def _processor() -> float:
    found = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(who)[:2]) for who in found)


def _pipe(size: int, times: int = 20) -> float:
    code = _SENDS.format(n=size, times=times)
    child = subprocess.Popen([sys.executable, "-c", code], stdout=-1, pipesize=1 << 20)
    child.stdout.readinto(memoryview(np.empty(size, np.uint8)))
    begun = time.perf_counter()
    for _ in range(times - 1):
        child.stdout.readinto(memoryview(np.empty(size, np.uint8)))
    child.wait()
    return (time.perf_counter() - begun) / (times - 1)


def _shared(size: int, times: int = 20) -> float:
    code = _SHARES.format(n=size)
    child = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True)
    for turn in range(times):
        if turn == 1:
            begun = time.perf_counter()
        held = shared_memory.SharedMemory(create=True, size=size)
        child.stdin.write(f"{held.name}\n")
        child.stdin.flush()
        child.stdout.readline()
        np.frombuffer(held.buf, np.uint8, size).copy()  # a model keeps it, the next clip reuses it
        held.close()
        held.unlink()
    seconds = (time.perf_counter() - begun) / (times - 1)
    child.stdin.close()
    child.wait()
    return seconds


if __name__ == "__main__":
    main()
