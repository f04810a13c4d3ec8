"""The map and the grid show each other what is selected."""

from __future__ import annotations

import hashlib
import json

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np

from .table import Table

#: What the panel's state holds of a view that the map narrowed: the view before, the view asked
#: for, the view last seen, and the App's view of then until the App tells of the one asked for.
REMEMBERED = ("base", "shown", "seen", "left")
#: The same where the map narrowed nothing.
NOTHING = {"base": None, "shown": None, "left": None}


def fingerprint(view: fo.DatasetView | None) -> str:
    """A view's stages as a short word, the same for the same stages."""
    stages = [] if view is None else view._serialize(include_uuids=False)
    return digest(stages)


def digest(value: object) -> str:
    """A short word for a value, the same for the same value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def base_view(ctx: foo.ExecutionContext) -> fo.DatasetView:
    """The view that the map is drawn of: the App's, or the one that the map narrowed."""
    base = ctx.panel.state.get("base")
    if base is not None and ctx.panel.state.get("shown") == fingerprint(ctx.view):
        return fo.DatasetView._build(ctx.dataset, base)
    return ctx.view


def is_known(ctx: foo.ExecutionContext) -> bool:
    """Whether the map has drawn or asked for the App's view.

    Or for another, which the App had not yet taken when it sent the event.
    """
    known = (ctx.panel.state.get(name) for name in ("seen", "shown", "left"))
    return fingerprint(ctx.view) in known


def show(ctx: foo.ExecutionContext, table: Table, rows: np.ndarray) -> None:
    """Shows these samples of the map's view in the grid; without any, says so."""
    if not len(rows):
        ctx.ops.notify("No sample belongs there.", variant="info")
        return
    base = base_view(ctx)
    view = base.select([table.ids[row] for row in rows])
    if getattr(base, "_is_generated", False):
        view = base.select_by("sample_id", [table.ids[row] for row in rows])
    _set_view(ctx, base, view)
    table.memory["grid", fingerprint(view)] = rows


def show_all(ctx: foo.ExecutionContext) -> None:
    """Shows every sample of the map again."""
    base = base_view(ctx)
    _set_view(ctx, base, base)


def bright(ctx: foo.ExecutionContext, table: Table, rows: np.ndarray) -> np.ndarray | None:
    """``n`` booleans: the samples selected in the grid, else those that it was narrowed to.

    None where nothing is selected and the grid shows all of the map's samples, and where none of
    the selected ones is on the map: then no point is dimmed.
    """
    chosen = table.rows(ctx.selected) if ctx.selected else _narrowed(ctx, table)
    chosen = None if chosen is None else np.intersect1d(chosen, rows)
    if chosen is None or not 0 < len(chosen) < len(rows):
        return None
    mask = np.zeros(len(table), dtype=bool)
    mask[chosen] = True
    return mask


def tell(
    ctx: foo.ExecutionContext, table: Table, mask: np.ndarray | None, rows: np.ndarray
) -> str | None:
    """Which samples are bright, in a sentence."""
    if mask is None:
        if ctx.selected and not np.isin(table.rows(ctx.selected), rows).any():
            return f"None of the {len(ctx.selected):,} selected in the grid is of this view."
        return None
    count = int(mask[rows].sum())
    why = "selected in the grid" if ctx.selected else "shown in the grid"
    return f"Bright: {count:,} {why}."


def _narrowed(ctx: foo.ExecutionContext, table: Table) -> np.ndarray | None:
    state = ctx.panel.state
    if state.get("base") is None or state.get("shown") is None:
        return None
    key = ("grid", state.get("shown"))
    if key in table.memory:
        return table.memory[key]
    if fingerprint(ctx.view) != state.get("shown"):
        return None
    return table.remember(key, lambda: table.rows_of(ctx.view))


def _set_view(ctx: foo.ExecutionContext, base: fo.DatasetView, view: fo.DatasetView) -> None:
    # Remembered as seen: the App will report this view as changed, which is no news.
    mark = fingerprint(view)
    left = fingerprint(ctx.view)
    ctx.panel.state.set({"base": base._serialize(), "shown": mark, "seen": mark, "left": left})
    ctx.ops.set_view(view)
