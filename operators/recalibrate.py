"""Recalibrate: what people decided corrects the confidences that were learnt without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo
import numpy as np

from ..agreement.recalibrate import Recalibration, recalibrate
from ..agreement.sampling import Plan
from ..engine import reviews
from ..engine.columns import read_chunks, root_dataset, write_columns
from ..engine.fields import STATUS
from ..engine.progress import Progress
from ..engine.provenance import run_keys
from ..engine.review_queue import load_plan, planned_aspects
from .base import Stage
from .calibrate import confidence_field
from .settings import Settings, setting
from .tag_confidence import TagConfidence, TagSettings, last_tagging
from .tag_rules import as_array

# Two numbers this close are one that was stored and read again.
_SAME = 1e-9

Samples: TypeAlias = fo.core.collections.SampleCollection


def before_field(aspect: str) -> str:
    """The field that keeps an aspect's confidence as it was before any review."""
    return f"before_reviews_{aspect}"


# ---- settings ----


@dataclass(frozen=True)
class RecalibrateSettings(Settings):
    aspect: str = setting(
        "sum_detailed", "Aspect", "The aspect whose annotation was reviewed", required=True
    )
    retag: bool = setting(
        True, "Tag again", "Tag again by the corrected confidences, as it was tagged last"
    )
    overwrite: bool = setting(False, "Overwrite", "Replace fields that this audit did not write")


# ---- work ----


class Recalibrate(Stage):
    """Corrects the confidences of all samples by the decisions of those that were reviewed.

    The confidence before any review is kept, so that each run starts from it: the more
    decisions, the better the correction, and none is corrected twice.
    """

    name = "recalibrate"
    label = "Recalibrate by reviews"
    description = (
        "Corrects the confidences of an aspect by what reviewers decided. Writes the aspect's "
        "confidence, keeps what it was in before_reviews_..., and tags again; always for the "
        "whole dataset."
    )
    icon = "balance"
    settings = RecalibrateSettings

    def writes(self, settings: RecalibrateSettings) -> dict[str, tuple]:
        of = f"the annotation of {settings.aspect}"
        return {
            confidence_field(settings.aspect): (fo.FloatField, f"Probability that {of} is right"),
            before_field(settings.aspect): (
                fo.FloatField,
                f"Probability that {of} is right, as it was before any review",
            ),
        }

    def check(self, samples: Samples, settings: RecalibrateSettings) -> dict[str, str]:
        dataset = root_dataset(samples)
        if load_plan(dataset, settings.aspect) is None:
            begun = ", ".join(planned_aspects(dataset)) or "nothing"
            return {
                "aspect": f"Aspect: nobody has begun to review {settings.aspect!r}; begun is "
                f"{begun}. Open the panel Review first."
            }
        name = confidence_field(settings.aspect)
        if not isinstance(dataset.get_field(name), fo.FloatField):
            return {"aspect": f"Aspect: there is no {name!r} to correct. Run calibrate first."}
        return {}

    def work(self, samples: Samples, settings: RecalibrateSettings, progress: Progress) -> dict:
        dataset = root_dataset(samples)
        weights, wrong = _decisions(dataset, settings.aspect)
        before = _Before(dataset, settings.aspect)
        kept = before.read(dataset.select(list(wrong))) if wrong else {}
        ids = [label for label in wrong if label in kept]
        found = recalibrate(
            [kept[i] for i in ids], [wrong[i] for i in ids], [weights[i] for i in ids]
        )
        report = {
            "summary": [f"{settings.aspect}: {found.tell()}"],
            "decisions": found.decisions,
            "wrong": found.wrong,
            "needed": found.needed,
            "shift": found.shift,
            "stretch": found.stretch,
            "changed": 0,
        }
        if found.needed:
            return report
        self.open(dataset, settings)
        report["changed"], missing = _write(dataset, settings.aspect, before, found, progress)
        report["summary"].append(
            f"{report['changed']:,} confidences were corrected; {missing:,} samples have none."
        )
        if settings.retag:
            report["summary"] += _tag_again(dataset, settings.aspect)
        return report

    def shows(
        self, samples: Samples, settings: RecalibrateSettings, report: dict
    ) -> fo.DatasetView:
        name = confidence_field(settings.aspect)
        return root_dataset(samples).exists(name).sort_by(name)


def _decisions(dataset: fo.Dataset, aspect: str) -> tuple[dict[str, float], dict[str, bool]]:
    """The decided labels that the plan's chances speak of, and how many each stands for."""
    stored = load_plan(dataset, aspect)
    plan, entries = Plan.from_dict(stored), reviews.read(dataset, aspect)
    wrong = plan.counted(reviews.decided(entries), reviews.asked(entries, stored["id"]))
    weights = {
        label: stratum.size / len(stratum.ids)
        for stratum in plan.seen(wrong)
        for label in stratum.ids
    }
    return weights, {label: wrong[label] for label in weights}


class _Before:
    """The confidences as they were before any review, whatever has run since.

    A stored one counts where the confidence is still what the last correction made of it;
    where calibrate ran since, the confidence itself is the one to start from.
    """

    def __init__(self, dataset: fo.Dataset, aspect: str) -> None:
        self._fields = [confidence_field(aspect), before_field(aspect)]
        self._last = _last_correction(dataset, aspect)

    def of(self, columns: dict[str, list]) -> np.ndarray:
        """The confidences of a chunk's samples, nan where missing."""
        now, kept = (as_array(columns[name]) for name in self._fields)
        if self._last is None:
            return now
        return np.where(np.abs(self._last(kept) - now) < _SAME, kept, now)

    def read(self, samples: Samples) -> dict[str, float]:
        """``{sample id: confidence}``."""
        found: dict = {}
        for chunk in read_chunks(samples, self._fields):
            found |= dict(zip(chunk.ids, self.of(chunk.columns).tolist()))
        return found

    @property
    def fields(self) -> list[str]:
        """The fields that are read and written."""
        return self._fields


def _last_correction(dataset: fo.Dataset, aspect: str) -> Recalibration | None:
    for key in reversed(run_keys(dataset, Recalibrate.name)):
        if dataset.get_run_info(key).config.settings.get("aspect") == aspect:
            report = dataset.load_run_results(key, cache=False).report
            if not report["needed"]:
                numbers = (report[name] for name in ("shift", "stretch", "decisions", "wrong"))
                return Recalibration(*numbers)
    return None


def _write(
    dataset: fo.Dataset, aspect: str, before: _Before, found: Recalibration, progress: Progress
) -> tuple[int, int]:
    stage, changed, missing = Recalibrate.name, 0, 0
    chunks = read_chunks(dataset, before.fields)
    for chunk in progress.over(chunks, "Correcting", dataset.count()):
        confidence = before.of(chunk.columns)
        gaps = np.isnan(confidence)
        written = dict(zip(before.fields, (found(confidence), confidence)))
        written[f"{STATUS}.{stage}"] = ["missing" if gap else "ok" for gap in gaps]
        written[f"{STATUS}.{stage}_why"] = [
            f"no confidence in {aspect}" if g else None for g in gaps
        ]
        write_columns(dataset, chunk.ids, written)
        changed, missing = changed + int((~gaps).sum()), missing + int(gaps.sum())
    return changed, missing


def _tag_again(dataset: fo.Dataset, aspect: str) -> list[str]:
    last = last_tagging(dataset, aspect)
    if last is None:
        return ["It was never tagged by calibrated rules: run tag_confidence to do so."]
    known = TagSettings.declared()
    given = {name: value for name, value in last.settings.items() if name in known}
    return TagConfidence()(dataset, **given | {"overwrite": True})["summary"]
