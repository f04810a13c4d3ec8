"""Opinion viewer: what the annotation says of a sample, and what every witness says."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.operators as foo

from ...engine.table import audited_fields
from ..base import AuditPanel, dataset_name
from ..next_stage import stage_after_texts
from . import page
from .sample import find_aspects, find_segments, read_sample

_HELP = """\
Each card is one aspect: the annotation beside every witness's opinion. Words that nobody else says
are tinted, words that some say and some do not are dotted underneath; the words are compared by
their stems, without a model. Scores go from 0 to 1. **words**: the same letters. **meaning**: the
same sense. **support**: how much of what the annotation says the witness says too. **match**: how
likely both speak of the same clip.
"""


class OpinionViewer(AuditPanel):
    """Shows one sample's texts side by side, their differences and the reason of the verdict.

    The panel's state holds only which texts a person unfolded. Texts are read at each
    rendering, so that what is shown is what is stored.
    """

    name = "opinion_viewer"
    label = "Opinions"
    icon = "forum"
    help = _HELP
    surfaces = "grid modal"

    # ---- what may happen ----

    def on_load(self, ctx: foo.ExecutionContext) -> None:
        """Shows the sample anew, as after every event."""
        ctx.panel.state.set("dataset", dataset_name(ctx))

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        """Shows a sample of another dataset."""
        fresh = {"opening": None, "before": None, "dataset": dataset_name(ctx)}
        ctx.panel.state.set(fresh)

    def on_change_view(self, ctx: foo.ExecutionContext) -> None:
        """Shows the first sample of another view, or opens the clip that it was made for."""
        clip_id = ctx.panel.state.get("opening")
        if clip_id:
            ctx.panel.state.set("opening", None)
            ctx.ops.open_sample(id=clip_id)

    def on_change_selected(self, ctx: foo.ExecutionContext) -> None:
        """Shows the sample that was selected."""

    def on_change_current_sample(self, ctx: foo.ExecutionContext) -> None:
        """Shows the sample that was opened."""

    def on_change_group_slice(self, ctx: foo.ExecutionContext) -> None:
        """Shows a sample of another slice."""

    def on_unfold(self, ctx: foo.ExecutionContext) -> None:
        """Shows more or less of a text."""
        shown_id, _ = _choose(ctx)
        lengths = {**_unfolded(ctx, shown_id), ctx.params["key"]: ctx.params["length"]}
        ctx.panel.state.set("unfolded", [shown_id, lengths])

    def on_open(self, ctx: foo.ExecutionContext) -> None:
        """Opens the sample that is shown."""
        ctx.ops.open_sample(id=ctx.params["id"])

    def on_jump(self, ctx: foo.ExecutionContext) -> None:
        """Shows a segment as a clip, and opens it as soon as the grid holds it.

        No operator of the App moves an open video to a frame (``set_frame_number`` reaches
        sequences of images only), but a clip plays its own frames.
        """
        clip_id = ctx.params["clip"]
        before = ctx.panel.state.get("before") or ctx.view._serialize()
        sample = ctx.dataset.select(ctx.params["sample"])
        if ctx.current_sample:
            ctx.ops.close_sample()
        ctx.panel.state.set({"opening": clip_id, "before": before})
        ctx.ops.set_view(sample.to_clips(ctx.params["field"]).select(clip_id))

    def on_leave_clip(self, ctx: foo.ExecutionContext) -> None:
        """Shows the view that was there before a segment was opened, or else everything."""
        before = ctx.panel.state.get("before")
        ctx.panel.state.set("before", None)
        if ctx.current_sample:
            ctx.ops.close_sample()
        if before:
            ctx.ops.set_view(fo.DatasetView._build(ctx.dataset, before))
        else:
            ctx.ops.clear_view()

    def on_show_all(self, ctx: foo.ExecutionContext) -> None:
        """Clears the view and the filters, which leave no sample."""
        ctx.ops.clear_sidebar_filters()
        ctx.ops.clear_view()

    # ---- what is shown ----

    def show(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The page of the sample that is opened, selected or first."""
        if ctx.dataset is None:
            return page.say("Open a dataset to see what is said of its samples.")
        aspects = find_aspects(ctx.dataset)
        segments = None if aspects else next(iter(find_segments(ctx.dataset)), None)
        if not aspects and segments is None:
            return page.wait_for(self, ctx.dataset)
        shown_id, why_this = _choose(ctx)
        if shown_id is None:
            return page.find_nothing(self)
        sample_id = _sample_of(ctx, shown_id)
        sample = read_sample(ctx.dataset, sample_id, aspects)
        if sample is None:
            return page.say("This sample is no longer in the dataset.")
        unfolded = _unfolded(ctx, shown_id)
        clip_id = shown_id if shown_id != sample_id else None
        scored = bool(sample.scores) or segments in audited_fields(ctx.dataset)
        lacking = stage_after_texts(ctx.dataset, scored, segments)
        given = (sample, aspects, why_this, unfolded, clip_id, lacking, _part(ctx))
        return page.build(self, *given)


def _unfolded(ctx: foo.ExecutionContext, shown_id: str) -> dict[str, int]:
    # Remembered with its sample, so that no event has to fold what belongs to another: the
    # App repeats events of which nothing changed.
    of, lengths = ctx.panel.state.get("unfolded") or (None, {})
    return lengths if of == shown_id else {}


def _choose(ctx: foo.ExecutionContext) -> tuple[str | None, str]:
    """Which sample to show and why: the open one, the one selected, or the view's first."""
    if ctx.current_sample:
        return ctx.current_sample, ""
    if len(ctx.selected) == 1:
        return ctx.selected[0], "The sample that is selected."
    first = ctx.view.limit(1).values("id")
    if not first:
        return None, ""
    many = f"{len(ctx.selected):,} samples are selected" if ctx.selected else "None is selected"
    why = f"{many}, so this is the first of the view. Select one, or open one, to see it instead."
    return first[0], why


def _part(ctx: foo.ExecutionContext) -> str:
    if ctx.view._is_frames:
        return "frame"
    return "region" if ctx.view._is_patches else "segment"


def _sample_of(ctx: foo.ExecutionContext, shown_id: str) -> str:
    # In a view of clips, frames or patches each has an id of its own, and a sample's beside it.
    if ctx.view.has_sample_field("sample_id") and not ctx.dataset.has_sample_field("sample_id"):
        samples = ctx.view.select(shown_id).values("sample_id")
        return samples[0] if samples else shown_id
    return shown_id
