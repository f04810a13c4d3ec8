"""Every stage in a row, in processes that may be killed at any moment and started again.

    python -m tests.faults.pipeline FOLDER

``FOLDER`` holds ``rows.jsonl``; with ``lens`` and ``witness`` in it (tiny checkpoints), the
stages that watch clips run as well. Says "ready" once all is loaded that costs time, and does the
work in a process of its own for each dataset's name that it is told.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

NAMES = ("sum_brief", "act_brief")
ASPECTS = [
    {
        "name": name,
        "annotation": f"root_{name}",
        "opinions": {"q": f"q_{suffix}", "m": f"m_{suffix}"},
    }
    for name, suffix in (("sum_brief", "summary_brief"), ("act_brief", "action_brief"))
]
HOISTED = {"gpt_summary_brief": "root_sum_brief", "gpt_action_brief": "root_act_brief"}
FRAMES = {"fps": 5.0, "max_frames": 2, "max_pixels": 48 * 32, "batch_size": 4}


def stages(folder: Path) -> list[tuple[str, dict]]:
    """The stages after the import, in order: name and settings."""
    answers = [
        ("read_opinions", {"prefix": w, "file": str(folder / f"answers_{w}.jsonl")}) for w in "qm"
    ]
    text = [
        ("hoist_labels", {"fields": HOISTED}),
        *answers,
        ("score_agreement", {"aspects": ASPECTS}),
        ("calibrate", {"aspects": ASPECTS}),
        ("tag_confidence", {"aspects": ASPECTS, "aspect": "sum_brief"}),
        ("find_stuck_captions", {"fields": list(HOISTED.values())}),
        ("check_tree", {"field": "gpt_summary_brief"}),
    ]
    lens, witness = folder / "lens", folder / "witness"
    if not lens.is_dir():
        return text
    given = {"model": str(lens), **FRAMES}
    return [
        *text,
        ("embed", {"lens": "visual", **given}),
        ("embed", {"model": str(lens), "source_field": "root_sum_brief"}),
        ("classify", {"classes": ["a dog", "a cook"], **given}),
        ("compare_lenses", {"lenses": ["qwen_embeddings", "root_sum_brief_embeddings"], "k": 3}),
        ("caption", {"model": str(witness), "prefix": "third", "max_new_tokens": 4, **FRAMES}),
    ]


def work(name: str, folder: Path) -> None:
    """Imports and runs every stage, as somebody would who starts it all again."""
    import fiftyone as fo
    import fiftyone.operators as foo

    def operator(stage):
        return foo.get_operator(f"@second-opinion/audit/{stage}")

    rows = folder / "rows.jsonl"
    operator("import_action100m")(None, annotations=str(rows), media_dir=str(folder), name=name)
    dataset = fo.load_dataset(name)
    for stage, settings in stages(folder):
        operator(stage)(dataset, **settings)
        print(stage, flush=True)


def main(folder: Path) -> None:
    """Loads what costs time; then, of each name it is told, a process of its own does the work."""
    from tests import torchvision_on_cpu

    torchvision_on_cpu.offer()  # before transformers is imported
    import fiftyone.operators as foo
    import sentence_transformers  # noqa: F401
    from fiftyone.core.odm.database import _disconnect

    foo.list_operators()  # the plugin, by its path
    _disconnect()  # no two processes may share a connection
    print("ready", flush=True)
    for name in sys.stdin:
        pid = os.fork()
        if not pid:
            work(name.strip(), folder)
            return
        print("pid", pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print("ended", status, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
