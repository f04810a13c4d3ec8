"""Progress as a person reads it: how many of how many, at which rate, and how long it takes yet."""

import os
from types import SimpleNamespace

import fiftyone as fo
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine import progress


@pytest.mark.parametrize(
    ("seconds", "done", "says"),
    [
        (1.0, 0, "0 of 1,000, 0.00/s, time left unknown"),
        (1.0, 40, "40 of 1,000, 40/s, 24 s left"),
        (10.0, 40, "40 of 1,000, 4.00/s, 4 min 0 s left"),
        (100.0, 4, "4 of 1,000, 0.04/s, 6 h 55 min left"),
        (100.0, 1_000, "1,000 of 1,000, 10/s, 0 s left"),
    ],
)
def test_rate_and_time_left(monkeypatch, seconds, done, says):
    clock = iter([0.0, seconds])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    told = []
    with progress.ReportedProgress(lambda share, label: told.append((share, label))).step(
        "Watching", 1_000
    ) as advance:
        advance(done)
    assert told == [(0.0, "Watching"), (done / 1_000, f"Watching: {says}")]


def test_of_how_many_is_not_said_where_nobody_knows():
    told = []
    whole = progress.ReportedProgress(lambda share, label: told.append((share, label)))
    with whole.step("Reading", 0) as advance:
        advance(5)
    assert told[-1][0] == 0.0 and told[-1][1].startswith("Reading: 5, ")


def test_the_label_and_the_share_of_a_part_are_those_of_the_whole():
    told = []
    whole = progress.ReportedProgress(lambda share, label: told.append((share, label)))
    with whole.share(0.5, 1.0, "embed: ").step("Watching", 2) as advance:
        progress.up_to(advance)(2)
    assert told[0] == (0.5, "embed: Watching") and told[-1][0] == 1.0


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo terminals")
def test_a_bar_is_drawn_on_a_terminal_that_does_not_know_its_width(monkeypatch, capsys):
    monkeypatch.setattr(fo.config, "show_progress_bars", True)
    monkeypatch.delenv("COLUMNS", raising=False)
    ends, kept = os.openpty(), os.dup(1)  # of 0 columns, until somebody says how many
    try:
        os.dup2(ends[1], 1)
        assert os.get_terminal_size().columns == 0
        with progress.TerminalProgress().step("Watching", 4) as advance:
            advance(2)
    finally:
        os.dup2(kept, 1)
        for opened in (kept, *ends):
            os.close(opened)
    assert " 50% " in capsys.readouterr().out
