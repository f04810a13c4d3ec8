"""Fields: ours are marked, a person's are left alone, nulls do not stop a stage."""

import threading

import fiftyone as fo
from fiftyone.plugins.orgs.second_opinion.audit.engine import fields
from fiftyone.plugins.orgs.second_opinion.audit.engine.columns import write_columns


def test_only_declared_fields_are_ours(dataset):
    dataset.add_sample(fo.Sample(filepath="/tmp/a.jpg", mine=1.0))
    made = fields.declare(dataset, "stage", {"score": (fo.FloatField, "a score")})
    assert made == ["score"]
    assert fields.owned(dataset) == {"score": "stage"}
    assert fields.not_ours(dataset, ["mine", "score", "absent"]) == ["mine"]
    assert dataset.get_field("score").description == "a score"


def test_fiftyones_own_fields_and_other_types_are_unfit(dataset):
    dataset.add_sample(fo.Sample(filepath="/tmp/a.jpg", mine=1.0))
    wanted = dict.fromkeys(["filepath", "mine", "absent"], (fo.StringField, ""))
    assert fields.unfit(dataset, wanted) == ["filepath", "mine"]


def test_a_status_can_be_written_where_a_merge_left_null(dataset):
    dataset.add_samples([fo.Sample(filepath=f"/tmp/{i}.jpg") for i in range(3)])
    fields.declare_status(dataset, "stage")
    dataset.set_values(fields.STATUS, [None] * 3)
    fields.declare_status(dataset, "stage")
    write_columns(dataset, dataset.values("id"), {"audit_status.stage": ["ok"] * 3})
    assert dataset.values("audit_status.stage") == ["ok"] * 3


def test_what_one_stage_did_is_forgotten_and_nothing_else(dataset):
    dataset.add_samples([fo.Sample(filepath=f"/tmp/{i}.jpg") for i in range(3)])
    for stage in ("one", "other"):
        fields.declare_status(dataset, stage)
        write_columns(dataset, dataset.values("id"), {f"audit_ledger.{stage}": ["done"] * 3})
    fields.forget(dataset, "one")
    held = dataset.values(["audit_ledger.one", "audit_ledger.other"])
    assert held == ([None] * 3, ["done"] * 3)


def test_labels_and_frames_fields_are_made_marked_and_recognised(dataset):
    dataset.add_sample(fo.Sample(filepath="/tmp/a.mp4"))
    wanted = {
        "events": (fo.TemporalDetections, "what happens"),
        "frames.boxes": (fo.Detections, "where things are"),
    }
    assert fields.declare(dataset, "caption", wanted) == ["events", "frames.boxes"]
    assert dataset.get_field("events").document_type is fo.TemporalDetections
    assert dataset.get_frame_field_schema()["boxes"].document_type is fo.Detections
    assert fields.owned(dataset) == {"events": "caption", "frames.boxes": "caption"}
    assert fields.not_ours(dataset, wanted) == []
    assert fields.unfit(dataset, wanted) == []
    other = {"events": (fo.Detections, ""), "frames.boxes": (fo.StringField, "")}
    assert fields.unfit(dataset, other) == ["events", "frames.boxes"]


def test_fields_are_there_though_the_app_loads_the_dataset_anew_meanwhile(dataset):
    dataset.add_sample(fo.Sample(filepath="a.mp4"))
    done = threading.Event()

    def load():
        while not done.wait(0.005):
            fo.load_dataset(dataset.name, reload=True)

    events = [threading.Thread(target=load) for _ in range(3)]
    for event in events:
        event.start()
    try:
        for number in range(6):  # without care, about every second one fails
            made = fields.declare(dataset, "a_stage", {f"score_{number}": (fo.FloatField, "")})
            assert made == [f"score_{number}"]
            fields.declare_status(dataset, f"stage_{number}")
    finally:
        done.set()
        for event in events:
            event.join()
    dataset.reload()
    for number in range(6):
        assert fields.is_ours(dataset, f"score_{number}")
        assert dataset.get_field(f"{fields.STATUS}.stage_{number}") is not None
