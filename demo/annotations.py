"""Writes each clip's annotation: a Tree-of-Captions in the published schema.

A known share of the roots is wrong on purpose. Which ones is kept in a file of
its own, which the audit never sees.
"""

from __future__ import annotations

import json
import math
import random
import uuid
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from demo.errors import misread, plan_errors
from demo.language import Beat, Scene
from demo.reading import Reading
from demo.telling import name, tell
from demo.truth import true_reading
from demo.voices import ANNOTATOR

_TEXT = pa.string()
_GPT = pa.struct(
    [
        ("summary", pa.struct([("brief", _TEXT), ("detailed", _TEXT)])),
        ("action", pa.struct([("brief", _TEXT), ("detailed", _TEXT), ("actor", _TEXT)])),
    ]
)
_NODE = pa.struct(
    [
        *(("node_id", _TEXT), ("parent_id", _TEXT), ("level", pa.int16())),
        *(("start", pa.float32()), ("end", pa.float32())),
        *(("plm_action", _TEXT), ("plm_caption", _TEXT), ("llama3_caption", _TEXT), ("gpt", _GPT)),
    ]
)
_METADATA = pa.struct(
    [
        *(("title", _TEXT), ("description", _TEXT)),
        *(("view_count", pa.int64()), ("like_count", pa.int64()), ("duration", pa.int64())),
        ("upload_date", _TEXT),
        ("transcript", pa.list_(pa.struct([("time", _TEXT), ("text", _TEXT)]))),
    ]
)
#: The published schema of Action100M.
SCHEMA = pa.schema([("video_uid", _TEXT), ("metadata", _METADATA), ("nodes", pa.list_(_NODE))])

_ASPECTS = {
    "sum_brief": ("summary", "brief"),
    "sum_detailed": ("summary", "detailed"),
    "act_brief": ("action", "brief"),
    "act_detailed": ("action", "detailed"),
    "actor": ("action", "actor"),
}


def write_annotations(
    scenes: Sequence[Scene],
    parquet: str | Path,
    truth: str | Path,
    share: float = 0.2,
    seed: int = 51,
) -> dict[str, str]:
    """Writes all annotations, and apart from them which are wrong.

    Args:
        scenes: one for each clip
        parquet: the file of annotations
        truth: the JSON file ``{uid: {"kind": kind of error or null, "aspects": [...]}}``,
            whose aspects are those that the error changes
        share: of the annotations that are wrong at the root, 0 to 1
        seed: of the random choices

    Returns:
        ``{uid: kind}`` of the planted errors
    """
    planned = plan_errors(scenes, share, seed)
    rows, known = [], {}
    for scene in scenes:
        row = annotate(scene, seed)
        right = row["nodes"][0]["gpt"]
        kind = planned.get(scene.uid)
        if kind:
            rng = random.Random(f"misread-{seed}-{scene.uid}")
            wrong = misread(kind, scene, scenes, rng)
            row["nodes"][0]["gpt"] = _root_text(wrong, scene, seed)
        touched = [
            aspect
            for aspect, (part, detail) in _ASPECTS.items()
            if row["nodes"][0]["gpt"][part][detail] != right[part][detail]
        ]
        known[scene.uid] = {"kind": kind, "aspects": touched}
        rows.append(row)
    for path in (parquet, truth):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), parquet)
    Path(truth).write_text(json.dumps(known, indent=1))
    return planned


def annotate(scene: Scene, seed: int = 51) -> dict:
    """A truthful annotation of one scene: one row of the published schema."""
    rng = random.Random(f"annotation-{seed}-{scene.uid}")
    root = _node(scene, None, 0, list(scene.beats), rng)
    root["gpt"] = _root_text(true_reading(scene), scene, seed)
    nodes = [root]
    if len(scene.beats) > 3:
        for pair in (scene.beats[:2], scene.beats[2:]):
            branch = _node(scene, root, 1, list(pair), rng)
            nodes += [branch, *(_node(scene, branch, 2, [beat], rng) for beat in pair)]
    else:
        for beat in scene.beats:
            branch = _node(scene, root, 1, [beat], rng)
            nodes += [branch, *(_halves(scene, branch, beat, rng) if rng.random() < 0.5 else [])]
    parents = {node["parent_id"] for node in nodes}
    for node in nodes:
        if node["node_id"] not in parents:
            node["llama3_caption"] = _still(node, scene)
    return {"video_uid": scene.uid, "metadata": _metadata(scene, rng), "nodes": nodes}


def _root_text(reading: Reading, scene: Scene, seed: int) -> dict:
    """The root's five texts; the same choices of words for a true and an untrue reading."""
    return tell(reading, ANNOTATOR, random.Random(f"root-{seed}-{scene.uid}"))


def _node(
    scene: Scene, parent: dict | None, level: int, beats: list[Beat], rng: random.Random
) -> dict:
    reading = true_reading(scene, beats)
    text = tell(reading, ANNOTATOR, rng)
    action = text["action"]["brief"] if reading.sightings else "show a title"
    brief = text["summary"]["brief"]
    return {
        "node_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "parent_id": parent["node_id"] if parent else None,
        "level": level,
        "start": _hundredths(beats[0].start),
        "end": _hundredths(beats[-1].end),
        "plm_action": action[:1].lower() + action[1:],
        "plm_caption": f"This is an animated video. {brief} The video has no sound.",
        "llama3_caption": None,
        "gpt": text,
    }


def _hundredths(time: float) -> float:
    """Rounded down, so that no annotation ends a hair after its clip."""
    return math.floor(time * 100 + 1e-6) / 100


def _halves(scene: Scene, parent: dict, beat: Beat, rng: random.Random) -> list[dict]:
    """The two halves of a beat: too short for the five texts, as in the published data."""
    middle = _hundredths((beat.start + beat.end) / 2)
    halves = []
    for start, end in ((parent["start"], middle), (middle, parent["end"])):
        half = _node(scene, parent, parent["level"] + 1, [beat], rng)
        halves.append({**half, "start": start, "end": end, "gpt": None})
    return halves


def _still(node: dict, scene: Scene) -> str:
    middle = (node["start"] + node["end"]) / 2
    reading = true_reading(scene, [b for b in scene.beats if b.start <= middle < b.end])
    shown = [name(sighting.figure, ANNOTATOR) for sighting in reading.sightings]
    what = " and ".join(shown) or f"the words “{reading.title}”"
    backdrop = ANNOTATOR.backdrops[scene.setting]
    return f"The image displays {what} on {backdrop}. The overall impression is simple and clean."


def _metadata(scene: Scene, rng: random.Random) -> dict:
    sightings = true_reading(scene).sightings
    names = list(dict.fromkeys(name(s.figure, ANNOTATOR) for s in sightings))
    title = " and ".join(names[:2]) or "titles only"
    views = int(10 ** rng.uniform(2, 6))
    spoken = []
    if sightings and rng.random() < 0.6:
        for sighting in sightings:
            words = f"now watch {name(sighting.figure, ANNOTATOR)}".split()
            spoken.append({"time": f"{sighting.start:.2f}", "text": "  ".join(words)})
    return {
        "title": f"Shape stories: {title}",
        "description": f"A short animation with {title}.\nDrawn for the demo of Second Opinion.",
        "view_count": views,
        "like_count": int(views * rng.uniform(0.005, 0.06)),
        "duration": round(scene.duration),
        "upload_date": f"20{rng.randint(12, 24)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}",
        "transcript": spoken,
    }
