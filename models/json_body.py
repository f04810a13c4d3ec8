"""The JSON inside an answer: alone, in a fence, after thoughts, in prose, or cut short."""

from __future__ import annotations

import json
import re

import json_repair

_THOUGHTS = re.compile(r"<(think|thinking)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_OPENING = re.compile(r"[{\[]")
_MOST_MENDED = 100_000
_DEEPEST = 40


def find_json(raw: object) -> dict | list | None:
    """Finds the JSON object or list that an answer consists of.

    Args:
        raw: what a model wrote

    Returns:
        the whole answer or a fenced part of it, if that is strict JSON; or else the larger
        of the largest strict piece and of all that could be mended; None where there is none
    """
    if not isinstance(raw, str) or not raw.strip():
        return None
    text = _THOUGHTS.sub(" ", raw).strip()
    for body in (text, *reversed(_FENCE.findall(text))):
        value = _strict(body.strip())
        if isinstance(value, str):
            value = _strict(value)  # JSON written as a JSON text
        if isinstance(value, (dict, list)):
            return value
    # A piece of a longer, broken answer is worth less than the whole of it mended
    return max((_in_prose(text), _mended(text)), key=_size)


def _size(value: object) -> int:
    return 0 if value is None else len(json.dumps(value))


def _strict(text: str) -> object:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _in_prose(text: str) -> dict | list | None:
    decoder, best, at = json.JSONDecoder(strict=False), None, 0
    for _ in range(64):
        opening = _OPENING.search(text, at)
        if opening is None:
            break
        try:
            value, end = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            at = opening.start() + 1
            continue
        if _holds_objects(value) and _size(value) >= _size(best):
            best = value
        at = end
    return best


def _holds_objects(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
    )


def _mended(text: str) -> dict | list | None:
    opening = _OPENING.search(text)
    if opening is None or len(text) > _MOST_MENDED:
        return None
    body = text[opening.start() :].split("```")[0]
    if _depth(body) > _DEEPEST:
        return None
    try:
        value = json_repair.loads(body)
    except (ValueError, RecursionError, IndexError, TypeError):
        return None
    return value if value and _holds_objects(value) else None


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in "{[") - (character in "}]")
        deepest = max(deepest, depth)
    return deepest
