"""What earlier runs compared: the aspects of samples, or of the segments of a field."""

from __future__ import annotations

import json

import fiftyone as fo

from ..agreement.aspects import Aspect, read_aspects
from ..engine.provenance import run_keys
from ..engine.table import work_name


def scored_aspects(dataset: fo.Dataset, segments: str | None = None) -> list[tuple[Aspect, ...]]:
    """The aspects of each run of score_agreement, the newest run first.

    Args:
        dataset: the dataset
        segments: the field whose labels were compared; None for whole samples
    """
    found = []
    for key in reversed(run_keys(dataset, work_name("score_agreement", segments))):
        settings = getattr(dataset.get_run_info(key).config, "settings", None) or {}
        given = settings.get("aspects")
        try:
            listed = json.loads(given) if isinstance(given, str) and given[:1] == "[" else given
            found.append(tuple(read_aspects(listed)))
        except (TypeError, ValueError):  # a run of another version
            continue
    return found
