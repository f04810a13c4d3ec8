"""Stuck captions: the same or nearly the same text on clips that are far apart.

A captioner that gets stuck writes one hallucinated text thousands of times. Texts are
hashed by their overlapping word triples, so that only texts which share a hash are
ever compared: a million texts take a few passes over them, not a million squared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from rapidfuzz.distance import Levenshtein

from .texts import is_scorable

_WORD = re.compile(r"\w+")
_PERMUTATIONS = 32
_ROWS = 4  # hashes that must agree at once: texts alike by 0.75 meet with 0.95
_SHINGLE = 3
_PRIME = (1 << 61) - 1
_COMPARED = 200  # clips of one text whose distances are looked at


@dataclass(frozen=True)
class StuckText:
    """One text, or near copies of it, on several clips.

    Attributes:
        text: the most common wording
        members: the clips that hold it, in order
        exact: how many of them hold it word for word
        distance: the mean distance between its clips, 0..2, or nan if unknown
    """

    text: str
    members: list[int]
    exact: int
    distance: float


def stuck_texts(
    texts: Sequence[str | None],
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray] | np.ndarray | None = None,
    alike: float = 0.9,
    far: float = 0.5,
    least: int = 3,
    seed: int = 51,
) -> list[StuckText]:
    """Finds texts that are on at least ``least`` clips which are far apart.

    Args:
        texts: ``n`` texts; missing ones and "N/A" are never stuck
        distance: ``(n, d)`` unit vectors of the clips (a lens, or their titles and
            transcripts), nan rows where unknown; or a function of two ``(m,)`` arrays of
            clips that gives ``(m,)`` distances. Without it, copies alone decide
        alike: the least Levenshtein similarity of near copies, 0..1
        far: the least mean distance (1 - cosine) of a text's clips
        least: the least number of clips
        seed: decides which clips of a very common text are compared

    Returns:
        the stuck texts, most common first
    """
    measure = _by_vectors(distance) if isinstance(distance, np.ndarray) else distance
    rng = np.random.default_rng(seed)
    found = []
    for members in near_copies(texts, alike):
        if len(members) < least:
            continue
        apart = float("nan") if measure is None else _mean_distance(members, measure, rng)
        if measure is not None and not apart >= far:
            continue
        wordings: dict[str, list[int]] = {}
        for i in members:
            wordings.setdefault(texts[i].strip(), []).append(i)
        text, exact = max(wordings.items(), key=lambda item: (len(item[1]), -item[1][0]))
        found.append(StuckText(text, members, len(exact), apart))
    return sorted(found, key=lambda stuck: (-len(stuck.members), stuck.members[0]))


def near_copies(texts: Sequence[str | None], alike: float = 0.9) -> list[list[int]]:
    """Groups of two or more clips whose texts are the same or nearly so.

    Case, punctuation and blanks do not count. Near copies are found by locality
    sensitive hashing of word triples (Broder, "On the resemblance and containment of
    documents", 1997) and confirmed by Levenshtein similarity; groups are chains of
    near copies.

    Args:
        texts: ``n`` texts
        alike: the least similarity of near copies, 0..1; 1 finds exact copies only

    Returns:
        groups of positions in order, largest group first
    """
    holders: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        if is_scorable(text) and (plain := _plain(text)):
            holders.setdefault(plain, []).append(i)
    wordings = list(holders)
    joined = list(range(len(wordings)))
    if alike < 1:
        for a, b in _candidates(wordings):
            a, b = _find(joined, a), _find(joined, b)
            cutoff = Levenshtein.normalized_similarity(wordings[a], wordings[b], score_cutoff=alike)
            if a != b and cutoff >= alike:
                joined[max(a, b)] = min(a, b)
    groups: dict[int, list[int]] = {}
    for i, wording in enumerate(wordings):
        groups.setdefault(_find(joined, i), []).extend(holders[wording])
    copies = [sorted(members) for members in groups.values() if len(members) > 1]
    return sorted(copies, key=lambda members: (-len(members), members[0]))


def _candidates(wordings: list[str]) -> Iterator[tuple[int, int]]:
    """Pairs of wordings that share a band of hashes, each with the band's first one."""
    bands = _PERMUTATIONS // _ROWS
    first: list[dict[bytes, int]] = [{} for _ in range(bands)]
    rng = np.random.default_rng(7)
    factor = rng.integers(1, _PRIME, _PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
    shift = rng.integers(0, _PRIME, _PERMUTATIONS, dtype=np.uint64)
    for i, wording in enumerate(wordings):
        signature = (factor[:, None] * _shingles(wording) + shift[:, None]).min(axis=1)
        for band in range(bands):
            key = signature[band * _ROWS : (band + 1) * _ROWS].tobytes()
            holder = first[band].setdefault(key, i)
            if holder != i:
                yield holder, i


def _shingles(wording: str) -> np.ndarray:
    words = wording.split()
    size = min(_SHINGLE, len(words))
    triples = {" ".join(words[i : i + size]) for i in range(len(words) - size + 1)}
    hashes = [int.from_bytes(blake2b(t.encode(), digest_size=8).digest(), "big") for t in triples]
    return np.array(sorted(hashes), dtype=np.uint64)


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold().encode("utf-8", "replace").decode()))


def _find(joined: list[int], i: int) -> int:
    while joined[i] != i:
        joined[i] = joined[joined[i]]
        i = joined[i]
    return i


def _mean_distance(members: list[int], measure: Callable, rng: np.random.Generator) -> float:
    a = np.array(members)
    if len(a) > _COMPARED:
        a = rng.choice(a, _COMPARED, replace=False)
    left, right = np.triu_indices(len(a), k=1)
    distances = np.asarray(measure(a[left], a[right]), dtype=np.float64)
    known = distances[~np.isnan(distances)]
    return float(known.mean()) if len(known) else float("nan")


def _by_vectors(vectors: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    def measure(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return 1.0 - np.einsum("nd,nd->n", vectors[left], vectors[right])

    return measure
