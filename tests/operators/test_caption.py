"""Caption: what witnesses answer becomes fields, and a second run asks for what is missing."""

import json

import fiftyone as fo
import pytest

from tests.operators.captioning import ANSWER, FULL, numbers_sent


def test_five_opinions_the_raw_answer_and_the_frames_seen_are_written(clips, caption, serve, films):
    server = serve(json.dumps(ANSWER))

    report = caption(clips, endpoint=server.url)

    sample = clips.first()
    assert sample.qwen3vl_summary_brief == "Bars move."
    assert sample.qwen3vl_action_actor == "N/A"
    assert json.loads(sample.qwen3vl_raw) == ANSWER
    assert report["answered"] == 8
    assert clips.values("audit_status.caption_qwen3vl_action100m") == ["ok"] * 8
    sent = {tuple(n + 1 for n in numbers_sent(films, body)) for body in server.requests}
    assert sent == {tuple(seen["frame_numbers"]) for seen in clips.values("qwen3vl_frames")}


def test_a_local_witness_answers_and_is_held_to_the_schema(clips, caption, checkpoint):
    pytest.importorskip("llguidance", reason="holding answers to a schema needs llguidance")

    report = caption(
        clips[:3], model=checkpoint("qwen3_vl"), task="temporal_localization", max_new_tokens=60
    )

    assert report["answered"] == 3
    assert report["held_to_schema"] is True
    raw = clips[:3].values("qwen3vl_temporal_localization_raw")
    assert all(text.startswith('{"events":[') for text in raw)  # random words, in the form asked


def test_comprehensive_findings_become_the_workshop_s_fields(clips, caption, serve):
    report = caption(clips[:2], endpoint=serve(json.dumps(FULL)).url, task="comprehensive")

    sample = clips.first()
    assert sample.qwen3vl_summary == "Bars."
    assert [(d.label, d.support) for d in sample.qwen3vl_events.detections] == [("shine", [1, 6])]
    assert sample.qwen3vl_text_content.detections == []
    assert sample.qwen3vl_scene_info_setting.label == "screen"
    assert [c.label for c in sample.qwen3vl_activities_secondary_activities.classifications] == [
        "shining"
    ]
    assert report["dropped"] == [{"malformed part": "no label", "dropped": 2}]
    why = sample.audit_status["caption_qwen3vl_comprehensive_why"]
    assert why == "1 malformed parts were dropped"


def test_boxes_go_to_frames_and_a_new_answer_replaces_them(clips, caption, serve):
    def boxes(time):
        part = {"time": time, "bbox_2d": [0, 0, 500, 500], "label": "bar"}
        return serve(json.dumps({"objects": [part]})).url

    caption(clips[:1], endpoint=boxes(0.2), task="tracking")
    frames = clips.first().frames
    assert frames[6].qwen3vl_objects.detections[0].bounding_box == [0, 0, 0.5, 0.5]

    caption(clips[:1], endpoint=boxes(0.0), task="tracking", overwrite=True)
    frames = clips.first().frames
    assert frames[1].qwen3vl_objects.detections[0].label == "bar"
    assert frames[6].qwen3vl_objects is None


def test_each_segment_gets_an_opinion_of_its_own_frames(clips, caption, serve, films):
    parts = [
        fo.TemporalDetection(label="a", support=[1, 5]),
        fo.TemporalDetection(label="b", support=[6, 10]),
    ]
    clips.set_values("nodes", [fo.TemporalDetections(detections=parts), *[None] * 7])

    def says(body):
        first = numbers_sent(films, body)[0]
        return json.dumps({**ANSWER, "summary": {"brief": f"from {first}", "detailed": "x"}})

    server = serve(says)
    report = caption(clips, endpoint=server.url, segments="nodes")

    nodes = clips.first().nodes.detections
    assert [node.qwen3vl_summary_brief for node in nodes] == ["from 0", "from 5"]
    assert [node.label for node in nodes] == ["a", "b"]
    assert nodes[1].qwen3vl_frames[0] == 6
    assert (report["segments"], report["answered"]) == (2, 2)
    assert caption(clips, endpoint=server.url, segments="nodes")["answered"] == 0
    assert len(server.requests) == 2
    assert not clips.has_field("qwen3vl_raw")


def test_a_second_run_asks_only_what_is_new_or_failed(clips, caption, servers):
    with servers.Server([400, 400], says=lambda body: json.dumps(ANSWER)) as server:
        first = caption(clips[:6], endpoint=server.url, in_flight=1)
        second = caption(clips, endpoint=server.url)
        third = caption(clips, endpoint=server.url)
        other = caption(clips[:1], endpoint=server.url, prompt="In other words, please.")

    assert (first["answered"], first["failed"]) == (5, 1)  # a refused schema is asked again
    assert (second["answered"], second["failed"]) == (3, 0)
    assert third["answered"] == 0
    assert other["answered"] == 1


def test_custom_keeps_the_answer_as_it_is(clips, caption, serve):
    server = serve('{"goals": 2}')

    caption(clips[:1], endpoint=server.url, task="custom", prompt="Count the goals.")

    assert clips.first().qwen3vl_result == '{"goals": 2}'
    assert "Count the goals." in server.requests[0]["messages"][0]["content"][-1]["text"]


def test_clearing_takes_everything_away_again(clips, caption, serve, operator):
    before = set(clips.get_field_schema())
    part = {"time": 0, "bbox_2d": [0, 0, 500, 500], "label": "bar"}
    caption(clips, endpoint=serve(json.dumps(ANSWER)).url)
    caption(clips, endpoint=serve(json.dumps([part])).url, task="tracking")

    operator("clear_audit")(clips)

    assert set(clips.get_field_schema()) == before
    assert "qwen3vl_objects" not in clips.get_frame_field_schema()
