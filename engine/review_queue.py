"""Who has which sample open, and in which order samples are offered: the dataset's own store."""

from __future__ import annotations

import time
from collections.abc import Collection

import fiftyone as fo
from fiftyone.operators.store import ExecutionStore

#: A sample that was opened and neither decided nor left is free again after so many seconds.
CLAIM_SECONDS = 600

_SESSION_SECONDS = 24 * 3_600
_STORE = "second_opinion_reviews"


def claim(dataset: fo.Dataset, aspect: str, sample_id: str, session: str) -> bool:
    """Tells whether a session may open a sample: nobody else has it open. Then it is taken."""
    key, now = f"claim:{aspect}:{sample_id}", time.time()
    mine = {"session": session, "until": now + CLAIM_SECONDS}
    store = _store(dataset)
    if store.set_if_absent(key, mine, ttl=CLAIM_SECONDS):
        return True
    held = store.get(key)
    if held is None:
        return store.set_if_absent(key, mine, ttl=CLAIM_SECONDS)
    if held["session"] != session and held["until"] > now:
        return False
    return store.compare_and_set(key, held, mine, ttl=CLAIM_SECONDS)


def release(dataset: fo.Dataset, aspect: str, sample_id: str, session: str) -> None:
    """Lets go of a sample that the session has open."""
    store, key = _store(dataset), f"claim:{aspect}:{sample_id}"
    held = store.get(key)
    if held is not None and held["session"] == session:
        store.delete(key)


def set_open(dataset: fo.Dataset, aspect: str, session: str, sample_id: str | None) -> None:
    """Remembers which sample a session looks at; None where it has come to the end."""
    opened = {"aspect": aspect, "sample": sample_id}
    _store(dataset).set(f"open:{session}", opened, ttl=_SESSION_SECONDS, policy="evict")


def get_open(dataset: fo.Dataset, session: str) -> dict | None:
    """What :func:`set_open` remembers: ``aspect`` and ``sample``; None where nothing is open."""
    return _store(dataset).get(f"open:{session}")


def leave(dataset: fo.Dataset, session: str) -> None:
    """Ends a session: its sample is free for others."""
    opened = get_open(dataset, session)
    if opened is not None:
        if opened["sample"]:
            release(dataset, opened["aspect"], opened["sample"], session)
        _store(dataset).delete(f"open:{session}")


def save_plan(dataset: fo.Dataset, aspect: str, plan: dict, restart: bool = False) -> dict:
    """Keeps the plan of an aspect's reviews; the first one stands unless ``restart``.

    Returns:
        the plan that stands, which may be another's who began at the same moment
    """
    store, key = _store(dataset), f"plan:{aspect}"
    if restart:
        store.set(key, plan)
    else:
        store.set_if_absent(key, plan)
    return store.get(key)


def load_plan(dataset: fo.Dataset, aspect: str) -> dict | None:
    """The plan of an aspect's reviews, or None where nobody has begun."""
    return _store(dataset).get(f"plan:{aspect}")


def gone(dataset: fo.Dataset, drawn: Collection[str]) -> set[str]:
    """Those of the drawn samples that are no longer in the dataset."""
    return set(drawn) - set(dataset.select(list(drawn)).values("id"))


def planned_aspects(dataset: fo.Dataset) -> list[str]:
    """The aspects whose reviews have begun."""
    keys = _store(dataset).list_keys()
    return sorted(key.partition(":")[2] for key in keys if key.startswith("plan:"))


def _store(dataset: fo.Dataset) -> ExecutionStore:
    return ExecutionStore.create(_STORE, dataset_id=dataset._doc.id)
