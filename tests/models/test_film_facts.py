"""What a video file says of itself."""

from __future__ import annotations

import av
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.film_facts import film_facts
from fiftyone.plugins.orgs.second_opinion.audit.models.timeline import FrameError


def write_video(path, frames=20, rate=10, codec="mpeg4"):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = 64, 48
        for i in range(frames):
            picture = np.full((48, 64, 3), i * 10, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi"])
def test_metadata_is_read_from_every_container(tmp_path, ending):
    metadata = film_facts(str(write_video(tmp_path / f"a{ending}")))
    assert metadata["frame_rate"] == 10.0
    assert metadata["total_frame_count"] == 20
    assert metadata["duration"] == pytest.approx(2.0, abs=0.11)
    assert (metadata["frame_width"], metadata["frame_height"]) == (64, 48)
    assert metadata["encoding_str"] == "mpeg4"
    assert metadata["size_bytes"] == (tmp_path / f"a{ending}").stat().st_size


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_a_file_that_is_no_video_gives_a_sentence(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(FrameError, match="cannot be read as a video"):
        film_facts(str(tmp_path / "a.mp4"))


def test_a_truncated_video_gives_a_sentence(tmp_path):
    path = write_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FrameError, match="cannot be read as a video"):
        film_facts(str(path))


def test_sound_without_pictures_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = np.zeros((1, 8000), np.int16)
        frame = av.AudioFrame.from_ndarray(sound, format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(FrameError, match="no video stream"):
        film_facts(str(tmp_path / "a.mkv"))


def test_a_missing_file_gives_a_sentence(tmp_path):
    with pytest.raises(FrameError, match="cannot be read as a video"):
        film_facts(str(tmp_path / "nowhere.mp4"))
