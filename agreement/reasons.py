"""Why a sample got its verdict, in plain words: from the words that differ and the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .differences import content_words, words_of_all_but, words_of_nobody_else
from .texts import is_missing, is_na, is_scorable
from .workshop_rules import THRESHOLDS

#: verdict: what it means. ``witness_suspect_<w>`` is told by :func:`explain_verdict`.
VERDICTS = {
    "agreed": "The annotation and the witnesses say the same.",
    "paraphrase": "Other words, the same meaning.",
    "annotation_suspect": "The witnesses agree with each other and not with the annotation.",
    "scattered": "Nobody agrees with anybody.",
    "na_conflict": "One says that there is nothing of the kind, another describes it.",
    "overruled": "The video supports a witness, not the annotation.",
    "upheld": "The witnesses dispute the annotation, and the video supports it.",
    "beyond_clip": "The annotation speaks of a time that the clip does not show.",
    "unscored": "A text or a score is missing, so nothing was decided.",
}
_WITNESS = "witness_suspect_"

_MOST_WORDS = 4  # of each party; more would be a list and not a reason
_SHORT_TEXT = 12  # words; a text so short is told whole


def explain_verdict(verdict: str | None) -> str | None:
    """What a verdict means, in one sentence; None where there is no verdict or an unknown one."""
    if isinstance(verdict, str) and verdict.startswith(_WITNESS):
        witness = verdict[len(_WITNESS) :]
        return f"The annotation and the others agree with each other and not with {witness}."
    return VERDICTS.get(verdict) if isinstance(verdict, str) else None


def explain(
    annotation: str | None,
    opinions: Mapping[str, str | None],
    meaning: Mapping[str, float | None] | None = None,
) -> str:
    """Says in plain words where annotation and witnesses part.

    Args:
        annotation: the text under audit
        opinions: ``{witness: text}``
        meaning: ``{witness: semantic score against the annotation, 0..1}``, where scored

    Returns:
        one to three sentences, such as "Both witnesses say "a girl closes the box"; only the
        annotation says "opens"."; the texts' own words are quoted as they are, so whoever shows
        the sentences must show them as text
    """
    gaps = _gaps(annotation, opinions)
    heard = {witness: text for witness, text in opinions.items() if is_scorable(text)}
    if not is_scorable(annotation) or not heard:
        return gaps
    others = list(heard.values())
    sentences = [_who_says_what(annotation, heard, words_of_nobody_else(annotation, others))]
    closeness = _closeness(heard, meaning or {})
    return " ".join(sentence for sentence in (*sentences, closeness, gaps) if sentence)


def _gaps(annotation: str | None, opinions: Mapping[str, str | None]) -> str:
    parties = {"the annotation": annotation, **opinions}
    missing = [name for name, text in parties.items() if is_missing(text)]
    na = [name for name, text in parties.items() if is_na(text)]
    told = [name for name, text in parties.items() if is_scorable(text)]
    sentences = []
    if not opinions:
        sentences.append("There is no witness to compare with.")
    elif len(missing) == len(parties):
        sentences.append("Nobody says anything here.")
    elif missing:
        sentences.append(_sentence(f"{_listed(missing)} {_verb(missing, 'says')} nothing here."))
    if na and told:
        contrast = f"{_listed(told)} {_verb(told, 'describes')} something"
        sentences.append(_sentence(f"{_listed(na)} {_verb(na, 'says')} N/A; {contrast}."))
    elif len(na) > 1:
        sentences.append(_sentence(f"{_listed(na)} agree on N/A."))
    return " ".join(sentences)


def _who_says_what(annotation: str, heard: Mapping[str, str], alone: list[str]) -> str:
    against = words_of_all_but(list(heard.values()), annotation)
    if len(heard) > 1 and against:
        who = "Both witnesses" if len(heard) == 2 else f"All {len(heard)} witnesses"
        if alone:
            told = _told(heard, against)
            return f"{who} say {told}; only the annotation says {_quoted(alone)}."
        return f"{who} say {_quoted(against)}; the annotation leaves it out."
    odd = _odd_witnesses(annotation, heard)
    parts = [f"only the annotation says {_quoted(alone)}"] if alone else []
    parts += [f"only {witness} says {_quoted(words)}" for witness, words in odd.items()]
    if not parts:
        return _all_alike(annotation, heard)
    if not alone:
        parts.insert(0, "every word of the annotation is also said by a witness")
    return _sentence("; ".join(parts) + ".")


def _all_alike(annotation: str, heard: Mapping[str, str]) -> str:
    said = {word.stem for word in content_words(annotation)}
    if all(said == {word.stem for word in content_words(text)} for text in heard.values()):
        return "All say it in the same words."
    return "No word is said by one alone."


def _odd_witnesses(annotation: str, heard: Mapping[str, str]) -> dict[str, list[str]]:
    found = {}
    for witness, text in heard.items():
        others = [annotation, *(other for name, other in heard.items() if name != witness)]
        words = words_of_nobody_else(text, others)
        if words:
            found[witness] = words
    return found


def _told(heard: Mapping[str, str], against: list[str]) -> str:
    # Where all witnesses use the same few words, they are quoted whole.
    stems = [[word.stem for word in content_words(text)] for text in heard.values()]
    first = next(iter(heard.values())).strip().rstrip(".")
    if all(set(other) == set(stems[0]) for other in stems) and len(first.split()) <= _SHORT_TEXT:
        return f"\u201c{first}\u201d"
    return _quoted(against)


def _closeness(heard: Mapping[str, str], meaning: Mapping[str, float | None]) -> str:
    known = {w: meaning[w] for w in heard if meaning.get(w) is not None}
    if not known:
        return ""
    figures = _listed([f"{score:.2f} with {witness}" for witness, score in known.items()])
    if min(known.values()) >= THRESHOLDS["sem_high"]:
        return f"The meaning is close: {figures}."
    if max(known.values()) < THRESHOLDS["sem_low"]:
        return f"The meaning is far apart: {figures}."
    return f"Closeness of meaning: {figures}."


def _quoted(words: Sequence[str]) -> str:
    shown = [f"\u201c{word}\u201d" for word in words[:_MOST_WORDS]]
    rest = len(words) - len(shown)
    return _listed([*shown, f"{rest} more"] if rest else shown)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _verb(subjects: Sequence[str], singular: str) -> str:
    return singular if len(subjects) == 1 else singular.removesuffix("s")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith(("the ", "only ", "every ")) else text
