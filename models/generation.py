"""How an answer is written, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Generation:
    """How an answer is written.

    Attributes:
        max_new_tokens: tokens after which an answer is cut off
        sample: False writes the likeliest words, the same each time; True draws them
        temperature: how boldly words are drawn; only where ``sample``
        top_p: share of probability that words are drawn from; only where ``sample``
        seed: makes drawing repeatable for the same batches; only where ``sample``
    """

    max_new_tokens: int = 1024
    sample: bool = False
    temperature: float = 0.7
    top_p: float = 0.8
    seed: int = 51

    def keywords(self) -> dict[str, Any]:
        """The keywords of ``generate``."""
        if self.sample:
            drawn = {"temperature": self.temperature, "top_p": self.top_p}
            return {"max_new_tokens": self.max_new_tokens, "do_sample": True, **drawn}
        # A checkpoint's own generation_config often samples; each of its values must go
        off = {"temperature": None, "top_p": None, "top_k": None}
        return {"max_new_tokens": self.max_new_tokens, "do_sample": False, **off}


@dataclass(frozen=True)
class Reply:
    """What a witness wrote.

    Attributes:
        text: its words, special tokens removed
        finished: False where it was cut off at ``max_new_tokens``
        tokens: how many tokens it wrote
    """

    text: str
    finished: bool
    tokens: int


#: The likeliest words, the same each time.
DEFAULT_GENERATION = Generation()
