import re
from typing import NamedTuple

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.support import (
    spans_below,
    support,
    token_support,
    unsupported_spans,
)
from fiftyone.plugins.orgs.second_opinion.audit.agreement.token_weights import TokenWeights
from hypothesis import given
from hypothesis import strategies as st


class Tokens(NamedTuple):
    vectors: np.ndarray
    offsets: np.ndarray
    ids: np.ndarray


class WordEncoder:
    """Each different word is a direction of its own."""

    def __init__(self, dimension=64):
        self.known, self.dimension = {}, dimension

    def tokens(self, text):
        found = list(re.finditer(r"\w+|[^\w\s]", text))
        ids = [self.known.setdefault(m.group().lower(), len(self.known)) for m in found]
        vectors = np.zeros((len(ids), self.dimension), np.float32)
        for row, i in enumerate(ids):
            vectors[row] = np.random.default_rng(i).normal(size=self.dimension)
            vectors[row] /= np.linalg.norm(vectors[row])
        spans = np.array([m.span() for m in found], np.int32).reshape(-1, 2)
        return Tokens(vectors, spans, np.array(ids, np.int32))

    def encode_tokens(self, texts):
        return np.zeros((len(texts), self.dimension)), [self.tokens(text) for text in texts]


ENCODER = WordEncoder()
words = st.lists(
    st.sampled_from(["a", "dog", "cat", "runs", "on", "the", "red", "🙂", "café", "ключ"]),
    max_size=12,
)
texts = words.map(" ".join)


def weights_of(*given_texts):
    return TokenWeights(ENCODER.tokens(text).ids for text in given_texts)


def sup(said, *by, corpus=("a dog runs", "the cat", "red")):
    opinions = [ENCODER.tokens(text) for text in by]
    return support([ENCODER.tokens(said)], [opinions], weights_of(*corpus))[0]


@given(texts, st.lists(texts, max_size=3))
def test_support_is_bounded_and_nan_only_where_there_is_nothing(said, by):
    score = sup(said, *by)
    if said and any(by):
        assert 0 <= score <= 1
    else:
        assert np.isnan(score)


@given(texts.filter(bool), texts)
def test_a_text_is_fully_supported_by_one_that_says_the_same_and_more(said, more):
    assert sup(said, f"{more} {said}") == pytest.approx(1, abs=1e-5)


@given(texts.filter(bool), texts.filter(bool), texts.filter(bool))
def test_another_witness_never_takes_support_away(said, first, second):
    assert sup(said, first, second) >= sup(said, first) - 1e-6
    assert sup(said, first, second) == pytest.approx(sup(said, second, first))


def test_support_is_not_symmetric():
    assert sup("a dog", "a dog runs on the red cat") > sup("a dog runs on the red cat", "a dog")


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_scores_do_not_depend_on_the_batch(pairs):
    weights = weights_of("a dog", "the cat runs")
    said = [ENCODER.tokens(a) for a, _ in pairs]
    by = [[ENCODER.tokens(b)] for _, b in pairs]
    together = support(said, by, weights)
    alone = [support([a], [b], weights)[0] for a, b in zip(said, by)]
    np.testing.assert_array_equal(together, alone)


def test_an_invented_rare_word_costs_more_than_a_common_one():
    corpus = ["a dog runs", "a dog", "a dog", "a cat", "a zebra"]
    common = sup("a runs dog", "a runs", corpus=corpus)
    rare = sup("a runs zebra", "a runs", corpus=corpus)
    assert rare < common


def test_missing_texts_give_nan():
    tokens, weights = ENCODER.tokens("a dog"), weights_of("a dog")
    scores = support(
        [None, tokens, tokens, tokens], [[tokens], [], [None], [None, tokens]], weights
    )
    np.testing.assert_array_equal(np.isnan(scores), [True, True, True, False])
    assert token_support(None, [tokens]) is None


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="cannot be compared"):
        support([None], [], weights_of("a"))


def test_spans_mark_what_nobody_said():
    annotation = "A red dog, and a purple cat runs."
    spans = unsupported_spans(annotation, ["a dog runs", None, "the cat, and. A"], ENCODER)
    assert [annotation[a:b] for a, b in spans] == ["red", "purple"]


def test_neighbouring_words_are_marked_as_one_span():
    annotation = "dog jumps over fences"
    assert unsupported_spans(annotation, ["dog"], ENCODER) == [(4, len(annotation))]


@given(texts, st.lists(st.one_of(st.none(), texts), max_size=3))
def test_spans_lie_in_order_inside_the_text(annotation, opinions):
    spans = unsupported_spans(annotation, opinions, ENCODER)
    flat = [edge for span in spans for edge in span]
    assert flat == sorted(flat) and all(0 <= edge <= len(annotation) for edge in flat)
    assert all(start < end and annotation[start:end].strip() for start, end in spans)


@pytest.mark.parametrize("annotation", [None, "", "N/A", "  "])
def test_nothing_to_compare_marks_nothing(annotation):
    assert unsupported_spans(annotation, ["a dog"], ENCODER) == []
    assert unsupported_spans("a dog", [annotation], ENCODER) == []


def test_words_that_every_text_holds_are_not_marked():
    said, heard = ENCODER.tokens("the zebra"), ENCODER.tokens("dog")
    weights = weights_of("the dog", "the cat", "the cat", "the zebra")
    assert spans_below("the zebra", said, [heard], weights) == [(4, 9)]
