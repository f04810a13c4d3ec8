"""Review: people judge samples one by one, and the share of wrong annotations becomes known."""

from __future__ import annotations

import getpass
import time
from uuid import uuid4

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.categories import Categories

from ...agreement.aspects import PRESETS, Aspect
from ...engine import review_queue, reviews
from ..aspects import FIRST_ASPECT
from ..base import PLUGIN, AuditPanel, dataset_name, keep_newest
from ..opinion_viewer.sample import find_aspects
from . import page, queue

_HELP = """\
Say of each sample whether its annotation is right. Every decision is saved at once with your name
and the time; **Undo** takes your last one back. The order is random within parts of like
confidence, so that a few reviews tell which share of all annotations is wrong, and how sure that
is. Several people can review at once, each with an App of their own on one database: nobody is
shown what another has open. (Browsers on one App show one and the same page.)
"""


_CLICKS = ("on_begin", "on_decide", "on_save_fix", "on_undo")
#: ``{panel's id: when it was clicked}``, where the page that followed was sent once.
_CLICKED: dict[str | None, float] = {}
#: Seconds in which a page may still be on its way.
_UNDER_WAY = 3.0


class Review(AuditPanel):
    """A queue of samples to judge, and the error rate that follows.

    Decisions are in the database before the next sample is shown; the panel's state holds only
    who reviews what, and which sample is open.
    """

    name = "review"
    label = "Review"
    icon = "rate_review"
    help = _HELP
    category = Categories.CURATE

    def is_news(self, ctx: foo.ExecutionContext) -> bool:
        """Whether an event tells something new.

        On a busy machine the App (1.22) drops a page now and then, and a click seems lost. So
        the page that followed a click is sent once more with the next look at the clock.
        """
        method, now = ctx.params.get("__method__"), time.monotonic()
        if method == "on_interval":
            due = now - _CLICKED.get(ctx.panel_id, now) > _UNDER_WAY
            if due:
                del _CLICKED[ctx.panel_id]
            return due
        if method in _CLICKS:
            keep_newest(_CLICKED, ctx.panel_id, now)
        else:
            _CLICKED.pop(ctx.panel_id, None)  # somebody writes, or picks something
        return super().is_news(ctx)

    # ---- what may happen ----

    def on_load(self, ctx: foo.ExecutionContext) -> None:
        """Chooses what to review first, or what was reviewed before."""
        state, names = ctx.panel.state, self._aspects(ctx)
        picked = dict(state.get("pick") or {})
        if picked.get("aspect") not in names:
            picked["aspect"] = next(iter(names), None)
        picked.setdefault("width", "±2%")
        picked["reviewer"] = picked.get("reviewer") or _name(ctx)
        state.set("pick", picked)
        session = state.get("session") or uuid4().hex
        state.set({"session": session, "dataset": dataset_name(ctx)})

    def on_unload(self, ctx: foo.ExecutionContext) -> None:
        """Lets go of the open sample."""
        self._leave(ctx)

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        """Starts anew on another dataset."""
        ctx.panel.state.set({"pick": {}, "fixing": None})
        self.on_load(ctx)

    def on_pick(self, ctx: foo.ExecutionContext) -> None:
        """Another aspect, width or name was chosen; the page is drawn anew."""

    def on_begin(self, ctx: foo.ExecutionContext) -> None:
        """Draws the plan if there is none, and opens the first sample."""
        if not _reviewer(ctx):
            ctx.ops.notify("Write your name first; decisions are kept with it.", variant="error")
            return
        if self._plan(ctx) is None:
            score = ctx.panel.state.get("score")
            aspect = next(a for a in _reviewable(ctx) if a.name == self._aspect(ctx))
            preset = any(aspect.name == known.name for p in PRESETS.values() for known in p)
            given = {"name": aspect.name, "annotation": aspect.annotation}
            try:
                foo.get_operator(f"{PLUGIN}/plan_review")(
                    ctx.dataset,
                    aspect=aspect.name,
                    aspects="action100m" if preset else [{**given, "opinions": aspect.opinions}],
                    score=None if score in (None, page.BEST_SCORE) else score,
                )
            except ValueError as error:
                ctx.ops.notify(str(error), variant="error")
                return
        self._advance(ctx)

    def on_decide(self, ctx: foo.ExecutionContext) -> None:
        """Keeps the decision and opens the next sample."""
        self._decide(ctx, ctx.params["decision"])

    def on_fix(self, ctx: foo.ExecutionContext) -> None:
        """Offers to write the right text."""
        ctx.panel.state.set("fixing", ctx.params["sample"])

    def on_leave_fix(self, ctx: foo.ExecutionContext) -> None:
        """Goes back to the buttons."""
        ctx.panel.state.set("fixing", None)

    def on_save_fix(self, ctx: foo.ExecutionContext) -> None:
        """Keeps the right text, with the decision that the annotation is wrong."""
        text = ctx.panel.state.get(f"fix_{ctx.params['sample']}")
        if text is None or not text.strip():
            ctx.ops.notify("Write the right text first.", variant="error")
            return
        self._decide(ctx, reviews.WRONG, text)

    def on_undo(self, ctx: foo.ExecutionContext) -> None:
        """Takes the reviewer's last decision back and opens that sample again."""
        taken = reviews.undo(ctx.dataset, self._aspect(ctx), _reviewer(ctx))
        if taken is None:
            ctx.ops.notify("None of your decisions is left to take back.", variant="info")
            return
        self._leave(ctx)
        if review_queue.claim(ctx.dataset, self._aspect(ctx), taken.sample_id, _session(ctx)):
            self._open(ctx, taken.sample_id)
        else:
            self._advance(ctx)
        ctx.ops.notify(f"Taken back: {taken.decision}.", variant="success")

    def on_use(self, ctx: foo.ExecutionContext) -> None:
        """Corrects the confidences of all samples by what was decided, and tags again."""
        try:
            stage = foo.get_operator(f"{PLUGIN}/recalibrate")
            report = stage(ctx.dataset, aspect=self._aspect(ctx))
        except ValueError as error:
            ctx.ops.notify(str(error), variant="error")
            return
        ctx.ops.notify(" ".join(report["summary"]), variant="success")
        if report["changed"]:
            ctx.ops.reload_dataset()

    def on_unfold(self, ctx: foo.ExecutionContext) -> None:
        """Shows more or less of a text."""
        unfolded = dict(ctx.panel.state.get("unfolded") or {})
        unfolded[ctx.params["key"]] = ctx.params["length"]
        ctx.panel.state.set("unfolded", unfolded)

    def on_open(self, ctx: foo.ExecutionContext) -> None:
        """Opens the sample in the App."""
        ctx.ops.open_sample(id=ctx.params["sample"])

    # ---- what is shown ----

    def show(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The panel's page: the beginning, or the sample under review."""
        if ctx.dataset is None:
            return page.say("Open a dataset to review its annotations.")
        names, state = self._aspects(ctx), ctx.panel.state
        if not names:
            return page.wait_for(self, ctx.dataset)
        stored = self._plan(ctx)
        if stored is not None and ctx.dataset.get_field(stored["annotation"]) is None:
            return page.lose(self, state, names, stored["annotation"])
        opened = review_queue.get_open(ctx.dataset, _session(ctx))
        if stored is None or opened is None or opened["aspect"] != stored["aspect"]:
            floats = ctx.dataset.get_field_schema(ftype=fo.FloatField)
            begun = stored is not None and bool(
                reviews.standing(reviews.read(ctx.dataset, stored["aspect"]))
            )
            return page.begin(self, state, names, list(floats), stored is not None, begun)
        width = page.WIDTHS.get((state.get("pick") or {}).get("width"), 0.02)
        standing = queue.stand(ctx.dataset, stored, _reviewer(ctx), width)
        item = None
        if opened["sample"]:
            item = queue.read_item(ctx.dataset, stored, opened["sample"])
        return page.review(self, state, names, item, standing)

    def _decide(self, ctx: foo.ExecutionContext, decision: str, fix: str | None = None) -> None:
        # The decision is on what the person saw, whatever was opened or picked meanwhile.
        aspect = ctx.params.get("aspect") or self._aspect(ctx)
        stored, reviewer = review_queue.load_plan(ctx.dataset, aspect), _reviewer(ctx)
        item = queue.read_item(ctx.dataset, stored, ctx.params["sample"])
        try:
            if not reviewer:
                raise ValueError("Write your name first; decisions are kept with it.")
            if item is not None:
                queue.decide(ctx.dataset, stored, item, decision, reviewer, _session(ctx), fix)
        except ValueError as error:
            ctx.ops.notify(str(error), variant="error")
            return
        self._advance(ctx)

    def _advance(self, ctx: foo.ExecutionContext) -> None:
        self._leave(ctx)
        stored, reviewer = self._plan(ctx), _reviewer(ctx)
        if stored is None:  # another aspect was picked meanwhile, which nobody has begun
            return
        self._open(ctx, queue.next_sample(ctx.dataset, stored, reviewer, _session(ctx)))

    def _open(self, ctx: foo.ExecutionContext, sample_id: str | None) -> None:
        # Kept beside the dataset and not in the panel's state: of two events that cross,
        # neither may draw the page from what the other has overtaken.
        review_queue.set_open(ctx.dataset, self._aspect(ctx), _session(ctx), sample_id)
        ctx.panel.state.set({"fixing": None, "unfolded": {}})

    def _leave(self, ctx: foo.ExecutionContext) -> None:
        if ctx.dataset is not None:
            review_queue.leave(ctx.dataset, _session(ctx))

    def _plan(self, ctx: foo.ExecutionContext) -> dict | None:
        aspect = self._aspect(ctx)
        return review_queue.load_plan(ctx.dataset, aspect) if aspect else None

    def _aspect(self, ctx: foo.ExecutionContext) -> str | None:
        return (ctx.panel.state.get("pick") or {}).get("aspect")

    def _aspects(self, ctx: foo.ExecutionContext) -> list[str]:
        # Those whose reviews have begun come first, which may be of a person's own fields; then the
        # one that the map shows first.
        if ctx.dataset is None:
            return []
        names = sorted((a.name for a in _reviewable(ctx)), key=lambda name: name != FIRST_ASPECT)
        return list(dict.fromkeys([*review_queue.planned_aspects(ctx.dataset), *names]))


def _reviewable(ctx: foo.ExecutionContext) -> list[Aspect]:
    # To judge an annotation takes nobody's opinion
    return find_aspects(ctx.dataset, alone=True)


def _name(ctx: foo.ExecutionContext) -> str:
    # Signed-in people have a name; on one's own machine it is the account's.
    user = getattr(ctx, "user", None)
    if user is not None and getattr(user, "name", None):
        return user.name
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return ""


def _reviewer(ctx: foo.ExecutionContext) -> str:
    return ((ctx.panel.state.get("pick") or {}).get("reviewer") or "").strip()


def _session(ctx: foo.ExecutionContext) -> str:
    # Two browsers on one App share the panel's state, but perhaps not the name in it.
    return f"{ctx.panel.state.get('session')} {_reviewer(ctx)}"
