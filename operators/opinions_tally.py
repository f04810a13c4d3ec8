"""What became of a witness's answers, counted for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..engine.failures import FailureBudget
from ..engine.problems import Problems
from ..models.answers import EMPTY, UNREADABLE, Answer


class Tally:
    """Counts answers by outcome, form and the names that they fill.

    Args:
        budget: told of the answers that cannot be read

    Attributes:
        problems: what was wrong, and where
        kept: how many samples were up to date
    """

    def __init__(self, budget: FailureBudget) -> None:
        self._budget = budget
        self.problems = Problems()
        self.kept = 0
        self._kinds: Counter = Counter()

    def count(self, answer: Answer, where: str, instead_of: tuple | None = None) -> tuple:
        """Counts an answer, perhaps in the place of an earlier one; gives its kind."""
        found = tuple(name for name, text in answer.texts.items() if text is not None)
        kind = (answer.outcome, answer.form, found)
        self._kinds[kind] += 1
        if instead_of:
            self._kinds[instead_of] -= 1
        if answer.outcome == UNREADABLE:
            self.problems.add("answer_unreadable", f"{where}: {answer.reason}")
        return kind

    def silent(self, count: int) -> None:
        """Counts samples that have no answer at all."""
        self._kinds[EMPTY, "none", ()] += count

    def by(self, part: int) -> Counter:
        """Answers by outcome (0) or form (1)."""
        counts: Counter = Counter()
        for kind, n in self._kinds.items():
            if part == 0 or kind[0] not in (EMPTY, UNREADABLE):
                counts[kind[part]] += n
        return +counts

    def filled(self, name: str) -> int:
        """How many samples have a text of this name."""
        return sum(n for kind, n in self._kinds.items() if name in kind[2])

    def spend(self, unreadable: Sequence[Answer]) -> None:
        """Tells the budget of answers that could not be read, once that is written."""
        self._budget.spend(len(unreadable), Counter(answer.reason for answer in unreadable))
