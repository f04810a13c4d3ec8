"""Signs of life of queued operations' workers, for FiftyOne's queue has no lease.

A worker that is killed leaves its operation ``running`` for ever. Ours therefore
count upwards in the database every few seconds. Whoever wants to know whether a
worker lives watches its count for a while: no clocks are compared, so workers on
hosts whose clocks differ are judged rightly.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence

from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionRunState
from fiftyone.operators.store import ExecutionStore

#: Seconds between two signs of life.
INTERVAL = 3.0
#: Seconds that a worker may take from the queue to its first sign of life.
FIRST_SIGN = 30.0

_STORE = "second_opinion_workers"


class Cancelled(RuntimeError):
    """A person marked the running operation as failed, which asks it to stop."""


class Heartbeat:
    """Shows that the worker of a queued operation lives, while the context is open.

    Args:
        operation: the queued operation's id; None for a run that was not queued
    """

    def __init__(self, operation: ObjectId | None) -> None:
        self._operation = operation
        self._ended = threading.Event()
        self._cancelled = threading.Event()

    def __enter__(self) -> Heartbeat:
        if self._operation is not None:
            self._beat(0)
            threading.Thread(target=self._live, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()

    def check(self) -> None:
        """Raises :class:`Cancelled` once the operation was marked as failed."""
        if self._cancelled.is_set():
            raise Cancelled(
                "This operation was marked as failed while it ran, so it stopped. What it had "
                "finished is kept; run the stage again to go on."
            )

    def _live(self) -> None:
        count = 0
        while not self._ended.wait(INTERVAL):
            count += 1
            try:
                self._beat(count)
            except Exception:  # a database that is away for a moment: the next beat tells
                continue

    def _beat(self, count: int) -> None:
        life = {"count": count, "host": socket.gethostname(), "pid": os.getpid()}
        ExecutionStore.create(_STORE).set(str(self._operation), life)
        if DelegatedOperationService().get(self._operation).run_state == ExecutionRunState.FAILED:
            self._cancelled.set()


def dead_operations(operations: Sequence[ObjectId], seconds: float) -> list[ObjectId]:
    """Those of the running operations whose workers give no sign of life.

    Args:
        operations: ids of operations that are said to be running
        seconds: how long to watch, at least two intervals

    Returns:
        the ids whose count stood still; where one has never given a sign, which takes a
        worker a while, all are watched for :data:`FIRST_SIGN` seconds at least
    """
    before = {operation: _sign(operation) for operation in operations}
    enough = FIRST_SIGN if None in before.values() else 0.0
    time.sleep(max(seconds, enough) if operations else 0.0)
    return [operation for operation in operations if _sign(operation) == before[operation]]


def _sign(operation: ObjectId) -> tuple | None:
    life = ExecutionStore.create(_STORE).get(str(operation))
    return life and (life["count"], life["host"], life["pid"])
