"""How far a self test's recall is right where a known part of the labels is wrong.

    python3 bootstrap.py --database benchmarks -- python -m benchmarks.self_test

15% of the annotations are replaced, as in ``benchmarks.verdicts``. What ``self_test`` says of each
kind of error is compared with what it says on the annotations that were left alone: without
confidences; with the labels of the least confidence left out, as many as are expected to be
wrong; and with all labels weighed by their confidence, which is what it does. Texts come from
../shared/data where it is there, and are made up otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np

from benchmarks.scenarios import (
    DATA,
    Clips,
    action100m,
    coco,
    generated,
    replace_any,
    replace_within,
)

KINDS = ("other_clip", "actor", "attribute", "object", "number", "negation", "swap")
MOST = 800  # clips of a scenario: each is encoded once for every kind of error
SEED = 51


def measure(clips: Clips, aspect: str, replace: Callable) -> dict[str, dict[str, tuple]]:
    """``{way: {kind: (recall, AUROC)}}`` of one aspect of a contaminated dataset."""
    sources = replace(clips, SEED)
    texts = clips.with_replaced(sources)[aspect]
    witnesses = clips.opinions.items()
    aspects = [
        {"name": "it", "annotation": "label", "opinions": {w: f"by_{w}" for w, _ in witnesses}}
    ]
    dataset = fo.Dataset()
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/{i}.mp4", fine=bool(sources[i] == i), label=texts[i])
            for i in range(min(MOST, len(clips)))
        ],
        progress=False,
    )
    for witness, said in witnesses:
        dataset.set_values(f"by_{witness}", said[: len(dataset)])

    def told(samples: fo.core.collections.SampleCollection) -> dict[str, tuple]:
        settings = {"aspects": aspects, "kinds": list(KINDS), "sample_size": MOST}
        report = foo.get_operator("@second-opinion/audit/self_test")(samples, **settings)
        return {
            row["kind"]: (row["recall at 5% false alarms"], row[f"auroc {row['best']}"])
            for row in report["detection"]
            if "best" in row
        }

    ways = {"right labels only": told(dataset.match({"fine": True})), "as they are": told(dataset)}
    foo.get_operator("@second-opinion/audit/calibrate")(dataset, aspects=aspects)
    ways["weighed"] = told(dataset)
    trust = np.array(dataset.values("confidence_it"), dtype=float)
    least = np.argsort(trust)[: round(np.nansum(1 - trust))]
    kept = np.where(np.isnan(trust), np.nan, 1.0)
    kept[least] = 0.0
    dataset.set_values("confidence_it", [None if k != k else k for k in kept.tolist()])
    ways["least left out"] = told(dataset)
    dataset.delete()
    return ways


def main() -> None:
    """Measures every scenario and prints what each way says."""
    fo.config.show_progress_bars = False
    scenarios = [("made-up scenes", generated(), "caption", replace_any)]
    if DATA.is_dir():
        scenarios.append(("COCO", coco(), "caption", replace_any))
        scenarios.append(("Action100M, within", action100m(), "sum_detailed", replace_within))
    print("| texts | kind | right labels only | as they are | least left out | weighed |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    off: dict[str, list[float]] = {}
    for name, clips, aspect, replace in scenarios:
        ways = measure(clips, aspect, replace)
        order = ("right labels only", "as they are", "least left out", "weighed")
        for kind, (recall, _) in ways["right labels only"].items():
            cells = [f"{ways[w][kind][0]:.2f} ({ways[w][kind][1]:.2f})" for w in order]
            print(f"| {name} | {kind} | " + " | ".join(cells) + " |", flush=True)
            for way in order[1:]:
                off.setdefault(way, []).append(ways[way][kind][0] - recall)
    for way, gaps in off.items():
        side = f"{np.mean(gaps):+.3f} to one side"
        print(f"\n{way}: recall off by {np.abs(gaps).mean():.3f} in the mean, {side}")


if __name__ == "__main__":
    main()
