"""Parts of a dataset or view for many workers: ranges of ids, so that no two share a sample."""

from __future__ import annotations

from typing import TypeAlias

import fiftyone as fo
from bson import ObjectId
from fiftyone import ViewField as F

Samples: TypeAlias = fo.core.collections.SampleCollection


def cut(samples: Samples, count: int, block: int = 1) -> list[list[str]]:
    """Cuts samples into ranges of ids.

    Ids never change, so the parts stay apart even where what one worker writes moves
    samples out of the view. The first and the last part are open: samples that are
    added while others wait in the queue belong to one of them.

    Args:
        samples: a dataset or view
        count: how many parts are wanted
        block: parts are multiples of so many samples, so that batches fall as they
            would with one worker

    Returns:
        at most ``count`` parts ``[first id, first id of the next part]``, "" where open
    """
    ids = sorted(samples.values("id"))
    blocks = -(-len(ids) // block)
    count = max(1, min(count, blocks))
    starts = [part * blocks // count * block for part in range(count)]
    bounds = ["", *(ids[start] for start in starts[1:]), ""]
    return [list(pair) for pair in zip(bounds, bounds[1:])]


def between(samples: Samples, first: str, end: str) -> fo.DatasetView:
    """The samples from the id ``first`` on and before ``end``; "" leaves a side open."""
    view = samples.view()
    if first:
        view = view.match(F("_id") >= ObjectId(first))
    return view.match(F("_id") < ObjectId(end)) if end else view
