"""An answer of a witness: read, or known from an earlier run that read the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..agreement.aspects import ACTION100M_ANSWER
from ..engine.columns import Chunk
from ..engine.ledger import fingerprint, ledger_field
from ..models.answers import COMPLETE, EMPTY, PARTIAL, Answer, read_answer
from ..models.prompts import TASKS

if TYPE_CHECKING:
    from .read_opinions import ReadSettings

# Part of every fingerprint: one more whenever answers come to be read in another way.
_READER = 1

# The schema that Action100M's own prompt shows; a model that only repeats it says nothing.
_PUBLISHED_SCHEMA = (
    "Single sentence video caption.",
    "Detailed, comprehensive description.",
    "A single verb phrase (no -ing forms) brifly summarizing the overall action content.",
    "A single imperitive sentence describing how the action is performed with more details.",
    "Single sentece or an imformative noun phrase describing who is performing the action.",
)
_REPEATED = (*_PUBLISHED_SCHEMA, *TASKS["action100m"].descriptions)


class Reading(NamedTuple):
    """An answer, what it was read from, the fingerprint of that, and whether it is news."""

    answer: Answer
    raw: object
    key: str | None
    stale: bool


def remembered(settings: ReadSettings) -> list[str]:
    """The fields that tell what an earlier run read."""
    texts = [settings.field_of(suffix) for suffix in ACTION100M_ANSWER]
    own = [ledger_field(settings.work), settings.field_of("error"), settings.field_of("raw")]
    return [*own, *texts]


def recall(chunk: Chunk, settings: ReadSettings) -> dict[str, Reading]:
    """What an earlier run read, by sample; nothing where all is to be done again.

    Args:
        chunk: samples with the columns :func:`remembered`
        settings: the stage's settings
    """
    if settings.overwrite:
        return {}
    rows = zip(*(chunk.columns[name] for name in remembered(settings)))
    found = {}
    for sample_id, (key, why, raw, *texts) in zip(chunk.ids, rows):
        told = [text is not None for text in texts]
        outcome = COMPLETE if all(told) else PARTIAL if any(told) else EMPTY
        answer = Answer(dict(zip(ACTION100M_ANSWER, texts)), outcome, why, "read before")
        whole = raw is not None or outcome == EMPTY  # else what was written of it is gone
        found[sample_id] = Reading(answer, None, key if whole else None, stale=False)
    return found


def read(raw: object, sample_id: str, before: Mapping[str, Reading]) -> Reading:
    """Reads an answer, unless an earlier run read the same and its texts are still there."""
    key, known = fingerprint(_READER, raw), before.get(sample_id)
    same = known is not None and known.key == key
    blank = not (raw.strip() if isinstance(raw, str) else raw)
    if known and same and not blank and known.answer.outcome == COMPLETE:
        return known
    answer = read_answer(raw, ACTION100M_ANSWER, _REPEATED)
    if known and same and not blank and known.answer.outcome == PARTIAL:
        if not _tells_more(answer, known.answer):
            return known
    return Reading(answer, raw, key, stale=not (same and answer.outcome == EMPTY))


def _tells_more(answer: Answer, known: Answer) -> bool:
    # of what an earlier run read, something was deleted
    return any(text and not known.texts[suffix] for suffix, text in answer.texts.items())
