"""Hoisting: the right segment's label, or a reason why there is none."""

import fiftyone as fo
import pytest


def segments(*rows):
    return fo.TemporalDetections(
        detections=[
            fo.TemporalDetection(label=label, support=[1, 5], level=level, tier=tier)
            for label, level, tier in rows
        ]
    )


@pytest.fixture
def trees(dataset):
    trees = [
        segments(("whole", 0, "root"), ("part", 1, "leaf")),
        segments(("one", 0, "root"), ("two", 0, "root")),
        segments(("part", 1, "leaf")),
        None,
    ]
    dataset.add_samples(
        [fo.Sample(filepath=f"/tmp/{i}.mp4", tree=tree) for i, tree in enumerate(trees)]
    )
    return dataset


def test_the_root_label_is_hoisted_and_two_roots_are_reported(trees, operator):
    report = operator("hoist_labels")(trees, fields={"tree": "caption"})
    assert trees.values("caption") == ["whole", None, None, None]
    assert trees.values("audit_status.hoist_labels") == ["ok", "missing", "missing", "missing"]
    assert trees.values("audit_status.hoist_labels_why") == [
        None,
        "caption: root segment not unique",
        "caption: no root segment",
        "caption: no segments",
    ]
    assert report["fields"][0]["hoisted"] == 1
    assert report["fields"][0]["missing"] == 3


def test_a_level_takes_the_place_of_the_tier(trees, operator):
    operator("hoist_labels")(trees, fields={"tree": "caption"}, level=1)
    assert trees.values("caption") == ["part", None, "part", None]


def test_a_second_run_and_a_changed_tree_leave_the_newest_label(trees, operator):
    hoist = operator("hoist_labels")
    hoist(trees, fields={"tree": "caption"})
    first = trees.first()
    first.tree.detections[0].label = "changed"
    first.save()
    hoist(trees, fields={"tree": "caption"})
    assert trees.first().caption == "changed"


def test_only_the_views_samples_are_written(trees, operator):
    operator("hoist_labels")(trees.skip(1), fields={"tree": "caption"})
    assert trees.values("caption") == [None] * 4
    assert trees.values("audit_status.hoist_labels")[0] is None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"fields": {"nowhere": "caption"}}, "has no field 'nowhere'"),
        ({"fields": {"filepath": "caption"}}, "holds no list of labelled segments"),
        ({"fields": {"tree": "filepath"}}, "'filepath' cannot hold"),
        ({"fields": {"tree": "mine"}}, "did not write"),
        ({"fields": {"tree": "not a name"}}, "cannot be the name of a field"),
        ({"fields": {}}, "at least one pair"),
        ({"fields": {"tree": "caption"}, "level": -1}, "not at least 0"),
        ({"feilds": {"tree": "caption"}}, "no setting 'feilds'"),
    ],
)
def test_bad_settings_are_refused_before_any_work(trees, operator, settings, sentence):
    trees.set_values("mine", ["kept"] * 4)
    with pytest.raises(ValueError, match=sentence):
        operator("hoist_labels")(trees, **settings)
    assert trees.values("mine") == ["kept"] * 4
    assert "audit_status" not in trees.get_field_schema()


def test_a_second_run_writes_only_what_changed(trees, operator):
    hoist = operator("hoist_labels")
    assert hoist(trees, fields={"tree": "caption"})["written"] == 4
    trees.set_values("caption", ["mine", None, None, None])
    again = hoist(trees, fields={"tree": "caption"})
    assert (again["written"], again["fields"][0]["hoisted"]) == (0, 1)
    assert "0 of 4 samples were written; 4 were already up to date." in again["summary"]
    assert trees.first().caption == "mine"  # nobody asked for it to be made again

    unseen, seen = trees.first(), trees.last()
    unseen.tree.detections[1].label = "a leaf, which is not hoisted"
    seen.tree = segments(("new", 0, "root"))
    unseen.save()
    seen.save()
    assert hoist(trees, fields={"tree": "caption"})["written"] == 1
    assert trees.values("caption") == ["mine", None, None, "new"]

    assert hoist(trees, fields={"tree": "caption"}, level=1)["written"] == 4
    assert trees.values("caption")[0] == "a leaf, which is not hoisted"


def test_overwriting_and_a_field_that_was_deleted_hoist_everything_again(trees, operator):
    hoist = operator("hoist_labels")
    hoist(trees, fields={"tree": "caption"})
    trees.set_values("caption", ["mine", None, None, None])
    assert hoist(trees, fields={"tree": "caption"}, overwrite=True)["written"] == 4
    assert trees.first().caption == "whole"
    trees.delete_sample_field("caption")
    assert hoist(trees, fields={"tree": "caption"})["written"] == 4
    assert trees.first().caption == "whole"
