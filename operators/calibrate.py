"""Calibrate: from scores to probabilities, learnt from the dataset's own wrong pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeAlias

import fiftyone as fo
import numpy as np
from fiftyone import ViewField as F

from ..agreement.aspects import Aspect, score_field
from ..agreement.texts import clean, is_scorable
from ..agreement.token_weights import TokenWeights
from ..engine.columns import root_dataset
from ..engine.one_thread import one_blas_thread
from ..engine.progress import Progress
from ..engine.table import LabelTable, Rows, SampleTable, open_table, result_path, work_name
from .audit_settings import (
    aspects_setting,
    check_aspects,
    chosen_aspects,
    earlier_aspects,
    edges_setting,
    encoder_setting,
    group_setting,
    groups_of,
    segments_setting,
)
from .base import Stage
from .calibrate_report import Tally
from .settings import Settings, setting

if TYPE_CHECKING:  # both are slow to import
    from ..agreement.evidence import Party
    from ..models.columns import ColumnEncoder

#: The confidence in a clip's annotation as a whole; of one aspect with its name behind.
CONFIDENCE = "confidence"
# A label's own ``confidence`` is that of the model that made it.
_OF_LABEL = "confidence_all"

# Rows calibrated at once: enough wrong pairs to learn from, and their token vectors
# fit into a gigabyte. More rows make more blocks, not larger ones.
_BLOCK = 2_000

Samples: TypeAlias = fo.core.collections.SampleCollection


def confidence_field(aspect: str) -> str:
    """The field that holds the confidence in one aspect's annotation."""
    return f"{CONFIDENCE}_{aspect}"


# ---- settings ----


@dataclass(frozen=True)
class CalibrateSettings(Settings):
    aspects: object = aspects_setting()
    segments: str | None = segments_setting()
    edges: list | None = edges_setting()
    group_field: str | None = group_setting("; a sample's segments always are")
    encoder: str | None = encoder_setting()
    seed: int = setting(51, "Seed", "The same seed gives the same numbers", low=0)
    overwrite: bool = setting(False, "Overwrite", "Replace fields that this audit did not write")

    def chosen(self) -> list[Aspect]:
        """The aspects."""
        return list(chosen_aspects(self.aspects, self.segments))

    @property
    def whole(self) -> str:
        """The name of the confidence in an annotation as a whole."""
        return _OF_LABEL if self.segments else CONFIDENCE


# ---- work ----


class Calibrate(Stage):
    """Learns, without labels, how probable it is that each annotation is right."""

    name = "calibrate"
    label = "Calibrate"
    description = (
        "Compares every pair of texts with the same texts paired wrongly, and writes the "
        "probability that both describe the same clip: match_q_sum_brief and the like, "
        "confidence_sum_brief and the like for an aspect's annotation, and confidence. On "
        "segments, these are attributes of their labels, with confidence_all for the whole."
    )
    icon = "insights"
    settings = CalibrateSettings

    def work_name(self, settings: CalibrateSettings) -> str:
        return work_name(self.name, settings.segments)

    def writes(self, settings: CalibrateSettings) -> dict[str, tuple]:
        fields = {settings.whole: "Probability that the annotation as a whole is right"}
        for aspect in settings.chosen():
            fields[confidence_field(aspect.name)] = f"Probability that {aspect.annotation} is right"
            for edge in aspect.edges(settings.edges):
                description = f"Probability that {edge.left} and {edge.right} describe one clip"
                fields[edge.field("match")] = description
        return {
            result_path(name, settings.segments): (fo.FloatField, description)
            for name, description in fields.items()
        }

    def check(self, samples: Samples, settings: CalibrateSettings) -> dict[str, str]:
        problems = check_aspects(samples, settings.aspects, settings.edges, settings.segments)
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
        work = self.work_name(settings)
        self.open(samples, settings)
        table, tally = open_table(samples, settings.segments), Tally(settings.chosen())
        blocks, total = _blocks(samples, table, settings), 0
        others = _tell_of_others(samples, settings, table.noun)
        with progress.step("Calibrating", table.count()) as advance:
            for ids in blocks:
                rows = _read(table, ids, settings)
                columns = ColumnEncoder(encoder, with_tokens=True)
                with one_blas_thread:  # thousands of small fits
                    written = _calibrate(rows, columns, settings, tally)
                table.write(rows, written, rows.status(work, _lacking(written)))
                total += len(rows)
                advance(len(rows))
        report = tally.report(total, len(blocks), encoder.revision, table.noun)
        report["summary"] += others
        return report

    def shows(self, samples: Samples, settings: CalibrateSettings, report: dict) -> fo.DatasetView:
        if not settings.segments:
            return samples.exists(CONFIDENCE).sort_by(CONFIDENCE)
        known = samples.filter_labels(settings.segments, F(_OF_LABEL).exists())
        return known.sort_by(F(result_path(_OF_LABEL, settings.segments)).min())


def _tell_of_others(samples: Samples, settings: CalibrateSettings, noun: str) -> list[str]:
    """Sentences on what lies outside the view and was calibrated with other witnesses."""
    dataset, told = root_dataset(samples), []
    for aspect in settings.chosen():
        path = result_path(confidence_field(aspect.name), settings.segments)
        known = dataset.get_field(path) is not None
        kept = dataset.count(path) - samples.count(path) if known else 0
        before = _witnesses_before(dataset, settings, aspect) if kept else None
        if before:
            said = ", ".join(f"{witness} ({field})" for witness, field in before.items())
            told.append(
                f"{aspect.name} was calibrated with {said} before: {kept:,} {noun} outside this "
                "view keep the confidences of then. Give other witnesses another aspect's name, "
                "or calibrate the whole dataset."
            )
    return told


def _witnesses_before(
    dataset: fo.Dataset, settings: CalibrateSettings, aspect: Aspect
) -> Mapping[str, str] | None:
    # The newest run with others, unless all was calibrated with these since
    for config, aspects in earlier_aspects(dataset, work_name(Calibrate.name, settings.segments)):
        for old in aspects:
            if old.name == aspect.name and old.opinions != aspect.opinions:
                return old.opinions
            if old.name == aspect.name and getattr(config, "view", None) is None:
                return None
    return None


def _blocks(
    samples: Samples, table: SampleTable | LabelTable, settings: CalibrateSettings
) -> list[list[str]]:
    # Blocks of whole groups, drawn at random, so that every block is like the dataset.
    sizes = table.sizes()
    groups = {sample_id: [sample_id] for sample_id in sizes}
    if settings.group_field:
        groups = defaultdict(list)
        for sample_id, group in zip(*samples.values(["id", settings.group_field])):
            groups[sample_id if group is None else f"group {group}"].append(sample_id)
    order = sorted(groups)
    Random(settings.seed).shuffle(order)
    blocks: list[list[str]] = [[] for _ in range(max(1, -(-sum(sizes.values()) // _BLOCK)))]
    held = [0] * len(blocks)
    for name in order:
        least = held.index(min(held))
        blocks[least].extend(groups[name])
        held[least] += sum(sizes[sample_id] for sample_id in groups[name])
    return [sorted(block) for block in blocks if block]


def _read(table: SampleTable | LabelTable, ids: list[str], settings: CalibrateSettings) -> Rows:
    fields = [name for aspect in settings.chosen() for name in aspect.fields]
    return table.read(ids, fields, [settings.group_field] if settings.group_field else [])


def _calibrate(
    rows: Rows, columns: ColumnEncoder, settings: CalibrateSettings, tally: Tally
) -> dict[str, np.ndarray]:
    from ..agreement.triangle import calibrate_triangle, draw_wrong_pairs, fuse_aspects

    groups, aspects = groups_of(rows, settings.group_field), settings.chosen()
    annotations = [_encode(rows, [aspect.annotation], columns)[0] for aspect in aspects]
    pairs = draw_wrong_pairs(list(annotations), groups, rows.places, settings.seed)
    written, panels = {}, {}
    comparable = np.zeros(len(rows), dtype=bool)
    for aspect, annotation in zip(aspects, annotations):
        parties = _encode(rows, list(aspect.opinions.values()), columns)
        comparable |= _there(annotation) & np.any([_there(party) for party in parties], axis=0)
        witnesses = dict(zip(aspect.opinions, parties))
        triangle = calibrate_triangle(
            annotation,
            witnesses,
            pairs,
            groups,
            _weigh([annotation, *parties]),
            [edge.name for edge in aspect.edges(settings.edges)],
            settings.seed,
            rows.places,
        )
        for name, edge in triangle.edges.items():
            written[score_field("match", name, aspect.name)] = edge.match
        panels[aspect.name] = triangle.panel
        written[confidence_field(aspect.name)] = triangle.panel.match
        tally.add(aspect, triangle)
    texts = {aspect.name: party.texts for aspect, party in zip(aspects, annotations)}
    fused = fuse_aspects(panels, pairs, texts, settings.seed, groups, rows.places)
    written[settings.whole] = np.full(len(rows), np.nan) if fused is None else fused.match
    tally.add_fused(fused, comparable)
    return written


def _encode(rows: Rows, fields: list[str], columns: ColumnEncoder) -> list[Party]:
    from ..agreement.evidence import Party

    texts = {
        name: [clean(t) if is_scorable(t) else None for t in rows.columns[name]] for name in fields
    }
    vectors, tokens = columns.encode(texts)
    return [Party(texts[name], vectors[name], tokens[name]) for name in fields]


def _there(party: Party) -> np.ndarray:
    return np.array([text is not None for text in party.texts], dtype=bool)


def _weigh(parties: list[Party]) -> TokenWeights:
    return TokenWeights(_token_ids(parties))


def _token_ids(parties: list[Party]) -> Iterator[np.ndarray]:
    for party in parties:
        yield from (tokens.ids for tokens in party.tokens if tokens is not None)


def _lacking(written: dict[str, np.ndarray]) -> list[list[str]]:
    gaps = np.isnan(np.stack(list(written.values())))
    return [[name for name, gap in zip(written, column) if gap] for column in gaps.T]
