"""The reason of a verdict, as a person reads it."""

import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.reasons import (
    VERDICTS,
    explain,
    explain_verdict,
)

OPENS, CLOSES = "A girl opens the box.", "A girl closes the box."


def test_the_witnesses_are_quoted_whole_where_they_say_the_same():
    said = explain(OPENS, {"q": CLOSES, "m": "The girl closes a box"})
    assert said == "Both witnesses say “A girl closes the box”; only the annotation says “opens”."


def test_otherwise_their_shared_words_are_told():
    said = explain(OPENS, {"q": CLOSES, "m": "Sitting down, a girl slowly closes a large box"})
    assert said == "Both witnesses say “closes”; only the annotation says “opens”."


def test_a_witness_alone_is_named():
    said = explain(OPENS, {"q": CLOSES, "m": OPENS})
    assert said == ("Every word of the annotation is also said by a witness; only q says “closes”.")


def test_when_nobody_agrees_each_is_told_in_few_words():
    said = explain("one two three four five six", {"a": "cat", "b": "dog"})
    assert said == (
        "Only the annotation says “one”, “two”, “three”, “four” and 2 more; "
        "only a says “cat”; only b says “dog”."
    )


def test_what_the_annotation_leaves_out_is_told():
    said = explain("A girl", {"q": CLOSES, "m": CLOSES})
    assert said == "Both witnesses say “closes” and “box”; the annotation leaves it out."


def test_the_same_words_are_called_so():
    assert explain(OPENS, {"q": "girls open boxes"}) == "All say it in the same words."


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ({"q": 0.9, "m": 0.7}, "The meaning is close: 0.90 with q and 0.70 with m."),
        ({"q": 0.2, "m": 0.1}, "The meaning is far apart: 0.20 with q and 0.10 with m."),
        ({"q": 0.9, "m": 0.1}, "Closeness of meaning: 0.90 with q and 0.10 with m."),
        ({"q": None, "m": 0.1}, "The meaning is far apart: 0.10 with m."),
    ],
)
def test_the_scores_are_told_beside_the_words(scores, sentence):
    assert explain(OPENS, {"q": CLOSES, "m": CLOSES}, scores).endswith(sentence)


@pytest.mark.parametrize(
    ("annotation", "opinions", "sentence"),
    [
        (None, {"q": "x", "m": None}, "The annotation and m say nothing here."),
        (None, {"q": None}, "Nobody says anything here."),
        ("a girl", {}, "There is no witness to compare with."),
        ("N/A", {"q": "N/A"}, "The annotation and q agree on N/A."),
        ("N/A", {"q": "A boy"}, "The annotation says N/A; q describes something."),
    ],
)
def test_a_gap_is_a_gap_and_not_a_difference(annotation, opinions, sentence):
    assert explain(annotation, opinions) == sentence


def test_every_verdict_is_explained_and_an_unknown_one_is_not_guessed():
    assert all(explain_verdict(verdict).endswith(".") for verdict in VERDICTS)
    assert explain_verdict("witness_suspect_m").endswith("not with m.")
    assert explain_verdict(None) is None
    assert explain_verdict("something new") is None
