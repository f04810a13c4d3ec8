"""What earlier runs compared: the aspects of samples, or of the segments of a field."""

from __future__ import annotations

import fiftyone as fo

from ..agreement.aspects import Aspect, recall_aspects
from ..engine.provenance import run_configs
from ..engine.table import work_name

#: The aspect shown first where there is a choice: the longest text says most.
FIRST_ASPECT = "sum_detailed"


def scored_aspects(dataset: fo.Dataset, segments: str | None = None) -> list[tuple[Aspect, ...]]:
    """The aspects of each run of score_agreement, the newest run first.

    Args:
        dataset: the dataset
        segments: the field whose labels were compared; None for whole samples
    """
    work = work_name("score_agreement", segments)
    settings = (getattr(config, "settings", None) for config in run_configs(dataset, work))
    return [aspects for aspects in map(recall_aspects, settings) if aspects]
