import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.null import wrong_pairs
from hypothesis import given, settings
from hypothesis import strategies as st


def unit(seed, n, d=8):
    vectors = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 60), st.integers(1, 6))
def test_pairs_are_never_true_and_repeat_under_the_seed(seed, n, videos):
    groups = [i % videos for i in range(n)]
    pairs = wrong_pairs(unit(seed, n), groups, seed=seed)
    again = wrong_pairs(unit(seed, n), groups, seed=seed)
    for ours, theirs in zip(pairs, again):
        np.testing.assert_array_equal(ours, theirs)
    assert (pairs.taken != pairs.given).all()
    same = pairs.taken % videos == pairs.given % videos
    np.testing.assert_array_equal(same, pairs.kind == "within")


def test_overlapping_segments_are_never_paired():
    spans = np.array([[0, 100], [0, 50], [50, 100], [10, 20], [60, 70]], dtype=float)
    for seed in range(20):
        pairs = wrong_pairs(unit(1, 5), ["v"] * 5, spans, seed=seed)
        within = pairs.kind == "within"
        a, b = spans[pairs.taken[within]], spans[pairs.given[within]]
        assert within.any() and ((a[:, 1] <= b[:, 0]) | (a[:, 0] >= b[:, 1])).all()
        assert 0 not in pairs.given[within]  # it covers everything


def test_regions_that_share_a_part_of_the_image_are_never_paired():
    # left, right, top, bottom: beside each other, above each other, across both, and unknown
    boxes = np.array([[0, 4, 0, 4], [4, 9, 0, 4], [0, 4, 5, 9], [3, 5, 3, 6], [np.nan] * 4])
    met = set()
    for seed in range(30):
        pairs = wrong_pairs(unit(3, 5), ["image"] * 5, boxes, seed=seed)
        within = pairs.kind == "within"
        met |= set(zip(pairs.taken[within].tolist(), pairs.given[within].tolist()))
    assert met == {(i, j) for i in range(3) for j in range(3) if i != j}


def test_near_neighbours_keep_to_their_ranks():
    vectors = unit(2, 80)
    pairs = wrong_pairs(vectors, seed=5, ranks=(10, 50))
    near = pairs.kind == "near"
    assert near.sum() == 80
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    order = np.argsort(-cosines, axis=1)
    ranks = [np.flatnonzero(order[g] == t)[0] + 1 for t, g in zip(*pairs[:2])]
    ranks = np.array(ranks)[near]
    assert ranks.min() >= 10 and ranks.max() <= 50 and len(set(ranks.tolist())) > 10


def test_missing_annotations_take_no_part():
    vectors = unit(3, 30)
    vectors[[4, 7]] = np.nan
    pairs = wrong_pairs(vectors, [i % 3 for i in range(30)])
    assert not {4, 7} & set(pairs.taken.tolist() + pairs.given.tolist())


def test_one_text_on_two_clips_is_no_wrong_pair():
    vectors = np.repeat(unit(4, 2), 20, axis=0)
    pairs = wrong_pairs(vectors)
    assert (pairs.taken // 20 != pairs.given // 20).all()


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_to_pair(n):
    assert len(wrong_pairs(unit(0, n), ["v"] * n).taken) == 0
