"""The demo's judge on the demo's clips: errors overruled, true labels upheld, blindness caught."""

import random
from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from demo import grounding
from demo.errors import misread
from demo.judge import PixelJudge, how_true, read_frames
from demo.telling import tell
from demo.truth import true_reading
from demo.voices import ANNOTATOR, WITNESS_M, WITNESS_Q
from demo.witnesses import look

#: The kinds of errors planted, in the order of the clips that get them.
PLANTED = ("actor", "action", "order", "other", "actor", "action")
VOICES = (ANNOTATOR, WITNESS_Q, WITNESS_M, WITNESS_Q, ANNOTATOR)
PARTIES = ("q", "m", *(f"v{i}" for i in range(len(VOICES))))
ASPECT = {
    "name": "story",
    "annotation": "gt",
    "opinions": {party: f"said_{party}" for party in PARTIES},
}
HOW = {"aspect": "story", "aspects": [ASPECT]}


def detailed(reading, voice, seed):
    if reading.backdrop not in voice.backdrops:  # the witnesses tell light from dark only
        reading = replace(reading, backdrop="light")
    return tell(reading, voice, random.Random(seed))["summary"]["detailed"]


@pytest.fixture(scope="module")
def told(scenes, paths):
    """The clips in which somebody acts: what both witnesses say, and truthful tellings."""
    whole = [
        (scene, path)
        for scene, path in zip(scenes, paths, strict=True)
        if len(scene.acted) > 1 and scene.shown >= scene.duration
    ]
    rows = []
    for i, (scene, path) in enumerate(whole):
        truth = true_reading(scene)
        kind = PLANTED[i] if i < len(PLANTED) else None
        said = misread(kind, scene, scenes, random.Random(i)) if kind else truth
        texts = {"gt": detailed(said, ANNOTATOR, i)}
        texts["said_q"] = detailed(look("q", path), WITNESS_Q, i)
        texts["said_m"] = detailed(look("m", path), WITNESS_M, i)
        for n, voice in enumerate(VOICES):
            texts[f"said_v{n}"] = detailed(truth, voice, 100 * i + n)
        rows.append({"filepath": str(path), "kind": kind, **texts})
    return rows


@pytest.fixture
def stories(told):
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(**row) for row in told])
    yield dataset
    dataset.delete()


def test_the_pixels_overrule_planted_errors_and_uphold_true_labels(stories):
    report = grounding.ground(stories, "pixels", PixelJudge, windows=1, **HOW)

    rulings = list(zip(*stories.values(["kind", "ruling_story", "ruling_story_details"])))
    wrong = [(who, told) for kind, who, told in rulings if kind]
    good = [who for kind, who, _ in rulings if not kind]
    assert len(wrong) == len(PLANTED) and len(good) >= 6
    assert sum(who in PARTIES for who, _ in wrong) >= len(wrong) - 1
    assert "annotation" not in [who for who, _ in wrong]
    assert good.count("annotation") >= len(good) - 2
    (judge,) = report["judges"]
    assert judge["refused"] == "no"
    assert judge["text_share"] < 0.3 and judge["over_black"] > 0.8
    for _, told in wrong:
        assert any(claim["decisive"] for claim in told["claims"])


def test_a_judge_shown_black_frames_only_is_caught_by_the_controls(stories):
    def blind():
        return PixelJudge(blind=True, credulous=1.0)  # and opinionated on top

    report = grounding.ground(stories, "blind", blind, windows=1, **HOW)

    (judge,) = report["judges"]
    assert judge["text_share"] > 0.95
    assert "the text alone explains" in judge["refused"]
    assert set(stories.values("ruling_story")) == {"refused"}
    assert report["overruled"] == 0


def test_the_judge_understands_all_three_voices_and_nothing_else(scenes):
    for scene in scenes:
        truth = true_reading(scene)
        if truth.sightings:
            for voice in (ANNOTATOR, WITNESS_Q):
                assert how_true(detailed(truth, voice, 1), truth) > 0.8
    assert how_true("A man opens a jar.", truth) is None


def test_black_frames_show_the_judge_nothing():
    frames = np.zeros((24, 240, 320, 3), np.uint8)

    readings = read_frames(frames, [i / 12 for i in range(24)])

    assert all(not reading.sightings for reading in readings.values())


def test_rulings_are_counted_by_kind():
    dataset = fo.Dataset()
    rulings = ["annotation", "q", "unsettled", None]
    dataset.add_samples(
        [
            fo.Sample(f"{i}.mp4", video_uid=str(i), ruling_sum_detailed=ruling)
            for i, ruling in enumerate(rulings)
        ]
    )
    kinds = {"0": "good label", "1": "actor", "2": "actor", "3": "good label"}

    found = grounding.rulings_by_kind(dataset, kinds)
    dataset.delete()

    assert found["good label"] == {"upheld": 1, "not asked": 1}
    assert found["actor"] == {"overruled": 1, "unsettled": 1}
    printed = "\n".join(grounding.table(found))
    assert "Of 2 planted errors among the least trusted 1 were overruled and 0 upheld" in printed
    assert "of 2 good labels 1 were upheld and 0 overruled" in printed
