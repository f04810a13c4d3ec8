"""Confidence map: where annotations and witnesses agree, and what tags that would give."""

from __future__ import annotations

import fiftyone.operators as foo

from ...agreement.aspects import PRESETS
from ...agreement.workshop_rules import THRESHOLDS
from ..base import PLUGIN, AuditPanel, dataset_name
from . import drawn, page, selection
from .choices import AGREEMENT, TABLE, WITNESSES, as_picked, as_state
from .empty import stage_for
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

_AFRESH = ("on_load", "on_change_dataset")  # these events begin afresh


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
    numbers_pages = True  # drawn.py remembers

    # ---- what may happen ----

    def catch_up(self, ctx: foo.ExecutionContext) -> None:
        """Takes what was picked from the last event that was drawn, and from this one its own."""
        if ctx.params.get("__method__") not in _AFRESH:
            drawn.catch_up(ctx)

    def is_news(self, ctx: foo.ExecutionContext) -> bool:
        """Whether an event tells something new.

        When the panel opens, the App reports the dataset, the view, the selection and every
        slider as changed; it tells of a picker that was moved twice; and a second, empty event
        follows each lasso, and comes with each click where a lasso can begin.
        """
        method = ctx.params.get("__method__")
        if method == "on_setting":
            return drawn.is_choice(ctx)
        if method == "on_lasso":
            return bool(_marks(ctx))
        if method == "on_change_view":
            return not selection.is_known(ctx)
        if method == "on_change_selected":
            before = drawn.last(ctx)
            return drawn.short(ctx.selected) != (before.selected if before else drawn.short([]))
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
        ctx.panel.state.set({"pick": {}, "by": {}, **selection.NOTHING})
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
        by = {**(ctx.panel.state.get("by") or {}), "fdr": FDR, **THRESHOLDS}
        ctx.panel.state.set("by", by)
        self._draw(ctx)

    def on_lasso(self, ctx: foo.ExecutionContext) -> None:
        """Shows the samples inside the lasso."""
        self._show(ctx, _marks(ctx))

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

    # ---- what is shown ----

    def show(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The panel's page; the points themselves were sent as panel data."""
        if ctx.dataset is None:
            return page.say("Open a dataset to see where its annotations are agreed with.")
        scene = Scene(ctx)
        found, chosen = scene.found, scene.chosen
        if not (found.edges or found.confidences or found.lenses):
            return page.wait_for(self, ctx.dataset)
        root = page.begin(self, chosen, found, ctx.dataset)
        lacking = stage_for(chosen.view, found)
        if lacking is not None:
            return page.lack(root, self, lacking, found, ctx.dataset)
        if chosen.view == TABLE:
            cells = count_cells(scene.table, found, chosen.score, scene.proposal.rows)
            add_cells(root, cells, found.edges, chosen.score, self.on_cell)
            return page.close(root)
        told = selection.tell(ctx, scene.table, scene.bright, scene.proposal.rows)
        return page.draw(root, self, scene.picture, chosen, scene.proposal, scene.rules, told)

    def draw_again(self, ctx: foo.ExecutionContext) -> None:
        """Sends the points, too, to a browser that is left with an older page."""
        if ctx.dataset is not None:
            ctx.panel.state.set("sent", None)
            self._draw(ctx)

    def _draw(self, ctx: foo.ExecutionContext) -> None:
        scene, state, before = Scene(ctx), ctx.panel.state, drawn.last(ctx)
        state.set(as_state(scene.chosen))
        lacking = stage_for(scene.chosen.view, scene.found)
        sent = None if scene.chosen.view == TABLE or lacking is not None else scene.points_key
        if sent is None:
            state.set("sent", None)
        # The state of an event may be older than what the browser was sent meanwhile.
        elif before is None or not sent == before.sent == state.get("sent"):
            # With each change of an input the App copies the panel's data into its state, and
            # later lays new points over that copy, so that old ones would stay on the map.
            state.set({"map": None, "sent": sent})
            ctx.panel.set_data("map", scene.picture.traces)
        drawn.keep(ctx, sent)

    def _show(self, ctx: foo.ExecutionContext, marks: list[str]) -> None:
        scene = Scene(ctx)
        rows = scene.find(marks)
        if rows is None:
            ctx.ops.notify("The map was drawn anew meanwhile. Click again.", variant="info")
            return
        selection.show(ctx, scene.table, rows)
        self._draw(ctx)


def _marks(ctx: foo.ExecutionContext) -> list[str]:
    return [point["id"] for point in ctx.params.get("data") or [] if point.get("id")]


def _as_setting(found: Found, aspect: str) -> object:
    # As the stage's setting names it: the preset that holds the aspect, or the aspect itself
    known = found.aspects[aspect]
    for name, preset in PRESETS.items():
        if known in preset:
            return name
    return [{"name": aspect, "annotation": known.annotation, "opinions": known.opinions}]
