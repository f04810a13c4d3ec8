"""What is compared with what: the settings that stages share, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import fiftyone as fo
from fiftyone import ViewField as F

from ..agreement.aspects import (
    ACTION100M,
    ACTION100M_HOISTED,
    PRESETS,
    Aspect,
    edge_names,
    read_aspects,
    recall_aspects,
)
from ..engine.columns import root_dataset
from ..engine.labels import LABEL_LISTS, find_source
from ..engine.provenance import run_configs
from ..engine.table import Rows
from .settings import setting

Samples: TypeAlias = fo.core.collections.SampleCollection


# ---- settings ----


def aspects_setting(help: str = "What is compared", **spec: object) -> Any:
    """The aspects: a preset's name or a list."""
    wanted = {"kind": "aspects", "required": True, **spec}
    help = f"{help}: {', '.join(PRESETS)}, or a list of aspects as JSON"
    return setting("action100m", "Aspects", help, **wanted)


def segments_setting(help: str = "Compares the labels of this field one by one") -> Any:
    """The labels to work on one by one, in place of whole samples."""
    return setting(
        None,
        "Segments",
        f"{help} instead of whole samples; annotation and opinions are then attributes of them, "
        "or other fields' labels for the same segments",
        kind="field",
        types=LABEL_LISTS,
    )


def edges_setting() -> Any:
    """Which parties are compared."""
    return setting(
        None,
        "Edges",
        "Which parties to compare: a witness (q), two witnesses (qm); all where empty",
        many=True,
    )


def group_setting(help: str = "") -> Any:
    """Which samples are of one video."""
    return setting(
        None,
        "Group",
        f"The field that tells which clips are of one video, if several are{help}",
        kind="field",
        types=(fo.StringField, fo.IntField, fo.ObjectIdField),
    )


def encoder_setting() -> Any:
    """The sentence encoder."""
    return setting(
        None,
        "Encoder",
        "The sentence encoder: a name or a folder; the embedded all-MiniLM-L6-v2 where empty",
    )


def chosen_aspects(given: object, segments: str | None) -> tuple[Aspect, ...]:
    """Reads the aspects; on segments, a preset's annotations are those that were hoisted.

    Raises:
        ValueError: a sentence that says what is wrong with them
    """
    aspects = read_aspects(given)
    if not segments or not isinstance(given, str):
        return aspects
    sources = {flat: source for source, flat in ACTION100M_HOISTED.items()}
    return tuple(
        Aspect(a.name, sources.get(a.annotation, a.annotation), a.opinions) for a in aspects
    )


def earlier_aspects(
    dataset: fo.Dataset, work: str
) -> Iterator[tuple[fo.RunConfig, tuple[Aspect, ...]]]:
    """The earlier runs of a piece of work with their aspects, the newest run first."""
    for config in run_configs(dataset, work):
        if aspects := recall_aspects(getattr(config, "settings", None)):
            yield config, aspects


def groups_of(rows: Rows, group_field: str | None) -> list | None:
    """Which rows are of one video: clips of a group, and labels of a sample; None where unknown."""
    if not group_field and rows.labels is None:
        return None
    groups = rows.samples.columns.get(group_field, [None] * len(rows.samples))
    # a clip of no known video is a video of its own
    named = [i if group is None else group for i, group in zip(rows.samples.ids, groups)]
    return [named[sample] for sample in rows.owner]


# ---- form ----


def check_aspects(
    samples: Samples, given: object, edges: Sequence[str] | None, segments: str | None = None
) -> dict[str, str]:
    """What is wrong with aspects and edges, given a dataset's fields."""
    try:
        aspects = chosen_aspects(given, segments)
    except ValueError as error:
        return {"aspects": f"Aspects: {error}"}
    if problem := no_labels(samples, segments):
        return problem
    known = edge_names(aspects)
    unknown = [edge for edge in edges or [] if edge not in known]
    if unknown:
        return {"edges": f"Edges: there is no {unknown[0]!r}; there are {', '.join(known)}."}
    if not any(aspect.edges(edges) for aspect in aspects):
        return {"aspects": "Aspects: no witness is named, so there is nothing to compare."}
    for aspect in aspects:
        for edge in aspect.edges(edges):
            for name in (edge.left, edge.right):
                sentence = _text_problem(root_dataset(samples), name, aspect, segments)
                if sentence:
                    return {"aspects": f"Aspects: {sentence}"}
    return {}


def no_labels(samples: Samples, segments: str | None) -> dict[str, str]:
    """What is wrong where there is no label to compare."""
    if segments and not samples.match(F(f"{segments}.detections").length() > 0).limit(1).count():
        return {"segments": f"Segments: no sample has labels in {segments!r}."}
    return {}


def _text_problem(
    dataset: fo.Dataset, name: str, aspect: Aspect, segments: str | None
) -> str | None:
    path = name
    if segments:
        try:
            path = find_source(dataset, segments, name).path
        except ValueError as error:
            return f"{error} {aspect.name} needs it."
    field = dataset.get_field(path)
    if isinstance(field, fo.StringField):
        return None
    if field is not None:
        return f"{name!r} is a {type(field).__name__}; {aspect.name} needs a text field."
    stage = "hoist_labels" if name == aspect.annotation else "read_opinions"
    advice = f" Run {stage} first, or limit the edges." if aspect in ACTION100M else ""
    return f"the dataset has no field {name!r}, which {aspect.name} needs.{advice}"
