"""Whose field is it: declaring ours, leaving a person's alone, removing ours again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import fiftyone as fo
from fiftyone import ViewExpression
from fiftyone.core.sample import get_default_sample_fields

# The mark that we leave in ``field.info``, with the stage that wrote the field.
OWNER = "second_opinion"

STATUS = "audit_status"  # per stage: ok, missing or failed, and why
LEDGER = "audit_ledger"  # per stage: the fingerprint of what was done

FRAMES = "frames."  # what the names of frames' fields begin with

_INTERNAL = {
    STATUS: "What each stage could do with this sample: ok, missing or failed, and why",
    LEDGER: "Fingerprints of the work done, so that a second run does only what is new",
}


def is_ours(dataset: fo.Dataset, name: str) -> bool:
    """Tells whether a stage of ours made the field."""
    field = dataset.get_field(name)
    return field is not None and OWNER in (field.info or {})


def not_ours(dataset: fo.Dataset, names: Iterable[str]) -> list[str]:
    """Those of the fields that exist and that no stage of ours made."""
    schema = _schema(dataset)
    return [name for name in names if name in schema and not is_ours(dataset, name)]


def unfit(dataset: fo.Dataset, fields: Mapping[str, tuple]) -> list[str]:
    """Those of the fields that exist and can never take what we would write.

    FiftyOne's own fields (``filepath``, ``tags``, ...) are never written, and a
    field of another type would refuse the values half way through a run.
    """
    schema = _schema(dataset)
    own = get_default_sample_fields(include_private=True)
    return [
        name
        for name, (ftype, _) in fields.items()
        if name in schema and (name in own or not _takes(schema[name], ftype))
    ]


def declare(
    dataset: fo.Dataset,
    stage: str,
    fields: Mapping[str, tuple],
) -> list[str]:
    """Makes the fields that a stage will write, and marks them as ours.

    Args:
        dataset: the dataset
        stage: the stage's name, remembered in the mark
        fields: ``{name: (field or label type, description)}``; names of frames' fields
            begin with ``frames.``; a field that exists stays as it is, and is marked,
            since the person agreed to its being written

    Returns:
        the fields that had to be made
    """
    made = []
    for name, (ftype, description) in fields.items():
        field = dataset.get_field(name)
        if field is None:
            _add(dataset, name, ftype, description, stage)
            made.append(name)
        elif OWNER not in (field.info or {}):
            field.info = {**(field.info or {}), OWNER: {"stage": stage}}
            field.save()
    return made


def forget(dataset: fo.Dataset, stage: str) -> None:
    """Makes the stage's next run do everything again."""
    dataset.set_field(f"{LEDGER}.{stage}", None).save(f"{LEDGER}.{stage}")


def declare_status(dataset: fo.Dataset, stage: str) -> bool:
    """Makes ``audit_status.{stage}``, its reason, and ``audit_ledger.{stage}``.

    Returns:
        whether they were there, so that the stage has run before
    """
    ran_before = dataset.get_field(f"{LEDGER}.{stage}") is not None
    for parent, description in _INTERNAL.items():
        if dataset.get_field(parent) is None:
            dataset.add_sample_field(
                parent,
                fo.EmbeddedDocumentField,
                embedded_doc_type=fo.DynamicEmbeddedDocument,
                description=description,
                info={OWNER: {"stage": "audit"}},
            )
        _fill_nulls(dataset, parent)
    for name in (f"{STATUS}.{stage}", f"{STATUS}.{stage}_why", f"{LEDGER}.{stage}"):
        if dataset.get_field(name) is None:
            dataset.add_sample_field(name, fo.StringField)
    return ran_before


def owned(dataset: fo.Dataset) -> dict[str, str]:
    """Every field of ours that exists, with the stage that made it."""
    return {
        name: field.info[OWNER].get("stage", "")
        for name, field in _schema(dataset).items()
        if OWNER in (field.info or {})
    }


def _schema(dataset: fo.Dataset) -> dict[str, fo.Field]:
    # Samples' fields, labels' attributes (dotted), and frames' fields as ``frames.{name}``
    of_frames = dataset.get_frame_field_schema() or {}
    return {
        **dataset.get_field_schema(flat=True),
        **{f"{FRAMES}{name}": field for name, field in of_frames.items()},
    }


def _add(dataset: fo.Dataset, name: str, ftype: type, description: str, stage: str) -> None:
    keywords = {"description": description, "info": {OWNER: {"stage": stage}}}
    if _is_label(ftype):
        keywords["embedded_doc_type"], ftype = ftype, fo.EmbeddedDocumentField
    if name.startswith(FRAMES):
        dataset.add_frame_field(name.removeprefix(FRAMES), ftype, **keywords)
    else:
        dataset.add_sample_field(name, ftype, **keywords)


def _takes(field: fo.Field, ftype: type) -> bool:
    if not _is_label(ftype):
        return isinstance(field, ftype)
    return isinstance(field, fo.EmbeddedDocumentField) and field.document_type is ftype


def _is_label(ftype: type) -> bool:
    return issubclass(ftype, fo.Label)


def _fill_nulls(dataset: fo.Dataset, parent: str) -> None:
    # A null parent (left by a merge or an export) cannot take a nested value.
    nulls = dataset.match(ViewExpression({"$eq": [{"$type": f"${parent}"}, "null"]})).values("id")
    if nulls:
        empty = {sample_id: fo.DynamicEmbeddedDocument() for sample_id in nulls}
        dataset.set_values(parent, empty, key_field="id")
