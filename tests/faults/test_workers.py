"""Many workers, one dataset: parts that never overlap, the same bits, and readers undisturbed."""

import json
import sys
import time

import fiftyone as fo
import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionRunState
from fiftyone.plugins.orgs.second_opinion.audit.engine import ray_runner
from fiftyone.plugins.orgs.second_opinion.audit.engine.shards import between, cut

_WHY = "the checkout's root is not on the path"
killing = pytest.importorskip("tests.faults.killing", reason=_WHY)
killing_workers = pytest.importorskip("tests.faults.killing_workers", reason=_WHY)

ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one"}}]
SCORES = ["lex_a_cap", "sem_a_cap", "sup_a_cap", "sup_all_cap"]
KEPT = [*SCORES, "audit_status.score_agreement", "audit_ledger.score_agreement"]


@pytest.fixture
def captions(dataset):
    dataset.persistent = True
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/none/{i}.mp4",
                label=f"A dog {'runs ' * (i % 9)}past tree number {i % 17}.",
                one=None if i % 7 == 0 else f"A dog {'sits ' * (i % 5)}under tree number {i % 13}.",
            )
            for i in range(230)
        ]
    )
    return dataset


@pytest.fixture
def clips(captions, films, tmp_path):
    """The same, with what every stage needs that can be shared: films, trees and raw answers."""
    more = range(230, 1_050)  # texts are embedded a thousand at a time
    captions.add_samples([fo.Sample(filepath=f"/none/{i}.mp4", label=f"Dog {i}") for i in more])
    paths, trees, answers = captions.values("filepath"), [], []
    for i, label in enumerate(captions.values("label")):
        if i < 9:
            paths[i] = films.write(tmp_path / f"{i}.mp4", 8 + i)
        nodes = [("r", None, label, 0, [1, 9]), ("l", "r", f"Tree {i % 3}", 1, [1, 4])]
        trees.append(
            fo.TemporalDetections(
                detections=[
                    fo.TemporalDetection(
                        label=said, support=support, node_id=node, parent_id=parent, level=level,
                        tier="leaf" if parent else "root", start=0.0, end=float(4 - level),
                    )
                    for node, parent, said, level, support in nodes
                ]
            )
        )  # fmt: skip
        answers.append(json.dumps({"summary": {"brief": label}}) if i % 4 else "no answer")
    captions.set_values("filepath", paths)
    captions.set_values("tree", trees, dynamic=True)
    captions.set_values("said", answers)
    return captions


QUICK, SLOW = ("captions",), ("clips", "hoist", "read", "tree", "texts")


def spread_stages(checkpoint):
    """Each stage that can be shared, with settings: ``{name: (stage, samples, settings)}``."""
    frames = {"fps": 5.0, "max_frames": 2, "max_pixels": 48 * 32, "batch_size": 2}
    witness = {"prefix": "w", "task": "custom", "prompt": "What?", "max_new_tokens": 4}
    return {
        "hoist": ("hoist_labels", 230, {"fields": {"tree": "hoisted"}}),
        "read": ("read_opinions", 230, {"prefix": "q", "source_field": "said"}),
        "tree": ("check_tree", 60, {"field": "tree"}),
        "texts": ("embed", 1_050, {"model": checkpoint("bert"), "source_field": "label"}),
        "clips": (
            "embed", 10, {"model": checkpoint("siglip2"), "embeddings_field": "vec", **frames},
        ),
        "captions": ("caption", 10, {"model": checkpoint("qwen3_vl"), **witness, **frames}),
        "scores": ("score_agreement", 230, {"aspects": ASPECTS}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def ray():
    """One cluster for all tests that need one, for it takes long to start."""
    pytest.importorskip("ray.data", reason="pip install ray[data] to run this")
    import ray

    yield ray
    ray.shutdown()


@pytest.fixture
def workers():
    """Starts real workers, which end with the test."""
    started = []

    def start(count):
        started.extend(killing_workers.Worker() for _ in range(count))

    yield start
    for worker in started:
        worker.kill()


@pytest.mark.parametrize(("count", "block"), [(1, 1), (3, 1), (3, 50), (300, 1), (5, 1000)])
def test_parts_cover_every_sample_once(captions, count, block):
    view = captions.sort_by("label", reverse=True).limit(211)
    parts = [between(view, *bounds).values("id") for bounds in cut(view, count, block)]
    assert len(parts) <= count and all(parts)
    assert sorted(i for part in parts for i in part) == sorted(view.values("id"))
    assert all(len(part) % block == 0 for part in parts[:-1])


@pytest.mark.parametrize("names", [QUICK, pytest.param(SLOW, marks=pytest.mark.long)])
def test_two_workers_leave_the_bits_that_one_leaves_and_a_reader_sees_whole_samples(
    clips, operator, workers, until, checkpoint, names
):
    alone, queued = clips.clone(), {}
    stages = {name: spread_stages(checkpoint)[name] for name in (*names, "scores")}
    for name, (stage, count, settings) in stages.items():
        run = operator(stage)
        queued[name] = run(clips.limit(count), **settings, shards=2, delegate=True)
        assert len(queued[name]) == 2
    workers(2)
    service, seen = DelegatedOperationService(), set()
    scores = queued["scores"]  # queued last, and so done first

    def finished(operations):
        for scores, done in zip(clips.values("lex_a_cap"), clips.values(KEPT[-1])):
            seen.add((scores is not None, done is not None))
        return set(killing_workers.states(operations)) == {ExecutionRunState.COMPLETED}

    until(lambda: finished(scores), 240)
    # a score never without what says that it was made (a text may be missing, so not the reverse)
    assert (True, False) not in seen
    reports = [service.get(ObjectId(operation)).result.result for operation in scores]
    assert [report["samples"] for report in reports] == [115, 115]
    for stage, count, settings in stages.values():
        operator(stage)(alone.limit(count), **settings)
    until(lambda: finished([op for parts in queued.values() for op in parts]), 600)
    clips.reload()
    assert killing.schema(clips) == killing.schema(alone)
    assert killing.documents(clips) == killing.documents(alone)
    alone.delete()


@pytest.mark.parametrize(
    "name",
    ["scores", *[pytest.param(name, marks=pytest.mark.long) for name in SLOW]],
)
def test_ray_leaves_the_bits_that_one_worker_leaves(clips, operator, ray, checkpoint, name):
    stage, count, settings = spread_stages(checkpoint)[name]
    alone = clips.clone()
    # an actor may lack torchvision, and then reads pictures by another library than we do here
    one = {"shards": 1, "runner": "ray"} if name == "clips" else {}
    operator(stage)(alone.limit(count), **settings, **one)
    report = operator(stage)(clips.limit(count), **settings, shards=2, runner="ray")
    clips.reload()
    assert killing.schema(clips) == killing.schema(alone)
    assert killing.documents(clips) == killing.documents(alone)
    assert len(report["parts"]) == 2
    if name == "scores":
        assert report["scored"] == 230
    if name == "clips":
        assert (report["embedded"], report["failed"]) == (9, 1)
    alone.delete()


def test_without_ray_a_sentence_says_what_to_install(captions, operator, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    assert "pip install" in ray_runner.missing()
    with pytest.raises(ValueError, match=r'Ray is not installed. Run pip install "ray\[data\]"'):
        operator("score_agreement")(captions, aspects=ASPECTS, runner="ray")


@pytest.mark.parametrize("stage", ["calibrate", "find_stuck_captions", "tag_confidence"])
def test_stages_that_need_every_sample_at_once_say_so(captions, operator, stage):
    with pytest.raises(ValueError, match="needs the whole set of samples at once"):
        operator(stage)(captions, shards=4)


def test_without_workers_the_parts_wait_and_the_report_says_how_to_start_some(captions, operator):
    report = operator("score_agreement")(captions, aspects=ASPECTS, metrics=["lex"], shards=3)
    assert "Queued 3 parts" in report["summary"][0] and "fiftyone delegated launch" in str(report)
    service = DelegatedOperationService()
    for operation in report["operations"]:
        assert service.get(ObjectId(operation)).run_state == ExecutionRunState.QUEUED
        service.delete_operation(ObjectId(operation))


def test_marking_an_operation_as_failed_stops_its_worker_within_a_batch(
    dataset, operator, workers, until
):
    dataset.persistent = True
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/none/{i}.mp4", label=f"Dog {i} runs.", one=f"Cat {i * 7} sits.")
            for i in range(4_000)
        ]
    )
    queued = operator("score_agreement")(dataset, aspects=ASPECTS, metrics=["sup"], delegate=True)
    workers(1)
    service = DelegatedOperationService()

    def done():
        names = dataset.get_field_schema(flat=True)
        return len(dataset.exists(KEPT[-1]).values("id")) if KEPT[-1] in names else 0

    def scored():
        dataset.reload()
        return done() >= 200

    until(scored)
    service.set_failed(queued)

    def stopped():
        before = done()
        time.sleep(5)  # several batches' time
        return done() == before

    until(stopped)
    assert 200 <= done() < 4_000
    assert service.get(queued).run_state == ExecutionRunState.FAILED
