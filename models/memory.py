"""Batches that shrink when memory runs out, instead of a run that stops."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch

_SIGNS = ("out of memory", "can't allocate memory", "cannot allocate memory", "alloc_failed")


class Batches:
    """Runs a function over batches, halving the batch when memory runs out.

    The smaller size is kept: what did not fit once will not fit again.

    Args:
        run: takes a list of items and returns as many results
        size: items in a batch to begin with

    Attributes:
        size: items in a batch now
        halvings: how often memory ran out
    """

    def __init__(self, run: Callable[[list], Sequence], size: int):
        self.run = run
        self.size = max(1, size)
        self.halvings = 0

    def __call__(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yields a result for each item in order.

        An item that does not fit alone yields the error instead, and the rest goes on.
        """
        waiting: list = []
        for item in items:
            waiting.append(item)
            if len(waiting) >= self.size:
                yield from self._drain(waiting)
                waiting = []
        yield from self._drain(waiting)

    def _drain(self, waiting: list) -> Iterator[Any]:
        at = 0
        while at < len(waiting):
            batch = waiting[at : at + self.size]
            try:
                results = list(self.run(batch))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                shortage = RuntimeError(f"This clip does not fit into memory: {error}")
                results = None
            if results is None:
                # Outside of the except clause, whose traceback would keep the tensors alive
                self._shrink()
                if len(batch) > 1:
                    self.size = max(1, len(batch) // 2)
                    continue
                results = [shortage]
            yield from results
            at += len(batch)

    def _shrink(self) -> None:
        self.halvings += 1
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or a CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(s in str(error).lower() for s in _SIGNS)
