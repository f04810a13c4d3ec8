"""The audit as one HTML page: it opens without a network, and nothing in it can act."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeAlias

import fiftyone as fo
from fiftyone import ViewField as F

from ..agreement.aspects import Aspect
from ..agreement.metrics import METRICS
from ..agreement.summary import ScoreSummary
from ..engine.columns import read_chunks, root_dataset
from ..engine.fields import STATUS
from ..engine.labels import noun_of
from ..engine.progress import Progress
from ..engine.provenance import run_keys
from ..engine.review_queue import planned_aspects
from ..engine.table import audited_fields
from .calibrate import CONFIDENCE
from .estimate_error_rate import TIER, estimate_rates
from .export_pictures import as_data_uri
from .export_tables import replacing

_FOLD = 600  # characters of a text that are shown before a click

# No script, no font, no picture from elsewhere: a browser that reads this obeys it.
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;
 color:#1c1c1c;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{text-align:left;vertical-align:top;
 padding:.25rem .8rem .25rem 0;border-bottom:1px solid #ddd;overflow-wrap:break-word}
th,td.n{white-space:nowrap}td.n{text-align:right;font-variant-numeric:tabular-nums}
.card{display:grid;grid-template-columns:20rem 1fr;gap:1rem;border-top:1px solid #ccc;
 padding:1rem 0}.card img{max-width:20rem}.no{color:#777;font-style:italic}
.text{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
dt{color:#666;font-size:.85em;margin-top:.4rem}dd{margin:0}
@media(max-width:50rem){.card{grid-template-columns:1fr}}
@media(prefers-color-scheme:dark){body{background:#191919;color:#e6e6e6}
 th,td{border-color:#444}.card{border-color:#555}dt{color:#aaa}}
</style></head><body>
"""

# Characters that act or hide: control characters, and those that turn the writing around.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_SCORE = re.compile(rf"({'|'.join(METRICS)}|match)_\w+|confidence(_\w+)?")

Samples: TypeAlias = fo.core.collections.SampleCollection


def write_report(
    samples: Samples, path: Path, aspects: list[Aspect], worst: int, progress: Progress
) -> dict:
    """Writes the page.

    Args:
        samples: what the report speaks of
        path: the file; one that is there is replaced once the new one is whole
        aspects: the aspects whose texts are shown
        worst: how many of the least trusted samples to show

    Returns:
        ``{"worst": samples shown, "pictures": those with a picture}``
    """
    dataset = root_dataset(samples)
    shown = {"worst": 0, "pictures": 0}
    with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        file.write(f"<h1>Audit of {_text(dataset.name)}</h1>")
        made = datetime.now(timezone.utc).isoformat(timespec="minutes")
        part = "" if isinstance(samples, fo.Dataset) else f", of {dataset.count():,} in all"
        file.write(f"<p>{samples.count():,} samples{part}. Made {made}.</p>")
        file.write("".join(_coverage(samples)))
        file.write("".join(_error_rates(samples)))
        file.write("".join(_verdicts(samples)))
        file.write("".join(_scores(samples, progress)))
        file.write("".join(_labels(samples)))
        for card, pictured in _worst(samples, aspects, worst, progress):
            file.write(card)
            shown["worst"] += 1
            shown["pictures"] += pictured
        file.write("".join(_runs(dataset)))
        file.write("</body></html>\n")
    return shown


def score_fields(dataset: fo.Dataset) -> list[str]:
    """The fields of scores and confidence, ours or the workshop's."""
    floats = dataset.get_field_schema(ftype=fo.FloatField)
    return [name for name in floats if _SCORE.fullmatch(name)]


def _coverage(samples: Samples) -> Iterable[str]:
    schema = root_dataset(samples).get_field_schema(flat=True)
    stages = [name for name in schema if name.startswith(f"{STATUS}.") and f"{name}_why" in schema]
    if not stages:
        return
    rows = []
    for name in stages:
        counts = samples.count_values(name)
        told = {word: counts.get(word, 0) for word in ("ok", "missing", "failed")}
        rows.append({"stage": name.partition(".")[2], **told, "not seen": counts.get(None, 0)})
    yield "<h2>Samples that each stage could work on</h2>"
    yield _table(rows)


def _error_rates(samples: Samples) -> Iterable[str]:
    yield "<h2>Error rates</h2>"
    aspects = planned_aspects(root_dataset(samples))
    if not aspects:
        yield "<p>Nobody has reviewed annotations yet, so the share of wrong ones is not known.</p>"
    for aspect in aspects:
        of = [TIER, "verdict"] if samples.get_field("verdict") is not None else [TIER]
        reports = [estimate_rates(samples, aspect, by) for by in of]
        yield "".join(f"<p>{_text(sentence)}</p>" for sentence in reports[0]["summary"])
        for report in reports:
            if any(row["reviews"] for row in report["parts"]):
                yield _table(report["parts"])


def _verdicts(samples: Samples) -> Iterable[str]:
    if samples.get_field("verdict") is not None:
        yield "<h2>Verdicts</h2>"
        yield _counted(samples.count_values("verdict"))


def _counted(counts: dict[str | None, int]) -> str:
    total, rows = sum(counts.values()), sorted(counts.items(), key=lambda item: -item[1])
    return _table([{"verdict": v or "none", "count": n, "share": n / total} for v, n in rows])


def _scores(samples: Samples, progress: Progress) -> Iterable[str]:
    names = score_fields(root_dataset(samples))
    yield "<h2>Scores</h2>"
    if not names:
        of = " of whole samples" if audited_fields(root_dataset(samples)) else ""
        yield f"<p>Nothing was scored{of}.</p>"
        return
    summaries = {name: ScoreSummary() for name in names}
    total = samples.count()
    for chunk in progress.over(read_chunks(samples, names), "Reading scores", total):
        for name in names:
            summaries[name].add(chunk.columns[name])
    yield _table([{"score": name, **summary.as_row()} for name, summary in summaries.items()])
    if not _trusted(samples):
        yield "<p>Calibrate has not run, so that the least trusted samples are not known.</p>"


def _labels(samples: Samples) -> Iterable[str]:
    dataset = root_dataset(samples)
    for field in audited_fields(dataset):
        noun, path = noun_of(dataset, field), f"{field}.detections.verdict"
        yield f"<h2>Audited {noun} of {_text(field)}</h2>"
        yield f"<p>{samples.count(f'{field}.detections'):,} {noun}. Their texts, scores and tags "
        yield "are in the tables that export_audit writes as parquet, csv or jsonl.</p>"
        if dataset.get_field(path) is not None:
            yield _counted(samples.count_values(path))


def _trusted(samples: Samples) -> list[str]:
    return [name for name in score_fields(root_dataset(samples)) if CONFIDENCE in name]


def _worst(
    samples: Samples, aspects: list[Aspect], count: int, progress: Progress
) -> Iterable[tuple[str, bool]]:
    from ..models.decoding import Decoder

    trusted = _trusted(samples)
    if not count or not trusted:
        return
    score = CONFIDENCE if CONFIDENCE in trusted else trusted[0]
    chosen = samples.match(F(score) >= 0).sort_by(score).limit(count)  # nan would come first
    extra = [name for name in ("verdict",) if samples.get_field(name) is not None]
    texts = list(dict.fromkeys(name for aspect in aspects for name in aspect.fields))
    head = f"<h2>Least trusted samples, by {score}</h2>"
    chunks = read_chunks(chosen, ["filepath", score, *extra, *texts], 10)
    with closing(Decoder()) as decoder:
        for chunk in progress.over(chunks, "Pictures", count):
            for row in range(len(chunk)):
                values = {name: column[row] for name, column in chunk.columns.items()}
                picture = as_data_uri(values["filepath"], decoder)
                about = f"{score} {values[score]:.2f}"
                card = _card(chunk.ids[row], about, values, aspects, picture)
                yield head + card, bool(picture)
                head = ""


def _card(
    sample_id: str,
    about: str,
    values: dict[str, Any],
    aspects: list[Aspect],
    picture: str | None,
) -> str:
    shown = f'<img alt="" src="{picture}">' if picture else '<p class="no">No picture.</p>'
    if values.get("verdict"):
        about += f", {_text(values['verdict'])}"
    name = _text(Path(values["filepath"]).name)
    parts = [f'<div class="card"><div>{shown}</div><div><b>{name}</b> ({about})']
    parts.append(f"<br><small>{_text(sample_id)}</small><dl>")
    for aspect in aspects:
        said = {"annotation": aspect.annotation, **aspect.opinions}
        for who, field in said.items():
            parts.append(f"<dt>{_text(aspect.name)}, {_text(who)}</dt>")
            parts.append(f"<dd>{_folded(values[field])}</dd>")
    return "".join([*parts, "</dl></div></div>"])


def _runs(dataset: fo.Dataset) -> Iterable[str]:
    yield "<h2>How these numbers were made</h2>"
    rows = []
    for key in run_keys(dataset):
        config = dataset.get_run_info(key).config
        report = dataset.load_run_results(key, cache=False).report or {}
        rows.append(
            {
                "stage": config.stage,
                "finished": config.finished,
                "samples": config.samples,
                "model": _models(report),
                "settings": config.settings,
                "versions": ", ".join(f"{k} {v}" for k, v in config.versions.items()),
            }
        )
    yield _table(rows) if rows else "<p>No stage of this audit has run on the dataset.</p>"


def _models(report: dict) -> str:
    found = [report.get("encoder"), _revised(report), *map(_revised, report.get("judges") or ())]
    return ", ".join(filter(None, found))


def _revised(told: dict) -> str | None:
    name, revision = told.get("model"), told.get("revision")
    return f"{name} ({revision})" if name and revision else name


def _table(rows: Sequence[dict]) -> str:
    if not rows:
        return ""
    names = list(dict.fromkeys(key for row in rows for key in row))
    head = "".join(f"<th>{_text(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(_cell(row.get(name)) for name in names) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if value is None:
        return "<td>-</td>"
    if isinstance(value, float):
        return f'<td class="n">{value:.3f}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{_folded(str(value))}</td>"


def _folded(text: str | None) -> str:
    if text is None or not text.strip():
        return '<span class="no">none</span>'
    if len(text) <= _FOLD:
        return f'<span class="text">{_text(text)}</span>'
    return (
        f"<details><summary>{_text(text[:_FOLD])}… ({len(text):,} characters)</summary>"
        f'<span class="text">{_text(text)}</span></details>'
    )


def _text(text: object) -> str:
    """A text as text: no markup, and characters that hide are written by their code."""
    return html.escape(_HIDDEN.sub(lambda m: f"[U+{ord(m.group()):04X}]", str(text)))
