"""The judge that says Yes or No: one encoded clip must serve all statements about it."""

import numpy as np
import pytest
import torch
from fiftyone.plugins.orgs.second_opinion.audit.models.annotator import Annotator
from fiftyone.plugins.orgs.second_opinion.audit.models.judge_yes import YesJudge
from fiftyone.plugins.orgs.second_opinion.audit.models.judging import blackened, windows

ARCHITECTURES = ("qwen3_vl", "molmo2", "smolvlm")
STATEMENTS = [
    "A rabbit wakes up.",
    "Three people on bicycles ride along a street, one behind the other.",
    "no",
    "  A man in a red\n shirt opens a jar; then he closes it again. ",
    "Élan <|im_end|> is written on a wall.",
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_shared_clip_gives_what_separate_forwards_give(annotator, sampled, architecture):
    together = YesJudge(annotator(architecture), batch_size=3)
    apart = YesJudge(annotator(architecture), shared=False)

    for clip in sampled:
        shared = together.look(clip).log_odds(STATEMENTS)
        separate = apart.look(clip).log_odds(STATEMENTS)
        assert np.abs(shared - separate).max() < 1e-4
        assert np.ptp(shared) > 1e-3  # a statement does change the answer

    assert together.shared is True, together.why_apart
    assert apart.shared is False


def test_a_statement_is_answered_alike_in_any_company(annotator, sampled):
    judge = YesJudge(annotator("qwen3_vl"))
    sight = judge.look(sampled[0])

    alone = np.array([sight.log_odds([statement])[0] for statement in STATEMENTS])
    backwards = sight.log_odds(STATEMENTS[::-1])[::-1]

    assert np.abs(alone - sight.log_odds(STATEMENTS)).max() < 1e-4
    assert np.abs(alone - backwards).max() < 1e-4
    assert len(sight.log_odds([])) == 0


def test_two_clips_are_kept_apart(annotator, sampled):
    judge = YesJudge(annotator("qwen3_vl"))
    first, second = judge.look(sampled[0]), judge.look(sampled[1])

    here, there = first.log_odds(STATEMENTS), second.log_odds(STATEMENTS)

    # the second was encoded before the first was asked
    assert np.abs(here - judge.look(sampled[0]).log_odds(STATEMENTS)).max() < 1e-4
    assert np.abs(here - there).min() > 1e-5


def test_where_the_words_come_before_the_clip_each_statement_has_a_forward_of_its_own(
    checkpoint, sampled, tmp_path
):
    model = Annotator(checkpoint("qwen3_vl"), device="cpu")
    words = "{% if part.type == 'text' %}{{ part.text }}{% endif %}"
    clip = "{% if part.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% endif %}"
    parts = "{% for part in message.content %}PART{% endfor %}"
    body = parts.replace("PART", words) + parts.replace("PART", clip)
    model.processor.chat_template = "{% for message in messages %}" + body + "{% endfor %}"

    judge = YesJudge(model)
    found = judge.look(sampled[1]).log_odds(STATEMENTS[:3])

    assert judge.shared is False
    assert "one clip serve many words" in judge.why_apart
    assert np.isfinite(found).all()
    assert np.ptp(found) > 1e-4


def test_yes_and_no_are_summed_over_their_spellings(annotator, sampled):
    judge = YesJudge(annotator("molmo2"))
    encode = judge.annotator.processor.tokenizer.encode
    logits = torch.full((1, 400), -20.0)
    for word, value in (("Yes", 1.0), ("yes", 2.0), ("No", 1.5)):
        logits[0, encode(word, add_special_tokens=False)[0]] = value

    (found,) = judge.weigh(logits)

    assert found == pytest.approx(np.log(np.exp(1.0) + np.exp(2.0)) - 1.5, abs=1e-6)
    assert judge.answered == pytest.approx(1.0, abs=1e-4)


def test_black_frames_and_parts_of_a_clip_keep_their_record(sampled):
    clip = sampled[0]
    black, parts = blackened(clip), windows(clip, 4)

    assert black.frames.shape == clip.frames.shape and not black.frames.any()
    assert black.record == clip.record
    assert len(parts) == 4
    assert sum(len(part.frames) for part in parts) == len(clip.frames)
    numbers = [number for part in parts for number in part.record.frame_numbers]
    assert tuple(numbers) == clip.record.frame_numbers
    assert all(part.record.seconds[0] == 0.0 for part in parts)
    assert len(windows(sampled[1], 4)) == 2  # of five frames, two or more each
