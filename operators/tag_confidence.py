"""Tag confidence: from scores to tags that a person can filter by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import fiftyone as fo
import numpy as np

from ..agreement.aspects import score_field
from ..agreement.workshop_rules import TAGS, THRESHOLDS, workshop_tags
from ..engine.columns import Chunk, read_chunks, root_dataset, write_columns
from ..engine.fields import STATUS
from ..engine.progress import Progress
from .base import Stage
from .settings import Settings, setting

#: The tags that we put on a sample, so that the next run can take back those and no others.
OURS = "audit_tags"

_SCORES = ("sem_q", "lex_q", "sem_m", "lex_m")

Samples = fo.core.collections.SampleCollection


# ---- settings ----


@dataclass(frozen=True)
class TagSettings(Settings):
    aspect: str = setting(
        "sum_detailed", "Aspect", "The aspect whose scores decide the tags", required=True
    )
    rules: str = setting("workshop", "Rules", "How scores become tags", choices=("workshop",))
    thresholds: dict = setting(
        THRESHOLDS,
        "Thresholds",
        "Where agreement begins and ends, 0 to 1",
        kind="numbers",
        choices=tuple(THRESHOLDS),
        low=0.0,
        high=1.0,
    )

    def score_fields(self) -> list[str]:
        """The fields that the workshop's rules read: sem_q, lex_q, sem_m, lex_m."""
        return [score_field(*name.split("_"), self.aspect) for name in _SCORES]


# ---- work ----


class TagConfidence(Stage):
    """Tags samples by how far annotation and witnesses agree."""

    name = "tag_confidence"
    label = "Tag confidence"
    description = (
        "Turns scores into tags. Writes sample tags, and audit_tags and audit_status; replaces "
        "tags of an earlier run, and leaves a person's own tags alone."
    )
    icon = "sell"
    settings = TagSettings

    def writes(self, settings: TagSettings) -> dict[str, tuple]:
        return {OURS: (fo.ListField, "The tags that the audit put on this sample")}

    def check(self, samples: Samples, settings: TagSettings) -> dict[str, str]:
        return _check_scores(root_dataset(samples), settings)

    def work(self, samples: Samples, settings: TagSettings, progress: Progress) -> dict:
        dataset = self.open(samples, settings)
        tally: Counter[str] = Counter()
        chunks = read_chunks(samples, [*settings.score_fields(), "tags", OURS])
        for chunk in progress.over(chunks, "Tagging", samples.count()):
            scores = [_as_array(chunk.columns[name]) for name in settings.score_fields()]
            won = workshop_tags(*scores, thresholds=settings.thresholds)
            missing = np.isnan(np.stack(scores)).any(axis=0)
            written = _retag(chunk, won)
            written |= _status(self.name, missing, settings.aspect)
            write_columns(dataset, chunk.ids, written)
            tally.update({tag: int(mask.sum()) for tag, mask in won.items()})
            tally["missing"] += int(missing.sum())
            tally["untagged"] += int((~missing & ~np.any(list(won.values()), axis=0)).sum())
        return _report(samples.count(), settings, tally)

    def shows(self, samples: Samples, settings: TagSettings, report: dict) -> fo.DatasetView:
        return samples.match_tags(list(TAGS))


def _retag(chunk: Chunk, won: dict[str, np.ndarray]) -> dict[str, list]:
    # A tag that a person gave stays a person's, even where we would give it too.
    tags, ours = [], []
    for row, (present, before) in enumerate(zip(chunk.columns["tags"], chunk.columns[OURS])):
        theirs = [tag for tag in present or [] if tag not in (before or [])]
        given = [tag for tag, mask in won.items() if mask[row] and tag not in theirs]
        tags.append(theirs + given)
        ours.append(given)
    return {"tags": tags, OURS: ours}


def _status(stage: str, missing: np.ndarray, aspect: str) -> dict[str, list]:
    return {
        f"{STATUS}.{stage}": ["missing" if gap else "ok" for gap in missing],
        f"{STATUS}.{stage}_why": [
            f"a score of {aspect} is missing" if g else None for g in missing
        ],
    }


def _as_array(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _report(total: int, settings: TagSettings, tally: Counter) -> dict:
    rows = [{"tag": tag, "samples": tally[tag], "share": tally[tag] / total} for tag in TAGS]
    summary = (
        f"{settings.aspect}: of {total:,} samples {tally['untagged']:,} earned no tag and "
        f"{tally['missing']:,} lack a score, so at least one rule could not be applied to them."
    )
    return {
        "summary": [summary],
        "samples": total,
        "missing": tally["missing"],
        "untagged": tally["untagged"],
        "tags": rows,
    }


# ---- form ----


def _check_scores(dataset: fo.Dataset, settings: TagSettings) -> dict[str, str]:
    for name in settings.score_fields():
        field = dataset.get_field(name)
        if field is None:
            return {
                "aspect": f"Aspect: the dataset has no field {name!r}. Run score_agreement for "
                f"{settings.aspect!r} first; the workshop's rules need lex and sem of the edges "
                f"q and m."
            }
        if not isinstance(field, fo.FloatField):
            return {"aspect": f"Aspect: {name!r} is a {type(field).__name__}, not a score."}
    if settings.thresholds["sem_low"] > settings.thresholds["sem_high"]:
        return {"thresholds": "Thresholds: sem_low must not be above sem_high."}
    return {}
