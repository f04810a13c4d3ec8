import numpy as np
from fiftyone.plugins.orgs.second_opinion.audit.agreement.copies import weigh_copies
from hypothesis import given
from hypothesis import strategies as st


def labels(copied):
    return ["the same old text" if here else f"text {i}" for i, here in enumerate(copied)]


def fifty_moved():
    """400 texts of which the last fifty also stand, from the end, where they match worse."""
    texts = [f"text {i}" for i in range(400)]
    texts[:50] = texts[:349:-1]
    match = np.full(400, 0.9)
    match[:50] = 0.6
    return texts, match


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


def test_of_a_text_that_stands_twice_the_clip_that_it_matches_better_is_the_likelier():
    texts, match = fifty_moved()
    found = weigh_copies(texts, match)
    assert (found[:50] < 0.3).all()
    assert (found[350:] > 0.7).all()
    assert (found[50:350] > match[50:350]).all()


def test_a_plain_text_that_many_clips_share_is_not_accused_for_it():
    texts = ["a person talks"] * 100 + [f"text {i}" for i in range(300)]
    match = np.where(np.arange(400) < 100, 0.85, 0.9)
    found = weigh_copies(texts, match)
    assert (found[:100] > 0.7).all()


def test_several_aspects_are_copies_where_all_of_them_are():
    match = np.full(300, 0.9)
    match[:40] = 0.6
    brief = [f"brief {i}" for i in range(300)]
    detailed = [f"detailed {i}" for i in range(300)]
    brief[:40] = brief[-40:]
    assert (weigh_copies(list(zip(brief, detailed)), match) == match).all()
    detailed[:40] = detailed[-40:]
    assert (weigh_copies(list(zip(brief, detailed)), match)[:40] < 0.3).all()


def test_segments_that_overlap_are_no_copies_of_each_other():
    texts, match = fifty_moved()
    videos = [i if i < 200 else 399 - i for i in range(400)]
    apart = np.array([[0.0, 5.0]] * 200 + [[5.0, 9.0]] * 200)
    found = weigh_copies(texts, match, videos, apart)
    np.testing.assert_array_equal(found, weigh_copies(texts, match))
    together = np.array([[0.0, 5.0]] * 200 + [[4.0, 9.0]] * 200)
    np.testing.assert_array_equal(weigh_copies(texts, match, videos, together), match)
    apart[0] = [3.0, 6.0]  # what overlaps its copy is not accused; other copies still are
    found = weigh_copies(texts, match, videos, apart)
    assert found[0] >= match[0] and (found[1:50] < 0.3).all()


def test_a_text_may_belong_to_none_of_its_clips():
    texts = ["stuck"] * 30 + [f"text {i}" for i in range(370)]
    match = np.full(400, 0.9)
    match[:30] = 0.1
    found = weigh_copies(texts, match)
    assert (found[:30] < 0.1).all() and (found[30:] >= 0.9).all()


def test_case_and_blanks_make_no_difference_and_missing_texts_are_no_copies():
    match = np.array([0.1, 0.1, 0.9, 0.9, 0.9, np.nan])
    found = weigh_copies(["A  dog", "a dog ", None, None, "N/A", "a dog"], match)
    alike = weigh_copies(["a dog", "a dog", "b", "c", "d", "a dog"], match)
    np.testing.assert_array_equal(found, alike)
    assert np.isnan(found[5]) and (found[2:5] >= 0.9).all()


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None, "c"]), st.floats(0, 1)), max_size=30))
def test_probabilities_stay_probabilities(rows):
    match = np.array([p for _, p in rows])
    found = weigh_copies([t for t, _ in rows], match)
    assert ((0 <= found) & (found <= 1)).all() and found.shape == match.shape
