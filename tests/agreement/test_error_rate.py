"""The share of wrong labels: what the estimate must be, and how sure it may claim to be."""

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement import error_rate, sampling
from hypothesis import given, settings
from hypothesis import strategies as st

outcomes = st.lists(st.booleans(), min_size=1, max_size=40)


def seen(size, wrong, risk=0.2, risks=None):
    wrong = np.array(wrong, dtype=bool)
    return sampling.Seen(size, risk, wrong, np.full(len(wrong), risk) if risks is None else risks)


@given(st.lists(st.tuples(outcomes, st.integers(0, 500), st.floats(0, 1)), min_size=1, max_size=5))
def test_an_interval_holds_its_estimate_and_stays_within_0_and_1(strata):
    given_strata = [seen(len(wrong) + rest, wrong, risk) for wrong, rest, risk in strata]
    found = error_rate.estimate(given_strata)
    assert 0 <= found.low <= found.rate <= found.high <= 1
    assert found.reviews == sum(len(wrong) for wrong, _, _ in strata)
    assert found.wrong == sum(sum(wrong) for wrong, _, _ in strata)


@given(st.lists(outcomes, min_size=1, max_size=4))
def test_a_census_leaves_no_doubt(strata):
    found = error_rate.estimate([seen(len(wrong), wrong) for wrong in strata])
    everything = [w for wrong in strata for w in wrong]
    assert found.rate == pytest.approx(np.mean(everything))
    assert found.low == pytest.approx(found.rate) and found.high == pytest.approx(found.rate)


def test_strata_weigh_by_their_size_not_by_their_reviews():
    strata = [seen(900, [False] * 9 + [True]), seen(100, [True] * 30 + [False] * 10)]
    assert error_rate.estimate(strata).rate == pytest.approx(0.9 * 0.1 + 0.1 * 0.75)


def test_one_large_stratum_gives_about_wilsons_interval():
    found = error_rate.estimate([seen(10**9, [True] * 20 + [False] * 180, risk=0.1)])
    assert error_rate.wilson(0.1, 200, continuity=0) == pytest.approx((0.0656, 0.1494), abs=1e-4)
    low, high = error_rate.wilson(0.1, 200)
    assert low < 0.0656 and high > 0.1494
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-3)


def test_a_stratum_nobody_looked_at_gives_no_estimate():
    assert error_rate.estimate([seen(10, [True]), seen(10, [])]) is None
    assert error_rate.estimate([]) is None
    assert error_rate.more_reviews([seen(10, [])], [1.0], 0.02) is None


def test_finding_nothing_wrong_does_not_prove_that_nothing_is():
    found = error_rate.estimate([seen(5_000, [False] * 100, risk=0.3), seen(5_000, [False] * 20)])
    assert found.rate == 0 and found.low == 0
    assert 0.01 < found.high < 0.2


@pytest.mark.parametrize("wrong", [False, True])
def test_a_score_that_is_sure_proves_nothing(wrong):
    sure = seen(4_900, [wrong] * 60, risk=float(wrong))
    doubtful = labelled(seen(100, [wrong] * 60, risk=0.5), "b")
    for strata in ([sure], [sure, doubtful]):
        found = error_rate.estimate(strata)
        assert found.rate == wrong and 0.03 < found.high - found.low < 0.1
    part, _ = error_rate.estimate_part([labelled(sure, "a"), doubtful], {"a0", "a1", "b0"})
    assert part.high - part.low > 0.2


def test_an_interval_leaves_room_for_no_less_than_was_found():
    found = error_rate.estimate([seen(500, [True] * 5 + [False] * 445, risk=0.01)])
    assert 5 / 500 <= found.low and found.high <= 55 / 500
    mostly = error_rate.estimate([seen(500, [False] * 5 + [True] * 445, risk=0.99)])
    assert 445 / 500 <= mostly.low and mostly.high <= 495 / 500


def test_the_doubt_is_of_the_strata_that_have_labels_left():
    known, other = seen(100, [True] * 40 + [False] * 60), seen(400, [False] * 19 + [True])
    both, alone = error_rate.estimate([known, other]), error_rate.estimate([other])
    assert both.rate == pytest.approx(0.2 * 0.4 + 0.8 * 0.05)
    assert both.low == pytest.approx(0.08 + 0.8 * alone.low, abs=0.005)
    assert both.high == pytest.approx(0.08 + 0.8 * alone.high, abs=0.005)


def test_predictions_that_tell_narrow_the_interval_and_those_that_do_not_are_left_out():
    random = np.random.default_rng(7)
    risks = random.random(300)
    wrong = random.random(300) < risks
    plain = error_rate.estimate([seen(10_000, wrong, 0.5)])
    told = error_rate.estimate([seen(10_000, wrong, 0.5, risks)])
    untold = error_rate.estimate([seen(10_000, wrong, 0.5, random.random(300))])
    assert told.predictions > 0.5 and told.half_width < 0.9 * plain.half_width
    assert untold.predictions == 0 and untold.rate == plain.rate


@settings(max_examples=30)
@given(st.integers(2, 38), st.floats(0.01, 0.1))
def test_more_reviews_is_0_exactly_where_the_interval_is_narrow(wrong, width):
    strata = [seen(2_000, [True] * wrong + [False] * (40 - wrong)), seen(3_000, [False] * 40)]
    more = error_rate.more_reviews(strata, [0.5, 0.5], width)
    assert (more == 0) == (error_rate.estimate(strata).half_width <= width)
    wider = error_rate.more_reviews(strata, [0.5, 0.5], 2 * width)
    assert wider <= more <= 5_000


def test_as_many_more_reviews_as_foretold_bring_the_width():
    random = np.random.default_rng(3)
    truth = [random.random(3_000) < 0.3, random.random(3_000) < 0.05]
    first = [seen(3_000, wrong[:60]) for wrong in truth]
    more = error_rate.more_reviews(first, [0.6, 0.4], 0.02)
    counts = sampling.take_turns([60, 60], [3_000, 3_000], [0.6, 0.4], more)
    later = error_rate.estimate([seen(3_000, wrong[:n]) for wrong, n in zip(truth, counts)])
    assert later.half_width == pytest.approx(0.02, rel=0.15)


def test_it_is_too_early_to_stop_after_a_few_lucky_reviews():
    lucky = error_rate.estimate([seen(30, [False] * 29)])
    assert lucky.half_width < 0.02 and not error_rate.may_stop(lucky, 0.02)
    assert error_rate.may_stop(error_rate.estimate([seen(60, [False] * 59)]), 0.02)
    assert not error_rate.may_stop(None, 0.02)


def test_a_narrow_interval_counts_once_a_rate_of_its_width_would_have_shown_errors():
    early = error_rate.estimate([seen(10_000, [False] * 150)])
    assert early.half_width < 0.02 and not error_rate.may_stop(early, 0.02)
    said = error_rate.tell(early, 0, 0.02, 10_000)
    left = error_rate.fewest(0.02, 10_000) - 150
    assert said.endswith(f"; {left} more, so that ±2% is not by chance.")
    later = error_rate.estimate([seen(10_000, [False] * (150 + left))])
    assert error_rate.may_stop(later, 0.02)
    assert error_rate.fewest(0.05, 10_000) < error_rate.fewest(0.02, 10_000) < 5 / 0.02
    assert error_rate.fewest(0.02, 40) == 40  # whoever has seen all of them may stop


def test_an_estimate_is_told_in_a_sentence_that_says_of_how_many_and_what_next():
    strata = [seen(1_144, [True] * 25 + [False] * 175, 0.1)]
    found = error_rate.estimate(strata)
    more = error_rate.more_reviews(strata, [1.0], 0.02)
    said = error_rate.tell(found, more, 0.02, 1_144)
    assert said.startswith("12.5% of 1,144 labels are wrong, 95% interval ")
    assert "after 200 reviews; about " in said and said.endswith("0 more for ±2%.")
    assert error_rate.tell(found, 0, 0.1, 1_144).endswith("Enough for ±10%: you may stop.")
    assert "No estimate yet" in error_rate.tell(None, None, 0.02, 10)


def labelled(stratum, prefix):
    ids = tuple(f"{prefix}{i}" for i in range(len(stratum.wrong)))
    return sampling.Seen(stratum.size, stratum.risk, stratum.wrong, stratum.risks, ids)


def test_a_part_is_estimated_from_its_own_reviews_with_their_weights():
    strata = [
        labelled(seen(900, [True] + [False] * 29), "a"),
        labelled(seen(100, [True] * 30 + [False] * 20), "b"),
    ]
    found, size = error_rate.estimate_part(strata, {"a0", "a1", "a2", "b0", "elsewhere"})
    assert size == pytest.approx(3 * 30 + 2)
    assert found.rate == pytest.approx((30 + 2) / 92) and found.reviews == 4
    everything, _ = error_rate.estimate_part(strata, {i for s in strata for i in s.ids})
    whole = error_rate.estimate(strata)
    assert (everything.rate, everything.low, everything.high) == pytest.approx(
        (whole.rate, whole.low, whole.high), abs=0.005
    )
    assert error_rate.estimate_part(strata, set()) == (None, 0.0)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_intervals_hold_the_truth_about_95_times_of_100(rate):
    random = np.random.default_rng(51)
    risk = np.clip(random.beta(1, 1 / rate - 1, size=2_000), 0.001, 0.999)
    wrong = random.random(2_000) < risk
    plan = sampling.draw_plan([str(i) for i in range(2_000)], list(1 - risk))
    sizes = [stratum.size for stratum in plan.strata]
    counts = sampling.take_turns([0] * len(sizes), sizes, plan.shares, 200)
    held, audits, estimates = 0, 400, []
    for _ in range(audits):
        strata = []
        for stratum, n in zip(plan.strata, counts):
            rows = random.choice(stratum.size, n, replace=False)
            labels = [int(stratum.ids[row]) for row in rows]
            strata.append(seen(stratum.size, wrong[labels], stratum.risk, risk[labels]))
        found = error_rate.estimate(strata)
        held += found.low <= wrong.mean() <= found.high
        estimates.append(found.rate)
    assert 0.92 <= held / audits <= 0.99
    error = np.std(estimates) / np.sqrt(audits)
    assert abs(np.mean(estimates) - wrong.mean()) < 4 * error + 0.002
