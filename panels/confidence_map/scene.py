"""What one event sees: the dataset's columns, what was chosen, the tags and the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np

from ...agreement.aspects import score_field
from . import choices, picture, selection
from .choices import Choice, choose
from .found import Found, find
from .proposal import OURS, Proposal, possible_rules, propose, rule_fields
from .selection import digest
from .table import Table, read_table

VERDICT = "verdict"
# A click may fall on what was drawn before: so many pictures of a panel are remembered.
_PICTURES = 3


class Scene:
    """Everything that the page and the handlers of an event need, each made when asked for.

    What took time stays with the table, so that the next event finds it made.

    Attributes:
        table: the dataset's columns
        found: what the dataset holds
        chosen: what a person chose, completed
    """

    def __init__(self, ctx: foo.ExecutionContext) -> None:
        self._ctx, dataset, state = ctx, ctx.dataset, ctx.panel.state
        self.table: Table = read_table(dataset)
        runs = (dataset.list_runs(), dataset.list_brain_runs(), list(dataset.get_field_schema()))
        self.found: Found = self.table.remember(("found", digest(runs)), lambda: find(dataset))
        given = (state.get(name) or {} for name in ("pick", "by"))
        self.chosen: Choice = choose(*given, self.table, self.found, dataset)

    @property
    def dataset(self) -> fo.Dataset:
        """The dataset that is open."""
        return self._ctx.dataset

    @cached_property
    def rules(self) -> list[str]:
        """The rules that can tag by the aspect."""
        aspect = self.chosen.aspect
        return possible_rules(self.table, self.found, aspect) if aspect else []

    @cached_property
    def proposal(self) -> Proposal:
        """The tags, now and as they would be."""
        chosen, base = self.chosen, selection.base_view(self._ctx)
        mark = selection.fingerprint(base)
        self.table.load(self._fields())  # in one go: each reading passes over all samples
        rows = self.table.remember(("rows", mark), lambda: self.table.rows_of(base))
        key = (mark, chosen.aspect, chosen.rules, digest(chosen.limits), chosen.fdr)

        def make() -> Proposal:
            given = (chosen.aspect, rows, chosen.rules, chosen.limits, chosen.fdr)
            return propose(self.table, self.found, *given)

        return _last(self.table, "proposal", key, make)

    @cached_property
    def bright(self) -> np.ndarray | None:
        """The samples that stand out, or None."""
        return selection.bright(self._ctx, self.table, self.proposal.rows)

    @cached_property
    def points_key(self) -> str:
        """A short word for what decides where the points are, and their colours."""
        chosen, proposal = self.chosen, self.proposal
        parts: list[object] = [choices.as_picked(chosen), hash(proposal.rows.tobytes())]
        if chosen.colour == choices.BY_TAG or chosen.view == choices.CONFIDENCES:
            parts.append({tag: hash(mask.tobytes()) for tag, mask in proposal.then.items()})
            parts.append(proposal.worst)
        parts.append(None if self.bright is None else hash(self.bright.tobytes()))
        return digest([*parts, self.table.stamp])

    @cached_property
    def picture(self) -> picture.Picture:
        """What is drawn."""
        key = (self.points_key, digest(self.chosen.limits))
        drawn = _last(self.table, f"picture {self._ctx.panel_id}", key, self._draw)
        self._pictures[self._mark] = self._pictures.pop(self._mark, drawn)  # now the last
        while len(self._pictures) > _PICTURES:
            del self._pictures[next(iter(self._pictures))]
        return drawn

    def find(self, marks: Sequence[str]) -> np.ndarray | None:
        """The rows of what was clicked or lassoed; None where it is of a map of long ago.

        A browser may need a moment to draw what it was sent. Until then the points of the view
        before stand there, and they are what a person clicks.
        """
        mark, counted, _ = marks[0].partition(" ")
        if not counted:
            return np.intersect1d(self.table.rows(marks), self.proposal.rows)
        drawn = self._pictures.get(mark)
        return None if drawn is None else drawn.find([m.partition(" ")[2] for m in marks])

    @property
    def _mark(self) -> str:
        return self.points_key[:8]

    @property
    def _pictures(self) -> dict[str, picture.Picture]:
        return self.table.remember(("pictures", self._ctx.panel_id), dict)

    def _draw(self) -> picture.Picture:
        chosen = self.chosen
        colour = None if chosen.colour == choices.BY_TAG else chosen.colour
        proposal = self.proposal
        look = picture.Look(self.table, self.found, proposal.rows, self.bright, proposal, colour)
        if chosen.view == choices.AGREEMENT:
            drawn = picture.draw_agreement(look, chosen.aspect, chosen.edge, chosen.limits)
        elif chosen.view == choices.CONFIDENCES:
            drawn = picture.draw_confidence(look, self.dataset, chosen.aspect)
        elif chosen.view == choices.WITNESSES:
            edges = (chosen.edge, chosen.other)
            drawn = picture.draw_witnesses(look, chosen.aspect, edges, chosen.score)
        else:
            drawn = picture.draw_lens(look, self.dataset, chosen.lens)
        drawn.layout["selectionrevision"] = self.points_key
        if drawn.counts:
            for trace in (trace for trace in drawn.traces if "ids" in trace):
                trace["ids"] = [f"{self._mark} {i}" for i in trace["ids"]]
        return drawn

    def read_ahead(self) -> None:
        """Begins to read what other views and aspects show, where that takes a while.

        What is a click away comes first, as a reading that has begun must end before another.
        """
        found, chosen = self.found, self.chosen
        near = [score_field(s, e, a) for (a, e), s in self._scored() if a == chosen.aspect]
        words = [VERDICT] if self.dataset.has_field(VERDICT) else []
        groups = [near, [*found.confidences.values(), *words]]
        for score in dict.fromkeys([chosen.score, "lex", "sem"]):
            groups.append([score_field(s, e, a) for (a, e), s in self._scored() if s == score])
        self.table.load_ahead(groups)

    def _scored(self) -> list[tuple[tuple[str, str], str]]:
        # Each comparison with each score that a view shows of it
        wanted = ("lex", "sem", self.chosen.score)
        pairs = self.found.scores.items()
        return [(pair, score) for pair, there in pairs for score in wanted if score in there]

    def _fields(self) -> list[str]:
        """What the chosen view shows, and the rules of the tags read."""
        chosen, found = self.chosen, self.found
        names = ["tags", OURS]
        if chosen.aspect:
            names += rule_fields(chosen.aspect)
            if chosen.aspect in found.confidences:
                names.append(found.confidences[chosen.aspect])
        shown = {
            choices.AGREEMENT: [(chosen.edge, "lex"), (chosen.edge, "sem")],
            choices.WITNESSES: [(chosen.edge, chosen.score), (chosen.other, chosen.score)],
        }
        for edge, score in shown.get(chosen.view, ()):
            if score in found.scores.get((chosen.aspect, edge), ()):
                names.append(score_field(score, edge, chosen.aspect))
        if chosen.view != choices.TABLE and chosen.colour != choices.BY_TAG:
            names.append(chosen.colour)
        return names


def _last(table: Table, name: str, key: object, make: Callable[[], object]) -> object:
    """What was made last under this name, if it was made of the same."""
    held = table.memory.get(("last", name))
    if held is None or held[0] != key:
        held = table.memory["last", name] = (key, make())
    return held[1]
