import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.reliability import (
    area_under_roc,
    brier_score,
    calibration_error,
    recall_at_false_alarms,
)
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

scores = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]), min_size=1, max_size=30)


@given(scores, scores)
def test_area_under_roc_is_that_of_scikit_learn(matched, corrupted):
    label = [1] * len(matched) + [0] * len(corrupted)
    expected = roc_auc_score(label, matched + corrupted)
    assert area_under_roc(matched, corrupted) == pytest.approx(expected)
    assert area_under_roc(corrupted, matched) == pytest.approx(1 - expected)


@given(scores, scores, st.data())
def test_a_weight_is_so_many_equal_pairs(matched, corrupted, data):
    weights = [data.draw(st.lists(st.integers(0, 3), min_size=len(side), max_size=len(side)))
               for side in (matched, corrupted)]  # fmt: skip
    repeated = [np.repeat(side, weight) for side, weight in zip((matched, corrupted), weights)]
    for measure in (area_under_roc, recall_at_false_alarms):
        weighed = measure(matched, corrupted, *weights)
        assert weighed == pytest.approx(measure(*repeated), nan_ok=True)


def test_a_pair_of_unknown_weight_does_not_count():
    assert area_under_roc([1.0, 0.0], [0.5], [1.0, np.nan]) == 1


def test_missing_scores_do_not_count_and_an_empty_side_has_no_area():
    assert area_under_roc([1.0, np.nan], [0.0]) == 1
    assert np.isnan(area_under_roc([np.nan], [0.0]))
    assert np.isnan(recall_at_false_alarms([], [0.0]))


def test_recall_lets_no_more_false_alarms_through_than_allowed():
    matched, corrupted = np.arange(100) / 100, np.full(50, 0.045)
    assert recall_at_false_alarms(matched, corrupted, alarms=0.05) == 1
    assert recall_at_false_alarms(matched, corrupted + 0.01, alarms=0.05) == 0


def test_probabilities_that_mean_what_they_say_have_no_calibration_error():
    probability = np.repeat([0.1, 0.75], 100)
    label = np.concatenate([np.arange(100) < 10, np.arange(100) < 75])
    assert calibration_error(probability, label) == pytest.approx(0)
    assert calibration_error(probability, ~label) == pytest.approx((0.8 + 0.5) / 2)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_brier_is_that_of_scikit_learn_and_errors_are_bounded(rows):
    probability, label = map(np.array, zip(*rows))
    assert 0 <= calibration_error(probability, label) <= 1
    expected = brier_score_loss(label, probability, labels=[False, True])
    assert brier_score(probability, label) == pytest.approx(expected)
