"""Groups of the App's sidebar, so that sixty score fields do not drown a person's own."""

from __future__ import annotations

import re

import fiftyone as fo
from fiftyone.core.odm.dataset import SidebarGroupDocument

from .fields import LEDGER, STATUS, owned

#: What the names of our groups begin with; one of a person's own must be called otherwise.
PREFIX = "second opinion"

_RECORDS = re.compile(r"^(audit_|before_reviews_|grounding_|ruling_.*_(details|by)$)")
_REVIEWS = "audit_reviews"  # a person's work, but not to be read in a sidebar
_SCORES = re.compile(r"^(match|confidence)_")
_SCORING = "score_agreement"
#: group: whether it is open; in the order in which the sidebar shows them
_GROUPS = {PREFIX: True, f"{PREFIX}: scores": False, f"{PREFIX}: records": False}
# What these stages make is the person's to read, and stays where FiftyOne lists it.
_READ = ("import_action100m", "hoist_labels", "read_opinions", "caption", "embed", "classify")
# FiftyOne's own groups; a person who moved a field into another one wants it there.
_PLAIN = "primitives"
_DEFAULTS = ("tags", "metadata", "labels", _PLAIN, "other")


def install_groups(dataset: fo.Dataset) -> None:
    """Puts the fields that stages of ours made into groups of their own.

    A person's own groups, and what they put there, stay as they are.
    """
    config = dataset.app_config
    stages = owned(dataset)
    ours = [n for n, stage in stages.items() if stage not in _READ and "." not in n]
    if dataset.get_field(_REVIEWS) is not None:
        ours.append(_REVIEWS)
    groups = config.sidebar_groups or fo.DatasetAppConfig.default_sidebar_groups(dataset)
    theirs = [group for group in groups if not group.name.startswith(PREFIX)]
    kept = {path for group in theirs if group.name not in _DEFAULTS for path in group.paths or ()}
    mine: dict[str, list[str]] = {name: [] for name in _GROUPS}
    for name in ours:
        if name not in kept and name != "tags":
            mine[_group_of(name, stages.get(name))].append(name)
    moved = {name for names in mine.values() for name in names}
    for group in theirs:
        if group.name in _DEFAULTS:
            group.paths = [path for path in group.paths or () if path not in moved]
        elif group.name in (STATUS, LEDGER) and group.expanded is None:  # else a person chose
            group.expanded = False
    made = [
        SidebarGroupDocument(name=name, paths=paths, expanded=_GROUPS[name])
        for name, paths in mine.items()
        if paths
    ]
    at = 1 + next((i for i, group in enumerate(theirs) if group.name == "tags"), -1)
    config.sidebar_groups = [*theirs[:at], *made, *theirs[at:]]
    dataset.save()


def remove_groups(dataset: fo.Dataset) -> None:
    """Removes our groups; fields that remain go back to FiftyOne's group of plain fields."""
    groups = dataset.app_config.sidebar_groups or []
    ours = [group for group in groups if group.name.startswith(PREFIX)]
    left = [path for group in ours for path in group.paths or ()]
    if not ours:
        return
    theirs = [group for group in groups if group not in ours and group.name not in (STATUS, LEDGER)]
    for group in theirs:
        if group.name == _PLAIN:
            there = [path for path in left if dataset.get_field(path) is not None]
            group.paths = [*(group.paths or ()), *there]
    dataset.app_config.sidebar_groups = theirs
    dataset.save()


def _group_of(name: str, stage: str | None) -> str:
    if _RECORDS.match(name):
        return f"{PREFIX}: records"
    if stage == _SCORING or _SCORES.match(name):
        return f"{PREFIX}: scores"
    return PREFIX
