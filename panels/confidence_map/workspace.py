"""The saved workspace that opens the map beside the samples."""

from __future__ import annotations

import fiftyone as fo

#: The workspace's name in the App.
NAME = "Second opinion"

#: Clearing an audit removes the workspaces that carry this mark, and no others.
_DESCRIPTION = "Made by Second Opinion: the samples beside the confidence map."


def install_workspace(dataset: fo.Dataset) -> str:
    """Saves the workspace with the dataset, in place of an earlier one of ours.

    Returns:
        the workspace's name

    Raises:
        ValueError: where a person saved a workspace of their own under this name
    """
    if NAME in dataset.list_workspaces():
        if dataset.get_workspace_info(NAME)["description"] != _DESCRIPTION:
            raise ValueError(
                f"A workspace {NAME!r} that this audit did not make is saved with the dataset. "
                "Rename it, then run this again."
            )
        dataset.delete_workspace(NAME)
    dataset.save_workspace(NAME, build_workspace(), description=_DESCRIPTION)
    return NAME


def build_workspace() -> fo.Space:
    """The samples' grid on the left, the confidence map on the right."""
    grid = fo.Panel(type="Samples", pinned=True)
    confidence_map = fo.Panel(type="confidence_map")
    return fo.Space(
        children=[
            # without an active child a space stays blank
            fo.Space(children=[grid], active_child=grid.component_id),
            fo.Space(children=[confidence_map], active_child=confidence_map.component_id),
        ],
        orientation="horizontal",
        sizes=[0.45, 0.55],
    )
