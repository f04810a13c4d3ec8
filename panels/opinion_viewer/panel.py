"""Opinion viewer: what the annotation says of a sample, and what every witness says."""

from __future__ import annotations

import fiftyone.operators as foo
from fiftyone.operators.categories import Categories

from ..confidence_map.empty import next_stage
from . import page
from .sample import find_aspects, read_sample

PLUGIN = "@second-opinion/audit"

_HELP = """\
Each card is one aspect: the annotation beside every witness's opinion. Words that nobody else says
are tinted, words that some say and some do not are dotted underneath; the words are compared by
their stems, without a model. Scores go from 0 to 1. **words**: the same letters. **meaning**: the
same sense. **support**: how much of what the annotation says the witness says too. **match**: how
likely both speak of the same clip.
"""


class OpinionViewer(foo.Panel):
    """Shows one sample's texts side by side, their differences and the reason of the verdict.

    The panel's state holds only which texts a person unfolded. Texts are read at each
    rendering, so that what is shown is what is stored.
    """

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name="opinion_viewer",
            label="Opinions",
            icon="forum",
            category=Categories.ANALYZE,
            help_markdown=_HELP,
            surfaces="grid modal",
        )

    # ---- what may happen ----

    def on_load(self, ctx: foo.ExecutionContext) -> None:
        """Folds every text again."""
        ctx.panel.state.set("unfolded", {})

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        """Shows a sample of another dataset."""
        self.on_load(ctx)

    def on_change_view(self, ctx: foo.ExecutionContext) -> None:
        """Shows the first sample of another view."""
        self.on_load(ctx)

    def on_change_selected(self, ctx: foo.ExecutionContext) -> None:
        """Shows the sample that was selected."""
        self.on_load(ctx)

    def on_change_current_sample(self, ctx: foo.ExecutionContext) -> None:
        """Shows the sample that was opened."""
        self.on_load(ctx)

    def on_change_group_slice(self, ctx: foo.ExecutionContext) -> None:
        """Shows a sample of another slice."""
        self.on_load(ctx)

    def on_unfold(self, ctx: foo.ExecutionContext) -> None:
        """Shows more or less of a text."""
        unfolded = dict(ctx.panel.state.get("unfolded") or {})
        unfolded[ctx.params["key"]] = ctx.params["length"]
        ctx.panel.state.set("unfolded", unfolded)

    def on_open(self, ctx: foo.ExecutionContext) -> None:
        """Opens the sample that is shown."""
        ctx.ops.open_sample(id=ctx.params["id"])

    def on_jump(self, ctx: foo.ExecutionContext) -> None:
        """Moves the open video to a frame."""
        ctx.trigger("set_frame_number", {"frame_number": ctx.params["frame"]})

    def on_next_stage(self, ctx: foo.ExecutionContext) -> None:
        """Opens the form of the stage that the viewer waits for."""
        ctx.prompt(f"{PLUGIN}/{ctx.params['stage']}", on_success=self.on_load)

    # ---- what is shown ----

    def render(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The page of the sample that is opened, selected or first."""
        if ctx.dataset is None:
            return page.say("Open a dataset to see what is said of its samples.")
        aspects = find_aspects(ctx.dataset)
        if not aspects:
            stage = next_stage(ctx.dataset)
            known = foo.operator_exists(f"{PLUGIN}/{stage.operator}")
            on_click = self.on_next_stage if known else None
            return page.wait_for(stage.reason, stage.label, stage.operator, on_click)
        sample_id, why_this = _choose(ctx)
        if sample_id is None:
            return page.say("This view is empty. Clear a filter to see samples again.")
        sample = read_sample(ctx.dataset, sample_id, aspects)
        if sample is None:
            return page.say("This sample is no longer in the dataset.")
        unfolded = ctx.panel.state.get("unfolded") or {}
        return page.build(self, sample, aspects, why_this, unfolded, bool(ctx.current_sample))


def _choose(ctx: foo.ExecutionContext) -> tuple[str | None, str]:
    """Which sample to show and why: the open one, the one selected, or the view's first."""
    if ctx.current_sample:
        return _sample_of(ctx, ctx.current_sample), ""
    if len(ctx.selected) == 1:
        return _sample_of(ctx, ctx.selected[0]), "The sample that is selected."
    first = ctx.view.limit(1).values("id")
    if not first:
        return None, ""
    many = f"{len(ctx.selected):,} samples are selected" if ctx.selected else "None is selected"
    why = f"{many}, so this is the first of the view. Select one, or open one, to see it instead."
    return _sample_of(ctx, first[0]), why


def _sample_of(ctx: foo.ExecutionContext, shown_id: str) -> str:
    # In a view of clips, frames or patches each has an id of its own, and a sample's beside it.
    if ctx.view.has_sample_field("sample_id"):
        samples = ctx.view.select(shown_id).values("sample_id")
        return samples[0] if samples else shown_id
    return shown_id
