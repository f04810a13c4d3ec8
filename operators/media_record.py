"""What became of each sample of a work on media: its status, why it failed, and how many did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

import fiftyone as fo

from ..engine.columns import root_dataset, write_columns
from ..engine.failures import FailureBudget
from ..engine.fields import STATUS
from ..engine.ledger import ledger_field
from .media_work import FrameSettings

Samples: TypeAlias = fo.core.collections.SampleCollection


class Recorder:
    """Writes status, reason and ledger of samples, and counts what became of them.

    Args:
        dataset: the dataset
        work: the name of this work
        budget: told of every failure

    Attributes:
        outcomes: how many samples came out ``ok``, ``missing`` or ``failed``
        reasons: how many failed for which reason
    """

    def __init__(self, dataset: fo.Dataset, work: str, budget: FailureBudget | None = None):
        self._dataset, self._work = dataset, work
        self._budget = budget or FailureBudget(None, 0)
        self.outcomes: Counter = Counter()
        self.reasons: Counter = Counter()

    def write(self, rows: Sequence[tuple[str, str, str | None, str | None]]) -> None:
        """Writes rows of ``(sample id, status, why, ledger key)``; a key of None is tried again."""
        if not rows:
            return
        ids, statuses, reasons, keys = zip(*rows)
        columns = {
            f"{STATUS}.{self._work}": statuses,
            f"{STATUS}.{self._work}_why": reasons,
            ledger_field(self._work): keys,
        }
        write_columns(self._dataset, ids, columns)
        self.outcomes.update(statuses)
        self.reasons.update(why for _, status, why, _ in rows if status == "failed")
        self._budget.spend(sum(status == "failed" for status in statuses), self.reasons)

    def failures(self) -> list[dict]:
        """The reasons as a table, the most frequent first."""
        return [
            {"why it failed": why, "samples": count} for why, count in self.reasons.most_common(20)
        ]


def open_recorder(samples: Samples, settings: FrameSettings, work: str) -> Recorder:
    """The recorder of a piece of work, with the failures that its settings allow."""
    budget = FailureBudget(settings.max_failures, samples.count())
    return Recorder(root_dataset(samples), work, budget)
