"""Score agreement: how alike annotation and opinions are, edge by edge, aspect by aspect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo
import numpy as np

from ..agreement.aspects import Edge, score_field
from ..agreement.metrics import METRICS, Column, support_by_all
from ..agreement.summary import ScoreSummary
from ..agreement.texts import clean, is_missing, is_na, is_scorable
from ..agreement.token_weights import TokenWeights
from ..engine.columns import CHUNK, root_dataset
from ..engine.ledger import fingerprint, ledger_field, stale_rows
from ..engine.progress import Progress
from ..engine.table import LabelTable, Rows, SampleTable, open_table, result_path, work_name
from .audit_settings import (
    aspects_setting,
    check_aspects,
    chosen_aspects,
    edges_setting,
    encoder_setting,
    segments_setting,
)
from .base import Stage
from .settings import setting
from .spread import SpreadSettings

# Token vectors are large: fewer rows at a time. And what a token tells is learnt
# from the first rows of the whole dataset, so that a view is scored like the rest.
_CHUNK_WITH_TOKENS = 200
_ROWS_FOR_WEIGHTS = 10_000
_TREES_FOR_WEIGHTS = 1_000  # samples whose labels are the rows: each may have hundreds

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class ScoreSettings(SpreadSettings):
    aspects: object = aspects_setting()
    segments: str | None = segments_setting()
    edges: list | None = edges_setting()
    metrics: list = setting(
        list(METRICS), "Metrics", "What to measure", many=True, choices=tuple(METRICS)
    )
    encoder: str | None = encoder_setting()
    overwrite: bool = setting(
        False, "Overwrite", "Score everything again, and replace fields this audit did not write"
    )

    def chosen_edges(self) -> list[Edge]:
        """The edges to score, of every aspect."""
        aspects = chosen_aspects(self.aspects, self.segments)
        return [edge for aspect in aspects for edge in aspect.edges(self.edges)]

    def everyone(self) -> dict[str, tuple[str, list[str]]]:
        """``{field: (annotation, opinions)}`` of the support by all witnesses together."""
        if "sup" not in self.metrics:
            return {}
        return {
            score_field("sup", "all", aspect.name): (
                aspect.annotation,
                [edge.left for edge in aspect.edges(self.edges) if edge.against_annotation],
            )
            for aspect in chosen_aspects(self.aspects, self.segments)
            if any(edge.against_annotation for edge in aspect.edges(self.edges))
        }

    def score_fields(self) -> list[str]:
        """The names of the score fields."""
        scores = [edge.field(metric) for edge in self.chosen_edges() for metric in self.metrics]
        return scores + list(self.everyone())


# ---- work ----


class ScoreAgreement(Stage):
    """Measures how alike the annotation and the opinions are."""

    name = "score_agreement"
    label = "Score agreement"
    description = (
        "Measures lexical and semantic agreement and support, edge by edge. Writes one score field "
        "for each metric, edge and aspect, such as lex_q_sum_brief, and audit_status. On segments, "
        "the scores are attributes of their labels."
    )
    icon = "balance"
    settings = ScoreSettings

    def work_name(self, settings: ScoreSettings) -> str:
        return work_name(self.name, settings.segments)

    def writes(self, settings: ScoreSettings) -> dict[str, tuple]:
        fields = {
            edge.field(metric): f"{METRICS[metric].label} of {edge.left} and {edge.right}, 0 to 1"
            for edge in settings.chosen_edges()
            for metric in settings.metrics
        }
        for name, (annotation, opinions) in settings.everyone().items():
            fields[name] = f"Support of {annotation} by any of {', '.join(opinions)}, 0 to 1"
        return {
            result_path(name, settings.segments): (fo.FloatField, description)
            for name, description in fields.items()
        }

    def check(self, samples: Samples, settings: ScoreSettings) -> dict[str, str]:
        return check_aspects(samples, settings.aspects, settings.edges, settings.segments) or (
            {} if settings.metrics else {"metrics": "Metrics: choose at least one."}
        )

    def work(self, samples: Samples, settings: ScoreSettings, progress: Progress) -> dict:
        scorer = _Scorer(root_dataset(samples), settings)
        work = self.work_name(settings)
        self.open(samples, settings)
        table, edges = open_table(samples, settings.segments), settings.chosen_edges()
        editions = {metric.name: metric.edition for metric in scorer.metrics}
        method = [scorer.names, scorer.revision, editions]
        summaries = {name: ScoreSummary() for name in scorer.names}
        gaps = {edge.field(""): [0, 0] for edge in edges}
        scored = total = 0
        chunks = table.chunks(scorer.texts, [ledger_field(work)], scorer.chunk)
        for rows in progress.over(chunks, "Scoring agreement", table.count()):
            keys = [fingerprint(method, *said) for said in rows.inputs()]
            stale = stale_rows(rows.samples, work, keys, settings.overwrite)
            stale, kept = _sift(table, rows, stale, scorer)
            if stale:
                fresh = rows.of_samples(stale)
                scores = scorer.score(fresh)
                status = fresh.status(work, _lacking(fresh, scorer.texts))
                ledger = {ledger_field(work): [keys[sample] for sample in stale]}
                table.write(fresh, scores, {**status, **ledger})
                _add(summaries, scores)
                scored += len(fresh)
            _add(summaries, kept)
            _count_gaps(gaps, rows, edges)
            total += len(rows)
        return _report(table.noun, total, scored, settings, summaries, gaps, scorer.revision)


class _Scorer:
    """Scores chunks; what it needs for that is loaded once, before anything is written."""

    def __init__(self, dataset: fo.Dataset, settings: ScoreSettings) -> None:
        self.edges = settings.chosen_edges()
        self.metrics = [METRICS[name] for name in settings.metrics]
        self.needs = {metric.needs for metric in self.metrics}
        self.names = sorted(settings.score_fields())
        self.everyone = settings.everyone()
        fields = [name for edge in self.edges for name in (edge.left, edge.right)]
        self.texts = list(dict.fromkeys(fields))
        self.chunk = _CHUNK_WITH_TOKENS if "tokens" in self.needs else CHUNK
        self.columns = self.weights = self.revision = None
        if self.needs & {"vectors", "tokens"}:
            from ..models.columns import ColumnEncoder  # torch takes seconds to import
            from ..models.encoder import Encoder

            self.columns = ColumnEncoder(Encoder(settings.encoder), "tokens" in self.needs)
            self.revision = self.columns.encoder.revision
        if "tokens" in self.needs:
            self.weights = self._learn_weights(dataset, settings.segments)

    def score(self, rows: Rows) -> dict[str, np.ndarray]:
        """``{score: one a row}``."""
        texts = {name: _readable(rows.columns[name]) for name in self.texts}
        vectors, tokens = self.columns.encode(texts) if self.columns else ({}, {})
        parties = {n: Column(texts[n], vectors.get(n), tokens.get(n)) for n in self.texts}
        scores = {}
        for edge in self.edges:
            said, heard = parties[edge.left], parties[edge.right]
            if edge.against_annotation:  # it is the annotation that must be borne out
                said, heard = heard, said
            for metric in self.metrics:
                scores[edge.field(metric.name)] = metric.score(said, heard, self.weights)
        for name, (annotation, opinions) in self.everyone.items():
            heard = [parties[opinion] for opinion in opinions]
            scores[name] = support_by_all(parties[annotation], heard, self.weights)
        return scores

    def made_of(self) -> Iterator[tuple[list[str], list[str], list[str]]]:
        """Scores, with the texts that all are needed for them, and those of which one is."""
        for edge in self.edges:
            names = [edge.field(metric.name) for metric in self.metrics]
            yield names, [edge.left, edge.right], []
        for name, (annotation, opinions) in self.everyone.items():
            yield [name], [annotation], list(opinions)

    def _learn_weights(self, dataset: fo.Dataset, segments: str | None) -> TokenWeights:
        weights, seen = TokenWeights(), 0
        samples = dataset.limit(_TREES_FOR_WEIGHTS if segments else _ROWS_FOR_WEIGHTS)
        table = open_table(samples, segments)
        for rows in table.chunks(self.texts, [], _ROWS_FOR_WEIGHTS):
            for name in self.texts:
                texts = [text for text in _readable(rows.columns[name]) if text is not None]
                for ids in self.columns.encoder.token_ids(texts):
                    weights.add(ids)
            seen += len(rows)
            if seen >= _ROWS_FOR_WEIGHTS:
                break
        return weights


def _readable(texts: Sequence[str | None]) -> list[str | None]:
    return [clean(text) if is_scorable(text) else None for text in texts]


def _lacking(rows: Rows, texts: Sequence[str]) -> list[list[str]]:
    said = zip(*(rows.columns[name] for name in texts))
    return [[name for name, text in zip(texts, row) if is_missing(text)] for row in said]


def _sift(
    table: SampleTable | LabelTable, rows: Rows, stale: list[int], scorer: _Scorer
) -> tuple[list[int], dict[str, list]]:
    """Adds the samples whose scores are gone to the stale ones; gives the others' scores.

    What an earlier run scored belongs in the report as well.
    """
    done = sorted(set(range(len(rows.samples))) - set(stale))
    if not done:
        return stale, {}
    kept = table.read([rows.samples.ids[sample] for sample in done], scorer.names)
    lost = _lost(rows.of_samples(done), kept, scorer)
    stood = kept.of_samples([place for place in range(len(done)) if place not in lost])
    return sorted({*stale, *(done[place] for place in lost)}), stood.columns


def _lost(rows: Rows, kept: Rows, scorer: _Scorer) -> set[int]:
    lost: set[int] = set()
    for scores, parties, others in scorer.made_of():
        if not any(None in kept.columns[name] for name in scores):
            continue
        said = [rows.columns[name] for name in parties]
        heard = [rows.columns[name] for name in others] or said
        for row, owner in enumerate(kept.owner):
            spoken = all(_has_words(texts[row]) for texts in said)
            if spoken and any(_has_words(texts[row]) for texts in heard):
                if any(kept.columns[name][row] is None for name in scores):
                    lost.add(owner)
    return lost


def _has_words(text: str | None) -> bool:
    # what has a letter or digit has tokens, and so every score
    return is_scorable(text) and any(letter.isalnum() for letter in text or "")


def _add(summaries: dict[str, ScoreSummary], scores: dict) -> None:
    for name, values in scores.items():
        summaries[name].add(values)


def _count_gaps(gaps: dict[str, list[int]], rows: Rows, edges: Sequence[Edge]) -> None:
    missing, na = {}, {}
    for name in {field for edge in edges for field in (edge.left, edge.right)}:
        missing[name] = np.array([is_missing(text) for text in rows.columns[name]], dtype=bool)
        na[name] = np.array([is_na(text) for text in rows.columns[name]], dtype=bool)
    for edge in edges:
        either = missing[edge.left] | missing[edge.right]
        gaps[edge.field("")][0] += int(either.sum())
        gaps[edge.field("")][1] += int((~either & (na[edge.left] | na[edge.right])).sum())


def _report(
    noun: str,
    total: int,
    scored: int,
    settings: ScoreSettings,
    summaries: dict[str, ScoreSummary],
    gaps: dict[str, list[int]],
    revision: str | None,
) -> dict:
    rows = []
    for edge in settings.chosen_edges():
        missing, na = gaps[edge.field("")]
        for metric in settings.metrics:
            row = summaries[edge.field(metric)].as_row()
            row |= {"missing": missing, "n/a": na}
            rows.append({"aspect": edge.aspect, "edge": edge.name, "metric": metric, **row})
    summary = [
        f"Scored {scored:,} of {total:,} {noun}; {total - scored:,} were already up to date.",
        f"{sum(row['n'] for row in rows):,} scores in {len(rows)} fields; "
        f"{sum(row['missing'] for row in rows):,} are missing for want of a text and "
        f"{sum(row['n/a'] for row in rows):,} because a text is N/A.",
    ]
    return {
        "summary": summary,
        noun: total,
        "scored": scored,
        "encoder": revision,
        "scores": rows,
    }
