"""What every panel shares: how it is announced, and that its events are answered in turn."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, nullcontext
from typing import NamedTuple
from weakref import WeakValueDictionary

import fiftyone.operators as foo
from fiftyone import ViewField as F
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

# An event that comes so soon after an answer was most likely sent before the answer was there.
_UNDER_WAY = 2.0
_MOST_PANELS = 100


class _Page(NamedTuple):
    """The page that a panel was sent last.

    Attributes:
        number: how many pages this panel was sent, this one among them
        at: when, by the monotonic clock
    """

    number: int
    at: float


_PAGES: dict[str | None, _Page] = {}
#: ``{panel's id: the dataset that it was opened on}``
_OPENED: dict[str | None, str | None] = {}


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
        numbers_pages: whether an event from an older page is answered with the newest one, which
            takes a panel that remembers what it drew
    """

    name = ""
    label = ""
    icon = ""
    help = ""
    category = Categories.ANALYZE
    surfaces = "grid"
    numbers_pages = False

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
        the other event: a click would seem lost. Even so, answers may cross on their way, and
        the browser is then left with the older page. So where a panel :attr:`numbers_pages`,
        the browser keeps the number and sends it along, and an event that comes with an older
        one is answered with the newest page, even if it tells nothing.
        """
        arrived, method = time.monotonic(), ctx.params.get("__method__")
        with _in_turn(ctx.panel_id):
            if method in ("on_interval", "on_load"):
                self._watch(ctx)
            behind = self.numbers_pages and _is_behind(ctx, arrived)
            if behind or method != "on_interval":
                self.catch_up(ctx)
            if self.is_news(ctx):
                if method in ("on_load", "on_change_dataset"):
                    keep_newest(_OPENED, ctx.panel_id, dataset_name(ctx))
                with _numbered(ctx, new=True) if self.numbers_pages else nullcontext():
                    return super().execute(ctx)
            if behind:
                with _numbered(ctx, new=False):
                    self.draw_again(ctx)
                    ctx.ops.show_panel_output(self.render(ctx))
            return None

    def on_load(self, ctx: foo.ExecutionContext) -> None:
        """Shows the dataset that is open, as it is now."""

    def catch_up(self, ctx: foo.ExecutionContext) -> None:
        """Puts right what the event's copy of the state does not know yet."""

    def draw_again(self, ctx: foo.ExecutionContext) -> None:
        """Sends what belongs to the page and not in it, where the browser has an older one."""

    def show(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """What the panel shows."""
        raise NotImplementedError

    def render(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        """The page, and a timer that looks whether queued runs have ended."""
        page = self.show(ctx)
        timer = foo.types.TimerView(interval=INTERVAL, on_interval=self.on_interval)
        page.type.define_property("watch", foo.types.Object(), view=timer)
        return page

    @staticmethod
    def stage_uri(name: str) -> str:
        """The name by which FiftyOne knows a stage of ours."""
        return f"{PLUGIN}/{name}"

    def on_next_stage(self, ctx: foo.ExecutionContext) -> None:
        """Opens the form of a stage that the panel waits for."""
        uri, given = self.stage_uri(ctx.params["stage"]), ctx.params.get("settings") or None
        ctx.prompt(uri, params=given, on_success=self.on_load)

    def on_show_suspects(self, ctx: foo.ExecutionContext) -> None:
        """Shows those labels of a field that are suspect, and the samples that have any."""
        suspect = F("tags").contains("suspect")
        ctx.ops.set_view(ctx.dataset.filter_labels(ctx.params["field"], suspect))

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
        begun, and perhaps from before the panel's state was there: starting anew then would undo
        what they did.
        """
        method = ctx.params.get("__method__")
        if method != "on_change_dataset":
            return method != "on_interval"
        opened = _OPENED.get(ctx.panel_id) if ctx.panel_id else None
        return dataset_name(ctx) not in (ctx.panel.state.get("dataset"), opened)


def dataset_name(ctx: foo.ExecutionContext) -> str | None:
    """The name of the dataset that is open, which a panel remembers in its state."""
    return None if ctx.dataset is None else ctx.dataset.name


def keep_newest(kept: dict, panel_id: str | None, value: object) -> None:
    """Keeps something of a panel, and forgets the panels that were heard of least lately."""
    kept.pop(panel_id, None)
    kept[panel_id] = value
    while len(kept) > _MOST_PANELS:
        del kept[next(iter(kept))]


def _is_behind(ctx: foo.ExecutionContext, arrived: float) -> bool:
    # Whether the browser had an older page when it sent an event, though the newest was under
    # way long enough.
    page = _PAGES.get(ctx.panel_id)
    if page is None or arrived - page.at < _UNDER_WAY:
        return False
    return ctx.panel.state.get("page") != page.number


@contextmanager
def _numbered(ctx: foo.ExecutionContext, new: bool):
    # A page that is sent again keeps its number, lest two browsers of one panel go on for ever
    # taking each other's page for a newer one.
    if ctx.panel_id is None:
        yield
        return
    page, held = _PAGES.get(ctx.panel_id), ctx.panel.state.get("page") or 0
    number = (page.number if page else held) + new
    ctx.panel.state.set("page", number)  # is there before the page, whose pickers send it
    yield
    keep_newest(_PAGES, ctx.panel_id, _Page(number, time.monotonic()))


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
