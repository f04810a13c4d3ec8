"""The annotations: the published schema, sound trees, and errors that only the truth file knows."""

import json

import pyarrow.parquet as pq
import pytest

from demo.annotations import annotate, write_annotations
from demo.errors import KINDS
from demo.scenes import make_scenes


@pytest.fixture(scope="module")
def many():
    return make_scenes(80)


@pytest.fixture(scope="module")
def written(many, tmp_path_factory):
    """The rows of the file, the truth, and what was planted."""
    folder = tmp_path_factory.mktemp("annotations")
    planted = write_annotations(many, folder / "a.parquet", folder / "truth" / "truth.json")
    rows = {row["video_uid"]: row for row in pq.read_table(folder / "a.parquet").to_pylist()}
    return rows, json.loads((folder / "truth" / "truth.json").read_text()), planted


def test_the_schema_is_the_published_one(many, tmp_path, shared_data):
    write_annotations(many[:2], tmp_path / "a.parquet", tmp_path / "truth.json")
    published = pq.read_schema(shared_data / "action100m_dev.parquet")
    assert pq.read_schema(tmp_path / "a.parquet").remove_metadata() == published.remove_metadata()


def test_every_annotation_is_a_tree_whose_branches_lie_within_their_parents(many):
    for scene in many:
        nodes = {node["node_id"]: node for node in annotate(scene)["nodes"]}
        roots = [node for node in nodes.values() if node["parent_id"] is None]
        assert len(roots) == 1
        assert roots[0]["start"] == 0
        assert scene.duration - 0.01 < roots[0]["end"] <= scene.duration
        for node in nodes.values():
            parent = nodes.get(node["parent_id"])
            if parent:
                assert node["level"] == parent["level"] + 1
                assert parent["start"] <= node["start"] < node["end"] <= parent["end"]


def test_some_trees_have_grandchildren(many):
    assert {max(n["level"] for n in annotate(scene)["nodes"]) for scene in many} == {1, 2}


def test_title_cards_have_no_action(many):
    idle = next(scene for scene in many if not scene.acted)
    for node in annotate(idle)["nodes"]:
        if node["gpt"]:
            assert set(node["gpt"]["action"].values()) == {"N/A"}
            assert node["gpt"]["summary"]["detailed"] != "N/A"


def test_as_many_are_wrong_as_was_asked_for(many, written):
    _, truth, planted = written
    assert len(planted) == round(0.2 * len(many))
    assert {uid: known["kind"] for uid, known in truth.items() if known["kind"]} == planted


def test_all_kinds_of_errors_are_planted_about_evenly(written):
    _, _, planted = written
    counts = [list(planted.values()).count(kind) for kind in KINDS]
    assert min(counts) >= 3
    assert max(counts) - min(counts) <= 1


def test_only_roots_of_planted_clips_are_untrue(many, written):
    rows, truth, planted = written
    for scene in many:
        honest = annotate(scene)["nodes"]
        nodes = rows[scene.uid]["nodes"]
        assert (nodes[0]["gpt"] != honest[0]["gpt"]) == (scene.uid in planted)
        assert [node["gpt"] for node in nodes[1:]] == [node["gpt"] for node in honest[1:]]
        assert bool(truth[scene.uid]["aspects"]) == (scene.uid in planted)


def test_clips_that_show_only_a_part_are_not_planted(many, written):
    _, _, planted = written
    cut = {scene.uid for scene in many if scene.shown < scene.duration}
    assert cut
    assert not cut & set(planted)


def test_the_dataset_holds_no_trace_of_what_is_wrong(written):
    rows, _, _ = written
    keys = {key for row in rows.values() for key in (*row, *row["metadata"])}
    assert keys == {
        *("video_uid", "metadata", "nodes", "title", "description", "view_count"),
        *("like_count", "duration", "upload_date", "transcript"),
    }


def test_the_same_seed_writes_the_same(many, tmp_path):
    for name in ("one", "two"):
        write_annotations(many[:8], tmp_path / f"{name}.parquet", tmp_path / f"{name}.json")
    one, two = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("one", "two"))
    assert one.equals(two)
