"""Decoding ahead of the model: order, bounds, and files that hang or break."""

import os
import threading
import time

import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.decoding import DecodeAhead
from fiftyone.plugins.orgs.second_opinion.audit.models.frames import Clip, SampledClip, Sampling
from fiftyone.plugins.orgs.second_opinion.audit.models.timeline import FrameError


def test_clips_come_in_order_whatever_the_threads_do(film):
    clips = [Clip(film, (first, first + 9)) for first in range(1, 80, 7)]

    got = list(DecodeAhead(clips, Sampling(fps=5), workers=3, ahead=4))

    assert [sampled.record.frame_numbers[0] for sampled in got] == [c.support[0] for c in clips]


def test_a_broken_file_costs_one_clip(film, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\x00" * 400)

    got = list(DecodeAhead([Clip(film), Clip(str(broken)), Clip(film)]))

    assert isinstance(got[0], SampledClip)
    assert isinstance(got[1], FrameError)
    assert isinstance(got[2], SampledClip)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes to hang on")
def test_a_file_that_never_answers_costs_one_clip_and_the_timeout(film, tmp_path):
    silent = tmp_path / "silent.mp4"
    os.mkfifo(silent)  # opening it blocks until somebody writes
    clips = [Clip(film), Clip(str(silent)), Clip(film), Clip(film)]

    got = list(DecodeAhead(clips, Sampling(timeout=0.2), workers=1))

    assert [type(item) for item in got] == [SampledClip, FrameError, SampledClip, SampledClip]
    assert "did not answer" in str(got[1])


def test_an_unforeseen_error_in_a_decoder_costs_one_clip(film):
    def read(clip, sampling):
        if clip.support:
            raise MemoryError("too large")
        return "frames"

    got = list(DecodeAhead([Clip(film, (1, 2)), Clip(film)], read=read))

    assert "too large" in str(got[0])
    assert got[1] == "frames"


def test_no_more_clips_than_allowed_are_held_at_a_time():
    lock, live, peak = threading.Lock(), 0, 0

    def read(clip, sampling):
        nonlocal live, peak
        with lock:
            live += 1
            peak = max(peak, live)
        return clip

    clips = (Clip(str(number)) for number in range(40))
    for _ in DecodeAhead(clips, workers=2, ahead=5, read=read):
        with lock:
            live -= 1
        time.sleep(0.002)  # a model slower than the decoder

    assert 1 < peak <= 5


def test_clips_are_drawn_as_they_are_needed_and_the_wait_is_measured():
    drawn = []

    def clips():
        for number in range(100):
            drawn.append(number)
            yield Clip(str(number))

    def read(clip, sampling):
        time.sleep(0.02)
        return clip

    ahead = DecodeAhead(clips(), workers=1, ahead=3, read=read)
    stream = iter(ahead)
    next(stream)
    stream.close()

    assert len(drawn) <= 4
    assert ahead.waited > 0
