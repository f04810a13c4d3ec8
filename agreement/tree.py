"""A tree of captions read as a tree: its root, its tiers, and what is wrong with it.

Segments of a video form a tree: the root covers all of it, its children divide
it. Nothing is guessed: two roots are two roots, and a time that cannot be read is
no time. Every fault is named, and the segments are kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ROOT, MID, LEAF = "root", "mid", "leaf"

#: What can be wrong with a tree, and what it means.
FAULTS = {
    "no_nodes": "there is no list of segments, or it is empty",
    "node_wrong_type": "a segment is not a set of named values, and is left out",
    "node_id_missing": "a segment has no id, so that nothing can name it as parent",
    "node_id_twice": "two segments have the same id",
    "no_root": "every segment names a parent",
    "several_roots": "more than one segment names no parent",
    "orphan": "a segment names a parent that is not there",
    "cycle": "segments are each other's parents",
    "level_wrong": "a level is not a whole number, or not its parent's plus one",
    "time_missing": "a start or end is missing, or not a finite number",
    "time_as_text": "a start or end is a number written as text; it is read",
    "time_reversed": "a segment ends before it starts, or where it starts",
    "outside_parent": "a segment reaches beyond its parent by more than the tolerance",
}

# What no video and no tree reaches; beyond it a number cannot be stored either.
_MOST_SECONDS = 1e9
_MOST_LEVELS = 1e6

# Published times are 32-bit floats, cut to frames: half a second is no fault.
_TOLERANCE = 0.5


@dataclass(frozen=True)
class Segment:
    """One node of the tree.

    Attributes:
        node_id: its id, None if it has none
        parent_id: its parent's id, None for a root
        level: 0 for the root, one more for each generation; None if it cannot be told
        tier: ``root`` (it names no parent), ``leaf`` (nothing names it), or ``mid``
        start: seconds into the video, None if it cannot be read
        end: seconds into the video, None if it cannot be read
        values: the node as it came, with its texts
    """

    node_id: str | None
    parent_id: str | None
    level: int | None
    tier: str
    start: float | None
    end: float | None
    values: Mapping[str, object]

    @property
    def has_times(self) -> bool:
        """Whether start and end can be read, and are in order."""
        return self.start is not None and self.end is not None and self.start < self.end

    @property
    def seconds(self) -> float | None:
        """How long it is, None where the times cannot be used."""
        return self.end - self.start if self.has_times else None


@dataclass(frozen=True)
class Fault:
    """One thing wrong: its name in :data:`FAULTS`, and where it is."""

    name: str
    where: str


@dataclass(frozen=True)
class Tree:
    """A tree as far as it is one.

    Attributes:
        segments: every segment, in the order given
        faults: everything wrong
    """

    segments: tuple[Segment, ...] = ()
    faults: tuple[Fault, ...] = field(default=())

    @property
    def root(self) -> Segment | None:
        """The root; None where there is none, or more than one."""
        roots = [segment for segment in self.segments if segment.tier == ROOT]
        return roots[0] if len(roots) == 1 else None

    @property
    def depth(self) -> int | None:
        """The deepest level; None where no level can be told."""
        return max((s.level for s in self.segments if s.level is not None), default=None)


def read_tree(nodes: object, tolerance: float = _TOLERANCE) -> Tree:
    """Reads a tree of captions.

    Args:
        nodes: a list of dicts with ``node_id``, ``parent_id``, ``level``, ``start``
            and ``end`` (seconds); what else they hold is kept
        tolerance: the seconds by which a segment may reach beyond its parent

    Returns:
        the :class:`Tree`; it never raises
    """
    if not isinstance(nodes, Sequence) or isinstance(nodes, (str, bytes)) or not nodes:
        return Tree(faults=(Fault("no_nodes", "nodes"),))
    faults: list[Fault] = []
    rows = []
    for i, node in enumerate(nodes):
        if isinstance(node, Mapping):
            rows.append((_name(node.get("node_id"), i), node))
        else:
            faults.append(Fault("node_wrong_type", f"node {i + 1}: {type(node).__name__}"))
    ids = [_id(node.get("node_id")) for _, node in rows]
    parents = [_id(node.get("parent_id")) for _, node in rows]
    named = set(parents) - {None}
    faults += _shape_faults([name for name, _ in rows], ids, parents)
    levels = _levels(ids, parents, [node.get("level") for _, node in rows])
    segments = []
    for (name, node), node_id, parent_id, (level, level_right) in zip(rows, ids, parents, levels):
        if not level_right:
            faults.append(Fault("level_wrong", f"{name}: {node.get('level')!r}"))
        start, end = (_seconds(node.get(key), name, faults) for key in ("start", "end"))
        if start is not None and end is not None and end <= start:
            faults.append(Fault("time_reversed", f"{name}: {start:g} to {end:g} s"))
        tier = ROOT if parent_id is None else MID if node_id in named else LEAF
        segments.append(Segment(node_id, parent_id, level, tier, start, end, node))
    faults += _outside_parents(segments, tolerance)
    return Tree(tuple(segments), tuple(faults))


def _id(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value).strip() or None


def _name(value: object, i: int) -> str:
    return _id(value) or f"node {i + 1}"


def _shape_faults(
    names: list[str], ids: list[str | None], parents: list[str | None]
) -> list[Fault]:
    faults = [Fault("node_id_missing", name) for name, i in zip(names, ids) if i is None]
    seen: set[str] = set()
    for node_id in ids:
        if node_id is not None and node_id in seen:
            faults.append(Fault("node_id_twice", node_id))
        seen.add(node_id)
    roots = [name for name, parent in zip(names, parents) if parent is None]
    if not roots:
        faults.append(Fault("no_root", f"{len(names)} nodes"))
    if len(roots) > 1:
        faults.append(Fault("several_roots", ", ".join(roots[:4])))
    faults += [
        Fault("orphan", f"{name}: parent {parent}")
        for name, parent in zip(names, parents)
        if parent is not None and parent not in seen
    ]
    return faults + [Fault("cycle", node_id) for node_id in _on_cycles(ids, parents)]


def _on_cycles(ids: list[str | None], parents: list[str | None]) -> list[str]:
    """One node of every ring of parents."""
    parent_of = {i: p for i, p in zip(ids, parents) if i is not None}
    state: dict[str, int] = {}  # the walk that reached the node first
    rings = []
    for walk, start in enumerate(parent_of):
        node: str | None = start
        while node in parent_of and node not in state:
            state[node] = walk
            node = parent_of[node]
        if state.get(node) == walk and node is not None and state.get(start) == walk:
            rings.append(node)
    return rings


def _levels(
    ids: list[str | None], parents: list[str | None], given: list[object]
) -> list[tuple[int | None, bool]]:
    """Each node's level as given, or its parent's plus one, and whether it is right."""
    own = [_whole(value) for value in given]
    level_of = {i: level for i, level in zip(ids, own) if i is not None}
    levels = []
    for parent, level, value in zip(parents, own, given):
        above = -1 if parent is None else level_of.get(parent)
        due = None if above is None else above + 1
        right = level is not None and not isinstance(value, str) and due in (None, level)
        levels.append((level if level is not None else due, right))
    return levels


def _whole(value: object) -> int | None:
    number = _number(value)
    if number is None or number != int(number) or not 0 <= number < _MOST_LEVELS:
        return None
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _seconds(value: object, name: str, faults: list[Fault]) -> float | None:
    number = _number(value)
    if number is None or not 0 <= number < _MOST_SECONDS:
        faults.append(Fault("time_missing", f"{name}: {value!r}"[:120]))
        return None
    if isinstance(value, str):
        faults.append(Fault("time_as_text", f"{name}: {value!r}"))
    return number


def _outside_parents(segments: Sequence[Segment], tolerance: float) -> list[Fault]:
    by_id = {s.node_id: s for s in segments if s.node_id is not None}
    faults = []
    for segment in segments:
        parent = by_id.get(segment.parent_id)
        if parent is None or not (segment.has_times and parent.has_times):
            continue
        if segment.start < parent.start - tolerance or segment.end > parent.end + tolerance:
            faults.append(
                Fault(
                    "outside_parent",
                    f"{segment.node_id or 'a node without id'}: {segment.start:g} to "
                    f"{segment.end:g} s in {parent.start:g} to {parent.end:g} s",
                )
            )
    return faults
