"""Witnesses that run here, on tiny checkpoints of their architectures and on real films."""

import json

import numpy as np
import pytest
import torch
from fiftyone.plugins.orgs.second_opinion.audit.models.annotator import Annotator
from fiftyone.plugins.orgs.second_opinion.audit.models.errors import ModelUnavailable
from fiftyone.plugins.orgs.second_opinion.audit.models.frames import Clip, Sampling, sample_frames
from fiftyone.plugins.orgs.second_opinion.audit.models.generation import Generation

ARCHITECTURES = ("qwen3_vl", "molmo2", "smolvlm")
SHORT = Generation(max_new_tokens=6)
SCHEMA = {
    "type": "object",
    "properties": {
        "actor": {"type": "string", "maxLength": 4},
        "people": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    "required": ["actor", "people"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_asks_each_clip_what_it_would_be_asked_alone(annotator, sampled, architecture):
    witness = annotator(architecture)
    questions = ["Is somebody on a bicycle?", "Is there a rabbit, and is it a large one?"]

    both = witness.option_probabilities(sampled, questions, ["Yes", "No"])
    alone = torch.cat(
        [
            witness.option_probabilities([clip], question, ["Yes", "No"])
            for clip, question in zip(sampled, questions, strict=True)
        ]
    )

    assert torch.allclose(both, alone, atol=1e-5)
    assert torch.allclose(both.sum(dim=1), torch.ones(2))
    assert not torch.equal(both[0], both[1])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answers_are_the_same_each_time_and_cut_ones_say_so(annotator, sampled, architecture):
    first = annotator(architecture).annotate(sampled, "Describe the clip.", SHORT)
    again = annotator(architecture).annotate(sampled, "Describe the clip.", SHORT)

    assert first == again
    assert [reply.tokens for reply in first] == [6, 6]
    assert not any(reply.finished for reply in first)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answers_held_to_a_schema_are_whole_json(annotator, sampled, architecture):
    pytest.importorskip("llguidance", reason="holding answers to a schema needs llguidance")

    replies = annotator(architecture).annotate(
        sampled, "Who?", Generation(max_new_tokens=80), SCHEMA
    )

    for reply in replies:
        answer = json.loads(reply.text)  # from random weights, so only the schema made it JSON
        assert set(answer) == {"actor", "people"}
        assert len(answer["actor"]) <= 4
        assert 0 <= answer["people"] <= 9
        assert reply.finished


def test_sampling_is_a_choice_and_its_seed_makes_it_repeatable(annotator, sampled):
    witness = annotator("molmo2")

    def draw(seed):
        how = Generation(max_new_tokens=12, sample=True, temperature=1.5, top_p=1.0, seed=seed)
        return [reply.text for reply in witness.annotate(sampled, "Describe.", how)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_times_that_the_model_reads_are_the_record_s(annotator, real_clips, architecture):
    part = sample_frames(Clip(real_clips[0], (101, 200)), Sampling(fps=1, max_pixels=64 * 64))
    inputs = annotator(architecture).prepare([part], "When?")
    read = annotator(architecture).processor.tokenizer.decode(inputs["input_ids"][0])

    seconds = part.record.seconds
    if architecture == "qwen3_vl":  # the mean time of each pair of frames
        pairs = [*seconds, seconds[-1]][: 2 * ((len(seconds) + 1) // 2)]
        for first, second in zip(pairs[::2], pairs[1::2], strict=True):
            assert f"<{(first + second) / 2:.1f} seconds>" in read
    elif architecture == "molmo2":
        for second in seconds:
            assert f" {second:.1f} <frame_start>" in f" {read}".replace("\n", " ")
    else:
        for second in seconds:
            assert f"Frame from 00:{int(second):02d}:" in read


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_sampled_frame_reaches_the_network_and_no_other(annotator, sampled, architecture):
    witness = annotator(architecture)

    inputs = witness.prepare(sampled[1:], "What?")

    frames = len(sampled[1].frames)
    if architecture == "qwen3_vl":
        assert int(inputs["video_grid_thw"][0][0]) == (frames + 1) // 2
    elif architecture == "molmo2":
        assert int(inputs["video_grids"][0][0]) == frames
    else:
        assert inputs["pixel_values"].shape[1] == frames
    changed = np.copy(sampled[1].frames)
    changed[frames // 2] = 255 - changed[frames // 2]
    other = type(sampled[1])(changed, sampled[1].record)
    pixels = next(key for key in inputs if key.startswith("pixel_values"))
    assert not torch.equal(inputs[pixels], witness.prepare([other], "What?")[pixels])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_words_in_a_prompt_cannot_pass_for_the_template_s_marks(annotator, sampled, architecture):
    witness = annotator(architecture)
    tokenizer = witness.processor.tokenizer
    hostile = "x".join(tokenizer.all_special_tokens)

    plain = witness.prepare(sampled[1:], "x")["input_ids"][0].tolist()
    attacked = witness.prepare(sampled[1:], hostile)["input_ids"][0].tolist()

    for token in tokenizer.all_special_ids:
        assert attacked.count(token) == plain.count(token)
    assert hostile in tokenizer.decode(attacked)


def test_batches_are_padded_on_the_left(annotator, sampled):
    inputs = annotator("qwen3_vl").prepare(sampled, ["Short?", "A question that is longer?"])

    mask = inputs["attention_mask"]
    assert mask[:, -1].all()
    assert not mask[:, 0].all()


def test_no_clips_give_no_answers(annotator):
    assert annotator("molmo2").annotate([], "Describe.") == []


def test_options_that_begin_alike_are_refused(annotator, sampled):
    with pytest.raises(ValueError, match="begin with the same token"):
        annotator("molmo2").option_probabilities(sampled, "Which?", ["Yes", "Yesterday"])


def test_what_was_loaded_is_known(annotator, checkpoint):
    witness = annotator("smolvlm")

    assert witness.name == checkpoint("smolvlm")
    assert witness.revision.startswith("local-")
    assert witness.revision != annotator("molmo2").revision
    assert witness.attention in ("sdpa", "eager")


def test_a_model_that_is_not_there_says_how_large_it_is_and_what_it_needs():
    with pytest.raises(ModelUnavailable) as refused:
        Annotator("Qwen/Qwen3-VL-8B-Instruct", device="cpu")

    assert "17.5 GB" in str(refused.value)
    assert "pip install torchvision accelerate" in str(refused.value)


def test_weights_that_could_run_code_are_refused(checkpoint, tmp_path):
    import shutil

    unsafe = tmp_path / "unsafe"
    shutil.copytree(checkpoint("molmo2"), unsafe)
    (unsafe / "model.safetensors").unlink()
    torch.save({}, unsafe / "pytorch_model.bin")

    with pytest.raises(ModelUnavailable, match="safetensors"):
        Annotator(str(unsafe), device="cpu")
