"""How fast statements are judged with the clip encoded once, against once a statement.

    python -m benchmarks.grounding                       # tiny networks: what a CPU can show
    python -m benchmarks.grounding --shapes published    # Qwen3-VL-8B and Molmo2, on a GPU
    python -m benchmarks.grounding --shapes published --layers 1 --clips 1    # does that run here?

Both ways judge the same statements about the same clips in one run, round after round in turn,
and their answers are compared; medians are told, and the least and largest ratio of a round.
Weights are random, which changes no speed. With --write the table goes into
benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import fiftyone.operators as foo
import numpy as np

from benchmarks import models

TINY = ("qwen3_vl", "molmo2", "smolvlm")
LARGE = ("Qwen3-VL-8B", "Molmo2-4B")
HEADER = (
    "| network | statements a clip | way | statements/s | ratio | largest difference, log odds |\n"
    "| --- | ---: | --- | ---: | ---: | ---: |"
)
_STATEMENTS = (
    "A man in a red shirt opens a jar.",
    "There are three people, and one of them sits down on a chair.",
    "A rabbit wakes up and looks around.",
    "First somebody enters from the left. After that the door closes.",
    "The clip shows a bicycle.",
)


def main() -> None:
    """Measures what was asked for, and prints or writes a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", choices=("tiny", "published"), default="tiny")
    parser.add_argument("--networks", nargs="+", help="some of them only")
    parser.add_argument("--statements", nargs="+", type=int, default=[1, 10, 30])
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7, help="of which the median is told")
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--batch", type=int, default=16, help="statements in one forward pass")
    parser.add_argument("--layers", type=int, help="cut published shapes to so many layers")
    parser.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    options = parser.parse_args()
    models._offer_torchvision()
    foo.list_operators()  # loads the plugin
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for network in options.networks or (TINY if options.shapes == "tiny" else LARGE):
            rows += measure(network, options, Path(folder))
    table = "\n".join([HEADER, *rows])
    print(f"\n{conditions(options)}\n\n{table}")
    if options.write:
        write_section(f"{conditions(options)}\n\n{table}\n", options.shapes)


def measure(network: str, options: argparse.Namespace, folder: Path) -> list[str]:
    """The rows of one network: separate, shared, for each number of statements."""
    clips = _clips(options, folder)
    annotator, name = _annotator(network, options, folder)
    judge = models._module("judge_yes").YesJudge
    ways = {
        "separate": judge(annotator, options.batch, shared=False),
        "shared": judge(annotator, options.batch),
    }
    for way in ways.values():  # the first call compiles, allocates, and checks itself
        way.look(clips[0]).log_odds(_statements(2))
    rows = []
    for count in options.statements:
        statements, answers = _statements(count), {}
        rounds: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(options.rounds):
            # one round after the other, first this way and then that, so that both meet what
            # else the machine does; the median leaves out what only one of them met
            for way in sorted(ways, reverse=bool(number % 2)):
                models._synchronize()
                begun = time.perf_counter()
                answers[way] = np.concatenate(
                    [ways[way].look(clip).log_odds(statements) for clip in clips]
                )
                models._synchronize()
                rounds[way].append(len(clips) * count / (time.perf_counter() - begun))
        rates = {way: float(np.median(found)) for way, found in rounds.items()}
        ratios = np.divide(rounds["shared"], rounds["separate"])
        apart = np.abs(answers["shared"] - answers["separate"]).max()
        ratio = f"{np.median(ratios):.1f}x ({ratios.min():.1f} to {ratios.max():.1f})"
        rows += [
            f"| {name} | {count} | separate | {rates['separate']:,.2f} | | |",
            f"| {name} | {count} | shared | {rates['shared']:,.2f} | {ratio} | {apart:.1e} |",
        ]
        print("\n".join(rows[-2:]), flush=True)
    if not ways["shared"].shared:
        rows.append(f"| {name} | | not shared: {ways['shared'].why_apart} | | | |")
    return rows


def _annotator(network: str, options: argparse.Namespace, folder: Path):
    from benchmarks.model_shapes import PUBLISHED, enlarge, write_tiny

    large = options.shapes == "published"
    architecture = PUBLISHED[network][0] if large else network
    annotator = models._module("annotator").Annotator(write_tiny(architecture, folder))
    if large:
        place = annotator.place
        annotator.model = enlarge(
            *(annotator.model, annotator.processor, network, place.device, place.dtype),
            options.layers,
        )
    return annotator, network if large else f"tiny {network}"


def _clips(options: argparse.Namespace, folder: Path) -> list:
    frames = models._module("frames")
    pixels = 480 * 480 if options.shapes == "published" else 128 * 128
    sampling = frames.Sampling(fps=8.0, max_frames=options.frames, max_pixels=pixels)
    films = models._films(options.clips, folder)
    return [frames.sample_frames(frames.Clip(path), sampling) for path in films]


def _statements(count: int) -> list[str]:
    return [f"{_STATEMENTS[i % len(_STATEMENTS)]} ({i + 1})" for i in range(count)]


def conditions(options: argparse.Namespace) -> str:
    """Command, versions, hardware and load, in a sentence."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    load = os.getloadavg()[0]
    packages = ", ".join(f"{p} {version(p)}" for p in ("torch", "transformers"))
    command = f"python -m benchmarks.grounding --shapes {options.shapes} --clips {options.clips}"
    command += f" --frames {options.frames} --batch {options.batch}"
    command += f" --rounds {options.rounds}"
    command += f" --layers {options.layers}" if options.layers else ""
    return (
        f"`{command}` on {platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} "
        f"threads, load {load:.0f}, {device}; Python {platform.python_version()}, {packages}."
    )


def write_section(body: str, shapes: str) -> None:
    """Replaces the section of these shapes in RESULTS.md, and leaves the others alone."""
    title = f"## Grounding, {shapes} shapes"
    text = models.RESULTS.read_text(encoding="utf-8")
    sections = text.split("\n## ")
    kept = [s for s in sections if not f"## {s}".startswith(f"{title}\n")]
    text = "\n## ".join(kept).rstrip() + f"\n\n{title}\n\n{body}"
    models.RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
