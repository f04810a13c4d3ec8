"""Calibrate: from scores to probabilities, learnt from the dataset's own wrong pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import fiftyone as fo
import numpy as np

from ..agreement.aspects import PRESETS, Aspect, read_aspects, score_field
from ..agreement.support import TokenWeights
from ..agreement.texts import clean, is_scorable
from ..engine.columns import Chunk, read_chunks, root_dataset, write_columns
from ..engine.fields import STATUS
from ..engine.progress import Progress
from .base import Stage
from .calibrate_report import Tally
from .score_agreement import check_aspects
from .settings import Settings, setting

#: The confidence in a clip's annotation as a whole; of one aspect with its name behind.
CONFIDENCE = "confidence"

# Samples calibrated at once: enough wrong pairs to learn from, and their token vectors
# fit into a gigabyte. More samples make more blocks, not larger ones.
_BLOCK = 2_000

Samples = fo.core.collections.SampleCollection


def confidence_field(aspect: str) -> str:
    """The field that holds the confidence in one aspect's annotation."""
    return f"{CONFIDENCE}_{aspect}"


# ---- settings ----


@dataclass(frozen=True)
class CalibrateSettings(Settings):
    aspects: object = setting(
        "action100m",
        "Aspects",
        f"What is compared: {', '.join(PRESETS)}, or a list of aspects as JSON",
        kind="aspects",
        required=True,
    )
    edges: list | None = setting(
        None, "Edges", "Which parties to compare; all where empty", many=True
    )
    group_field: str | None = setting(
        None,
        "Group",
        "The field that tells which clips are of one video, if several are",
        kind="field",
        types=(fo.StringField, fo.IntField, fo.ObjectIdField),
    )
    encoder: str | None = setting(
        None, "Encoder", "The sentence encoder; the embedded all-MiniLM-L6-v2 where empty"
    )
    seed: int = setting(51, "Seed", "The same seed gives the same numbers", low=0)
    overwrite: bool = setting(False, "Overwrite", "Replace fields that this audit did not write")

    def chosen(self) -> list[Aspect]:
        """The aspects."""
        return list(read_aspects(self.aspects))


# ---- work ----


class Calibrate(Stage):
    """Learns, without labels, how probable it is that each annotation is right."""

    name = "calibrate"
    label = "Calibrate"
    description = (
        "Compares every pair of texts with the same texts paired wrongly, and writes the "
        "probability that both describe the same clip: match_q_sum_brief and the like, "
        "confidence_sum_brief and the like for an aspect's annotation, and confidence."
    )
    icon = "insights"
    settings = CalibrateSettings

    def writes(self, settings: CalibrateSettings) -> dict[str, tuple]:
        fields = {CONFIDENCE: "Probability that the annotation as a whole is right"}
        for aspect in settings.chosen():
            fields[confidence_field(aspect.name)] = f"Probability that {aspect.annotation} is right"
            for edge in aspect.edges(settings.edges):
                description = f"Probability that {edge.left} and {edge.right} describe one clip"
                fields[edge.field("match")] = description
        return {name: (fo.FloatField, description) for name, description in fields.items()}

    def check(self, samples: Samples, settings: CalibrateSettings) -> dict[str, str]:
        problems = check_aspects(root_dataset(samples), settings.aspects, settings.edges)
        if problems:
            return problems
        alone = [
            aspect.name
            for aspect in settings.chosen()
            if not any(edge.against_annotation for edge in aspect.edges(settings.edges))
        ]
        if alone:
            return {"edges": f"Edges: none compares the annotation of {alone[0]} with a witness."}
        return {}

    def work(self, samples: Samples, settings: CalibrateSettings, progress: Progress) -> dict:
        from ..models.columns import ColumnEncoder  # torch takes seconds to import
        from ..models.encoder import Encoder

        encoder = Encoder(settings.encoder)
        dataset = self.open(samples, settings)
        tally = Tally(settings.chosen())
        blocks = _blocks(samples, settings)
        with progress.step("Calibrating", samples.count()) as advance:
            for ids in blocks:
                block = _read(dataset, ids, settings)
                columns = ColumnEncoder(encoder, with_tokens=True)
                written = _calibrate(block, columns, settings, tally)
                write_columns(dataset, block.ids, written | _status(self.name, written))
                advance(len(ids))
        return tally.report(samples.count(), len(blocks), encoder.revision)

    def shows(self, samples: Samples, settings: CalibrateSettings, report: dict) -> fo.DatasetView:
        return samples.exists(CONFIDENCE).sort_by(CONFIDENCE)


def _blocks(samples: Samples, settings: CalibrateSettings) -> list[list[str]]:
    # Blocks of whole groups, drawn at random, so that every block is like the dataset.
    ids = samples.values("id")
    groups = defaultdict(list)
    if settings.group_field:
        for sample_id, group in zip(ids, samples.values(settings.group_field)):
            groups[sample_id if group is None else f"group {group}"].append(sample_id)
    else:
        groups = {sample_id: [sample_id] for sample_id in ids}
    order = sorted(groups)
    Random(settings.seed).shuffle(order)
    count = -(-len(ids) // _BLOCK)
    blocks: list[list[str]] = [[] for _ in range(count)]
    for name in order:
        min(blocks, key=len).extend(groups[name])
    return [sorted(block) for block in blocks if block]


def _read(dataset: fo.Dataset, ids: list[str], settings: CalibrateSettings) -> Chunk:
    fields = [name for aspect in settings.chosen() for name in aspect.fields]
    if settings.group_field:
        fields.append(settings.group_field)
    (block,) = read_chunks(dataset.select(ids, ordered=True), fields, size=len(ids))
    return block


def _calibrate(
    block: Chunk, columns: object, settings: CalibrateSettings, tally: Tally
) -> dict[str, np.ndarray]:
    from ..agreement.triangle import calibrate_triangle, draw_wrong_pairs, fuse_aspects

    groups = block.columns[settings.group_field] if settings.group_field else None
    if groups is not None:  # a clip of no known video is a video of its own
        groups = [i if group is None else group for i, group in zip(block.ids, groups)]
    aspects = settings.chosen()
    annotations = [_encode(block, [aspect.annotation], columns)[0] for aspect in aspects]
    pairs = draw_wrong_pairs(list(annotations), groups, seed=settings.seed)
    written, panels = {}, {}
    for aspect, annotation in zip(aspects, annotations):
        parties = _encode(block, list(aspect.opinions.values()), columns)
        witnesses = dict(zip(aspect.opinions, parties))
        triangle = calibrate_triangle(
            annotation,
            witnesses,
            pairs,
            groups,
            _weigh([annotation, *parties]),
            [edge.name for edge in aspect.edges(settings.edges)],
            settings.seed,
        )
        for name, edge in triangle.edges.items():
            written[score_field("match", name, aspect.name)] = edge.match
        panels[aspect.name] = triangle.panel
        written[confidence_field(aspect.name)] = triangle.panel.match
        tally.add(aspect, triangle, pairs)
    fused = fuse_aspects(panels, pairs, settings.seed)
    written[CONFIDENCE] = np.full(len(block), np.nan) if fused is None else fused.match
    tally.add_fused(fused, len(block))
    return written


def _encode(block: Chunk, fields: list[str], columns: object) -> list:
    from ..agreement.evidence import Party

    texts = {
        name: [clean(t) if is_scorable(t) else None for t in block.columns[name]] for name in fields
    }
    vectors, tokens = columns.encode(texts)
    return [Party(texts[name], vectors[name], tokens[name]) for name in fields]


def _weigh(parties: list) -> TokenWeights:
    return TokenWeights(_token_ids(parties))


def _token_ids(parties: list) -> Iterator[np.ndarray]:
    for party in parties:
        yield from (tokens.ids for tokens in party.tokens if tokens is not None)


def _status(stage: str, written: dict[str, np.ndarray]) -> dict[str, list]:
    gaps = np.isnan(np.stack(list(written.values())))
    names = list(written)
    statuses = ["missing" if gap else "ok" for gap in gaps.any(axis=0)]
    reasons = [_why(names, column) for column in gaps.T]
    return {f"{STATUS}.{stage}": statuses, f"{STATUS}.{stage}_why": reasons}


def _why(names: list[str], gaps: np.ndarray) -> str | None:
    missing = [name for name, gap in zip(names, gaps) if gap]
    return f"no {', '.join(missing)}" if missing else None
