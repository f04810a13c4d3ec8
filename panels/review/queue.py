"""The reviewer's queue: what comes next, what was decided, and what that tells so far."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo

from ...agreement.error_rate import estimate, may_stop, more_reviews, tell
from ...agreement.ruling import suggestion_field
from ...agreement.sampling import Plan
from ...engine import review_queue, reviews
from ...engine.ledger import fingerprint

# How many samples that others have open are passed over in one go.
_PATIENCE = 500


@dataclass(frozen=True)
class Standing:
    """How far the reviews have come.

    Attributes:
        told: the estimate as a sentence
        enough: whether the stopping rule says that enough was reviewed
        mine: how many decisions of this reviewer stand
        doubtful: samples on which nobody was sure, or reviewers disagree
    """

    told: str
    enough: bool
    mine: int
    doubtful: int


@dataclass(frozen=True)
class Item:
    """The sample under review.

    Attributes:
        id: the sample's id
        filepath: its media file
        media_type: ``video``, ``image``, ...
        annotation: the text under review
        opinions: ``{witness: text}``
        suggestion: the text that the video supports best, where it overruled the annotation
        aspect: which of the sample's labels is reviewed
    """

    id: str
    filepath: str
    media_type: str
    annotation: str | None
    opinions: dict[str, str | None]
    suggestion: str | None = None
    aspect: str = ""


def stand(dataset: fo.Dataset, stored: dict, reviewer: str, width: float) -> Standing:
    """Reads how far the reviews of a plan have come."""
    plan, entries = Plan.from_dict(stored), reviews.read(dataset, stored["aspect"])
    standing, asked = reviews.standing(entries), reviews.asked(entries, stored["id"])
    seen = plan.seen(plan.counted(reviews.decided(entries), asked))
    found = estimate(seen)
    outcomes = reviews.outcomes(entries)
    words = [word for words in standing.values() for word in words]
    return Standing(
        told=tell(found, more_reviews(seen, plan.shares, width), width, plan.size),
        enough=may_stop(found, width),
        mine=sum(w.reviewer == reviewer and w.decision != reviews.SKIP for w in words),
        doubtful=sum(
            outcomes.get(i) in (reviews.UNSURE, reviews.DISPUTED) for i in asked if i in outcomes
        ),
    )


def next_sample(dataset: fo.Dataset, stored: dict, reviewer: str, session: str) -> str | None:
    """Takes the next sample of the plan that nobody else has open; None where none is left.

    What this reviewer skipped comes again at the end; what they were unsure of does not.
    """
    plan, entries = Plan.from_dict(stored), reviews.read(dataset, stored["aspect"])
    decided = reviews.decided(entries)
    counted = plan.counted(decided, reviews.asked(entries, stored["id"]))
    skipped, passed = set(), set()
    for label, words in reviews.standing(entries).items():
        for word in words:
            if word.reviewer == reviewer and label not in decided:
                (skipped if word.decision == reviews.SKIP else passed).add(label)
    for set_aside in (skipped, set()):
        left = passed | set_aside
        for _ in range(_PATIENCE):
            label = plan.next(decided, left, counted)
            if label is None:
                break
            if not dataset.select(label).count():
                left |= review_queue.gone(dataset, plan.drawn)
            elif review_queue.claim(dataset, stored["aspect"], label, session):
                return label
            left.add(label)
    return None


def decide(
    dataset: fo.Dataset,
    stored: dict,
    item: Item,
    decision: str,
    reviewer: str,
    session: str,
    fix: str | None = None,
) -> None:
    """Keeps a decision on the sample under review, and lets go of the sample."""
    reviews.record(
        dataset,
        item.id,
        stored["aspect"],
        decision,
        reviewer,
        fix=fix,
        text=fingerprint(item.annotation),
        plan=stored["id"],
    )
    review_queue.release(dataset, stored["aspect"], item.id, session)


def read_item(dataset: fo.Dataset, stored: dict, sample_id: str) -> Item | None:
    """Reads the sample under review; None where it, or the field under review, is gone."""
    if dataset.get_field(stored["annotation"]) is None:
        return None
    opinions = {
        witness: name
        for witness, name in stored["opinions"].items()
        if dataset.get_field(name) is not None
    }
    suggested = suggestion_field(stored["aspect"])
    names = ["filepath", stored["annotation"], *opinions.values()]
    names += [suggested] if dataset.get_field(suggested) is not None else []
    columns = dataset.select(sample_id).values(names)
    if not columns[0]:
        return None
    filepath, annotation, *said = (column[0] for column in columns)
    return Item(
        sample_id,
        filepath,
        fo.core.media.get_media_type(filepath),
        annotation,
        dict(zip(opinions, said)),
        said[-1] if names[-1] == suggested else None,
        stored["aspect"],
    )
