import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.fdr import suspects
from hypothesis import given
from hypothesis import strategies as st

chances = st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=40)


@given(chances, st.floats(0, 1))
def test_the_expected_share_of_fine_labels_stays_under_the_rate(match, rate):
    match = np.array(match)
    found = suspects(match, rate)
    if found.any():
        assert match[found].mean() <= rate + 1e-9
        assert match[found].max() < np.min(match[~found & ~np.isnan(match)], initial=np.inf)
    assert not found[np.isnan(match)].any()


@given(chances, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_rate_never_frees_a_suspect(match, a, b):
    low, high = sorted((a, b))
    match = np.array(match)
    assert not (suspects(match, low) & ~suspects(match, high)).any()


def test_the_set_is_the_largest_one():
    found = suspects(np.array([0.9, 0.0, 0.1, 0.2, 0.5, np.nan]), 0.1)
    np.testing.assert_array_equal(found, [False, True, True, True, False, False])


def test_nothing_is_suspect_where_everything_is_fine_or_unknown():
    assert not suspects(np.array([0.9, 0.95]), 0.1).any()
    assert not suspects(np.array([np.nan, np.nan]), 0.9).any()
    assert suspects(np.array([]), 0.1).shape == (0,)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        suspects(np.array([0.5]), rate)
