"""Check tree: whether a tree of captions holds together, without a second model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np
from fiftyone import ViewField as F

from ..agreement.texts import clean, is_scorable
from ..agreement.tree import read_tree
from ..engine.columns import Chunk, read_chunks, root_dataset, write_columns, write_labels
from ..engine.ledger import fingerprint, ledger_field, stale_rows
from ..engine.progress import Progress
from .base import Stage
from .settings import setting
from .spread import SpreadSettings

_PARTS = ("id", "label", "node_id", "parent_id", "level", "start", "end")
# On every segment:
_ATTRIBUTES = {
    "tree_fit": (fo.FloatField, "Share of other parents that it fits worse than its own, 0 to 1"),
    "tree_repeats": (fo.BooleanField, "Whether a sibling's text says the same"),
    "tree_gap": (fo.FloatField, "Seconds between the previous sibling's end and its start"),
    "tree_overlap": (fo.FloatField, "Seconds that it shares with the previous sibling"),
}
_CHUNK = 50  # trees at once; each may have hundreds of nodes

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class TreeSettings(SpreadSettings):
    field: str = setting(
        "gpt_summary_brief",
        "Tree",
        "The segments with node_id, parent_id, level, start and end",
        kind="field",
        types=(fo.TemporalDetections, fo.Detections),
        required=True,
    )
    encoder: str | None = setting(
        None, "Encoder", "The sentence encoder; the embedded all-MiniLM-L6-v2 where empty"
    )
    overwrite: bool = setting(
        False, "Overwrite", "Check everything again, and replace fields this audit did not write"
    )


# ---- work ----


class CheckTree(Stage):
    """Judges the nodes of a tree by their parents, siblings and times."""

    name = "check_tree"
    label = "Check tree"
    description = (
        "Checks each tree's structure and whether children fit their own parents. Writes "
        "tree_fit, tree_repeats, tree_gap and tree_overlap on every segment, and "
        "tree_score_<field> and tree_faults_<field> on every sample."
    )
    icon = "account_tree"
    settings = TreeSettings

    def writes(self, settings: TreeSettings) -> dict[str, tuple]:
        fields = {
            f"tree_score_{settings.field}": (
                fo.FloatField,
                "Mean share of other parents that a node fits worse than its own, 0 to 1",
            ),
            f"tree_faults_{settings.field}": (fo.ListField, "What is wrong with the tree's form"),
        }
        for name, kind in _ATTRIBUTES.items():
            fields[f"{settings.field}.detections.{name}"] = kind
        return fields

    def check(self, samples: Samples, settings: TreeSettings) -> dict[str, str]:
        dataset, labels = root_dataset(samples), f"{settings.field}.detections"
        if dataset.get_field(f"{labels}.parent_id") is not None:
            return {}
        any_label = dataset.match(F(labels).length() > 0).limit(1).count()
        with_parent = F(labels).filter(F("parent_id").exists())
        if not any_label or dataset.match(with_parent.length() > 0).limit(1).count():
            return {}
        return {
            "field": f"Tree: the labels of {settings.field!r} have no parent_id, so that they are "
            "no trees. Each label needs node_id and parent_id, the node_id of the one above it."
        }

    def status_name(self, settings: TreeSettings) -> str:
        return f"{self.name}_{settings.field}"

    def work(self, samples: Samples, settings: TreeSettings, progress: Progress) -> dict:
        from ..models.encoder import Encoder

        encoder = Encoder(settings.encoder)
        dataset = self.open(samples, settings)
        path = f"{settings.field}.detections"
        work, own = self.status_name(settings), _own_fields(settings.field)
        tally: Counter[str] = Counter()
        faults: Counter[str] = Counter()
        parts = [f"{path}.{part}" for part in _PARTS]
        fit = f"{path}.tree_fit"
        chunks = read_chunks(samples, [*parts, *own, fit, ledger_field(work)], _CHUNK)
        for chunk in progress.over(chunks, "Checking trees", samples.count()):
            rows = zip(*(chunk.columns[part] for part in parts))
            keys = [fingerprint(encoder.revision, *row) for row in rows]
            stale = stale_rows(chunk, work, keys, settings.overwrite, _judged(chunk, own, fit))
            fresh = chunk.rows(stale)
            found = _check(fresh, path, encoder)
            _write(dataset, fresh, path, own, found, {ledger_field(work): [keys[i] for i in stale]})
            _count(chunk, set(stale), own, found, tally, faults)
        return _report(samples.count(), tally, faults, encoder.revision)

    def shows(self, samples: Samples, settings: TreeSettings, report: dict) -> fo.DatasetView:
        return samples.exists(f"tree_score_{settings.field}").sort_by(
            f"tree_score_{settings.field}"
        )


def _own_fields(field: str) -> list[str]:
    return [f"tree_score_{field}", f"tree_faults_{field}", f"{field}.detections.tree_repeats"]


def _judged(chunk: Chunk, own: list[str], fit: str) -> dict[str, list]:
    # Every tree has a list of faults, and a score wherever one of its nodes could be judged
    scored = [
        any(value is not None for value in fits or []) or any(repeats or []) or None
        for fits, repeats in zip(chunk.columns[fit], chunk.columns[own[2]])
    ]
    return {own[0]: scored, own[1]: [True] * len(chunk)}


def _write(
    dataset: fo.Dataset, chunk: Chunk, path: str, own: list[str], found: tuple, ledger: dict
) -> None:
    scores, kinds, attributes = found
    of = {
        label: i
        for i, labels in zip(chunk.ids, chunk.columns[f"{path}.id"])
        for label in labels or []
    }
    labels = list(attributes["tree_repeats"])
    columns = {name: [values[label] for label in labels] for name, values in attributes.items()}
    write_labels(dataset, path, [of[label] for label in labels], labels, columns)
    # What says "done" comes last
    write_columns(dataset, chunk.ids, {own[0]: scores, own[1]: kinds, **ledger})


def _count(
    chunk: Chunk, stale: set[int], own: list[str], found: tuple, tally: Counter, faults: Counter
) -> None:
    # What an earlier run found belongs in the report as well
    scores, kinds, attributes = found
    kept = chunk.rows([row for row in range(len(chunk)) if row not in stale])
    before = [repeats for column in kept.columns[own[2]] for repeats in column or []]
    repeats = [*attributes["tree_repeats"].values(), *before]
    faults.update(kind for told in (*kinds, *kept.columns[own[1]]) for kind in told or [])
    tally["judged"] += int((~np.isnan(scores)).sum())
    tally["judged"] += sum(score is not None for score in kept.columns[own[0]])
    tally["repeats"] += sum(map(bool, repeats))
    tally["nodes"] += len(repeats)
    tally["kept"] += len(kept)


def _check(chunk: Chunk, path: str, encoder: Any) -> tuple[np.ndarray, list, dict]:
    trees = [
        [dict(zip(_PARTS, row)) for row in zip(*(column or [] for column in columns))]
        for columns in zip(*(_padded(chunk.columns[f"{path}.{part}"]) for part in _PARTS))
    ]
    texts = [clean(n["label"]) if is_scorable(n["label"]) else None for t in trees for n in t]
    vectors = np.full((len(texts), encoder.dimension), np.nan, dtype=np.float32)
    there = [i for i, text in enumerate(texts) if text is not None]
    if there:
        vectors[there] = encoder.encode([texts[i] for i in there])
    scores, kinds, start = np.full(len(trees), np.nan), [], 0
    attributes: dict[str, dict] = {name: {} for name in _ATTRIBUTES}
    for row, nodes in enumerate(trees):
        end = start + len(nodes)
        scores[row], found = _judge(nodes, texts[start:end], vectors[start:end], attributes)
        kinds.append(found)
        start = end
    return scores, kinds, attributes


def _judge(
    nodes: list[dict], texts: list[str | None], vectors: np.ndarray, attributes: dict[str, dict]
) -> tuple[float, list[str]]:
    from ..agreement.tree_fit import tree_fit, tree_score

    tree = read_tree(nodes)
    if not nodes:
        return np.nan, [fault.name for fault in tree.faults]
    at = {node["node_id"]: i for i, node in enumerate(nodes)}
    parents = [at.get(node["parent_id"], -1) for node in nodes]
    spans = np.array([[_number(n["start"]), _number(n["end"])] for n in nodes])
    found = tree_fit(parents, texts, vectors, spans, [s.level for s in tree.segments])
    for i, node in enumerate(nodes):
        attributes["tree_fit"][node["id"]] = _known(found.fit[i])
        attributes["tree_repeats"][node["id"]] = bool(found.repeats[i])
        attributes["tree_gap"][node["id"]] = _known(found.gap[i])
        attributes["tree_overlap"][node["id"]] = _known(found.overlap[i])
    kinds = dict.fromkeys(fault.name for fault in tree.faults)
    if found.out_of_order.any():
        kinds["out_of_order"] = None
    return tree_score(found), list(kinds)


def _padded(column: list) -> list:
    return [values or [] for values in column]


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else np.nan


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _report(total: int, tally: Counter, faults: Counter, encoder: str) -> dict:
    summary = (
        f"Checked the trees of {total:,} samples, {tally['nodes']:,} nodes in all. Enough nodes "
        f"for a score: {tally['judged']:,}; too few: {total - tally['judged']:,}. Nodes that "
        f"repeat a sibling's text: {tally['repeats']:,}. Up to date before: {tally['kept']:,}."
    )
    rows = [{"fault": kind, "trees": n} for kind, n in faults.most_common()]
    return {
        "summary": [summary],
        "samples": total,
        "checked": total - tally["kept"],
        "judged": tally["judged"],
        "nodes": tally["nodes"],
        "repeats": tally["repeats"],
        "encoder": encoder,
        "faults": rows,
    }
