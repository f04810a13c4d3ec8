"""Tag confidence: from scores to tags that a person can filter by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

import fiftyone as fo
import numpy as np

from ..agreement.aspects import Aspect
from ..agreement.workshop_rules import THRESHOLDS
from ..engine.columns import CHUNK, root_dataset
from ..engine.progress import Progress
from ..engine.provenance import run_keys
from ..engine.table import Rows, open_table, result_path, work_name
from ..engine.workspace import install_views
from .audit_settings import aspects_setting, chosen_aspects, no_labels, segments_setting
from .base import Stage
from .calibrate import CONFIDENCE, confidence_field
from .settings import Settings, setting
from .tag_rules import CalibratedRules, WorkshopRules

#: The tags that we put on a sample, so that the next run can take back those and no others.
OURS = "audit_tags"

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class TagSettings(Settings):
    aspect: str = setting(
        "sum_detailed", "Aspect", "The aspect whose scores decide the tags", required=True
    )
    rules: str = setting(
        "calibrated",
        "Rules",
        "How scores become tags: calibrated probabilities, or the workshop's guessed thresholds, "
        "which need witnesses named q and m",
        choices=("calibrated", "workshop"),
    )
    fdr: float = setting(
        0.1,
        "False discoveries",
        "The share of fine labels to tolerate among the suspects, 0 to 1",
        low=0.0,
        high=1.0,
        shown=lambda settings: settings.rules == "calibrated",
    )
    coverage: float = setting(
        0.5,
        "Coverage needed",
        "A clip that shows less of what was annotated (clip_coverage) is called beyond_clip",
        low=0.0,
        high=1.0,
        shown=lambda settings: settings.rules == "calibrated",
    )
    thresholds: dict = setting(
        THRESHOLDS,
        "Thresholds",
        "Where agreement begins and ends, 0 to 1",
        kind="numbers",
        choices=tuple(THRESHOLDS),
        low=0.0,
        high=1.0,
        shown=lambda settings: settings.rules == "workshop",
    )
    aspects: object = aspects_setting(
        "Where the aspect is found",
        kind="json",
        required=False,
        shown=lambda settings: settings.rules == "calibrated",
    )
    segments: str | None = segments_setting("Tags the labels of this field one by one")
    overwrite: bool = setting(False, "Overwrite", "Replace fields that this audit did not write")

    def find_aspect(self) -> Aspect | None:
        """The aspect in the list of aspects; None where it is not there."""
        aspects = chosen_aspects(self.aspects, self.segments)
        found = [a for a in aspects if a.name == self.aspect]
        return found[0] if found else None


# ---- work ----


class TagConfidence(Stage):
    """Tags samples by how far their annotation is to be trusted."""

    name = "tag_confidence"
    label = "Tag confidence"
    description = (
        "Turns scores into tags. Writes sample tags and audit_tags, and by the calibrated rules "
        "verdict and confidence of the aspect; saves views and the workspace 'Second opinion'. "
        "Replaces tags of an earlier run, and leaves a person's own tags alone. On segments, the "
        "tags and the verdict are their labels'."
    )
    icon = "sell"
    settings = TagSettings

    def work_name(self, settings: TagSettings) -> str:
        return work_name(self.name, settings.segments)

    def writes(self, settings: TagSettings) -> dict[str, tuple]:
        fields = {OURS: (fo.ListField, "The tags that the audit put on this sample or label")}
        if settings.rules == "calibrated":
            of = f"the aspect {settings.aspect}"
            fields["verdict"] = (fo.StringField, f"What the triangle says of {of}")
            if not settings.segments:  # a label's own is that of the model that made it
                fields[CONFIDENCE] = (
                    fo.FloatField,
                    f"Probability that the annotation of {of} is right",
                )
        return {result_path(name, settings.segments): kind for name, kind in fields.items()}

    def check(self, samples: Samples, settings: TagSettings) -> dict[str, str]:
        check = _check_calibrated if settings.rules == "calibrated" else _check_workshop
        return no_labels(samples, settings.segments) or check(root_dataset(samples), settings)

    def work(self, samples: Samples, settings: TagSettings, progress: Progress) -> dict:
        table, work = open_table(samples, settings.segments), self.work_name(settings)
        rules: WorkshopRules | CalibratedRules
        if settings.rules == "workshop":
            rules = WorkshopRules(settings.aspect, settings.thresholds)
        else:
            confidence = confidence_field(settings.aspect)
            rules = CalibratedRules(
                table, settings.find_aspect(), confidence, settings.fdr, settings.coverage
            )
        dataset = self.open(samples, settings)
        tally: Counter[str] = Counter()
        chunks = table.chunks([*rules.fields, "tags", OURS], [], CHUNK)
        for rows in progress.over(chunks, "Tagging", table.count()):
            judged = rules.judge(rows)
            columns = {**judged.columns, **_retag(rows, judged.tags)}
            if settings.segments:
                columns.pop(CONFIDENCE, None)
            lacking = [[f"score of {settings.aspect}"] if gap else [] for gap in judged.missing]
            table.write(rows, columns, rows.status(work, lacking))
            tally.update({tag: int(mask.sum()) for tag, mask in judged.tags.items()})
            tally["missing"] += int(judged.missing.sum())
            tally["unlearnt"] += int(judged.unlearnt.sum())
            won = np.any(list(judged.tags.values()), axis=0)
            tally["untagged"] += int((~judged.missing & ~won).sum())
            tally["total"] += len(rows)
        install_views(dataset, self.name, settings.segments)
        return _report(table.noun, settings, rules, tally)

    def shows(self, samples: Samples, settings: TagSettings, report: dict) -> fo.DatasetView:
        tags = [row["tag"] for row in report["tags"] if row["share"]]
        if settings.segments:
            return samples.select_labels(tags=tags, fields=settings.segments)
        return samples.match_tags(tags)


def last_tagging(dataset: fo.Dataset, aspect: str) -> fo.RunConfig | None:
    """What the last run by calibrated rules on samples was asked; None where there was none."""
    for key in reversed(run_keys(dataset, TagConfidence.name)):
        config = dataset.get_run_info(key).config
        if (config.settings.get("aspect"), config.settings.get("rules")) == (aspect, "calibrated"):
            return config
    return None


def _retag(rows: Rows, won: dict[str, np.ndarray]) -> dict[str, list]:
    # A tag that a person gave stays a person's, even where we would give it too.
    tags, ours = [], []
    for row, (present, before) in enumerate(zip(rows.columns["tags"], rows.columns[OURS])):
        theirs = [tag for tag in present or [] if tag not in (before or [])]
        given = [tag for tag, mask in won.items() if mask[row] and tag not in theirs]
        tags.append(theirs + given)
        ours.append(given)
    return {"tags": tags, OURS: ours}


def _report(
    noun: str, settings: TagSettings, rules: WorkshopRules | CalibratedRules, tally: Counter
) -> dict:
    total, missing, untagged = tally["total"], tally["missing"], tally["untagged"]
    rows = [{"tag": tag, noun: tally[tag], "share": tally[tag] / total} for tag in rules.tags]
    unlearnt = tally["unlearnt"]
    lacking = f"{missing - unlearnt:,} lack the annotation or every opinion"
    if isinstance(rules, WorkshopRules):
        lacking = f"{missing:,} lack a score of q or m"
    elif unlearnt:
        lacking += f"; {unlearnt:,} have both, but no probability from calibrate"
    plain = f"{untagged:,} fit none of the rules; " if untagged else ""
    tagged = total - missing - untagged
    summary = [f"{settings.aspect}: tagged {tagged:,} of {total:,} {noun}; {plain}{lacking}."]
    report = {noun: total, "missing": missing, "untagged": untagged, "tags": rows}
    if isinstance(rules, CalibratedRules):
        report["expected wrong"] = round(rules.expected_wrong, 1)
        summary += _tell_suspects(settings, rules, tally)
    return {"summary": summary, **report}


def _tell_suspects(settings: TagSettings, rules: CalibratedRules, tally: Counter) -> list[str]:
    if not rules.judged:
        return []  # the line before says why
    held, expected, hidden = tally["suspect"], rules.expected_wrong, tally["beyond_clip"]
    told = f"{held:,}, of which about {settings.fdr:.0%} may be fine" if held else "none"
    lines = [
        f"The confidences expect some {expected:,.0f} wrong labels of {rules.judged:,}; "
        f"the tag suspect holds {told}."
    ]
    if round(expected) > held:  # who takes the tag for all errors misses most of them
        lines.append("Look for the others among the least trusted labels that are not tagged.")
    if hidden:
        shown = f"less than {settings.coverage:.0%}"
        lines.append(f"Of {hidden:,} the clip shows {shown}, so nobody can tell.")
    return lines


# ---- form ----


def _check_workshop(dataset: fo.Dataset, settings: TagSettings) -> dict[str, str]:
    for name in WorkshopRules(settings.aspect, settings.thresholds).fields:
        sentence = _score_problem(dataset, result_path(name, settings.segments))
        if sentence:
            return {
                "aspect": f"Aspect: {sentence} The workshop's rules need lex and sem of two "
                f"witnesses named q and m: run score_agreement with these for {settings.aspect!r} "
                "first, or use rules='calibrated'."
            }
    if settings.thresholds["sem_low"] > settings.thresholds["sem_high"]:
        return {"thresholds": "Thresholds: sem_low must not be above sem_high."}
    return {}


def _check_calibrated(dataset: fo.Dataset, settings: TagSettings) -> dict[str, str]:
    try:
        aspect = settings.find_aspect()
    except ValueError as error:
        return {"aspects": f"Aspects: {error}"}
    if aspect is None:
        known = ", ".join(a.name for a in chosen_aspects(settings.aspects, settings.segments))
        return {"aspect": f"Aspect: there is no {settings.aspect!r}; there are {known}."}
    path = result_path(confidence_field(aspect.name), settings.segments)
    sentence = _score_problem(dataset, path)
    if sentence:
        return {"aspect": f"Aspect: {sentence} Run calibrate for {aspect.name!r} first."}
    return {}


def _score_problem(dataset: fo.Dataset, name: str) -> str | None:
    field = dataset.get_field(name)
    if field is None:
        return f"the dataset has no field {name!r}."
    if not isinstance(field, fo.FloatField):
        return f"{name!r} is a {type(field).__name__}, not a score."
    return None
