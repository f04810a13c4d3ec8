"""What people decided: every decision kept at once, on its sample, and never overwritten.

Decisions are a list on each sample that only grows, so that two reviewers cannot overwrite each
other, and so that decisions travel with the dataset wherever it goes. Taking a decision back is
one more entry. The field is a person's work: clearing an audit leaves it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from threading import Lock
from uuid import uuid4

import fiftyone as fo
from bson import ObjectId
from fiftyone import ViewField as F
from pymongo import UpdateOne

from .columns import root_dataset

#: The field that holds them.
FIELD = "audit_reviews"

CORRECT, WRONG, UNSURE, SKIP, UNDO = "correct", "wrong", "unsure", "skip", "undo"
DECISIONS = (CORRECT, WRONG, UNSURE, SKIP)
#: What a sample's reviews come to when two people decided differently.
DISPUTED = "disputed"

_WRITING = Lock()
_LONGEST_FIX = 1_000_000  # characters; a sample's document holds 16 MB in all
_TEXTS = ("entry", "aspect", "decision", "reviewer", "fix", "of", "text", "plan")


@dataclass(frozen=True)
class Review:
    """One entry: what a person decided of a sample's label.

    Attributes:
        sample_id: the sample
        entry: the entry's own name
        aspect: which label it speaks of
        decision: one of :data:`DECISIONS`, or ``undo``
        reviewer: who decided
        time: when, in UTC
        fix: the right text, where the reviewer wrote it
        of: for ``undo``, the entry that is taken back
        text: a fingerprint of the label that was looked at
        plan: the plan that offered the sample
    """

    sample_id: str
    entry: str
    aspect: str
    decision: str
    reviewer: str
    time: datetime
    fix: str | None = None
    of: str | None = None
    text: str | None = None
    plan: str | None = None


def declare(dataset: fo.Dataset) -> None:
    """Makes the field that holds reviews, where it does not exist."""
    if dataset.get_field(FIELD) is None:
        dataset.add_sample_field(
            FIELD,
            fo.ListField,
            subfield=fo.EmbeddedDocumentField,
            embedded_doc_type=fo.DynamicEmbeddedDocument,
            description="What reviewers decided of this sample's labels, oldest first",
        )
    for name in (*_TEXTS, "time"):
        if dataset.get_field(f"{FIELD}.{name}") is None:
            ftype = fo.DateTimeField if name == "time" else fo.StringField
            dataset.add_sample_field(f"{FIELD}.{name}", ftype)


def record(
    dataset: fo.Dataset,
    sample_id: str,
    aspect: str,
    decision: str,
    reviewer: str,
    *,
    fix: str | None = None,
    text: str | None = None,
    plan: str | None = None,
) -> Review:
    """Keeps a decision; when this returns it is in the database.

    Args:
        dataset: the dataset
        sample_id: the sample
        aspect: which of its labels was looked at
        decision: one of :data:`DECISIONS`
        reviewer: who decided
        fix: the right text, for a label that is wrong
        text: a fingerprint of the label
        plan: the plan that offered the sample

    Raises:
        ValueError: for an unknown decision, a fix of a label that is not wrong, an overlong
            fix, or a sample that no longer exists
    """
    if decision not in DECISIONS:
        raise ValueError(f"{decision!r} is no decision; there are {', '.join(DECISIONS)}.")
    if fix is not None and decision != WRONG:
        raise ValueError("Only a wrong label can be fixed; decide 'wrong' and give the fix.")
    if fix is not None and len(fix) > _LONGEST_FIX:
        raise ValueError(f"The fixed text is longer than {_LONGEST_FIX:,} characters.")
    review = Review(
        sample_id,
        uuid4().hex,
        aspect,
        decision,
        _storable(reviewer),
        _now(),
        fix=None if fix is None else _storable(fix),
        text=text,
        plan=plan,
    )
    _append(dataset, review)
    return review


def undo(dataset: fo.Dataset, aspect: str, reviewer: str) -> Review | None:
    """Takes back a reviewer's newest decision that still stands.

    Returns:
        the decision that was taken back, or None where there is none
    """
    mine = [review for review in read(dataset, aspect) if review.reviewer == _storable(reviewer)]
    standing = _not_undone(mine)
    if not standing:
        return None
    last = standing[-1]
    _append(
        dataset,
        Review(last.sample_id, uuid4().hex, aspect, UNDO, last.reviewer, _now(), of=last.entry),
    )
    return last


def read(samples: fo.core.collections.SampleCollection, aspect: str | None = None) -> list[Review]:
    """Reads the entries of a dataset or view, oldest first; those of one aspect if named."""
    dataset = root_dataset(samples)
    if dataset.get_field(FIELD) is None:
        dataset.reload()  # somebody may have begun in another process
        if dataset.get_field(FIELD) is None:
            return []
    names = [*_TEXTS, "time"]
    reviewed = samples.match(F(FIELD).exists() & (F(FIELD).length() > 0))
    ids, *columns = reviewed.values(["id", *(f"{FIELD}.{name}" for name in names)])
    entries = [
        Review(sample_id, **dict(zip(names, values)))
        for sample_id, *lists in zip(ids, *columns)
        for values in zip(*lists)
    ]
    if aspect is not None:
        entries = [entry for entry in entries if entry.aspect == aspect]
    return sorted(entries, key=lambda entry: entry.time)


def standing(reviews: Iterable[Review]) -> dict[str, list[Review]]:
    """``{sample id: each reviewer's last word on it}``, for the entries of one aspect."""
    last: dict[tuple[str, str], Review] = {}
    for review in _not_undone(list(reviews)):
        last[review.sample_id, review.reviewer] = review
    found: dict[str, list[Review]] = {}
    for review in last.values():
        found.setdefault(review.sample_id, []).append(review)
    return found


def outcomes(reviews: Iterable[Review]) -> dict[str, str]:
    """``{sample id: what its reviews come to}``, for the entries of one aspect.

    ``correct`` or ``wrong`` where everybody who was sure agrees, ``disputed`` where they do
    not, ``unsure`` where nobody was sure; samples that were only skipped are left out.
    """
    found = {}
    for sample_id, words in standing(reviews).items():
        decisions = {review.decision for review in words} - {SKIP}
        sure = decisions & {CORRECT, WRONG}
        if sure:
            found[sample_id] = sure.pop() if len(sure) == 1 else DISPUTED
        elif decisions:
            found[sample_id] = UNSURE
    return found


def decided(reviews: Iterable[Review]) -> dict[str, bool]:
    """``{sample id: whether its label is wrong}`` of the samples on which there is a decision."""
    return {
        sample_id: outcome == WRONG
        for sample_id, outcome in outcomes(reviews).items()
        if outcome in (CORRECT, WRONG)
    }


def asked(reviews: Iterable[Review], plan: str) -> set[str]:
    """The samples on which a decision stands because this plan offered them."""
    return {i for i, words in standing(reviews).items() if any(w.plan == plan for w in words)}


def fixes(reviews: Iterable[Review]) -> dict[str, str]:
    """``{sample id: the right text}``, the newest fix of a label that is agreed to be wrong."""
    reviews = list(reviews)
    wrong = {sample_id for sample_id, is_wrong in decided(reviews).items() if is_wrong}
    found: dict[str, Review] = {}
    for sample_id, words in standing(reviews).items():
        for review in words:
            if sample_id in wrong and review.fix:
                newest = found.get(sample_id)
                if newest is None or newest.time <= review.time:
                    found[sample_id] = review
    return {sample_id: review.fix for sample_id, review in found.items()}


def _append(dataset: fo.Dataset, review: Review) -> None:
    declare(dataset)
    entry = {name: getattr(review, name) for name in (*_TEXTS, "time")}
    entry["_cls"] = "DynamicEmbeddedDocument"
    # One atomic step: two reviewers of one sample both end up in the list. The entry is a
    # literal, for a person's text may begin with a dollar sign; the list may be null.
    grown = {"$concatArrays": [{"$ifNull": [f"${FIELD}", []]}, [{"$literal": entry}]]}
    update = [{"$set": {FIELD: grown, "last_modified_at": _now()}}]
    known = dataset.match(F("_id") == ObjectId(review.sample_id)).count()
    if not known:
        raise ValueError("This sample is no longer in the dataset.")
    append = UpdateOne({"_id": ObjectId(review.sample_id)}, update)
    with _WRITING:  # FiftyOne refreshes its samples in memory, one thread at a time
        try:
            dataset._bulk_write([append], ids=[review.sample_id])
        except ValueError as error:
            if "BSONObj size" not in str(error):
                raise
            raise ValueError(
                "This sample holds as much as the database takes for one, so that the decision was "
                "not kept. Shorten the text, or remove long texts from the sample."
            ) from error


def _not_undone(reviews: Sequence[Review]) -> list[Review]:
    undone = {review.of for review in reviews if review.decision == UNDO}
    return [review for review in reviews if review.decision != UNDO and review.entry not in undone]


def _now() -> datetime:
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)  # what the database keeps


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
