"""Confidence map: where annotations and witnesses agree, and what tags that would give."""

from __future__ import annotations

from copy import deepcopy

import fiftyone.operators as foo

from ...agreement.aspects import PRESETS
from ...agreement.workshop_rules import THRESHOLDS
from ..base import PLUGIN, AuditPanel, dataset_name
from . import page, selection
from .choices import AGREEMENT, TABLE, WITNESSES, as_picked, as_state
from .empty import NextStage, next_stage, stage_for
from .found import Found
from .heat import add_cells, count_cells
from .proposal import CALIBRATED, FDR
from .scene import Scene

_HELP = """\
Each point is a sample. Draw a lasso, or click a point, a bar or a tag, to see those samples in the
grid; select samples in the grid to see where they lie. **View** shows two scores against each
other, how confidences are spread beside wrongly paired texts, one witness against another, a
lens's projection, or a table of all aspects whose cells open on the map. Moving a slider only
shows what would change; **Apply** writes the tags.
"""

# What each open panel drew last: the dataset's name, the settings, and of which view. These events
# begin afresh.
_DRAWN: dict[str | None, tuple[str | None, dict, dict]] = {}
_MOST_PANELS = 100
_AFRESH = ("on_load", "on_change_dataset")


class ConfidenceMap(AuditPanel):
    """Shows how far annotations can be trusted, and lets a person move the limits.

    The panel's state holds a few scalars: what was picked, the limits, and the view that the map
    is drawn of. The points go to the browser as panel data; the dataset's columns stay in the
    server's memory until a sample is written.
    """

    name = "confidence_map"
    label = "Confidence map"
    icon = "scatter_plot"
    help = _HELP

    # ---- what may happen ----

    def catch_up(self, ctx: foo.ExecutionContext) -> None:
        """Takes what was picked from the last event that was drawn, and from this one its own.

        An event carries the state of when it was sent. One that was sent before a picker was
        moved, and is answered after it, would put the picker back. (A picker that appears on
        the page sends an event as well, with the value that it was given.)
        """
        name, drawn, viewed = _DRAWN.get(ctx.panel_id) or (None, None, None)
        method = ctx.params.get("__method__")
        if drawn is None or name != dataset_name(ctx) or method in _AFRESH:
            return
        settings = deepcopy(drawn)
        if viewed["shown"] == selection.fingerprint(ctx.view):
            viewed["left"] = None
        group, _, picked = (ctx.params.get("path") or "").rpartition(".")
        if method == "on_setting" and group in settings:
            settings[group] = {**(settings[group] or {}), picked: ctx.params.get("value")}
        if {**settings, **viewed} != {**_settings(ctx), **_viewed(ctx)}:
            ctx.panel.state.set({**settings, **viewed})

    def is_news(self, ctx: foo.ExecutionContext) -> bool:
        """Whether an event tells something new.

        When the panel opens, the App reports the dataset, the view, the selection and every
        slider as changed. Answers may cross: one to an empty event, with the state of then,
        would undo what a person did since.
        """
        method, state = ctx.params.get("__method__"), ctx.panel.state
        if method == "on_setting":
            return state.get("drawn") != _settings(ctx)
        if method == "on_change_view":
            return not selection.is_known(ctx)
        if method == "on_change_selected":
            return (state.get("selected") or selection.digest([])) != selection.digest(
                sorted(ctx.selected)
            )
        return super().is_news(ctx)

    def on_load(self, ctx: foo.ExecutionContext) -> None:
        """Chooses what to show first, or what was shown before."""
        ctx.panel.state.set({"dataset": dataset_name(ctx), "sent": None})
        if ctx.dataset is not None:
            ctx.panel.state.set("seen", selection.fingerprint(ctx.view))
            self._draw(ctx)
            Scene(ctx).read_ahead()

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        """Starts anew on another dataset."""
        ctx.panel.state.set({"pick": {}, "by": {}, "limits": {}, **selection.NOTHING})
        self.on_load(ctx)

    def on_change_view(self, ctx: foo.ExecutionContext) -> None:
        """Draws another view than the one drawn, or that a lasso or a button asked for."""
        ctx.panel.state.set(selection.NOTHING)
        self.on_load(ctx)

    def on_change_selected(self, ctx: foo.ExecutionContext) -> None:
        """Shows on the map what was selected in the grid."""
        self._draw(ctx)

    def on_setting(self, ctx: foo.ExecutionContext) -> None:
        """Shows another view, or what another limit would change; writes nothing.

        By now the App has put the new value into the state.
        """
        self._draw(ctx)

    def on_cell(self, ctx: foo.ExecutionContext) -> None:
        """Opens a cell of the table: its comparison on the map."""
        scene = Scene(ctx)
        aspect, edge = ctx.params["aspect"], ctx.params["edge"]
        placed = edge in scene.found.comparable().get(aspect, ())
        view = AGREEMENT if placed else WITNESSES
        picked = {**as_picked(scene.chosen), "view": view, "aspect": aspect, "edge": edge}
        ctx.panel.state.set("pick", picked)
        self._draw(ctx)

    def on_reset(self, ctx: foo.ExecutionContext) -> None:
        """Puts the limits back to where they began."""
        by = {**(ctx.panel.state.get("by") or {}), "fdr": FDR}
        ctx.panel.state.set({"limits": dict(THRESHOLDS), "by": by})
        self._draw(ctx)

    def on_lasso(self, ctx: foo.ExecutionContext) -> None:
        """Shows the samples inside the lasso."""
        marks = [point["id"] for point in ctx.params.get("data") or [] if point.get("id")]
        if marks:  # each lasso is followed by a second, empty event
            self._show(ctx, marks)

    def on_point(self, ctx: foo.ExecutionContext) -> None:
        """Shows the samples of the point, the bar or the square that was clicked."""
        if ctx.params.get("id"):
            self._show(ctx, [ctx.params["id"]])

    def on_tag(self, ctx: foo.ExecutionContext) -> None:
        """Shows the samples that have a tag, or would have it with these limits."""
        scene, tag = Scene(ctx), ctx.params["tag"]
        proposal = scene.proposal
        mask = proposal.mask(proposal.then, tag)
        if not mask.any():  # a tag that these limits would take away
            mask = proposal.mask(proposal.now, tag)
        selection.show(ctx, scene.table, proposal.rows[mask])
        self._draw(ctx)

    def on_show_all(self, ctx: foo.ExecutionContext) -> None:
        """Shows every sample of the map again."""
        selection.show_all(ctx)
        self._draw(ctx)

    def on_apply(self, ctx: foo.ExecutionContext) -> None:
        """Writes the tags that the limits give."""
        scene = Scene(ctx)
        chosen = scene.chosen
        given = {"aspect": chosen.aspect, "rules": chosen.rules}
        if chosen.rules == CALIBRATED:
            given |= {"fdr": chosen.fdr, "aspects": _as_setting(scene.found, chosen.aspect)}
        else:
            given["thresholds"] = dict(chosen.limits)
        try:
            tag = foo.get_operator(f"{PLUGIN}/tag_confidence")
            report = tag(selection.base_view(ctx), **given)
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

    def show(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The panel's page; the points themselves were sent as panel data."""
        if ctx.dataset is None:
            return page.say("Open a dataset to see where its annotations are agreed with.")
        scene = Scene(ctx)
        found, chosen = scene.found, scene.chosen
        if not (found.edges or found.confidences or found.lenses):
            stage = next_stage(ctx.dataset)
            return page.wait_for(stage, self._opener(stage))
        root = page.begin(self, chosen, found, ctx.dataset)
        lacking = stage_for(chosen.view, found)
        if lacking is not None:
            return page.lack(root, lacking, self._opener(lacking))
        if chosen.view == TABLE:
            cells = count_cells(scene.table, found, chosen.score, scene.proposal.rows)
            add_cells(root, cells, found.edges, chosen.score, self.on_cell)
            return page.close(root)
        told = selection.tell(ctx, scene.bright, scene.proposal.rows)
        return page.draw(root, self, scene.picture, chosen, scene.proposal, scene.rules, told)

    def _opener(self, stage: NextStage):
        known = foo.operator_exists(f"{PLUGIN}/{stage.operator}")
        return self.on_next_stage if known else None

    def _draw(self, ctx: foo.ExecutionContext) -> None:
        scene, state = Scene(ctx), ctx.panel.state
        state.set({**as_state(scene.chosen), "selected": selection.digest(sorted(ctx.selected))})
        state.set("drawn", _settings(ctx))
        _DRAWN[ctx.panel_id] = (dataset_name(ctx), *deepcopy((_settings(ctx), _viewed(ctx))))
        while len(_DRAWN) > _MOST_PANELS:
            del _DRAWN[next(iter(_DRAWN))]
        lacking = stage_for(scene.chosen.view, scene.found)
        if scene.chosen.view == TABLE or lacking is not None:
            state.set("sent", None)
            return
        sent = scene.points_key
        if sent == state.get("sent"):
            return  # only the lines and the counts have moved
        # With each change of an input the App copies the panel's data into its state, and
        # later lays new points over that copy, so that old ones would stay on the map.
        state.set({"map": None, "sent": sent})
        ctx.panel.set_data("map", scene.picture.traces)

    def _show(self, ctx: foo.ExecutionContext, marks: list[str]) -> None:
        scene = Scene(ctx)
        rows = scene.find(marks)
        if rows is None:
            ctx.ops.notify("The map was drawn anew meanwhile. Click again.", variant="info")
            return
        selection.show(ctx, scene.table, rows)
        self._draw(ctx)


def _settings(ctx: foo.ExecutionContext) -> dict:
    return {name: ctx.panel.state.get(name) for name in ("pick", "by", "limits")}


def _viewed(ctx: foo.ExecutionContext) -> dict:
    return {name: ctx.panel.state.get(name) for name in selection.REMEMBERED}


def _as_setting(found: Found, aspect: str) -> object:
    # As the stage's setting names it: the preset that holds the aspect, or the aspect itself
    known = found.aspects[aspect]
    for name, preset in PRESETS.items():
        if known in preset:
            return name
    return [{"name": aspect, "annotation": known.annotation, "opinions": known.opinions}]
