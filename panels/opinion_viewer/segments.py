"""The clip itself: what is said in it, and its segments to jump to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fiftyone.operators import types

from ...agreement.texts import is_missing
from ..plain import cut
from ..typeset import CARD, FAINT, line, row, small_button, stack
from .folding import LENGTHS, add_part, add_text
from .ruling import told_of
from .said import Said
from .sample import Segment, ShownSample

if TYPE_CHECKING:
    from .panel import OpinionViewer

#: Segments beyond this many are counted.
MOST_SEGMENTS = 40

_TIME = {**FAINT, "whiteSpace": "nowrap", "padding": "0 6px"}

TRANSCRIPT, SEGMENTS = "transcript", "segments"


def add_transcript(
    root: types.Object, panel: OpinionViewer, sample: ShownSample, unfolded: Mapping[str, int]
) -> None:
    """Adds the transcript, folded away at first."""
    text = sample.transcript
    if is_missing(text):
        return
    card = stack(root, TRANSCRIPT, **CARD)
    length = unfolded.get(TRANSCRIPT, 0)
    title = row(card, "title", columnGap=1, rowGap=0)
    line(title, "label", "Transcript", inline=True, fontWeight=600, fontSize="1rem")
    if not length:
        label = f"Show ({len(text):,} characters)"
        small_button(title, "show", label, panel.on_unfold, key=TRANSCRIPT, length=LENGTHS[0])
        return
    small_button(title, "hide", "Hide", panel.on_unfold, key=TRANSCRIPT, length=0)
    add_part(card, TRANSCRIPT, text, [], length, panel.on_unfold)


def add_segments(
    root: types.Object,
    panel: OpinionViewer,
    sample: ShownSample,
    unfolded: Mapping[str, int],
    clip_id: str | None,
) -> None:
    """Adds the segments or regions of the first field, and of others that were audited.

    Of a video, the segments' times are buttons that open them as clips.
    """
    for i, (name, segments) in enumerate(sample.segments.items()):
        if not i or any(segment.id in sample.said for segment in segments):
            key = f"{SEGMENTS}_{i}" if i else SEGMENTS
            _add_field(root, panel, sample, name, key, unfolded, clip_id)


def _add_field(
    root: types.Object,
    panel: OpinionViewer,
    sample: ShownSample,
    name: str,
    key: str,
    unfolded: Mapping[str, int],
    clip_id: str | None,
) -> None:
    segments = sample.segments[name]
    card = stack(root, key, **CARD)
    title = row(card, "title", columnGap=1, rowGap=0)
    noun = "Segments" if segments[0].box is None else "Regions"
    line(title, "label", noun, inline=True, fontWeight=600, fontSize="1rem")
    line(title, "field", f"{name}, {len(segments):,}", inline=True, **FAINT)
    plays = sample.is_video and segments[0].box is None
    if plays:
        hint = "A time opens its segment as a clip."
        line(card, "hint", hint, **FAINT)
    most = len(segments) if unfolded.get(key) else MOST_SEGMENTS
    first, *others = sample.aspects.get(name) or {"": sample.said}
    for i, segment in enumerate(segments[:most]):
        place = row(card, f"segment_{i}", flexWrap="nowrap", alignItems="baseline", columnGap=1)
        if segment.id == clip_id:
            line(place, "here", f"{_where(segment)}, shown", inline=True, **_TIME)
        elif plays and not segment.outside:
            params = {"clip": segment.id, "field": name, "sample": sample.id}
            small_button(place, "jump", _where(segment), panel.on_jump, **params)
        else:
            line(place, "times", _where(segment), inline=True, **_TIME)
        said = sample.said.get(segment.id)
        line(place, "text", _named(first, _describe(segment, said)), fontSize="0.85rem")
        if said is not None:
            _add_opinions(card, f"said_{i}", panel, segment, said, unfolded)
        for aspect in others:
            said = sample.aspects[name][aspect].get(segment.id)
            if said is None or is_missing(said.annotation):
                continue
            text = _named(aspect, _describe(segment, said))
            line(card, f"text_{i}_{aspect}", text, fontSize="0.85rem", paddingLeft="18px")
            _add_opinions(card, f"said_{i}_{aspect}", panel, segment, said, unfolded, aspect)
    if len(segments) > MOST_SEGMENTS:
        label = f"Show all {len(segments):,}" if most < len(segments) else "Show fewer"
        more = int(most < len(segments))
        small_button(card, "more", label, panel.on_unfold, key=key, length=more)


def _add_opinions(
    card: types.Object,
    name: str,
    panel: OpinionViewer,
    segment: Segment,
    said: Said,
    unfolded: Mapping[str, int],
    aspect: str = "",
) -> None:
    """Adds what each witness says of a segment, with the words marked that others do not say."""
    told = {witness: text for witness, text in said.opinions.items() if not is_missing(text)}
    if not told:
        return
    place = stack(card, name, gap=0.25, paddingLeft="18px")
    for i, (witness, text) in enumerate(told.items()):
        others = [_text(segment, said), *(other for who, other in told.items() if who != witness)]
        party = row(place, f"party_{i}", flexWrap="nowrap", alignItems="baseline", columnGap=1)
        line(party, "who", f"{witness}:", inline=True, **_TIME)
        said_by = stack(party, "said", gap=0)
        key = ":".join(filter(None, ["segment", segment.id, aspect, witness]))
        add_text(said_by, key, text, others, unfolded, panel.on_unfold)


def _text(segment: Segment, said: Said | None) -> str:
    audited = None if said is None else said.annotation
    return segment.text if audited is None else audited


def _describe(segment: Segment, said: Said | None) -> str:
    whole = _text(segment, said)
    text = cut(whole, LENGTHS[0])
    text += " \u2026" if len(text) < len(whole) else ""
    notes = [segment.tier or "", "beyond the clip" if segment.outside else ""]
    if said is not None:
        notes.append((said.verdict or "").replace("_", " "))
        notes.append("" if said.confidence is None else f"confidence {said.confidence:.2f}")
        if said.ruling:
            notes.append(f"the video {told_of(said.ruling)[0]}")
        if said.suggestion:
            notes.append(f"suggested instead: {cut(said.suggestion, LENGTHS[0])}")
    note = ", ".join(filter(None, notes))
    return f"{text} ({note})" if note else text


def _named(aspect: str, text: str) -> str:
    return f"{aspect}: {text}" if aspect else text


def _where(segment: Segment) -> str:
    if segment.box is not None:
        left, top, width, height = segment.box
        return f"{left:.0%}\u2013{left + width:.0%} across, {top:.0%}\u2013{top + height:.0%} down"
    if segment.start is None or segment.end is None:
        return f"frames {segment.first_frame:,}\u2013{segment.last_frame:,}"
    return f"{_clock(segment.start)}\u2013{_clock(segment.end)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0.0, seconds), 60)
    return f"{int(minutes)}:{rest:04.1f}"
