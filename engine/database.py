"""A database that goes away, or whose disk is full: said in a sentence that tells what is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError

_KEPT = (
    "What was written before is kept; at most the batch in flight is lost, and running the stage "
    "again goes on from there."
)
_FULL = ("no space left", "disk full", "out of disk space", "file too large", "outofdiskspace")


class DatabaseGone(RuntimeError):
    """The database does not answer, or cannot write, in the midst of a stage."""


@contextmanager
def plainly_told() -> Iterator[None]:
    """Turns the database's own errors into sentences.

    Raises:
        DatabaseGone: in the place of an error of the connection or of a full disk
    """
    try:
        yield
    except (ConnectionFailure, OperationFailure, BulkWriteError, ValueError) as error:
        cause = error if isinstance(error, PyMongoError) else error.__cause__
        if not isinstance(cause, PyMongoError):
            raise
        reason = str(cause).splitlines()[0][:300]
        if any(sign in str(cause).lower() for sign in _FULL):
            raise DatabaseGone(
                f"The database's disk is full ({reason}). Make room, then go on. {_KEPT}"
            ) from error
        if isinstance(cause, ConnectionFailure):
            raise DatabaseGone(
                f"The database went away ({reason}). Start it, or check the network. {_KEPT}"
            ) from error
        raise
