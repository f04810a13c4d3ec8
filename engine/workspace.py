"""What a person finds in the App after an audit: a saved workspace and saved views."""

from __future__ import annotations

import fiftyone as fo
from fiftyone import ViewField as F

from .fields import STATUS
from .sidebar import install_groups, remove_groups

#: The workspace's name in the App.
NAME = "Second opinion"

#: Saved views and workspaces of ours carry this mark in their description.
MARK = "Made by Second Opinion"

# view: the tags of its samples, or of its labels
_TAGGED = {
    "Suspect": ["suspect"],
    "Paraphrase": ["paraphrase"],
    "Disputed": [
        "annotation_suspect",
        "scattered",
        "na_conflict",
        "triple_disagreement",
        "overruled",
    ],
    "Overruled": ["overruled"],
}


def install_workspace(dataset: fo.Dataset) -> str:
    """Saves the workspace with the dataset, in place of an earlier one of ours.

    Returns:
        the workspace's name

    Raises:
        ValueError: where a person saved a workspace of their own under this name
    """
    if NAME in dataset.list_workspaces():
        if not _is_ours(dataset.get_workspace_info(NAME)):
            raise ValueError(
                f"A workspace {NAME!r} that this audit did not make is saved with the dataset. "
                "Rename it, then run this again."
            )
        dataset.delete_workspace(NAME)
    description = f"{MARK}: the samples beside the map, the opinions and the review."
    dataset.save_workspace(NAME, build_workspace(), description=description)
    return NAME


def build_workspace() -> fo.Space:
    """The samples' grid on the left; on the right the confidence map, and the others as tabs."""
    grid = fo.Panel(type="Samples", pinned=True)
    confidence_map = fo.Panel(type="confidence_map")
    panels = [confidence_map, fo.Panel(type="opinion_viewer"), fo.Panel(type="review")]
    return fo.Space(
        children=[
            # without an active child a space stays blank
            fo.Space(children=[grid], active_child=grid.component_id),
            fo.Space(children=panels, active_child=confidence_map.component_id),
        ],
        orientation="horizontal",
        sizes=[0.45, 0.55],
    )


def install_views(dataset: fo.Dataset, stage: str, segments: str | None = None) -> None:
    """Saves the views that people ask for first, the workspace, and the sidebar's groups.

    A person's own view or workspace of the same name stays as it is.

    Args:
        dataset: the dataset, tagged
        stage: the stage whose status tells which samples could not be judged
        segments: the field whose labels were tagged, and not the samples: the views are then
            of these labels, named after their field, as those of samples may be there too
    """
    views = {
        name: dataset.match_tags(tags) if segments is None else _labels(dataset, segments, tags)
        for name, tags in _TAGGED.items()
    }
    if segments is not None:
        views["Not scored"] = _labels(dataset, segments, ["unscored"])
        views = {f"{name}: {segments}": view for name, view in views.items()}
    elif dataset.get_field(f"{STATUS}.{stage}") is not None:
        # of what the stage never saw, too, nothing is known
        views["Not scored"] = dataset.match(F(f"{STATUS}.{stage}") != "ok")
    for name, view in views.items():
        if name in dataset.list_saved_views():
            if not _is_ours(dataset.get_saved_view_info(name)):
                continue
            dataset.delete_saved_view(name)
        dataset.save_view(name, view, description=f"{MARK}.")
    if NAME not in dataset.list_workspaces() or _is_ours(dataset.get_workspace_info(NAME)):
        install_workspace(dataset)
    install_groups(dataset)


def _labels(dataset: fo.Dataset, field: str, tags: list[str]) -> fo.DatasetView:
    return dataset.filter_labels(field, F("tags").contains(tags))


def remove_views(dataset: fo.Dataset) -> None:
    """Removes the saved views, the workspaces and the sidebar's groups that we made."""
    remove_groups(dataset)
    for name in dataset.list_saved_views():
        if _is_ours(dataset.get_saved_view_info(name)):
            dataset.delete_saved_view(name)
    for name in dataset.list_workspaces():
        if _is_ours(dataset.get_workspace_info(name)):
            dataset.delete_workspace(name)


def _is_ours(info: dict) -> bool:
    return (info["description"] or "").startswith(MARK)
