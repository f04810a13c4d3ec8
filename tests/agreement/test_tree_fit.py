import numpy as np
from fiftyone.plugins.orgs.second_opinion.audit.agreement.tree_fit import tree_fit, tree_score
from hypothesis import given
from hypothesis import strategies as st

# a root, two halves of a film, two scenes in each
PARENTS = [-1, 0, 0, 1, 1, 2, 2]
SPANS = np.array([[0, 40], [0, 20], [20, 40], [0, 10], [10, 20], [20, 30], [30, 40]], float)
TEXTS = [f"text {i}" for i in range(7)]


def vectors(swapped=False):
    kitchen, garden = np.eye(8)[0], np.eye(8)[1]
    rows = np.array([kitchen + garden, kitchen, garden, kitchen, kitchen, garden, garden])
    if swapped:
        rows[[4, 5]] = rows[[5, 4]]
    rows = rows + 0.3 * np.vstack([np.zeros((1, 8)), np.eye(8)[1:7]])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_child_fits_its_own_parent_better():
    found = tree_fit(PARENTS, TEXTS, vectors(), SPANS)
    np.testing.assert_array_equal(found.fit[3:], 1)
    assert np.isnan(found.fit[0])
    assert tree_score(found) == 1


def test_a_child_described_from_the_wrong_place_does_not():
    found = tree_fit(PARENTS, TEXTS, vectors(swapped=True), SPANS)
    np.testing.assert_array_equal(found.fit[3:], [1, 0, 0, 1])
    assert tree_score(found) == 0.5


def test_siblings_that_repeat_one_text():
    rows = vectors()
    rows[4] = rows[3]
    found = tree_fit(PARENTS, TEXTS, rows, SPANS)
    np.testing.assert_array_equal(np.flatnonzero(found.repeats), [3, 4])
    assert tree_score(found) == 0.5


def test_gaps_overlaps_and_order_of_siblings():
    spans = SPANS.copy()
    spans[4] = [12, 20]
    spans[5], spans[6] = [30, 40], [20, 33]
    found = tree_fit(PARENTS, TEXTS, vectors(), spans)
    assert found.gap[4] == 2 and found.overlap[4] == 0
    assert found.overlap[5] == 3 and found.gap[5] == 0
    np.testing.assert_array_equal(np.flatnonzero(found.out_of_order), [6])
    assert np.isnan(found.gap[3])


def test_nothing_to_compare_with_is_no_misfit():
    rows = vectors()
    rows[3] = np.nan
    texts = [*TEXTS[:5], None, TEXTS[6]]
    found = tree_fit(PARENTS, texts, rows, SPANS)
    assert np.isnan(found.fit[[0, 1, 2, 3, 5]]).all() and found.fit[4] == 1
    assert np.isnan(tree_score(tree_fit([-1], ["one"], np.eye(1))))
    assert np.isnan(tree_score(tree_fit([], [], np.empty((0, 4)))))


@given(st.lists(st.integers(-1, 9), min_size=10, max_size=10), st.integers(0, 999))
def test_any_tree_even_a_circle_is_judged_in_bounds(parents, seed):
    rows = np.random.default_rng(seed).normal(size=(10, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = tree_fit(parents, ["t"] * 10, rows)
    known = found.fit[~np.isnan(found.fit)]
    assert ((0 <= known) & (known <= 1)).all()
