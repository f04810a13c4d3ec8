"""Films whose every frame says its own number, so that a test can read what was decoded."""

from fractions import Fraction

import av
import numpy as np

BITS = 12


def picture(number, width=96, height=64):
    """A frame that carries its number as black and white bars, most significant first."""
    frame = np.full((height, width, 3), 60, dtype=np.uint8)
    bar = width // BITS
    for bit in range(BITS):
        value = 230 if number >> (BITS - 1 - bit) & 1 else 20
        frame[height // 4 :, bit * bar : (bit + 1) * bar] = value
    return frame


def number_in(frame):
    """Reads the number back from a decoded frame of any size."""
    height, width = frame.shape[:2]
    row = frame[int(height * 0.6) :, :, :].mean(axis=(0, 2))
    bars = [row[int((bit + 0.5) * width / BITS)] for bit in range(BITS)]
    return sum(1 << (BITS - 1 - bit) for bit, value in enumerate(bars) if value > 128)


def write(path, frames, fps=25, times=None, gop=12, b_frames=2, rotation=None, codec="libx264"):
    """Writes a film of numbered frames.

    Args:
        path: where to
        frames: how many
        fps: frames a second
        times: presentation times in 1/1000 s, for a film with a variable frame rate
        gop: frames from one keyframe to the next
        b_frames: frames in a row that are predicted from both sides
        rotation: degrees that a player is told to turn the picture by, counter-clockwise
        codec: the encoder
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        if codec == "libx264":
            stream.options = {"g": str(gop), "bf": str(b_frames), "crf": "10", "sc_threshold": "0"}
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return str(path)
