"""What a panel says where there is nothing to show yet: which stage to run, why, and its button."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..agreement.aspects import ACTION100M, ACTION100M_HOISTED
from ..engine.labels import LABEL_LISTS, noun_of, text_names
from ..engine.table import audited_fields, result_path
from .typeset import line, row, small_button

if TYPE_CHECKING:
    from .base import AuditPanel


@dataclass(frozen=True)
class NextStage:
    """The stage that brings a panel a step nearer.

    Attributes:
        operator: the operator's name
        label: what the button says
        reason: a sentence: what is missing
        settings: what its form is filled in with
    """

    operator: str
    label: str
    reason: str
    settings: dict[str, str] = field(default_factory=dict)


def next_stage(dataset: fo.Dataset) -> NextStage:
    """Finds the first stage whose result a dataset lacks, in the order of an audit."""
    schema = dataset.get_field_schema()
    opinions = [name for aspect in ACTION100M for name in aspect.opinions.values()]
    annotations = [aspect.annotation for aspect in ACTION100M]
    if not dataset.count():
        return NextStage(
            "import_action100m",
            "Import annotations",
            "This dataset is empty. Import annotations of your videos first.",
        )
    sources = [name for name in ACTION100M_HOISTED if name in schema]
    if sources and not any(name in schema for name in annotations):
        return NextStage(
            "hoist_labels",
            "Hoist labels",
            f"The annotations are still inside segments ({sources[0]} and others). Hoist them "
            "to one text a sample, so that they can be compared.",
        )
    if any(name in schema for name in annotations) and not any(n in schema for n in opinions):
        return NextStage(
            "read_opinions",
            "Read opinions",
            "There are annotations, but no other model's opinions to compare them with. "
            "Read a model's answers, or ask a model with the stage caption.",
        )
    return NextStage(
        "score_agreement",
        "Score agreement",
        "Nothing was compared yet: no sample has both a lexical and a semantic score. "
        "Score the agreement of your annotations with the opinions.",
        _where_texts_are(dataset),
    )


def _where_texts_are(dataset: fo.Dataset) -> dict[str, str]:
    # Where samples have no text of their own, and labels have: those labels.
    if set(dataset.get_field_schema(ftype=fo.StringField)) - {"filepath"}:
        return {}
    kinds = dataset.get_field_schema(ftype=fo.EmbeddedDocumentField)
    lists = [name for name, kind in kinds.items() if issubclass(kind.document_type, LABEL_LISTS)]
    told = [name for name in lists if set(text_names(dataset, name)) - {"label", *lists}]
    return {"segments": told[0]} if told else {}


def stage_after_texts(
    dataset: fo.Dataset, scored: bool, segments: str | None = None
) -> NextStage | None:
    """The stage that says more of texts that are there; None where every row could have it.

    Args:
        dataset: the dataset
        scored: whether the texts were scored
        segments: the field of labels whose texts they are; None for those of samples
    """
    of = {"segments": segments} if segments else {}
    if not scored:
        told = "These texts were not scored yet."
        return NextStage("score_agreement", "Score agreement", told, of)
    if dataset.get_field(result_path("verdict", segments)) is None:
        return NextStage("calibrate", "Calibrate", "There are scores, but no verdicts yet.", of)
    return None


def begin_empty(title: str) -> types.Object:
    """Begins the page of a panel that has nothing to show yet."""
    root = types.Object()
    line(root, "title", title, fontSize="1.1rem", fontWeight=600)
    return root


def add_next(root: types.Object, panel: AuditPanel, dataset: fo.Dataset) -> None:
    """Adds what to do where no sample was audited: see the labels that were, or run a stage."""
    audited = audited_fields(dataset)
    if audited:
        add_labels(root, panel, dataset, audited[0])
    else:
        add_stage(root, panel, next_stage(dataset))


def add_labels(root: types.Object, panel: AuditPanel, dataset: fo.Dataset, field: str) -> None:
    """Adds where the results of an audit of labels are, and a button that shows the suspects."""
    noun, total = noun_of(dataset, field), dataset.count(f"{field}.detections")
    line(
        root,
        "of_labels",
        f"This audit is of the {noun} of {field}. This panel shows whole samples, and of those "
        "nothing was compared.",
    )
    suspects = dataset.count_label_tags(field).get("suspect", 0)
    if not suspects:
        sentence = f"None of the {total:,} {noun} has the tag suspect."
        lacking = _after_scores(dataset, field)
        if lacking is None:
            sentence += f" In the sidebar, filter {field} by a verdict or score to see the worst."
        line(root, "none_suspect", sentence)
        if lacking is not None:
            add_stage(root, panel, lacking)
        return
    line(
        root,
        "suspects",
        f"{suspects:,} of {total:,} {noun} have the tag suspect. To see them, filter the "
        f"labels of {field} by this tag.",
    )
    small_button(root, "show", "Show the suspects", panel.on_show_suspects, field=field)


def _after_scores(dataset: fo.Dataset, field: str) -> NextStage | None:
    # Labels that were scored and neither calibrated nor tagged cannot be suspects yet.
    own = dataset.get_field(f"{field}.detections").field.get_field_schema()
    if "audit_tags" in own:
        return None
    if not any(name.startswith("confidence_") for name in own):
        return stage_after_texts(dataset, True, field)
    told = "There are confidences, but no tags yet."
    return NextStage("tag_confidence", "Tag confidence", told, {"segments": field})


def add_stage(
    root: types.Object, panel: AuditPanel, stage: NextStage, variant: str = "contained"
) -> None:
    """Adds why a stage is to be run, and the button that opens its form."""
    line(root, f"{stage.operator}_why", stage.reason)
    if not foo.operator_exists(panel.stage_uri(stage.operator)):
        return
    row(root, f"{stage.operator}_place").btn(
        "open",
        label=stage.label,
        icon="play_arrow",
        variant=variant,
        on_click=panel.on_next_stage,
        params={"stage": stage.operator, "settings": stage.settings},
        componentsProps={
            "item": {"sx": {"width": "auto"}},
            "button": {"sx": {"textTransform": "none"}},
        },
    )
