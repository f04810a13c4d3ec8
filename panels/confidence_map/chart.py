"""The map as Plotly draws it: one point a sample, thresholds as lines, corners by name."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping

import numpy as np

from ...agreement.workshop_rules import TAGS
from .scores import MapScores

#: Colours that people with a colour-vision deficiency tell apart as well (Okabe and Ito, 2008).
PALETTE = ("#56B4E9", "#D55E00", "#E69F00", "#F0E442", "#009E73", "#CC79A7", "#0072B2", "#B2DF8A")
#: The tags and their colours. Of a sample's tags, the first of these colours its point, as it
#: says most; the workshop's and the calibrated rules' tags are never on the map together.
TELLING = {
    "suspect": "#D55E00",
    "annotation_suspect": "#CC79A7",
    "scattered": "#E69F00",
    "na_conflict": "#F0E442",
    "beyond_clip": "#0072B2",
    "paraphrase": "#56B4E9",
    "triple_disagreement": "#D55E00",
    "qwen_only": "#E69F00",
    "molmo_only": "#F0E442",
    "triple_agreement": "#009E73",
    "qwen_agrees": "#CC79A7",
    "molmo_agrees": "#0072B2",
    "agreed": "#009E73",
}
_REST, _NONE = "#8A8A8A", "#5A5A5A"
_LINE = {"color": "#9A9A9A", "width": 1, "dash": "dot"}

#: A field with more values than this is drawn by its most frequent ones and "other".
_MAX_GROUPS = len(PALETTE)
#: corner: (x, y, the side of the text that is held there)
_PLACES = {
    "Agreement": (1, 1, "right", "top"),
    "Paraphrase": (0, 1, "left", "top"),
    "Same words, other meaning": (1, 0, "right", "bottom"),
    "Disagreement": (0, 0, "left", "bottom"),
}


def draw_points(
    scores: MapScores, then: Mapping[str, np.ndarray], colour: str | None
) -> list[dict]:
    """Plotly traces of the scored samples; every point carries its sample's id.

    Args:
        scores: the scores and the values that colour the points
        then: ``{tag: n booleans}``, used where ``colour`` is None
        colour: the name of the field that colours the points; None for tags
    """
    rows = np.flatnonzero(scores.scored)
    if colour is None:
        given = set(TAGS).union(*map(set, scores.ours))  # a person's own tags colour nothing
        order = [tag for tag in dict.fromkeys([*TELLING, *sorted(then)]) if tag in then]
        order = [tag for tag in order if tag in given]
        return _draw_groups(scores, rows, _telling_tags(then, order, len(scores.ids)), order, True)
    values = scores.colour or [None] * len(scores.ids)
    if _is_continuous([values[i] for i in rows]):
        return _draw_scale(scores, rows, values, colour)
    names = np.array([_as_name(value) for value in values], dtype=object)
    counts = Counter(names[rows])
    counts.pop("none", None)
    shown = [name for name, _ in counts.most_common(_MAX_GROUPS)]
    if len(counts) > _MAX_GROUPS:
        names = np.where(np.isin(names, [*shown, "none"]), names, "other")
    return _draw_groups(scores, rows, names, sorted(shown), False)


def _telling_tags(then: Mapping[str, np.ndarray], order: list[str], n: int) -> np.ndarray:
    named = np.full(n, "no tag", dtype=object)
    for tag in reversed(order):
        named[then[tag]] = tag
    return named


def _draw_groups(
    scores: MapScores, rows: np.ndarray, names: np.ndarray, order: list[str], by_tag: bool
) -> list[dict]:
    colours = dict(zip(order, PALETTE)) | (TELLING if by_tag else {})
    present = set(names[rows])
    traces = []
    for name in [*(n for n in order if n in present), *sorted(present - set(order))]:
        members = rows[names[rows] == name]
        colour = colours.get(name, _REST if name == "other" else _NONE)
        marker = {"color": colour, "size": 7, "opacity": 0.85}
        traces.append(_trace(scores, members, f"{name} ({len(members):,})", marker))
    return traces


def _draw_scale(scores: MapScores, rows: np.ndarray, values: list, name: str) -> list[dict]:
    bar = {"title": {"text": html.escape(name), "side": "right"}, "thickness": 10}
    known = np.array([values[i] is not None for i in rows], dtype=bool)
    marker = {"size": 7, "opacity": 0.85, "colorscale": "Viridis", "colorbar": bar}
    marker["color"] = [float(values[i]) for i in rows[known]]
    traces = [_trace(scores, rows[known], name, marker)]
    if not known.all():
        grey = {"color": _NONE, "size": 7}
        traces.append(_trace(scores, rows[~known], f"no {name} ({(~known).sum():,})", grey))
    return traces


def _trace(scores: MapScores, members: np.ndarray, name: str, marker: dict) -> dict:
    label = html.escape(name[:40])  # Plotly reads markup in names, and a field's text is anybody's
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": label,
        "x": np.round(scores.lex[members], 4).tolist(),
        "y": np.round(scores.sem[members], 4).tolist(),
        "ids": [scores.ids[i] for i in members],
        "marker": marker,
        "hovertemplate": "lexical %{x:.2f}, semantic %{y:.2f}<extra>" + label + "</extra>",
    }


def _is_continuous(values: list) -> bool:
    numbers = [v for v in values if v is not None]
    if not numbers or not all(
        isinstance(v, (int, float)) and not isinstance(v, bool) for v in numbers
    ):
        return False
    return any(isinstance(v, float) for v in numbers) or len(set(numbers)) > _MAX_GROUPS


def _as_name(value: object) -> str:
    if value is None or value == "":
        return "none"
    return str(getattr(value, "label", value))


def lay_out(
    thresholds: Mapping[str, float], corner_counts: Mapping[str, int], scored: int, scale: bool
) -> dict:
    """The chart's layout: axes, the four thresholds as lines, the corners' names and counts."""
    lines = [
        _line("x", thresholds["lex_low"]),
        _line("x", thresholds["lex_high"]),
        _line("y", thresholds["sem_low"]),
        _line("y", thresholds["sem_high"]),
    ]
    return {
        "dragmode": "lasso",
        "hovermode": "closest",
        "uirevision": "keep",  # a redrawn map keeps its zoom
        "showlegend": not scale,
        "legend": {"orientation": "h", "x": 0, "y": -0.22, "font": {"size": 12}},
        "margin": {"t": 32, "l": 40, "b": 8, "r": 8},  # the chart's own buttons sit on top
        "xaxis": _axis("Lexical agreement: same words →", 0.05),
        "yaxis": _axis("Semantic agreement: same meaning →", 0.14),  # room for the corners' names
        "shapes": lines,
        "annotations": [_corner(name, corner_counts.get(name, 0), scored) for name in _PLACES],
    }


def _axis(title: str, room: float) -> dict:
    return {
        "title": {"text": title},
        "range": [-room, 1 + room],
        "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1],
        "showgrid": False,
        "zeroline": False,
    }


def _line(axis: str, at: float) -> dict:
    other = "y" if axis == "x" else "x"
    ends = {f"{axis}0": at, f"{axis}1": at, f"{other}0": 0, f"{other}1": 1}
    return {"type": "line", "layer": "below", "line": _LINE, **ends}


def _corner(name: str, count: int, scored: int) -> dict:
    x, y, side, edge = _PLACES[name]
    share = f", {count / scored:.0%}" if scored else ""
    return {
        "text": f"{name}: {count:,}{share}",
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
