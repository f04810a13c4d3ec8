"""The clips: files that a browser plays, which show the scenes, and are reused."""

from dataclasses import replace

import av
import numpy as np
import pytest

from demo.clips import clip_path, render_clip, render_clips
from demo.drawing import draw_frame
from demo.language import FPS
from demo.motion import frame_times


def frames_of(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_clip_is_what_browsers_play(scenes, paths):
    with av.open(str(paths[0])) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (320, 240)
        assert stream.average_rate == FPS
        assert float(container.duration) / 1e6 == pytest.approx(scenes[0].shown, abs=1e-3)


def test_a_clip_can_be_played_before_it_is_loaded(paths):
    content = paths[0].read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_a_clip_shows_its_scene(scenes, paths):
    frames = frames_of(paths[1])
    times = list(frame_times(scenes[1]))
    assert len(frames) == len(times)
    for index in (0, len(frames) // 2, len(frames) - 1):
        drawn = draw_frame(scenes[1], times[index]).astype(int)
        assert np.abs(frames[index] - drawn).mean() < 4


def test_a_clip_cut_short_ends_before_its_story(scenes, paths):
    index = next(i for i, scene in enumerate(scenes) if scene.shown < scene.duration)
    seconds = len(frames_of(paths[index])) / FPS
    assert seconds == pytest.approx(scenes[index].shown, abs=1e-3)
    assert seconds < scenes[index].duration - 1


def test_what_is_there_is_reused_and_what_changed_is_rendered_again(scenes, tmp_path):
    two = [replace(scene, shown=0.5) for scene in scenes[:2]]
    assert render_clips(two, tmp_path, workers=1) == {"rendered": 2, "reused": 0}
    assert render_clips(two, tmp_path, workers=1) == {"rendered": 0, "reused": 2}
    changed = [replace(two[0], setting="midnight"), two[1]]
    assert render_clips(changed, tmp_path, workers=1) == {"rendered": 1, "reused": 1}
    clip_path(tmp_path, two[1]).unlink()
    assert render_clips(changed, tmp_path, workers=1) == {"rendered": 1, "reused": 1}


def test_workers_render_the_same_as_one(scenes, tmp_path):
    two = [replace(scene, shown=0.5) for scene in scenes[:2]]
    render_clips(two, tmp_path / "many", workers=2)
    for scene in two:
        render_clip(scene, tmp_path / "one.mp4")
        alone = frames_of(tmp_path / "one.mp4")
        assert np.array_equal(frames_of(clip_path(tmp_path / "many", scene)), alone)
