"""How many samples may fail before a run is stopped: a broken disk should not cost a night."""

from __future__ import annotations

from collections import Counter


class TooManyFailures(RuntimeError):
    """More samples failed than the run was allowed."""


class FailureBudget:
    """Counts failures against what is allowed.

    Args:
        most: a count from 1 up, a share of ``total`` below 1, or None for no limit
        total: how many samples the run is about
    """

    def __init__(self, most: float | None, total: int) -> None:
        self._most, self._total, self._failed = most, total, 0

    def spend(self, failures: int, reasons: Counter) -> None:
        """Counts more failures, once their reasons are written.

        Raises:
            TooManyFailures: a sentence, if there are now more than allowed
        """
        self._failed += failures
        if self._most is None or not failures:
            return
        allowed = self._most if self._most >= 1 else self._most * self._total
        if self._failed <= allowed:
            return
        why = f" Most often: {reasons.most_common(1)[0][0]}" if reasons else ""
        raise TooManyFailures(
            f"Stopped, since {self._failed:,} of {self._total:,} samples failed and max_failures "
            f"is {self._most:g}.{why} What was done is kept and audit_status says what failed; "
            "mend the cause and run the stage again, or allow more failures."
        )
