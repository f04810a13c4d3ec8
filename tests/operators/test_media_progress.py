"""Stages that watch clips: told at every clip how far they are, stopped within a batch."""

import fiftyone as fo
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine.heartbeat import Cancelled
from fiftyone.plugins.orgs.second_opinion.audit.engine.progress import ReportedProgress

from tests.operators.watchers import FRAMES, WATCHERS


class Stop:
    """Lets a run be told to stop after so many looks at whether it is."""

    def __init__(self, looks):
        self.looks = looks

    def __call__(self):
        self.looks -= 1
        if self.looks < 0:
            raise Cancelled("stopped")


@pytest.mark.parametrize("stage", WATCHERS)
def test_a_run_that_is_told_to_stop_keeps_what_it_did_and_the_next_does_the_rest(
    clips, operator, checkpoint, stage
):
    architecture, own, _, counted, field = WATCHERS[stage]
    given = {"model": checkpoint(architecture), **own, **FRAMES}
    stopped = ReportedProgress(lambda share, label: None, check=Stop(looks=3))
    with pytest.raises(Cancelled):
        operator(stage)(clips, **given, progress=stopped)
    assert clips.exists(field).count() == 4  # two whole batches of the eight clips
    assert operator(stage)(clips, **given)[counted] == 4
    assert clips.exists(field).count() == 8


@pytest.mark.parametrize("stage", WATCHERS)
def test_progress_counts_what_failed_as_well_and_ends_at_the_end(
    clips, operator, checkpoint, stage
):
    architecture, own, *_ = WATCHERS[stage]
    clips.add_samples([fo.Sample(filepath=f"/no/such/{i}.mp4") for i in range(3)])
    told = []
    operator(stage)(
        clips, model=checkpoint(architecture), **own, **FRAMES,
        progress=ReportedProgress(lambda share, label: told.append((share, label))),
    )  # fmt: skip
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert ": 11 of 11, " in told[-1][1] and told[-1][1].endswith("/s, 0 s left")
