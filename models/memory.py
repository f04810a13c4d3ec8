"""Batches that shrink when memory runs out, instead of a run that stops."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from .errors import ModelUnavailable

_MOST_IN_A_ROW = 16  # more is no fault of the items
_SIGNS = ("out of memory", "can't allocate memory", "cannot allocate memory", "alloc_failed")


class Batches:
    """Runs a function over batches; what goes wrong with an item costs that item.

    Memory that runs out halves the batch, and the smaller size is kept: what did not fit once
    will not fit again. After any other error the batch is run item by item.

    Args:
        run: takes a list of items and returns as many results
        size: items in a batch to begin with

    Attributes:
        size: items in a batch now
        halvings: how often memory ran out
    """

    def __init__(self, run: Callable[[list], Any], size: int):
        self.run = run
        self.size = max(1, size)
        self.halvings = 0
        self._failed_in_a_row = 0

    def __call__(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yields a result for each item in order, or the error that replaces it.

        Raises:
            ModelUnavailable: at once, since it speaks of the model and not of an item
            Exception: whatever the function raised for many items in a row
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
            results, error = self._try(batch)
            if error is None:
                self._failed_in_a_row = 0
                yield from results
            elif is_out_of_memory(error):
                # Here, outside of the except clause, whose traceback would keep the tensors alive
                self._shrink()
                if len(batch) > 1:
                    self.size = max(1, len(batch) // 2)
                    continue
                yield RuntimeError(f"This does not fit into memory: {error}")
            elif len(batch) > 1:
                for item in batch:
                    yield from self._alone(item)
            else:
                yield self._counted(error)
            at += len(batch)

    def _alone(self, item: Any) -> Iterator[Any]:
        results, error = self._try([item])
        if error is None:
            self._failed_in_a_row = 0
            yield from results
        else:
            yield self._counted(error)

    def _try(self, batch: list) -> tuple[list, Exception | None]:
        try:
            return list(self.run(batch)), None
        except ModelUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to these items alone
            return [], error.with_traceback(None)

    def _counted(self, error: Exception) -> Exception:
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= _MOST_IN_A_ROW:
            raise error
        return error

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
