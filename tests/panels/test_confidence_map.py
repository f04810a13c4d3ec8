"""What the confidence map counts, draws and advises, apart from the browser."""

import json

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionContext, Executor
from fiftyone.plugins.orgs.second_opinion.audit.agreement.workshop_rules import TAGS, THRESHOLDS
from fiftyone.plugins.orgs.second_opinion.audit.engine import workspace
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map import (
    choices,
    heat,
    picture,
    points,
    telling,
)
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map.empty import stage_for
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map.found import (
    SCORE_NAMES,
    SCORES,
    find,
)
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map.proposal import propose
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map.table import read_table
from fiftyone.plugins.orgs.second_opinion.audit.panels.next_stage import next_stage

RULE_FIELDS = ("sem_q", "lex_q", "sem_m", "lex_m")
TEXTS = ("gpt_summary_root_brief", "qwen3vl_summary_brief", "molmo_summary_brief")


def add_scored(dataset, n=80, aspect="sum_brief", missing=0.15):
    random = np.random.default_rng(7)
    samples = []
    for row in range(n):
        sample = fo.Sample(filepath=f"clip_{row}.mp4", tags=["mine"] if row % 9 == 0 else [])
        for name in RULE_FIELDS:
            score = None if random.random() < missing else float(random.random())
            sample[f"{name}_{aspect}"] = score
        samples.append(sample)
    dataset.add_samples(samples)
    return dataset


def look_at(dataset, aspect="sum_brief", rules=None, limits=THRESHOLDS, fdr=0.1, **more):
    table, found = read_table(dataset), find(dataset)
    rows = np.arange(len(table))
    proposal = propose(table, found, aspect, rows, rules, limits, fdr)
    given = {"bright": None, "colour": None} | more
    return picture.Look(table, found, rows, proposal=proposal, **given)


def drawn_ids(drawn):
    return sorted(sample_id for trace in drawn.traces for sample_id in trace["ids"])


def test_every_metric_has_a_word_and_a_place_among_the_scores(dataset):
    held = {f"{score}_q_sum_brief": 0.5 for score in SCORES}
    dataset.add_sample(fo.Sample(filepath="a.mp4", **held))
    offered = choices._scores(find(dataset), "sum_brief")
    assert sorted(offered) == sorted(SCORES) == sorted(SCORE_NAMES)
    assert offered[:2] == ["match", "sem"]  # the most telling first


def test_comparisons_are_found_by_preset_by_run_and_by_name(dataset, operator):
    sample = fo.Sample(filepath="a.mp4", gt="a red ball", my_vlm="a ball", other="a cube")
    for name in ("q_sum_brief", "qm_sum_brief", "z_colour"):
        sample[f"lex_{name}"] = sample[f"sem_{name}"] = 0.5
    sample["lex_q_actor"] = 0.5  # no semantic score beside it
    dataset.add_sample(sample)
    aspects = [{"name": "caption", "annotation": "gt", "opinions": {"my_vlm": "my_vlm"}}]
    operator("score_agreement")(dataset, aspects=aspects)
    found = find(dataset)
    assert found.comparable() == {
        "caption": {"my_vlm": "my_vlm × annotation"},
        "sum_brief": {"q": "q × annotation", "qm": "q × m"},
        "colour": {"z": "z"},
    }
    assert list(found.pairs()) == ["sum_brief"]
    assert found.edges["actor"] == {"q": "q × annotation"}


def test_nothing_scored_means_nothing_to_compare(dataset):
    dataset.add_sample(fo.Sample(filepath="a.mp4", lexical="text"))
    found = find(dataset)
    assert (found.edges, found.confidences, found.lenses) == ({}, {}, ())
    for view in choices.VIEWS:
        assert stage_for(view, found).operator in ("score_agreement", "calibrate", "embed")


@pytest.mark.parametrize("sem_high", [0.4, THRESHOLDS["sem_high"], 0.9])
def test_what_is_promised_is_what_applying_writes(dataset, operator, sem_high):
    limits = {**THRESHOLDS, "sem_low": 0.35, "sem_high": sem_high}
    add_scored(dataset)
    operator("tag_confidence")(dataset, aspect="sum_brief", rules="workshop")  # an earlier run
    promised = look_at(dataset, rules="workshop", limits=limits).proposal
    operator("tag_confidence")(dataset, aspect="sum_brief", rules="workshop", thresholds=limits)
    after = look_at(dataset, rules="workshop", limits=limits).proposal
    for tag in {*promised.then, *after.now}:
        written = after.mask(after.now, tag)
        np.testing.assert_array_equal(written, promised.mask(promised.then, tag), err_msg=tag)
    assert after.now["mine"].sum() == 9 and after.changed == 0
    assert promised.changed > 0


@pytest.mark.parametrize("fdr", [0.01, 0.2, 0.5])
def test_the_suspects_that_are_promised_are_those_that_applying_tags(dataset, operator, fdr):
    add_scored(dataset, n=120)
    random = np.random.default_rng(3)
    dataset.set_values("confidence_sum_brief", random.random(120).tolist())
    dataset.set_values("clip_coverage", np.where(np.arange(120) % 10, 1.0, 0.2).tolist())
    ruled = [float(random.normal(0, 3)) if row % 6 == 0 else None for row in range(120)]
    dataset.set_values("ruling_sum_brief_ratio", ruled)  # as ground_disputes leaves it
    for name in TEXTS:
        dataset.set_values(name, ["a girl opens the box"] * 120)
    promised = look_at(dataset, rules="calibrated", fdr=fdr).proposal
    assert promised.stored is None
    report = operator("tag_confidence")(dataset, aspect="sum_brief", fdr=fdr, overwrite=True)
    after = look_at(dataset, rules="calibrated", fdr=fdr).proposal
    np.testing.assert_array_equal(
        after.mask(after.now, "suspect"), promised.mask(promised.then, "suspect")
    )
    assert {row["tag"]: row["samples"] for row in report["tags"]}["suspect"] == int(
        promised.then["suspect"].sum()
    )
    assert (after.changed, after.stored) == (0, "calibrated")
    assert look_at(dataset, rules="calibrated", fdr=0.9).proposal.changed > 0


def test_a_missing_score_has_no_point_no_corner_and_no_tag(dataset):
    sample = fo.Sample(filepath="a.mp4", lex_q_x=0.9, lex_m_x=0.9, sem_m_x=0.9)
    sample["sem_q_x"] = None
    dataset.add_samples([sample, fo.Sample(filepath="b.mp4", lex_q_x=0.9, sem_q_x=0.9)])
    look = look_at(dataset, "x", rules="workshop")
    drawn = picture.draw_agreement(look, "x", "q", THRESHOLDS)
    assert drawn_ids(drawn) == [dataset.last().id]
    assert drawn.said == ["1 of 2 samples are on the map. 1 lack a score and have no point."]
    told = [a["text"] for a in drawn.layout["annotations"]]
    assert told[0] == "Agreement:<br>1, 100%"
    then = look.proposal.then
    assert not then["triple_agreement"][0] and not then["qwen_agrees"][0]
    assert then["qwen_agrees"][1] and not then["triple_agreement"][1]


def test_every_scored_sample_has_one_point_whatever_colours_it(dataset):
    add_scored(dataset)
    dataset.set_values("kind", [f"kind {i % 12}" if i % 5 else None for i in range(80)])
    dataset.set_values("share", [i / 80 if i % 5 else None for i in range(80)])
    scored = dataset.exists("lex_q_sum_brief").exists("sem_q_sum_brief").values("id")
    for colour in (None, "kind", "share", "lex_m_sum_brief"):
        look = look_at(dataset, colour=colour)
        drawn = picture.draw_agreement(look, "sum_brief", "q", THRESHOLDS)
        assert drawn_ids(drawn) == sorted(scored)
        assert all(trace["type"] == "scattergl" for trace in drawn.traces)


def test_a_fields_text_is_never_markup(dataset):
    add_scored(dataset, n=4, missing=0)
    dataset.set_values("kind", ["<img src=x onerror=alert(1)>", "<b>bold</b>", "a", "b"])
    drawn = picture.draw_agreement(look_at(dataset, colour="kind"), "sum_brief", "q", THRESHOLDS)
    for trace in drawn.traces:
        assert "<" not in trace["name"]
        assert "<" not in trace["hovertemplate"].replace("<extra>", "").replace(
            "</extra>", ""
        ).replace("<br>", "")


def test_one_comparison_is_drawn_against_another(dataset):
    add_scored(dataset)
    drawn = picture.draw_witnesses(look_at(dataset), "sum_brief", ("q", "m"), "sem")
    both = dataset.exists("sem_q_sum_brief").exists("sem_m_sum_brief")
    assert drawn_ids(drawn) == sorted(both.values("id"))


def test_confidences_stand_beside_those_of_wrong_pairs(dataset, operator, monkeypatch):
    add_scored(dataset, n=10)
    values = [0.02, 0.03, 0.5, 0.91, 0.92, 0.93, 0.94, 0.95, 1.0, None]
    dataset.set_values("confidence_sum_brief", values)
    look = look_at(dataset, rules="calibrated")
    drawn = picture.draw_confidence(look, dataset, "sum_brief")
    assert [trace["name"] for trace in drawn.traces] == ["suspect labels", "labels"]
    assert [sum(trace["y"]) for trace in drawn.traces] == [2, 7]
    assert "1 have no confidence" in drawn.said[0] and "No run of calibrate" in drawn.said[1]
    assert drawn.find(["0"]).tolist() == [0, 1] and drawn.find(["19"]).tolist() == [7, 8]
    config = dataset.init_run(stage="calibrate", finished="2026-01-31T10:20:30")
    key = "second_opinion_calibrate_20260131_102030_ab12"
    dataset.register_run(key, config)
    null = [9] + [1] * 19
    results = dataset.init_run_results(key, report={"null": {"sum_brief": null}})
    dataset.save_run_results(key, results)
    drawn = picture.draw_confidence(look, dataset, "sum_brief")
    np.testing.assert_allclose(drawn.traces[2]["y"], np.array(null) * 9 / 28, atol=0.06)
    assert drawn.said[1].endswith("as calibrated on 2026-01-31 10:20 UTC.")


def test_a_lens_is_drawn_where_its_projection_has_points(dataset):
    import fiftyone.brain as fob

    add_scored(dataset, n=6)
    view = dataset.limit(5)
    places = np.arange(10, dtype=float).reshape(5, 2)
    fob.compute_visualization(view, points=places, brain_key="mine_viz", verbose=False)
    look = look_at(dataset)
    assert look.found.lenses == ("mine_viz",)
    drawn = picture.draw_lens(look, dataset, "mine_viz")
    assert drawn_ids(drawn) == sorted(view.values("id"))
    assert drawn.said == [
        "5 of 6 samples are on the map. 1 are not in 'mine_viz' and have no point."
    ]


def test_cells_tell_means_and_what_is_missing(dataset):
    add_scored(dataset, n=50)
    look = look_at(dataset)
    cells = heat.count_cells(look.table, look.found, "sem", look.rows)
    cell = cells["sum_brief"]["q"]
    assert cell.mean == pytest.approx(dataset.mean("sem_q_sum_brief"))
    assert (cell.missing, cell.samples) == (50 - dataset.count("sem_q_sum_brief"), 50)
    none = heat.count_cells(look.table, look.found, "sem", np.array([], dtype=int))
    assert np.isnan(none["sum_brief"]["m"].mean)


def test_very_many_points_are_counted_in_squares_that_find_their_samples(monkeypatch, dataset):
    monkeypatch.setattr(points, "MOST_POINTS", 50)
    add_scored(dataset)
    look = look_at(dataset, bright=np.arange(80) < 7)
    drawn = picture.draw_agreement(look, "sum_brief", "q", THRESHOLDS)
    (trace,) = drawn.traces
    counts = [int(text) for text in trace["text"]]
    assert sum(counts) == drawn.placed > 50
    assert "squares count them" in " ".join(drawn.said)
    assert sorted(drawn.find(trace["ids"]).tolist()) == sorted(
        row for row in range(80) if look.table.ids[row] in scored_ids(dataset)
    )
    first = drawn.find(trace["ids"][:1])
    assert len(first) == counts[0]
    assert 0 < len(trace["selectedpoints"]) <= 7


def scored_ids(dataset):
    return set(dataset.exists("lex_q_sum_brief").exists("sem_q_sum_brief").values("id"))


def test_columns_are_kept_until_a_sample_is_written(dataset):
    add_scored(dataset, n=5, missing=0)
    table = read_table(dataset)
    before = table.numbers("sem_q_sum_brief")
    assert read_table(dataset) is table
    sample = dataset.first()
    sample["sem_q_sum_brief"] = 0.123
    sample.save()
    after = read_table(dataset)
    assert after is not table and after.numbers("sem_q_sum_brief")[0] == 0.123 != before[0]
    others = [i for i in range(5) if after.ids[i] != sample.id]
    np.testing.assert_array_equal(after.numbers("sem_q_sum_brief")[others], before[others])
    sample["sem_q_sum_brief"] = None
    sample.save()
    assert np.isnan(read_table(dataset).numbers("sem_q_sum_brief")[0])
    dataset.delete_samples(sample)
    dataset.add_sample(fo.Sample(filepath="new.mp4", sem_q_sum_brief=0.456))  # as many as before
    assert read_table(dataset).numbers("sem_q_sum_brief")[-1] == 0.456
    dataset.delete_samples(dataset.last())
    assert len(read_table(dataset)) == 4


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
    look = look_at(dataset, rules="workshop")
    assert look.proposal.changed == 0 and look.proposal.stored == "calibrated"
    drawn = picture.draw_agreement(look, "sum_brief", "q", THRESHOLDS)
    assert {trace["name"].split()[0] for trace in drawn.traces} == {"suspect", "agreed"}
    moved = look_at(dataset, rules="workshop", limits={**THRESHOLDS, "sem_high": 0.7}).proposal
    assert "suspect" not in moved.then and moved.then["triple_agreement"].any()


def test_samples_that_a_run_on_a_view_left_out_are_told_and_can_be_tagged(dataset):
    add_scored(dataset)
    dataset.set_values("confidence_sum_brief", [0.9] * 80)
    dataset.set_values("tags", [["agreed"]] * 50 + [["mine"]] * 30)
    dataset.set_values("audit_tags", [["agreed"]] * 50 + [[]] * 30)
    proposal = look_at(dataset, rules="calibrated").proposal
    chosen = choices.choose({}, {}, read_table(dataset), find(dataset), dataset)
    assert proposal.changed == 0 and telling.may_apply(proposal)
    told = telling.tell_change(proposal, chosen)
    assert told.endswith("So it is stored. 30 samples have no verdict yet, which Apply gives them.")
    dataset.set_values("audit_tags", [["agreed"]] * 80)
    dataset.set_values("tags", [["agreed"]] * 80)
    proposal = look_at(dataset, rules="calibrated").proposal
    assert not telling.may_apply(proposal)
    assert telling.tell_change(proposal, chosen).endswith("So it is stored.")


def test_what_is_selected_elsewhere_dims_no_point(dataset, operator):
    add_scored(dataset)
    first, last = dataset.limit(2).values("id"), dataset.skip(40).values("id")
    panel = operator("confidence_map")
    request = {"dataset_name": dataset.name, "view": dataset.select(last)._serialize()}
    for chosen, said in (
        (first, "None of the 2 selected in the grid is of this view."),
        ([*first, *last[:2]], "Bright: 2 selected in the grid."),
    ):
        params = {"panel_id": said, "panel_state": {}}
        given = {**request, "selected": chosen, "params": params}
        ctx = ExecutionContext(given, executor=Executor(), operator_uri=panel.uri)
        assert said in json.dumps(panel.render(ctx).to_json(), ensure_ascii=False)


def test_every_tag_of_the_rules_can_colour_a_point():
    assert set(TAGS) < set(points.TELLING)
