"""Who is looked at: strata by risk, random order inside, turns that nobody's finding can move."""

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement import sampling
from hypothesis import given
from hypothesis import strategies as st

scores = st.lists(st.one_of(st.none(), st.floats(0, 1, allow_nan=False)), min_size=1, max_size=120)


@given(scores, st.integers(1, 7))
def test_every_label_is_in_one_stratum_and_equal_scores_are_together(given_scores, count):
    ids = [f"l{i}" for i in range(len(given_scores))]
    plan = sampling.draw_plan(ids, given_scores, count)
    assert sorted(i for stratum in plan.strata for i in stratum.ids) == sorted(ids)
    assert plan.size == len(ids) and all(stratum.size for stratum in plan.strata)
    assert len(plan.strata) <= count + (None in given_scores)
    homes = {}
    for row, stratum in enumerate(plan.strata):
        for label in stratum.ids:
            score = given_scores[int(label[1:])]
            assert homes.setdefault(score, row) == row
            assert (stratum.low is None) == (score is None)
    assert plan.shares.sum() == pytest.approx(1) and (plan.shares > 0).all()


def test_strata_go_from_risky_to_safe_and_the_doubtful_are_looked_at_more_often():
    values = np.random.default_rng(1).beta(5, 1, size=2_000)
    plan = sampling.draw_plan([str(i) for i in range(2_000)], list(values), 5)
    risks = [stratum.risk for stratum in plan.strata]
    assert len(risks) == 5 and risks == sorted(risks, reverse=True)
    chance = plan.shares / [stratum.size for stratum in plan.strata]
    assert list(chance) == sorted(chance, reverse=True)
    assert chance[0] > 1.5 * chance[-1]


def test_a_plan_is_the_same_for_a_seed_and_survives_a_store():
    ids, values = [str(i) for i in range(200)], list(np.linspace(0, 1, 200))
    plan = sampling.draw_plan(ids, values, seed=3)
    assert plan == sampling.draw_plan(ids, values, seed=3)
    assert plan != sampling.draw_plan(ids, values, seed=4)
    assert sampling.Plan.from_dict({**plan.as_dict(), "seed": 3}) == plan


def test_without_a_score_there_is_one_stratum_in_random_order():
    plan = sampling.draw_plan([str(i) for i in range(50)], None)
    assert [stratum.size for stratum in plan.strata] == [50]
    assert plan.names == ["no score"]
    assert plan.strata[0].ids != sorted(plan.strata[0].ids, key=int)


def test_the_queue_keeps_to_the_shares_whatever_is_found_and_ends():
    plan = sampling.draw_plan([str(i) for i in range(300)], list(np.linspace(0, 1, 300)), 4)
    decided, order = set(), []
    while (label := plan.next(decided)) is not None:
        decided.add(label)
        order.append(label)
    assert sorted(order) == sorted(str(i) for i in range(300))
    homes = {label: row for row, stratum in enumerate(plan.strata) for label in stratum.ids}
    counts = np.bincount([homes[label] for label in order[:100]], minlength=4)
    np.testing.assert_allclose(counts, 100 * plan.shares, atol=2)
    turns = sampling.take_turns([0] * 4, [s.size for s in plan.strata], plan.shares, 100)
    assert turns == list(counts)


def test_what_is_passed_over_is_offered_to_nobody_until_it_is_let_go():
    plan = sampling.draw_plan(["a", "b", "c"], None)
    first = plan.next(set())
    second = plan.next(set(), passed={first})
    assert second not in (None, first)
    assert plan.next({second}) == first
    assert plan.next({second}, passed={"a", "b", "c"}) is None


def test_what_was_seen_of_each_stratum_leaves_out_labels_from_elsewhere():
    plan = sampling.draw_plan([str(i) for i in range(100)], list(np.linspace(0, 1, 100)), 3)
    wrong = {label: row == 0 for s in plan.strata for row, label in enumerate(s.ids[:4])}
    found = plan.seen(wrong | {"elsewhere": True})
    assert [list(seen.wrong) for seen in found] == [[True, False, False, False]] * 3
    assert [seen.ids for seen in found] == [tuple(s.ids[:4]) for s in plan.strata]


def test_a_decision_from_elsewhere_counts_once_the_queue_has_passed_it():
    plan = sampling.draw_plan([str(i) for i in range(40)], list(np.linspace(0, 1, 40)), 2)
    first, second = (stratum.ids for stratum in plan.strata)
    wrong = {first[0]: True, first[2]: False, first[9]: True, second[1]: True}
    assert plan.counted(wrong, asked=[]) == {}
    assert plan.counted(wrong, asked=[first[2]]) == {first[0]: True, first[2]: False}
    assert plan.counted(wrong, asked=[first[9], second[1]]) == wrong


def test_a_stratum_whose_decisions_are_all_from_elsewhere_has_its_turn():
    plan = sampling.draw_plan([str(i) for i in range(100)], list(np.linspace(0, 1, 100)), 2)
    first, second = (stratum.ids for stratum in plan.strata)
    decided = set(second[1:41])  # by an earlier plan, in an order of its own
    asked: list[str] = []
    for _ in range(4):
        counted = plan.counted(dict.fromkeys(decided, False), asked)
        asked.append(plan.next(decided, counted=counted))
        decided.add(asked[-1])
    assert {label in first for label in asked} == {True, False}


def test_every_label_of_a_stratum_is_as_likely_to_be_looked_at():
    values = [0.1] * 10 + [0.9] * 10
    looked = np.zeros(20)
    for seed in range(400):
        plan = sampling.draw_plan([str(i) for i in range(20)], values, 2, seed=seed)
        for stratum in plan.strata:
            for label in stratum.ids[:3]:
                looked[int(label)] += 1
    np.testing.assert_allclose(looked / 400, 0.3, atol=0.1)
