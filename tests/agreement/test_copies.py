import numpy as np
from fiftyone.plugins.orgs.second_opinion.audit.agreement.copies import weigh_copies
from hypothesis import given
from hypothesis import strategies as st


def labels(copied):
    return ["the same old text" if here else f"text {i}" for i, here in enumerate(copied)]


def test_copies_that_match_badly_speak_against_copies():
    copied = np.arange(400) < 60
    match = np.where(copied, 0.3, 0.9)
    match[0] = 0.9
    found = weigh_copies(labels(copied), match)
    assert found[0] < 0.8 and found[1] < 0.2
    assert (found[60:] > match[60:]).all()


def test_copies_that_match_as_well_as_others_change_nothing():
    match = np.tile([0.95, 0.9, 0.2, 0.99], 100)
    copied = np.arange(400) % 8 < 4
    np.testing.assert_allclose(weigh_copies(labels(copied), match), match, atol=1e-9)


def test_a_single_pair_of_copies_changes_little():
    match = np.full(200, 0.9)
    match[:2] = 0.2
    found = weigh_copies(labels(np.arange(200) < 2), match)
    assert np.abs(found - match).max() < 0.1


def test_case_and_blanks_make_no_difference_and_missing_texts_are_no_copies():
    match = np.array([0.1, 0.1, 0.9, 0.9, 0.9, np.nan])
    found = weigh_copies(["A  dog", "a dog ", None, None, "N/A", "a dog"], match)
    assert np.isnan(found[5]) and found[0] < 0.1 and (found[2:5] >= 0.9).all()


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None, "c"]), st.floats(0, 1)), max_size=30))
def test_probabilities_stay_probabilities(rows):
    match = np.array([p for _, p in rows])
    found = weigh_copies([t for t, _ in rows], match)
    assert ((0 <= found) & (found <= 1)).all() and found.shape == match.shape
