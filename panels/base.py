"""What every panel shares: how it is announced, and that its events are answered in turn."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from weakref import WeakValueDictionary

import fiftyone.operators as foo
from fiftyone.operators.categories import Categories

from ..engine.provenance import plugin_version
from .delegated import INTERVAL, look

PLUGIN = "@second-opinion/audit"

# An event waits so long for the one before it; then it goes on, lest one that hangs stop all.
_PATIENCE = 60.0


class _Turn:
    """Whose turn it is in one panel; forgotten when no event of the panel is under way."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


_TURNS: WeakValueDictionary[str, _Turn] = WeakValueDictionary()
_TAKING = threading.Lock()


class AuditPanel(foo.Panel):
    """A panel of ours.

    Subclasses set the class attributes, and write ``on_...`` as FiftyOne asks, and :meth:`show`.

    Attributes:
        name: the panel's name
        label: what its tab says
        icon: a Material icon's name, which follows the App's light and dark theme; of pictures of
            a plugin's own, the App (1.22) shows none in a panel's tab
        help: what the mark beside the tab explains, in markdown
        category: where the menu of panels lists it
        surfaces: ``grid``, or ``grid modal`` for the sample modal as well
    """

    name = ""
    label = ""
    icon = ""
    help = ""
    category = Categories.ANALYZE
    surfaces = "grid"

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name=self.name,
            label=self.label,
            icon=self.icon,
            category=self.category,
            help_markdown=f"{self.help}\nSecond Opinion {plugin_version()}",
            surfaces=self.surfaces,
        )

    def execute(self, ctx: foo.ExecutionContext) -> object:
        """Answers an event, once those before it are answered, and unless it tells nothing new.

        The App sends events without waiting for answers, and its server answers them side by
        side. An answer that began first and ends last would draw the page as it was before
        the other event: a click would seem lost.
        """
        with _in_turn(ctx.panel_id):
            if ctx.params.get("__method__") in ("on_interval", "on_load"):
                self._watch(ctx)
            if ctx.params.get("__method__") == "on_interval":
                return None  # the page stays as it is
            self.catch_up(ctx)
            return super().execute(ctx) if self.is_news(ctx) else None

    def catch_up(self, ctx: foo.ExecutionContext) -> None:
        """Puts right what the event's copy of the state does not know yet."""

    def show(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """What the panel shows."""
        raise NotImplementedError

    def render(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The page, and a timer that looks whether queued runs have ended."""
        page = self.show(ctx)
        timer = foo.types.TimerView(interval=INTERVAL, on_interval=self.on_interval)
        page.type.define_property("watch", foo.types.Object(), view=timer)
        return page

    def on_interval(self, ctx: foo.ExecutionContext) -> None:
        """Tells of queued runs that have ended."""

    def _watch(self, ctx: foo.ExecutionContext) -> None:
        ended, under_way = look(ctx, PLUGIN)
        for run in ended:
            ctx.ops.notify(run.tell(), variant="error" if run.failed else "success")
        if under_way != (ctx.panel.state.get("under_way") or []):
            ctx.panel.state.set("under_way", under_way)

    def is_news(self, ctx: foo.ExecutionContext) -> bool:
        """Whether an event tells something new.

        When a panel opens, the App reports the dataset as changed, perhaps after a person has
        begun: starting anew then would undo what they did.
        """
        if ctx.params.get("__method__") != "on_change_dataset":
            return True
        return ctx.panel.state.get("dataset") != dataset_name(ctx)


def dataset_name(ctx: foo.ExecutionContext) -> str | None:
    """The name of the dataset that is open, which a panel remembers in its state."""
    return None if ctx.dataset is None else ctx.dataset.name


@contextmanager
def _in_turn(panel_id: str | None):
    if panel_id is None:
        yield
        return
    with _TAKING:
        turn = _TURNS.setdefault(panel_id, _Turn())
    taken = turn.lock.acquire(timeout=_PATIENCE)
    try:
        yield
    finally:
        if taken:
            turn.lock.release()
