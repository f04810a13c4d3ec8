"""Whose field is it: declaring ours, leaving a person's alone, removing ours again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import fiftyone as fo
from fiftyone import ViewExpression
from fiftyone.core.odm import create_field, get_db_conn
from fiftyone.core.sample import get_default_sample_fields

# The mark that we leave in ``field.info``, with the stage that wrote the field.
OWNER = "second_opinion"

STATUS = "audit_status"  # per stage: ok, missing or failed, and why
LEDGER = "audit_ledger"  # per stage: the fingerprint of what was done

# Another event that loads the dataset anew comes between once, perhaps twice.
_ATTEMPTS = 10

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
    new = {}
    for name, (ftype, description) in fields.items():
        field = dataset.get_field(name)
        if field is None:
            new[name] = (ftype, {"description": description, "info": {OWNER: {"stage": stage}}})
        elif OWNER not in (field.info or {}):
            field.info = {**(field.info or {}), OWNER: {"stage": stage}}
            field.save()
    if new:
        _surely(dataset, new, lambda: _add(dataset, _missing(dataset, new)))
    return list(new)


def is_work_of(name: str, stage: str) -> bool:
    """Whether a name in status, ledger or runs is the stage's, or a piece of its work."""
    return name == stage or name.startswith(f"{stage}_")


def forget(dataset: fo.Dataset, stage: str) -> None:
    """Makes the stage's next run do everything again."""
    # Saving a view of this one field would write the ledger anew, without the other stages.
    dataset._sample_collection.update_many(
        {LEDGER: {"$type": "object"}}, {"$set": {f"{LEDGER}.{stage}": None}}
    )


def declare_status(dataset: fo.Dataset, stage: str) -> bool:
    """Makes ``audit_status.{stage}``, its reason, and ``audit_ledger.{stage}``.

    Returns:
        whether they were there, so that the stage has run before
    """
    ran_before = dataset.get_field(f"{LEDGER}.{stage}") is not None
    names = (f"{STATUS}.{stage}", f"{STATUS}.{stage}_why", f"{LEDGER}.{stage}")
    _surely(dataset, names, lambda: _add_status(dataset, names))
    return ran_before


def _add_status(dataset: fo.Dataset, names: Iterable[str]) -> None:
    parents = {
        parent: (
            fo.DynamicEmbeddedDocument,
            {"description": description, "info": {OWNER: {"stage": "audit"}}},
        )
        for parent, description in _INTERNAL.items()
        if dataset.get_field(parent) is None
    }
    _add(dataset, parents)
    for parent in _INTERNAL:
        _fill_nulls(dataset, parent)
    missing = [name for name in names if dataset.get_field(name) is None]
    _add(dataset, {name: (fo.StringField, {}) for name in missing})


def _surely(dataset: fo.Dataset, names: Iterable[str], add: Callable[[], None]) -> None:
    """Adds fields until they are there.

    A process has one object of a dataset. In the App, another event may load it anew between
    our steps, with the fields as it read them before; ours are then unknown, or known and not
    saved. So what the database holds is asked, not what the object knows.
    """
    names = set(names)
    for last in (*[False] * (_ATTEMPTS - 1), True):
        try:
            add()
        except ValueError:  # FiftyOne's: the field that holds this one does not exist
            if last:
                raise
        if names <= _stored(dataset) and all(dataset.get_field(name) is not None for name in names):
            return
        dataset.reload()


def _stored(dataset: fo.Dataset) -> set[str]:
    """Every field's name as the database holds it, nested ones dotted."""
    document = get_db_conn().datasets.find_one(
        {"_id": dataset._doc.id}, {"sample_fields": 1, "frame_fields": 1}
    )
    if document is None:  # deleted meanwhile: whoever writes next says so
        return set()
    of_frames = _named(document.get("frame_fields"), FRAMES)
    return {*_named(document.get("sample_fields"), ""), *of_frames}


def _named(fields: Iterable[Mapping] | None, parent: str) -> Iterator[str]:
    for field in fields or ():
        name = f"{parent}{field['name']}"
        yield name
        yield from _named(field.get("fields"), f"{name}.")


def _missing(dataset: fo.Dataset, fields: Mapping[str, tuple]) -> dict[str, tuple]:
    return {name: given for name, given in fields.items() if dataset.get_field(name) is None}


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


def _add(dataset: fo.Dataset, fields: Mapping[str, tuple[type, dict]]) -> None:
    """Adds fields: all of them in one write where FiftyOne can, for each takes a round trip."""
    ours = {name: keywords for name, keywords in fields.items() if not name.startswith(FRAMES)}
    if ours and hasattr(dataset, "_merge_sample_field_schema"):
        specs = {name: _spec(*given) for name, given in ours.items()}
        dataset._merge_sample_field_schema(
            {name: create_field(name.split(".")[-1], **spec) for name, spec in specs.items()}
        )
        fields = {name: given for name, given in fields.items() if name not in ours}
    for name, given in fields.items():
        add = dataset.add_frame_field if name.startswith(FRAMES) else dataset.add_sample_field
        add(name.removeprefix(FRAMES), **_spec(*given))


def _spec(ftype: type, keywords: dict) -> dict:
    if issubclass(ftype, fo.Field):
        return {"ftype": ftype, **keywords}
    return {"ftype": fo.EmbeddedDocumentField, "embedded_doc_type": ftype, **keywords}


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
