"""Requeue stale: put back into the queue what a dead worker left running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionRunState

from ..engine.columns import root_dataset
from ..engine.heartbeat import INTERVAL, dead_operations
from ..engine.progress import Progress
from .base import PLUGIN, Stage
from .settings import Settings, setting

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class RequeueSettings(Settings):
    seconds: float = setting(
        5 * INTERVAL,
        "Seconds",
        "How long to watch for signs of life; a slow database or a busy machine wants more",
        low=2 * INTERVAL,
        high=3600.0,
    )


# ---- work ----


class RequeueStale(Stage):
    """Finds queued operations whose worker is gone, and queues them again."""

    name = "requeue_stale"
    label = "Requeue stale operations"
    description = (
        "Finds operations of this plugin that are called running though their worker is gone, "
        "and queues them again; every stage goes on where it stopped. Writes no sample."
    )
    icon = "restart_alt"
    settings = RequeueSettings
    needs_samples = False

    def work(self, samples: Samples | None, settings: RequeueSettings, progress: Progress) -> dict:
        running = _running(samples)
        label = f"Watching {len(running)} running operations for {settings.seconds:g} seconds"
        with progress.step(label, len(running)) as advance:
            dead = dead_operations(running, settings.seconds)
            advance(len(running))
        service = DelegatedOperationService()
        # another person may have done the same meanwhile: only what still runs is put back
        requeued = [
            operation
            for operation in dead
            if service.set_queued(operation, required_state=ExecutionRunState.RUNNING)
        ]
        summary = (
            f"{len(requeued)} of {len(running)} running operations had no living worker and are "
            f"queued again; {len(running) - len(dead)} still work."
        )
        return {
            "summary": [summary],
            "running": len(running),
            "alive": len(running) - len(dead),
            "requeued": [str(operation) for operation in requeued],
        }


def _running(samples: Samples | None) -> list[ObjectId]:
    name = None if samples is None else root_dataset(samples).name
    operations = DelegatedOperationService().get_running_operations(dataset_name=name)
    return [op.id for op in operations if op.operator.startswith(f"{PLUGIN}/")]
