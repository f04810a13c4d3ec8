import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.semantic import cosine_similarity
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

vectors = arrays(np.float32, (7, 5), elements=st.floats(-1e3, 1e3, width=32))


@given(vectors, vectors)
def test_cosine_is_bounded_and_symmetric(left, right):
    there, back = cosine_similarity(left, right), cosine_similarity(right, left)
    np.testing.assert_array_equal(there, back)
    scored = there[~np.isnan(there)]
    assert ((0 <= scored) & (scored <= 1)).all()


def test_known_angles():
    left = np.array([[1, 0], [1, 0], [1, 0], [1, 0]])
    right = np.array([[3, 0], [0, 2], [-1, 0], [1, 1]])
    np.testing.assert_allclose(cosine_similarity(left, right), [1, 0, 0, np.sqrt(0.5)])


def test_a_missing_row_gives_nan_and_leaves_the_others_alone():
    left, right = np.eye(3), np.eye(3)
    left[0] = np.nan
    right[1] = 0
    np.testing.assert_array_equal(cosine_similarity(left, right), [np.nan, np.nan, 1])


def test_no_pairs_and_unequal_shapes():
    assert cosine_similarity(np.empty((0, 4)), np.empty((0, 4))).shape == (0,)
    with pytest.raises(ValueError, match="cannot be paired"):
        cosine_similarity(np.ones((2, 4)), np.ones((3, 4)))
