"""One text on several clips: evidence that no comparison with a witness can give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, logit, softmax

from .texts import is_scorable

_TRUST = 10.0  # texts' worth of belief in what is said before any is seen
_MOVED = 0.1  # the share of copied texts that their clips do not share, as believed before
_LOST = 0.03  # the share of these that are wrong everywhere
# Places of one text whose evidence against it adds up; a plain text matches a little badly
# everywhere.
_MOST = 3.0
_STEPS = 30
_CERTAIN = 1e-6


def weigh_copies(
    texts: Sequence[str | None] | Sequence[Sequence[str | None]],
    match: np.ndarray,
    groups: Sequence[Hashable] | None = None,
    spans: np.ndarray | None = None,
) -> np.ndarray:
    """Probabilities that the labels are right, given also which texts stand in several places.

    A label that was taken from another clip, or that a stuck captioner wrote, has a copy
    elsewhere. A text in several places is one that its clips share, each being right as
    often as a text that stands once; or it belongs to one of the places, the likelier the
    better it matches there; or, rarely, it is wrong everywhere. How common shared texts are,
    and how often labels are right, is read off the dataset itself by expectation and
    maximisation, with ``match`` as what each clip's witnesses say: where clips rightly
    share their texts, copies speak against nobody. Segments of one video that overlap
    show the same thing, so they are one place, and no copies of each other.

    Args:
        texts: ``n`` labels; or several aspects' labels, which are copies where all are
        match: ``(n,)`` probabilities that each is right, from its witnesses; nan if unknown
        groups: which clips are of one video; None where unknown
        spans: ``(n, 2)`` start and end of each clip in its video, or ``(n, 2 d)`` of each
            region in ``d`` dimensions; None where unknown

    Returns:
        ``(n,)`` probabilities, nan where ``match`` is
    """
    match = np.asarray(match, dtype=np.float64)
    known = ~np.isnan(match)
    copies = _Copies.among(texts, groups, spans)
    if copies is None or not known.any():
        return match.copy()
    right = float(np.clip(match[known].mean(), _CERTAIN, 1 - _CERTAIN))
    # What the witnesses say alone: the belief before is taken off.
    ratio = np.where(known, np.exp(_log_odds(match) - _log_odds(right)), 1.0)
    once = known.copy()
    once[copies.rows] = False
    often, moved = right, _MOVED
    for _ in range(_STEPS):
        beliefs = copies.beliefs(ratio, often, moved)
        alone = expit(np.log(ratio) + _log_odds(often))
        often = (alone[once].sum() + _TRUST * right) / (once.sum() + _TRUST)
        moved = (beliefs[:, 1:].sum() + _TRUST * _MOVED) / (len(beliefs) + _TRUST)
    shared, owned = beliefs[copies.text, 0], beliefs[copies.text, 1]
    found = alone.copy()
    found[copies.rows] = shared * alone[copies.rows] + owned * copies.owner(ratio)
    return np.where(known, found, np.nan)


@dataclass(frozen=True)
class _Copies:
    """Labels whose text stands in several places.

    Attributes:
        rows: ``(r,)`` the labels
        text: ``(r,)`` which text each holds, from 0
        place: ``(r,)`` the place of each, from 0 over all texts
        text_of: ``(p,)`` the text of each place
        places: ``(t,)`` in how many places each text stands
    """

    rows: np.ndarray
    text: np.ndarray
    place: np.ndarray
    text_of: np.ndarray
    places: np.ndarray

    @classmethod
    def among(
        cls,
        texts: Sequence[str | None] | Sequence[Sequence[str | None]],
        groups: Sequence[Hashable] | None,
        spans: np.ndarray | None,
    ) -> _Copies | None:
        """Finds them; None where there are none."""
        found = []
        for members in _holders(texts):
            places = _places(np.array(members), groups, spans)
            if places.max() > 0:
                found.append((members, places))
        if not found:
            return None
        counts = np.array([places.max() + 1 for _, places in found])
        text = np.repeat(np.arange(len(found)), [len(members) for members, _ in found])
        return cls(
            rows=np.concatenate([members for members, _ in found]),
            text=text,
            place=np.concatenate([places for _, places in found])
            + (np.cumsum(counts) - counts)[text],
            text_of=np.repeat(np.arange(len(found)), counts),
            places=counts,
        )

    def beliefs(self, ratio: np.ndarray, often: float, moved: float) -> np.ndarray:
        """``(t, 3)`` probabilities that a text is shared, belongs to one place, or to none."""
        said = self._by_place(np.log(often * ratio[self.rows] + 1 - often))
        shared = np.bincount(self.text_of, said)
        against = shared * np.minimum(self.places, _MOST) / self.places
        owned = np.bincount(self.text_of, self._by_place(ratio[self.rows])) / self.places
        weight = np.stack(
            [np.where(shared < 0, against, shared), np.log(owned), np.zeros(len(owned))], axis=1
        )
        common = np.log([1 - moved, moved * (1 - _LOST), moved * _LOST])
        return softmax(weight + common, axis=1)

    def owner(self, ratio: np.ndarray) -> np.ndarray:
        """``(r,)`` probabilities that a label's is the place that its text belongs to."""
        by_place = self._by_place(ratio[self.rows])
        elsewhere = np.bincount(self.text_of, by_place)[self.text] - by_place[self.place]
        return ratio[self.rows] / (ratio[self.rows] + np.maximum(elsewhere, 0.0))

    def _by_place(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.place, values) / np.bincount(self.place)


def _holders(texts: Sequence[str | None] | Sequence[Sequence[str | None]]) -> list[list[int]]:
    """Which labels hold each text, case and blanks aside; none where all of it is missing."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for i, said in enumerate(texts):
        parts = [said] if said is None or isinstance(said, str) else said
        plain = tuple(" ".join(t.casefold().split()) if is_scorable(t) else None for t in parts)
        if any(plain):
            found[plain].append(i)
    return list(found.values())


def _places(
    members: np.ndarray, groups: Sequence[Hashable] | None, spans: np.ndarray | None
) -> np.ndarray:
    """The place of each label of one text, from 0: what overlaps in one video is one place."""
    if groups is None or spans is None or len(members) < 2:
        return np.arange(len(members))
    together: dict[Hashable, list[int]] = defaultdict(list)
    for i, member in enumerate(members):
        together[groups[member]].append(i)
    near: list[tuple[int, int]] = []
    for same in together.values():
        begins, ends = spans[members[same], 0::2], spans[members[same], 1::2]
        before = (ends[:, None] <= begins[None]).any(axis=2)
        near += [(same[a], same[b]) for a, b in np.argwhere(~(before | before.T))]
    rows, columns = np.array(near).T
    links = coo_matrix((np.ones(len(near)), (rows, columns)), shape=(len(members), len(members)))
    return connected_components(links, directed=False)[1]


def _log_odds(probability: np.ndarray | float) -> np.ndarray:
    return logit(np.clip(probability, _CERTAIN, 1 - _CERTAIN))
