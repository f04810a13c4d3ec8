"""One video, many questions: the clip is encoded once, and each question reads its cache.

The keys and values of everything up to the statement are computed in one forward pass. The
statements' own few tokens are then all that is left to compute, one after the other in a
single row whose mask lets each see the clip and itself, so that nothing is padded and the
clip's keys are held once. An attention that takes no such mask (flash-attn) gets a padded
batch, with the keys repeated. Positions go on where the clip's ended, in three dimensions
where the architecture counts time, height and width (Qwen3-VL).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch

from .annotator import Annotator, _to, _video
from .frames import SampledClip

# What differs from one statement to the next must not be read as shared
_PROBES = ("A dog.", "7 cats", "\u00c9t\u00e9")
# Log odds of the two ways may differ by rounding, more so in 16 bits
_TOLERANCE = {torch.float32: 1e-3}
_HALF_TOLERANCE = 0.25
_MASKED = ("sdpa", "eager")  # attentions that take a mask of one's own


@dataclass(frozen=True)
class Framing:
    """What stands around the clip and the statement.

    Attributes:
        question: makes the words that follow the clip out of a statement
        system: the system's message; None for none
        before: words between the user's turn and the clip
    """

    question: Callable[[str], str]
    system: str | None = None
    before: str = ""

    def messages(self, video: dict, words: str) -> list[dict]:
        """The conversation about a clip, with the words that follow it."""
        content = [{"type": "text", "text": self.before}] if self.before else []
        content += [video, {"type": "text", "text": words}]
        turns = [{"role": "user", "content": content}]
        if self.system:
            spoken = [{"type": "text", "text": self.system}]
            turns.insert(0, {"role": "system", "content": spoken})
        return turns


class SharedPrefix:
    """A clip that a chat model has watched, ready to be asked about statements.

    Args:
        annotator: the chat model
        clip: what it watches
        framing: what is said around it
        shared: False encodes the clip anew for each statement

    Attributes:
        shared: whether the clip is encoded once for all statements
    """

    def __init__(
        self, annotator: Annotator, clip: SampledClip, framing: Framing, shared: bool = True
    ):
        self._annotator, self._clip, self._framing = annotator, clip, framing
        self._model = annotator.model
        self.shared = shared and self._encode()

    @torch.inference_mode()
    def logits(self, statements: Sequence[str]) -> torch.Tensor:
        """The logits of the answer's first token.

        Returns:
            ``(n, vocabulary)`` float32, on the CPU
        """
        if not statements:
            return torch.empty(0, 0)
        if not self.shared:
            return torch.cat([self.apart(statement) for statement in statements])
        tails = [self._words.tail(statement) for statement in statements]
        common = self._words.common
        size = len(common)
        if any(tail[:size] != common or len(tail) == size for tail in tails):
            return torch.cat([self.apart(statement) for statement in statements])
        return self._after([tail[size:] for tail in tails])

    @torch.inference_mode()
    def apart(self, statement: str) -> torch.Tensor:
        """The same for one statement, by a forward pass of its own over clip and words."""
        inputs = self._inputs(statement)
        return self._model(**inputs, logits_to_keep=1).logits[:, -1].float().cpu()

    @property
    def tolerance(self) -> float:
        """How far the log odds of the two ways may lie apart by rounding alone."""
        return _TOLERANCE.get(self._annotator.place.dtype, _HALF_TOLERANCE)

    # ---- the shared part ----

    @torch.inference_mode()
    def _encode(self) -> bool:
        self._words = _words_of(self._annotator, self._framing)
        inputs = self._inputs(_PROBES[0])
        ids, tail = inputs["input_ids"][0].tolist(), self._words.tail(_PROBES[0])
        if ids[-len(tail) :] != tail:
            return False  # the words do not come last, or are read in another way
        size = len(ids) - len(tail) + len(self._words.common)
        total = len(ids)
        cut = {
            key: value[:, :size]
            if isinstance(value, torch.Tensor) and value.dim() == 2 and value.shape[1] == total
            else value
            for key, value in inputs.items()
        }
        result = self._model(**cut, use_cache=True, logits_to_keep=1)
        self._cache, self._size = result.past_key_values, size
        inner = getattr(self._model, "model", self._model)
        deltas = getattr(inner, "rope_deltas", None)
        self._delta = None if deltas is None else deltas.clone()
        return hasattr(self._cache, "batch_repeat_interleave")

    def _after(self, tails: list[list[int]]) -> torch.Tensor:
        if getattr(self._model.config, "_attn_implementation", None) in _MASKED:
            return self._in_a_row(tails)
        return self._padded(tails)

    def _in_a_row(self, tails: list[list[int]]) -> torch.Tensor:
        place = self._annotator.place
        lengths = torch.tensor([len(tail) for tail in tails])
        whose = torch.repeat_interleave(torch.arange(len(tails)), lengths)
        ends = lengths.cumsum(0)
        inner = torch.arange(len(whose)) - (ends - lengths)[whose]
        seen = (whose[:, None] == whose[None]) & (inner[:, None] >= inner[None])
        seen = torch.cat([torch.ones(len(whose), self._size, dtype=torch.bool), seen], dim=1)
        hidden = torch.zeros(seen.shape, dtype=place.dtype)
        hidden.masked_fill_(~seen, torch.finfo(place.dtype).min)
        result = self._model(
            input_ids=torch.tensor([[token for tail in tails for token in tail]]).to(place.device),
            attention_mask=hidden[None, None].to(place.device),
            position_ids=self._positions(self._size + inner[None]),
            past_key_values=copy.deepcopy(self._cache),
            use_cache=True,
            logits_to_keep=(ends - 1).to(place.device),
        )
        return result.logits[0].float().cpu()

    def _padded(self, tails: list[list[int]]) -> torch.Tensor:
        device, rows = self._annotator.place.device, len(tails)
        longest = max(map(len, tails))
        pad = self._annotator.processor.tokenizer.pad_token_id or 0
        ids = torch.full((rows, longest), pad, dtype=torch.long)
        own = torch.zeros((rows, longest), dtype=torch.long)
        for row, tail in enumerate(tails):  # on the left, so that the last token is the last
            ids[row, longest - len(tail) :] = torch.tensor(tail)
            own[row, longest - len(tail) :] = 1
        before = torch.ones((rows, self._size), dtype=torch.long)
        cache = copy.deepcopy(self._cache)
        cache.batch_repeat_interleave(rows)
        result = self._model(
            input_ids=ids.to(device),
            attention_mask=torch.cat([before, own], dim=1).to(device),
            position_ids=self._positions((self._size + own.cumsum(dim=1) - 1).clamp(min=0)),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return result.logits[:, -1].float().cpu()

    def _positions(self, counted: torch.Tensor) -> torch.Tensor:
        if self._delta is not None:
            counted = counted[None].expand(3, -1, -1) + self._delta.cpu()
        return counted.to(self._annotator.place.device)

    # ---- words to tokens ----

    def _inputs(self, statement: str) -> Any:
        annotator, clip = self._annotator, self._clip
        words = self._framing.question(statement)
        inputs = annotator.processor.apply_chat_template(
            [self._framing.messages(_video(clip), words)],
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            add_generation_prompt=True,
            processor_kwargs={
                "do_sample_frames": False,
                "video_metadata": [[clip.video_metadata()]],
            },
            **({"sanitize_control_tokens": True} if annotator._sanitize else {}),
        )
        return _to(inputs, annotator.place)


class _Words:
    """The tokens around a statement; they are the same for every clip."""

    def __init__(self, annotator: Annotator, framing: Framing):
        self._tokenizer, self._framing = annotator.processor.tokenizer, framing
        mark = "\u2063words\u2063"
        text = annotator.processor.apply_chat_template(
            [framing.messages({"type": "video"}, mark)], tokenize=False, add_generation_prompt=True
        )
        head, _, end = (text if isinstance(text, str) else text[0]).partition(mark)
        self._lead = _after_last_mark(head, self._tokenizer)
        self._end = self._tokenizer.encode(
            end, add_special_tokens=False, split_special_tokens=False
        )
        self.common = _common_start([self.tail(probe) for probe in _PROBES])

    def tail(self, statement: str) -> list[int]:
        """What follows the clip: the words about the statement, and the template's end."""
        words = self._lead + self._framing.question(statement)
        # Words in a statement never pass for the template's own marks
        said = self._tokenizer.encode(words, add_special_tokens=False, split_special_tokens=True)
        return said + self._end


_KNOWN: WeakKeyDictionary[Annotator, dict[Framing, _Words]] = WeakKeyDictionary()


def _words_of(annotator: Annotator, framing: Framing) -> _Words:
    known = _KNOWN.setdefault(annotator, {})
    if framing not in known:
        known[framing] = _Words(annotator, framing)
    return known[framing]


def _after_last_mark(head: str, tokenizer: Any) -> str:
    """The plain words at the end of a text, which are read together with what follows."""
    marks = [token.content for token in tokenizer.added_tokens_decoder.values()]
    last = max((head.rfind(mark) + len(mark) for mark in marks if mark in head), default=0)
    return head[last:]


def _common_start(sequences: Sequence[Sequence[int]]) -> list[int]:
    common = []
    for tokens in zip(*sequences):
        if len(set(tokens)) > 1:
            break
        common.append(tokens[0])
    return common
