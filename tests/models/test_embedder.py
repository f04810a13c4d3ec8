"""Lenses, on tiny checkpoints of their architectures and on real films."""

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models import known
from fiftyone.plugins.orgs.second_opinion.audit.models.embedder import Embedder
from fiftyone.plugins.orgs.second_opinion.audit.models.errors import ModelUnavailable

VISUAL = ("qwen3_vl", "molmo2", "siglip2")
TEXTS = ["a dog", "somebody repairs the chain of a bicycle in a garage, then rides away", "N/A"]


@pytest.fixture(scope="module")
def embedder(checkpoint):
    made = {}

    def of(architecture, **settings):
        key = (architecture, *settings.items())
        if key not in made:
            made[key] = Embedder(checkpoint(architecture), device="cpu", **settings)
        return made[key]

    return of


@pytest.mark.parametrize("architecture", VISUAL)
def test_clips_in_a_batch_get_the_vectors_they_get_alone(embedder, sampled, architecture):
    lens = embedder(architecture)

    both = lens.embed_clips(sampled)
    alone = np.concatenate([lens.embed_clips([clip]) for clip in sampled])

    assert both.shape == (2, lens.dimension)
    assert both.dtype == np.float32
    assert np.abs(both - alone).max() < 1e-5
    assert np.linalg.norm(both, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert both[0] @ both[1] < 0.999


@pytest.mark.parametrize("architecture", [*VISUAL, "bert"])
def test_texts_in_a_batch_get_the_vectors_they_get_alone(embedder, architecture):
    lens = embedder(architecture)

    together = np.stack(lens.embed_texts(TEXTS))
    alone = np.stack([lens.embed_texts([text])[0] for text in TEXTS])

    assert np.abs(together - alone).max() < 1e-5
    assert np.linalg.norm(together, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_missing_texts_stay_missing_and_the_rest_keep_their_places(embedder):
    vectors = embedder("bert").embed_texts([None, "a dog", "", "  ", "a cat", "a dog"])

    assert [vector is None for vector in vectors] == [True, False, True, True, False, False]
    assert np.array_equal(vectors[1], vectors[5])
    assert not np.allclose(vectors[1], vectors[4])
    assert embedder("bert").embed_texts([None, ""]) == [None, None]


def test_a_clip_of_a_lens_without_video_is_the_mean_of_its_frames(embedder, sampled):
    lens = embedder("siglip2")

    frames = lens.embed_images(list(sampled[0].frames))
    mean = frames.mean(axis=0)

    assert not lens.takes_video
    assert lens.embed_clips(sampled)[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_pooling_follows_the_architecture_and_may_be_chosen(embedder, sampled):
    assert embedder("qwen3_vl").pooling == "lasttoken"
    assert embedder("molmo2").pooling == "mean"
    assert embedder("siglip2").pooling == "none"
    assert embedder("bert").pooling == "as published"
    chosen = embedder("qwen3_vl", pooling="mean")
    assert chosen.pooling == "mean"
    assert not np.allclose(
        chosen.embed_clips(sampled), embedder("qwen3_vl").embed_clips(sampled), atol=1e-3
    )


def test_mean_pooling_leaves_padding_out(embedder, sampled):
    # The short clip is padded to the long one's length; its mean must not notice
    lens = embedder("molmo2")

    padded = lens.embed_clips(sampled)[1]

    assert np.abs(padded - lens.embed_clips(sampled[1:])[0]).max() < 1e-5


def test_only_lenses_made_for_it_offer_search_by_text(embedder):
    assert embedder("qwen3_vl").shares_space
    assert embedder("siglip2").shares_space
    assert not embedder("molmo2").shares_space
    assert not embedder("bert").shares_space


def test_an_instruction_changes_the_vectors(embedder, sampled):
    told = embedder("qwen3_vl", prompt="Attend to hands.")

    assert not np.allclose(
        told.embed_clips(sampled), embedder("qwen3_vl").embed_clips(sampled), atol=1e-4
    )


def test_a_lens_for_texts_refuses_clips_in_a_sentence(embedder, sampled):
    with pytest.raises(ModelUnavailable, match="reads texts only"):
        embedder("bert").embed_clips(sampled)


def test_a_witness_that_can_be_no_lens_is_refused_in_a_sentence(checkpoint):
    with pytest.raises(ModelUnavailable, match="can be a witness, but no lens"):
        Embedder(checkpoint("smolvlm"), device="cpu")


def test_nothing_in_gives_nothing_out(embedder):
    lens = embedder("siglip2")

    assert lens.embed_clips([]).shape == (0, lens.dimension)
    assert lens.embed_images([]).shape == (0, lens.dimension)
    assert lens.embed_texts([]) == []


def test_a_model_that_is_not_there_says_how_large_it_is():
    with pytest.raises(ModelUnavailable) as refused:
        Embedder("Qwen/Qwen3-VL-Embedding-2B", device="cpu")

    assert "4.3 GB" in str(refused.value)
    assert "hub cannot be reached" in str(refused.value)


def test_licences_that_limit_use_are_said():
    assert (
        "not for commercial use"
        in known.KNOWN["jinaai/jina-embeddings-v5-text-small-clustering"].licence
    )


def test_an_unknown_pooling_is_refused(checkpoint):
    with pytest.raises(ValueError, match="mean, lasttoken, max, cls"):
        Embedder(checkpoint("bert"), pooling="median")
