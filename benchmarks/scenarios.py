"""Texts about clips, some of them replaced: what the benchmark of verdicts runs on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REPLACED = 0.15
GPT = {
    "sum_brief": ("summary", "brief"),
    "sum_detailed": ("summary", "detailed"),
    "act_brief": ("action", "brief"),
    "act_detailed": ("action", "detailed"),
}


@dataclass
class Clips:
    """Clips with an annotation per aspect and the opinions of witnesses.

    Attributes:
        name: what the texts are
        annotations: ``{aspect: n texts}``
        opinions: ``{witness: n texts}``, about every aspect
        groups: ``n`` videos, or None
        spans: ``(n, 2)`` seconds, or None
    """

    name: str
    annotations: dict[str, list[str | None]]
    opinions: dict[str, list[str]]
    groups: list[str] | None = None
    spans: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(iter(self.opinions.values())))

    def with_replaced(self, sources: np.ndarray) -> dict[str, list[str | None]]:
        """The annotations when clip ``i`` holds those of clip ``sources[i]``."""
        return {name: [texts[j] for j in sources] for name, texts in self.annotations.items()}


def action100m() -> Clips:
    """Segments of Action100M: GPT's fields as annotations, the PLM caption as witness."""
    import pyarrow.parquet as parquet

    rows = parquet.read_table(DATA / "action100m_dev.parquet").to_pylist()
    nodes = [
        (row["video_uid"], node)
        for row in rows
        for node in row["nodes"]
        if node.get("plm_caption") and node.get("gpt")
    ]
    return Clips(
        "Action100M segments",
        {a: [_said(node["gpt"][b][c]) for _, node in nodes] for a, (b, c) in GPT.items()},
        {"plm": [node["plm_caption"] for _, node in nodes]},
        [video for video, _ in nodes],
        np.array([[node["start"], node["end"]] for _, node in nodes]),
    )


def coco() -> Clips:
    """COCO pictures: one person's caption as annotation, two others' as witnesses."""
    captions = json.loads((DATA / "coco_captions_dev.json").read_text())
    rows = [captions[name] for name in sorted(captions)]
    return Clips(
        "COCO captions",
        {"caption": [row[0] for row in rows]},
        {"a": [row[1] for row in rows], "b": [row[2] for row in rows]},
    )


def generated(n: int = 600, seed: int = 51) -> Clips:
    """Made-up scenes, told three times with other words and other omissions."""
    rng = np.random.default_rng(seed)
    parts = {
        "who": ["man|guy", "woman|lady", "boy|kid", "girl|kid", "dog|puppy", "cat|kitten"],
        "what": [
            "carries|holds",
            "throws|tosses",
            "cleans|washes",
            "pushes|moves",
            "paints|colours",
        ],
        "how": ["red|crimson", "blue|navy", "green|olive", "white|pale", "old|worn", "small|tiny"],
        "thing": ["ball|football", "cup|mug", "box|crate", "chair|stool", "car|vehicle", "hat|cap"],
        "where": ["kitchen", "garden|yard", "street|road", "beach|shore", "park", "garage"],
        "when": ["at night", "in the morning", "in the rain", "on a sunny day", "in the snow"],
    }
    scenes = [{k: v[rng.integers(len(v))].split("|") for k, v in parts.items()} for _ in range(n)]

    def tell(scene: dict[str, list[str]]) -> str:
        word = {k: v[rng.integers(len(v))] for k, v in scene.items()}
        first = f"{word['how']} {word['thing']}" if rng.random() < 0.7 else word["thing"]
        place = f" in the {word['where']}" if rng.random() < 0.8 else ""
        when = f" {word['when']}" if rng.random() < 0.5 else ""
        if rng.random() < 0.5:
            return f"A {word['who']} {word['what']} a {first}{place}{when}."
        return f"There is a {word['who']} who {word['what']} the {first}{place}{when}"

    told = {name: [tell(scene) for scene in scenes] for name in ("caption", "a", "b")}
    return Clips("generated scenes", {"caption": told.pop("caption")}, told)


def replace_within(clips: Clips, seed: int) -> np.ndarray:
    """Another, non-overlapping segment of the same video for 15% of the clips."""
    groups, spans = np.array(clips.groups), clips.spans

    def others(i: int, rng: np.random.Generator) -> np.ndarray:
        apart = (spans[:, 1] <= spans[i, 0]) | (spans[:, 0] >= spans[i, 1])
        return np.flatnonzero((groups == groups[i]) & apart)

    return _replace(len(clips), others, seed)


def replace_any(clips: Clips, seed: int) -> np.ndarray:
    """Any other clip for 15% of the clips."""
    everyone = np.arange(len(clips))
    return _replace(len(clips), lambda i, rng: everyone[everyone != i], seed)


def replace_near(vectors: np.ndarray) -> Callable[[Clips, int], np.ndarray]:
    """One of the 10th to 50th most similar annotations for 15% of the clips."""

    def replace(clips: Clips, seed: int) -> np.ndarray:
        def others(i: int, rng: np.random.Generator) -> np.ndarray:
            cosines = vectors @ vectors[i]
            cosines[i] = np.inf
            return np.argsort(-cosines)[10:51]

        return _replace(len(clips), others, seed)

    return replace


def _replace(n: int, others: Callable, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sources = np.arange(n)
    for i in rng.choice(n, round(REPLACED * n), replace=False):
        choice = others(i, rng)
        if len(choice):
            sources[i] = choice[rng.integers(len(choice))]
    return sources


def _said(text: str | None) -> str | None:
    return None if text is None or text.strip().upper() in ("", "N/A") else text
