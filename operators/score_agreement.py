"""Score agreement: how alike annotation and opinions are, edge by edge, aspect by aspect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import fiftyone as fo
import numpy as np

from ..agreement.aspects import (
    ACTION100M,
    PRESETS,
    Aspect,
    Edge,
    edge_names,
    read_aspects,
    score_field,
)
from ..agreement.metrics import METRICS, Column, support_by_all
from ..agreement.summary import ScoreSummary
from ..agreement.support import TokenWeights
from ..agreement.texts import clean, is_missing, is_na, is_scorable
from ..engine.columns import CHUNK, Chunk, read_chunks, root_dataset, write_columns
from ..engine.fields import STATUS
from ..engine.ledger import fingerprint, ledger_field, stale_rows
from ..engine.progress import Progress
from .base import Stage
from .settings import Settings, setting

# Token vectors are large: fewer samples at a time. And what a token tells is learnt
# from the first samples of the whole dataset, so that a view is scored like the rest.
_CHUNK_WITH_TOKENS = 200
_SAMPLES_FOR_WEIGHTS = 10_000

Samples = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class ScoreSettings(Settings):
    aspects: object = setting(
        "action100m",
        "Aspects",
        f"What is compared: {', '.join(PRESETS)}, or a list of aspects as JSON",
        kind="aspects",
        required=True,
    )
    edges: list | None = setting(
        None,
        "Edges",
        "Which parties to compare: a witness (q), two witnesses (qm); all where empty",
        many=True,
    )
    metrics: list = setting(
        list(METRICS), "Metrics", "What to measure", many=True, choices=tuple(METRICS)
    )
    encoder: str | None = setting(
        None,
        "Encoder",
        "The sentence encoder: a name or a folder; the embedded all-MiniLM-L6-v2 where empty",
    )
    overwrite: bool = setting(
        False, "Overwrite", "Score everything again, and replace fields this audit did not write"
    )

    def chosen_edges(self) -> list[Edge]:
        """The edges to score, of every aspect."""
        return [edge for aspect in read_aspects(self.aspects) for edge in aspect.edges(self.edges)]

    def everyone(self) -> dict[str, tuple[str, list[str]]]:
        """``{field: (annotation, opinions)}`` of the support by all witnesses together."""
        if "sup" not in self.metrics:
            return {}
        return {
            score_field("sup", "all", aspect.name): (
                aspect.annotation,
                [edge.left for edge in aspect.edges(self.edges) if edge.against_annotation],
            )
            for aspect in read_aspects(self.aspects)
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
        "for each metric, edge and aspect, such as lex_q_sum_brief, and audit_status."
    )
    icon = "balance"
    settings = ScoreSettings

    def writes(self, settings: ScoreSettings) -> dict[str, tuple]:
        fields = {
            edge.field(metric): f"{METRICS[metric].label} of {edge.left} and {edge.right}, 0 to 1"
            for edge in settings.chosen_edges()
            for metric in settings.metrics
        }
        for name, (annotation, opinions) in settings.everyone().items():
            fields[name] = f"Support of {annotation} by any of {', '.join(opinions)}, 0 to 1"
        return {name: (fo.FloatField, description) for name, description in fields.items()}

    def check(self, samples: Samples, settings: ScoreSettings) -> dict[str, str]:
        return check_aspects(root_dataset(samples), settings.aspects, settings.edges) or (
            {} if settings.metrics else {"metrics": "Metrics: choose at least one."}
        )

    def work(self, samples: Samples, settings: ScoreSettings, progress: Progress) -> dict:
        scorer = _Scorer(root_dataset(samples), settings)
        dataset = self.open(samples, settings)
        edges = settings.chosen_edges()
        method = [scorer.names, scorer.revision]
        summaries = {name: ScoreSummary() for name in scorer.names}
        gaps = {edge.field(""): [0, 0] for edge in edges}
        scored = 0
        size = _CHUNK_WITH_TOKENS if "tokens" in scorer.needs else CHUNK
        chunks = read_chunks(samples, [*scorer.texts, ledger_field(self.name)], size)
        for chunk in progress.over(chunks, "Scoring agreement", samples.count()):
            rows = zip(*(chunk.columns[name] for name in scorer.texts))
            keys = [fingerprint(method, row) for row in rows]
            stale = stale_rows(chunk, self.name, keys, settings.overwrite)
            fresh = chunk.rows(stale)
            if stale:
                scores = scorer.score(fresh)
                status = _status(self.name, fresh, scorer.texts)
                ledger = {ledger_field(self.name): [keys[row] for row in stale]}
                write_columns(dataset, fresh.ids, {**scores, **status, **ledger})
                _add(summaries, scores)
            _add(summaries, _stored(dataset, chunk, set(stale), list(summaries)))
            _count_gaps(gaps, chunk, edges)
            scored += len(stale)
        return _report(samples.count(), scored, settings, summaries, gaps, scorer.revision)


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
        self.columns = self.weights = self.revision = None
        if self.needs & {"vectors", "tokens"}:
            from ..models.columns import ColumnEncoder  # torch takes seconds to import
            from ..models.encoder import Encoder

            self.columns = ColumnEncoder(Encoder(settings.encoder), "tokens" in self.needs)
            self.revision = self.columns.encoder.revision
        if "tokens" in self.needs:
            self.weights = self._learn_weights(dataset)

    def score(self, chunk: Chunk) -> dict[str, np.ndarray]:
        """``{score field: one score a sample}``."""
        texts = {name: _readable(chunk.columns[name]) for name in self.texts}
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

    def _learn_weights(self, dataset: fo.Dataset) -> TokenWeights:
        weights = TokenWeights()
        for chunk in read_chunks(dataset.limit(_SAMPLES_FOR_WEIGHTS), self.texts):
            for name in self.texts:
                texts = [text for text in _readable(chunk.columns[name]) if text is not None]
                for ids in self.columns.encoder.token_ids(texts):
                    weights.add(ids)
        return weights


def _readable(texts: Sequence[str | None]) -> list[str | None]:
    return [clean(text) if is_scorable(text) else None for text in texts]


def _status(stage: str, chunk: Chunk, texts: Sequence[str]) -> dict[str, list]:
    statuses, reasons = [], []
    for row in zip(*(chunk.columns[name] for name in texts)):
        missing = [name for name, text in zip(texts, row) if is_missing(text)]
        statuses.append("missing" if missing else "ok")
        reasons.append(f"no {', '.join(missing)}" if missing else None)
    return {f"{STATUS}.{stage}": statuses, f"{STATUS}.{stage}_why": reasons}


def _stored(dataset: fo.Dataset, chunk: Chunk, stale: set[int], names: list[str]) -> dict:
    # What an earlier run scored belongs in the report as well.
    done = [chunk.ids[row] for row in range(len(chunk)) if row not in stale]
    return dict(zip(names, dataset.select(done).values(names))) if done else {}


def _add(summaries: dict[str, ScoreSummary], scores: dict) -> None:
    for name, values in scores.items():
        summaries[name].add(values)


def _count_gaps(gaps: dict[str, list[int]], chunk: Chunk, edges: Sequence[Edge]) -> None:
    missing, na = {}, {}
    for name in {field for edge in edges for field in (edge.left, edge.right)}:
        missing[name] = np.array([is_missing(text) for text in chunk.columns[name]], dtype=bool)
        na[name] = np.array([is_na(text) for text in chunk.columns[name]], dtype=bool)
    for edge in edges:
        either = missing[edge.left] | missing[edge.right]
        gaps[edge.field("")][0] += int(either.sum())
        gaps[edge.field("")][1] += int((~either & (na[edge.left] | na[edge.right])).sum())


def _report(
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
        f"Scored {scored:,} of {total:,} samples; {total - scored:,} were already up to date.",
        f"{sum(row['n'] for row in rows):,} scores in {len(rows)} fields; "
        f"{sum(row['missing'] for row in rows):,} are missing for want of a text and "
        f"{sum(row['n/a'] for row in rows):,} because a text is N/A.",
    ]
    return {
        "summary": summary,
        "samples": total,
        "scored": scored,
        "encoder": revision,
        "scores": rows,
    }


# ---- form ----


def check_aspects(
    dataset: fo.Dataset, given: object, edges: Sequence[str] | None
) -> dict[str, str]:
    """What is wrong with aspects and edges, given a dataset's fields."""
    try:
        aspects = read_aspects(given)
    except ValueError as error:
        return {"aspects": f"Aspects: {error}"}
    known = edge_names(aspects)
    unknown = [edge for edge in edges or [] if edge not in known]
    if unknown:
        return {"edges": f"Edges: there is no {unknown[0]!r}; there are {', '.join(known)}."}
    if not any(aspect.edges(edges) for aspect in aspects):
        return {"aspects": "Aspects: no witness is named, so there is nothing to compare."}
    for aspect in aspects:
        for edge in aspect.edges(edges):
            for name in (edge.left, edge.right):
                sentence = _text_field_problem(dataset, name, aspect)
                if sentence:
                    return {"aspects": f"Aspects: {sentence}"}
    return {}


def _text_field_problem(dataset: fo.Dataset, name: str, aspect: Aspect) -> str | None:
    field = dataset.get_field(name)
    if isinstance(field, fo.StringField):
        return None
    if field is not None:
        return f"{name!r} is a {type(field).__name__}; {aspect.name} needs a text field."
    stage = "hoist_labels" if name == aspect.annotation else "read_opinions"
    advice = f" Run {stage} first, or limit the edges." if aspect in ACTION100M else ""
    return f"the dataset has no field {name!r}, which {aspect.name} needs.{advice}"
