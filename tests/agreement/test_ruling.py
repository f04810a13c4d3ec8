"""Rulings: who is right, by judges that see, judges that are biased and judges that are blind."""

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.ruling import (
    ANNOTATION,
    REFUSED,
    UNSETTLED,
    calibrate_statements,
    contrast,
    judge_bias,
    rule,
)
from fiftyone.plugins.orgs.second_opinion.audit.agreement.text_to_clip import corrected_similarity
from fiftyone.plugins.orgs.second_opinion.audit.agreement.verdict import ruled, weighed

N = 240


def answers(rng, sees=3.0, text=1.0, noise=0.7, wrong_share=0.2):
    """A judge's log odds: what it sees of true statements, what it thinks of the text, noise."""
    true = rng.random(N) >= wrong_share
    prior = text * rng.normal(size=N)
    own, wrong, black = (prior + noise * rng.normal(size=N) for _ in range(3))
    return true, own + sees * true, wrong, black


def test_a_judge_that_sees_may_rule():
    bias = judge_bias(*answers(np.random.default_rng(1))[1:])

    assert bias.refused == ""
    assert bias.text_share < 0.4
    assert bias.over_wrong > 0.8 and bias.over_black > 0.8
    assert (bias.statements, bias.missing) == (N, 0)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_judge_that_answers_from_the_text_alone_is_refused(noise):
    bias = judge_bias(*answers(np.random.default_rng(2), sees=0.0, text=2.0, noise=noise)[1:])

    assert bias.text_share > 0.9
    assert "the text alone explains" in bias.refused
    assert f"{N} statements" in bias.refused


def test_a_judge_that_says_the_same_to_everything_is_refused():
    same = np.full(N, 1.3)

    bias = judge_bias(same, same, same)

    assert bias.text_share == 1.0
    assert bias.refused


def test_a_judge_that_guesses_is_refused_though_no_text_sways_it():
    bias = judge_bias(*answers(np.random.default_rng(3), sees=0.0, text=0.0)[1:])

    assert bias.text_share < 0.3
    assert "may be chance" in bias.refused


def test_missing_answers_are_counted_and_never_zero():
    _, own, wrong, black = answers(np.random.default_rng(4))
    own[:40] = np.nan
    wrong[20:60] = np.nan

    bias = judge_bias(own, wrong, np.full(N, np.nan))

    assert (bias.statements, bias.missing) == (N - 60, 60)
    assert np.isnan(bias.over_black)
    assert bias.as_dict()["over_black"] is None
    assert judge_bias(own[:3], wrong[:3], black[:3]).refused


def test_log_ratios_tell_right_from_wrong_texts_among_the_observed():
    true, own, wrong, black = answers(np.random.default_rng(5))
    observed = contrast(own, black)[:, None]

    found = calibrate_statements(observed, contrast(wrong, black)[:, None], ["yes"])

    right, others = found.log_ratio[true], found.log_ratio[~true]
    assert np.median(right) > 1 > -1 > np.median(others)
    assert 0.7 < found.share < 0.9  # four fifths are right
    assert np.abs(found.log_ratio).max() <= np.log(1 + N)


def test_too_few_statements_give_no_ratios_but_a_sentence():
    _, own, wrong, _ = answers(np.random.default_rng(6))

    found = calibrate_statements(own[:30, None], wrong[:30, None], ["yes"])

    assert np.isnan(found.log_ratio).all()
    assert "30 statements were judged, and 100" in found.warning


def test_the_side_that_the_video_supports_wins():
    lost = rule({ANNOTATION: -2.0, "q": 3.0, "m": 1.0})
    won = rule({ANNOTATION: 3.0, "q": -2.0})

    assert (lost.winner, lost.overruled, lost.best) == ("q", True, "q")
    assert (won.winner, won.overruled) == (ANNOTATION, False)
    assert lost.margin == pytest.approx(won.margin)
    assert 0.9 < lost.margin <= 1


def test_a_true_annotation_stands_beside_a_true_witness():
    assert rule({ANNOTATION: 3.0, "q": 3.1}).winner == ANNOTATION
    assert rule({ANNOTATION: 3.0, "q": 3.1}, doubtful=[ANNOTATION]).winner == UNSETTLED


@pytest.mark.parametrize(
    "ratios",
    [
        {ANNOTATION: 0.0, "q": 0.2},
        {ANNOTATION: -4.0, "q": -2.5},  # one is less wrong, and that settles nothing
        {ANNOTATION: float("nan"), "q": 3.0},
        {ANNOTATION: 3.0, "q": float("nan")},
        {},
    ],
)
def test_otherwise_the_video_does_not_settle_it(ratios):
    ruling = rule(ratios)

    assert ruling.winner == UNSETTLED
    assert ruling.margin == 0.0 and not ruling.overruled and ruling.reason


def test_a_refused_judge_gives_no_ruling():
    ruling = rule({ANNOTATION: -9.0, "q": 9.0}, refused="it cannot see.")

    assert (ruling.winner, ruling.overruled, ruling.chances) == (REFUSED, False, {})
    assert "it cannot see" in ruling.reason


def test_verdicts_follow_rulings_and_only_where_there_is_one():
    found = ["annotation_suspect", "scattered", "agreed", "annotation_suspect", "beyond_clip"]

    heard = ruled(found, ["q", "annotation", "annotation", "unsettled", "q"])

    assert heard == ["overruled", "upheld", "agreed", "annotation_suspect", "beyond_clip"]
    assert ruled(found, [None, "refused", None, None, None]) == found


def test_confidence_is_multiplied_by_the_likelihood_ratio():
    confidence = np.array([0.5, 0.2, 0.2, np.nan, 1.0])
    ratio = np.array([np.log(9), np.log(4), np.nan, 2.0, -1.0])

    found = weighed(confidence, ratio)

    assert found[:3] == pytest.approx([0.9, 0.5, 0.2])
    assert np.isnan(found[3])  # what is missing stays missing, whoever ruled
    assert 0.999 < found[4] <= 1.0


def test_a_hub_is_no_nearer_to_its_text_than_to_others():
    rng = np.random.default_rng(7)
    clips = rng.normal(size=(40, 16))
    clips[0] = clips.mean(axis=0) * 40  # in the midst of all, and near every text
    clips /= np.linalg.norm(clips, axis=1, keepdims=True)
    texts = clips + 0.3 * rng.normal(size=clips.shape)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    owner, other = np.arange(40), np.roll(np.arange(40), 1)
    other[5] = -1

    own, wrong = corrected_similarity(texts, clips, owner, other)

    assert np.isnan(wrong[5]) and not np.isnan(own).any()
    assert np.nanmean(own > wrong) > 0.9
    plain = np.einsum("nd,nd->n", texts[[1]], clips[[0]])[0]
    assert wrong[1] < 2 * plain - 0.5  # the hub's nearness to all is taken off
