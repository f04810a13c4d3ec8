"""What witnesses say of single segments, and what an audit of segments made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import fiftyone as fo

from ...agreement.aspects import PRESETS, Aspect
from ...agreement.ruling import ruling_field, suggestion_field
from ...engine.labels import Source, find_source, matched, text_names
from ..aspects import scored_aspects

_VERDICT = "verdict"
#: Attributes that are no opinion though they are text: what stages of ours write.
_OURS = ("label", _VERDICT)


@dataclass(frozen=True)
class Said:
    """What is said of one segment.

    Attributes:
        opinions: ``{witness: text}``
        verdict: what the audit of segments decided, None without one
        confidence: that its text is right, 0..1; None where unknown
        ruling: who is right, by the video; None where nobody was asked
        suggestion: the best-supported text, where the annotation lost
        annotation: the text that was audited, None where the label alone is known
    """

    opinions: dict[str, str | None]
    verdict: str | None = None
    confidence: float | None = None
    ruling: str | None = None
    suggestion: str | None = None
    annotation: str | None = None


def read_said(dataset: fo.Dataset, sample_id: str, field: str) -> dict[str | None, dict[str, Said]]:
    """What is said of a sample's labels: ``{aspect: {label's id: what is said of it}}``.

    The aspects are those of the newest run on these labels, in its order; without a run there is
    one, None. The verdict, which a label has one of, is told with the first.
    """
    aspects = _newest(dataset, field)
    found = {a.name: _read(dataset, sample_id, field, a) for a in aspects}
    found = found or {None: _read(dataset, sample_id, field, None)}
    for said in list(found.values())[1:]:
        said.update({label: replace(one, verdict=None) for label, one in said.items()})
    return found


def _read(
    dataset: fo.Dataset, sample_id: str, field: str, aspect: Aspect | None
) -> dict[str, Said]:
    base = f"{field}.detections"
    sources, confidence = _sources(dataset, field, aspect), _confidence(dataset, base, aspect)
    # Of an annotation that was renamed since, or is a preset's, the label stands for the text
    audited = [*_found(dataset, field, {"": aspect.annotation}).values()] if aspect else []
    names = [_VERDICT] if dataset.get_field(f"{base}.{_VERDICT}") is not None else []
    names += [confidence] if confidence else []
    ruled = _ruling_names(dataset, base, aspect)
    names += ruled
    if not sources and not names:
        return {}
    paths = {f"{base}.id", *(f"{base}.{name}" for name in names)}
    for source in (*sources.values(), *audited):
        paths.add(source.path)
        if source.key:
            paths |= {f"{base}.{source.key}", f"{source.labels}.{source.key}"}
    ordered = sorted(paths)
    columns = dataset.select(sample_id).values(ordered)
    found = {path: (column or [None])[0] or [] for path, column in zip(ordered, columns)}
    ids = found[f"{base}.id"]
    texts = {witness: _texts(found, base, source) for witness, source in sources.items()}
    annotations = _texts(found, base, *audited) if audited else []
    return {
        label: Said(
            {witness: _at(column, row) for witness, column in texts.items()},
            _at(found.get(f"{base}.{_VERDICT}", []), row),
            _at(found.get(f"{base}.{confidence}", []), row),
            *(_at(found[f"{base}.{name}"], row) for name in ruled),
            annotation=_at(annotations, row),
        )
        for row, label in enumerate(ids)
    }


def _ruling_names(dataset: fo.Dataset, base: str, aspect: Aspect | None) -> list[str]:
    """The attributes of the ruling and of the suggested text; empty where nothing was ruled."""
    own = dataset.get_field(base).field.get_field_schema()
    for name in own:
        of = name.removeprefix(ruling_field(""))
        ruled = name == ruling_field(of) and ruling_field(of, "details") in own
        if ruled and (aspect is None or of == aspect.name):
            return [name, suggestion_field(of)]
    return []


def find_sources(dataset: fo.Dataset, field: str) -> dict[str, Source]:
    """Where each witness's text is: as the newest run on these labels says, else by attribute."""
    return _sources(dataset, field, next(iter(_newest(dataset, field)), None))


def _sources(dataset: fo.Dataset, field: str, aspect: Aspect | None) -> dict[str, Source]:
    if aspect is not None:
        return _found(dataset, field, aspect.opinions)
    presets = [aspect for preset in PRESETS.values() for aspect in preset]
    known = {name: witness for a in presets for witness, name in a.opinions.items()}
    own = dataset.get_field(f"{field}.detections").field.get_field_schema(ftype=fo.StringField)
    names = [name for name in text_names(dataset, field) if name in own and name not in _OURS]
    return _found(dataset, field, {known.get(name, name): name for name in names})


def _confidence(dataset: fo.Dataset, base: str, aspect: Aspect | None) -> str | None:
    # A label's own is that of the model that made it, so that an audit has names of its own.
    whole = "confidence_all"
    names = [f"confidence_{aspect.name}", whole] if aspect else [whole, "confidence"]
    return next((n for n in names if dataset.get_field(f"{base}.{n}") is not None), None)


def _newest(dataset: fo.Dataset, field: str) -> tuple[Aspect, ...]:
    return next(iter(scored_aspects(dataset, field)), ())


def _found(dataset: fo.Dataset, field: str, opinions: Mapping[str, str]) -> dict[str, Source]:
    sources = {}
    for witness, name in opinions.items():
        try:
            sources[witness] = find_source(dataset, field, name)
        except ValueError:  # a field that was renamed since; the other witnesses are shown
            continue
    return sources


def _texts(found: Mapping[str, list], base: str, source: Source) -> list[str | None]:
    if source.key is None:
        return found[source.path]
    keys, others = found[f"{base}.{source.key}"], found[f"{source.labels}.{source.key}"]
    return matched(keys, others, found[source.path])


def _at(column: list, row: int) -> object:
    return column[row] if row < len(column) else None
