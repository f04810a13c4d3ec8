"""Texts cut into claims, once: by the judge's model where it can write, else by rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..agreement.claims import read_claims, split_text
from ..engine.ledger import fingerprint
from .grounding_settings import GroundSettings

if TYPE_CHECKING:
    from ..engine.progress import Progress
    from ..models.judging import Judge
    from .grounding_units import Units

_RULES = "rules"
_BATCH = 16


def cut_into_claims(
    units: Units, settings: GroundSettings, judge: Judge | None, progress: Progress
) -> str:
    """Cuts every text that has no claims yet, and keeps them.

    Args:
        units: what is grounded; their claims are filled in
        settings: the stage's settings
        judge: the first method's judge; its model cuts the texts, if it can write claims
        progress: where to tell the progress

    Returns:
        who cut them
    """
    write = getattr(judge, "write_claims", None) if settings.split_by == "model" else None
    by = f"{judge.name} ({judge.revision})" if write else _RULES
    todo = list(
        dict.fromkeys(
            text
            for unit in units.all
            for party, text in unit.texts.items()
            if settings.overwrite or party not in unit.claims
        )
    )
    cut: dict[str, list] = {}
    with progress.step("Cutting texts into claims", len(todo)) as advance:
        for start in range(0, len(todo), _BATCH):
            batch = todo[start : start + _BATCH]
            bodies = write(batch) if write else [None] * len(batch)
            for text, body in zip(batch, bodies):
                # What a model left unreadable is cut by rules
                cut[text] = read_claims(body) or split_text(text)
            advance(len(batch))
    stored = {}
    for unit in units.all:
        if any(text in cut for text in unit.texts.values()):
            for party, text in unit.texts.items():
                if text in cut:
                    unit.claims[party] = cut[text]
            stored[unit.key] = {
                "by": by,
                "parties": {
                    party: {
                        "of": fingerprint(text),
                        "claims": [c.as_dict() for c in unit.claims[party]],
                    }
                    for party, text in unit.texts.items()
                },
            }
    if stored:
        units.write({settings.own("claims"): stored})
    return by
