"""What a witness answered, written to samples, their frames, or their segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import fiftyone as fo

from ..agreement.aspects import ACTION100M_ANSWER
from ..agreement.texts import clean
from ..engine.columns import read_chunks
from ..engine.ledger import fingerprint
from ..models.answers import UNREADABLE, read_answer
from ..models.findings import Findings, read_findings, read_text
from ..models.labels import WRITTEN, frame_labels, sample_labels
from .media_record import Recorder
from .media_work import Item, media_stamps

if TYPE_CHECKING:
    from ..models.frames import FrameRecord
    from ..models.generation import Reply
    from .caption import CaptionSettings

Samples: TypeAlias = fo.core.collections.SampleCollection
_UNREADABLE = "the answer cannot be read"


class _Writer:
    def __init__(self, dataset: fo.Dataset, settings: CaptionSettings, recorder: Recorder):
        self.dataset, self.settings, self.recorder = dataset, settings, recorder
        self.tally: Counter = Counter()
        self.dropped: Counter = Counter()
        self._answers: list[tuple[Item, FrameRecord, Reply]] = []
        self._failed: list[tuple[Item, str]] = []

    def __len__(self) -> int:
        return len(self._answers) + len(self._failed)

    def add(self, item: Item, record: FrameRecord, reply: Reply) -> None:
        """Keeps an answer until the next :meth:`flush`."""
        self._answers.append((item, record, reply))
        self.tally["answered"] += 1
        self.tally["cut"] += not reply.finished

    def fail(self, item: Item, error: Exception) -> None:
        """Keeps a failure until the next :meth:`flush`; it is tried again in the next run."""
        self._failed.append((item, str(error)))
        self.tally["failed"] += 1

    def flush_from(self, count: int) -> None:
        """Writes what was kept once it is so many."""
        if len(self) >= count:
            self.flush()

    @property
    def done(self) -> int:
        """How many were answered or failed so far."""
        return self.tally["answered"] + self.tally["failed"]

    def flush(self) -> None:
        """Writes what was kept."""
        raise NotImplementedError

    def _written(self, rows: list[tuple]) -> None:
        # Forgotten first: where too many failed, the recorder ends the run
        self._answers.clear()
        self._failed.clear()
        self.recorder.write(rows)

    def _doubt(self, reply: Reply, readable: bool, dropped: int) -> str | None:
        doubts = [
            _UNREADABLE if not readable else None,
            f"it was cut off after {reply.tokens} tokens" if not reply.finished else None,
            f"{dropped} malformed parts were dropped" if dropped else None,
        ]
        return "; ".join(filter(None, doubts)) or None


class SampleWriter(_Writer):
    """Writes answers about whole clips: raw text, frames seen, findings, status and ledger.

    Args:
        dataset: the dataset
        settings: the stage's settings
        recorder: keeps status and ledger

    Attributes:
        tally: how many were answered, failed, unreadable and cut
        dropped: how many parts of answers were dropped, by reason
    """

    def flush(self) -> None:
        settings, rows = self.settings, []
        columns: dict[str, dict] = {settings.own("raw"): {}, settings.own("frames"): {}}
        frames: dict[str, dict[int, dict]] = {}
        for item, record, reply in self._answers:
            columns[settings.own("raw")][item.id] = clean(reply.text) or None
            columns[settings.own("frames")][item.id] = record.as_dict()
            found = self._read(reply, record)
            for name, value in sample_labels(settings.task, found, record).items():
                columns.setdefault(settings.field_of(name), {})[item.id] = value
            frames[item.id] = frame_labels(found, record)
            dropped = sum(found.dropped.values())
            why = self._doubt(reply, found.readable, dropped)
            status = "ok" if found.readable else "failed"
            rows.append((item.id, status, why, item.key))
        for field, values in columns.items():
            self.dataset.set_values(field, values, key_field="id")
        self._write_frames(frames)
        rows += [(item.id, "failed", why, None) for item, why in self._failed]
        self._written(rows)

    def _read(self, reply: Reply, record: FrameRecord) -> Findings:
        if self.settings.task == "action100m":
            return Findings()  # read from the raw answers afterwards
        found = read_findings(self.settings.task, reply.text, record.duration)
        self.dropped.update(found.dropped)
        self.tally["unreadable"] += not found.readable
        return found

    def _write_frames(self, frames: dict[str, dict[int, dict]]) -> None:
        names = [n for n in WRITTEN.get(self.settings.task, {}) if n.startswith("frames.")]
        if not names or not frames:
            return
        view = self.dataset.select(list(frames))
        for name in names:
            field = self.settings.field_of(name).removeprefix("frames.")
            view.clear_frame_field(field)  # an earlier answer may have spoken of other frames
        for sample in view.iter_samples(autosave=True):
            for number, labels in frames[sample.id].items():
                for name, detections in labels.items():
                    sample.frames[number][f"{self.settings.prefix}_{name}"] = detections


class SegmentWriter(_Writer):
    """Writes answers about segments as attributes of them: raw text, texts, and a ledger.

    Args:
        dataset: the dataset
        settings: the stage's settings
        recorder: keeps the samples' status

    Attributes:
        tally: how many were answered, failed, unreadable and cut
        dropped: empty; texts have no parts
    """

    def __init__(self, dataset: fo.Dataset, settings: CaptionSettings, recorder: Recorder):
        super().__init__(dataset, settings, recorder)
        self._in_trouble: set[str] = set()  # samples of which some segment failed

    def flush(self) -> None:
        settings = self.settings
        columns: dict[str, list] = {}

        def put(item: Item, name: str, value: object) -> None:
            row = {"sample_id": item.id, "label_id": item.label, "value": value}
            columns.setdefault(f"{settings.segments}.detections.{name}", []).append(row)

        failed = {item.id: why for item, why in self._failed}
        answered: list[str] = []
        for item, record, reply in self._answers:
            texts, readable = self._read(reply)
            put(item, settings.own("raw"), clean(reply.text) or None)
            put(item, settings.own("key"), item.key)
            put(item, settings.own("frames"), list(record.frame_numbers))
            for name, text in texts.items():
                put(item, settings.field_of(name), text)
            self.tally["unreadable"] += not readable
            if not readable:
                failed.setdefault(item.id, self._doubt(reply, readable, 0))
            answered.append(item.id)
        # One segment that failed is not made good by the answer about another
        self._in_trouble |= failed.keys()
        rows = [(sample_id, "failed", why, None) for sample_id, why in failed.items()]
        rows += [
            (i, "ok", None, None) for i in dict.fromkeys(answered) if i not in self._in_trouble
        ]
        key = f"{settings.segments}.detections.{settings.own('key')}"
        for path in sorted(columns, key=lambda path: path == key):  # what says "done" comes last
            self.dataset.set_label_values(path, columns[path], dynamic=True)
        self._written(rows)

    def _read(self, reply: Reply) -> tuple[dict[str, str | None], bool]:
        task = self.settings.asked()
        if task.name == "action100m":
            answer = read_answer(reply.text, ACTION100M_ANSWER, task.descriptions)
            return answer.texts, answer.outcome != UNREADABLE and any(answer.texts.values())
        name = "summary" if task.name == "description" else "result"
        text = read_text(reply.text)
        return {name: text}, text is not None


def segment_items(
    samples: Samples, settings: CaptionSettings, method: Sequence
) -> tuple[list[Item], int]:
    """The segments without an up-to-date opinion, and how many have a place in their film."""
    path = f"{settings.segments}.detections"
    names = [f"{path}.{name}" for name in ("id", "support", settings.own("key"))]
    items, total = [], 0
    for chunk in read_chunks(samples, ["filepath", *names]):
        files = chunk.columns["filepath"]
        for row, (sample_id, file, stamp) in enumerate(zip(chunk.ids, files, media_stamps(files))):
            labels, supports, keys = (chunk.columns[name][row] or [] for name in names)
            for place, label in enumerate(labels):
                support = supports[place] if place < len(supports) else None
                if not support:
                    continue  # it has no place in the film that could be shown
                total += 1
                key = fingerprint(method, stamp, support)
                done = keys[place] if place < len(keys) else None
                if settings.overwrite or done != key:
                    items.append(Item(sample_id, file, key, tuple(support), str(label)))
    return items, total
