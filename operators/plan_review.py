"""Plan review: which samples people look at, so that few reviews tell the share of wrong labels."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeAlias
from uuid import uuid4

import fiftyone as fo
from fiftyone.operators.types import RiskLevel

from ..agreement.aspects import ACTION100M, Aspect, read_aspects
from ..agreement.sampling import Plan, draw_plan
from ..agreement.texts import is_missing
from ..engine import reviews
from ..engine.columns import read_chunks, root_dataset
from ..engine.labels import find_source, noun_of
from ..engine.progress import Progress
from ..engine.review_queue import load_plan, save_plan
from ..engine.table import audited_fields
from .audit_settings import aspects_setting
from .base import Stage
from .calibrate import CONFIDENCE, confidence_field
from .settings import Settings, setting

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class PlanSettings(Settings):
    aspect: str = setting(
        "sum_detailed", "Aspect", "The aspect whose annotation is reviewed", required=True
    )
    aspects: object = aspects_setting("Where the aspect is found")
    score: str | None = setting(
        None,
        "Score",
        "A score from 0 to 1, high where the annotation is probably right; the aspect's "
        "confidence where empty",
        kind="field",
        types=(fo.FloatField,),
    )
    strata: int = setting(5, "Strata", "Into how many parts the score cuts the samples", low=1)
    seed: int = setting(51, "Seed", "The seed of the random order", low=0)
    restart: bool = setting(
        False, "Restart", "Draw anew where reviews have begun; decisions stay, the order changes"
    )

    def chosen(self) -> Aspect | None:
        """The aspect, or None where the list does not hold it."""
        found = [aspect for aspect in read_aspects(self.aspects) if aspect.name == self.aspect]
        return found[0] if found else None


# ---- work ----


class PlanReview(Stage):
    """Draws the order in which people review samples, with known chances of being drawn."""

    name = "plan_review"
    label = "Plan review"
    description = (
        "Draws which samples people review: at random within parts of like confidence, doubtful "
        "ones with a larger chance. Writes the plan beside the dataset, and the field "
        "audit_reviews, which holds what people decide."
    )
    icon = "playlist_add_check"
    risk = RiskLevel.LOW
    settings = PlanSettings

    def check(self, samples: Samples, settings: PlanSettings) -> dict[str, str]:
        try:
            aspect = settings.chosen()
        except ValueError as error:
            return {"aspects": f"Aspects: {error}"}
        if aspect is None:
            names = ", ".join(aspect.name for aspect in read_aspects(settings.aspects))
            return {"aspect": f"Aspect: there is no {settings.aspect!r}; there are {names}."}
        if not isinstance(root_dataset(samples).get_field(aspect.annotation), fo.StringField):
            return {"aspect": f"Aspect: {_why_not(root_dataset(samples), aspect)}"}
        return {}

    def work(self, samples: Samples, settings: PlanSettings, progress: Progress) -> dict:
        dataset, aspect = root_dataset(samples), settings.chosen()
        plan = None if settings.restart else load_plan(dataset, aspect.name)
        begun = plan is not None
        if plan is None:
            drawn = _draw(samples, aspect, settings, progress)
            reviews.declare(dataset)
            plan = save_plan(dataset, aspect.name, drawn, settings.restart)
        return _report(aspect, plan, begun)


def _why_not(dataset: fo.Dataset, aspect: Aspect) -> str:
    for field in audited_fields(dataset):
        with suppress(ValueError):
            find_source(dataset, field, aspect.annotation)
            noun = noun_of(dataset, field)
            return (
                f"{aspect.annotation!r} is a text of the {noun} of {field!r}, which were audited "
                "one by one. Reviews and the error rate are of whole samples. To see the suspects, "
                f"filter the labels of {field!r} by the tag suspect in the App, or read them in "
                f"Python: dataset.select_labels(tags='suspect', fields={field!r})."
            )
    advice = " Run hoist_labels first." if aspect in ACTION100M else ""
    return (
        f"the dataset has no text field {aspect.annotation!r}, so that there is no annotation "
        f"to review.{advice}"
    )


def find_score(dataset: fo.Dataset, aspect: str) -> str | None:
    """The field that tells how likely an aspect's annotation is right; None where there is none."""
    for name in (confidence_field(aspect), CONFIDENCE):
        if isinstance(dataset.get_field(name), fo.FloatField):
            return name
    return None


def _draw(samples: Samples, aspect: Aspect, settings: PlanSettings, progress: Progress) -> dict:
    score = settings.score or find_score(root_dataset(samples), aspect.name)
    ids, scores, missing = [], [], 0
    names = [aspect.annotation, *([score] if score else [])]
    for chunk in progress.over(read_chunks(samples, names), "Drawing", samples.count()):
        for row, text in enumerate(chunk.columns[aspect.annotation]):
            if is_missing(text):
                missing += 1
                continue
            ids.append(chunk.ids[row])
            scores.append(chunk.columns[score][row] if score else None)
    if not ids:
        raise ValueError(f"No sample has a text in {aspect.annotation!r}; nothing can be reviewed.")
    plan = draw_plan(ids, scores if score else None, settings.strata, settings.seed)
    return {
        "id": uuid4().hex,
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "aspect": aspect.name,
        "annotation": aspect.annotation,
        "opinions": dict(aspect.opinions),
        "score": score,
        "seed": settings.seed,
        "missing": missing,
        **plan.as_dict(),
    }


def _report(aspect: Aspect, stored: dict, begun: bool) -> dict:
    plan = Plan.from_dict(stored)
    how = f"by {stored['score']}" if stored["score"] else "as one part, for want of a score"
    summary = [
        f"{plan.size:,} annotations of {aspect.name} can be reviewed, {how}; "
        f"{stored['missing']:,} samples have none."
    ]
    if begun:
        summary.append(
            f"This plan of {stored['made']} was there already and stands. Set restart to draw anew."
        )
    rows = [
        {
            "part": name,
            "annotations": stratum.size,
            "expected wrong": stratum.risk,
            "share of reviews": float(share),
        }
        for name, stratum, share in zip(plan.names, plan.strata, plan.shares)
    ]
    return {"summary": summary, "plan": stored["id"], "new": not begun, "parts": rows}
