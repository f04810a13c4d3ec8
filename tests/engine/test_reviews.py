"""People's decisions: kept at once, never overwritten, taken back by one more entry."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import fiftyone as fo
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine import fields, review_queue, reviews


@pytest.fixture
def ids(dataset):
    dataset.add_samples([fo.Sample(filepath=f"{i}.mp4") for i in range(6)])
    return dataset.values("id")


def test_a_decision_is_kept_with_reviewer_and_time(dataset, ids):
    before = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
    reviews.record(dataset, ids[2], "actor", "wrong", "ada", fix="a cat", text="f1", plan="p")
    dataset.add_sample(fo.Sample(filepath="new.mp4"))  # its list is null, not absent
    new = dataset.last().id
    reviews.record(dataset, new, "actor", "correct", "ada")
    first, second = reviews.read(fo.load_dataset(dataset.name), "actor")
    assert (first.sample_id, first.decision, first.reviewer) == (ids[2], "wrong", "ada")
    assert (first.fix, first.text, first.plan) == ("a cat", "f1", "p")
    assert before <= first.time <= second.time
    assert reviews.decided([first, second]) == {ids[2]: True, new: False}
    assert reviews.fixes([first, second]) == {ids[2]: "a cat"}
    assert reviews.read(dataset, "sum_brief") == []
    assert [r.sample_id for r in reviews.read(dataset.select(new))] == [new]


def test_two_reviewers_at_once_both_end_up_in_the_list(dataset, ids):
    reviews.declare(dataset)

    def decide(number):
        reviews.record(dataset, ids[0], "actor", "correct", f"reviewer {number % 2}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(decide, range(40)))
    assert len(reviews.read(dataset, "actor")) == 40
    assert reviews.decided(reviews.read(dataset, "actor")) == {ids[0]: False}


def test_undo_takes_back_ones_own_newest_decision_and_adds_to_the_record(dataset, ids):
    reviews.record(dataset, ids[0], "actor", "correct", "ada")
    reviews.record(dataset, ids[1], "actor", "wrong", "ada")
    reviews.record(dataset, ids[2], "actor", "wrong", "bob")
    assert reviews.undo(dataset, "actor", "ada").sample_id == ids[1]
    assert reviews.decided(reviews.read(dataset, "actor")) == {ids[0]: False, ids[2]: True}
    assert reviews.undo(dataset, "actor", "ada").sample_id == ids[0]
    assert reviews.undo(dataset, "actor", "ada") is None
    assert reviews.undo(dataset, "sum_brief", "bob") is None
    assert len(reviews.read(dataset, "actor")) == 5
    reviews.record(dataset, ids[1], "actor", "correct", "ada")
    assert reviews.decided(reviews.read(dataset, "actor")) == {ids[1]: False, ids[2]: True}


def test_undoing_a_changed_mind_brings_the_first_decision_back(dataset, ids):
    reviews.record(dataset, ids[0], "actor", "correct", "ada")
    reviews.record(dataset, ids[0], "actor", "wrong", "ada", fix="x")
    assert reviews.decided(reviews.read(dataset)) == {ids[0]: True}
    reviews.undo(dataset, "actor", "ada")
    assert reviews.decided(reviews.read(dataset)) == {ids[0]: False}
    assert reviews.fixes(reviews.read(dataset)) == {}


def test_unsure_disputed_and_skipped_are_no_decision(dataset, ids):
    reviews.record(dataset, ids[0], "actor", "correct", "ada")
    reviews.record(dataset, ids[0], "actor", "wrong", "bob", fix="no")
    reviews.record(dataset, ids[1], "actor", "unsure", "ada")
    reviews.record(dataset, ids[2], "actor", "skip", "ada")
    reviews.record(dataset, ids[3], "actor", "unsure", "ada")
    reviews.record(dataset, ids[3], "actor", "wrong", "bob")
    entries = reviews.read(dataset, "actor")
    assert reviews.outcomes(entries) == {ids[0]: "disputed", ids[1]: "unsure", ids[3]: "wrong"}
    assert reviews.decided(entries) == {ids[3]: True}
    assert reviews.fixes(entries) == {}


@pytest.mark.parametrize(
    "text", ["$filepath", "<script>alert(1)</script>", "=1+1", "a\x00b", "\u202e", "{'$set': 1}"]
)
def test_a_persons_text_is_kept_letter_by_letter(dataset, ids, text):
    reviews.record(dataset, ids[0], "actor", "wrong", text, fix=text)
    (entry,) = reviews.read(dataset)
    assert entry.fix == entry.reviewer == text
    assert dataset[ids[0]].filepath.endswith("0.mp4")


def test_what_cannot_be_kept_is_refused_in_a_sentence(dataset, ids):
    with pytest.raises(ValueError, match="there are correct, wrong, unsure, skip"):
        reviews.record(dataset, ids[0], "actor", "maybe", "ada")
    with pytest.raises(ValueError, match="Only a wrong label"):
        reviews.record(dataset, ids[0], "actor", "correct", "ada", fix="x")
    with pytest.raises(ValueError, match="longer than"):
        reviews.record(dataset, ids[0], "actor", "wrong", "ada", fix="x" * 1_000_001)
    dataset.delete_samples(ids[0])
    with pytest.raises(ValueError, match="no longer in the dataset"):
        reviews.record(dataset, ids[0], "actor", "wrong", "ada")
    broken = reviews.record(dataset, ids[1], "actor", "wrong", "ada", fix="half \ud800 a pair")
    assert broken.fix == "half ? a pair"


def test_a_sample_is_open_at_one_reviewer_only_until_it_is_let_go(dataset, ids, monkeypatch):
    assert review_queue.claim(dataset, "actor", ids[0], "one")
    assert review_queue.claim(dataset, "actor", ids[0], "one")
    assert not review_queue.claim(dataset, "actor", ids[0], "two")
    assert review_queue.claim(dataset, "sum_brief", ids[0], "two")
    review_queue.release(dataset, "actor", ids[0], "two")  # not theirs to let go
    assert not review_queue.claim(dataset, "actor", ids[0], "two")
    review_queue.release(dataset, "actor", ids[0], "one")
    assert review_queue.claim(dataset, "actor", ids[0], "two")
    late = review_queue.time.time() + review_queue.CLAIM_SECONDS + 1
    monkeypatch.setattr(review_queue.time, "time", lambda: late)
    assert review_queue.claim(dataset, "actor", ids[0], "one")  # two closed the browser long ago


def test_of_many_who_ask_at_once_one_gets_the_sample(dataset, ids):
    with ThreadPoolExecutor(8) as threads:
        won = list(
            threads.map(lambda s: review_queue.claim(dataset, "a", ids[0], str(s)), range(16))
        )
    assert sum(won) == 1


def test_the_first_plan_stands_until_somebody_asks_for_another(dataset, ids):
    assert review_queue.load_plan(dataset, "actor") is None
    assert review_queue.save_plan(dataset, "actor", {"id": "a"}) == {"id": "a"}
    assert review_queue.save_plan(dataset, "actor", {"id": "b"}) == {"id": "a"}
    assert review_queue.save_plan(dataset, "actor", {"id": "b"}, restart=True) == {"id": "b"}
    assert review_queue.load_plan(fo.load_dataset(dataset.name), "actor") == {"id": "b"}
    assert review_queue.planned_aspects(dataset) == ["actor"]


def test_clearing_an_audit_leaves_peoples_decisions(dataset, ids, operator):
    dataset.add_sample_field("ours", fo.FloatField, info={fields.OWNER: {"stage": "x"}})
    reviews.record(dataset, ids[0], "actor", "wrong", "ada")
    operator("clear_audit")(dataset)
    assert dataset.get_field("ours") is None
    assert reviews.decided(reviews.read(dataset)) == {ids[0]: True}


def test_decisions_go_with_a_copy_of_the_dataset(dataset, ids):
    reviews.record(dataset, ids[0], "actor", "wrong", "ada", fix="a dog")
    copy = dataset.clone()
    try:
        assert [review.fix for review in reviews.read(copy)] == ["a dog"]
    finally:
        copy.delete()
