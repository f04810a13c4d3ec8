"""Counting what was found and who was accused."""

from demo.selfcheck import BEYOND, GOOD, Outcome, Rule, kinds_of, measure, report

KINDS = {"a": "actor", "b": "actor", "c": GOOD, "d": GOOD, "e": GOOD, "f": BEYOND, "g": "order"}
RULE = Rule(
    "strict",
    "It accuses by a rule.",
    {"a": True, "b": None, "c": True, "d": False, "e": False, "f": True, "g": False},
)


def test_the_accused_are_counted_by_what_is_wrong_with_them():
    assert measure(RULE, KINDS) == {
        "actor": Outcome(2, 1, 1),
        GOOD: Outcome(3, 1, 0),
        BEYOND: Outcome(1, 1, 0),
        "order": Outcome(1, 0, 0),
    }


def test_a_label_without_a_verdict_is_unjudged_and_not_cleared():
    assert measure(Rule("none", "", {}), {"a": "actor"}) == {"actor": Outcome(1, 0, 1)}


def test_the_report_says_of_how_many_and_what_was_missing():
    text = "\n".join(report([RULE], KINDS))
    assert "strict found 1 of 3 planted errors and accused 1 of 3 good labels" in text
    assert "50% of these accusations are right" in text
    assert "1 labels could not be judged" in text
    assert "It accuses by a rule." in text


def test_the_table_has_a_line_for_each_kind():
    lines = [line.split() for line in report([RULE], KINDS)]
    assert ["wrong", "actor", "2", "1"] in lines
    assert ["wrong", "order", "1", "0"] in lines
    assert ["all", "planted", "errors", "3", "1"] in lines
    assert ["good", "label", "3", "1"] in lines


def test_what_is_true_of_a_longer_video_is_neither_wrong_nor_good():
    truth = {"a": {"kind": "actor"}, "b": {"kind": None}, "c": {"kind": None}}
    kinds = kinds_of(truth, {"a": 1.0, "b": 1.0, "c": 0.5})
    assert kinds == {"a": "actor", "b": GOOD, "c": BEYOND}
