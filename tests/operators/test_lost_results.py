"""Results that somebody deleted or cleared are made again by the next run, and nothing else is."""

import json

import fiftyone as fo
import numpy as np
import pytest

ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one", "b": "two"}}]
FRAMES = {"fps": 5.0, "max_frames": 2, "max_pixels": 48 * 32, "batch_size": 2}
VECTORS = ("vec", "label_embeddings")
_PASSING = ("created_at", "last_modified_at")

#: Of each stage, how many samples its report says that it did.
DONE = {
    "hoist_labels": lambda report: report["written"],
    "read_opinions": lambda report: _read_again(report),
    "score_agreement": lambda report: report["scored"],
    "check_tree": lambda report: report["checked"],
    "embed": lambda report: report["embedded"] + report["missing"],
    # an answer that is still there is read again, and its witness not asked
    "caption": lambda report: report["answered"] + _read_again(report.get("answers")),
}
CASES = {
    "hoist": ("hoist_labels", {"fields": {"tree": "root"}}, ["root"]),
    "read": (
        "read_opinions",
        {"prefix": "q", "source_field": "said"},
        ["q_summary_brief", "q_summary_detailed", "q_action_actor", "q_raw"],
    ),
    "scores": (
        "score_agreement",
        {"aspects": ASPECTS},
        ["lex_a_cap", "sup_ab_cap", "sup_all_cap"],
    ),
    "tree": ("check_tree", {"field": "tree"}, ["tree_score_tree", "tree_faults_tree"]),
    "texts": ("embed", {"source_field": "label"}, ["label_embeddings"]),
    "clips": ("embed", {"embeddings_field": "vec", **FRAMES}, ["vec"]),
    "captions": ("caption", {"prefix": "c", **FRAMES}, ["c_raw", "c_frames", "c_summary_brief"]),
    "words": (
        "caption",
        {"prefix": "d", "task": "description", **FRAMES},
        ["d_description_raw", "d_summary"],
    ),
}


@pytest.fixture
def told(clips, checkpoint, servers):
    """Films with texts, trees and answers, some of them missing; and how each stage is to run."""
    for i, sample in enumerate(clips.iter_samples(autosave=True)):
        sample["label"] = f"A dog runs past tree number {i}."
        sample["one"] = None if i == 3 else f"A dog sits under tree number {i}."
        sample["two"] = "N/A" if i == 5 else f"A cat climbs a tree, the {i}th of them."
        answer = {"summary": {"brief": f"Dog {i}.", "detailed": f"Dog {i} runs."}}
        if i != 6:
            answer["action"] = {"brief": "run", "detailed": "run fast", "actor": "dog"}
        sample["said"] = json.dumps(answer) if i != 2 else None
        nodes = [("r", None, 0, 0, 9), ("m", "r", 1, 0, 4), ("n", "r", 1, 5, 9)]
        nodes += [("x", "m", 2, 0, 2), ("y", "n", 2, 5, 7)]
        sample["tree"] = fo.TemporalDetections(
            detections=[
                fo.TemporalDetection(
                    label=f"{node} of {i} {'runs ' * level}", support=[start + 1, end + 1],
                    node_id=node, parent_id=parent, level=level,
                    tier="leaf" if parent else "root", start=float(start), end=float(end),
                )
                for node, parent, level, start, end in nodes
                if i != 7 or node != "r"
            ]
        )  # fmt: skip
    answer = {"summary": {"brief": "Bars.", "detailed": "Bars move."}}
    answer["action"] = {"brief": "move", "detailed": "move slowly", "actor": "bars"}
    with servers.Server(says=lambda body: json.dumps(answer)) as server:
        with_lens = {"model": checkpoint("siglip2")}
        yield clips, {"clips": with_lens, "texts": {"model": checkpoint("bert")}, **{
            name: {"endpoint": server.url} for name in ("captions", "words")
        }}  # fmt: skip


def _read_again(report):
    return report["samples"] - report["up_to_date"] if report else 0


def documents(dataset):
    """What is stored of each sample, less times, and its vectors apart."""
    found = []
    for document in dataset._sample_collection.find().sort("filepath"):
        vectors = {name: document.pop(name, None) for name in VECTORS}
        kept = {k: v for k, v in document.items() if k not in _PASSING and v is not None}
        found.append((kept, vectors))
    return found


def assert_same(before, after):
    for (plain, vectors), (plain_after, vectors_after) in zip(before, after, strict=True):
        assert plain == plain_after
        for name, vector in vectors.items():
            other = vectors_after[name]
            assert (vector is None) == (other is None), name
            if vector is not None:
                left, right = (fo.VectorField().to_python(v) for v in (vector, other))
                np.testing.assert_allclose(left, right, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_what_was_deleted_or_cleared_is_made_again_and_nothing_else(told, operator, case):
    dataset, more = told
    stage, settings, fields = CASES[case]

    def run():
        report = operator(stage)(dataset, **settings, **more.get(case, {}))
        return DONE[stage](report)

    run()
    before = documents(dataset)
    assert run() == 0
    had = {field: len(dataset.exists(field)) for field in fields}
    assert all(had.values())
    dataset.delete_sample_field(fields[0])
    assert run() >= had[fields[0]]
    assert_same(before, documents(dataset))
    for field in fields:
        dataset.clear_sample_field(field)
        assert run() == had[field], field
        assert_same(before, documents(dataset))
    dataset.exists(fields[-1]).limit(2).clear_sample_field(fields[-1])
    assert run() == min(2, had[fields[-1]])
    assert_same(before, documents(dataset))
    assert run() == 0


def test_a_brain_field_costs_no_new_embedding_and_is_filled_again(told, operator):
    dataset, more = told
    given = {**CASES["clips"][1], **more["clips"]}
    assert operator("embed")(dataset, **given)["embedded"] == 8
    given["brain"] = ["uniqueness"]
    assert operator("embed")(dataset, **given)["embedded"] == 0
    before = dataset.values("vec_uniqueness")
    assert None not in before
    for lose in (dataset.clear_sample_field, dataset.delete_sample_field):
        lose("vec_uniqueness")
        assert operator("embed")(dataset, **given)["embedded"] == 0
        assert dataset.values("vec_uniqueness") == pytest.approx(before, abs=1e-5)
