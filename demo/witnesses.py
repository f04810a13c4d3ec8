"""Asks the two witnesses about clips, and writes down their answers as models give them.

A real model's answer is a string: mostly JSON, often in a fence or with talk
around it, sometimes cut short, now and then no use at all. So are these.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

from demo import (
    drawing,
    glances,
    lettering,
    reading,
    telling,
    tracks,
    voices,
    witness_m,
    witness_q,
)
from demo.reading import Reading
from demo.telling import tell
from demo.voices import WITNESS_M, WITNESS_Q

_WITNESSES = {"q": (witness_q.read_clip, WITNESS_Q), "m": (witness_m.read_clip, WITNESS_M)}


def look(witness: str, path: str | Path) -> Reading:
    """What a witness, ``q`` or ``m``, sees in a clip."""
    return _WITNESSES[witness][0](path)


def ask(witness: str, path: str | Path) -> str:
    """A witness's raw answer about a clip.

    Args:
        witness: ``q`` or ``m``
        path: of the clip; all that the witness is told

    Returns:
        the answer as a model would give it
    """
    look_at, voice = _WITNESSES[witness]
    # the choice of words hangs on the pixels and nothing else
    rng = random.Random(witness + hashlib.sha256(Path(path).read_bytes()).hexdigest())
    return _as_models_do(tell(look_at(path), voice, rng), rng)


def ask_all(
    witness: str,
    paths: Sequence[str | Path],
    file: str | Path,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Asks about every clip and keeps the answers in a JSONL file.

    Answers about clips that have not changed since are kept.

    Args:
        witness: ``q`` or ``m``
        paths: of the clips
        file: of lines ``{"stem": file's name, "answer": raw answer, "seen": stamp}``
        workers: how many processes; as many as there are processors by default,
            and 1 asks in this process
        progress: called with how many are done and how many there are to do

    Returns:
        ``{"asked": ..., "reused": ...}``
    """
    file = Path(file)
    kept = {line["stem"]: line for line in _lines(file)}
    stamps = {Path(path).stem: _stamp(witness, path) for path in paths}
    todo = [
        str(path)
        for path in paths
        if kept.get(Path(path).stem, {}).get("seen") != stamps[Path(path).stem]
    ]
    for done, (path, answer) in enumerate(_ask_each(witness, todo, workers), start=1):
        stem = Path(path).stem
        kept[stem] = {"stem": stem, "answer": answer, "seen": stamps[stem]}
        if progress:
            progress(done, len(todo))
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(kept[stem], ensure_ascii=False) for stem in stamps]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"asked": len(todo), "reused": len(paths) - len(todo)}


def _ask_each(witness: str, paths: Sequence[str], workers: int | None) -> object:
    workers = min(workers or os.cpu_count() or 1, len(paths))
    if workers <= 1:
        yield from ((path, ask(witness, path)) for path in paths)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        answers = pool.map(ask, [witness] * len(paths), paths, chunksize=4)
        yield from zip(paths, answers, strict=True)


def _stamp(witness: str, path: str | Path) -> str:
    digest = hashlib.sha256((witness + _sources()).encode())
    digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1)
def _sources() -> str:
    """The code that looks and tells: where it changed, so may the answers."""
    modules = (
        *(drawing, glances, lettering, reading, telling, tracks, voices),
        *(witness_m, witness_q),
    )
    files = [Path(__file__), *(Path(module.__file__) for module in modules)]
    return "".join(file.read_text(encoding="utf-8") for file in files)


def _lines(file: Path) -> list[dict]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return []


def _as_models_do(answer: dict, rng: random.Random) -> str:
    """Wraps an answer in one of the ways that models really use."""
    text = json.dumps(answer, indent=rng.choice((None, 2)), ensure_ascii=False)
    way = rng.random()
    if way < 0.55:
        return text
    if way < 0.78:
        return f"```json\n{text}\n```"
    if way < 0.88:
        return f"Here is the description of the video:\n\n{text}\n\nLet me know if you need more!"
    if way < 0.92:
        return json.dumps([answer], ensure_ascii=False)
    if way < 0.95:
        return json.dumps(_schema_echo(answer), ensure_ascii=False)
    if way < 0.975:
        return text[: text.rindex('"') - 4]  # the limit of tokens came before the end
    return "I'm sorry, but I am not able to describe this video in the requested format."


def _schema_echo(answer: dict) -> dict:
    """The answer inside the schema that was asked for, as some models give it back."""
    return {
        "type": "object",
        "properties": {
            part: {"type": "object", "properties": dict(texts)} for part, texts in answer.items()
        },
    }
