"""What a stage needs its samples, and their fields, to be."""

from __future__ import annotations

import fiftyone as fo

from ..engine import fields as owned_fields


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
    # Not count(): of a whole dataset that is an estimate, and wrong after a server's crash
    if not samples.limit(1).values("id"):
        what = "dataset" if isinstance(samples, fo.Dataset) else "view"
        return f"The {what} is empty, so there is nothing to work on."
    return None


def fields_problem(
    dataset: fo.Dataset, writes: dict[str, tuple], overwrite: bool
) -> dict[str, str]:
    """Which fields a stage must not write, since a person made them or they hold other things."""
    unfit = owned_fields.unfit(dataset, writes)
    if unfit:
        return {
            "fields": f"The dataset's own {_listed(unfit)} cannot hold what this stage "
            "writes. Rename what is there, or choose another name."
        }
    taken = owned_fields.not_ours(dataset, writes)
    if not taken or overwrite:
        return {}
    return {
        "overwrite": f"The dataset already has the {_listed(taken)}, which this audit did not "
        "write. Rename what is there, or set overwrite=True to replace it."
    }


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:4])
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"field{'s' if len(names) > 1 else ''} {shown}{more}"
