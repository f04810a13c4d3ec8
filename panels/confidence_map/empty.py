"""Which stage brings what a view of the map has not got."""

from __future__ import annotations

from ..next_stage import NextStage
from .found import Found


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
