"""What a stage needs its samples to be."""

from __future__ import annotations

import fiftyone as fo


def samples_problem(samples: object) -> str | None:
    """Why a stage cannot work on these samples, in a sentence; None where it can."""
    if samples is None:
        return "This stage needs a dataset or a view; none was given."
    if not isinstance(samples, fo.core.collections.SampleCollection):
        return f"This stage needs a FiftyOne dataset or view, not a {type(samples).__name__}."
    if getattr(samples, "_is_generated", False):
        return (
            "This view is made of clips, patches or frames, and what is written to it would be "
            "lost. Give the dataset or a view of its samples."
        )
    if not samples.count():
        what = "dataset" if isinstance(samples, fo.Dataset) else "view"
        return f"The {what} is empty, so there is nothing to work on."
    return None
