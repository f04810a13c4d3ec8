"""The viewer's page: the sample, one card an aspect, the transcript and the segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import fiftyone as fo
from fiftyone.operators import types

from ...agreement.aspects import ACTION100M, Aspect, score_field
from ...agreement.differences import ALONE, DISPUTED
from ...agreement.metrics import METRICS
from ...agreement.reasons import explain, explain_verdict
from ..next_stage import NextStage, add_next, begin_empty
from ..plain import cut
from ..typeset import CARD, FAINT, MARKS, badge, columns, line, row, small_button, stack
from .folding import LENGTHS, add_text
from .ruling import add_ruling
from .sample import EVERYONE, METRIC_NAMES, SOUGHT_FOR, ShownSample
from .segments import add_segments, add_transcript

if TYPE_CHECKING:
    from .panel import OpinionViewer

_LABELS = dict(
    zip(
        (aspect.name for aspect in ACTION100M),
        ("Summary, brief", "Summary, detailed", "Action, brief", "Action, detailed", "Actor"),
    )
)
_SCORES = {"match": "match"} | {name: metric.short for name, metric in METRICS.items()}
_SCORES |= {"lex": "words", "sem": "meaning"}
_VERDICT_COLOURS = {
    "agreed": "success.main",
    "paraphrase": "success.main",
    "annotation_suspect": "error.main",
    "na_conflict": "error.main",
    "scattered": "warning.main",
    "overruled": "error.main",
    "upheld": "success.main",
}


#: A text shorter than this reads well in a narrow column.
_LINES = 160


def say(sentence: str) -> types.Property:
    """A page of one sentence."""
    root = types.Object()
    line(root, "sentence", sentence)
    return _page(root)


def find_nothing(panel: OpinionViewer) -> types.Property:
    """The page of a view without a sample."""
    root = begin_empty("This view is empty")
    line(root, "why", "Its stages and filters leave no sample.")
    small_button(root, "all", "Show every sample", panel.on_show_all)
    return _page(root)


def wait_for(panel: OpinionViewer, dataset: fo.Dataset) -> types.Property:
    """The page where there is nothing to compare: what to do, with a button."""
    root = begin_empty("Nothing to compare yet")
    add_next(root, panel, dataset)
    return _page(root)


def build(
    panel: OpinionViewer,
    sample: ShownSample,
    aspects: list[Aspect],
    why_this: str,
    unfolded: Mapping[str, int],
    clip_id: str | None,
    lacking: NextStage | None = None,
    part: str = "segment",
) -> types.Property:
    """The page of one sample.

    Args:
        panel: whose methods the buttons call
        sample: what to show
        aspects: the aspects that the dataset has texts of; empty where only segments have any
        why_this: why this sample is shown, a sentence; empty in the sample modal
        unfolded: ``{text's key: how many characters a person asked for}``
        clip_id: the clip, patch or frame that is open, where it is not all of the sample
        lacking: the stage that would say more of the texts
        part: what that is of the sample: a segment, a region or a frame
    """
    root = types.Object()
    _add_header(root, panel, sample, why_this)
    if lacking:
        place = row(root, "lacking", columnGap=1, rowGap=0)
        line(place, "reason", lacking.reason, inline=True, **FAINT)
        more = {"stage": lacking.operator, "settings": lacking.settings}
        small_button(place, "stage", lacking.label, panel.on_next_stage, **more)
    if clip_id:
        place = row(root, "part", columnGap=1, rowGap=0)
        sentence = f"One {part} is shown."
        if aspects:
            whole = "image" if part == "region" and not sample.is_video else "video"
            sentence += f" What is compared speaks of the whole {whole}."
        line(place, "sentence", sentence, inline=True, **FAINT)
        small_button(place, "leave", f"Leave the {part}", panel.on_leave_clip)
    _add_legend(root)
    if not aspects and not sample.segments:
        noun = "segments" if sample.is_video else "regions"
        line(root, "bare", f"This sample has no {noun}, so that there is nothing to compare.")
    for aspect in aspects:
        _add_aspect(root, panel, sample, aspect, unfolded)
    if None in sample.elsewhere.values():
        sentence = "Whether other samples hold the same annotations is not told: to search these "
        line(root, "unsought", f"{sentence}many takes more than {SOUGHT_FOR} s.", **FAINT)
    add_transcript(root, panel, sample, unfolded)
    add_segments(root, panel, sample, unfolded, clip_id)
    return _page(root)


def _page(root: types.Object) -> types.Property:
    style = {"display": "flex", "flexDirection": "column", "gap": 1.5, "padding": "12px 14px"}
    view = types.GridView(componentsProps={"grid": {"sx": style, "data-so": "opinion-viewer"}})
    return types.Property(root, view=view)


def _add_header(
    root: types.Object, panel: OpinionViewer, sample: ShownSample, why_this: str
) -> None:
    header = stack(root, "header", gap=0.5)
    names = row(header, "names", gap=1)
    line(names, "file", sample.name, inline=True, fontSize="1.05rem", fontWeight=600)
    if sample.verdict:
        colour = _VERDICT_COLOURS.get(sample.verdict, "text.secondary")
        badge(names, "verdict", sample.verdict.replace("_", " "), colour)
    if sample.confidence is not None:
        badge(names, "confidence", f"confidence {sample.confidence:.2f}", "text.secondary")
    if why_this:
        small_button(names, "open", "Open this sample", panel.on_open, id=sample.id)
        line(header, "why_this", why_this, **FAINT)
    meaning = explain_verdict(sample.verdict)
    if meaning:
        line(header, "meaning", meaning, **FAINT)


def _add_legend(root: types.Object) -> None:
    legend = row(root, "legend", columnGap=2, rowGap=0.25)
    for kind, text in ((ALONE, "only this one says it"), (DISPUTED, "some say it, some do not")):
        line(legend, kind, text, inline=True, **{**FAINT, **MARKS[kind]})


def _add_aspect(
    root: types.Object,
    panel: OpinionViewer,
    sample: ShownSample,
    aspect: Aspect,
    unfolded: Mapping[str, int],
) -> None:
    card = stack(root, f"aspect_{aspect.name}", **CARD)
    title = row(card, "title", columnGap=1, rowGap=0)
    label = _LABELS.get(aspect.name, aspect.name)
    line(title, "label", label, inline=True, fontWeight=600, fontSize="1rem")
    if label != aspect.name:
        line(title, "name", aspect.name, inline=True, **FAINT)
    texts = {witness: sample.texts.get(name) for witness, name in aspect.opinions.items()}
    annotation = sample.texts.get(aspect.annotation)
    meaning = {
        witness: sample.scores.get(score_field("sem", witness, aspect.name)) for witness in texts
    }
    line(card, "reason", explain(_start(annotation), _starts(texts), meaning), fontWeight=500)
    if copies := sample.elsewhere.get(aspect.annotation):
        others = "other sample holds" if copies == 1 else "other samples hold"
        sentence = f"{copies:,} {others} the same annotation, word for word."
        if sample.confidence is not None:
            sentence += " The confidence weighs whether it belongs here or there."
        line(card, "elsewhere", sentence, **FAINT)
    longest = max(len(text or "") for text in (annotation, *texts.values()))
    side_by_side = columns(card, "texts", "140px" if longest < _LINES else "230px")
    parties = {"": (annotation, aspect.annotation)}
    parties |= {witness: (texts[witness], name) for witness, name in aspect.opinions.items()}
    for witness, (text, name) in parties.items():
        others = [other for party, (other, _) in parties.items() if party != witness]
        place = stack(side_by_side, f"party_{witness}", gap=0.25)
        heading = row(place, "heading", columnGap=0.75, rowGap=0)
        who = f"Witness {witness}" if witness else "Annotation"
        line(heading, "who", who, inline=True, fontWeight=600, **{"fontSize": "0.8rem"})
        line(heading, "field", name, inline=True, **FAINT)
        add_text(place, f"{aspect.name}:{witness}", text, others, unfolded, panel.on_unfold)
        _add_scores(place, sample, aspect, witness or EVERYONE)
    for edge in aspect.edges():
        if not edge.against_annotation:
            _add_scores(card, sample, aspect, edge.name, f"{' with '.join(edge.witnesses)}: ")
    film = sample.path if sample.is_video else None
    add_ruling(card, sample.rulings.get(aspect.name), f"{sample.id}_{aspect.name}", film)


def _start(text: str | None) -> str | None:
    # What a reason quotes is found early; a text of a million characters stays quick.
    return cut(text, LENGTHS[1]) if isinstance(text, str) else None


def _starts(texts: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: _start(text) for name, text in texts.items()}


def _add_scores(
    place: types.Object, sample: ShownSample, aspect: Aspect, edge: str, who: str = ""
) -> None:
    """Adds the scores of an edge, of those whose fields exist."""
    parts = []
    for metric in METRIC_NAMES:
        name = score_field(metric, edge, aspect.name)
        if name in sample.scores:
            score = sample.scores[name]
            value = "no score" if score is None else f"{score:.2f}"
            parts.append(f"{_SCORES[metric]}\u00a0{value}".replace(" ", "\u00a0"))
    if parts:
        who = "by all witnesses: " if edge == EVERYONE else who
        line(place, f"scores_{edge}", who + "   ".join(parts), **FAINT)
