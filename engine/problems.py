"""What was wrong with what was read: counted by kind, with a few places of each."""

from __future__ import annotations

from typing import Any


class Problems:
    """Counts problems by kind and keeps a few examples of each.

    Args:
        examples: how many places are kept for each kind
    """

    def __init__(self, examples: int = 5) -> None:
        self._limit = examples
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, kind: str, where: str, count: int = 1) -> None:
        """Counts a problem.

        Args:
            kind: its name, such as ``orphan``
            where: the place, in words a person can follow
            count: how many such problems there are at this place
        """
        self._counts[kind] = self._counts.get(kind, 0) + count
        kept = self._examples.setdefault(kind, [])
        if len(kept) < self._limit:
            kept.append(where)

    def __len__(self) -> int:
        return sum(self._counts.values())

    def __getitem__(self, kind: str) -> int:
        return self._counts.get(kind, 0)

    def rows(self) -> list[dict[str, Any]]:
        """The problems as a table, the most frequent first; examples in one text."""
        return [
            {"problem": kind, "count": kept["count"], "examples": "; ".join(kept["examples"])}
            for kind, kept in self.report().items()
        ]

    def report(self) -> dict[str, dict[str, Any]]:
        """The problems, the most frequent first: ``{kind: {"count", "examples"}}``."""
        kinds = sorted(self._counts, key=lambda kind: (-self._counts[kind], kind))
        return {
            kind: {"count": self._counts[kind], "examples": list(self._examples[kind])}
            for kind in kinds
        }
