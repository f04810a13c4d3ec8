"""Classify: the nearest class by clips or by texts, and one judged against the other."""

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.embedder import Embedder
from fiftyone.plugins.orgs.second_opinion.audit.operators.settings import SettingsError

FRAMES = {"fps": 5.0, "max_frames": 3, "max_pixels": 48 * 32}
CLASSES = ["cooking", "sports", "music"]


@pytest.fixture
def classify(operator):
    def run(samples, **settings):
        return operator("classify")(samples, **{**FRAMES, "classes": CLASSES, **settings})

    return run


@pytest.fixture
def titled(clips):
    titles = ["Soup", None, "The final goal", "", "A concert", "Bread", "Dance", "Run"]
    clips.set_values("title", titles)
    clips.set_values("description", [None, None, "Football", "  ", None, "How to bake", None, None])
    return clips


def test_each_clip_gets_the_class_whose_words_are_nearest(clips, classify, checkpoint):
    report = classify(clips, lens="visual", model=checkpoint("siglip2"))

    lens = Embedder(checkpoint("siglip2"), device="cpu")
    words = np.stack(lens.embed_texts([f"A video of {name}" for name in CLASSES]))
    for sample in clips:
        similar = words @ sample.qwen_embeddings
        first, second = np.sort(similar)[::-1][:2]
        assert sample.predicted_class.label == CLASSES[similar.argmax()]
        assert sample.predicted_class.similarity == pytest.approx(first, abs=1e-5)
        assert sample.predicted_class.margin == pytest.approx(first - second, abs=1e-5)
        assert sample.predicted_class.confidence is None
    assert sum(row["samples"] for row in report["classes"]) == 8


def test_clips_that_are_embedded_already_are_not_watched_again(
    clips, classify, operator, checkpoint
):
    operator("embed")(clips, model=checkpoint("siglip2"), **FRAMES)
    report = classify(clips, model=checkpoint("siglip2"))

    assert "Embedded 0 of 8 samples" in report["summary"][0]
    assert report["classified"] == 8


def test_texts_are_classified_by_title_and_description_and_missing_ones_are_not(
    titled, classify, checkpoint
):
    report = classify(titled, lens="transcript", model=checkpoint("bert"))

    lens = Embedder(checkpoint("bert"), device="cpu")
    words = np.stack(lens.embed_texts([f"A video of {name}" for name in CLASSES]))
    (vector,) = lens.embed_texts(["The final goal\nFootball"])
    labels = titled.values("jina_predicted_class.label")
    assert labels[2] == CLASSES[(words @ vector).argmax()]
    assert [label is None for label in labels] == [i in (1, 3) for i in range(8)]
    assert (report["classified"], report["missing"]) == (6, 2)


def test_one_is_evaluated_against_the_other_and_the_report_says_how_often_they_agree(
    titled, classify, checkpoint
):
    classify(titled, lens="transcript", model=checkpoint("bert"))

    report = classify(
        titled, lens="visual", model=checkpoint("siglip2"), against="jina_predicted_class"
    )

    key = "predicted_class_against_jina_predicted_class"
    both = titled.exists("jina_predicted_class")
    pairs = zip(
        both.values("predicted_class.label"), both.values("jina_predicted_class.label"), strict=True
    )
    agreed = sum(a == b for a, b in pairs) / 6
    assert f"agree on {agreed:.1%} of 6 samples" in report["summary"][-1]
    assert titled.load_evaluation_results(key).metrics()["accuracy"] == pytest.approx(agreed)
    assert report["evaluation"]
    info = titled.get_evaluation_info(key)  # what the Model Evaluation panel opens
    assert (info.config.pred_field, info.config.gt_field) == (
        "predicted_class",
        "jina_predicted_class",
    )


def test_the_wording_matters_and_is_the_user_s(clips, classify, checkpoint):
    classify(clips, model=checkpoint("siglip2"), label_field="a")
    classify(clips, model=checkpoint("siglip2"), label_field="b", text_prompt="{} is seen here")

    assert clips.values("a.similarity") != clips.values("b.similarity")


def test_a_lens_that_shares_no_space_with_words_is_refused(clips, classify, checkpoint):
    with pytest.raises(ValueError, match="spaces of their own"):
        classify(clips, model=checkpoint("molmo2"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"classes": ["one"]}, "at least two different"),
        ({"classes": ["one", "one"]}, "at least two different"),
        ({"classes": []}, "this one is needed"),
        ({"text_prompt": "A video"}, "write {} where"),
        ({"lens": "transcript"}, "title"),
        ({"against": "absent"}, "absent"),
    ],
)
def test_what_cannot_work_is_said(clips, classify, settings, words):
    with pytest.raises(SettingsError, match=words):
        classify(clips, **settings)


def test_an_ordinary_field_of_classes_is_not_written_over(clips, classify, checkpoint):
    clips.set_values("predicted_class", [fo.Classification(label="mine")] * 8)

    with pytest.raises(SettingsError, match="which this audit did not write"):
        classify(clips, model=checkpoint("siglip2"))

    assert clips.values("predicted_class.label") == ["mine"] * 8
