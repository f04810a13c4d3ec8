"""What the opinion viewer finds, reads and reveals, apart from the browser."""

import json

import fiftyone as fo
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.aspects import Aspect
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


@pytest.mark.parametrize("text", ["A girl closes a box.", "$where", "{'$gt': ''}"])
def test_other_samples_with_the_same_annotation_are_counted(dataset, text):
    said = [text, text, "Something else.", None, text.upper()]
    samples = [fo.Sample(filepath=f"{i}.mp4", title=t, opinion="x") for i, t in enumerate(said)]
    ids = dataset.add_samples(samples)
    aspects = [Aspect("cap", "title", {"q": "opinion"})]
    counted = [read_sample(dataset, i, aspects).elsewhere.get("title") for i in ids]
    assert counted == [1, 1, 0, None, 0]


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
