"""Looks for answers and rows that break their readers, led by what code they reach.

    python -m tests.faults.fuzzing SECONDS      # needs pip install atheris

Ends with the number of inputs tried; one that breaks a reader is written to a file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

#: Inputs that once broke a reader.
FOUND: list[str] = [
    "",
    '{"```json [1]```"}',  # an assertion of json-repair's own
    "\ud800",
    "[" * 3_000,
    '{"summary": ' * 500,
]


def check_answer(read: Callable, wanted: Sequence[str], raw: object) -> None:
    """Asserts what holds of every answer, however broken."""
    answer = read(raw, wanted)
    assert set(answer.texts) == set(wanted)
    assert answer.outcome in ("complete", "partial", "unreadable", "empty")
    for text in answer.texts.values():
        assert text is None or (isinstance(text, str) and text.strip())
    if answer.outcome == "unreadable":
        assert answer.reason and not any(answer.texts.values())


def main(seconds: int) -> None:
    """Fuzzes the reader of answers and the importer for so long."""
    import atheris

    with atheris.instrument_imports(include=["json_repair", "fiftyone.plugins"]):
        import fiftyone.operators

        fiftyone.operators.list_operators()  # the plugin, by its path
        from fiftyone.plugins.orgs.second_opinion.audit.agreement.aspects import ACTION100M_ANSWER
        from fiftyone.plugins.orgs.second_opinion.audit.engine.problems import Problems
        from fiftyone.plugins.orgs.second_opinion.audit.models.answers import read_answer
        from fiftyone.plugins.orgs.second_opinion.audit.operators import action100m, timed_labels

    def one_input(data: bytes) -> None:
        given = atheris.FuzzedDataProvider(data)
        as_row = given.ConsumeBool()
        raw = given.ConsumeUnicode(4_000)
        if not as_row:
            check_answer(read_answer, ACTION100M_ANSWER, raw)
            return
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError):
            return
        if isinstance(row, dict):
            notes = timed_labels.Notes(Problems(), Problems(), "row 1")
            action100m.read_uid(row)
            action100m.read_video(row, "uid", timed_labels.Clip(90.0), False, notes)

    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", "-timeout=20", *sys.argv[2:]], one_input
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]))
