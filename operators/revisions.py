"""Which version of a model made a dataset's results: remembered, kept to, and told when it changes.

A name on the hub may mean other weights tomorrow. The commit that a dataset's first results
were made with is therefore remembered beside their ledger, and loaded again until a person
asks for another one; what the other weights made then counts as out of date.
"""

from __future__ import annotations

from typing import TypeAlias

import fiftyone as fo

from ..engine.columns import root_dataset
from ..engine.fields import LEDGER
from ..engine.ledger import ledger_field

Samples: TypeAlias = fo.core.collections.SampleCollection

_KEY = "model"


def revision_of(dataset: fo.Dataset | None, name: str, asked: str | None) -> str | None:
    """Which revision of a model to load.

    Args:
        dataset: the dataset; None for no dataset
        name: a name on the hub, ``name@revision``, or a folder
        asked: the revision that a person asked for

    Returns:
        what was asked for, or the commit that this dataset's results were made with; None
        where the name says it, or nothing does
    """
    if asked or dataset is None or "@" in name:
        return asked
    return _kept(dataset, name)


def _kept(dataset: fo.Dataset, name: str) -> str | None:
    from ..models.known import split_revision
    from ..models.source import is_commit

    bare = split_revision(name)[0]
    made = [
        told["revision"]
        for told in _remembered(dataset).values()
        if told["name"] == bare and is_commit(told["revision"])
    ]
    return made[-1] if made else None


def remember(samples: Samples, work: str, name: str, revision: str, asked: str | None) -> list[str]:
    """Keeps which weights a piece of work is done with.

    Args:
        samples: the samples that are worked on
        work: the name of the work, whose ledger is declared
        name: the model's name
        revision: the version that is asked
        asked: the revision that a person asked for

    Returns:
        sentences for the report: that a version is kept to from now on, or that it is another
        one than before
    """
    from ..models.known import KNOWN
    from ..models.source import is_commit

    dataset = root_dataset(samples)
    kept = _kept(dataset, name)
    before = _remembered(dataset).get(work)
    field = dataset.get_field(ledger_field(work))
    field.info = {**(field.info or {}), _KEY: {"name": name, "revision": revision}}
    field.save()
    if before and before["name"] == name and before["revision"] != revision:
        return [_changed(samples, name, before["revision"], revision)]
    newest = kept is None and asked is None and is_commit(revision)
    if newest and not (name in KNOWN and KNOWN[name].revision == revision):
        return [
            f"{name} was loaded at its newest commit, {revision[:12]}, and this dataset keeps to "
            "that commit from now on; revision='main' takes up a newer one."
        ]
    return []


def _changed(samples: Samples, name: str, before: str, now: str) -> str:
    told = (
        f"{name} is another version than before ({now[:18]}, not {before[:18]}), so what the "
        "earlier one made here is out of date and is done again."
    )
    if samples.count() < root_dataset(samples).count():
        told += " Samples outside of this view keep what the earlier one made."
    return told


def _remembered(dataset: fo.Dataset) -> dict[str, dict]:
    """``{work: {"name", "revision"}}`` of all works of this dataset."""
    ledger = dataset.get_field(LEDGER)
    fields = ledger.get_field_schema() if ledger is not None else {}
    return {name: field.info[_KEY] for name, field in fields.items() if _KEY in (field.info or {})}
