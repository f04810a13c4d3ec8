"""Work on media: what is left to do, and frames decoded ahead of the model."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import fiftyone as fo

from ..engine.columns import read_chunks, root_dataset
from ..engine.fields import declare, declare_status, forget
from ..engine.ledger import fingerprint, ledger_field
from ..engine.media import refused
from .settings import Settings, setting
from .spread import failures_setting

if TYPE_CHECKING:
    from ..models.frames import Clip, SampledClip, Sampling

Samples: TypeAlias = fo.core.collections.SampleCollection

_READERS = 8  # files whose identity is read at the same time


@dataclass(frozen=True)
class FrameSettings(Settings):
    """The settings of stages whose models watch clips."""

    fps: float = setting(
        2.0, "Frames a second", "Frames a second of video that are shown", low=0.01
    )
    max_frames: int = setting(
        32, "Most frames", "The most frames of a clip, spread over all of it", low=2, high=4096
    )
    max_pixels: int = setting(
        480 * 480, "Most pixels", "The most pixels of a frame; larger ones are scaled", low=1024
    )
    fast_decode: bool = setting(
        False, "Keyframes only", "Much faster on long videos, and only near the times asked for"
    )
    decode_timeout: float = setting(
        60.0, "Decoding timeout", "Seconds after which a file is given up", low=1.0
    )
    workers: int | None = setting(
        None,
        "Decoders",
        "Processes that decode, one file each at a time; where empty, one a core, up to 8",
        kind="integer",
        low=1,
        high=64,
    )
    batch_size: int = setting(
        8, "Batch", "Clips in one forward pass; halved when memory runs out", low=1, high=4096
    )
    revision: str | None = setting(
        None,
        "Revision",
        "A commit, tag or branch of the model; where empty, the one that this dataset's results "
        "were made with, or else the known or newest one",
    )
    trust_remote_code: bool = setting(
        False, "Trust remote code", "Let code that comes with the model's weights run here"
    )
    overwrite: bool = setting(
        False, "Overwrite", "Do everything again, and replace fields this audit did not write"
    )

    max_failures: float | None = failures_setting()

    def problems(self, dataset: fo.Dataset | None) -> dict[str, str]:
        found = super().problems(dataset)
        model = getattr(self, "model", None) or ""
        if self.revision and (os.path.isdir(model) or "@" in model):
            why = (
                "a folder has none" if os.path.isdir(model) else "the model's name has one already"
            )
            found["revision"] = f"Revision: {why}; leave one of the two out."
        return found

    def sampling(self) -> Sampling:
        """Which frames a model sees."""
        from ..models.frames import Sampling

        mode = "keyframes" if self.fast_decode else "exact"
        return Sampling(self.fps, self.max_frames, self.max_pixels, mode, self.decode_timeout)

    def frames_method(self) -> list:
        """What decides which frames are seen, for the ledger."""
        return [self.fps, self.max_frames, self.max_pixels, self.fast_decode]


@dataclass(frozen=True)
class Item:
    """One clip to be done.

    Attributes:
        id: the sample's id
        path: the file
        key: the fingerprint of all that decides the result
        support: first and last frame number; None for the whole file
        label: the segment's id, where a segment is done
    """

    id: str
    path: str
    key: str
    support: tuple[int, int] | None = None
    label: str | None = None

    @property
    def clip(self) -> Clip:
        """The clip to decode."""
        from ..models.frames import Clip

        return Clip(self.path, self.support)


def open_work(dataset: fo.Dataset, stage: str, work: str, writes: dict[str, tuple]) -> None:
    """Declares what will be written, with a status and a ledger for this piece of work.

    Args:
        dataset: the dataset
        stage: the stage that owns the fields
        work: the name of this work, since one stage may run for several models
        writes: ``{field: (type, description)}``
    """
    made = declare(dataset, stage, writes)
    if declare_status(dataset, work) and made:
        forget(dataset, work)


def media_stamp(path: str) -> list:
    """What tells one version of a file from another; a copy or a new date is the same version."""
    from ..models.file_identity import file_identity

    if refused(path):
        return [path, "refused"]
    if not os.path.isfile(path):  # to read a pipe might take for ever
        return [path, None]
    try:
        return [file_identity(path)]
    except OSError:
        return [path, None]


def media_stamps(paths: Sequence[str]) -> list[list]:
    """The stamps of many files, several read at a time, since most of it is waiting."""
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(media_stamp, paths))


def stale_items(samples: Samples, work: str, method: Sequence, overwrite: bool) -> list[Item]:
    """The samples whose result is missing or was made from something else."""
    items = []
    for chunk in read_chunks(samples, ["filepath", ledger_field(work)]):
        paths, done = chunk.columns["filepath"], chunk.columns[ledger_field(work)]
        keys = [fingerprint(method, stamp) for stamp in media_stamps(paths)]
        items += [
            Item(chunk.ids[row], paths[row], key)
            for row, key in enumerate(keys)
            if overwrite or done[row] != key
        ]
    return items


def decoded(
    items: Iterable[Item], settings: FrameSettings, failed: Callable[[Item, Exception], None]
) -> Generator[tuple[Item, SampledClip]]:
    """Decodes clips ahead of the model; a broken file is told and left out.

    Its processes end with it: whoever may leave it early closes it.
    """
    return _ahead(items, settings, failed, stills=False)


def pictures(
    items: Iterable[Item], settings: FrameSettings, failed: Callable[[Item, Exception], None]
) -> Generator[tuple[Item, Any]]:
    """Reads still pictures ahead of the model, as :func:`decoded` does clips."""
    return _ahead(items, settings, failed, stills=True)


def _ahead(
    items: Iterable[Item],
    settings: FrameSettings,
    failed: Callable[[Item, Exception], None],
    stills: bool,
) -> Generator[tuple[Item, Any]]:
    from ..models.decoding import DecodeAhead, decoding_processes

    waiting: deque[Item] = deque()

    def clips() -> Iterator[Clip]:
        for item in items:
            if why := refused(item.path):
                failed(item, ValueError(why))
                continue
            waiting.append(item)
            yield item.clip

    workers = settings.workers or decoding_processes()
    # A picture comes with all of its pixels: a batch more of them would take much memory
    most = workers if stills else settings.batch_size + workers
    ahead = DecodeAhead(clips(), settings.sampling(), workers, most, stills=stills)
    with closing(iter(ahead)) as stream:
        for frames in stream:
            item = waiting.popleft()
            if isinstance(frames, Exception):
                failed(item, frames)
            else:
                yield item, frames


def in_batches(
    pairs: Iterable[tuple[Item, Any]], run: Callable[[list], Sequence], size: int
) -> Iterator[tuple[Item, Any, Any]]:
    """Runs a model over ``(item, input)``, halving the batch when memory runs out.

    Yields:
        ``(item, input, result)``; the result is an error for an input too large alone
    """
    from ..models.memory import Batches

    waiting: deque[tuple[Item, Any]] = deque()

    def inputs() -> Iterator[Any]:
        for pair in pairs:
            waiting.append(pair)
            yield pair[1]

    for result in Batches(run, size)(inputs()):
        yield (*waiting.popleft(), result)


def media_problem(samples: Samples, kinds: Sequence[str]) -> str | None:
    """Why a model cannot watch these samples; None where it can."""
    media_type = root_dataset(samples).media_type
    if media_type in kinds:
        return None
    if media_type == "group":
        return "The dataset has groups. Give a view of one slice, by select_group_slices()."
    return f"This works on {' and '.join(kinds)} datasets; this one holds {media_type}."
