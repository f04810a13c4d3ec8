"""What a model answered: from whatever it wrote to one text an aspect.

Models are asked for JSON and write JSON, or JSON in a fence, in prose, in a list,
cut short, with loose quotes, or as the schema they were shown with their words in
place of the descriptions. Finding the JSON is ``json_body``'s work; whether what was found
holds an answer is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .json_body import Found, json_groups

#: ``Answer.outcome``: every text found; some of them; none; nothing was said.
COMPLETE, PARTIAL, UNREADABLE, EMPTY = "complete", "partial", "unreadable", "empty"

# Where a model puts its words when it answers in the form of a schema.
_VALUE_KEYS = ("value", "text", "content", "answer", "output", "const", "default", "description")
_SCHEMA_WORDS = frozenset({"string", "str", "..."})
_SCHEMA_KEYS = frozenset({"type", "properties", "required", "title", "$schema"})

_NOT_WORD = re.compile(r"[\W_]+")

# A model that is stuck writes brackets without end; these bound what it costs.
_MOST_NODES = 2_000
_DEEPEST = 8


@dataclass(frozen=True)
class Answer:
    """What could be read of a model's answer.

    Attributes:
        texts: a text, or None, for every name asked for
        outcome: ``complete``, ``partial``, ``unreadable`` or ``empty``
        reason: a sentence, wherever a text is missing or was cut off
        form: how it was written, such as ``json``, ``fenced, mended`` or ``schema``
    """

    texts: dict[str, str | None]
    outcome: str
    reason: str | None
    form: str


@dataclass(frozen=True)
class _Reading:
    texts: dict[str, str | None]
    form: tuple[str, ...] = ()
    cut: bool = False

    @property
    def found(self) -> int:
        return sum(text is not None for text in self.texts.values())


def read_answer(
    raw: object, paths: Mapping[str, Sequence[str]], descriptions: Sequence[str] = ()
) -> Answer:
    """Reads one answer.

    Args:
        raw: what the model wrote; a dict or list is taken as JSON already read
        paths: ``{name: path of keys}``, such as ``{"action_actor": ("action", "actor")}``
        descriptions: texts of the schema in the prompt; where the model only
            repeats one of them, it has not answered

    Returns:
        the :class:`Answer`; it never raises
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return Answer(dict.fromkeys(paths), EMPTY, "There is no answer.", "none")
    echoes = frozenset(_fold(text) for text in descriptions)
    best, seen = _Reading(dict.fromkeys(paths)), False
    groups = json_groups(raw) if isinstance(raw, str) else [[Found(raw, ("object",))]]
    for group in groups:
        for found in group:
            seen = True
            reading = _best_reading(found, paths, echoes)
            # Of several, the last: models think aloud first and answer then.
            # But what had to be mended gives way to what had not.
            as_good = reading.found == best.found and not found.is_loose
            if reading.found > best.found or as_good:
                best = reading
        if best.found == len(paths):
            break
    if not best.found:
        return Answer(dict.fromkeys(paths), UNREADABLE, _why_unreadable(seen, paths), "none")
    outcome = COMPLETE if best.found == len(paths) else PARTIAL
    return Answer(best.texts, outcome, _why(best.texts, best.cut), ", ".join(best.form))


# ---- reading JSON ----


def _best_reading(
    given: Found, paths: Mapping[str, Sequence[str]], echoes: frozenset[str]
) -> _Reading:
    """Reads at every depth; of readings that find as much, the outermost."""
    best = _Reading(dict.fromkeys(paths))
    for node, in_list in _nodes(given.value):
        reader = _Reader(echoes)
        texts = {name: reader.find(node, path) for name, path in paths.items()}
        listed = ("list",) if in_list else ()
        schema = ("schema",) if reader.schema else ()
        reading = _Reading(texts, (*given.form, *listed, *schema), given.cut)
        if reading.found > best.found:
            best = reading
    return best


def _nodes(value: object) -> Iterator[tuple[dict, bool]]:
    """The dicts in a value, outermost first, and whether a list holds them."""
    level, visited = [(value, False)], 0
    for _ in range(_DEEPEST):
        inner = []
        for node, in_list in level:
            visited += 1
            if visited > _MOST_NODES:
                return
            if isinstance(node, dict):
                yield node, in_list
                inner += [(child, in_list) for child in node.values()]
            elif isinstance(node, list):
                inner += [(child, True) for child in node]
        level = [(node, listed) for node, listed in inner if isinstance(node, (dict, list))]


class _Reader:
    def __init__(self, echoes: frozenset[str]) -> None:
        self._echoes = echoes
        self.schema = False

    def find(self, node: dict, path: Sequence[str]) -> str | None:
        """The text at a path: `{"action": {"actor"}}`, or `{"action_actor"}`."""
        here: object = node
        for key in path:
            here = self._child(here, key)
        text = self._text(here)
        if text is None and len(path) > 1:
            text = self._text(self._child(node, "".join(path)))
        return text

    def _child(self, node: object, key: str) -> object:
        if isinstance(node, list) and len(node) == 1:
            node = node[0]
        if not isinstance(node, dict):
            return None
        keys = {_key(name): name for name in node if isinstance(name, str)}
        if _key(key) in keys:
            return node[keys[_key(key)]]
        if isinstance(node.get("properties"), dict):
            self.schema = True
            return self._child(node["properties"], key)
        return None

    def _text(self, value: object) -> str | None:
        if isinstance(value, str):
            return self._words(value)
        if isinstance(value, list):
            texts = [self._words(item) for item in value if isinstance(item, str)]
            whole = len(texts) == len(value) and None not in texts
            return " ".join(texts) if texts and whole else None
        if isinstance(value, dict):
            keys = {_key(name): name for name in value if isinstance(name, str)}
            for key in _VALUE_KEYS:
                words = value[keys[key]] if key in keys else None
                text = self._words(words) if isinstance(words, str) else None
                if text is not None:
                    self.schema = self.schema or bool(_SCHEMA_KEYS & set(value))
                    return text
        return None

    def _words(self, text: str) -> str | None:
        text = text.strip()
        if not text or text.casefold() in _SCHEMA_WORDS or _fold(text) in self._echoes:
            return None
        return text


def _key(name: str) -> str:
    return _NOT_WORD.sub("", name.casefold())


def _fold(text: str) -> str:
    return _NOT_WORD.sub(" ", text.casefold()).strip()


# ---- saying why ----


def _why(texts: Mapping[str, str | None], cut: bool) -> str | None:
    missing = [name for name, text in texts.items() if text is None]
    if cut:
        last = [name for name, text in texts.items() if text is not None][-1]
        rest = f"; nothing was found for {', '.join(missing)}" if missing else ""
        return f"The answer breaks off, perhaps inside {last}{rest}."
    return f"The answer has no text for {', '.join(missing)}." if missing else None


def _why_unreadable(seen: bool, paths: Mapping[str, Sequence[str]]) -> str:
    if not seen:
        return "There is no JSON in the answer."
    wanted = ", ".join(".".join(path) for path in paths.values())
    return f"There is JSON in the answer, but no text for any of {wanted}."
