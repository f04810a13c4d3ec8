"""Memory that runs out, odd clips, and models that cannot do what is asked: what each costs."""

import sys

import fiftyone as fo
import numpy as np
import pytest
import torch
from fiftyone.plugins.orgs.second_opinion.audit.models.errors import ModelUnavailable
from PIL import Image

FRAMES = {"fps": 5.0, "max_frames": 3, "max_pixels": 48 * 32}


@pytest.fixture
def small_device(checkpoint):
    """Real networks on a device that holds two samples a forward pass, and no more."""
    for architecture in ("qwen3_vl", "molmo2", "bert"):
        checkpoint(architecture)
    refused = []

    def hook(module, args):
        given = args[0] if args and torch.is_tensor(args[0]) else None
        tokens = given is not None and given.dim() == 2 and not given.is_floating_point()
        of_words = getattr(module, "num_embeddings", 1000) > 100  # and not of places in a picture
        if "Embedding" in type(module).__name__ and of_words and tokens and len(given) > 2:
            refused.append(len(given))
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    handle = torch.nn.modules.module.register_module_forward_pre_hook(hook)
    yield refused
    handle.remove()


def test_clips_are_embedded_in_the_batches_that_fit(clips, operator, checkpoint, small_device):
    model = checkpoint("qwen3_vl")

    report = operator("embed")(clips, model=model, batch_size=8, **FRAMES)

    assert (report["embedded"], report["failed"]) == (8, 0)
    assert small_device == [8, 4]  # halved twice, and what did not fit was not tried again
    before = np.stack(clips.values("qwen_embeddings"))
    operator("embed")(clips, model=model, batch_size=1, overwrite=True, **FRAMES)
    assert np.abs(before - np.stack(clips.values("qwen_embeddings"))).max() < 1e-5


def test_answers_are_written_in_the_batches_that_fit(clips, operator, checkpoint, small_device):
    def caption(batch, prefix):
        return operator("caption")(
            clips, model=checkpoint("molmo2"), prefix=prefix, task="description",
            max_new_tokens=4, batch_size=batch, **FRAMES,
        )  # fmt: skip

    report = caption(8, "a")
    caption(1, "b")

    assert (report["answered"], report["failed"]) == (8, 0)
    assert small_device == [8, 4]
    assert clips.values("a_description_raw") == clips.values("b_description_raw")


def test_texts_are_embedded_in_the_batches_that_fit(dataset, operator, checkpoint, small_device):
    said = [f"{'word ' * (i % 4)}number {i}" for i in range(10)]
    dataset.add_samples(
        [fo.Sample(filepath=f"/{i}.mp4", title=text) for i, text in enumerate(said)]
    )

    report = operator("embed")(
        dataset, model=checkpoint("bert"), source_field="title", batch_size=8
    )

    assert (report["embedded"], report["failed"]) == (10, 0)
    assert small_device[:2] == [8, 4]


def test_a_clip_that_a_model_cannot_take_costs_itself(clips, operator, checkpoint, films, tmp_path):
    # Qwen3-VL refuses pictures 200 times as wide as high
    import av

    line = tmp_path / "line.mp4"
    with av.open(str(line), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 1024, 2, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((2, 1024, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    clips.set_values("filepath", [str(line), *clips.values("filepath")[1:]])

    report = operator("embed")(clips, model=checkpoint("qwen3_vl"), batch_size=4, **FRAMES)

    assert (report["embedded"], report["failed"]) == (7, 1)
    assert clips.exists("qwen_embeddings").count() == 7
    assert "aspect ratio" in clips.first().audit_status["embed_qwen_embeddings_why"]


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 64])
def test_a_broken_picture_costs_itself(dataset, operator, checkpoint, tmp_path, content):
    paths = [tmp_path / "good.png", tmp_path / "broken.png"]
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(paths[0])
    paths[1].write_bytes(content)
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])

    report = operator("embed")(dataset, model=checkpoint("siglip2"))

    assert (report["embedded"], report["failed"]) == (1, 1)
    why = dataset.last().audit_status["embed_qwen_embeddings_why"]
    assert "broken.png cannot be read as a picture" in why


def test_a_model_of_texts_is_refused_for_clips_before_any_is_touched(clips, operator, checkpoint):
    before = set(clips.get_field_schema())

    with pytest.raises(ModelUnavailable, match="reads texts only"):
        operator("embed")(clips, lens="visual", model=checkpoint("bert"))

    assert set(clips.get_field_schema()) == before


def test_a_missing_package_is_named_before_any_sample_is_touched(
    clips, operator, checkpoint, monkeypatch
):
    before, model = set(clips.get_field_schema()), checkpoint("smolvlm")
    processing = "transformers.models.smolvlm.processing_smolvlm"
    monkeypatch.setattr(f"{processing}.num2words", None)  # as where it is not installed

    with pytest.raises(ModelUnavailable, match="(?s)num2words.*holds [0-9]+ MB of weights"):
        operator("caption")(clips, model=model, prefix="s")

    assert set(clips.get_field_schema()) == before


def test_without_httpx_an_endpoint_says_what_to_install(clips, operator, monkeypatch):
    room = "fiftyone.plugins.orgs.second_opinion.audit.models"
    for name in (f"{room}.endpoint", f"{room}.chat_protocol"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "httpx", None)

    with pytest.raises(ModelUnavailable, match="pip install httpx"):
        operator("caption")(clips, endpoint="http://127.0.0.1:9/v1", prefix="s")


def test_code_that_comes_with_weights_does_not_run_unless_it_is_trusted(
    clips, operator, checkpoint, tmp_path
):
    import json
    import shutil

    own = tmp_path / "own"
    shutil.copytree(checkpoint("molmo2"), own)
    config = json.loads((own / "config.json").read_text())
    config |= {"model_type": "brand_new", "auto_map": {"AutoConfig": "brand_new.Brand"}}
    (own / "config.json").write_text(json.dumps(config))
    ran = tmp_path / "ran"
    (own / "brand_new.py").write_text(f"open({str(ran)!r}, 'w').close()\n")

    for run in (
        lambda: operator("caption")(clips, model=str(own), prefix="s"),
        lambda: operator("embed")(clips, model=str(own)),
    ):
        with pytest.raises(ModelUnavailable, match="trust_remote_code=True; read that code first"):
            run()
    assert not ran.exists()
