"""One judge's way over the clips: each is looked at once, and asked all that is to be asked.

Every statement is put three times: to its own clip, to the clip that comes next (a wrong
video), and to black frames. The last two tell what an answer is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..agreement.claims import may_ask, rounds
from ..engine.ledger import fingerprint
from .grounding_settings import GroundSettings
from .grounding_units import Unit, Units, in_turn
from .media_record import Recorder
from .media_work import decoded

if TYPE_CHECKING:
    from ..engine.progress import Progress
    from ..models.frames import SampledClip
    from ..models.judging import Judge, Sight

_FLUSH = 16


@dataclass
class _Asked:
    """What was asked about one clip so far."""

    unit: Unit
    key: str
    clip: SampledClip
    own: dict[str, float]
    spans: dict[str, tuple[float, float]]
    points: list
    black: dict[str, float]


def judge_units(
    units: Units, method: str, judge: Judge, settings: GroundSettings, progress: Progress
) -> Recorder:
    """Asks a judge about every clip whose answers are missing or stale, and keeps them.

    Args:
        units: what is grounded
        method: the judge's method, under whose name answers are kept
        judge: the judge
        settings: the stage's settings
        progress: where to tell the progress

    Returns:
        what became of each
    """
    from ..models.errors import ModelUnavailable
    from ..models.judging import blackened

    recorder = Recorder(units.dataset, settings.work(method))
    keys = {unit.key: _key(unit, judge, settings) for unit in units.all}
    stale = [
        unit
        for unit in units.all
        if settings.overwrite or unit.results.get(method, {}).get("key") != keys[unit.key]
    ]
    writer = _Writer(units, method, judge, settings, recorder)
    turn = in_turn(units.all, stale)
    items = [unit.item(keys[unit.key]) for unit in turn]
    by_key = {unit.key: unit for unit in turn}
    before: _Asked | None = None
    black: Sight | None = None
    due, seen = {unit.key for unit in stale}, set()
    with progress.step(f"Grounding by {method}", len(stale)) as advance:
        try:
            for item, clip in decoded(items, settings, writer.fail):
                unit = by_key[item.label or item.id]
                try:
                    sight = judge.look(clip)
                    black = black or judge.look(blackened(clip))
                    if before is not None:
                        writer.add(before, _on_wrong_video(before, unit, sight))
                        before = None
                    if unit.key in seen or unit.key not in due:
                        break  # the extra one at the end
                    before = _ask(method, judge, unit, item.key, clip, sight, black, settings)
                except ModelUnavailable:
                    raise
                except (RuntimeError, ValueError) as error:
                    writer.fail(item, error)
                seen.add(unit.key)
                advance(1)
                writer.flush_if_due()
        finally:
            # What was answered is kept, whatever ended the run
            if before is not None:
                writer.add(before, {})  # no other clip could be watched
            writer.flush()
    return recorder


def _key(unit: Unit, judge: Judge, settings: GroundSettings) -> str:
    claims = {p: [claim.as_dict() for claim in found] for p, found in unit.claims.items()}
    asks = getattr(judge, "wording", None)
    method = [judge.name, judge.revision, asks, settings.frames_method(), settings.windows]
    return fingerprint(method, unit.stamp(), unit.texts, claims, unit.disputed)


def _ask(
    method: str,
    judge: Judge,
    unit: Unit,
    key: str,
    clip: SampledClip,
    sight: Sight,
    black: Sight,
    settings: GroundSettings,
) -> _Asked:
    earlier = len(getattr(sight, "points", ()))  # of another clip's texts, tried on this one
    own = _own_answers(method, unit, sight)
    statements = list(own)
    text_alone = dict(zip(statements, map(float, black.log_odds(statements))))
    points = list(getattr(sight, "points", ()))[earlier:]
    spans = _spans_of_points(points)
    if unit.disputed and not points and settings.windows > 1:
        spans = _best_windows(judge, clip, [s for s in statements if own[s] == own[s]], settings)
    return _Asked(unit, key, clip, own, spans, points, text_alone)


def _own_answers(method: str, unit: Unit, sight: Sight) -> dict[str, float]:
    """Log odds of each statement on its own clip; claims whose parent failed are not asked."""
    if method == "pointing":
        named = [c.target for claims in unit.claims.values() for c in claims if c.target]
        named = list(dict.fromkeys(named))
        return dict(zip(named, map(float, sight.log_odds(named))))
    texts = list(dict.fromkeys(unit.texts.values()))
    answers = dict(zip(texts, map(float, sight.log_odds(texts))))
    turns = {party: rounds(claims) for party, claims in unit.claims.items()}
    for turn in range(max(map(len, turns.values()), default=0)):
        due = []
        for party, claims in unit.claims.items():
            odds = [answers.get(claim.text) for claim in claims]
            places = turns[party][turn] if turn < len(turns[party]) else []
            due += [claims[p].text for p in places if may_ask(claims[p], odds)]
        due = [text for text in dict.fromkeys(due) if text not in answers]
        answers |= dict(zip(due, map(float, sight.log_odds(due))))
    return answers


def _on_wrong_video(asked: _Asked, other: Unit, sight: Sight) -> dict[str, float]:
    """The same statements about another clip; those that are made of that one too left out."""
    if other.path == asked.unit.path:
        return {}
    theirs = set(other.texts.values())
    theirs |= {c.text for claims in other.claims.values() for c in claims}
    theirs |= {c.target for claims in other.claims.values() for c in claims if c.target}
    statements = [statement for statement in asked.own if statement not in theirs]
    return dict(zip(statements, map(float, sight.log_odds(statements))))


def _best_windows(
    judge: Judge, clip: SampledClip, statements: list[str], settings: GroundSettings
) -> dict[str, tuple[float, float]]:
    """When each statement is best seen: the part of the clip that supports it most."""
    from ..models.judging import windows

    parts = windows(clip, settings.windows)
    if len(parts) < 2 or not statements:
        return {}
    odds = np.stack([judge.look(part).log_odds(statements) for part in parts])
    starts = [clip.record.seconds[0], *np.cumsum([part.record.duration for part in parts])]
    best = np.argmax(np.where(np.isnan(odds), -np.inf, odds), axis=0)
    return {
        statement: (float(starts[at]), float(min(starts[at + 1], clip.record.duration)))
        for statement, at in zip(statements, best)
    }


def _spans_of_points(points: list) -> dict[str, tuple[float, float]]:
    times: dict[str, list[float]] = {}
    for point in points:
        times.setdefault(point.label, []).append(point.seconds)
    return {label: (min(found), max(found)) for label, found in times.items()}


class _Writer:
    """Keeps answers until some are together, then writes them with status and ledger."""

    def __init__(
        self, units: Units, method: str, judge: Judge, settings: GroundSettings, recorder: Recorder
    ):
        self._units, self._method, self._judge = units, method, judge
        self._settings, self._recorder = settings, recorder
        self._answers: dict[str, dict] = {}
        self._points: dict[str, tuple] = {}
        self._rows: list[tuple] = []

    def add(self, asked: _Asked, wrong: dict[str, float]) -> None:
        record, unit = asked.clip.record, asked.unit
        rows = []
        for statement, own in asked.own.items():
            odds = (own, wrong.get(statement), asked.black.get(statement))
            begin, end = asked.spans.get(statement, (None, None))
            rows.append([statement, *map(_plain, odds), begin, end])
        found = {
            "key": asked.key,
            "model": self._judge.name,
            "revision": self._judge.revision,
            "frames": list(record.frame_numbers),
            "seconds": [round(second, 3) for second in record.seconds],
            "asked": rows,
        }
        self._answers[unit.key] = unit.results[self._method] = found
        if asked.points:
            self._points[unit.key] = (unit, record, asked.points)
        self._rows.append((unit.id, "ok", None, None if unit.label else asked.key))

    def fail(self, item: Any, error: Exception) -> None:
        self._rows.append((item.id, "failed", str(error), None))

    def flush_if_due(self) -> None:
        if len(self._rows) >= _FLUSH:
            self.flush()

    def flush(self) -> None:
        if self._answers:
            self._units.write({self._settings.own(self._method): self._answers})
        if self._points:
            self._units.write_points(list(self._points.values()))
        self._recorder.write(self._rows)
        self._answers, self._points, self._rows = {}, {}, []


def _plain(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
