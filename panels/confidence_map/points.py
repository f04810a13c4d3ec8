"""Points as Plotly draws them: in groups, on a scale, or counted in bins where there are many."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...agreement.workshop_rules import TAGS

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

#: More points than this are counted in bins: a browser draws and sends no more in good time.
MOST_POINTS = 100_000
#: Bins along each axis.
BINS = 80
_BIN = "bin"  # what the ids of bins begin with; no sample's id does

#: A field with more values than this is drawn by its most frequent ones and "other".
_MAX_GROUPS = len(PALETTE)


@dataclass(frozen=True)
class Points:
    """Samples with a place on a plane.

    Attributes:
        ids: the ``n`` sample ids of the dataset
        rows: the ``k`` rows that have a place
        x: ``k`` numbers
        y: ``k`` numbers
        axes: what the numbers are, in a few words each
        bright: ``n`` booleans: the samples that stand out; None where none does
    """

    ids: Sequence[str]
    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    axes: tuple[str, str]
    bright: np.ndarray | None = None

    @property
    def binned(self) -> bool:
        """Whether there are so many points that they are counted in bins."""
        return len(self.rows) > MOST_POINTS

    def find(self, marks: Sequence[str]) -> np.ndarray:
        """The rows of the bins that were clicked or lassoed."""
        wanted = [int(mark[len(_BIN) :]) for mark in marks if mark.startswith(_BIN)]
        return self.rows[np.isin(self._bins()[0], wanted)]

    def _bins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # Each point's bin, and the bins' edges
        edges = [np.linspace(v.min(), v.max() + 1e-9, BINS + 1) for v in (self.x, self.y)]
        column, row = (
            np.clip(np.searchsorted(e, v, side="right") - 1, 0, BINS - 1)
            for e, v in zip(edges, (self.x, self.y))
        )
        return column * BINS + row, *edges

    # ---- traces ----

    def in_groups(self, names: np.ndarray, colours: Mapping[str, str]) -> list[dict]:
        """A trace for each name: ``names`` are ``n`` words, ``colours`` the order as well."""
        if self.binned:
            return self._counted()
        mine, traces = names[self.rows], []
        present = set(mine)
        for name in [*(n for n in colours if n in present), *sorted(present - set(colours))]:
            members = np.flatnonzero(mine == name)
            colour = colours.get(name, _REST if name == "other" else _NONE)
            marker = {"color": colour, "size": self._size(), "opacity": 0.85}
            traces.append(self._trace(members, f"{name} ({len(members):,})", marker))
        return traces

    def on_scale(self, values: np.ndarray, name: str) -> list[dict]:
        """One trace whose colours tell ``n`` numbers, and one without them."""
        if self.binned:
            return self._counted()
        mine = values[self.rows]
        known = ~np.isnan(mine)
        bar = {"title": {"text": html.escape(name), "side": "right"}, "thickness": 10}
        marker = {"size": self._size(), "opacity": 0.85, "colorscale": "Viridis", "colorbar": bar}
        marker["color"] = np.round(mine[known], 4).tolist()
        traces = [self._trace(np.flatnonzero(known), name, marker)]
        if not known.all():
            grey = {"color": _NONE, "size": self._size()}
            label = f"no {name} ({(~known).sum():,})"
            traces.append(self._trace(np.flatnonzero(~known), label, grey))
        return traces

    def _trace(self, members: np.ndarray, name: str, marker: dict) -> dict:
        label = html.escape(name[:40])  # Plotly reads markup in names; a field's text is anybody's
        trace = {
            "type": "scattergl",
            "mode": "markers",
            "name": label,
            "x": np.round(self.x[members], 4).tolist(),
            "y": np.round(self.y[members], 4).tolist(),
            "ids": [self.ids[row] for row in self.rows[members]],
            "marker": marker,
            "hovertemplate": self._hover() + "<extra>" + label + "</extra>",
        }
        if self.bright is not None:
            trace["selectedpoints"] = np.flatnonzero(self.bright[self.rows[members]]).tolist()
            trace["unselected"] = {"marker": {"opacity": 0.2}}
        return trace

    def _size(self) -> int:
        return 7 if len(self.rows) <= 2_000 else 5 if len(self.rows) <= 20_000 else 4

    def _hover(self) -> str:
        across, up = (html.escape(axis.partition(":")[0]) for axis in self.axes)
        return f"{across} %{{x:.2f}}<br>{up} %{{y:.2f}}"

    def _counted(self) -> list[dict]:
        # Squares coloured by how many points they hold, as points, so that a lasso finds them.
        bins, across, up = self._bins()
        found, counts = np.unique(bins, return_counts=True)
        column, row = found // BINS, found % BINS
        bar = {"title": {"text": "samples", "side": "right"}, "thickness": 10}
        ticks = [10**power for power in range(7) if 10**power <= counts.max()]
        bar |= {"tickvals": np.log10(ticks).tolist(), "ticktext": [f"{n:,}" for n in ticks]}
        trace = {
            "type": "scattergl",
            "mode": "markers",
            "name": "samples",
            "x": np.round((across[column] + across[column + 1]) / 2, 4).tolist(),
            "y": np.round((up[row] + up[row + 1]) / 2, 4).tolist(),
            "ids": [f"{_BIN}{number}" for number in found],
            "text": [f"{count:,}" for count in counts],
            "marker": {
                "symbol": "square",
                "size": 8,
                "color": np.round(np.log10(counts), 3).tolist(),
                "colorscale": "Viridis",
                "colorbar": bar,
            },
            "hovertemplate": "%{text} samples<br>" + self._hover() + "<extra></extra>",
        }
        if self.bright is not None:
            bright = np.unique(bins[self.bright[self.rows]])
            trace["selectedpoints"] = np.flatnonzero(np.isin(found, bright)).tolist()
            trace["unselected"] = {"marker": {"opacity": 0.2}}
        return [trace]


def by_tag(points: Points, tags: Mapping[str, np.ndarray], given: set[str], n: int) -> list[dict]:
    """Points coloured by the tag that says most; of ``tags``, only those that rules ``given``."""
    known = set(TAGS) | given  # a person's own tags colour nothing
    order = [tag for tag in dict.fromkeys([*TELLING, *sorted(tags)]) if tag in tags]
    order = [tag for tag in order if tag in known]
    named = np.full(n, "no tag", dtype=object)
    for tag in reversed(order):
        named[tags[tag]] = tag
    colours = dict(zip(order, PALETTE * (1 + len(order) // len(PALETTE))))
    traces = points.in_groups(named, {tag: TELLING.get(tag, c) for tag, c in colours.items()})
    return traces[::-1]  # the last is on top: what says most


def by_field(points: Points, values: Sequence[object], name: str) -> list[dict]:
    """Points coloured by a field: on a scale where it holds numbers, else in groups."""
    if isinstance(values, np.ndarray):  # fractions
        if not np.isnan(values[points.rows]).all():
            return points.on_scale(values, name)
        values = [None] * len(values)
    mine = [values[row] for row in points.rows]
    if _is_continuous(mine):
        return points.on_scale(np.array(values, dtype=np.float64), name)
    names = np.array([_as_name(value) for value in values], dtype=object)
    counts = Counter(names[points.rows])
    counts.pop("none", None)
    shown = [name for name, _ in counts.most_common(_MAX_GROUPS)]
    if len(counts) > _MAX_GROUPS:
        names = np.where(np.isin(names, [*shown, "none"]), names, "other")
    return points.in_groups(names, dict(zip(sorted(shown), PALETTE)))


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
