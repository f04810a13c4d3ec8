"""What the demo's stages cost until there is a map, against the ways that were given up.

    python3 bootstrap.py --database benchmarks -- python -m benchmarks.first_map

Renders the demo's clips and asks its witnesses first, unless that was done. Then all stages run
twice on a dataset made anew: once as they are; and once where every batch and every small fit is
shared by all threads, and the process forgets what it encoded when a stage ends. Prints seconds,
those of the processor in brackets, and whether both wrote the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from unittest import mock

import fiftyone as fo
import fiftyone.operators as foo

from demo import audit
from demo.__main__ import CLIPS, FOLDER, make_material
from demo.scenes import make_scenes

NAME = "second-opinion-first-map"


def main() -> None:
    """Measures both ways and prints a table."""
    answers = make_material(make_scenes(CLIPS), FOLDER)
    foo.list_operators()  # loads the plugin
    from fiftyone.plugins.orgs.second_opinion.audit.models import columns, encoder
    from fiftyone.plugins.orgs.second_opinion.audit.operators import calibrate

    audit.show_bars(False)
    now, written = run(answers, lambda: None)
    texts, size = len(columns._known), columns._known.currsize / 2**20
    with (
        mock.patch.object(encoder, "side_by_side", lambda on_cpu: nullcontext(map)),
        mock.patch.object(calibrate, "one_blas_thread", nullcontext()),
    ):
        before, same = run(answers, columns._known.clear)
    print("\n| stage | before | now |\n| --- | ---: | ---: |")
    for (stage, *cost), (_, *new) in zip(before, now, strict=True):
        print(f"| {stage} | {_words(*cost)} | {_words(*new)} |")
    totals = [[sum(part) for part in zip(*(cost for _, *cost in way))] for way in (before, now)]
    print(f"| all | {_words(*totals[0])} | {_words(*totals[1])} |")
    furthest = max(
        abs((a or 0.0) - (b or 0.0))
        for column, other in zip(written, same, strict=True)
        for a, b in zip(column, other, strict=True)
    )
    print(
        f"\nThe numbers written differ by {furthest:.0e} at most. {texts} texts took {size:.0f} MB."
    )


def run(answers: dict, between: Callable) -> tuple[list[tuple[str, float, float]], list]:
    """One way: ``[(stage, seconds, of the processor)]``, and all numbers that were written."""
    if fo.dataset_exists(NAME):
        fo.delete_dataset(NAME)
    between()
    costs, began = [], [time.monotonic(), time.process_time()]

    def said(line: str) -> None:
        spent = time.monotonic() - began[0], time.process_time() - began[1]
        costs.append((line.partition(":")[0], *spent))
        print(f"load {os.getloadavg()[0]:.0f}  {_words(*spent)}  {line[:60]}", flush=True)
        between()
        began[:] = [time.monotonic(), time.process_time()]

    parquet = FOLDER / "annotations.parquet"
    dataset, _ = audit.run_stages(NAME, parquet, FOLDER / "clips", answers, said)
    numbers = [n for n, f in dataset.get_field_schema().items() if isinstance(f, fo.FloatField)]
    written = dataset.sort_by("video_uid").values(sorted(numbers))
    dataset.delete()
    return costs, written


def _words(seconds: float, processor: float) -> str:
    return f"{seconds:.1f} s ({processor:.1f} s)"


if __name__ == "__main__":
    main()
