"""Plan review and estimate error rate: from a plan and people's decisions to an interval."""

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from fiftyone.plugins.orgs.second_opinion.audit.agreement.reliability import calibration_error
from fiftyone.plugins.orgs.second_opinion.audit.agreement.sampling import Plan
from fiftyone.plugins.orgs.second_opinion.audit.engine import review_queue, reviews

ASPECTS = [{"name": "caption", "annotation": "gt", "opinions": {"a": "blip"}}]


@pytest.fixture
def audited(dataset):
    """300 captions, a fifth wrong, with a confidence that knows something; 10 are missing."""
    random = np.random.default_rng(5)
    samples = []
    for i in range(310):
        wrong = bool(random.random() < 0.2)
        sample = fo.Sample(filepath=f"{i}.mp4", gt=f"caption {i}" if i < 300 else None)
        sample["truth"] = wrong
        sample["confidence_caption"] = float(
            np.clip(random.normal(0.4 if wrong else 0.8, 0.2), 0, 1)
        )
        sample["verdict"] = "annotation_suspect" if wrong == (random.random() < 0.8) else "agreed"
        samples.append(sample)
    dataset.add_samples(samples)
    return dataset


@pytest.fixture
def review(operator):
    """Reviews as the panel does: the next sample of the plan, decided by the truth."""

    def work(dataset, n, decide=None):
        operator("plan_review")(dataset, aspect="caption", aspects=ASPECTS)
        stored = review_queue.load_plan(dataset, "caption")
        plan, truth = Plan.from_dict(stored), dict(zip(*dataset.values(["id", "truth"])))
        offered = set()
        for i in range(n):
            label = plan.next(offered)
            offered.add(label)
            decision = (decide or (lambda i, wrong: "wrong" if wrong else "correct"))(
                i, truth[label]
            )
            reviews.record(dataset, label, "caption", decision, "ada", plan=stored["id"])

    return work


def test_a_plan_covers_every_annotation_and_stands_when_called_again(audited, operator):
    report = operator("plan_review")(audited, aspect="caption", aspects=ASPECTS)
    assert report["new"] and sum(row["annotations"] for row in report["parts"]) == 300
    assert (
        "300 annotations of caption can be reviewed, by confidence_caption" in report["summary"][0]
    )
    assert "10 samples have none" in report["summary"][0]
    again = operator("plan_review")(audited, aspect="caption", aspects=ASPECTS, seed=9)
    assert not again["new"] and again["plan"] == report["plan"]
    anew = operator("plan_review")(audited, aspect="caption", aspects=ASPECTS, restart=True)
    assert anew["new"] and anew["plan"] != report["plan"]


def test_the_estimate_says_how_many_of_how_many_and_what_next(audited, operator, review):
    review(audited, 120)
    report = operator("estimate_error_rate")(audited, aspect="caption", width=0.02)
    truth = np.mean(audited.match(F("gt").exists()).values("truth"))
    assert report["low"] <= truth <= report["high"] and report["reviews"] == 120
    assert report["labels"] == 300 and 0 < report["more"] <= 180 and not report["enough"]
    assert "of 300 labels are wrong, 95% interval" in report["summary"][0]
    assert "after 120 reviews; about" in report["summary"][0]
    assert "10 samples have no annotation" in report["summary"][-1]
    wide = operator("estimate_error_rate")(audited, aspect="caption", width=0.2)
    assert wide["enough"] and "you may stop" in wide["summary"][0]


def test_a_census_gives_the_share_itself(audited, operator, review):
    review(audited, 300)
    report = operator("estimate_error_rate")(audited, aspect="caption", by="verdict")
    present = audited.match(F("gt").exists())
    assert report["rate"] == pytest.approx(np.mean(present.values("truth")))
    assert report["low"] == pytest.approx(report["high"])
    for row in report["parts"]:
        part = present.match(F("verdict") == row["verdict"])
        assert row["rate"] == pytest.approx(np.mean(part.values("truth")))
        assert row["reviews"] == len(part)


def test_parts_add_up_and_a_view_is_a_part(audited, operator, review):
    review(audited, 100)
    tiers = operator("estimate_error_rate")(audited, aspect="caption", by="tier")
    assert sum(row["reviews"] for row in tiers["parts"]) == 100
    assert sum(row["samples"] for row in tiers["parts"]) == 300
    rates = [row["rate"] for row in tiers["parts"]]
    assert rates[0] > rates[-1]
    view = audited.match(F("verdict") == "annotation_suspect")
    report = operator("estimate_error_rate")(view, aspect="caption", by="verdict")
    assert report["reviews"] < 100 and "lie in it" in report["summary"][1]
    assert [row["verdict"] for row in report["parts"]] == ["annotation_suspect"]
    assert report["parts"][0]["rate"] == pytest.approx(report["rate"])
    assert report["rate"] > tiers["rate"]


def test_parts_crowded_near_one_stay_apart(audited, operator, review, tmp_path):
    crowded = {i: 1 - row / 1e6 for row, i in enumerate(audited.values("id"))}
    audited.set_values("confidence_caption", crowded, key_field="id")
    plan = operator("plan_review")(audited, aspect="caption", aspects=ASPECTS)
    names = [row["part"] for row in plan["parts"]]
    assert len(set(names)) == len(names) > 2
    review(audited, 60)
    report = operator("estimate_error_rate")(audited, by="tier")  # the only aspect reviewed
    assert [row["tier"] for row in report["parts"]] == names
    assert sum(row["samples"] for row in report["parts"]) == 300
    assert sum(row["reviews"] for row in report["parts"]) == report["reviews"] == 60
    page = tmp_path / "audit.html"
    operator("export_audit")(audited, path=str(page), format="html", worst=0)
    assert all(f">{name}<" in page.read_text(encoding="utf-8") for name in names)


def test_each_part_is_told_and_the_aspect_named_where_there_are_more(audited, operator, review):
    review(audited, 60)
    report = operator("estimate_error_rate")(audited, by="verdict")
    for row in report["parts"]:
        (line,) = [s for s in report["summary"] if s.startswith(f"verdict {row['verdict']}: ")]
        assert line.endswith(f"{row['wrong']} of {row['reviews']} reviewed were.")
    other = [{"name": "title", "annotation": "gt", "opinions": {"a": "blip"}}]
    operator("plan_review")(audited, aspect="title", aspects=other)
    with pytest.raises(ValueError, match="name one of those reviewed: caption, title"):
        operator("estimate_error_rate")(audited)


def test_the_unsure_are_left_out_and_the_reach_of_that_is_told(audited, operator, review):
    review(
        audited, 60, lambda i, wrong: "unsure" if i % 10 == 0 else "wrong" if wrong else "correct"
    )
    report = operator("estimate_error_rate")(audited, aspect="caption")
    assert report["reviews"] == 54
    assert "6 reviewed samples are left out: 6 unsure" in report["summary"][1]


def test_decisions_of_an_earlier_plan_count_once_the_new_one_passes_them(audited, operator, review):
    review(audited, 80)
    operator("plan_review")(
        audited, aspect="caption", aspects=ASPECTS, restart=True, strata=2, seed=8
    )
    report = operator("estimate_error_rate")(audited, aspect="caption")
    assert report["rate"] is None and "No estimate yet" in report["summary"][0]
    review(audited, 40)
    report = operator("estimate_error_rate")(audited, aspect="caption")
    assert report["reviews"] >= 40


def test_annotations_that_changed_since_are_told(audited, operator, review):
    review(audited, 30)
    first = reviews.read(audited, "caption")[0].sample_id
    reviews.record(audited, first, "caption", "wrong", "ada", text="of another text")
    report = operator("estimate_error_rate")(audited, aspect="caption")
    assert any("1 of the reviewed annotations have changed" in line for line in report["summary"])


def test_what_was_skipped_or_removed_or_renamed_is_told(audited, operator, review):
    review(audited, 60, lambda i, wrong: "skip" if wrong else "correct")
    skipped = 60 - len(reviews.decided(reviews.read(audited, "caption")))
    told = operator("estimate_error_rate")(audited, aspect="caption")["summary"]
    left = f"{skipped} reviewed samples are left out: 0 unsure, 0 on which reviewers disagree, "
    assert skipped and any(line.startswith(f"{left}{skipped} skipped. Were") for line in told)
    audited.delete_samples(audited.limit(7).values("id"))
    audited.rename_sample_field("gt", "title")
    told = operator("estimate_error_rate")(audited, aspect="caption")["summary"]
    assert any(line.startswith("7 of the 300 samples in the order of review are") for line in told)
    assert any("The field 'gt', which was reviewed, is no longer there" in line for line in told)


def test_without_reviews_or_with_an_unknown_part_the_form_says_what_to_do(
    audited, operator, review
):
    with pytest.raises(ValueError, match="Open the panel Review, or call plan_review"):
        operator("estimate_error_rate")(audited, aspect="caption")
    operator("plan_review")(audited, aspect="caption", aspects=ASPECTS)
    with pytest.raises(ValueError, match="no field 'colour'"):
        operator("estimate_error_rate")(audited, aspect="caption", by="colour")
    with pytest.raises(ValueError, match="'tags' does not hold one word or number a sample"):
        operator("estimate_error_rate")(audited, aspect="caption", by="tags")
    with pytest.raises(ValueError, match="there is no 'title'; there are caption"):
        operator("plan_review")(audited, aspect="title", aspects=ASPECTS)
    with pytest.raises(ValueError, match="Run hoist_labels first"):
        operator("plan_review")(audited, aspect="actor")


def test_an_annotation_of_segments_is_not_reviewed_and_why_is_said(dataset, operator):
    step = fo.TemporalDetection(label="a cat", support=[1, 10], blip="a dog")
    steps = fo.TemporalDetections(detections=[step])
    dataset.add_sample(fo.Sample(filepath="a.mp4", steps=steps), dynamic=True)
    aspects = [{"name": "event", "annotation": "label", "opinions": {"a": "blip"}}]
    plan = {"aspects": aspects, "aspect": "event"}
    with pytest.raises(ValueError, match="no text field 'label', so that .* to review.$"):
        operator("plan_review")(dataset, **plan)
    operator("score_agreement")(dataset, segments="steps", aspects=aspects, metrics=["lex"])
    told = "text of the segments of 'steps'.*are of whole samples.*tags='suspect', fields='steps'"
    with pytest.raises(ValueError, match=told):
        operator("plan_review")(dataset, **plan)


def test_without_any_score_every_annotation_is_as_likely_to_be_reviewed(dataset, operator):
    dataset.add_samples([fo.Sample(filepath=f"{i}.mp4", gt="a cat") for i in range(30)])
    report = operator("plan_review")(dataset, aspect="caption", aspects=ASPECTS)
    assert len(report["parts"]) == 1 and "for want of a score" in report["summary"][0]


def error_of(dataset, field, ids):
    truth, confidence = dataset.select(ids).values(["truth", field])
    return calibration_error(np.array(confidence), ~np.array(truth))


def test_decisions_correct_the_confidences_of_labels_that_nobody_reviewed(
    audited, operator, review
):
    texts = audited.values("gt")
    audited.set_values("blip", texts)
    audited.set_values("match_a_caption", [0.9] * 310)
    audited.set_values("lex_a_caption", [0.9] * 310)
    tag = operator("tag_confidence")
    tag(audited, aspect="caption", aspects=ASPECTS, fdr=0.3, overwrite=True)
    tagged = set(audited.match_tags("suspect").values("id"))
    review(audited, 20)
    few = operator("recalibrate")(audited, aspect="caption", overwrite=True)
    assert few["changed"] == 0 and "are too few to correct" in few["summary"][0]
    assert audited.get_field("before_reviews_caption") is None
    before = dict(zip(*audited.values(["id", "confidence_caption"])))
    review(audited, 90)
    report = operator("recalibrate")(audited, aspect="caption", overwrite=True)
    assert report["changed"] == 310 and report["decisions"] == 90
    kept = dict(zip(*audited.values(["id", "before_reviews_caption"])))
    assert kept == before
    decided = reviews.decided(reviews.read(audited, "caption"))
    held_out = [i for i in audited.limit(300).values("id") if i not in decided]
    now = error_of(audited, "confidence_caption", held_out)
    assert now < 0.75 * error_of(audited, "before_reviews_caption", held_out)
    # the tags follow, at the same rate of false alarms
    assert set(audited.match_tags("suspect").values("id")) != tagged
    assert audited.values("confidence") == audited.values("confidence_caption")
    # a second run starts from what was there before any review
    again = operator("recalibrate")(audited, aspect="caption")
    assert (again["shift"], again["stretch"]) == (report["shift"], report["stretch"])
    assert error_of(audited, "confidence_caption", held_out) == pytest.approx(now)
    # and one after calibrate has run anew starts from what calibrate found
    audited.set_values("confidence_caption", [0.5] * 155 + [0.6] * 155)
    operator("recalibrate")(audited, aspect="caption")
    assert audited.distinct("before_reviews_caption") == [0.5, 0.6]


def test_without_a_plan_or_a_confidence_there_is_nothing_to_correct(audited, operator):
    with pytest.raises(ValueError, match="nobody has begun to review 'caption'"):
        operator("recalibrate")(audited, aspect="caption")
    operator("plan_review")(audited, aspect="caption", aspects=ASPECTS)
    audited.delete_sample_field("confidence_caption")
    with pytest.raises(ValueError, match="Run calibrate first"):
        operator("recalibrate")(audited, aspect="caption")
