"""The pictures of the map: two scores, two witnesses, a lens, or how confidences are spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import fiftyone as fo
import numpy as np

from ...agreement.aspects import score_field
from ...engine.provenance import run_keys
from .found import SCORE_NAMES, Found
from .points import Points, by_field, by_tag
from .proposal import OURS, Proposal
from .table import Table

_LINE = {"color": "#9A9A9A", "width": 1, "dash": "dot"}
_MINE, _SUSPECT, _NULL = "#56B4E9", "#D55E00", "#8A8A8A"
_BARS = 20  # as many as a run of calibrate keeps of the wrong pairs

#: corner: (x, y, the side of the text that is held there)
_PLACES = {
    "Agreement": (1, 1, "right", "top"),
    "Paraphrase": (0, 1, "left", "top"),
    "Same words, other meaning": (1, 0, "right", "bottom"),
    "Disagreement": (0, 0, "left", "bottom"),
}


@dataclass(frozen=True)
class Picture:
    """What is drawn.

    Attributes:
        traces: for Plotly
        layout: for Plotly
        said: sentences that belong to it
        placed: how many samples have a place on it
        find: the rows of the bars or squares that were clicked or lassoed, from their ids
        counts: whether it is made of bars or squares that count samples, not of a point a sample
    """

    traces: list[dict]
    layout: dict
    said: list[str]
    placed: int
    find: Callable[[Sequence[str]], np.ndarray]
    counts: bool = False


@dataclass(frozen=True)
class Look:
    """What a person looks at, and by what it is coloured.

    Attributes:
        table: the dataset's columns
        found: what the dataset holds
        rows: the rows of the view
        bright: ``n`` booleans of the samples that stand out, or None
        proposal: the tags, now and then
        colour: the field that colours the points; None for the tags
    """

    table: Table
    found: Found
    rows: np.ndarray
    bright: np.ndarray | None
    proposal: Proposal
    colour: str | None


def draw_agreement(look: Look, aspect: str, edge: str, limits: Mapping[str, float]) -> Picture:
    """Lexical against semantic agreement of one comparison, with thresholds and corners."""
    x, y = (look.table.numbers(score_field(score, edge, aspect)) for score in ("lex", "sem"))
    axes = ("Lexical agreement: same words →", "Semantic agreement: same meaning →")
    points = _place(look, x, y, axes)
    counts = {name: int(m.sum()) for name, m in corners(points.x, points.y, limits).items()}
    picture = _draw(look, points, "lack a score and have no point")
    lines = [_line("x", limits["lex_low"]), _line("x", limits["lex_high"])]
    lines += [_line("y", limits["sem_low"]), _line("y", limits["sem_high"])]
    placed = len(points.rows)
    picture.layout.update(
        xaxis=_axis(axes[0], 0.05),
        yaxis=_axis(axes[1], 0.14),  # room for the corners' names
        shapes=lines,
        annotations=[_corner(name, counts[name], placed) for name in _PLACES],
    )
    return picture


def draw_witnesses(look: Look, aspect: str, edges: tuple[str, str], score: str) -> Picture:
    """One comparison against another by the same score, with the line where they are equal."""
    who = look.found.edges[aspect]
    x, y = (look.table.numbers(score_field(score, edge, aspect)) for edge in edges)
    axes = tuple(f"{who[edge]}: {SCORE_NAMES[score]} →" for edge in edges)
    picture = _draw(look, _place(look, x, y, axes), "lack a score and have no point")
    equal = {"type": "line", "layer": "below", "line": _LINE, "x0": 0, "x1": 1, "y0": 0, "y1": 1}
    picture.layout.update(xaxis=_axis(axes[0], 0.05), yaxis=_axis(axes[1], 0.05), shapes=[equal])
    return picture


def draw_lens(look: Look, dataset: fo.Dataset, key: str) -> Picture:
    """The projection of a lens; near points are clips that the lens sees as alike."""
    places = look.table.remember(("lens", key), lambda: _project(look.table, dataset, key))
    points = _place(look, places[:, 0], places[:, 1], ("x", "y"))
    picture = _draw(look, points, f"are not in {key!r} and have no point")
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False, "title": {"text": ""}}
    picture.layout.update(xaxis=bare, yaxis=bare)
    return picture


def draw_confidence(look: Look, dataset: fo.Dataset, aspect: str) -> Picture:
    """How confidences are spread, with the wrong pairs' beside them."""
    field = look.found.confidences[aspect]
    values = look.table.numbers(field)
    rows = look.rows[~np.isnan(values[look.rows])]
    edges = np.linspace(0, 1, _BARS + 1)
    counts, _ = np.histogram(values[rows], edges)
    bars = np.clip((values[rows] * _BARS).astype(int), 0, _BARS - 1)
    worst = look.proposal.worst
    below = 0 if worst is None else int(np.clip(worst * _BARS, 0, _BARS - 1)) + 1
    traces = []
    for name, colour, mine in (
        ("suspect labels", _SUSPECT, np.arange(_BARS) < below),
        ("labels", _MINE, np.arange(_BARS) >= below),
    ):
        if mine.any():
            bright = None if look.bright is None else np.bincount(bars[look.bright[rows]])
            traces.append(_bars(name, counts, colour, mine, bright))
    null, told = _null(dataset, aspect)
    if null is not None:
        scaled = (null * len(rows) / null.sum()).round(1)
        traces.append(_bars(f"wrong pairs ({null.sum():,}), scaled", scaled, _NULL))
    whole = {"dtick": 1} if counts.max(initial=0) <= 5 else {}  # nobody is half a sample
    layout = _layout() | {
        "barmode": "group",
        "bargap": 0.08,
        "dragmode": "select",
        "showlegend": len(traces) > 1,
        "xaxis": {"title": {"text": f"{field} →"}, "range": [0, 1], "showgrid": False},
        "yaxis": {"title": {"text": "samples"}, "rangemode": "tozero"} | whole,
        "shapes": [] if worst is None else [_line("x", worst, "paper")],
    }
    said = [_placed(len(rows), len(look.rows), "have no confidence"), told]
    if worst is not None:
        said.append(f"To the left of {worst:.2f}, the dotted line, labels are suspect.")

    def find(marks: Sequence[str]) -> np.ndarray:
        return rows[np.isin(bars, [int(mark) for mark in marks])]

    return Picture(traces, layout, said, len(rows), find, counts=True)


def corners(lex: np.ndarray, sem: np.ndarray, limits: Mapping[str, float]) -> dict[str, np.ndarray]:
    """``{corner: booleans}``: which scores lie in which named corner of the map.

    A pair between the low and the high thresholds lies in none.
    """
    same_meaning, other_meaning = sem >= limits["sem_high"], sem < limits["sem_low"]
    same_words, other_words = lex >= limits["lex_high"], lex < limits["lex_low"]
    return {
        "Agreement": same_words & same_meaning,
        "Paraphrase": other_words & same_meaning,
        "Same words, other meaning": same_words & other_meaning,
        "Disagreement": other_words & other_meaning,
    }


def _place(look: Look, x: np.ndarray, y: np.ndarray, axes: tuple[str, str]) -> Points:
    rows = look.rows[~(np.isnan(x) | np.isnan(y))[look.rows]]
    return Points(look.table.ids, rows, x[rows], y[rows], axes, look.bright)


def _draw(look: Look, points: Points, lacking: str) -> Picture:
    if look.colour is None:
        given = set(look.table.masks(OURS))
        traces = by_tag(points, look.proposal.then, given, len(look.table))
    else:
        traces = by_field(points, look.table.values(look.colour), look.colour)
    scale = any("colorscale" in trace["marker"] for trace in traces)
    said = [_placed(len(points.rows), len(look.rows), lacking)]
    if points.binned:
        said.append("These are so many that squares count them; a lasso or a click works as well.")
    # the buttons of the tags tell their colours
    layout = _layout() | {"showlegend": not scale and look.colour is not None}
    return Picture(traces, layout, said, len(points.rows), points.find, points.binned)


def _placed(placed: int, samples: int, lacking: str) -> str:
    gap = samples - placed
    return f"{placed:,} of {samples:,} samples are on the map." + (
        f" {gap:,} {lacking}." if gap else ""
    )


def _layout() -> dict:
    return {
        "dragmode": "lasso",
        "hovermode": "closest",
        "uirevision": "keep",  # a redrawn map keeps its zoom
        "legend": {"orientation": "h", "x": 0, "y": -0.22, "font": {"size": 12}},
        "margin": {"t": 28, "l": 40, "b": 8, "r": 8},  # the chart's own buttons sit on top
    }


def _axis(title: str, room: float) -> dict:
    return {
        "title": {"text": title},
        "range": [-room, 1 + room],
        "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1],
        "showgrid": False,
        "zeroline": False,
    }


def _line(axis: str, at: float, across: str | None = None) -> dict:
    other = "y" if axis == "x" else "x"
    ends = {f"{axis}0": at, f"{axis}1": at, f"{other}0": 0, f"{other}1": 1}
    place = {f"{other}ref": across} if across else {}
    return {"type": "line", "layer": "above" if across else "below", "line": _LINE, **ends, **place}


def _corner(name: str, count: int, placed: int) -> dict:
    x, y, side, edge = _PLACES[name]
    share = f", {count / placed:.0%}" if placed else ""
    return {
        "text": f"{name.replace(', ', ',<br>')}:<br>{count:,}{share}",
        "align": side,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": side,
        "yanchor": edge,
        "showarrow": False,
        "bgcolor": "rgba(0,0,0,0.55)",
        "font": {"size": 12, "color": "#FFFFFF"},
        "borderpad": 3,
    }


def _bars(
    name: str,
    heights: np.ndarray,
    colour: str,
    mine: np.ndarray | None = None,
    bright: np.ndarray | None = None,
) -> dict:
    """Bars of labels, those of ``mine``, with their numbers as ids; or of wrong pairs."""
    kept = np.arange(_BARS) if mine is None else np.flatnonzero(mine)
    trace = {
        "type": "bar",
        "name": name,
        "x": ((kept + 0.5) / _BARS).round(4).tolist(),
        "y": heights[kept].tolist(),
        "marker": {"color": colour},
        "offsetgroup": "labels" if mine is not None else "null",
        "hovertemplate": "around %{x:.2f}: %{y:,}<extra>" + name + "</extra>",
    }
    if mine is not None:
        trace["ids"] = [str(bar) for bar in kept]
    if bright is not None:
        lit = np.flatnonzero(bright)
        trace["selectedpoints"] = np.flatnonzero(np.isin(kept, lit)).tolist()
        trace["unselected"] = {"marker": {"opacity": 0.25}}
    return trace


def _null(dataset: fo.Dataset, aspect: str) -> tuple[np.ndarray | None, str]:
    """The wrong pairs' confidences, counted by the newest run of calibrate that has them."""
    for key in reversed(run_keys(dataset, "calibrate")):
        report = dataset.load_run_results(key, cache=False).report or {}
        counts = (report.get("null") or {}).get(aspect)
        if counts and len(counts) == _BARS and sum(counts):
            when = dataset.get_run_info(key).config.finished[:16].replace("T", " ")
            told = f"Grey: texts paired wrongly on purpose, as calibrated on {when} UTC."
            return np.array(counts), told
    told = "No run of calibrate has kept wrong pairs of it, so none stand beside the labels."
    return None, told


def _project(table: Table, dataset: fo.Dataset, key: str) -> np.ndarray:
    """The ``(n, 2)`` places of a projection, nan where a sample has none."""
    results = dataset.load_brain_results(key)
    found = np.asarray(results.points, dtype=np.float64)[:, :2]
    at = {sample_id: row for row, sample_id in enumerate(table.ids)}
    places = np.full((len(table), 2), np.nan)
    for sample_id, place in zip(results.sample_ids, found):
        if sample_id in at:
            places[at[sample_id]] = place
    return places
