"""Many small batches on a CPU: each on one thread, as many at once as there are processors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

import torch

_lock = Lock()


@contextmanager
def side_by_side(on_cpu: bool) -> Iterator[Callable]:
    """Gives a ``map`` that keeps every processor busy, each with a batch of its own.

    Threads that share one small batch wait for each other hundreds of times a batch, spinning;
    beside other work on the machine that costs more than the work. A batch on one thread also
    has the same bits however many processors there are. One at a time: it takes them all, and
    torch counts threads for the whole process.
    """
    if not on_cpu:
        yield map
        return
    with _lock:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with ThreadPoolExecutor(threads) as pool:
                yield pool.map
        finally:
            torch.set_num_threads(threads)
