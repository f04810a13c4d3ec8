import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.hubness import (
    hubness_corrected_cosine,
    mean_of_nearest,
    nearest,
)
from hypothesis import given
from hypothesis import strategies as st


def unit(seed, n, d=8):
    vectors = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 12), st.integers(1, 7))
def test_blocks_change_nothing_and_neighbours_are_the_nearest(seed, n, k, block):
    queries, references = unit(seed, n), unit(seed + 1, 20)
    found = nearest(queries, references, k, block=block)
    whole = nearest(queries, references, k)
    np.testing.assert_array_equal(found.index, whole.index)
    best = -np.sort(-(queries @ references.T), axis=1)[:, :k]
    np.testing.assert_allclose(found.similarity, best, atol=1e-6)


def test_missing_rows_have_no_neighbours_and_are_nobodys():
    queries, references = unit(0, 4), unit(1, 5)
    queries[1] = np.nan
    references[2] = np.nan
    found = nearest(queries, references, 9)
    assert (found.index[1] == -1).all() and np.isnan(found.similarity[1]).all()
    assert 2 not in found.index
    assert (found.index[0, :4] >= 0).all() and (found.index[0, 4:] == -1).all()


def test_excluded_neighbours_do_not_count():
    values = np.array([[0.9, 0.5, 0.1]])
    index = np.array([[3, 4, 5]])
    none, first = np.array([[-1]]), np.array([[3]])
    assert mean_of_nearest(values, index, none, k=2) == pytest.approx(0.7)
    assert mean_of_nearest(values, index, first, k=2) == pytest.approx(0.3)
    assert np.isnan(mean_of_nearest(values, index, index, k=2))[0]


@given(st.integers(0, 10**6))
def test_correction_is_symmetric_and_follows_the_order_of_pairs(seed):
    left, right = unit(seed, 25), unit(seed + 1, 25)
    scores = hubness_corrected_cosine(left, right)
    assert (np.abs(scores) <= 4).all()
    np.testing.assert_allclose(hubness_corrected_cosine(right, left), scores, atol=1e-5)
    order = np.random.default_rng(seed).permutation(25)
    np.testing.assert_allclose(
        hubness_corrected_cosine(left[order], right[order]), scores[order], atol=1e-5
    )


def test_a_hub_is_told_from_a_match():
    # Every text leans to the hub; its cosines are high and mean nothing.
    rng = np.random.default_rng(3)
    own, hub = rng.normal(size=(40, 16)), rng.normal(size=16)
    left = own + 0.5 * hub + rng.normal(scale=0.3, size=own.shape)
    right = own + 0.5 * hub + rng.normal(scale=0.3, size=own.shape)
    right[0] = 3 * hub  # the wrong text, near everything
    left, right = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (left, right))
    scores = hubness_corrected_cosine(left, right, k=5)
    assert scores[0] == scores.min()
