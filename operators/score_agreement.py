"""Score agreement: how alike annotation and opinions are, edge by edge, aspect by aspect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import fiftyone as fo
import numpy as np

from ..agreement.aspects import ACTION100M, PRESETS, Aspect, Edge, edge_names, read_aspects
from ..agreement.lexical import lexical_similarity
from ..agreement.semantic import cosine_similarity
from ..agreement.summary import ScoreSummary
from ..agreement.texts import clean, is_missing, is_na, is_scorable
from ..engine.columns import Chunk, read_chunks, root_dataset, write_columns
from ..engine.fields import STATUS
from ..engine.ledger import fingerprint, ledger_field, stale_rows
from ..engine.progress import Progress
from .base import Stage
from .settings import Settings, setting

METRICS = {"lex": "Lexical similarity", "sem": "Semantic similarity"}
_NEEDS_ENCODER = ("sem",)
_CACHED_VECTORS = 100_000  # 150 MB at 384 dimensions

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

    def score_fields(self) -> list[str]:
        """The names of the score fields."""
        return [edge.field(metric) for edge in self.chosen_edges() for metric in self.metrics]


# ---- work ----


class ScoreAgreement(Stage):
    """Measures how alike the annotation and the opinions are."""

    name = "score_agreement"
    label = "Score agreement"
    description = (
        "Measures lexical and semantic agreement of every edge and aspect. Writes one score field "
        "for each metric, edge and aspect, such as lex_q_sum_brief, and audit_status."
    )
    icon = "balance"
    settings = ScoreSettings

    def writes(self, settings: ScoreSettings) -> dict[str, tuple]:
        return {
            edge.field(metric): (
                fo.FloatField,
                f"{METRICS[metric]} of {edge.left} and {edge.right}, 0 to 1",
            )
            for edge in settings.chosen_edges()
            for metric in settings.metrics
        }

    def check(self, samples: Samples, settings: ScoreSettings) -> dict[str, str]:
        return check_aspects(root_dataset(samples), settings.aspects, settings.edges) or (
            {} if settings.metrics else {"metrics": "Metrics: choose at least one."}
        )

    def work(self, samples: Samples, settings: ScoreSettings, progress: Progress) -> dict:
        encode, encoder = _no_encoder, None
        if set(settings.metrics) & set(_NEEDS_ENCODER):
            encoder = _load_encoder(settings.encoder)
            encode = _remembering(encoder.encode)
        dataset = self.open(samples, settings)
        edges = settings.chosen_edges()
        texts = list(dict.fromkeys(field for edge in edges for field in (edge.left, edge.right)))
        method = [settings.metrics, sorted(settings.score_fields()), encoder and encoder.revision]
        summaries = {name: ScoreSummary() for name in settings.score_fields()}
        gaps = {edge.field(""): [0, 0] for edge in edges}
        scored = 0
        chunks = read_chunks(samples, [*texts, ledger_field(self.name)])
        for chunk in progress.over(chunks, "Scoring agreement", samples.count()):
            keys = [fingerprint(method, row) for row in zip(*(chunk.columns[t] for t in texts))]
            stale = stale_rows(chunk, self.name, keys, settings.overwrite)
            fresh = chunk.rows(stale)
            if stale:
                scores = _score(fresh, edges, settings.metrics, encode)
                status = _status(self.name, fresh, texts)
                ledger = {ledger_field(self.name): [keys[row] for row in stale]}
                write_columns(dataset, fresh.ids, {**scores, **status, **ledger})
                _add(summaries, scores)
            _add(summaries, _stored(dataset, chunk, set(stale), list(summaries)))
            _count_gaps(gaps, chunk, edges)
            scored += len(stale)
        return _report(samples.count(), scored, edges, settings.metrics, summaries, gaps, encoder)


def _score(
    chunk: Chunk, edges: Sequence[Edge], metrics: Sequence[str], encode: Callable
) -> dict[str, np.ndarray]:
    # Each text is cleaned and encoded once, however many edges it takes part in.
    fields = dict.fromkeys(field for edge in edges for field in (edge.left, edge.right))
    texts = {f: [clean(t) if is_scorable(t) else None for t in chunk.columns[f]] for f in fields}
    vectors = {}
    if "sem" in metrics:
        vectors = _encode_columns(texts, encode)
    scores = {}
    for edge in edges:
        if "lex" in metrics:
            scores[edge.field("lex")] = lexical_similarity(texts[edge.left], texts[edge.right])
        if "sem" in metrics:
            scores[edge.field("sem")] = cosine_similarity(vectors[edge.left], vectors[edge.right])
    return scores


def _encode_columns(texts: dict[str, list], encode: Callable) -> dict[str, np.ndarray]:
    unique = list(dict.fromkeys(t for column in texts.values() for t in column if t is not None))
    found = encode(unique)
    at = {text: row for row, text in enumerate(unique)}
    # one more row, of nan, stands for every missing text
    table = np.vstack([found, np.full((1, found.shape[1]), np.nan, dtype=np.float32)])
    return {f: table[[at.get(t, len(unique)) for t in column]] for f, column in texts.items()}


def _remembering(encode: Callable[[list[str]], np.ndarray]) -> Callable:
    # A caption that repeats in later chunks is not encoded again; oldest forgotten first.
    known: dict[str, np.ndarray] = {}

    def encode_new(texts: list[str]) -> np.ndarray:
        new = [text for text in texts if text not in known]
        if new:
            known.update(zip(new, encode(new)))
        vectors = np.stack([known[text] for text in texts]) if texts else encode([])
        for text in list(known)[: max(0, len(known) - _CACHED_VECTORS)]:
            del known[text]
        return vectors

    return encode_new


def _no_encoder(texts: list[str]) -> np.ndarray:
    raise RuntimeError("no metric that needs an encoder was chosen")


def _load_encoder(name: str | None) -> object:
    from ..models.encoder import Encoder  # torch takes seconds: not at the App's start

    return Encoder(name)


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
    edges: Sequence[Edge],
    metrics: Sequence[str],
    summaries: dict[str, ScoreSummary],
    gaps: dict[str, list[int]],
    encoder: object | None,
) -> dict:
    rows = []
    for edge in edges:
        missing, na = gaps[edge.field("")]
        for metric in metrics:
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
        "encoder": encoder and encoder.revision,
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
