"""Killed at any moment and run again, the stages end where an undisturbed run ends.

`make faults` kills a hundred times, and with stages that watch clips.
"""

import random

import pytest

killing = pytest.importorskip(
    "tests.faults.killing", reason="the checkout's root is not on the path"
)


def test_killed_stages_end_like_undisturbed_ones(tmp_path):
    killing.write_inputs(tmp_path, 24, random.Random(51))
    after = killing.kill_and_compare(tmp_path, kills=3, seed=random.Random(7).randrange(1000))
    assert sum(after.values()) == 3
