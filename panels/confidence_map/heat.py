"""The heat table: every aspect and comparison as a button that opens it on the map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from fiftyone.operators import types

from ...agreement.aspects import score_field
from ..typeset import FAINT, grid, line
from .found import SCORE_NAMES, Found
from .table import Table


@dataclass(frozen=True)
class Cell:
    """One comparison of one aspect.

    Attributes:
        mean: the mean score of those that have one; nan where none has
        missing: how many samples have no score
        samples: of how many
    """

    mean: float
    missing: int
    samples: int


def count_cells(
    table: Table, found: Found, score: str, rows: np.ndarray
) -> dict[str, dict[str, Cell]]:
    """``{aspect: {edge: cell}}`` of the comparisons that have the score."""
    there = found.having({score})
    table.load(score_field(score, edge, aspect) for aspect in there for edge in there[aspect])
    cells: dict[str, dict[str, Cell]] = {}
    for aspect, edges in there.items():
        for edge in edges:
            values = table.numbers(score_field(score, edge, aspect))[rows]
            known = values[~np.isnan(values)]
            mean = float(known.mean()) if len(known) else float("nan")
            cell = Cell(mean, len(values) - len(known), len(values))
            cells.setdefault(aspect, {})[edge] = cell
    return cells


def add_cells(
    root: types.Object,
    cells: Mapping[str, Mapping[str, Cell]],
    names: Mapping[str, Mapping[str, str]],
    score: str,
    on_click: Callable,
) -> None:
    """Adds the table; a darker cell agrees less.

    Args:
        root: where it is added
        cells: what :func:`count_cells` gives
        names: ``{aspect: {edge: who is compared with whom}}``
        score: the score that the cells tell
        on_click: called with the aspect and the edge of a cell
    """
    samples = max((cell.samples for row in cells.values() for cell in row.values()), default=0)
    told = f"Means of {SCORE_NAMES[score]} over {samples:,} samples, those missing left out. "
    line(root, "said", told + "A cell opens its comparison on the map.", **FAINT)
    edges = list(dict.fromkeys(edge for row in cells.values() for edge in row))
    place = grid(
        root,
        "cells",
        {
            "display": "grid",
            "gridTemplateColumns": f"minmax(60px, auto) repeat({len(edges)}, minmax(56px, 1fr))",
            "gap": 0.5,
            "alignItems": "center",
            "overflowX": "auto",
        },
    )
    line(place, "corner", "", **FAINT)
    for i, edge in enumerate(edges):
        who = next((row[edge] for row in names.values() if edge in row), edge)
        line(place, f"edge_{i}", who, **FAINT, textAlign="center")
    for i, (aspect, row) in enumerate(cells.items()):
        line(place, f"aspect_{i}", aspect, fontWeight=600)
        for j, edge in enumerate(edges):
            if edge in row:
                _add_cell(place, f"cell_{i}_{j}", row[edge], on_click, aspect, edge)
            else:
                line(place, f"none_{i}_{j}", "not compared", **FAINT)


def _add_cell(
    place: types.Object, name: str, cell: Cell, on_click: Callable, aspect: str, edge: str
) -> None:
    share = cell.missing / cell.samples if cell.samples else 0.0
    mean = "no score" if np.isnan(cell.mean) else f"{cell.mean:.2f}"
    gap = f"{cell.missing:,} missing ({share:.0%})" if cell.missing else "none missing"
    doubt = 0.0 if np.isnan(cell.mean) else float(np.clip(1 - cell.mean, 0, 1))
    tint = f"rgba(213, 94, 0, {0.05 + 0.75 * doubt:.2f})"
    place.btn(
        name,
        label=f"{mean}\n{gap}",
        title=f"{aspect}, {edge}: of {cell.samples:,} samples. Opens it on the map.",
        variant="outlined",
        on_click=on_click,
        params={"aspect": aspect, "edge": edge},
        componentsProps={
            "item": {"sx": {"minWidth": 0}},
            "button": {
                "sx": {
                    "width": "100%",
                    "height": "100%",
                    "whiteSpace": "pre-line",
                    "lineHeight": 1.35,
                    "padding": "6px 4px",
                    "textTransform": "none",
                    "color": "text.primary",
                    "borderColor": "divider",
                    "backgroundColor": tint,
                    "&:hover": {"backgroundColor": tint, "borderColor": "text.secondary"},
                    "& .MuiTypography-root": {"fontSize": "0.8rem"},
                    "& .MuiTypography-root::first-line": {"fontSize": "1.05rem", "fontWeight": 600},
                }
            },
        },
    )
