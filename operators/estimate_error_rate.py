"""Estimate error rate: the share of wrong annotations, from what people reviewed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo
from fiftyone.operators.types import RiskLevel

from ..agreement.error_rate import (
    ErrorRate,
    estimate,
    estimate_part,
    may_stop,
    more_reviews,
    tell,
)
from ..agreement.sampling import Plan
from ..engine import reviews
from ..engine.columns import root_dataset
from ..engine.ledger import fingerprint
from ..engine.progress import Progress
from ..engine.review_queue import gone, load_plan, planned_aspects
from .base import Stage
from .settings import Settings, setting

#: Parts by the confidence that the plan was cut by.
TIER = "tier"
_MOST_TOLD = 20  # parts; a field may have thousands of values
_ONE_VALUE = (fo.StringField, fo.IntField, fo.FloatField, fo.BooleanField)

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class RateSettings(Settings):
    aspect: str | None = setting(
        None, "Aspect", "The aspect whose annotation was reviewed; may be left out if only one was"
    )
    by: str | None = setting(
        None,
        "By",
        "Also estimate each part: tier (of confidence), verdict, or another field of few values",
    )
    width: float = setting(
        0.02, "Width", "How narrow the interval should get: 0.02 is ±2%", low=0.001, high=0.5
    )

    def chosen(self, dataset: fo.Dataset) -> str:
        """The aspect named, or else the only one that is reviewed; empty where it must be named."""
        begun = planned_aspects(dataset)
        return self.aspect or (begun[0] if len(begun) == 1 else "")


# ---- work ----


class EstimateErrorRate(Stage):
    """Estimates which share of an aspect's annotations is wrong, with a 95% interval."""

    name = "estimate_error_rate"
    label = "Estimate error rate"
    description = (
        "Estimates from the reviews which share of the annotations is wrong, with a 95% "
        "interval, and how many more reviews would narrow it. Writes no sample field."
    )
    icon = "percent"
    risk = RiskLevel.LOW
    settings = RateSettings

    def check(self, samples: Samples, settings: RateSettings) -> dict[str, str]:
        dataset = root_dataset(samples)
        begun, aspect = planned_aspects(dataset), settings.chosen(dataset)
        if begun and not aspect:
            return {"aspect": f"Aspect: name one of those reviewed: {', '.join(begun)}."}
        if aspect not in begun:
            known = f"There are reviews of {', '.join(begun)}." if begun else ""
            asked = repr(aspect) if aspect else "anything here"
            return {
                "aspect": f"Aspect: nobody has begun to review {asked}. Open the panel Review, or "
                f"call plan_review. {known}".rstrip()
            }
        if settings.by in (None, TIER):
            return {}
        field, advice = dataset.get_field(settings.by), "Use tier, or a field of few values"
        if field is None:
            return {
                "by": f"By: the dataset has no field {settings.by!r}. {advice}, such as verdict."
            }
        if not isinstance(field, _ONE_VALUE):
            return {
                "by": f"By: {settings.by!r} does not hold one word or number a sample. {advice}; "
                "of a label, name its attribute, such as ground_truth.label."
            }
        return {}

    def work(self, samples: Samples, settings: RateSettings, progress: Progress) -> dict:
        aspect = settings.chosen(root_dataset(samples))
        report = estimate_rates(samples, aspect, settings.by, settings.width)
        return {**report, "summary": report["summary"] + _told(report["parts"], settings.by)}

    def shows(self, samples: Samples, settings: RateSettings, report: dict) -> fo.DatasetView:
        dataset = root_dataset(samples)
        decided = reviews.decided(reviews.read(dataset, settings.chosen(dataset)))
        return dataset.select([sample_id for sample_id, wrong in decided.items() if wrong])


def estimate_rates(samples: Samples, aspect: str, by: str | None, width: float = 0.02) -> dict:
    """The stage's report, its summary without the parts, which are in ``parts``."""
    dataset = root_dataset(samples)
    stored = load_plan(dataset, aspect)
    plan = Plan.from_dict(stored)
    entries = reviews.read(dataset, aspect)
    asked = reviews.asked(entries, stored["id"])
    wrong = plan.counted(reviews.decided(entries), asked)
    inside = _inside(samples, plan)
    found, more, size = _estimate(plan, wrong, inside, width)
    summary = [f"{aspect}: {tell(found, more, width, size)}"]
    if inside is not None:
        summary.append(
            f"This view holds about {size:,} of the {plan.size:,} annotations that the plan "
            f"was drawn from; {0 if found is None else found.reviews:,} of "
            f"{len(wrong):,} reviews lie in it."
        )
    summary += _doubts(plan, entries, asked, wrong, inside)
    summary += _changes(dataset, stored, entries, wrong)
    summary += _losses(dataset, plan)
    if stored["missing"]:
        summary.append(f"{stored['missing']:,} samples have no annotation and are not counted.")
    return {
        "summary": summary,
        **_numbers(found),
        "labels": size,
        "more": more,
        "enough": may_stop(found, width),
        "parts": [] if by is None else _rows(samples, plan, wrong, inside, by),
    }


def _inside(samples: Samples, plan: Plan) -> set[str] | None:
    # The samples of a view, or None where it holds all that the plan was drawn from.
    if isinstance(samples, fo.Dataset):
        return None
    ids = set(samples.values("id"))
    return None if len(ids) >= plan.size and ids.issuperset(plan.drawn) else ids


def _estimate(
    plan: Plan, wrong: Mapping[str, bool], inside: set[str] | None, width: float
) -> tuple[ErrorRate | None, int | None, int]:
    if inside is None:
        seen = plan.seen(wrong)
        return estimate(seen), more_reviews(seen, plan.shares, width), plan.size
    found, size = estimate_part(plan.seen(wrong), inside)
    more = None
    if found is not None:  # the interval narrows with the root of the reviews
        more = max(round(len(wrong) * ((found.half_width / width) ** 2 - 1)), 0)
    return found, more, round(size)


def _doubts(
    plan: Plan,
    entries: list[reviews.Review],
    asked: Collection[str],
    wrong: Mapping[str, bool],
    inside: set[str] | None,
) -> list[str]:
    outcomes = reviews.outcomes(entries)
    doubtful = [
        label
        for label in asked
        if outcomes.get(label) not in (reviews.CORRECT, reviews.WRONG)
        and (inside is None or label in inside)
    ]
    if not doubtful:
        return []
    least = _estimate(plan, {**wrong, **dict.fromkeys(doubtful, False)}, inside, 0.02)[0]
    most = _estimate(plan, {**wrong, **dict.fromkeys(doubtful, True)}, inside, 0.02)[0]
    reach = ""
    if least is not None and most is not None:
        reach = f" Were none of them wrong it would be {least.rate:.1%}, were all, {most.rate:.1%}."
    why = Counter(outcomes.get(label, reviews.SKIP) for label in doubtful)
    skipped = f", {why[reviews.SKIP]:,} skipped" if why[reviews.SKIP] else ""
    return [
        f"{len(doubtful):,} reviewed samples are left out: {why[reviews.UNSURE]:,} unsure, "
        f"{why[reviews.DISPUTED]:,} on which reviewers disagree{skipped}.{reach}"
    ]


def _changes(
    dataset: fo.Dataset, stored: dict, entries: list[reviews.Review], wrong: Mapping[str, bool]
) -> list[str]:
    if dataset.get_field(stored["annotation"]) is None:
        return [
            f"The field {stored['annotation']!r}, which was reviewed, is no longer there; the "
            "estimate speaks of it as it was."
        ]
    seen = {entry.sample_id: entry.text for entry in entries if entry.text}
    ids = [label for label in wrong if label in seen]
    found = dataset.select(ids)
    now = dict(zip(*found.values(["id", stored["annotation"]]))) if ids else {}
    changed = sum(fingerprint(now[label]) != seen[label] for label in ids if label in now)
    if not changed:
        return []
    return [
        f"{changed:,} of the reviewed annotations have changed since; the estimate speaks of them "
        "as they were."
    ]


def _losses(dataset: fo.Dataset, plan: Plan) -> list[str]:
    # Reviews go with their samples. Who removes what was found wrong leaves what was fine.
    lost = len(gone(dataset, plan.drawn))
    if not lost:
        return []
    return [
        f"{lost:,} of the {len(plan.drawn):,} samples in the order of review are no longer in the "
        "dataset, nor are any reviews of them. If they were removed for what was found, the "
        "estimate is off: call plan_review with restart, and go on with the reviews."
    ]


def _rows(
    samples: Samples,
    plan: Plan,
    wrong: Mapping[str, bool],
    inside: set[str] | None,
    by: str,
) -> list[dict]:
    kept = [label for label in wrong if inside is None or label in inside]
    seen = plan.seen(wrong)
    if by == TIER:
        homes = plan.stratum_of()
        sizes = {} if inside else dict(zip(plan.names, (s.size for s in plan.strata)))
    else:
        found = root_dataset(samples).select(kept)
        homes = dict(zip(*found.values(["id", by]))) if kept else {}
        homes = {label: _name(value) for label, value in homes.items()}
        values = samples.count_values(by).items()
        sizes = Counter({_name(value): count for value, count in values})
    rows = []
    for part in dict.fromkeys([*sizes, *(homes[i] for i in kept if i in homes)]):
        mine = [label for label in kept if homes.get(label) == part]
        found, _ = estimate_part(seen, set(mine))
        rows.append({by: part, "samples": sizes.get(part), **_numbers(found)})
    return rows


def _told(rows: list[dict], by: str | None) -> list[str]:
    lines = []
    for row in rows[:_MOST_TOLD]:
        of = "" if row["samples"] is None else f" of {row['samples']:,} samples"
        lines.append(
            f"{by} {row[by]}{of}: no estimate, for none was reviewed."
            if row["rate"] is None
            else f"{by} {row[by]}: {row['rate']:.1%}{of} are wrong, 95% interval "
            f"{100 * row['low']:.1f} to {100 * row['high']:.1f}; {row['wrong']:,} of "
            f"{row['reviews']:,} reviewed were."
        )
    if len(rows) > _MOST_TOLD:
        lines.append(f"{len(rows) - _MOST_TOLD:,} more parts are in the report.")
    return lines


def _name(value: object) -> str:
    return "none" if value is None else str(value)


def _numbers(found: ErrorRate | None) -> dict:
    if found is None:
        return {"rate": None, "low": None, "high": None, "reviews": 0, "wrong": 0}
    return {
        "rate": found.rate,
        "low": found.low,
        "high": found.high,
        "reviews": found.reviews,
        "wrong": found.wrong,
    }
