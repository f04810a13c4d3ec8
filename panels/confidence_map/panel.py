"""Confidence map: lexical against semantic agreement, one point a sample."""

from __future__ import annotations

import hashlib
import json

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
from fiftyone.operators.categories import Categories

from ...agreement.workshop_rules import TAGS, THRESHOLDS
from . import chart, page
from .empty import next_stage
from .scores import MapScores, corners, find_comparisons, read_scores

PLUGIN = "@second-opinion/audit"

#: The aspect shown first where it was scored: the longest text says most.
_FIRST = "sum_detailed"

_HELP = """\
Each point is a sample. To the right, annotation and witness use the same words; further up, they
mean the same. Draw a lasso, or click a point or a tag, to see those samples in the grid. Moving a
threshold only shows what would change; **Apply** writes the tags.
"""


class ConfidenceMap(foo.Panel):
    """Shows where annotation and witness agree, and lets a person move the thresholds.

    The panel's state holds a few scalars: the chosen comparison, the thresholds, counts, and
    the view that the map is drawn of. The points go to the browser as panel data.
    """

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name="confidence_map",
            label="Confidence map",
            icon="scatter_plot",
            category=Categories.ANALYZE,
            help_markdown=_HELP,
            surfaces="grid",
        )

    # ---- what may happen ----

    def execute(self, ctx: foo.ExecutionContext) -> object:
        """Answers an event, unless it tells nothing new.

        When the panel opens, the App reports the dataset, the view and every slider as changed.
        Answers may cross: one to an empty event, with the state of then, would undo what a
        person did since.
        """
        return super().execute(ctx) if _is_news(ctx) else None

    def on_load(self, ctx: foo.ExecutionContext) -> None:
        """Chooses what to show first, or what was shown before."""
        state = ctx.panel.state
        found = find_comparisons(ctx.dataset) if ctx.dataset is not None else {}
        state.set({"comparisons": found, "dataset": _name(ctx)})
        if not found:
            return
        if state.get("limits") != self._limits(ctx):
            state.set("limits", self._limits(ctx))
        self._choose(ctx)
        self._draw(ctx)

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        """Starts anew on another dataset."""
        ctx.panel.state.set({"pick": {}, "limits": {}, "shown": None, "base": None})
        self.on_load(ctx)

    def on_change_view(self, ctx: foo.ExecutionContext) -> None:
        """Draws another view than the one drawn, or that a lasso or a button asked for."""
        ctx.panel.state.set({"shown": None, "base": None})
        self.on_load(ctx)

    def on_setting(self, ctx: foo.ExecutionContext) -> None:
        """Shows another comparison or colour, or what another threshold would change.

        Writes nothing. By now the App has put the new value into the state.
        """
        self._choose(ctx)
        self._draw(ctx)

    def on_reset(self, ctx: foo.ExecutionContext) -> None:
        """Puts the thresholds back to the workshop's."""
        ctx.panel.state.set("limits", dict(THRESHOLDS))
        self._draw(ctx)

    def on_lasso(self, ctx: foo.ExecutionContext) -> None:
        """Shows the samples inside the lasso."""
        ids = [point["id"] for point in ctx.params.get("data") or [] if point.get("id")]
        if ids:  # each lasso is followed by a second, empty event
            self._show(ctx, self._base(ctx).select(ids))

    def on_point(self, ctx: foo.ExecutionContext) -> None:
        """Shows the sample that was clicked."""
        if ctx.params.get("id"):
            self._show(ctx, self._base(ctx).select(ctx.params["id"]))

    def on_tag(self, ctx: foo.ExecutionContext) -> None:
        """Shows the samples that have a tag, or would have it with these thresholds."""
        scores = self._scores(ctx)
        tag, then = ctx.params["tag"], scores.tags_then(self._limits(ctx))
        mask = then.get(tag)
        if mask is None or not mask.any():  # a tag that these thresholds would take away
            mask = scores.tags_now().get(tag)
        self._show_rows(ctx, scores, mask)

    def on_show_all(self, ctx: foo.ExecutionContext) -> None:
        """Shows every sample of the map again."""
        self._show(ctx, self._base(ctx))

    def on_apply(self, ctx: foo.ExecutionContext) -> None:
        """Writes the tags that the thresholds give."""
        tag = foo.get_operator(f"{PLUGIN}/tag_confidence")
        picked = ctx.panel.state.get("pick")
        try:
            report = tag(
                self._base(ctx),
                aspect=picked["aspect"],
                rules="workshop",
                thresholds=self._limits(ctx),
            )
        except ValueError as error:
            ctx.ops.notify(str(error), variant="error")
            return
        ctx.ops.notify(" ".join(report["summary"]), variant="success")
        self._draw(ctx)
        ctx.ops.reload_dataset()

    def on_next_stage(self, ctx: foo.ExecutionContext) -> None:
        """Opens the form of the stage that the map waits for."""
        ctx.prompt(f"{PLUGIN}/{ctx.params['stage']}", on_success=self.on_load)

    # ---- what is shown ----

    def render(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The panel's page; the points themselves were sent as panel data."""
        if ctx.dataset is None:
            return page.say("Open a dataset to see where its annotations are agreed with.")
        if not (ctx.panel.state.get("counts") and ctx.panel.state.get("comparisons")):
            stage = next_stage(ctx.dataset)
            known = foo.operator_exists(f"{PLUGIN}/{stage.operator}")
            return page.wait_for(stage, self.on_next_stage if known else None)
        return page.build(self, ctx.panel.state, ctx.dataset)

    def _choose(self, ctx: foo.ExecutionContext) -> None:
        # What was picked, or what comes nearest to it here
        found, picked = ctx.panel.state.get("comparisons"), ctx.panel.state.get("pick") or {}
        aspect, edge, colour = (picked.get(name) for name in ("aspect", "edge", "colour"))
        if aspect not in found:
            aspect = _FIRST if _FIRST in found else next(iter(found))
        if edge not in found[aspect]:
            edge = next(iter(found[aspect]))
        if colour not in page.colours(ctx.dataset):
            colour = page.BY_TAG
        chosen = {"aspect": aspect, "edge": edge, "colour": colour}
        if chosen != picked:
            ctx.panel.state.set("pick", chosen)

    def _draw(self, ctx: foo.ExecutionContext) -> None:
        scores = self._scores(ctx)
        limits = self._limits(ctx)
        then, now = scores.tags_then(limits), scores.tags_now()
        colour = _colour_field(ctx)
        points = chart.draw_points(scores, then, colour)
        # With each change of an input the App copies the panel's data into its state, and
        # later lays new points over that copy, so that old ones would stay on the map.
        ctx.panel.state.set("map", None)
        ctx.panel.set_data("map", points)
        ctx.panel.state.set("counts", _count(scores, limits, now, then))
        ctx.panel.state.set("scale", any("colorscale" in trace["marker"] for trace in points))
        ctx.panel.state.set({"drawn": _settings(ctx), "seen": _fingerprint(ctx.view)})

    def _scores(self, ctx: foo.ExecutionContext) -> MapScores:
        picked = ctx.panel.state.get("pick")
        return read_scores(self._base(ctx), picked["aspect"], picked["edge"], _colour_field(ctx))

    def _limits(self, ctx: foo.ExecutionContext) -> dict[str, float]:
        given = ctx.panel.state.get("limits") or {}
        given = {name: value for name, value in given.items() if value is not None}
        return {name: round(given.get(name, value), 2) for name, value in THRESHOLDS.items()}

    def _base(self, ctx: foo.ExecutionContext) -> fo.DatasetView:
        # The view that the map is drawn of: the App's, or the one that a lasso narrowed.
        base = ctx.panel.state.get("base")
        if base is not None and ctx.panel.state.get("shown") == _fingerprint(ctx.view):
            return fo.DatasetView._build(ctx.dataset, base)
        return ctx.view

    def _show_rows(
        self, ctx: foo.ExecutionContext, scores: MapScores, mask: np.ndarray | None
    ) -> None:
        if mask is None or not mask.any():
            ctx.ops.notify("No sample belongs there.", variant="info")
            return
        self._show(ctx, self._base(ctx).select([scores.ids[i] for i in np.flatnonzero(mask)]))

    def _show(self, ctx: foo.ExecutionContext, view: fo.DatasetView) -> None:
        base = self._base(ctx)
        ctx.panel.state.set({"base": base._serialize(), "shown": _fingerprint(view)})
        ctx.ops.set_view(view)


def _is_news(ctx: foo.ExecutionContext) -> bool:
    method, state = ctx.params.get("__method__"), ctx.panel.state
    if method == "on_setting":
        return state.get("drawn") != _settings(ctx)
    if method == "on_change_dataset":
        return state.get("dataset") != _name(ctx)
    if method == "on_change_view":
        return _fingerprint(ctx.view) not in (state.get("seen"), state.get("shown"))
    return True


def _name(ctx: foo.ExecutionContext) -> str | None:
    return None if ctx.dataset is None else ctx.dataset.name


def _settings(ctx: foo.ExecutionContext) -> dict:
    return {"pick": ctx.panel.state.get("pick"), "limits": ctx.panel.state.get("limits")}


def _colour_field(ctx: foo.ExecutionContext) -> str | None:
    colour = (ctx.panel.state.get("pick") or {}).get("colour")
    return None if colour == page.BY_TAG else colour


def _count(
    scores: MapScores,
    limits: dict[str, float],
    now: dict[str, np.ndarray],
    then: dict[str, np.ndarray],
) -> dict:
    """What the page says in numbers; a few scalars, so that they fit the panel's state."""
    nobody = np.zeros(len(scores.ids), dtype=bool)
    known = list(chart.TELLING) if scores.calibrated else TAGS  # the worst, or the rules', first
    tags = [tag for tag in dict.fromkeys([*known, *now, *then]) if tag in now or tag in then]
    pairs = [(now.get(tag, nobody), then.get(tag, nobody)) for tag in tags]
    changed = np.any([a != b for a, b in pairs], axis=0) if pairs else nobody
    return {
        "samples": len(scores.ids),
        "scored": int(scores.scored.sum()),
        "rules": scores.rule_scores is not None,
        "calibrated": scores.calibrated,
        "changed": int(changed.sum()),
        "tags": [[tag, int(a.sum()), int(b.sum())] for tag, (a, b) in zip(tags, pairs)],
        "corners": {name: int(mask.sum()) for name, mask in corners(scores, limits).items()},
    }


def _fingerprint(view: fo.DatasetView | None) -> str:
    stages = [] if view is None else view._serialize(include_uuids=False)
    return hashlib.sha256(json.dumps(stages, sort_keys=True, default=str).encode()).hexdigest()
