"""Decoding ahead of the model: order, bounds, and files that hang or break."""

import os
import signal
import threading
import time

import numpy as np
import psutil
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models import decoding
from fiftyone.plugins.orgs.second_opinion.audit.models.decoding import DecodeAhead, Decoder
from fiftyone.plugins.orgs.second_opinion.audit.models.frames import (
    Clip,
    SampledClip,
    Sampling,
    sample_frames,
)
from fiftyone.plugins.orgs.second_opinion.audit.models.timeline import FrameError

pipes = pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="this system has no named pipes to hang on"
)


def decoders():
    """The processes of ours that decode."""
    found = psutil.Process().children(recursive=True)
    return [child for child in found if "second_opinion_decoder" in " ".join(child.cmdline())]


@pytest.fixture
def silent(tmp_path):
    """A file that never answers: reading it waits until somebody writes."""
    os.mkfifo(tmp_path / "silent.mp4")
    return str(tmp_path / "silent.mp4")


def test_clips_come_in_order_whatever_the_processes_do(film):
    clips = [Clip(film, (first, first + 9)) for first in range(1, 80, 7)]

    got = list(DecodeAhead(clips, Sampling(fps=5), workers=3, ahead=4))

    assert [sampled.record.frame_numbers[0] for sampled in got] == [c.support[0] for c in clips]


def test_frames_and_record_come_back_from_another_process_as_they_were(film):
    clip, sampling = Clip(film, (11, 60)), Sampling(fps=7, max_pixels=48 * 32)

    [got], here = DecodeAhead([clip], sampling), sample_frames(clip, sampling)

    np.testing.assert_array_equal(got.frames, here.frames)
    assert got.frames.dtype == np.uint8 and got.frames.flags.writeable
    assert got.record == here.record and got.video_metadata() == here.video_metadata()


def test_a_broken_file_costs_one_clip(film, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\x00" * 400)
    odd = f"{tmp_path}/\udcff\n.mp4"  # a name that is no UTF-8

    got = list(DecodeAhead([Clip(film), Clip(str(broken)), Clip(odd), Clip(film)]))

    assert [type(item) for item in got] == [SampledClip, FrameError, FrameError, SampledClip]
    assert "cannot be decoded" in str(got[1]) and "There is no file" in str(got[2])


@pipes
def test_a_file_that_never_answers_costs_one_clip_and_the_timeout(film, silent):
    clips = [Clip(film), Clip(silent), Clip(film), Clip(film)]

    got = list(DecodeAhead(clips, Sampling(timeout=0.2), workers=1))

    assert [type(item) for item in got] == [SampledClip, FrameError, SampledClip, SampledClip]
    assert "did not answer within 0.2 s" in str(got[1])
    assert decoders() == []


@pipes
def test_a_decoder_that_crashes_costs_one_clip(film, silent):
    def crash():
        with open(silent, "wb"):  # opens once the decoder has opened the other end
            for child in decoders():
                child.send_signal(signal.SIGSEGV)

    threading.Thread(target=crash).start()
    got = list(DecodeAhead([Clip(film), Clip(silent), Clip(film)], workers=1))

    assert [type(item) for item in got] == [SampledClip, FrameError, SampledClip]
    assert "silent.mp4 made the decoder crash (SIGSEGV)" in str(got[1])


def test_a_run_that_is_left_early_leaves_no_process(film):
    stream = iter(DecodeAhead([Clip(film)] * 9, workers=2))
    next(stream)
    assert decoders()
    stream.close()
    assert decoders() == []


@pipes
def test_a_decoder_that_nobody_ends_ends_itself(silent):
    decoder = Decoder()
    decoder.close()
    with pytest.raises(FrameError, match="has ended"):
        decoder.read(Clip(silent))
    # As where the one who started it is stopped, and so neither kills nor goes away
    process = decoding._start()
    process.stdin.write(b'{"ask": "facts", "path": "%s", "timeout": -4.0}\n' % silent.encode())
    process.stdin.flush()
    assert process.wait(timeout=60) == -signal.SIGALRM


def test_an_unforeseen_error_in_a_decoder_costs_one_clip(film):
    def read(clip, sampling):
        if clip.support:
            raise MemoryError("too large")
        return "frames"

    got = list(DecodeAhead([Clip(film, (1, 2)), Clip(film)], read=read))

    assert "too large" in str(got[0])
    assert got[1] == "frames"


def test_where_no_process_can_start_the_run_stops_and_says_why(film, monkeypatch):
    monkeypatch.setattr(decoding.sys, "executable", "/bin/false")
    with pytest.raises(decoding.DecoderUnavailable, match="ended with 1.*as /bin/false"):
        list(DecodeAhead([Clip(film)]))


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
