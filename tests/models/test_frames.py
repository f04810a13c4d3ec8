"""Frame sampling: the frames that were asked for, those that came, and the record of both."""

import shutil
import subprocess

import av
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.frames import (
    Clip,
    Sampling,
    plan_frames,
    sample_frames,
)
from fiftyone.plugins.orgs.second_opinion.audit.models.timeline import FrameError, Timeline


def numbers(films, sampled):
    return [films.number_in(frame) for frame in sampled.frames]


def test_the_record_names_the_frames_whose_pixels_were_handed_over(films, film):
    sampled = sample_frames(Clip(film), Sampling(fps=4))

    assert sampled.record.frame_numbers == tuple(n + 1 for n in numbers(films, sampled))
    assert sampled.frames.dtype == np.uint8
    assert len(sampled.frames) == 16  # 4 s at 4 a second
    assert sampled.record.frame_numbers[0] == 1
    assert sampled.record.frame_numbers[-1] == 100
    assert sampled.record.exact


def test_a_part_of_a_film_gives_frames_of_that_part_only(films, film):
    sampled = sample_frames(Clip(film, (31, 60)), Sampling(fps=10))

    seen = numbers(films, sampled)
    assert min(seen) == 30
    assert max(seen) == 59
    assert sampled.record.total_frames == 30
    assert sampled.record.seconds[0] == 0.0
    assert sampled.record.seconds[-1] == pytest.approx(29 / 25)


def test_a_part_far_into_a_film_is_found_by_seeking_to_the_same_frames(films, tmp_path):
    long = films.write(tmp_path / "long.mp4", 900, gop=50)

    sampled = sample_frames(Clip(long, (601, 880)), Sampling(fps=2))

    assert [n + 1 for n in numbers(films, sampled)] == list(sampled.record.frame_numbers)
    assert sampled.record.frame_numbers[0] == 601
    assert sampled.record.frame_numbers[-1] == 880


def test_every_frame_of_a_real_film_equals_a_plain_sequential_decode(real_clips):
    for path in real_clips:
        with av.open(path) as container:
            plain = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

        sampled = sample_frames(Clip(path), Sampling(fps=3, max_pixels=4_000_000))

        assert len(Timeline.of(path)) == len(plain)
        for number, frame in zip(sampled.record.frame_numbers, sampled.frames, strict=True):
            assert np.array_equal(frame, plain[number - 1])


def test_frame_numbers_are_those_that_fiftyone_counts(film, films):
    # FiftyOne reads frames with "ffmpeg -vsync 0"; number n there must be number n here
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg, with which FiftyOne reads frames, is not on this machine")
    command = ["ffmpeg", "-v", "error", "-i", film, "-vsync", "0", "-f", "rawvideo"]
    raw = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], capture_output=True).stdout
    theirs = np.frombuffer(raw, np.uint8).reshape(-1, 64, 96, 3)

    sampled = sample_frames(Clip(film), Sampling(fps=5))

    for number, frame in zip(sampled.record.frame_numbers, sampled.frames, strict=True):
        assert films.number_in(theirs[number - 1]) == films.number_in(frame)


def test_a_film_is_read_through_once_for_all_its_parts_and_again_when_it_changes(
    films, tmp_path, monkeypatch
):
    path, read = films.write(tmp_path / "parts.mp4", 40), []
    of = Timeline.of
    monkeypatch.setattr(Timeline, "of", lambda path: read.append(path) or of(path))

    parts = [sample_frames(Clip(path, (first, first + 9)), Sampling()) for first in (1, 11, 21)]

    assert [part.record.frame_numbers[0] for part in parts] == [1, 11, 21]
    assert len(read) == 1
    films.write(path, 20)
    assert sample_frames(Clip(path), Sampling()).record.total_frames == 20
    assert len(read) == 2


def test_max_frames_spreads_what_it_leaves_over_the_whole_clip(films, film):
    sampled = sample_frames(Clip(film), Sampling(fps=25, max_frames=5))

    assert numbers(films, sampled) == [0, 25, 50, 74, 99]


def test_large_frames_are_scaled_to_the_budget_and_keep_their_shape(films, film):
    sampled = sample_frames(Clip(film), Sampling(max_pixels=48 * 32))

    assert sampled.frames.shape[1:] == (32, 48, 3)
    assert (sampled.record.width, sampled.record.height) == (48, 32)
    assert [n + 1 for n in numbers(films, sampled)] == list(sampled.record.frame_numbers)


def test_keyframes_mode_takes_the_nearest_keyframes_and_says_it_is_approximate(films, film):
    exact = sample_frames(Clip(film), Sampling(fps=1))
    fast = sample_frames(Clip(film), Sampling(fps=1, mode="keyframes"))

    assert [n + 1 for n in numbers(films, fast)] == list(fast.record.frame_numbers)
    assert all((n - 1) % 12 == 0 for n in fast.record.frame_numbers)
    assert not fast.record.exact
    gaps = np.abs(np.subtract(fast.record.frame_numbers, exact.record.frame_numbers))
    assert gaps.max() <= 6


def test_keyframes_mode_never_leaves_the_clip_even_where_it_holds_no_keyframe(films, film):
    sampled = sample_frames(Clip(film, (15, 20)), Sampling(fps=10, mode="keyframes"))

    assert all(15 <= n <= 20 for n in sampled.record.frame_numbers)
    assert sampled.record.exact  # there was nothing to approximate with


def test_times_of_a_film_with_a_variable_frame_rate_are_its_own(films, tmp_path):
    times = [i * 40 for i in range(50)] + [2000 + i * 200 for i in range(20)]
    uneven = films.write(tmp_path / "uneven.mp4", 70, times=times, b_frames=0)

    sampled = sample_frames(Clip(uneven), Sampling(fps=5))

    expected = [times[n] / 1000 for n in numbers(films, sampled)]
    assert sampled.record.seconds == pytest.approx(expected, abs=0.002)
    metadata = sampled.video_metadata()
    shown = [index / metadata["fps"] for index in metadata["frames_indices"]]
    assert shown == pytest.approx(expected, abs=0.5 / metadata["fps"] + 1e-6)


def test_a_film_without_presentation_times_is_counted(films, tmp_path):
    plain = films.write(tmp_path / "plain.h264", 40)
    assert Timeline.of(plain).pts is None

    sampled = sample_frames(Clip(plain, (11, 30)), Sampling(fps=5))

    assert [n + 1 for n in numbers(films, sampled)] == list(sampled.record.frame_numbers)
    assert sampled.record.frame_numbers[0] == 11


def test_a_turned_film_is_handed_over_upright(films, tmp_path):
    turned = films.write(tmp_path / "turned.mp4", 10, rotation=90)

    sampled = sample_frames(Clip(turned), Sampling())

    assert sampled.frames.shape[1:3] == (96, 64)
    upright = np.rot90(sampled.frames[-1], -1)
    assert films.number_in(upright) == sampled.record.frame_numbers[-1] - 1


def test_a_film_of_one_frame_is_handed_over_twice_and_the_record_says_so(films, tmp_path):
    single = films.write(tmp_path / "single.mp4", 1, b_frames=0)

    sampled = sample_frames(Clip(single), Sampling())

    assert len(sampled.frames) == 2
    assert sampled.record.frame_numbers == (1, 1)


@pytest.mark.parametrize(
    ("total", "fps", "sampling", "count"),
    [
        (250, 25.0, Sampling(fps=2), 20),
        (250, 25.0, Sampling(fps=2, max_frames=8), 8),
        (3, 25.0, Sampling(fps=2), 2),
        (5, 1.0, Sampling(fps=30), 5),
    ],
)
def test_plans_count_frames_by_time_within_bounds(total, fps, sampling, count):
    plan = plan_frames(total, fps, sampling)

    assert len(plan) == count
    assert plan == sorted(set(plan))
    assert (plan[0], plan[-1]) == (0, total - 1)


def test_what_cannot_be_decoded_says_why(tmp_path, film):
    text = tmp_path / "words.mp4"
    text.write_text("this is no film")
    cut = tmp_path / "cut.mp4"
    with open(film, "rb") as whole:
        cut.write_bytes(whole.read()[:600])

    with pytest.raises(FrameError, match="There is no file"):
        sample_frames(Clip(str(tmp_path / "absent.mp4")))
    with pytest.raises(FrameError, match=r"words\.mp4 cannot be decoded"):
        sample_frames(Clip(str(text)))
    with pytest.raises(FrameError, match=r"cut\.mp4"):
        sample_frames(Clip(str(cut)))
    with pytest.raises(FrameError, match="has 100 frames"):
        sample_frames(Clip(film, (101, 120)))


def test_a_slow_file_is_given_up_after_the_timeout(film):
    with pytest.raises(FrameError, match="took too long"):
        sample_frames(Clip(film), Sampling(timeout=0.0))


def test_senseless_settings_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="fps above 0"):
        Sampling(fps=0)
    with pytest.raises(ValueError, match="exact, keyframes"):
        Sampling(mode="fast")


def test_the_record_is_plain_values(film):
    record = sample_frames(Clip(film), Sampling(max_frames=2)).record.as_dict()

    assert record["frame_numbers"] == [1, 100]
    assert record["seconds"] == [0.0, 3.96]
    assert record["source_fps"] == 25.0
