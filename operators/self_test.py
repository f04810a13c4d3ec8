"""Self test: what this audit can see, measured with errors planted into copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np

from ..agreement.aspects import Aspect
from ..agreement.metrics import METRICS, Column, support_by_all
from ..agreement.texts import clean, is_scorable
from ..agreement.token_weights import TokenWeights
from ..engine.progress import Progress
from ..engine.table import LabelTable, Rows, SampleTable, open_table, work_name
from .audit_settings import (
    aspects_setting,
    check_aspects,
    chosen_aspects,
    encoder_setting,
    group_setting,
    groups_of,
    segments_setting,
)
from .base import Stage
from .calibrate import confidence_field
from .settings import Settings, setting
from .tag_rules import as_array

# Under this AUROC a kind of error is called invisible: little better than a coin.
_VISIBLE = 0.65
_FEWEST = 10
_RECALL = "recall at 5% false alarms"  # a column of the report
_POOL = 8  # segments to draw each from, so that they are of several videos

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class SelfTestSettings(Settings):
    aspects: object = aspects_setting()
    segments: str | None = segments_setting()
    kinds: list | None = setting(
        None, "Kinds", "Which errors to plant, such as actor or number; all where empty", many=True
    )
    group_field: str | None = group_setting("; other_segment needs it, or segments")
    sample_size: int = setting(
        300, "Sample size", "Into how many of them to plant errors, drawn at random", low=20
    )
    encoder: str | None = encoder_setting()
    seed: int = setting(51, "Seed", "The same seed plants the same errors", low=0)


# ---- work ----


class SelfTest(Stage):
    """Plants errors of named kinds into copies, and counts which are noticed."""

    name = "self_test"
    label = "Self test"
    description = (
        "Plants errors of named kinds into copies of the annotations, scores them like the real "
        "ones, and reports how well each kind is noticed. Writes nothing to any sample."
    )
    icon = "science"
    settings = SelfTestSettings

    def work_name(self, settings: SelfTestSettings) -> str:
        return work_name(self.name, settings.segments)

    def check(self, samples: Samples, settings: SelfTestSettings) -> dict[str, str]:
        from ..agreement.plant import KINDS

        unknown = [kind for kind in settings.kinds or [] if kind not in KINDS]
        if unknown:
            return {"kinds": f"Kinds: there is no {unknown[0]!r}; there are {', '.join(KINDS)}."}
        return check_aspects(samples, settings.aspects, None, settings.segments)

    def work(self, samples: Samples, settings: SelfTestSettings, progress: Progress) -> dict:
        from ..agreement.plant import KINDS
        from ..models.columns import ColumnEncoder
        from ..models.encoder import Encoder

        encoder = Encoder(settings.encoder)
        aspects = chosen_aspects(settings.aspects, settings.segments)
        table = open_table(samples, settings.segments)
        drawn = _draw(table, aspects, settings)
        kinds = settings.kinds or list(KINDS)
        found: list[dict] = []
        trusted: list[dict] = []
        with progress.step("Planting errors", len(aspects)) as advance:
            for aspect in aspects:
                test = _AspectTest(aspect, drawn, ColumnEncoder(encoder, with_tokens=True))
                found += [test.measure(kind, settings) for kind in kinds]
                trusted += filter(None, [test.told()])
                advance(1)
        report = _report(table, len(drawn), found, encoder.revision)
        report["summary"] += _tell_trust(trusted, [aspect.name for aspect in aspects])
        return report | {"trust": trusted}


class _AspectTest:
    """One aspect's texts, and how each metric scores them, as they are and changed."""

    def __init__(self, aspect: Aspect, rows: Rows, columns: Any) -> None:
        self._aspect, self._rows, self._columns = aspect, rows, columns
        self._texts = [
            clean(t) if is_scorable(t) else None for t in rows.columns[aspect.annotation]
        ]
        self._heard = [self._column(rows.columns[name]) for name in aspect.opinions.values()]
        self._said = self._column(self._texts)
        known = [self._said, *self._heard]
        self._weights = TokenWeights(t.ids for column in known for t in column.tokens if t)
        self._scores = self._score(self._said)
        # A label that is probably wrong says little of how right ones, or errors in them, score
        trust = as_array(rows.columns[confidence_field(aspect.name)])
        self._trust = None if np.isnan(trust).all() else trust

    def told(self) -> dict:
        """How far the labels themselves are trusted, a row of the report; {} where nobody knows."""
        if self._trust is None:
            return {}
        known = self._trust[~np.isnan(self._trust)]
        wrong = round(float(np.sum(1 - known)), 1)
        return {"aspect": self._aspect.name, "weighed": len(known), "expected wrong": wrong}

    def measure(self, kind: str, settings: SelfTestSettings) -> dict:
        """How well an error of this kind is noticed: a row of the report."""
        from ..agreement.plant import plant
        from ..agreement.reliability import area_under_roc, recall_at_false_alarms

        groups = groups_of(self._rows, settings.group_field)
        planted = plant(self._texts, kind, settings.seed, groups, self._rows.places)
        row = {"aspect": self._aspect.name, "kind": kind, "planted": int(planted.changed.sum())}
        if row["planted"] < _FEWEST:
            return row
        # Another clip's text was counted itself; a changed copy stands in its original's place
        original = self._said if planted.is_edit else None
        changed = self._score(self._column(planted.texts), original)
        weights = self._trust, self._trust
        for name, scores in self._scores.items():
            row[f"auroc {name}"] = round(area_under_roc(scores, changed[name], *weights), 3)
        best = max(self._scores, key=lambda name: row[f"auroc {name}"])
        recall = recall_at_false_alarms(self._scores[best], changed[best], *weights)
        return row | {"best": best, _RECALL: round(recall, 3)}

    def _column(self, texts: list[str | None]) -> Column:
        texts = [clean(t) if is_scorable(t) else None for t in texts]
        vectors, tokens = self._columns.encode({"texts": texts})
        return Column(texts, vectors["texts"], tokens["texts"])

    def _score(self, said: Column, instead_of: Column | None = None) -> dict[str, np.ndarray]:
        from ..agreement.confidence import mean_of_known

        scores = {}
        for name in ("lex", "sem"):
            each = [METRICS[name].score(said, heard, None) for heard in self._heard]
            scores[name] = mean_of_known(np.stack(each))
        scores["sup"] = support_by_all(said, self._heard, self._weights, instead_of)
        return scores


def _draw(
    table: SampleTable | LabelTable, aspects: Sequence[Aspect], settings: SelfTestSettings
) -> Rows:
    chance = Random(settings.seed)
    sizes = {sample_id: rows for sample_id, rows in table.sizes().items() if rows}
    order = sorted(sizes)
    chance.shuffle(order)
    wanted = settings.sample_size * (_POOL if settings.segments else 1)
    before = np.cumsum([0, *(sizes[sample_id] for sample_id in order)])[:-1]
    names = [name for aspect in aspects for name in aspect.fields]
    names += [confidence_field(aspect.name) for aspect in aspects]
    more = [settings.group_field] if settings.group_field else []
    pool = table.read([i for i, seen in zip(order, before) if seen < wanted], names, more)
    drawn = chance.sample(range(len(pool)), min(len(pool), settings.sample_size))
    return pool.take(sorted(drawn))


def _told(judged: list[dict]) -> list[str]:
    # A line a kind, the one that is noticed worst first
    known = [row for row in judged if not np.isnan(row[_RECALL])]
    ordered = sorted(known, key=lambda row: (row[_RECALL], row[f"auroc {row['best']}"]))
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in ordered):
        mine = [row for row in ordered if row["kind"] == kind]
        each = [
            f"{r[_RECALL]:.0%} of {r['planted']:,} in {r['aspect']} "
            f"(AUROC {r['auroc ' + r['best']]:.2f})"
            for r in mine
        ]
        lines.append(f"{kind}: at 5% false alarms this audit notices {', '.join(each)}.")
    return lines


def _tell_trust(trusted: list[dict], aspects: list[str]) -> list[str]:
    """Among which labels false alarms were counted."""
    lines = []
    if trusted:
        each = ", ".join(
            f"{row['expected wrong']:,.0f} of {row['weighed']:,} in {row['aspect']}"
            for row in trusted
        )
        lines.append(
            "Labels were weighed by their confidence, since some are wrong themselves: as the "
            f"confidences expect, {each}. Those without a confidence were left out."
        )
    rest = [name for name in aspects if name not in [row["aspect"] for row in trusted]]
    if rest:
        lines.append(
            f"In {', '.join(rest)} false alarms are counted among all labels, right or wrong, as "
            "there are no confidences: where more than 5% are wrong, more is noticed than is said "
            "here. Run calibrate first, and labels are weighed."
        )
    return lines


def _report(table: SampleTable | LabelTable, drawn: int, rows: list[dict], encoder: str) -> dict:
    judged = [row for row in rows if "best" in row]
    blind: dict[str, list[str]] = {}
    for row in judged:
        if row[f"auroc {row['best']}"] < _VISIBLE:
            blind.setdefault(row["kind"], []).append(row["aspect"])
    summary = [
        f"Planted errors into copies of {drawn:,} of {table.count():,} {table.noun}, drawn at "
        f"random: {sum(row['planted'] for row in rows):,} changed texts. The dataset stays as it "
        "was."
    ]
    summary += _told(judged)
    summary += [
        f"This audit hardly sees errors of the kind {kind!r} in {', '.join(aspects)}."
        for kind, aspects in blind.items()
    ]
    untested = sorted({row["kind"] for row in rows} - {row["kind"] for row in judged})
    most = {kind: max(r["planted"] for r in rows if r["kind"] == kind) for kind in untested}
    if untested:
        few = ", ".join(f"{kind} ({n} of the {_FEWEST} needed)" for kind, n in most.items())
        summary.append(f"Too few texts could hold {few}, so nothing is known of these.")
    return {"summary": summary, table.noun: drawn, "encoder": encoder, "detection": rows}
