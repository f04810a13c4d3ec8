"""Confidence map: where annotations and witnesses agree, and what tags that would give."""

from __future__ import annotations

import hashlib
import json

import fiftyone.operators as foo
import numpy as np

from ...agreement.aspects import PRESETS, score_field
from ...agreement.workshop_rules import THRESHOLDS
from ..base import PLUGIN, AuditPanel, dataset_name
from . import choices, page, picture, selection
from .choices import Choice, as_picked, choose
from .empty import next_stage, stage_for
from .found import Found, find
from .heat import add_cells, count_cells
from .proposal import (
    CALIBRATED,
    COVERAGE,
    FDR,
    OURS,
    Proposal,
    possible_rules,
    propose,
    rule_fields,
)
from .table import Table, read_table

_HELP = """\
Each point is a sample. Draw a lasso, or click a point, a bar or a tag, to see those samples in the
grid; select samples in the grid to see where they lie. **View** shows two scores against each
other, how confidences are spread beside wrongly paired texts, one witness against another, a
lens's projection, or a table of all aspects whose cells open on the map. Moving a slider only
shows what would change; **Apply** writes the tags.
"""


class ConfidenceMap(AuditPanel):
    """Shows how far annotations can be trusted, and lets a person move the limits.

    The panel's state holds a few scalars: what was picked, the limits, and the view that the map
    is drawn of. The points go to the browser as panel data; the dataset's columns stay in the
    server's memory until a sample is written.
    """

    name = "confidence_map"
    label = "Confidence map"
    help = _HELP

    # ---- what may happen ----

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
            return selection.fingerprint(ctx.view) not in (state.get("seen"), state.get("shown"))
        if method == "on_change_selected":
            return (state.get("selected") or _digest([])) != _digest(sorted(ctx.selected))
        return super().is_news(ctx)

    def on_load(self, ctx: foo.ExecutionContext) -> None:
        """Chooses what to show first, or what was shown before."""
        ctx.panel.state.set({"dataset": dataset_name(ctx), "sent": None})
        if ctx.dataset is not None:
            ctx.panel.state.set("seen", selection.fingerprint(ctx.view))
            self._draw(ctx)

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        """Starts anew on another dataset."""
        fresh = {"pick": {}, "limits": {}, "fdr": None, "shown": None, "base": None}
        ctx.panel.state.set(fresh)
        self.on_load(ctx)

    def on_change_view(self, ctx: foo.ExecutionContext) -> None:
        """Draws another view than the one drawn, or that a lasso or a button asked for."""
        ctx.panel.state.set({"shown": None, "base": None})
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
        table, found, chosen = self._look_up(ctx)
        aspect, edge = ctx.params["aspect"], ctx.params["edge"]
        placed = edge in found.comparable().get(aspect, ())
        view = choices.AGREEMENT if placed else choices.WITNESSES
        picked = {**as_picked(chosen), "view": view, "aspect": aspect, "edge": edge}
        ctx.panel.state.set("pick", picked)
        self._draw(ctx)

    def on_reset(self, ctx: foo.ExecutionContext) -> None:
        """Puts the limits back to where they began."""
        ctx.panel.state.set({"limits": dict(THRESHOLDS), "fdr": FDR})
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
        table, _, _, proposal = self._propose(ctx)
        tag = ctx.params["tag"]
        mask = proposal.mask(proposal.then, tag)
        if not mask.any():  # a tag that these limits would take away
            mask = proposal.mask(proposal.now, tag)
        selection.show(ctx, table, proposal.rows[mask])
        self._draw(ctx)

    def on_show_all(self, ctx: foo.ExecutionContext) -> None:
        """Shows every sample of the map again."""
        selection.show_all(ctx)
        self._draw(ctx)

    def on_apply(self, ctx: foo.ExecutionContext) -> None:
        """Writes the tags that the limits give."""
        _, found, chosen = self._look_up(ctx)
        given = {"aspect": chosen.aspect, "rules": chosen.rules}
        if chosen.rules == CALIBRATED:
            given |= {"fdr": chosen.fdr, "aspects": _as_setting(found, chosen.aspect)}
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

    def render(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The panel's page; the points themselves were sent as panel data."""
        if ctx.dataset is None:
            return page.say("Open a dataset to see where its annotations are agreed with.")
        table, found, chosen, proposal = self._propose(ctx)
        if not (found.edges or found.confidences or found.lenses):
            stage = next_stage(ctx.dataset)
            return page.wait_for(stage, self._opener(stage))
        root = page.begin(self, chosen, found, ctx.dataset)
        lacking = stage_for(chosen.view, found)
        if lacking is not None:
            return page.lack(root, lacking, self._opener(lacking))
        if chosen.view == choices.TABLE:
            cells = count_cells(table, found, chosen.score, proposal.rows)
            add_cells(root, cells, found.edges, chosen.score, self.on_cell)
            return page.close(root)
        drawn, mask = self._picture(ctx)
        rules = possible_rules(table, found, chosen.aspect) if chosen.aspect else []
        told = selection.tell(ctx, mask, proposal.rows)
        return page.draw(root, self, drawn, chosen, proposal, rules, told)

    def _opener(self, stage: object):
        known = foo.operator_exists(f"{PLUGIN}/{stage.operator}")
        return self.on_next_stage if known else None

    def _look_up(self, ctx: foo.ExecutionContext) -> tuple[Table, Found, Choice]:
        dataset, state = ctx.dataset, ctx.panel.state
        table = read_table(dataset)
        runs = (dataset.list_runs(), dataset.list_brain_runs(), list(dataset.get_field_schema()))
        found = table.remember(("found", _digest(runs)), lambda: find(dataset))
        given = (state.get("pick") or {}, state.get("limits") or {}, state.get("fdr"))
        return table, found, choose(*given, table, found, dataset)

    def _propose(self, ctx: foo.ExecutionContext) -> tuple[Table, Found, Choice, Proposal]:
        table, found, chosen = self._look_up(ctx)
        base = selection.base_view(ctx)
        mark = selection.fingerprint(base)
        rows = table.remember(("rows", mark), lambda: table.rows_of(base))
        key = ("proposal", mark, chosen.aspect, chosen.rules, _digest(chosen.limits), chosen.fdr)

        def make() -> Proposal:
            table.load(_fields(chosen, found))  # in one go: each reading passes over all samples
            given = (chosen.aspect, rows, chosen.rules, chosen.limits, chosen.fdr)
            return propose(table, found, *given)

        return table, found, chosen, _last(table, "proposal", key, make)

    def _picture(self, ctx: foo.ExecutionContext) -> tuple[picture.Picture, np.ndarray | None]:
        table, found, chosen, proposal = self._propose(ctx)
        mask = selection.bright(ctx, table, proposal.rows)
        colour = None if chosen.colour == choices.BY_TAG else chosen.colour
        look = picture.Look(table, found, proposal.rows, mask, proposal, colour)
        stood_out = None if mask is None else hash(mask.tobytes())
        key = (_points_key(chosen, proposal), _digest(chosen.limits), stood_out)

        def make() -> picture.Picture:
            if chosen.view == choices.AGREEMENT:
                drawn = picture.draw_agreement(look, chosen.aspect, chosen.edge, chosen.limits)
            elif chosen.view == choices.CONFIDENCES:
                drawn = picture.draw_confidence(look, ctx.dataset, chosen.aspect)
            elif chosen.view == choices.WITNESSES:
                edges = (chosen.edge, chosen.other)
                drawn = picture.draw_witnesses(look, chosen.aspect, edges, chosen.score)
            else:
                drawn = picture.draw_lens(look, ctx.dataset, chosen.lens)
            drawn.layout["selectionrevision"] = str(stood_out)
            return drawn

        return _last(table, f"picture {ctx.panel_id}", key, make), mask

    def _draw(self, ctx: foo.ExecutionContext) -> None:
        _, found, chosen, proposal = self._propose(ctx)
        state = ctx.panel.state
        if as_picked(chosen) != state.get("pick"):
            state.set("pick", as_picked(chosen))
        limits = dict(chosen.limits)
        if limits != state.get("limits") or chosen.fdr != state.get("fdr"):
            state.set({"limits": limits, "fdr": chosen.fdr})
        state.set({"drawn": _settings(ctx), "selected": _digest(sorted(ctx.selected))})
        if chosen.view == choices.TABLE or stage_for(chosen.view, found) is not None:
            state.set("sent", None)
            return
        drawn, mask = self._picture(ctx)
        sent = _digest([_points_key(chosen, proposal), mask is not None and hash(mask.tobytes())])
        if sent == state.get("sent"):
            return  # only the lines and the counts have moved
        # With each change of an input the App copies the panel's data into its state, and
        # later lays new points over that copy, so that old ones would stay on the map.
        state.set({"map": None, "sent": sent})
        ctx.panel.set_data("map", drawn.traces)

    def _show(self, ctx: foo.ExecutionContext, marks: list[str]) -> None:
        drawn, _ = self._picture(ctx)
        selection.show(ctx, self._look_up(ctx)[0], drawn.find(marks))
        self._draw(ctx)


def _fields(chosen: Choice, found: Found) -> list[str]:
    """Everything that is read to show what was chosen."""
    names = ["tags", OURS, COVERAGE]
    if chosen.aspect:
        names += [*rule_fields(chosen.aspect), found.confidences.get(chosen.aspect, COVERAGE)]
        edges = [edge for edge in (chosen.edge, chosen.other) if edge]
        names += [score_field(s, edge, chosen.aspect) for edge in edges for s in ("lex", "sem")]
        if chosen.view == choices.WITNESSES:
            names += [score_field(chosen.score, edge, chosen.aspect) for edge in edges]
    if chosen.view != choices.TABLE and chosen.colour != choices.BY_TAG:
        names.append(chosen.colour)
    return names


def _points_key(chosen: Choice, proposal: Proposal) -> str:
    """What decides where points are and how they are coloured."""
    picked = {k: v for k, v in as_picked(chosen).items() if k != "rules"}
    if chosen.colour == choices.BY_TAG or chosen.view == choices.CONFIDENCES:
        tags = {tag: hash(mask.tobytes()) for tag, mask in proposal.then.items()}
        picked |= {"tags": tags, "worst": proposal.worst}
    return _digest([picked, hash(proposal.rows.tobytes())])


def _settings(ctx: foo.ExecutionContext) -> dict:
    return {name: ctx.panel.state.get(name) for name in ("pick", "limits", "fdr")}


def _as_setting(found: Found, aspect: str) -> object:
    # As the stage's setting names it: the preset that holds the aspect, or the aspect itself
    known = found.aspects[aspect]
    for name, preset in PRESETS.items():
        if known in preset:
            return name
    return [{"name": aspect, "annotation": known.annotation, "opinions": known.opinions}]


def _last(table: Table, name: str, key: object, make) -> object:
    """What was made last under this name, if it was made of the same."""
    held = table.memory.get(("last", name))
    if held is None or held[0] != key:
        held = table.memory["last", name] = (key, make())
    return held[1]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
