"""What the opinion viewer finds, reads and reveals, apart from the browser."""

import json

import fiftyone as fo
import pytest
from fiftyone.operators.executor import ExecutionContext, Executor
from fiftyone.plugins.orgs.second_opinion.audit.agreement.aspects import Aspect
from fiftyone.plugins.orgs.second_opinion.audit.panels.opinion_viewer import sample
from fiftyone.plugins.orgs.second_opinion.audit.panels.opinion_viewer.said import Said
from fiftyone.plugins.orgs.second_opinion.audit.panels.opinion_viewer.sample import (
    find_aspects,
    read_sample,
)
from fiftyone.plugins.orgs.second_opinion.audit.panels.plain import cut, reveal
from hypothesis import given
from hypothesis import strategies as st

FIELD = "gpt_summary_brief"
OPENS, CLOSES = "A girl opens the box", "A girl closes the box"


def test_the_presets_aspects_are_shown_where_their_fields_are(dataset):
    dataset.add_sample(
        fo.Sample(
            filepath="a.mp4",
            gpt_summary_root_brief=OPENS,
            qwen3vl_summary_brief=CLOSES,
            gpt_action_root_brief="an annotation without any opinion",
        )
    )
    (aspect,) = find_aspects(dataset)
    assert (aspect.name, aspect.opinions) == ("sum_brief", {"q": "qwen3vl_summary_brief"})


def test_the_aspects_of_the_newest_run_are_shown(dataset, operator):
    dataset.add_sample(fo.Sample(filepath="a.mp4", gt=OPENS, one=CLOSES, two=CLOSES))
    score = operator("score_agreement")
    for witness in ("one", "two"):
        aspects = [{"name": "caption", "annotation": "gt", "opinions": {witness: witness}}]
        score(dataset, aspects=aspects, metrics=["lex"])
    (aspect,) = find_aspects(dataset)
    assert aspect.opinions == {"two": "two"}
    sample = read_sample(dataset, dataset.first().id, [aspect])
    assert sample.texts == {"gt": OPENS, "two": CLOSES}
    assert list(sample.scores) == ["lex_two_caption"]
    assert 0 < sample.scores["lex_two_caption"] < 1
    assert (sample.verdict, sample.confidence, sample.segments) == (None, None, {})


def test_nothing_is_found_in_a_dataset_without_opinions(dataset):
    dataset.add_sample(fo.Sample(filepath="a.mp4", caption="a girl"))
    assert find_aspects(dataset) == []


def test_segments_come_in_order_with_their_times(dataset):
    detections = [
        fo.TemporalDetection(label="second", support=[11, 30]),
        fo.TemporalDetection(label="first", support=[1, 10], start=0.25, end=0.5),
    ]
    sample = fo.Sample(
        filepath="a.mp4",
        metadata=fo.VideoMetadata(frame_rate=10.0),
        gpt_summary_root_brief=OPENS,
        qwen3vl_summary_brief=None,
        gpt_summary_brief=fo.TemporalDetections(detections=detections),
    )
    dataset.add_sample(sample)
    dataset.add_sample_field("qwen3vl_summary_brief", fo.StringField)
    dataset.add_dynamic_sample_fields()
    shown = read_sample(dataset, sample.id, find_aspects(dataset))
    assert shown.is_video
    found = shown.segments["gpt_summary_brief"]
    assert [(s.text, s.start, s.end) for s in found] == [("first", 0.25, 0.5), ("second", 1.0, 2.9)]
    assert [s.id for s in found] == [detections[1].id, detections[0].id]


def timed(field, *rows):
    made = [
        fo.TemporalDetection(support=[1 + 10 * i, 10 + 10 * i], **row) for i, row in enumerate(rows)
    ]
    return {field: fo.TemporalDetections(detections=made)}


def test_what_witnesses_say_of_segments_is_read_from_attributes_and_other_fields(dataset):
    sample = fo.Sample(
        filepath="a.mp4",
        gpt_summary_root_brief=OPENS,
        qwen3vl_summary_brief=CLOSES,
        **timed(
            "gpt_summary_brief",
            {"label": OPENS, "qwen3vl_summary_brief": CLOSES, "verdict": "scattered"},
            {"label": "she leaves", "verdict": None, "confidence": 0.25},
        ),
        **timed("plm", {"label": "a girl"}, {"label": "a boy"}),
    )
    dataset.add_sample(sample)
    dataset.add_dynamic_sample_fields()
    first, second = read_sample(dataset, sample.id, find_aspects(dataset)).said.values()
    assert first == Said({"q": CLOSES}, "scattered", None)
    assert second == Said({"q": None}, None, 0.25)
    aspects = [{"name": "brief", "annotation": "label", "opinions": {"p": "plm"}}]
    settings = {"segments": FIELD, "aspects": json.dumps(aspects)}
    config = dataset.init_run(stage="score_agreement", settings=settings)
    dataset.register_run(f"second_opinion_score_agreement_{FIELD}_20260131_102030_ab12", config)
    first, second = read_sample(dataset, sample.id, find_aspects(dataset)).said.values()
    assert (first.opinions, second.opinions) == ({"p": "a girl"}, {"p": "a boy"})


def drawn(panel, dataset, sample_id=None):
    """What a panel shows, as it goes to the browser."""
    params = {"panel_id": "one", "panel_state": {"pick": {}}}
    request = {"dataset_name": dataset.name, "current_sample": sample_id, "params": params}
    ctx = ExecutionContext(request, executor=Executor(), operator_uri=panel.uri)
    return json.dumps(panel.render(ctx).to_json(), ensure_ascii=False)


@pytest.fixture
def steps(dataset, operator):
    """A sample whose segments were audited, and one without any."""
    theirs = timed("llava_steps", {"label": OPENS}, {"label": "a boy runs"})
    ours = timed(
        "steps",
        {"label": OPENS, "blip": CLOSES, "confidence": 0.5},
        {"label": "she leaves", "blip": "she goes", "confidence": 0.5, "tags": ["suspect"]},
    )
    sample = fo.Sample(filepath="/nowhere/a.mp4", **theirs, **ours)
    dataset.add_samples([sample, fo.Sample(filepath="/nowhere/b.mp4")], dynamic=True)
    opinions = {"a": "blip", "b": "llava_steps"}
    aspects = [{"name": "event", "annotation": "label", "opinions": opinions}]
    operator("score_agreement")(dataset, segments="steps", aspects=aspects, metrics=["lex"])
    second = sample.steps.detections[1].id
    path = "steps.detections"
    dataset.set_label_values(f"{path}.confidence_event", {second: 0.125}, dynamic=True)
    dataset.set_label_values(f"{path}.verdict", {second: "annotation_suspect"}, dynamic=True)
    return dataset


def test_audited_segments_are_shown_where_no_sample_was_compared(steps, operator):
    full, bare = steps.values("id")
    shown = read_sample(steps, full, [])
    assert list(shown.segments) == ["steps", "llava_steps"]  # the audited ones first
    first, second = (shown.said[segment.id] for segment in shown.segments["steps"])
    assert first == Said({"a": CLOSES, "b": OPENS}, annotation=OPENS)
    said = {"a": "she goes", "b": "a boy runs"}
    assert second == Said(said, "annotation_suspect", 0.125, annotation="she leaves")
    page = drawn(operator("opinion_viewer"), steps, full)
    assert "she leaves (annotation suspect, confidence 0.12)" in page
    assert "boy" in page and "Nothing" not in page
    assert "This sample has no segments" in drawn(operator("opinion_viewer"), steps, bare)


def test_the_text_that_was_audited_is_shown_and_not_the_segments_label(steps, operator):
    texts = {label.id: "he sits" for label in steps.first().steps.detections}
    steps.set_label_values("steps.detections.claim", texts, dynamic=True)
    aspects = [{"name": "claim", "annotation": "claim", "opinions": {"a": "blip"}}]
    operator("score_agreement")(steps, segments="steps", aspects=aspects, metrics=["lex"])
    page = drawn(operator("opinion_viewer"), steps, steps.first().id)
    assert "he sits" in page and "she leaves" not in page


@pytest.mark.parametrize("panel", ["confidence_map", "review"])
def test_panels_of_samples_say_that_segments_were_audited_and_show_the_suspects(
    steps, operator, panel
):
    shown = operator(panel)
    page = drawn(shown, steps)
    assert "This audit is of the segments of steps." in page
    assert "1 of 2 segments have the tag suspect." in page and "Nothing was compared" not in page
    assert "on_show_suspects" in page
    ctx = ExecutionContext(
        {"dataset_name": steps.name, "params": {"field": "steps"}}, executor=Executor()
    )
    shown.on_show_suspects(ctx)
    (asked,) = ctx.executor.to_json()["requests"]
    view = fo.DatasetView._build(steps, asked["params"]["view"])
    assert view.values("steps.detections.label", unwind=True) == ["she leaves"]
    steps.untag_labels("suspect")
    assert "None of the 2 segments has the tag suspect." in drawn(shown, steps)


@pytest.fixture
def regions(dataset, operator):
    """An image with two audited regions, of two aspects each; of one there is no text."""
    box = [0.1, 0.25, 0.5, 0.5]
    told = {"label": "a cat", "hue": "red", "qwhat": "a dog", "qhue": "blue"}
    made = [fo.Detection(bounding_box=box, **told), fo.Detection(bounding_box=box, label="a mug")]
    sample = fo.Sample(filepath="/nowhere/a.jpg", boxes=fo.Detections(detections=made))
    dataset.add_samples([sample, fo.Sample(filepath="/nowhere/b.jpg")], dynamic=True)
    aspects = [
        {"name": "what", "annotation": "label", "opinions": {"q": "qwhat"}},
        {"name": "colour", "annotation": "hue", "opinions": {"q": "qhue"}},
    ]
    operator("score_agreement")(dataset, segments="boxes", aspects=aspects, metrics=["lex"])
    return dataset


def test_audited_regions_are_shown_with_every_aspect(regions, operator):
    viewer, first, second = operator("opinion_viewer"), *regions.values("id")
    page = drawn(viewer, regions, first)
    for text in ("Regions", "10%\u201360% across, 25%\u201375% down", "what: a cat", "what: a mug"):
        assert text in page
    assert page.count("colour: red") == 1 and "colour: a mug" not in page
    assert '"dog"' in page and '"blue"' in page
    assert "This sample has no regions" in drawn(viewer, regions, second)


def test_the_next_stage_of_labels_is_filled_in_with_their_field(regions, operator):
    for panel in ("opinion_viewer", "confidence_map", "review"):
        page = drawn(operator(panel), regions)
        assert '"stage": "calibrate", "settings": {"segments": "boxes"}' in page, panel
    regions.set_values("boxes.detections.confidence_what", [[0.5, 0.5], []], dynamic=True)
    page = drawn(operator("confidence_map"), regions)
    assert '"stage": "tag_confidence", "settings": {"segments": "boxes"}' in page
    params = {"stage": "calibrate", "settings": {"segments": "boxes"}}
    ctx = ExecutionContext({"dataset_name": regions.name, "params": params}, executor=Executor())
    operator("review").on_next_stage(ctx)
    (asked,) = ctx.executor.to_json()["requests"]
    assert asked["params"]["operator_uri"].endswith("/calibrate")
    assert asked["params"]["params"] == {"segments": "boxes"}


def test_segments_with_texts_of_witnesses_are_shown_before_any_audit(dataset, operator):
    ours = timed("steps", {"label": OPENS, "blip": CLOSES})
    dataset.add_sample(fo.Sample(filepath="/nowhere/a.mp4", **timed("plain", {}), **ours))
    dataset.add_dynamic_sample_fields()
    page = drawn(operator("opinion_viewer"), dataset, dataset.first().id)
    assert "These texts were not scored yet." in page and "blip:" in page


@pytest.mark.parametrize("text", ["A girl closes a box.", "$where", "{'$gt': ''}"])
def test_other_samples_with_the_same_annotation_are_counted(dataset, text):
    said = [text, text, "Something else.", None, text.upper()]
    samples = [fo.Sample(filepath=f"{i}.mp4", title=t, opinion="x") for i, t in enumerate(said)]
    ids = dataset.add_samples(samples)
    aspects = [Aspect("cap", "title", {"q": "opinion"})]
    counted = [read_sample(dataset, i, aspects).elsewhere.get("title") for i in ids]
    assert counted == [1, 1, 0, None, 0]


def test_a_search_of_other_samples_that_takes_too_long_is_given_up(dataset, operator, monkeypatch):
    texts = [{"gpt_summary_root_brief": f"{i}", "qwen3vl_summary_brief": "x"} for i in range(5_000)]
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{i}.mp4", **t) for i, t in enumerate(texts)])
    viewer, first = operator("opinion_viewer"), dataset.first().id
    assert "other samples hold" not in drawn(viewer, dataset, first)
    monkeypatch.setattr(sample, "SOUGHT_FOR", 0.0001)
    page = drawn(viewer, dataset, first)
    assert "Whether other samples hold the same annotations is not told" in page


def test_a_sample_that_is_gone_is_none(dataset):
    dataset.add_sample(fo.Sample(filepath="a.mp4"))
    assert read_sample(dataset, "0" * 24, []) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("null\x00byte", "null␀byte"),
        ("\x1b[31mred", "␛[31mred"),
        ("abc\u202edcba", "abc[U+202E]dcba"),
        ("zero\u200bwidth", "zero[U+200B]width"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("👩‍👩‍👧 é ü שלום", "👩‍👩‍👧 é ü שלום"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("<b>&amp; **bold** $x$", "<b>&amp; **bold** $x$"),
    ],
)
def test_what_acts_or_hides_becomes_visible_and_the_rest_stays(text, shown):
    assert reveal(text) == shown


@given(st.text(max_size=200), st.integers(1, 100))
def test_a_text_is_cut_at_its_length_or_a_little_before(text, length):
    shorter = cut(text, length)
    assert text.startswith(shorter)
    assert len(shorter) <= length
    assert shorter == text or not text[len(shorter) :].startswith("\u0301")


def test_a_text_is_cut_between_words():
    assert cut("a girl opens the wooden box", 25) == "a girl opens the wooden"
