"""How far a stage has come, told to a terminal, the App or a worker's log."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import fiftyone.core.utils as fou

_SECONDS_BETWEEN_REPORTS = 0.5


class Progress:
    """Silent progress: the base of the two that speak, and good for tests."""

    @contextmanager
    def step(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """Opens a step of ``total`` items, 0 where unknown; call what it gives with each count."""
        yield lambda done: None

    def over(self, chunks: Iterable, label: str, total: int) -> Iterator:
        """Iterates over chunks that have a length, reporting each once it is done."""
        with self.step(label, total) as advance:
            for chunk in chunks:
                yield chunk
                advance(len(chunk))

    def share(self, low: float, high: float, label: str = "") -> Progress:
        """The progress of one part of a longer run."""
        return self


class TerminalProgress(Progress):
    """FiftyOne's own progress bar, a bar a step."""

    @contextmanager
    def step(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        print(f"{label}...", flush=True)
        # FiftyOne takes a terminal at its word that is 0 columns wide, and cuts the bar to nothing
        width = shutil.get_terminal_size().columns
        with fou.ProgressBar(total=total or None, max_width=width) as bar:
            yield lambda done: bar.update(done)


class ReportedProgress(Progress):
    """A share of 1 and a label with the rate and the time left, handed to a function.

    Args:
        report: called with ``(share, label)``, such as ``ctx.set_progress``
        low: the share at which this part begins
        high: the share at which this part ends
        prefix: what every label begins with
        check: called after every chunk; it may raise to stop the run
    """

    def __init__(
        self,
        report: Callable[[float, str], None],
        low: float = 0.0,
        high: float = 1.0,
        prefix: str = "",
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._report, self._low, self._high, self._prefix = report, low, high, prefix
        self._check = check

    @contextmanager
    def step(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        done, started, told = 0, time.monotonic(), 0.0
        self._tell(0.0, label)

        def advance(count: int) -> None:
            nonlocal done, told
            done += count
            self._check()
            now = time.monotonic()
            if now - told >= _SECONDS_BETWEEN_REPORTS or done >= total:
                told = now
                share = done / total if total else 0.0
                self._tell(share, f"{label}: {_pace(done, total, now - started)}")

        yield advance

    def share(self, low: float, high: float, label: str = "") -> Progress:
        span = self._high - self._low
        return ReportedProgress(
            self._report,
            self._low + low * span,
            self._low + high * span,
            self._prefix + label,
            self._check,
        )

    def _tell(self, share: float, label: str) -> None:
        share = self._low + min(share, 1.0) * (self._high - self._low)
        self._report(round(share, 4), self._prefix + label)


def up_to(advance: Callable[[int], None]) -> Callable[[int], None]:
    """Tells a step how many are done altogether, where that is what is known."""
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        new, told = done - told, done
        advance(new)

    return tell


def _pace(done: int, total: int, seconds: float) -> str:
    rate = done / max(seconds, 1e-9)
    if not total:
        return f"{done:,}, {rate:,.0f}/s"
    left = f"{_duration(max(total - done, 0) / rate)} left" if done else "time left unknown"
    return f"{done:,} of {total:,}, {rate:,.{0 if rate >= 10 else 2}f}/s, {left}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
