"""Stages that need no second model, or judge the audit itself."""

import fiftyone as fo
import pytest

ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one"}}]
NUMBERS = ["two", "three", "four", "five", "six", "seven"]
WHAT = ["dogs", "boats", "kites", "chairs", "drums", "lamps", "bottles"]
WHERE = ["beach", "kitchen", "market", "garden", "station"]


@pytest.fixture
def captions(dataset):
    rows = [(NUMBERS[i % 6], WHAT[i % 7], WHERE[i % 5]) for i in range(42)]
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/tmp/{i}.jpg",
                title=f"{where} {what} {i}",
                label=f"A man holds {n} {what} on the {where}.",
                one=f"There is a man with {n} {what} at the {where}.",
            )
            for i, (n, what, where) in enumerate(rows)
        ]
    )
    return dataset


def documents(dataset):
    return list(dataset._sample_collection.find({}))


def test_planted_errors_are_noticed_and_no_sample_is_changed(captions, operator):
    before = documents(captions)
    report = operator("self_test")(captions, aspects=ASPECTS, kinds=["other_clip", "number"])
    assert documents(captions) == before
    rows = {row["kind"]: row for row in report["detection"]}
    assert rows["other_clip"]["planted"] > 35
    assert rows["other_clip"]["auroc sup"] > 0.9
    assert rows["number"]["auroc sup"] > 0.5
    recalls = [row["recall at 5% false alarms"] for row in rows.values()]
    assert all(0 <= recall <= 1 for recall in recalls)
    told = [line.split(": ") for line in report["summary"] if ": at 5% false alarms" in line]
    assert [kind for kind, _ in told] == sorted(
        rows, key=lambda kind: rows[kind]["recall at 5% false alarms"]
    )
    assert all(f"% of {rows[kind]['planted']} in cap (AUROC " in line for kind, line in told)


def test_labels_that_are_probably_wrong_hide_no_errors(captions, operator):
    texts = captions.values("label")
    wrong = [i % 4 == 0 for i in range(42)]
    moved = [texts[(i + 1) % 42] if w else texts[i] for i, w in enumerate(wrong)]
    captions.set_values("label", moved)
    test = lambda: operator("self_test")(captions, aspects=ASPECTS, kinds=["number"])  # noqa: E731
    recall = lambda report: report["detection"][0]["recall at 5% false alarms"]  # noqa: E731
    blind = test()
    assert any("In cap false alarms are counted among all labels" in s for s in blind["summary"])

    captions.set_values("confidence_cap", [0.02 if w else 0.98 for w in wrong])
    weighed = test()
    assert weighed["trust"] == [{"aspect": "cap", "weighed": 42, "expected wrong": 11.4}]
    assert any("expect, 11 of 42 in cap" in s for s in weighed["summary"])
    assert recall(weighed) > recall(blind) + 0.2


def test_what_cannot_be_planted_is_said_not_scored(captions, operator):
    report = operator("self_test")(captions, aspects=ASPECTS, kinds=["other_segment"])
    assert report["detection"] == [{"aspect": "cap", "kind": "other_segment", "planted": 0}]
    assert any("other_segment (0 of the 10 needed)" in line for line in report["summary"])
    with pytest.raises(ValueError, match="no 'colour'; there are other_clip"):
        operator("self_test")(captions, aspects=ASPECTS, kinds=["colour"])


def test_a_text_on_many_unlike_clips_is_stuck(captions, operator):
    ids = captions.values("id")
    text = (
        "A person with short hair and a dark shirt is talking to the camera in a room, while "
        "behind them a shelf with books, a plant and a small lamp can be seen against the wall."
    )
    captions.set_values("one", dict.fromkeys(ids[:5], text), key_field="id")
    captions.set_values("one", {ids[5]: text.replace("wall", "curtain")}, key_field="id")
    report = operator("find_stuck_captions")(captions, fields=["one"])
    stuck = captions.values("stuck_captions")
    assert stuck[:6] == [["one"]] * 6 and not any(stuck[6:])
    assert (report["stuck"][0]["clips"], report["stuck"][0]["word for word"]) == (6, 5)


def test_a_text_on_clips_that_are_alike_is_not_stuck(captions, operator):
    ids = captions.values("id")
    captions.set_values("one", dict.fromkeys(ids[:5], "The same goal again."), key_field="id")
    captions.set_values("title", dict.fromkeys(ids[:5], "goal replay cup final"), key_field="id")
    report = operator("find_stuck_captions")(captions, fields=["one"])
    assert report["hit"] == 0 and report["summary"][0].startswith("0 stuck texts in one, on 0 of")


def node(name, parent, label, start, end):
    return fo.TemporalDetection(
        label=label, support=[1, 9], node_id=name, parent_id=parent, start=start, end=end
    )


def test_a_child_under_the_wrong_parent_and_a_repeated_text_are_found(dataset, operator):
    nodes = [
        node("r", None, "A day: cooking soup, then playing football.", 0.0, 100.0),
        node("a", "r", "A woman cooks vegetable soup in a kitchen.", 0.0, 50.0),
        node("b", "r", "Children play football on a field.", 50.0, 100.0),
        node("a1", "a", "She chops onions for the soup.", 0.0, 25.0),
        node("a2", "a", "A child kicks the ball into the goal.", 25.0, 50.0),
        node("b1", "b", "A boy passes the football.", 50.0, 70.0),
        node("b2", "b", "A boy passes the football.", 75.0, 100.0),
    ]
    tree = fo.TemporalDetections(detections=nodes)
    dataset.add_sample(fo.Sample(filepath="/tmp/a.mp4", tree=tree), dynamic=True)
    dataset.add_sample(fo.Sample(filepath="/tmp/b.mp4"))
    before = set(dataset.get_field_schema(flat=True))
    report = operator("check_tree")(dataset, field="tree")
    found = {d.node_id: d for d in dataset.first().tree.detections}
    assert found["a1"].tree_fit == 1.0 and found["a2"].tree_fit == 0.0
    assert [n for n, d in found.items() if d.tree_repeats] == ["b1", "b2"]
    assert found["b2"].tree_gap == 5.0
    assert dataset.values("tree_score_tree")[1] is None
    assert report["judged"] == 1 and report["repeats"] == 2
    again = operator("check_tree")(dataset, field="tree")
    assert (report["checked"], again["checked"]) == (2, 0)
    assert [again[name] for name in ("judged", "repeats", "faults")] == [
        report[name] for name in ("judged", "repeats", "faults")
    ]
    operator("clear_audit")(dataset)
    assert set(dataset.get_field_schema(flat=True)) == before
    assert "tree_fit" not in dataset._sample_collection.find_one()["tree"]["detections"][0]


def test_segments_that_are_no_trees_are_refused_before_any_work(dataset, operator):
    spans = [fo.TemporalDetection(label="A dog runs.", support=[1, 9]) for _ in range(6)]
    dataset.add_sample(
        fo.Sample(filepath="/tmp/a.mp4", events=fo.TemporalDetections(detections=spans))
    )
    fields = set(dataset.get_field_schema(flat=True))
    with pytest.raises(ValueError, match="labels of 'events' have no parent_id.*no trees"):
        operator("check_tree")(dataset, field="events")
    assert set(dataset.get_field_schema(flat=True)) == fields
    nodes = [node("r", None, "A day.", 0.0, 9.0), node("a", "r", "A meal.", 0.0, 5.0)]
    dataset.add_sample(  # its attributes are not declared
        fo.Sample(filepath="/tmp/b.mp4", events=fo.TemporalDetections(detections=nodes))
    )
    assert operator("check_tree")(dataset, field="events")["nodes"] == 8
