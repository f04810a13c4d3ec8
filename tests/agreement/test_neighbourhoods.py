"""Neighbourhoods: who is near, and how much two lists of neighbours overlap."""

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.neighbourhoods import (
    jaccard,
    nearest,
    rank_biased,
)
from hypothesis import given, settings
from hypothesis import strategies as st


def lists(*rows):
    return np.array(rows)


def test_neighbours_are_the_most_similar_others_in_order():
    angles = np.radians([0, 10, 25, 90, 180])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    near = nearest(vectors, np.array([0, 4]), 3)

    assert near.tolist() == [[1, 2, 3], [3, 2, 1]]


def test_neighbours_found_in_blocks_are_those_found_at_once():
    vectors = np.random.default_rng(51).normal(size=(60, 5))

    whole = nearest(vectors, np.arange(60), 7)
    parts = np.concatenate([nearest(vectors, rows, 7) for rows in np.split(np.arange(60), 4)])

    assert np.array_equal(whole, parts)
    assert not (whole == np.arange(60)[:, None]).any()


def test_more_neighbours_than_others_are_refused():
    with pytest.raises(ValueError, match="among 2 others"):
        nearest(np.eye(3), np.arange(3), 3)


def test_overlap_by_hand():
    left = lists([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4])
    right = lists([4, 3, 2, 1], [1, 2, 7, 8], [5, 6, 7, 8])

    assert jaccard(left, right).tolist() == [1.0, 2 / 6, 0.0]


def test_rank_biased_overlap_by_hand():
    # Depths 1 to 3 agree on 0, 1 and 2 of their items: 0, 1/2, 2/3
    p = 0.9
    expected = 2 / 3 * p**3 + (1 - p) / p * (0 * p + 1 / 2 * p**2 + 2 / 3 * p**3)

    assert rank_biased(lists([1, 2, 3]), lists([2, 5, 1]))[0] == pytest.approx(expected)


def test_agreement_at_the_top_counts_more_than_at_the_bottom():
    top = rank_biased(lists([1, 2, 3, 4]), lists([1, 2, 8, 9]))
    bottom = rank_biased(lists([1, 2, 3, 4]), lists([8, 9, 3, 4]))

    assert top > bottom


permutations = st.permutations(range(12)).map(lambda order: order[:5])


@settings(max_examples=60, deadline=None)
@given(permutations, permutations)
def test_overlap_is_symmetric_and_between_none_and_all(a, b):
    left, right = lists(a), lists(b)

    for overlap in (jaccard, rank_biased):
        value = overlap(left, right)[0]
        assert value == pytest.approx(overlap(right, left)[0])
        assert -1e-9 <= value <= 1 + 1e-9
        assert overlap(left, left)[0] == pytest.approx(1.0)
        assert (value > 0) == bool(set(a) & set(b))
