"""Small matrix products on one thread, however many runs of this process ask for that."""

from __future__ import annotations

from threading import Lock

from threadpoolctl import threadpool_limits


class _OneThread:
    """Holds BLAS to one thread from the first who enters until the last who leaves.

    The limit is the whole process's. Were each run to put back what it found, one that came
    second would put back the first one's limit, for good.
    """

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0
        self._limit: threadpool_limits | None = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limit = threadpool_limits(1, user_api="blas")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


#: ``with one_blas_thread:`` around thousands of small fits, whose threads would only wait.
one_blas_thread = _OneThread()
