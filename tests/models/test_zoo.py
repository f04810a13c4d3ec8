"""Lenses and witnesses as FiftyOne's own models, and by name from its zoo."""

import json
import shutil
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fiftyone as fo
import fiftyone.zoo as foz
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models import zoo, zoo_source
from fiftyone.plugins.orgs.second_opinion.audit.models.frames import Clip, Sampling, sample_frames
from fiftyone.plugins.orgs.second_opinion.audit.models.generation import Generation, Reply
from fiftyone.plugins.orgs.second_opinion.audit.models.known import KNOWN
from fiftyone.plugins.orgs.second_opinion.audit.models.labels import WRITTEN

ROOT = Path(__file__).resolve().parents[2]
BELOW = ("agreement", "engine", "models", "operators", "panels")
SAMPLING = {"fps": 1.0, "max_frames": 4, "max_pixels": 64 * 64}


@pytest.fixture
def clips(dataset, real_clips):
    if not shutil.which("ffprobe"):
        pytest.skip("ffprobe, with which FiftyOne reads a film's size, is not on this machine")
    dataset.add_samples([fo.Sample(filepath=path) for path in real_clips])
    dataset.compute_metadata()
    return dataset


@pytest.fixture
def zoo_folder(tmp_path, monkeypatch):
    """A model zoo of its own, so that nobody's is written to."""
    monkeypatch.setattr(fo.config, "model_zoo_dir", str(tmp_path))
    return tmp_path


class Told:
    """A witness that gives the answer it was told to give."""

    def __init__(self, answer):
        self.answer = answer

    def annotate(self, clips, prompts, generation, schema=None):
        return [Reply(self.answer, True, 1) for _ in clips]


def witness(answer, **settings):
    return zoo.WitnessModel(Told(answer), Sampling(), Generation(), **settings)


def test_compute_embeddings_takes_a_lens(clips, checkpoint):
    model = zoo.load_model(zoo.ANY_LENS, name_or_path=checkpoint("qwen3_vl"), **SAMPLING)

    clips.compute_embeddings(model, embeddings_field="vectors", skip_failures=False)

    for path, vector in zip(clips.values("filepath"), clips.values("vectors"), strict=True):
        sampled = sample_frames(Clip(path), Sampling(**SAMPLING))
        assert vector == pytest.approx(model.embedder.embed_clips([sampled])[0], abs=1e-5)


def test_a_part_of_a_film_is_embedded_by_its_own_frames(clips, checkpoint):
    model = zoo.load_model(zoo.ANY_LENS, name_or_path=checkpoint("siglip2"), **SAMPLING)
    part = fo.TemporalDetection(label="x", support=[101, 150])
    clips.set_values("parts", [fo.TemporalDetections(detections=[part]), None])

    (vector,) = clips.to_clips("parts").compute_embeddings(model, skip_failures=False)

    sampled = sample_frames(Clip(clips.first().filepath, (101, 150)), Sampling(**SAMPLING))
    assert vector == pytest.approx(model.embedder.embed_clips([sampled])[0], abs=1e-5)


def test_apply_model_takes_a_witness_and_writes_what_the_workshop_s_models_write(clips):
    answer = {
        "summary": "People ride.",
        "objects": [{"name": "bike", "first_appears": 0, "last_appears": 4}],
        "events": [{"start": 1.0, "end": 2.0, "description": "ride"}],
        "text_content": [],
        "scene_info": {"setting": "street", "time_of_day": "day", "location_type": "outdoors"},
        "activities": {"primary_activity": "riding", "secondary_activities": ["walking"]},
    }

    clips.apply_model(witness(json.dumps(answer)), label_field="qwen", skip_failures=False)

    sample = clips.first()
    assert sample.qwen_summary == "People ride."
    event = sample.qwen_events.detections[0]
    assert (event.label, event.support) == ("ride", [26, 51])  # 25 frames a second, from 1
    assert sample.qwen_scene_info_setting.label == "street"
    assert [c.label for c in sample.qwen_activities_secondary_activities.classifications] == [
        "walking"
    ]
    written = {name.removeprefix("qwen_") for name in clips.get_field_schema() if "qwen_" in name}
    assert written <= set(WRITTEN["comprehensive"])


def test_apply_model_writes_boxes_to_the_frames_at_their_times(clips):
    answer = [{"time": 2.0, "bbox_2d": [0, 0, 500, 1000], "label": "bike", "index": 3}]
    model = witness(json.dumps(answer), operation="tracking")

    clips.apply_model(model, label_field="qwen", skip_failures=False)

    frames = clips.first().frames
    (box,) = frames[51]["qwen_objects"].detections
    assert (box.label, box.index, box.bounding_box) == ("bike", 3, [0, 0, 0.5, 1.0])


def test_a_witness_that_cannot_be_read_fails_its_sample_only(clips):
    with pytest.raises(ValueError, match="cannot be read"):
        clips.apply_model(witness("I see nothing."), label_field="q", skip_failures=False)
    clips.apply_model(witness("I see nothing."), label_field="q")
    assert "q_summary" not in clips.get_field_schema()


def test_a_real_witness_answers_through_apply_model(clips, checkpoint):
    model = zoo.load_model(
        zoo.ANY_WITNESS,
        name_or_path=checkpoint("smolvlm"),
        operation="description",
        max_new_tokens=24,
        **SAMPLING,
    )

    clips.apply_model(model, label_field="smol", skip_failures=False)

    assert all(isinstance(text, str) and text for text in clips.values("smol_summary"))


def test_every_known_model_and_its_licence_is_in_the_manifest():
    manifest = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))
    models = {model["base_name"]: model for model in manifest["models"]}

    assert set(models) == {*KNOWN, zoo.ANY_LENS, zoo.ANY_WITNESS}
    for name, known in KNOWN.items():
        assert models[name]["license"] == known.licence
        assert models[name]["description"].endswith(known.size)
        assert set(known.packages) <= set(models[name]["requirements"]["packages"])
    files = [model["base_filename"] for model in manifest["models"]]
    assert len(set(files)) == len(files)


def test_a_session_that_knows_only_names_can_search_by_text(clips, checkpoint, zoo_folder):
    import fiftyone.brain as fob

    assert zoo_source.make_known()
    assert not zoo_source.make_known()
    keywords = {"name_or_path": checkpoint("siglip2"), **SAMPLING}
    model = zoo.load_model(zoo.ANY_LENS, **keywords)
    clips.compute_embeddings(model, embeddings_field="vectors", skip_failures=False)
    fob.compute_similarity(
        clips, embeddings="vectors", brain_key="sim", model=zoo.ANY_LENS, model_kwargs=keywords
    )
    clips.clear_cache()  # as a later session would begin

    found = clips.sort_by_similarity("a rabbit", brain_key="sim").values("id")

    query = model.embed_prompt("a rabbit")
    order = np.argsort([-vector @ query for vector in clips.values("vectors")])
    assert found == [clips.values("id")[place] for place in order]


@pytest.fixture
def archive(tmp_path_factory):
    """The address of the project as a zip file, as a code host offers it."""
    folder = tmp_path_factory.mktemp("archive")
    files = [ROOT / name for name in ("__init__.py", "manifest.json", "fiftyone.yml")]
    files += [path for room in BELOW for path in (ROOT / room).rglob("*.py")]
    with zipfile.ZipFile(folder / "audit.zip", "w") as packed:
        for path in files:
            packed.write(path, f"audit-main/{path.relative_to(ROOT)}")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *words: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/audit.zip"
    server.shutdown()
    server.server_close()


def test_the_project_is_a_source_for_the_zoo_from_its_address_to_a_vector(
    archive, hub, checkpoint, zoo_folder, real_clips, clips
):
    name = "google/siglip2-base-patch16-224"
    hub.publish(name, checkpoint("siglip2"), KNOWN[name].revision, main=False)

    foz.register_zoo_model_source(archive)
    assert set(KNOWN) <= set(foz.list_zoo_models(source=archive))
    model = foz.load_zoo_model(name, **SAMPLING)

    assert (model.media_type, model.can_embed_prompts) == ("video", True)
    assert model.embedder.identity == f"{name}@{KNOWN[name].revision}"
    (pointer,) = zoo_folder.rglob("siglip2-base-patch16-224")
    assert json.loads(pointer.read_text()) == {"name_or_path": model.embedder.identity}
    clips.compute_embeddings(model, embeddings_field="vectors", skip_failures=False)
    sampled = sample_frames(Clip(real_clips[0]), Sampling(**SAMPLING))
    assert clips.first().vectors == pytest.approx(
        model.embedder.embed_clips([sampled])[0], abs=1e-5
    )


def test_a_witness_of_the_zoo_takes_its_task_and_its_revision(hub, checkpoint, tmp_path):
    name = "allenai/Molmo2-8B"
    hub.publish(name, checkpoint("molmo2"), KNOWN[name].revision, main=False)
    hub.publish(name, checkpoint("molmo2"), "f" * 40)
    pointer = tmp_path / "pointer"

    zoo.download_model(name, str(pointer))
    model = zoo.load_model(name, str(pointer), operation="ocr", max_new_tokens=7)
    newest = zoo.load_model(name, str(pointer), revision="main")

    assert (model.operation, model.generation.max_new_tokens) == ("ocr", 7)
    assert (model.annotator.revision, newest.annotator.revision) == (
        KNOWN[name].revision,
        "f" * 40,
    )


def test_the_names_and_words_are_those_of_the_workshop_s_models():
    names = {
        "Qwen/Qwen3-VL-Embedding-2B",
        "allenai/Molmo2-4B",
        "jinaai/jina-embeddings-v5-text-small-clustering",
        "jinaai/jina-embeddings-v5-text-small-classification",
        "Qwen/Qwen3-VL-8B-Instruct",
        "allenai/Molmo2-8B",
    }
    manifest = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))
    assert names <= {model["base_name"] for model in manifest["models"]}
    model = witness("{}")
    model.operation, model.custom_prompt = "custom", "Count the cows."  # as the workshop sets them
    assert model.media_type == "video"
