"""What the confidence map counts, draws and advises, apart from the browser."""

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.workshop_rules import TAGS, THRESHOLDS
from fiftyone.plugins.orgs.second_opinion.audit.engine import workspace
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map import chart
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map.empty import next_stage
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map.scores import (
    corners,
    find_comparisons,
    read_scores,
)

RULE_FIELDS = ("sem_q", "lex_q", "sem_m", "lex_m")


def add_scored(dataset, n=80, aspect="sum_brief", missing=0.15):
    random = np.random.default_rng(7)
    for row in range(n):
        sample = fo.Sample(filepath=f"clip_{row}.mp4", tags=["mine"] if row % 9 == 0 else [])
        for name in RULE_FIELDS:
            score = None if random.random() < missing else float(random.random())
            sample[f"{name}_{aspect}"] = score
        dataset.add_sample(sample)
    return dataset


def test_comparisons_are_found_by_preset_by_run_and_by_name(dataset, operator):
    sample = fo.Sample(filepath="a.mp4", gt="a red ball", my_vlm="a ball", other="a cube")
    for name in ("q_sum_brief", "qm_sum_brief", "z_colour"):
        sample[f"lex_{name}"] = sample[f"sem_{name}"] = 0.5
    sample["lex_q_actor"] = 0.5  # no semantic score beside it
    dataset.add_sample(sample)
    aspects = [{"name": "caption", "annotation": "gt", "opinions": {"my_vlm": "my_vlm"}}]
    operator("score_agreement")(dataset, aspects=aspects)
    assert find_comparisons(dataset) == {
        "caption": {"my_vlm": "my_vlm with the annotation"},
        "sum_brief": {"q": "q with the annotation", "qm": "q with m"},
        "colour": {"z": "z"},
    }


def test_nothing_scored_means_nothing_to_compare(dataset):
    dataset.add_sample(fo.Sample(filepath="a.mp4", lexical="text"))
    assert find_comparisons(dataset) == {}


@pytest.mark.parametrize("sem_high", [0.4, THRESHOLDS["sem_high"], 0.9])
def test_what_is_promised_is_what_applying_writes(dataset, operator, sem_high):
    limits = {**THRESHOLDS, "sem_low": 0.35, "sem_high": sem_high}
    add_scored(dataset)
    operator("tag_confidence")(dataset, aspect="sum_brief", rules="workshop")  # an earlier run
    then = read_scores(dataset, "sum_brief", "q", None).tags_then(limits)
    operator("tag_confidence")(dataset, aspect="sum_brief", rules="workshop", thresholds=limits)
    after = read_scores(dataset, "sum_brief", "q", None).tags_now()
    assert {tag for tag, mask in then.items() if mask.any()} == set(after)
    for tag, mask in after.items():
        np.testing.assert_array_equal(mask, then[tag], err_msg=tag)
    assert after["mine"].sum() == 9


def test_a_missing_score_has_no_point_no_corner_and_no_tag(dataset):
    sample = fo.Sample(filepath="a.mp4", lex_q_x=0.9, lex_m_x=0.9, sem_m_x=0.9)
    sample["sem_q_x"] = None
    dataset.add_samples([sample, fo.Sample(filepath="b.mp4", lex_q_x=0.9, sem_q_x=0.9)])
    scores = read_scores(dataset, "x", "q", None)
    then = scores.tags_then(THRESHOLDS)
    points = chart.draw_points(scores, then, None)
    assert [sample_id for trace in points for sample_id in trace["ids"]] == [dataset.last().id]
    assert not any(mask[0] for mask in corners(scores, THRESHOLDS).values())
    assert not then["triple_agreement"][0] and not then["qwen_agrees"][0]
    assert then["qwen_agrees"][1] and not then["triple_agreement"][1]


def test_without_both_witnesses_the_map_shows_the_tags_there_are(dataset):
    tagged = fo.Sample(filepath="a.mp4", tags=["mine"], lex_z_y=0.5, sem_z_y=0.5)
    dataset.add_sample(tagged)
    scores = read_scores(dataset, "y", "z", None)
    assert scores.rule_scores is None
    assert set(scores.tags_then(THRESHOLDS)) == {"mine"}


def test_every_scored_sample_has_one_point_whatever_colours_it(dataset):
    add_scored(dataset)
    dataset.set_values("kind", [f"kind {i % 12}" if i % 5 else None for i in range(80)])
    dataset.set_values("share", [i / 80 if i % 5 else None for i in range(80)])
    for colour in (None, "kind", "share", "lex_m_sum_brief"):
        scores = read_scores(dataset, "sum_brief", "q", colour)
        traces = chart.draw_points(scores, scores.tags_then(THRESHOLDS), colour)
        drawn = sorted(sample_id for trace in traces for sample_id in trace["ids"])
        assert drawn == sorted(np.array(scores.ids)[scores.scored])
        assert all(trace["type"] == "scattergl" for trace in traces)


def test_a_fields_text_is_never_markup(dataset):
    add_scored(dataset, n=4, missing=0)
    dataset.set_values("kind", ["<img src=x onerror=alert(1)>", "<b>bold</b>", "a", "b"])
    scores = read_scores(dataset, "sum_brief", "q", "kind")
    for trace in chart.draw_points(scores, {}, "kind"):
        assert "<" not in trace["name"]
        assert "<" not in trace["hovertemplate"].replace("<extra>", "").replace("</extra>", "")


def test_the_empty_page_names_the_first_stage_that_is_missing(dataset):
    assert next_stage(dataset).operator == "import_action100m"
    dataset.add_sample(fo.Sample(filepath="a.mp4"))
    detections = fo.TemporalDetections(
        detections=[fo.TemporalDetection(label="a cat", support=[1, 2])]
    )
    sample = dataset.first()
    sample["gpt_summary_brief"] = detections
    sample.save()
    assert next_stage(dataset).operator == "hoist_labels"
    dataset.set_values("gpt_summary_root_brief", ["a cat"])
    assert next_stage(dataset).operator == "read_opinions"
    dataset.set_values("qwen3vl_summary_brief", ["a dog"])
    assert next_stage(dataset).operator == "score_agreement"


def test_a_persons_own_workspace_of_that_name_is_left_alone(dataset):
    dataset.save_workspace(workspace.NAME, fo.Space(), description="mine")
    with pytest.raises(ValueError, match="Rename it"):
        workspace.install_workspace(dataset)
    assert dataset.get_workspace_info(workspace.NAME)["description"] == "mine"


def test_calibrated_tags_stay_until_a_threshold_is_moved(dataset):
    add_scored(dataset)
    given = [["suspect"] if row % 4 == 0 else ["agreed"] for row in range(80)]
    dataset.set_values("tags", given)
    dataset.set_values("audit_tags", given)
    scores = read_scores(dataset, "sum_brief", "q", None)
    assert set(scores.tags_then(THRESHOLDS)) == {"suspect", "agreed"}
    names = {
        trace["name"].split()[0] for trace in chart.draw_points(scores, scores.tags_now(), None)
    }
    assert names == {"suspect", "agreed"}
    moved = scores.tags_then({**THRESHOLDS, "sem_high": 0.7})
    assert "suspect" not in moved and moved["triple_agreement"].any()


def test_every_tag_of_the_rules_can_colour_a_point():
    assert set(TAGS) < set(chart.TELLING)
