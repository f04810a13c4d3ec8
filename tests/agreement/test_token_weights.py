import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.token_weights import TokenWeights
from hypothesis import given
from hypothesis import strategies as st

ids = st.lists(st.integers(0, 9), max_size=12).map(np.array)
corpora = st.lists(ids, max_size=8)


def told(text, *corpus):
    """The weights of a text's words among other texts."""
    known = {}
    texts = [[known.setdefault(word, len(known)) for word in t.split()] for t in (text, *corpus)]
    return dict(zip(text.split(), TokenWeights(map(np.array, texts))(np.array(texts[0]))))


def test_rarities_are_positive_fall_with_use_and_do_not_depend_on_order():
    texts = [np.array([1, 2]), np.array([1]), np.array([1, 3, 3])]
    there, back = TokenWeights(texts), TokenWeights(reversed(texts))
    asked = np.array([1, 2, 3, 99])
    np.testing.assert_array_equal(there.rarity(asked), back.rarity(asked))
    common, rare, twice_in_one, unseen = there.rarity(asked)
    assert 0 < common < rare == twice_in_one < unseen
    assert there.typical_rarity == pytest.approx((3 * common + rare + 2 * twice_in_one) / 6)


@given(corpora, ids)
def test_weights_are_positive_and_do_not_depend_on_the_order_of_texts(corpus, text):
    there, back = TokenWeights(corpus), TokenWeights(reversed(corpus))
    weights = there(text)
    assert len(weights) == len(text) and (weights > 0).all() and np.isfinite(weights).all()
    np.testing.assert_array_equal(weights, back(text))
    assert there.typical > 0
    assert there.typical == pytest.approx(back.typical)


@given(corpora, ids)
def test_a_text_is_no_evidence_for_itself(corpus, text):
    nothing = np.array([], int)
    alone, counted = TokenWeights([*corpus, nothing]), TokenWeights([*corpus, text])

    # What neighbours foretell, up to the least that a token tells, without the text and with it
    before = alone(text, instead_of=nothing) / alone.rarity(text)
    after = counted(text) / counted.rarity(text)
    free = (before > 0.11) & (after > 0.11)

    foretold = (1 - before) * alone.rarity(text), (1 - after) * counted.rarity(text)
    np.testing.assert_allclose(foretold[0][free], foretold[1][free], atol=1e-9)


def test_a_word_that_its_neighbours_call_for_tells_less():
    tables = [f"a {thing} on a wooden table" for thing in ("plate", "cup", "vase", "bowl", "lamp")]
    streets = [f"a {rider} on a busy street" for rider in ("man", "dog", "cow", "cart", "boy")]
    plain = told("a book on a wooden table", *tables * 4, *streets * 4)
    strange = told("a wooden book on a table", *tables * 4, *streets * 4)
    assert plain["table"] < strange["table"]
    assert plain["wooden"] < strange["wooden"]


def test_a_changed_copy_is_weighed_as_if_it_stood_in_the_place_of_its_original():
    corpus = [[1, 2, 3], [1, 2, 4], [5, 2, 3], [1, 6, 3]]
    original, changed = np.array([1, 2, 3]), np.array([1, 6, 3])
    weights = TokenWeights(map(np.array, corpus))
    in_place = TokenWeights(map(np.array, [changed, *corpus[1:]]))
    given_as_copy = weights.rarity(changed) - weights(changed, instead_of=original)
    stood_there = in_place.rarity(changed) - in_place(changed)
    np.testing.assert_allclose(given_as_copy, stood_there)


def test_no_texts_give_weights_all_the_same():
    weights = TokenWeights()
    assert weights.typical == weights.typical_rarity == 1
    first, second = weights(np.array([5, 6]))
    assert first == second > 0
