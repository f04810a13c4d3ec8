"""What a person finds in the App after an audit: saved views, sidebar, workspace."""

from __future__ import annotations

import fiftyone as fo

#: Saved views and workspaces of ours carry this mark in their description.
MARK = "Made by Second Opinion"


def remove_views(dataset: fo.Dataset) -> None:
    """Removes the saved views and workspaces that we made."""
    for name in dataset.list_saved_views():
        if MARK in (dataset.get_saved_view_info(name)["description"] or ""):
            dataset.delete_saved_view(name)
    for name in dataset.list_workspaces():
        if MARK in (dataset.get_workspace_info(name)["description"] or ""):
            dataset.delete_workspace(name)
