"""The JSON inside an answer: alone, in a fence, after thoughts, in prose, or cut short.

Mending is `json-repair`'s work; what is worth reading of what it makes is decided by
whoever reads, since it also makes something of plain prose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import json_repair

_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_THOUGHTS_BEGIN = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_THOUGHTS_END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_OPENING = re.compile(r"[{\[]")
# Prose has brackets of its own; those of an answer hold objects
_OBJECTS = re.compile(r"\{|\[\s*\{")

# A model that is stuck writes brackets without end; these bound what it costs.
_MOST_STARTS = 64
_MOST_MENDED = 100_000
_DEEPEST_MENDED = 64


class Found(NamedTuple):
    """A piece of JSON.

    Attributes:
        value: what it holds
        form: how it was written: ``json``, ``fenced``, ``prose``, ``mended``, ``truncated``
        cut: whether it breaks off
    """

    value: Any
    form: tuple[str, ...]
    cut: bool = False

    @property
    def is_loose(self) -> bool:
        """Whether it had to be mended."""
        return "mended" in self.form or "truncated" in self.form


def json_groups(raw: str) -> Iterator[list[Found]]:
    """The JSON of an answer, the surest group first; a later one is for want of better.

    Args:
        raw: what a model wrote

    Yields:
        the whole answer; or else its fences, what stands in prose, what could be mended; and
        last of all the same of its thoughts
    """
    text = raw.strip().lstrip("\ufeff")
    whole = _strict(text)
    if isinstance(whole, str):
        whole = _strict(whole.strip())  # JSON written as a JSON text: `"{\\"summary\\": ...}"`
    if isinstance(whole, (dict, list)):
        yield [Found(whole, ("json",))]
        return
    after = _after_thoughts(text)
    yield from _loose_groups(after)
    if after != text:
        yield from _loose_groups(text)


def find_json(raw: object) -> dict | list | None:
    """Finds the one JSON object or list that an answer consists of.

    Args:
        raw: what a model wrote

    Returns:
        the whole answer or its last fence, if that is strict JSON; or else the larger of the
        largest strict piece and of all that could be mended; None where there is none. What a
        model only thought is no answer
    """
    if not isinstance(raw, str):
        return None
    rest: list[Found] = []
    for group in json_groups(_after_thoughts(raw.strip())):
        if group and group[0].form in (("json",), ("fenced",)):
            return group[-1].value
        rest += group
    # A piece of a longer, broken answer is worth less than the whole of it mended
    values = [found.value for found in rest if _holds_objects(found.value)]
    return max(reversed(values), key=lambda value: len(json.dumps(value)), default=None)


def _loose_groups(text: str) -> Iterator[list[Found]]:
    blocks = [block.strip() for block in _FENCE.findall(text)]
    strict = [_strict(block) for block in blocks]
    yield [Found(value, ("fenced",)) for value in strict if isinstance(value, (dict, list))]
    yield _in_prose(text)
    loose = [block for block, value in zip(blocks, strict) if not isinstance(value, (dict, list))]
    yield [found for block in loose for found in _mended(block, ("fenced",))]
    yield _mended(text, ())


def _after_thoughts(text: str) -> str:
    """The text after a model's thoughts; as it is where nothing follows them."""
    ends = [match.end() for match in _THOUGHTS_END.finditer(text)]
    if ends and text[ends[-1] :].strip():
        text = text[ends[-1] :]
    elif ends:
        return text
    unfinished = _THOUGHTS_BEGIN.search(text)
    return text[: unfinished.start()] if unfinished else text


def _in_prose(text: str) -> list[Found]:
    decoder, found, at = json.JSONDecoder(strict=False), [], 0
    for _ in range(_MOST_STARTS):
        opening = _OPENING.search(text, at)
        if opening is None:
            break
        try:
            value, at = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            at = opening.start() + 1
        else:
            found.append(Found(value, ("prose",)))
    return found


def _mended(text: str, form: tuple[str, ...]) -> list[Found]:
    opening = _OBJECTS.search(text)
    if opening is None or len(text) > _MOST_MENDED:
        return []
    body = text[opening.start() :]
    cut, deepest = _nesting(body)
    if deepest > _DEEPEST_MENDED:
        return []
    try:
        value = json_repair.loads(body)
    except Exception:  # noqa: BLE001 - whatever its mender stumbles over, it is not mended
        return []
    if not isinstance(value, (dict, list)) or not value:
        return []
    prose = ("prose",) if opening.start() and not form else ()
    return [Found(value, (*form, *prose, "truncated" if cut else "mended"), cut)]


def _strict(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _holds_objects(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) for item in value)
    return isinstance(value, dict) and bool(value)


def _nesting(text: str) -> tuple[bool, int]:
    """Whether the first value in a text breaks off, and how deep its brackets go."""
    depth, deepest, quoted, escaped = 0, 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = character == "\\", character != '"'
        elif character == '"':
            quoted = True
        else:
            depth += (character in "{[") - (character in "}]")
            deepest = max(deepest, depth)
            if depth == 0:
                return False, deepest
    return True, deepest
