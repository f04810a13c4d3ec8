"""Queued runs of ours on the dataset that is open: which have ended since a panel last looked."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone.operators as foo
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionRunState

#: Milliseconds between two looks. The App tells no panel that a queued run has ended.
INTERVAL = 10_000
_OVER = (ExecutionRunState.COMPLETED, ExecutionRunState.FAILED)


@dataclass(frozen=True)
class Ended:
    """A run that has ended.

    Attributes:
        label: the operator's name as a person reads it
        failed: whether it failed
        why: the last line of what went wrong
    """

    label: str
    failed: bool
    why: str = ""

    def tell(self) -> str:
        """The word to the person who queued it."""
        if self.failed:
            return f"{self.label} failed: {self.why or 'its worker said no more'}"
        return f"{self.label} has finished. Reload the dataset to see what it wrote."


def look(ctx: foo.ExecutionContext, plugin: str) -> tuple[list[Ended], list[str]]:
    """The runs that ended since the panel last looked, and the ids of those under way.

    What was under way then is in the panel's state; a panel that never looked knows of none.
    """
    if ctx.dataset is None:
        return [], []
    known = set(ctx.panel.state.get("under_way") or [])
    operations = DelegatedOperationService().list_operations(dataset_id=ctx.dataset._doc.id)
    ours = [op for op in operations if op.operator.startswith(f"{plugin}/")]
    under_way = [str(op.id) for op in ours if op.run_state not in _OVER]
    return [_ended(op) for op in ours if str(op.id) in known and op.run_state in _OVER], under_way


def _ended(operation: object) -> Ended:
    uri = operation.operator
    known = foo.operator_exists(uri)
    label = foo.get_operator(uri).config.label if known else uri.rpartition("/")[2]
    failed = operation.run_state == ExecutionRunState.FAILED
    error = getattr(operation.result, "error", None) if failed else None
    lines = str(error or "").strip().splitlines()
    return Ended(label, failed, lines[-1][:300] if lines else "")
