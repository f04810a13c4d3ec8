"""Embed: vectors through a lens, resumed, with failures that cost one sample."""

import os
import shutil

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.embedder import Embedder
from fiftyone.plugins.orgs.second_opinion.audit.models.frames import Clip, Sampling, sample_frames
from fiftyone.plugins.orgs.second_opinion.audit.operators.settings import SettingsError

FRAMES = {"fps": 5.0, "max_frames": 4, "max_pixels": 48 * 32, "batch_size": 3}


@pytest.fixture
def embed(operator):
    def run(samples, **settings):
        return operator("embed")(samples, **{**FRAMES, **settings})

    return run


@pytest.fixture
def texts(dataset):
    said = ["we cut the carrot", None, "the bus leaves", "", "we cut the carrot", "a goal"]
    dataset.add_samples(
        [fo.Sample(filepath=f"/tmp/{i}.mp4", transcript=text) for i, text in enumerate(said)]
    )
    return dataset


def test_clips_get_the_vectors_of_their_frames_and_a_record_of_them(clips, embed, checkpoint):
    report = embed(clips, lens="visual", model=checkpoint("siglip2"))

    lens = Embedder(checkpoint("siglip2"), device="cpu")
    for sample in clips:
        seen = sample_frames(Clip(sample.filepath), Sampling(5.0, 4, 48 * 32))
        assert sample.qwen_embeddings == pytest.approx(lens.embed_clips([seen])[0], abs=1e-5)
        assert sample.qwen_frames["frame_numbers"] == list(seen.record.frame_numbers)
        assert sample.qwen_frames["exact"] is True
    assert report["embedded"] == 8
    assert clips.get_field("qwen_embeddings").info["second_opinion"]["stage"] == "embed"


@pytest.mark.parametrize(
    ("lens", "architecture", "field"),
    [("visual", "qwen3_vl", "qwen_embeddings"), ("grounding", "molmo2", "molmo_embeddings")],
)
def test_each_lens_writes_the_workshop_s_field(clips, embed, checkpoint, lens, architecture, field):
    report = embed(clips[:2], lens=lens, model=checkpoint(architecture))

    assert report["field"] == field
    assert report["pooling"] == ("mean" if lens == "grounding" else "lasttoken")
    assert [vector.shape for vector in clips[:2].values(field)] == [(32,), (32,)]
    assert clips[2:].values(field) == [None] * 6


def test_missing_transcripts_stay_none_and_are_counted(texts, embed, checkpoint):
    report = embed(texts, lens="transcript", model=checkpoint("bert"))

    vectors = texts.values("text_embeddings")
    assert [vector is None for vector in vectors] == [False, True, False, True, False, False]
    assert np.array_equal(vectors[0], vectors[4])
    assert (report["embedded"], report["missing"]) == (4, 2)
    assert texts.values("audit_status.embed_text_embeddings") == [
        "ok",
        "missing",
        "ok",
        "missing",
        "ok",
        "ok",
    ]


def test_any_field_of_texts_can_be_embedded_with_any_model(texts, embed, checkpoint):
    texts.clone_sample_field("transcript", "caption")

    report = embed(texts, model=checkpoint("bert"), source_field="caption")

    assert report["field"] == "caption_embeddings"


def test_a_second_run_does_only_what_is_new_or_changed(clips, embed, checkpoint, tmp_path, films):
    model = checkpoint("siglip2")
    own = str(tmp_path / "own.mp4")
    shutil.copyfile(clips.first().filepath, own)
    clips.set_values("filepath", [own, *clips.values("filepath")[1:]])
    embed(clips[:5], model=model)
    before = clips.values("qwen_embeddings")
    films.write(own, 30)
    os.utime(own, (1, 1))

    report = embed(clips, model=model)

    assert report["embedded"] == 4  # three that were not done, and the file that changed
    after = clips.values("qwen_embeddings")
    assert not np.allclose(before[0], after[0])
    assert all(np.array_equal(b, a) for b, a in zip(before[1:5], after[1:5], strict=True))
    assert embed(clips, model=model)["embedded"] == 0
    assert embed(clips, model=model, max_frames=3)["embedded"] == 8
    assert embed(clips, model=model, max_frames=3, overwrite=True)["embedded"] == 8


def test_a_changed_text_is_embedded_again(texts, embed, checkpoint):
    embed(texts, lens="transcript", model=checkpoint("bert"))
    sample = texts.skip(1).first()
    sample.transcript = "now there is one"
    sample.save()

    report = embed(texts, lens="transcript", model=checkpoint("bert"))

    assert report["embedded"] == 1
    assert texts.exists("text_embeddings").count() == 5


def test_a_broken_file_costs_one_sample_and_is_tried_again(clips, embed, checkpoint, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film at all")
    paths = clips.values("filepath")
    clips.set_values("filepath", [paths[0], str(broken), "/nowhere/gone.mp4", *paths[3:]])

    report = embed(clips, model=checkpoint("siglip2"))

    assert (report["embedded"], report["failed"]) == (6, 2)
    assert clips.values("qwen_embeddings")[1] is None
    why = clips.values("audit_status.embed_qwen_embeddings_why")
    assert "broken.mp4 cannot be decoded" in why[1]
    assert "There is no file" in why[2]
    shutil.copyfile(paths[1], broken)
    assert embed(clips, model=checkpoint("siglip2"))["embedded"] == 1


def test_pictures_are_embedded_as_pictures(dataset, embed, checkpoint, tmp_path):
    from PIL import Image

    shades = [40, 200]
    for shade in shades:
        Image.fromarray(np.full((32, 32, 3), shade, np.uint8)).save(tmp_path / f"{shade}.png")
    dataset.add_samples([fo.Sample(filepath=str(tmp_path / f"{shade}.png")) for shade in shades])

    embed(dataset, model=checkpoint("siglip2"))

    first, second = dataset.values("qwen_embeddings")
    lens = Embedder(checkpoint("siglip2"), device="cpu")
    shown = np.full((32, 32, 3), 40, np.uint8)
    assert first == pytest.approx(lens.embed_images([shown])[0], abs=1e-5)
    assert not np.allclose(first, second)


def test_the_brain_runs_and_fields_carry_the_workshop_s_names(clips, embed, checkpoint, tmp_path):
    fo.config.model_zoo_dir, zoo = str(tmp_path), fo.config.model_zoo_dir
    try:
        report = embed(
            clips,
            model=checkpoint("siglip2"),
            brain=["visualization", "similarity", "uniqueness"],
            layout="pca",
        )
        assert set(clips.list_brain_runs()) == {"qwen_viz", "qwen_sim", "qwen_uniqueness"}
        assert clips.load_brain_results("qwen_viz").points.shape == (8, 2)
        assert all(0 <= value <= 1 for value in clips.values("qwen_uniqueness"))
        clips.clear_cache()
        assert len(clips.sort_by_similarity("white bars", k=3, brain_key="qwen_sim")) == 3
        assert any("by text" in line for line in report["summary"])
        again = embed(clips, model=checkpoint("siglip2"), brain=["visualization"], layout="pca")
        assert "Visualization 'qwen_viz' was up to date." in again["summary"]
    finally:
        fo.config.model_zoo_dir = zoo


@pytest.mark.parametrize("architecture", ["bert", "molmo2"])
def test_texts_are_searched_by_text(texts, embed, checkpoint, tmp_path, monkeypatch, architecture):
    monkeypatch.setattr(fo.config, "model_zoo_dir", str(tmp_path))
    model = checkpoint(architecture)
    embed(texts, source_field="transcript", lens="grounding", model=model, brain=["similarity"])
    texts.clear_cache()

    found = texts.sort_by_similarity("a goal", k=1, brain_key="molmo_sim")

    assert found.first().transcript == "a goal"


def test_a_map_leaves_out_what_has_no_vector(texts, embed, checkpoint):
    extra = [fo.Sample(filepath=f"/tmp/x{i}.mp4", transcript=f"words {i}") for i in range(4)]
    texts.add_samples(extra)

    embed(texts, lens="transcript", model=checkpoint("bert"), brain=["visualization"], layout="pca")

    assert len(texts.load_brain_results("text_viz").points) == 8


def test_representativeness_fills_its_field_and_is_renewed_with_the_vectors(
    texts, embed, checkpoint
):
    texts.add_samples(
        [fo.Sample(filepath=f"/tmp/x{i}.mp4", transcript=f"words {i}") for i in range(24)]
    )
    settings = {"lens": "transcript", "model": checkpoint("bert"), "brain": ["representativeness"]}

    embed(texts, **settings)
    first = texts.values("text_rep")
    texts.add_sample(fo.Sample(filepath="/tmp/new.mp4", transcript="new words"))
    embed(texts, **settings)

    assert [value is None for value in first] == [
        vector is None for vector in texts.values("text_embeddings")[:-1]
    ]
    assert texts.last().text_rep is not None


def test_too_few_vectors_make_no_map_and_that_is_said(texts, embed, checkpoint):
    report = embed(
        texts, lens="transcript", model=checkpoint("bert"), brain=["visualization"], layout="pca"
    )

    assert "No visualization: it needs 5 vectors, and there are 4." in report["summary"]
    assert not texts.list_brain_runs()


def test_what_cannot_work_is_said_before_a_model_is_loaded(clips, embed):
    with pytest.raises(SettingsError, match="there are no texts in 'transcript'"):
        embed(clips, lens="transcript")
    with pytest.raises(SettingsError, match="not one of 'visual'"):
        embed(clips, lens="audio")


def test_a_brain_run_of_somebody_else_is_not_replaced(clips, embed, checkpoint):
    import fiftyone.brain as fob

    fob.compute_visualization(
        clips, embeddings=np.random.rand(8, 4), brain_key="qwen_viz", method="pca", verbose=False
    )

    with pytest.raises(SettingsError, match="a brain run 'qwen_viz' of other vectors"):
        embed(clips, model=checkpoint("siglip2"), brain=["visualization"], layout="pca")


def test_clearing_takes_the_vectors_away_and_a_new_run_makes_them_again(
    clips, embed, checkpoint, operator
):
    embed(clips, model=checkpoint("siglip2"))
    operator("clear_audit")(clips)
    assert clips.get_field("qwen_embeddings") is None

    assert embed(clips, model=checkpoint("siglip2"))["embedded"] == 8
