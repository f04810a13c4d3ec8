"""The demo: render, annotate, ask two witnesses, audit, let the pixels rule, and measure it all.

    python -m demo

Prints the result. In a terminal, unless ``OPEN=0``, the App opens on the map as soon as there is
one, and the pixels rule while somebody looks. A second run reuses what the first one made.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import sys
import time
from pathlib import Path

from demo.annotations import write_annotations
from demo.clips import clip_path, render_clips
from demo.language import Scene
from demo.scenes import make_scenes
from demo.witnesses import ask_all

DATASET = "second-opinion-demo"
WORKSPACE = "Second opinion"
FOLDER = Path(__file__).resolve().parents[1] / ".local" / "demo"
CLIPS = 128
WRONG = 0.2

#: What a person does next, in the App.
_NEXT = (
    "In the App (make demo, in a terminal) the panel Confidence map shows every label with its",
    "confidence; the saved view Overruled holds what the video decided against, Disputed what else",
    "is in doubt. Open one of those clips: the panel Opinions tells why, claim by claim, with the",
    "frames that were looked at. Review asks you about the rest.",
)
_METHODS = {
    "q": "follows every frame",
    "m": "glances twice a second",
}


def say(text: str) -> None:
    """Prints one line at once."""
    print(text, flush=True)


def main(count: int = CLIPS, folder: Path = FOLDER, name: str = DATASET) -> int:
    """Runs the demo.

    Args:
        count: how many clips
        folder: where clips, annotations and answers are kept
        name: of the dataset

    Returns:
        the exit status: 0 when all of it could be done
    """
    started = time.monotonic()
    answers = make_material(make_scenes(count), folder)

    say("Loading FiftyOne.")
    from demo import audit, grounding, selfcheck  # imports FiftyOne, which takes seconds

    watched = sys.stdout.isatty()
    audit.show_bars(watched)
    parquet = folder / "annotations.parquet"
    dataset, rules = audit.run_stages(name, parquet, folder / "clips", answers, say)
    truth = json.loads((folder / "truth.json").read_text())
    coverage = dict(zip(*dataset.values(["video_uid", "clip_coverage"])))
    kinds = selfcheck.kinds_of(truth, coverage)
    say(f"\nThe self-check, on {audit.ASPECT}: who was accused, by what is really wrong.\n")
    for line in selfcheck.report(rules, kinds):
        say(line)
    opened = open_app(dataset) if watched and os.environ.get("OPEN") != "0" else None
    if opened:
        say(
            f"After {time.monotonic() - started:.0f} s, its map shows what the texts tell. "
            "Click the tag suspect below it: the grid shows these clips; open one, and the panel "
            "Opinions says why. Meanwhile the pixels are asked; what they rule is in the App once "
            "it is printed below."
        )
    with contextlib.suppress(KeyboardInterrupt) if opened else contextlib.nullcontext():
        grounding.run(dataset, kinds, say)
        say(f"\nDone in {time.monotonic() - started:.0f} s. The dataset is {name}.")
        for line in _NEXT:
            say(line)
        if opened:
            opened.refresh()
            opened.wait(-1)
    return 0


def make_material(scenes: list[Scene], folder: Path) -> dict[str, Path]:
    """Renders the clips, writes the annotations, asks the witnesses; reuses what is there.

    Args:
        scenes: one for each clip
        folder: where to

    Returns:
        ``{witness: file of its answers}``
    """
    clips = folder / "clips"
    say(f"Rendering {len(scenes)} clips to {clips}.")
    done = render_clips(scenes, clips, progress=_counter("rendered"))
    say(f"{done['rendered']} clips rendered, {done['reused']} reused.")
    files = folder / "annotations.parquet", folder / "truth.json"
    planted = write_annotations(scenes, *files, WRONG)
    say(
        f"Annotated {len(scenes)} clips; {len(planted)} of the annotations are wrong on purpose. "
        "Which ones is in truth.json, which the audit does not see."
    )
    answers = {}
    paths = [clip_path(clips, scene) for scene in scenes]
    for witness, method in _METHODS.items():
        say(f"Witness {witness} looks at the pixels: it {method}.")
        answers[witness] = folder / f"answers_{witness}.jsonl"
        done = ask_all(witness, paths, answers[witness], progress=_counter("asked"))
        say(f"{done['asked']} clips looked at, {done['reused']} answers reused.")
    return answers


def open_app(dataset: object) -> object:
    """Opens the App on a free port of this machine.

    Returns:
        FiftyOne's session, which ends with this process
    """
    import fiftyone as fo

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    spaces = dataset.load_workspace(WORKSPACE) if dataset.has_workspace(WORKSPACE) else None
    # remote: a person opens the printed address; how to tunnel to it is not said
    say("\nStarting the App, which takes some seconds.")
    logging.getLogger("fiftyone").setLevel(logging.ERROR)  # it warns of a server still starting
    session = fo.launch_app(dataset, spaces=spaces, address="127.0.0.1", port=port, remote=True)
    say(f"\nThe App is at http://127.0.0.1:{port}/datasets/{dataset.slug}   (Ctrl+C ends it)")
    return session


def _counter(verb: str) -> object:
    def tell(done: int, total: int) -> None:
        if done % 40 == 0:
            say(f"  {done} of {total} {verb}")

    return tell


if __name__ == "__main__":
    raise SystemExit(main())
