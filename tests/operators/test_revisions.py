"""Which version of a model made the results: recorded, kept to, and told when it changes."""

import json
import os
import subprocess
import sys

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.embedder import Embedder
from fiftyone.plugins.orgs.second_opinion.audit.operators.settings import SettingsError

FRAMES = {"fps": 5.0, "max_frames": 2, "max_pixels": 48 * 32}
FIRST, SECOND = "a" * 40, "b" * 40
NAME = "acme/model"


@pytest.fixture
def texts(dataset):
    dataset.add_samples([fo.Sample(filepath=f"/{i}.mp4", transcript=f"text {i}") for i in range(4)])
    return dataset


@pytest.fixture
def embed(operator):
    return lambda samples, **settings: operator("embed")(
        samples, lens="transcript", model=NAME, **settings
    )


@pytest.fixture
def newer(hub, hubs, checkpoint):
    """Publishes the first commit; called, a second one with other weights."""
    hub.publish(NAME, checkpoint("bert"), FIRST)
    return lambda: hubs.change_weights(hub.publish(NAME, checkpoint("bert"), SECOND))


def test_the_first_commit_is_kept_to_though_the_hub_moves_on(texts, embed, newer):
    first = embed(texts[:2])
    newer()
    second = embed(texts)
    third = embed(texts)

    assert first["revision"] == second["revision"] == third["revision"] == FIRST
    assert [report["embedded"] for report in (first, second, third)] == [2, 2, 0]
    assert any("keeps to that commit from now on" in line for line in first["summary"])
    assert not any("keeps to" in line or "another" in line for line in second["summary"])


def test_another_commit_makes_everything_stale_and_says_so(texts, embed, newer):
    embed(texts)
    before = np.stack(texts.values("text_embeddings"))
    newer()

    part = embed(texts[:1], revision="main")
    rest = embed(texts)

    assert (part["revision"], part["embedded"]) == (SECOND, 1)
    (told,) = [line for line in part["summary"] if "another version than before" in line]
    assert f"{SECOND[:18]}, not {FIRST[:18]}" in told
    assert "outside of this view keep" in told
    assert (rest["revision"], rest["embedded"]) == (SECOND, 3)  # it is kept to, in its turn
    after = np.stack(texts.values("text_embeddings"))
    assert (np.abs(before - after).max(axis=1) > 1e-3).all()
    assert embed(texts, revision=FIRST)["embedded"] == 4


def test_other_stages_of_the_dataset_keep_to_the_same_commit(texts, embed, newer, operator):
    embed(texts)
    newer()

    report = operator("classify")(
        texts,
        lens="transcript",
        model=NAME,
        classes=["one", "two"],
        source_fields=["transcript"],
    )

    assert report["revision"] == FIRST
    assert not any("keeps to" in line for line in report["summary"])


def test_a_witness_keeps_to_its_commit_for_clips_and_for_segments(
    clips, operator, hub, hubs, checkpoint
):
    part = fo.TemporalDetections(detections=[fo.TemporalDetection(label="x", support=[1, 5])])
    clips.set_values("nodes", [part] + [None] * 7)
    hub.publish(NAME, checkpoint("molmo2"), FIRST)

    def caption(**settings):
        return operator("caption")(
            clips[:2], model=NAME, prefix="q", task="description", max_new_tokens=2,
            **{**FRAMES, **settings},
        )  # fmt: skip

    first = caption(segments="nodes")
    hubs.change_weights(hub.publish(NAME, checkpoint("molmo2"), SECOND))
    second, third = caption(), caption(revision=SECOND)

    assert [report["revision"] for report in (first, second, third)] == [FIRST, FIRST, SECOND]
    assert [report["answered"] for report in (first, second, third)] == [1, 2, 2]
    assert any("another version than before" in line for line in third["summary"])
    assert caption(segments="nodes", revision=SECOND)["answered"] == 1


def test_a_server_may_move_but_not_change_its_weights_unnoticed(clips, operator, servers):
    def caption(server, **settings):
        return operator("caption")(
            clips[:2], endpoint=server.url, prefix="q", task="description", **FRAMES, **settings
        )

    with servers.Server() as here, servers.Server() as there:
        assert caption(here)["answered"] == 2
        assert caption(there)["answered"] == 0
        report = caption(there, revision="v2")

    assert report["answered"] == 2
    assert report["revision"] == "v2 as you say, served at 127.0.0.1"
    assert any("(v2, not served)" in line for line in report["summary"])


def test_a_folder_whose_weights_change_is_told(texts, operator, checkpoint, hubs, tmp_path):
    import shutil

    folder = str(tmp_path / "own")
    shutil.copytree(checkpoint("bert"), folder)

    def embed():
        return operator("embed")(texts, lens="transcript", model=folder)

    embed()
    assert embed()["embedded"] == 0
    hubs.change_weights(folder)
    report = embed()

    assert report["embedded"] == 4
    assert any("another version than before" in line for line in report["summary"])


LATER = """
import json, sys
import fiftyone as fo
import fiftyone.operators as foo

dataset, model = fo.load_dataset(sys.argv[1]), sys.argv[2]
found = dataset.sort_by_similarity("white bars", k=3, brain_key="qwen_sim").values("id")
agreed = dataset.load_evaluation_results("predicted_class_against_human").metrics()["accuracy"]
embed = foo.get_operator("@second-opinion/audit/embed")
report = embed(dataset, model=model, fps=5.0, max_frames=2, max_pixels=48 * 32)
print(json.dumps([found, agreed, report["revision"], report["embedded"]]))
"""


def test_a_later_process_searches_by_text_opens_the_evaluation_and_keeps_to_the_commit(
    clips, operator, hub, hubs, checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setattr(fo.config, "model_zoo_dir", str(tmp_path / "zoo"))
    hub.publish(NAME, checkpoint("siglip2"), FIRST)
    clips.set_values("human", [fo.Classification(label="day")] * 8)
    settings = {"model": NAME, **FRAMES}
    operator("embed")(clips[:6], brain=["similarity"], **settings)
    report = operator("classify")(clips[:6], classes=["day", "night"], against="human", **settings)
    hubs.change_weights(hub.publish(NAME, checkpoint("siglip2"), SECOND))
    clips.persistent = True

    done = subprocess.run(
        [sys.executable, "-c", LATER, clips.name, NAME],
        env={
            **os.environ,
            "HF_HUB_CACHE": str(hub.folder),
            "FIFTYONE_MODEL_ZOO_DIR": str(tmp_path / "zoo"),
        },
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
    found, agreed, revision, embedded = json.loads(done.stdout.splitlines()[-1])
    (query,) = Embedder(NAME, device="cpu", revision=FIRST).embed_texts(["white bars"])
    near = np.argsort([-vector @ query for vector in clips[:6].values("qwen_embeddings")])
    assert found == [clips.values("id")[place] for place in near[:3]]
    assert f"agree on {agreed:.1%} of 6 samples" in report["summary"][-1]
    assert (revision, embedded) == (FIRST, 2)


def test_a_revision_beside_one_or_beside_a_folder_is_refused(texts, operator, checkpoint):
    with pytest.raises(SettingsError, match="has one already"):
        operator("embed")(texts, lens="transcript", model="a/b@c", revision="d")
    with pytest.raises(SettingsError, match="a folder has none"):
        operator("embed")(texts, lens="transcript", model=checkpoint("bert"), revision="d")


def test_clearing_the_audit_lets_the_newest_be_loaded_again(texts, embed, newer, operator):
    embed(texts)
    newer()
    operator("clear_audit")(texts)

    assert embed(texts)["revision"] == SECOND


def test_a_film_that_was_copied_or_touched_is_not_watched_again(clips, operator, checkpoint):
    import shutil
    from pathlib import Path

    embed, settings = operator("embed"), {"model": checkpoint("siglip2"), **FRAMES}
    embed(clips, **settings)
    moved = []
    for path in clips.values("filepath"):
        target = Path(path).with_name(f"moved-{Path(path).name}")
        shutil.copyfile(path, target)
        os.utime(target, (1, 1))
        moved.append(str(target))
    clips.set_values("filepath", moved)

    assert embed(clips, **settings)["embedded"] == 0
    for path in moved:
        os.remove(path)
