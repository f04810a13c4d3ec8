"""Confidences corrected by decisions: closer to the truth, and left alone while little is known."""

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.recalibrate import (
    FEWEST,
    recalibrate,
)
from fiftyone.plugins.orgs.second_opinion.audit.agreement.reliability import calibration_error
from hypothesis import given, settings
from hypothesis import strategies as st


def labels(seed, n, shift, stretch):
    """Labels whose confidences are off by a shift and a stretch of the log-odds."""
    random = np.random.default_rng(seed)
    truth = random.beta(2.5, 0.7, n)
    odds = np.log(truth) - np.log1p(-truth)
    confidence = 1 / (1 + np.exp(-np.clip((odds - shift) / stretch, -30, 30)))
    return confidence, random.random(n) >= truth


def error(confidence, wrong):
    return calibration_error(confidence, ~wrong, np.ones(len(wrong)))


@pytest.mark.parametrize(("shift", "stretch"), [(-1.5, 1.0), (1.2, 1.0), (0.0, 0.4), (-1.0, 2.0)])
def test_held_out_labels_are_better_calibrated_after_reviews(shift, stretch):
    before, after = [], []
    for seed in range(20):
        confidence, wrong = labels(seed, 4_000, shift, stretch)
        found = recalibrate(confidence[:150], wrong[:150])
        before.append(error(confidence[150:], wrong[150:]))
        after.append(error(found(confidence[150:]), wrong[150:]))
    assert np.mean(after) < 0.6 * np.mean(before)
    assert np.mean(np.array(after) < np.array(before)) > 0.8


def test_what_was_right_stays_about_as_right():
    worse = []
    for seed in range(20):
        confidence, wrong = labels(seed, 4_000, 0.0, 1.0)
        found = recalibrate(confidence[:100], wrong[:100])
        worse.append(error(found(confidence), wrong) - error(confidence, wrong))
    assert np.mean(worse) < 0.03


def test_decisions_count_as_often_as_there_are_labels_that_they_stand_for():
    confidence, wrong = labels(3, 20_000, -1.2, 1.0)
    doubtful = confidence < 0.5
    random = np.random.default_rng(0)
    chance = np.where(doubtful, 0.5, 0.05)  # doubtful labels are looked at ten times as often
    seen = random.random(len(wrong)) < chance
    # the doubtful ones are wrong for another reason, which no stretch of the rest can tell
    wrong = np.where(doubtful, random.random(len(wrong)) < 0.95, wrong)
    weighted = recalibrate(confidence[seen], wrong[seen], 1 / chance[seen])
    plain = recalibrate(confidence[seen], wrong[seen])
    rest = ~seen
    truth = 1 - wrong[rest].mean()
    assert abs(weighted(confidence[rest]).mean() - truth) < abs(
        plain(confidence[rest]).mean() - truth
    )


def test_few_decisions_change_nothing_and_say_how_many_are_needed():
    confidence, wrong = labels(1, 500, -1.5, 1.0)
    found = recalibrate(confidence[:10], wrong[:10])
    assert found.needed == FEWEST - 10
    np.testing.assert_array_equal(found(confidence), confidence)
    assert "Review about 20 more" in found.tell()
    none_wrong = recalibrate(np.full(60, 0.9), np.zeros(60, dtype=bool))
    assert none_wrong.needed == 3 and (none_wrong.decisions, none_wrong.wrong) == (60, 0)
    assert recalibrate([], []).needed == FEWEST


def test_missing_confidences_stay_missing_and_tell_nothing():
    confidence, wrong = labels(2, 200, -1.5, 1.0)
    gaps = np.r_[confidence, [np.nan] * 50]
    found = recalibrate(gaps, np.r_[wrong, [True] * 50])
    assert found == recalibrate(confidence, wrong)
    assert np.isnan(found(gaps)[200:]).all()
    with pytest.raises(ValueError, match="at least a part"):
        recalibrate([0.5], [True], [0.0])


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_order_stays_and_every_number_is_a_probability(seed):
    random = np.random.default_rng(seed)
    confidence = np.round(random.random(80), 2)
    found = recalibrate(confidence, random.random(80) < 0.4, random.uniform(0.5, 90, 80))
    corrected = found(np.sort(confidence))
    assert (np.diff(corrected) >= 0).all() and ((corrected >= 0) & (corrected <= 1)).all()
