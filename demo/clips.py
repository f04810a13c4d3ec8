"""Renders scenes to short H.264 clips that play in a browser."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import av

from demo import drawing, language, motion
from demo.drawing import draw_frame
from demo.language import FPS, HEIGHT, WIDTH, Scene
from demo.motion import frame_times

_STAMPS = "clips.json"


def render_clips(
    scenes: Sequence[Scene],
    folder: str | Path,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Renders every scene to ``{folder}/{uid}.mp4``, unless it is there already.

    A clip is rendered again when its scene or the code that draws it changed.

    Args:
        scenes: what to render
        folder: where to; made where it does not exist
        workers: how many processes; as many as there are processors by default,
            and 1 renders in this process
        progress: called with how many are done and how many there are to do

    Returns:
        ``{"rendered": ..., "reused": ...}``
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stamps = _read_stamps(folder / _STAMPS)
    wanted = {scene.uid: _stamp(scene) for scene in scenes}
    todo = [
        scene
        for scene in scenes
        if stamps.get(scene.uid) != wanted[scene.uid] or not clip_path(folder, scene).exists()
    ]
    paths = [clip_path(folder, scene) for scene in todo]
    for done, _ in enumerate(_render_all(todo, paths, workers), start=1):
        if progress:
            progress(done, len(todo))
    (folder / _STAMPS).write_text(json.dumps({**stamps, **wanted}, indent=0))
    return {"rendered": len(todo), "reused": len(scenes) - len(todo)}


def clip_path(folder: str | Path, scene: Scene) -> Path:
    """The file that shows a scene."""
    return Path(folder) / f"{scene.uid}.mp4"


def render_clip(scene: Scene, path: str | Path) -> None:
    """Renders one scene: 320x240, 12 frames a second, H.264, ready to stream.

    The file appears only when it is complete.
    """
    path = Path(path)
    partial = path.with_suffix(".part")
    with av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"preset": "veryfast", "crf": "21", "g": str(2 * FPS)}
        for time in frame_times(scene):
            frame = av.VideoFrame.from_ndarray(draw_frame(scene, time), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    partial.replace(path)


def _render_all(scenes: Sequence[Scene], paths: Sequence[Path], workers: int | None) -> object:
    workers = min(workers or os.cpu_count() or 1, len(scenes))
    if workers <= 1:
        yield from map(render_clip, scenes, paths)
        return
    # spawned, not forked: a fork would copy the locks of threads that are running
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(render_clip, scenes, paths, chunksize=4)


def _stamp(scene: Scene) -> str:
    sources = [Path(module.__file__).read_text() for module in (drawing, motion, language)]
    content = [*sources, Path(__file__).read_text(), json.dumps(asdict(scene), sort_keys=True)]
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:16]


def _read_stamps(path: Path) -> dict[str, str]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
