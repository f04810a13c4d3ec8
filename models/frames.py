"""Which frames of a clip reach a model, and a record of exactly which ones did.

Every model of this room gets its frames here, so that two witnesses of one clip
saw the same pictures, and so that what they saw can be shown to a person.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import av
import numpy as np
from av.video.reformatter import Interpolation

from .timeline import FrameError, Timeline, timeline_of, video_stream

# Decoding a few hundred frames costs less than a seek that may land badly.
_SEEK_FROM = 300
_MIN_FRAMES = 2
_MODES = ("exact", "keyframes")


@dataclass(frozen=True)
class Clip:
    """A video file, or a part of it.

    Attributes:
        path: the file
        support: first and last frame number, from 1 and both included, as FiftyOne
            counts; None for the whole file
    """

    path: str
    support: tuple[int, int] | None = None


@dataclass(frozen=True)
class Sampling:
    """How many frames of a clip are taken, how large, and by which way of decoding.

    Attributes:
        fps: frames a second of video that are wanted, above 0
        max_frames: the most frames of a clip, spread evenly when it bites, at least 2
        max_pixels: the most pixels (width x height) of a frame; larger ones are scaled down
        mode: ``exact`` decodes from the file's start or the keyframe before the clip;
            ``keyframes`` decodes keyframes only and takes the nearest ones: much faster on
            long videos, and approximate, which the record says
        timeout: seconds of decoding after which a clip is given up
    """

    fps: float = 2.0
    max_frames: int = 32
    max_pixels: int = 480 * 480
    mode: str = "exact"
    timeout: float = 60.0

    def __post_init__(self):
        if self.fps <= 0 or self.max_frames < _MIN_FRAMES or self.max_pixels < 1024:
            raise ValueError(
                "Sampling needs fps above 0, max_frames of at least 2 and max_pixels of at "
                f"least 1024; it got {self.fps}, {self.max_frames} and {self.max_pixels}."
            )
        if self.mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {self.mode!r}.")


@dataclass(frozen=True)
class FrameRecord:
    """Exactly which frames reached the model.

    Attributes:
        frame_numbers: numbers in the file, from 1, as FiftyOne counts them
        seconds: when each is shown, from the start of the clip
        source_fps: the file's average frame rate
        total_frames: how many frames the clip has
        width: of the frames as handed over, in pixels
        height: of the frames as handed over, in pixels
        exact: whether these are the evenly spread frames that were asked for; False when
            ``keyframes`` mode took the nearest keyframes, or some could not be decoded
        first_frame: the number of the clip's first frame in the file, from 1
    """

    frame_numbers: tuple[int, ...]
    seconds: tuple[float, ...]
    source_fps: float
    total_frames: int
    width: int
    height: int
    exact: bool
    first_frame: int = 1

    @property
    def duration(self) -> float:
        """The length of the clip in seconds."""
        return self.total_frames / self.source_fps

    def frame_at(self, second: float) -> int:
        """The number, in the file, of the frame that is shown at a second of the clip."""
        place = min(max(int(second * self.source_fps + 1e-6), 0), self.total_frames - 1)
        return self.first_frame + place

    def as_dict(self) -> dict:
        """The record as plain values, for a report or a database."""
        plain = asdict(self)
        plain["frame_numbers"] = list(self.frame_numbers)
        plain["seconds"] = [round(second, 3) for second in self.seconds]
        return plain


@dataclass
class SampledClip:
    """The frames of a clip, ready for a model.

    Attributes:
        frames: ``T x H x W x 3`` uint8 RGB
        record: which frames they are
    """

    frames: np.ndarray
    record: FrameRecord

    def video_metadata(self) -> dict:
        """What a Hugging Face video processor must know of frames sampled beforehand.

        Indices are taken from the presentation times, counted from the clip's start, so
        that the timestamps a model reads are right for variable frame rates as well.
        Without this, processors assume 24 frames a second.
        """
        record = self.record
        return {
            "fps": record.source_fps,
            "total_num_frames": record.total_frames,
            "duration": record.duration,
            "frames_indices": [round(second * record.source_fps) for second in record.seconds],
            "height": record.height,
            "width": record.width,
        }


def plan_frames(total: int, source_fps: float, sampling: Sampling) -> list[int]:
    """Chooses frames of a clip, evenly from its first to its last.

    Args:
        total: frames in the clip, at least 1
        source_fps: frames a second
        sampling: what is wanted

    Returns:
        0-based frames, ascending; a clip of a single frame gives it twice, because
        video models take frames in pairs
    """
    wanted = round(total / source_fps * sampling.fps)
    count = min(max(wanted, _MIN_FRAMES), sampling.max_frames)
    if total == 1:
        return [0] * _MIN_FRAMES
    count = min(count, total)
    return np.linspace(0, total - 1, count).round().astype(int).tolist()


#: What every model sees unless told otherwise.
DEFAULT_SAMPLING = Sampling()


def sample_frames(clip: Clip, sampling: Sampling = DEFAULT_SAMPLING) -> SampledClip:
    """Decodes the frames of a clip that a model is to see.

    Raises:
        FrameError: if the file is missing, holds no video, is broken, takes longer than
            ``sampling.timeout``, or the clip lies outside of it
    """
    try:
        timeline = timeline_of(clip.path)
        first, last = _bounds(clip, len(timeline))
        planned = [
            first + offset for offset in plan_frames(last - first + 1, timeline.fps, sampling)
        ]
        keys = sampling.mode == "keyframes" and timeline.nearest_keyframes(planned, first, last)
        got = _decode(clip, timeline, keys or planned, bool(keys), sampling)
    except FileNotFoundError as error:
        raise FrameError(f"There is no file at {clip.path}.") from error
    except (av.error.FFmpegError, OSError) as error:
        raise FrameError(f"{clip.path} cannot be decoded: {error.strerror or error}.") from error
    start = timeline.seconds(first)
    frames = np.stack([image for _, image in got])
    record = FrameRecord(
        frame_numbers=tuple(index + 1 for index, _ in got),
        seconds=tuple(max(0.0, timeline.seconds(index) - start) for index, _ in got),
        source_fps=timeline.fps,
        total_frames=last - first + 1,
        width=frames.shape[2],
        height=frames.shape[1],
        exact=[index for index, _ in got] == planned,
        first_frame=first + 1,
    )
    return SampledClip(frames, record)


def read_frames(
    path: str, numbers: Sequence[int], max_pixels: int, timeout: float
) -> dict[int, np.ndarray]:
    """Decodes frames by their numbers in the file, from 1, as a record names them.

    Raises:
        FrameError: as :func:`sample_frames`
    """
    sampling = Sampling(max_pixels=max_pixels, timeout=timeout)
    try:
        timeline = timeline_of(path)
        wanted = sorted({n - 1 for n in numbers if 1 <= n <= len(timeline)})
        got = _decode(Clip(path), timeline, wanted, False, sampling) if wanted else []
    except (av.error.FFmpegError, OSError) as error:
        raise FrameError(f"{path} cannot be decoded: {error.strerror or error}.") from error
    return {index + 1: picture for index, picture in got}


def _bounds(clip: Clip, total: int) -> tuple[int, int]:
    if clip.support is None:
        return 0, total - 1
    first, last = clip.support
    if first > total or last < first or last < 1:
        raise FrameError(
            f"The clip [{first}, {last}] lies outside of {clip.path}, which has {total} frames."
        )
    return max(first, 1) - 1, min(last, total) - 1


def _decode(
    clip: Clip, timeline: Timeline, wanted: list[int], keyframes: bool, sampling: Sampling
) -> list[tuple[int, np.ndarray]]:
    deadline = time.monotonic() + sampling.timeout
    with av.open(clip.path) as container:
        stream = video_stream(container, clip.path)
        if keyframes:
            stream.codec_context.skip_frame = "NONKEY"
        if timeline.pts is not None and wanted[0] >= _SEEK_FROM:
            container.seek(timeline.pts[wanted[0]], stream=stream, backward=True)
        every = keyframes or timeline.pts is None or stream.codec_context.name != "h264"
        needed = None if every else {timeline.pts[index] for index in wanted}
        decoded = _numbered(_frames(container, stream, needed), timeline, deadline, clip.path)
        kept = _matching(decoded, wanted)
        got = [(index, _picture(frame, sampling.max_pixels)) for index, frame in kept]
    if not got:
        raise FrameError(f"No frame of {clip.path} could be decoded; the file may be broken.")
    # Video models take frames in pairs: a lone frame is handed over twice
    return got if len(got) > 1 else got * _MIN_FRAMES


def _frames(container, stream, needed: set[int] | None) -> Iterator:
    """Decoded frames; those that neither are needed nor help to decode others are left out.

    In H.264 a frame says whether others lean on it, so that leaving it out changes no pixel.
    """
    if needed is None:
        yield from container.decode(stream)
        return
    for packet in container.demux(stream):
        kept = packet.pts in needed or not packet.size  # an empty packet asks for what is left
        stream.codec_context.skip_frame = "DEFAULT" if kept else "NONREF"
        yield from packet.decode()


def _numbered(frames, timeline: Timeline, deadline: float, path: str) -> Iterator[tuple]:
    places = None if timeline.pts is None else {p: i for i, p in enumerate(timeline.pts)}
    for counted, frame in enumerate(frames):
        if time.monotonic() > deadline:
            raise FrameError(
                f"{path} took too long to decode. Raise the timeout, or use the keyframes mode."
            )
        index = counted if places is None else places.get(frame.pts)
        if index is not None:
            yield index, frame


def _matching(decoded, wanted: list[int]) -> Iterator[tuple]:
    missing = set(wanted)
    for index, frame in decoded:
        if index in missing:
            missing.discard(index)
            yield index, frame
        if not missing:
            return


def _picture(frame, max_pixels: int) -> np.ndarray:
    width, height = frame.width, frame.height
    scale = min(1.0, (max_pixels / (width * height)) ** 0.5)
    if scale < 1.0:
        width, height = (max(2, int(side * scale) // 2 * 2) for side in (width, height))
        picture = frame.to_ndarray(
            format="rgb24", width=width, height=height, interpolation=Interpolation.AREA
        )
    else:
        picture = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture
