"""The witnesses: they read pixels and nothing else, are useful, and err in ways of their own."""

import json
import shutil

import av
import numpy as np
import pytest

from demo.truth import Accuracy, true_reading
from demo.witnesses import ask, ask_all, look


@pytest.fixture(scope="module")
def readings(paths):
    return {witness: [look(witness, path) for path in paths] for witness in "qm"}


def accuracy(readings, scenes):
    total = Accuracy()
    for reading, scene in zip(readings, scenes):
        total.add(reading, scene)
    return total


def write_clip(path, frames):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for pixels in frames:
            frame = av.VideoFrame.from_ndarray(pixels.astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def black_clip(tmp_path):
    return write_clip(tmp_path / "black.mp4", np.zeros((36, 240, 320, 3)))


@pytest.mark.parametrize("witness", "qm")
def test_a_witness_gets_most_facts_right(witness, readings, scenes):
    found = accuracy(readings[witness], scenes)
    for fact in ("action", "colour", "shape", "count"):
        assert found.asked[fact] > 25
        assert found.share(fact) > 0.7, fact


def test_witnesses_do_not_err_in_the_same_places(readings, scenes):
    wrong = {}
    for witness, seen in readings.items():
        wrong[witness] = set()
        for index, (reading, scene) in enumerate(zip(seen, scenes)):
            one = accuracy([reading], [scene])
            if sum(one.right.values()) < sum(one.asked.values()) or one.invented:
                wrong[witness].add(index)
    assert wrong["q"] and wrong["m"]
    assert wrong["q"] != wrong["m"]


@pytest.mark.parametrize("witness", "qm")
def test_a_witness_sees_nobody_where_only_titles_are(witness, readings, scenes):
    index = next(i for i, scene in enumerate(scenes) if not scene.acted)
    assert readings[witness][index].sightings == []
    assert readings[witness][index].title is not None


def test_only_q_can_read(readings, scenes):
    index = next(i for i, scene in enumerate(scenes) if not scene.acted)
    assert readings["q"][index].title == true_reading(scenes[index]).title
    assert readings["m"][index].title == ""


@pytest.mark.parametrize("witness", "qm")
def test_a_black_clip_shows_nothing(witness, black_clip):
    reading = look(witness, black_clip)
    assert (reading.backdrop, reading.sightings, reading.title) == ("dark", [], None)


@pytest.mark.parametrize("witness", "qm")
def test_a_witness_sees_a_shape_that_no_scene_drew(witness, tmp_path):
    """A plain red square that goes from left to right, painted without the demo's pencil."""
    frames = np.full((72, 240, 320, 3), 210)
    for index in range(60):
        left = -70 + 7 * index
        frames[index, 90:150, max(left, 0) : max(left + 60, 0)] = (215, 30, 30)
    (sighting,) = look(witness, write_clip(tmp_path / "square.mp4", frames)).sightings
    assert (sighting.action, sighting.side) == ("cross", "left")
    assert (sighting.figure.colour, sighting.figure.shape) == ("red", "square")


@pytest.mark.parametrize("witness", "qm")
def test_an_answer_hangs_on_the_pixels_and_not_on_the_name(witness, paths, tmp_path):
    other = shutil.copy(paths[0], tmp_path / "renamed.mp4")
    assert ask(witness, other) == ask(witness, paths[0])


def test_witnesses_use_different_words(readings, paths):
    q, m = (ask(witness, paths[2]) for witness in "qm")
    assert q != m


def test_answers_are_kept_until_their_clip_changes(paths, tmp_path):
    clips = [shutil.copy(path, tmp_path / path.name) for path in paths[:2]]
    file = tmp_path / "answers.jsonl"
    assert ask_all("m", clips, file, workers=1) == {"asked": 2, "reused": 0}
    first = file.read_text(encoding="utf-8")
    assert ask_all("m", clips, file, workers=1) == {"asked": 0, "reused": 2}
    assert file.read_text(encoding="utf-8") == first
    shutil.copy(paths[2], clips[0])
    assert ask_all("m", clips, file, workers=1) == {"asked": 1, "reused": 1}
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["stem"] for line in lines] == [clip.stem for clip in paths[:2]]
