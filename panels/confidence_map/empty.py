"""What the map says where there is nothing to show yet: which stage to run, and why."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo

from ...agreement.aspects import ACTION100M, ACTION100M_HOISTED
from .found import Found


@dataclass(frozen=True)
class NextStage:
    """The stage that brings the map a step nearer.

    Attributes:
        operator: the operator's name
        label: what the button says
        reason: a sentence: what is missing
    """

    operator: str
    label: str
    reason: str


def next_stage(dataset: fo.Dataset) -> NextStage:
    """Finds the first stage whose result a dataset lacks, in the order of an audit."""
    schema = dataset.get_field_schema()
    opinions = [name for aspect in ACTION100M for name in aspect.opinions.values()]
    annotations = [aspect.annotation for aspect in ACTION100M]
    if not dataset.count():
        return NextStage(
            "import_action100m",
            "Import annotations",
            "This dataset is empty. Import annotations of your videos first.",
        )
    sources = [name for name in ACTION100M_HOISTED if name in schema]
    if sources and not any(name in schema for name in annotations):
        return NextStage(
            "hoist_labels",
            "Hoist labels",
            f"The annotations are still inside segments ({sources[0]} and others). Hoist them "
            "to one text a sample, so that they can be compared.",
        )
    if any(name in schema for name in annotations) and not any(n in schema for n in opinions):
        return NextStage(
            "read_opinions",
            "Read opinions",
            "There are annotations, but no other model's opinions to compare them with. "
            "Read a model's answers, or ask a model with the stage caption.",
        )
    return NextStage(
        "score_agreement",
        "Score agreement",
        "Nothing was compared yet: no sample has both a lexical and a semantic score. "
        "Score the agreement of your annotations with the opinions.",
    )


def stage_for(view: str, found: Found) -> NextStage | None:
    """The stage whose results a view needs and the dataset lacks; None where it has them."""
    score = NextStage(
        "score_agreement",
        "Score agreement",
        "Too little was compared for this view. Score the agreement of your annotations with "
        "the opinions of two witnesses or more.",
    )
    calibrate = NextStage(
        "calibrate",
        "Calibrate",
        "There are no confidences yet. Calibrate learns them from the dataset's own wrongly "
        "paired texts, without labels.",
    )
    embed = NextStage(
        "embed",
        "Embed",
        "There is no projection yet. Look at the samples through a lens, and let the brain make "
        "a visualization of it.",
    )
    needs = {
        "agreement": (found.comparable(), score),
        "confidence": (found.confidences, calibrate),
        "witnesses": (found.pairs(), score),
        "lens": (found.lenses, embed),
        "table": (found.edges, score),
    }
    there, stage = needs[view]
    return None if there else stage
