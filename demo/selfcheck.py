"""How many planted errors a rule found, and how many good labels it accused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo.errors import KINDS

#: What becomes of one annotation under one rule; None where it could not be judged.
Accused = Mapping[str, bool | None]

GOOD = "good label"
BEYOND = "true, but goes beyond the clip"


@dataclass(frozen=True)
class Rule:
    """One way to accuse annotations.

    Attributes:
        name: a few words, the column's heading
        meaning: a sentence that says when an annotation is accused
        accused: ``{uid: whether}``, None where it could not be judged
    """

    name: str
    meaning: str
    accused: Accused


@dataclass(frozen=True)
class Outcome:
    """What a rule made of the annotations of one kind.

    Attributes:
        total: how many there are
        accused: how many were accused
        unjudged: how many could not be judged
    """

    total: int
    accused: int
    unjudged: int


def measure(rule: Rule, kinds: Mapping[str, str]) -> dict[str, Outcome]:
    """Counts what a rule accused, kind by kind.

    Args:
        rule: the rule
        kinds: ``{uid: kind of annotation}``: a planted error's kind, `GOOD` or `BEYOND`

    Returns:
        ``{kind: outcome}``
    """
    outcomes = {}
    for kind in dict.fromkeys(kinds.values()):
        judged = [rule.accused.get(uid) for uid, other in kinds.items() if other == kind]
        accused = sum(verdict is True for verdict in judged)
        outcomes[kind] = Outcome(len(judged), accused, sum(v is None for v in judged))
    return outcomes


def kinds_of(truth: Mapping[str, Mapping], coverage: Mapping[str, float | None]) -> dict[str, str]:
    """The kind of every annotation.

    Args:
        truth: ``{uid: {"kind": kind or None}}``
        coverage: ``{uid: share of the annotated video that the clip shows}``

    Returns:
        ``{uid: kind}``; what is true of a longer video is neither an error nor a good label
    """
    kinds = {}
    for uid, known in truth.items():
        share = coverage.get(uid)
        whole = share is None or share > 0.99
        kinds[uid] = known["kind"] or (GOOD if whole else BEYOND)
    return kinds


def report(rules: Sequence[Rule], kinds: Mapping[str, str]) -> list[str]:
    """The result as lines of text: a table, what it adds up to, and what the rules mean."""
    outcomes = [measure(rule, kinds) for rule in rules]
    planted = [kind for kind in KINDS if kind in kinds.values()]
    wide = max(len(words) for words in (*KINDS.values(), BEYOND)) + 2
    columns = [max(len(rule.name), 12) for rule in rules]
    head = "".join(f"  {rule.name:>{w}}" for rule, w in zip(rules, columns))
    lines = [f"{'':{wide}}{'labels':>8}{head}"]

    def line(words: str, chosen: Sequence[str]) -> str:
        cells = []
        for outcome, width in zip(outcomes, columns):
            accused = sum(outcome[kind].accused for kind in chosen)
            cells.append(f"  {accused:>{width}}")
        total = sum(1 for kind in kinds.values() if kind in chosen)
        return f"{words:{wide}}{total:>8}{''.join(cells)}"

    lines += [line(KINDS[kind], [kind]) for kind in planted]
    lines.append(line("all planted errors", planted))
    lines += [line(kind, [kind]) for kind in (GOOD, BEYOND) if kind in kinds.values()]
    lines.append("")
    for rule, outcome in zip(rules, outcomes):
        lines += [*_in_words(rule, outcome, planted), ""]
    return lines[:-1]


def _in_words(rule: Rule, outcome: Mapping[str, Outcome], planted: Sequence[str]) -> list[str]:
    wrong = sum(outcome[kind].total for kind in planted)
    found = sum(outcome[kind].accused for kind in planted)
    good = outcome.get(GOOD, Outcome(0, 0, 0))
    unjudged = sum(counts.unjudged for counts in outcome.values())
    sentence = (
        f"{rule.name} found {found} of {wrong} planted errors and accused {good.accused} of "
        f"{good.total} good labels"
    )
    if found + good.accused:
        sentence += f"; {found / (found + good.accused):.0%} of these accusations are right"
    return [
        f"{sentence}.",
        f"  {rule.meaning}",
        f"  {unjudged} labels could not be judged, for want of a readable answer.",
    ]
