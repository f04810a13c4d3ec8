"""What is grounded: clips or segments with their rival texts, and where results are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import fiftyone as fo

from ..agreement.claims import Claim
from ..agreement.ruling import ANNOTATION
from ..agreement.texts import clean, is_scorable
from ..agreement.verdict import DISPUTED
from ..engine.columns import root_dataset, write_columns, write_labels
from ..engine.ledger import fingerprint
from ..engine.table import LabelTable, Rows, SampleTable, open_table
from .calibrate import confidence_field
from .grounding_settings import POINTS, GroundSettings
from .media_work import Item, media_stamp
from .tag_rules import COVERAGE

Samples: TypeAlias = fo.core.collections.SampleCollection
_CHUNK = 1_000
_SPARE = 4  # candidates read for each reference that is wanted


@dataclass
class Unit:
    """One clip or segment, with what is said of one aspect of it.

    Attributes:
        id: the sample's id
        path: the file
        label: the segment's id; None for a whole sample
        support: the segment's first and last frame number
        texts: ``{party: text}``, the annotation's under ``annotation``; missing ones left out
        disputed: whether a ruling is wanted; else it is judged as a reference
        looks_disputed: whether an earlier stage left it in doubt
        coverage: the share of what was annotated that the clip shows; None where unknown
        claims: ``{party: claims}``
        results: ``{method: what a judge answered}``, as stored
    """

    id: str
    path: str
    label: str | None
    support: tuple[int, int] | None
    texts: dict[str, str]
    disputed: bool
    looks_disputed: bool = False
    coverage: float | None = None
    claims: dict[str, list[Claim]] = field(default_factory=dict)
    results: dict[str, dict] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The unit's own id."""
        return self.label or self.id

    def item(self, key: str) -> Item:
        """The clip to decode."""
        return Item(self.id, self.path, key, self.support, self.label)

    def stamp(self) -> list:
        """What tells one version of the clip from another."""
        return [media_stamp(self.path), self.support]


class Units:
    """The clips or segments that are grounded.

    Args:
        samples: a dataset or view
        settings: the stage's settings

    Attributes:
        dataset: the dataset
        all: those that are judged: the disputed ones, and references
        total: how many clips or segments there are
        without: how many of the disputed ones have no two texts to choose between
        noun: what a person calls them
    """

    def __init__(self, samples: Samples, settings: GroundSettings):
        self.settings, self.dataset = settings, root_dataset(samples)
        table = open_table(samples, settings.segments)
        self.noun, self.total, self.without = table.noun, 0, 0
        disputed: list[Unit] = []
        others: list[Unit] = []
        aspect = settings.find_aspect()
        self._fields = {ANNOTATION: aspect.annotation, **aspect.opinions}
        self._stored = [settings.own(m) for m in ("claims", *settings.methods)]
        for unit in self._read_all(table):
            self.total += 1
            if not _has_rivals(unit):
                self.without += unit.disputed
            else:
                (disputed if unit.disputed else others).append(unit)
        # the same ones in every run, whatever was added meanwhile
        others.sort(key=self._order)
        if not disputed:
            others = []  # there is nothing that they could be a reference for
        elif len(others) < settings.references and not isinstance(samples, fo.Dataset):
            others += self._elsewhere(samples)
        self.all = sorted(disputed + others[: settings.references], key=self._order)

    def _order(self, unit: Unit) -> str:
        return _shuffled(unit.key, self.settings.seed)

    def _read_all(self, table: SampleTable | LabelTable) -> Iterator[Unit]:
        for rows in table.chunks(self._names(), self._more(), _CHUNK):
            yield from self._read(rows)

    def _elsewhere(self, samples: Samples) -> list[Unit]:
        """Undisputed ones that are not in the view, to serve as references."""
        ids = sorted(set(self.dataset.values("id")) - set(samples.values("id")))
        ids.sort(key=lambda sample_id: _shuffled(sample_id, self.settings.seed))
        some = self.dataset.select(ids[: _SPARE * self.settings.references])
        found = self._read_all(open_table(some, self.settings.segments))
        kept = [unit for unit in found if _has_rivals(unit) and not unit.looks_disputed]
        for unit in kept:
            unit.disputed = False
        return sorted(kept, key=self._order)

    def write(self, columns: Mapping[str, Mapping[str, object]]) -> None:
        """Writes ``{name: {unit's own id: value}}`` to samples or segments."""
        by_key = {unit.key: unit for unit in self.all}
        keys = [key for key in by_key if all(key in values for values in columns.values())]
        ids = [by_key[key].id for key in keys]
        found = {name: [values[key] for key in keys] for name, values in columns.items()}
        if self.settings.segments:
            path = f"{self.settings.segments}.detections"
            write_labels(self.dataset, path, ids, keys, found)
        else:
            write_columns(self.dataset, ids, found)

    def write_points(self, found: Sequence[tuple]) -> None:
        """Writes ``(unit, record of its frames, points)`` as keypoints of frames."""
        name = POINTS.removeprefix("frames.")
        view = self.dataset.select(list({unit.id for unit, _, _ in found}))
        if not self.settings.segments:
            view.clear_frame_field(name)  # an earlier judge may have pointed elsewhere
        placed: dict[str, list] = {}
        for unit, record, points in found:
            placed.setdefault(unit.id, []).extend((record, point) for point in points)
        for sample in view.iter_samples(autosave=True):
            for record, point in placed[sample.id]:
                frame = sample.frames[record.frame_at(point.seconds)]
                shown = frame[name] or fo.Keypoints()
                where = [[point.x, point.y]]
                mark = fo.Keypoint(label=point.label, points=where, index=point.index)
                shown.keypoints.append(mark)
                frame[name] = shown

    def _names(self) -> list[str]:
        texts = list(self._fields.values())
        if not self.settings.segments:
            return [*texts, *self._stored, "verdict", "tags", COVERAGE]
        kept = [*self._stored, confidence_field(self.settings.aspect)]
        declared = [n for n in kept if self.dataset.get_field(self.settings.path(n)) is not None]
        return [*texts, *declared]

    def _more(self) -> list[str]:
        more = ["filepath"]
        if self.settings.segments:
            path = f"{self.settings.segments}.detections"
            more += [f"{path}.id", f"{path}.support"]
        return more

    def _read(self, rows: Rows) -> list[Unit]:
        supports = self._supports(rows)
        units = []
        for row, sample in enumerate(rows.owner):
            said = {party: rows.columns[name][row] for party, name in self._fields.items()}
            texts = {party: clean(text) for party, text in said.items() if is_scorable(text)}
            label = rows.labels[row] if rows.labels is not None else None
            stored = {
                name: rows.columns.get(name, [None] * len(rows))[row] for name in self._stored
            }
            unit = Unit(
                rows.samples.ids[sample],
                rows.samples.columns["filepath"][sample],
                label,
                supports.get(label),
                texts,
                self.settings.which == "all" or self._disputed(rows, row),
                self._disputed(rows, row),
                rows.columns.get(COVERAGE, [None] * len(rows))[row],
            )
            claims, *results = stored.values()
            unit.claims = _read_claims(claims, texts)
            unit.results = {m: r for m, r in zip(self.settings.methods, results) if r}
            if label is None or unit.support:
                units.append(unit)
        return units

    def _disputed(self, rows: Rows, row: int) -> bool:
        if self.settings.segments:
            confidence = rows.columns.get(confidence_field(self.settings.aspect))
            return confidence is not None and confidence[row] is not None and confidence[row] < 0.5
        tags = rows.columns["tags"][row] or []
        return rows.columns["verdict"][row] in DISPUTED or "suspect" in tags

    def _supports(self, rows: Rows) -> dict[str | None, tuple[int, int]]:
        if not self.settings.segments:
            return {}
        path = f"{self.settings.segments}.detections"
        columns = (rows.samples.columns[f"{path}.{name}"] for name in ("id", "support"))
        return {
            str(label): tuple(support)
            for labels, supports in zip(*columns)
            for label, support in zip(labels or [], supports or [])
            if support
        }


def _has_rivals(unit: Unit) -> bool:
    return ANNOTATION in unit.texts and len(unit.texts) > 1


def _read_claims(stored: dict | None, texts: Mapping[str, str]) -> dict[str, list[Claim]]:
    """The claims that were kept of these very texts."""
    if not stored:
        return {}
    kept = stored["parties"]
    return {
        party: [Claim.from_dict(claim) for claim in kept[party]["claims"]]
        for party, text in texts.items()
        if party in kept and kept[party]["of"] == fingerprint(text)
    }


def _shuffled(key: str, seed: int) -> str:
    return hashlib.blake2b(f"{seed}-{key}".encode(), digest_size=8).hexdigest()


def in_turn(units: Sequence[Unit], stale: Sequence[Unit]) -> list[Unit]:
    """The stale units, and at the end another one on whose clip the last one's texts are tried."""
    if not stale:
        return []
    others = [unit for unit in (*stale, *units) if unit.path != stale[-1].path]
    return [*stale, *others[:1]]
