"""Columns: read in order whatever the view, written alike whichever way."""

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine import columns
from fiftyone.plugins.orgs.second_opinion.audit.engine.fields import declare, declare_status


@pytest.fixture
def numbered(dataset):
    dataset.add_samples([fo.Sample(filepath=f"/tmp/{i}.jpg", n=i) for i in range(23)])
    return dataset


@pytest.mark.parametrize("size", [1, 7, 23, 100])
def test_chunks_follow_the_views_order_and_reach_every_sample_once(numbered, size):
    view = numbered.sort_by("n", reverse=True).skip(3)
    chunks = list(columns.read_chunks(view, ["n", "nowhere"], size))
    assert [n for chunk in chunks for n in chunk.columns["n"]] == list(range(19, -1, -1))
    assert {value for chunk in chunks for value in chunk.columns["nowhere"]} == {None}
    assert max(map(len, chunks)) <= size


def test_samples_that_a_write_moves_out_of_the_view_are_still_reached(numbered):
    view = numbered.match(fo.ViewField("n") >= 0)
    seen = []
    for chunk in columns.read_chunks(view, ["n"], 5):
        seen += chunk.columns["n"]
        columns.write_columns(numbered, chunk.ids, {"n": [-1] * len(chunk)})
    assert seen == list(range(23))


def test_a_sample_deleted_meanwhile_is_left_out(numbered):
    chunks = columns.read_chunks(numbered, ["n"], 10)
    first = next(chunks)
    numbered.delete_samples([numbered.last().id])
    assert len(first) + sum(map(len, chunks)) == 22


def test_the_fast_way_and_the_public_way_leave_equal_documents(numbered):
    twin = numbered.clone()
    values = {
        "score": np.linspace(0, 1, 23),
        "text": [None if i % 3 else f"t{i}" for i in range(23)],
        "audit_status.stage": ["ok"] * 23,
        "tags": [["a", "b"]] * 23,
    }
    values["score"][::4] = np.nan
    fields = {"score": (fo.FloatField, ""), "text": (fo.StringField, "")}
    for made in (numbered, twin):
        declare_status(made, "stage")
        declare(made, "stage", fields)
    columns.write_columns(numbered, numbered.values("id"), values)
    plain = {name: [columns._plain(v) for v in column] for name, column in values.items()}
    columns._write_publicly(twin, twin.values("id"), plain)
    try:
        assert bare(numbered) == bare(twin)
        assert numbered.values("score")[:2] == [None, pytest.approx(1 / 22)]
    finally:
        twin.delete()


class Public:
    """A dataset of a FiftyOne without the fast way."""

    def __init__(self, dataset):
        self.set_label_values = dataset.set_label_values


def test_the_fast_way_and_the_public_way_leave_equal_labels(dataset):
    for i in range(3):
        nodes = [fo.TemporalDetection(label=f"{i}{j}", support=[1, 2]) for j in range(i)]
        tree = fo.TemporalDetections(detections=nodes) if i else None
        dataset.add_sample(fo.Sample(filepath=f"/tmp/{i}.mp4", tree=tree))
    path, twin = "tree.detections", dataset.clone()
    owners = [dataset.values("id")[i] for i in (1, 2, 2)]
    labels = dataset.values(f"{path}.id", unwind=True)
    values = {"score": [0.5, float("nan"), np.float32(1)], "word": ["a", None, "b"]}
    for made in (dataset, twin):
        for name, kind in (("score", fo.FloatField), ("word", fo.StringField)):
            made.add_sample_field(f"{path}.{name}", kind)
    columns.write_labels(dataset, path, owners, labels, values)
    columns.write_labels(Public(twin), path, owners, labels, values)
    try:
        assert bare(dataset) == bare(twin)
        assert dataset.values(f"{path}.score") == [None, [0.5], [None, 1.0]]
    finally:
        twin.delete()


def bare(dataset):
    leave_out = {"_id": 0, "last_modified_at": 0, "created_at": 0, "_dataset_id": 0, "_rand": 0}
    return list(dataset._sample_collection.find({}, leave_out))


def test_samples_in_memory_see_what_was_written(numbered):
    declare(numbered, "stage", {"score": (fo.FloatField, "")})
    sample = numbered.first()
    columns.write_columns(numbered, [sample.id], {"score": [0.5]})
    assert sample.score == 0.5
