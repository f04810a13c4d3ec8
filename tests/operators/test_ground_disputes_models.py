"""Ground disputes with models: vectors, chat models, points and rerankers, here and served."""

import base64
import io

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from tests.operators.walls import ASPECT, CLIPS, COLOURS, FRAMES, NAMES, WRONG, by_place


def test_stored_vectors_cut_a_dispute_for_the_whole_dataset(disputes, operator, checkpoint):
    model = checkpoint("qwen3_vl")
    frames = {"fps": 2.0, "max_frames": 2, "max_pixels": 64 * 64}
    operator("embed")(disputes, lens="visual", model=model, **frames)
    how = {"aspect": "cap", "aspects": [ASPECT], "methods": ["cosine"], "which": "all"}

    report = operator("ground_disputes")(disputes, **how)

    (row,) = report["judges"]
    assert row["statements"] + row["missing"] == 3 * CLIPS
    assert row["over_black"] is None  # vectors have no black frames
    assert report["refused"] == CLIPS  # random weights tell nothing, and that is found out
    assert "cosine" in disputes.first()["ruling_cap_by"]


def test_images_are_ruled_by_their_vectors_alone_and_the_form_says_so(
    dataset, operator, checkpoint, tmp_path
):
    for i in range(12):
        name = NAMES[i % len(NAMES)]
        Image.new("RGB", (32, 32), tuple(COLOURS[name])).save(tmp_path / f"{i}.png")
        texts = {"gt": f"A {name} wall.", "one": f"The wall is {name}.", "two": "A wall."}
        dataset.add_sample(fo.Sample(filepath=str(tmp_path / f"{i}.png"), **texts))
    how = {"aspect": "cap", "which": "all"}
    how["aspects"] = [{"name": "cap", "annotation": "gt", "opinions": {"a": "one", "b": "two"}}]
    with pytest.raises(ValueError, match="yes and pointing watch videos, .* images. There only"):
        operator("ground_disputes")(dataset, **how)
    assert "ruling_cap" not in dataset.get_field_schema()
    operator("embed")(dataset, lens="visual", model=checkpoint("siglip2"))

    report = operator("ground_disputes")(dataset, methods=["cosine"], **how)

    assert (report["disputed"], report["failures"]) == (12, [])
    assert [len(told["asked"]) for told in dataset.values("grounding_cap_cosine")] == [3] * 12


def test_segments_are_embedded_where_they_have_no_vectors_yet(segmented, operator, checkpoint):
    how = {"aspect": "cap", "aspects": [ASPECT], "methods": ["cosine"], "which": "all"}
    how |= {"segments": "gt", "cosine_model": checkpoint("qwen3_vl")}
    how |= {"fps": 2.0, "max_frames": 2, "max_pixels": 64 * 64}

    report = operator("ground_disputes")(segmented, **how)

    paths = [f"gt.detections.{name}" for name in ("qwen_embeddings", "grounding_cap_cosine")]
    vectors, answers = (segmented.values(path, unwind=True) for path in paths)
    assert all(np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4) for vector in vectors)
    assert len({tuple(vector) for vector in vectors}) >= len(NAMES)  # each film's own
    (row,) = report["judges"]
    assert row["judged"] == len(answers) == 2 * CLIPS
    assert row["statements"] > 2 * CLIPS  # with a wrong video each
    assert report["failures"] == []

    # only what has changed is embedded again
    broken = segmented.first()
    broken.filepath = broken.filepath.replace(".mp4", "-gone.mp4")
    broken.save()
    path = "gt.detections.qwen_embeddings_made_from"
    before = segmented.values(path)
    report = operator("ground_disputes")(segmented, **how)
    assert sum(row["samples"] for row in report["failures"]) == 2
    assert segmented.values(path) == before
    assert segmented.first()["audit_status.ground_disputes_gt_cap_cosine"] == "failed"

    operator("clear_audit")(segmented)
    assert segmented.get_field("gt.detections.qwen_embeddings") is None


def test_segments_are_embedded_as_the_clips_were(segmented, operator, checkpoint):
    frames = {"fps": 2.0, "max_frames": 2, "max_pixels": 64 * 64}
    few, model = segmented.limit(4), checkpoint("qwen3_vl")
    operator("embed")(few, lens="visual", model=model, **frames)
    how = {"aspect": "cap", "aspects": [ASPECT], "methods": ["cosine"], "segments": "gt"}

    operator("ground_disputes")(few, which="all", references=0, **how, **frames)

    told = few.first().gt.detections[0]["ruling_cap_by"]
    assert told.startswith("cosine: ") and "local-" in told
    whole = np.array(few.first()["qwen_embeddings"])
    part = few.first().gt.detections[0]["qwen_embeddings"]
    assert np.dot(whole, part) / np.linalg.norm(whole) > 0.9  # one wall, one colour


def test_a_chat_model_judges_and_points_and_its_points_are_kept(disputes, operator, servers):
    def says(body):
        words, _ = servers.words_of(body)
        if words.startswith("Point to"):
            return '<points coords="0.5 1 250 500">it</points>'
        if "Description: " in words:
            return '{"claims": [{"text": "A wall.", "kind": "who", "needs": [], "target": "wall"}]}'
        return "Yes"

    few = disputes.limit(4)
    with servers.Server(says=says) as server:
        how = {"endpoint": server.url, "model": "tiny", "pointing_model": "tiny", "windows": 1}
        how |= {"aspect": "cap", "aspects": [ASPECT], "which": "all", "references": 0}
        report = operator("ground_disputes")(few, methods=["yes", "pointing"], **FRAMES, **how)

    assert report["told"]["yes"]["constrained"] is True
    assert "Claims were cut by tiny (served at 127.0.0.1)" in report["summary"][1]
    assert report["refused"] == 4  # it says Yes to everything
    frame = few.first().frames[4]  # at half a second of six frames a second
    (point,) = frame["grounding_points"].keypoints
    assert (point.label, point.index) == ("wall", 1)
    assert list(map(list, point.points)) == [[0.25, 0.5]]
    (claim,) = {c["text"] for c in few.first()["ruling_cap_details"]["claims"]}
    assert claim == "A wall."


def test_a_served_reranker_rules(disputes, operator, servers):
    def ranks(body):
        parts = body["query"]["content"] if isinstance(body["query"], dict) else []
        pictures = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        seen = colour_of(pictures[0]) if pictures else None
        scores = [0.9 if seen and seen in words else 0.1 for words in body["documents"]]
        return {"results": [{"index": i, "relevance_score": s} for i, s in enumerate(scores)]}

    with servers.Server(ranks=ranks, models=("ranker",)) as server:
        how = {"rerank_endpoint": server.url, "rerank_model": "ranker", "split_by": "rules"}
        how |= {"aspect": "cap", "aspects": [ASPECT], "windows": 1}
        report = operator("ground_disputes")(disputes, methods=["rerank"], **FRAMES, **how)

    assert (report["overruled"], report["upheld"], report["disputed"]) == (10, 1, 11)
    assert disputes.match_tags("overruled").values("place") == list(WRONG)
    assert by_place(disputes, "ruling_cap_by")[0] == "rerank: ranker (served at 127.0.0.1)"


def colour_of(url):
    """The colour of a wall, from a picture as it travels to a server."""
    data = base64.b64decode(url.partition("base64,")[2])
    middle = np.asarray(Image.open(io.BytesIO(data))).reshape(-1, 3).mean(axis=0)
    if middle.max() < 20:
        return None
    return min(NAMES, key=lambda name: np.abs(middle - COLOURS[name]).sum())


def test_a_tiny_model_judges_end_to_end_with_one_encoded_clip(disputes, operator, checkpoint):
    few = disputes.limit(3)
    how = {"methods": ["yes"], "model": checkpoint("qwen3_vl"), "split_by": "rules"}
    how |= {"aspect": "cap", "aspects": [ASPECT], "which": "all", "references": 0, "windows": 2}

    report = operator("ground_disputes")(few, **FRAMES, **how)

    assert report["told"]["yes"]["shared"] is True
    assert 0 <= report["told"]["yes"]["answered"] <= 1
    (row,) = report["judges"]
    assert row["judged"] == 3 and row["statements"] > 12
    assert "local-" in few.first()["ruling_cap_by"]
