"""Which words nobody else says: stems, marks and what the tellers share."""

import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.differences import (
    ALONE,
    DISPUTED,
    content_words,
    mark_differences,
    stem,
    words_of_all_but,
    words_of_nobody_else,
)
from hypothesis import given
from hypothesis import strategies as st


def marked(text, others):
    return [(text[m.start : m.end], m.kind) for m in mark_differences(text, others)]


@pytest.mark.parametrize(
    "forms",
    [
        "close closes closed closing",
        "stop stops stopped stopping",
        "carry carries carried carrying",
        "fall falls falling fallen",
        "use uses used using",
        "agree agrees agreed agreeing",
        "bus buses",
        "glass glasses",
        "woman women",
        "colour color colours",
        "girl girls girl's",
        "two 2",
    ],
)
def test_forms_of_one_word_are_one(forms):
    assert len({stem(form) for form in forms.split()}) == 1


def test_other_words_stay_apart():
    words = [
        "open",
        "close",
        "red",
        "reed",
        "bring",
        "ring",
        "sit",
        "set",
        "not",
        "on",
        "off",
        "man",
        "woman",
        "seed",
        "see",
    ]
    assert len({stem(word) for word in words}) == len(words)


def test_what_nobody_else_says_and_what_some_say_are_marked_apart():
    said = "A girl opens the red box."
    others = ["A girl closes the red box", "The girl is closing a blue box."]
    assert marked(said, others) == [("opens", ALONE), ("red", DISPUTED)]


def test_grammar_is_never_marked_but_a_negation_is():
    assert marked("The man is not in a car", ["man, car"]) == [("not", ALONE)]


def test_neighbours_are_one_mark():
    assert marked("a small wooden box", ["a box"]) == [("small wooden", ALONE)]


@pytest.mark.parametrize("others", [[], [None], ["", "N/A"]])
def test_with_nobody_to_hear_nothing_is_marked(others):
    assert mark_differences("a girl", others) == []


@pytest.mark.parametrize("said", [None, "", "  ", "N/A"])
def test_what_is_missing_or_na_has_no_words(said):
    assert content_words(said) == []
    assert mark_differences(said, ["a girl"]) == []


def test_an_opinion_that_is_missing_disputes_nothing():
    assert mark_differences("a red box", ["a red box", None]) == []


def test_scripts_without_blanks_are_compared_sign_by_sign():
    assert marked("女孩打开盒子", ["女孩关上盒子"]) == [("打开", ALONE)]


def test_the_shared_words_of_all_but_one():
    witnesses = ["A girl closes the box", "The girl closed a small box"]
    assert words_of_all_but(witnesses, "A girl opens the box") == ["closes"]
    assert words_of_nobody_else("A girl opens, opening it", witnesses) == ["opens"]
    assert words_of_all_but([*witnesses, None], "A girl") == []


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=3))
def test_marks_lie_in_order_inside_the_text_and_identical_texts_have_none(said, others):
    marks = mark_differences(said, others)
    ends = [position for mark in marks for position in (mark.start, mark.end)]
    assert ends == sorted(ends)
    assert all(0 <= mark.start < mark.end <= len(said) for mark in marks)
    assert mark_differences(said, [said]) == []
