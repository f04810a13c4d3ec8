"""Ground disputes: where annotation and witnesses disagree, ask the video who is right."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import fiftyone as fo

from ..agreement.aspects import read_aspects
from ..agreement.ruling import ANNOTATION
from ..engine import provenance
from ..engine.columns import read_chunks, root_dataset, write_columns
from ..engine.progress import Progress
from ..engine.workspace import install_views
from .base import Stage
from .grounding_claims import cut_into_claims
from .grounding_columns import columns, report_rows
from .grounding_cosine import compare_vectors
from .grounding_judges import open_judge
from .grounding_rulings import Rulings, decide
from .grounding_settings import COSINE, POINTS, GroundSettings
from .grounding_units import Unit, Units
from .grounding_vectors import embedded_by
from .grounding_work import judge_units
from .media_record import Recorder
from .media_work import media_problem, open_work
from .tag_confidence import OURS, TagConfidence, last_tagging

if TYPE_CHECKING:
    from ..models.judging import Judge

Samples: TypeAlias = fo.core.collections.SampleCollection
_OVERRULED = "overruled"


# ---- work ----


class GroundDisputes(Stage):
    """Scores rival texts against the clip, and rules where the video settles the dispute."""

    name = "ground_disputes"
    label = "Ground disputes"
    description = (
        "Asks the video who is right where annotation and witnesses disagree. Writes "
        "ruling_{aspect} with its margin, judges and details, suggested_{aspect} where the "
        "annotation loses, what each judge answered (grounding_{aspect}_*), points on frames, the "
        "tag overruled, and lets verdict and confidence follow. Sends frames to the endpoints "
        "that are named. Never changes an annotation."
    )
    icon = "gavel"
    settings = GroundSettings
    prefers_delegation = True

    def writes(self, settings: GroundSettings) -> dict[str, tuple]:
        of = f"the aspect {settings.aspect}"
        fields = {
            settings.ruling(): (fo.StringField, f"Who is right about {of}, by the video"),
            settings.ruling("margin"): (fo.FloatField, "How far the winner is ahead, 0 to 1"),
            settings.ruling("ratio"): (
                fo.FloatField,
                "ln of how much likelier the judges' answers are where the annotation is right",
            ),
            settings.ruling("by"): (fo.StringField, "Who ruled, with the revisions"),
            settings.ruling("details"): (fo.DictField, "Claims, probabilities, frames, reason"),
            settings.suggestion: (fo.StringField, f"The best-supported text for {of}"),
            settings.own("claims"): (fo.DictField, "The texts cut into claims"),
        }
        for method in settings.methods:
            fields[settings.own(method)] = (fo.DictField, f"What {method} answered, raw")
        if COSINE in settings.methods and settings.segments:
            fields[settings.embeddings_field] = (fo.VectorField, "A vector of the segment")
            fields[settings.vectors_made_from] = (fo.StringField, "What the vector was made from")
        declared = {settings.path(name): given for name, given in fields.items()}
        if "pointing" in settings.methods:
            declared[POINTS] = (fo.Keypoints, "Where the judge sees who and what is named")
        if not settings.segments:
            declared[OURS] = (fo.ListField, "The tags that the audit put on this sample")
        return declared

    def check(self, samples: Samples, settings: GroundSettings) -> dict[str, str]:
        dataset = root_dataset(samples)
        try:
            aspect = settings.find_aspect()
        except ValueError as error:
            return {"aspects": f"Aspects: {error}"}
        if aspect is None:
            known = ", ".join(a.name for a in read_aspects(settings.aspects))
            return {"aspect": f"Aspect: there is no {settings.aspect!r}; there are {known}."}
        for problem in (_media_problem, _text_problem, _method_problem, _dispute_problem):
            if found := problem(dataset, settings):
                return found
        return {}

    def work(self, samples: Samples, settings: GroundSettings, progress: Progress) -> dict:
        # Whatever the first judge lacks is said before any sample is touched
        first = next((m for m in settings.methods if m != COSINE), None)
        judge = open_judge(first, settings) if first else None
        dataset = root_dataset(samples)
        for method in settings.methods:
            open_work(dataset, self.name, settings.work(method), self.writes(settings))
        units = Units(samples, settings)
        cut_by = cut_into_claims(units, settings, judge, progress.share(0.0, 0.1))
        judges: dict[str, dict] = {}
        failures: list[dict] = []
        share = 0.8 / len(settings.methods)
        for i, method in enumerate(settings.methods):
            part = progress.share(0.1 + i * share, 0.1 + (i + 1) * share)
            if method == COSINE:
                recorder = compare_vectors(units, settings, part)
            else:
                # One model is held at a time
                judge = judge if method == first else open_judge(method, settings)
                recorder = judge_units(units, method, judge, settings, part)
                judges[method] = _told(judge)
                judge = None
            failures += _failures(method, recorder)
        rulings = decide(units.all, settings)
        written = columns(units.all, rulings, settings)
        units.write(written)
        if not settings.segments:
            _tag(dataset, rulings)
        notes = _own_cause(dataset, units.all)
        notes += _retag(samples, settings, progress.share(0.9, 1.0))
        install_views(dataset, TagConfidence.name, settings.segments)
        return _report(units, settings, rulings, judges, failures, cut_by, notes)

    def shows(
        self, samples: Samples, settings: GroundSettings, report: dict
    ) -> fo.DatasetView | None:
        return None if settings.segments else samples.match_tags(_OVERRULED)


def _told(judge: Judge) -> dict:
    """What a judge says of itself, kept when its model is let go."""
    names = ("shared", "why_apart", "answered", "constrained")
    return {name: getattr(judge, name) for name in names if hasattr(judge, name)}


def _tag(dataset: fo.Dataset, rulings: Rulings) -> None:
    """Tags what was overruled, and takes the tag back where it no longer is."""
    for chunk in read_chunks(dataset.select(list(rulings.found)), ["tags", OURS]):
        tags, ours = [], []
        for sample_id, *given in zip(chunk.ids, chunk.columns["tags"], chunk.columns[OURS]):
            present, before = (list(column or []) for column in given)
            if _OVERRULED in before:
                present.remove(_OVERRULED)
                before.remove(_OVERRULED)
            if rulings.found[sample_id].overruled and _OVERRULED not in present:
                present.append(_OVERRULED)
                before.append(_OVERRULED)
            tags.append(present)
            ours.append(before)
        write_columns(dataset, chunk.ids, {"tags": tags, OURS: ours})


def _retag(samples: Samples, settings: GroundSettings, progress: Progress) -> list[str]:
    """Lets verdict and confidence follow, with the settings of the last tagging."""
    if settings.segments or not settings.retag:
        return []
    dataset = root_dataset(samples)
    last = last_tagging(dataset, settings.aspect)
    if last is None:
        return []
    if last.view is not None:
        return ["Run tag_confidence again on your view, so that the verdicts follow."]
    stage = TagConfidence()
    report = stage.run(dataset, stage.settings.read(last.settings), progress)
    return [f"Tagged again: {report['summary'][0]}"]


def _own_cause(dataset: fo.Dataset, units: list[Unit]) -> list[str]:
    """Says so where a judge is one of the witnesses: a model seldom overrules itself."""
    keys = provenance.run_keys(dataset, "caption")
    witnesses = {dataset.load_run_results(key, cache=False).report.get("model") for key in keys}
    judges = {result["model"] for unit in units for result in unit.results.values()}
    return [
        f"{name} judged, and its own opinions may be among those that it judged. Another judge "
        "would be more independent."
        for name in sorted(judges & witnesses)
    ]


def _failures(method: str, recorder: Recorder) -> list[dict]:
    return [{"method": method, **row} for row in recorder.failures()]


def _report(
    units: Units,
    settings: GroundSettings,
    rulings: Rulings,
    judges: dict,
    failures: list[dict],
    cut_by: str,
    notes: list[str],
) -> dict:
    disputed = sum(unit.disputed for unit in units.all)
    tally = Counter(ruling.winner for ruling in rulings.found.values())
    overruled = sum(ruling.overruled for ruling in rulings.found.values())
    by_judge, by_ruling = report_rows(rulings, units.all)
    failed = sum(row["samples"] for row in failures)
    summary = [
        f"{settings.aspect}: of {disputed:,} disputed annotations the video upheld "
        f"{tally[ANNOTATION]:,} and overruled {overruled:,}; it does not settle "
        f"{tally['unsettled']:,}, and for {tally['refused']:,} the judges were refused.",
        f"{units.without:,} more disputed {units.noun} have no two texts to choose between; "
        f"{len(units.all) - disputed:,} undisputed ones were judged as references; "
        f"{failed:,} clips failed. Claims were cut by {cut_by}.",
    ]
    for method, bias in rulings.biases.items():
        told = f"{method}: {bias.statements:,} statements with controls, {bias.missing:,} without"
        if bias.statements:
            told += f"; the text alone explains {bias.text_share:.0%} of its answers"
            told += f", and own clips beat wrong videos {bias.over_wrong:.0%} of the time"
        if bias.over_black == bias.over_black:
            told += f" and black frames {bias.over_black:.0%}"
        summary.append(f"{told}. {'Refused: ' + bias.refused if bias.refused else ''}".strip())
    for method, told in judges.items():
        if told.get("shared") is False:
            why = told["why_apart"]
            summary.append(f"{method}: each statement had a forward pass of its own. {why}")
    if rulings.warning:
        summary.append(rulings.warning)
    calibration = json.loads(json.dumps(rulings.report, default=float))
    return {
        "summary": summary + notes,
        units.noun: units.total,
        "disputed": disputed,
        "overruled": overruled,
        "upheld": tally[ANNOTATION],
        "unsettled": tally["unsettled"],
        "refused": tally["refused"],
        "without_rivals": units.without,
        "judges": by_judge,
        "rulings": by_ruling,
        "calibration": calibration,
        "told": judges,
        "failures": failures,
    }


# ---- form ----


def _media_problem(dataset: fo.Dataset, settings: GroundSettings) -> dict[str, str]:
    watching = [method for method in settings.methods if method != COSINE]
    why = media_problem(dataset, ("video",)) if watching or settings.segments else None
    if why and watching and dataset.media_type == "image":
        why = (
            f"{' and '.join(watching)} watch videos, and this dataset holds images. There only "
            "cosine works, on vectors that embed stored: methods=['cosine']."
        )
    return {"methods": f"Methods: {why}"} if why else {}


def _text_problem(dataset: fo.Dataset, settings: GroundSettings) -> dict[str, str]:
    if settings.segments:
        return {}
    aspect = settings.find_aspect()
    for name in aspect.fields:
        if not isinstance(dataset.get_field(name), fo.StringField):
            return {"aspects": f"Aspects: the dataset has no texts in {name!r}."}
    return {}


def _method_problem(dataset: fo.Dataset, settings: GroundSettings) -> dict[str, str]:
    field = settings.embeddings_field
    needed = COSINE in settings.methods and not settings.segments
    if needed and embedded_by(dataset, field) is None:
        return {
            "methods": f"Methods: cosine needs vectors of the clips in {field!r}. Run embed "
            "with lens='visual' first, name another field of vectors, or leave cosine out."
        }
    if "own" in settings.methods:
        from ..models.judging import registered

        known = registered()
        if settings.judge not in known:
            listed = ", ".join(known) or "none"
            return {
                "judge": f"Own judge: no judge {settings.judge!r} is known to this process; known: "
                f"{listed}. Call models.judging.register first."
            }
    return {}


def _dispute_problem(dataset: fo.Dataset, settings: GroundSettings) -> dict[str, str]:
    if settings.which == "all":
        return {}
    needed = f"confidence_{settings.aspect}" if settings.segments else "verdict"
    if dataset.get_field(settings.path(needed)) is not None:
        return {}
    stage = f"calibrate with segments={settings.segments!r}" if settings.segments else "run_audit"
    return {
        "which": f"Which: nothing is disputed yet, as there is no {needed!r}. Run {stage} first, "
        "or set which='all'."
    }
