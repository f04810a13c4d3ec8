"""Open the audit: one button above the grid that shows the samples beside our panels."""

from __future__ import annotations

import fiftyone.operators as foo
from fiftyone.operators.types import Button, Placement, Places, RiskLevel

from ..engine.workspace import NAME, install_workspace

# The browser of operators has an icon for each theme; a button has one, grey on both.
_ICON = "/assets/second_opinion.svg"
_ICONS = {
    "icon": _ICON,
    "light_icon": "/assets/second_opinion_light.svg",
    "dark_icon": "/assets/second_opinion_dark.svg",
}


class OpenAudit(foo.Operator):
    """Opens the saved workspace, and saves it first where the dataset has none."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="open_audit",
            label="Open the audit",
            description="Shows the samples beside the confidence map, the opinions and the review. "
            f"Saves the workspace {NAME!r} where the dataset has none.",
            risk_level=RiskLevel.LOW,
            **_ICONS,
        )

    def resolve_placement(self, ctx: foo.ExecutionContext) -> Placement:
        """A button above the samples' grid."""
        button = Button(label="Second opinion: open the audit", icon=_ICON, prompt=False)
        return Placement(Places.SAMPLES_GRID_SECONDARY_ACTIONS, button)

    def execute(self, ctx: foo.ExecutionContext) -> None:
        """Opens the workspace; a person's own of that name is opened as it is."""
        if ctx.dataset is None:
            ctx.ops.notify("Open a dataset first.", variant="error")
            return
        if NAME not in ctx.dataset.list_workspaces():
            install_workspace(ctx.dataset)
        ctx.ops.set_spaces(name=NAME)
