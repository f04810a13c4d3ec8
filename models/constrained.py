"""Answers held to a JSON schema while a model writes them, through llguidance."""

from __future__ import annotations

import importlib.util
import json

import torch
from transformers import LogitsProcessor, PreTrainedTokenizerBase


class SchemaConstraint:
    """A JSON schema, compiled for one tokenizer.

    Args:
        schema: the JSON schema
        tokenizer: the model's tokenizer
        size: how many logits the model gives, which may exceed the vocabulary
    """

    def __init__(self, schema: dict, tokenizer: PreTrainedTokenizerBase, size: int):
        import llguidance.hf

        self._tokens = llguidance.hf.from_tokenizer(tokenizer, n_vocab=max(size, len(tokenizer)))
        # Free whitespace lets a small model write blanks until it is cut off
        self._grammar = llguidance.LLMatcher.grammar_from_json_schema(
            json.dumps(schema), overrides={"whitespace_flexible": False}
        )
        problem = llguidance.LLMatcher.validate_grammar(self._grammar, self._tokens)
        if problem:
            raise ValueError(f"This schema cannot be held to: {problem}")

    @staticmethod
    def available() -> bool:
        """Whether llguidance is installed."""
        return importlib.util.find_spec("llguidance") is not None

    def processor(self, rows: int, ends: list[int]) -> LogitsProcessor:
        """A logits processor for one batch, used once.

        Args:
            rows: answers in the batch
            ends: the tokens that end an answer
        """
        return _Constrained(self._tokens, self._grammar, rows, ends)


class _Constrained(LogitsProcessor):
    def __init__(self, tokens, grammar: str, rows: int, ends: list[int]):
        import llguidance

        self._matchers = [llguidance.LLMatcher(tokens, grammar) for _ in range(rows)]
        words = (tokens.vocab_size + 31) // 32
        self._bits = torch.full((rows, words), -1, dtype=torch.int32)
        self._ends = ends
        self._begun = False

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        # The first call sees the prompt alone; each later one, one token more
        if self._begun:
            for matcher, token in zip(self._matchers, input_ids[:, -1].tolist()):
                if not matcher.is_stopped():
                    matcher.consume_token(token)
        self._begun = True
        done = []
        for row, matcher in enumerate(self._matchers):
            done.append(matcher.is_stopped())
            if not done[-1]:
                mask = self._bits[row]
                matcher.unsafe_compute_mask_ptr(mask.data_ptr(), mask.numel() * mask.element_size())
        bits = self._bits.to(scores.device)
        places = torch.arange(32, dtype=torch.int32, device=scores.device)
        allowed = (bits.unsqueeze(-1) >> places & 1).flatten(1).bool()[:, : scores.shape[-1]]
        # A whole answer can only end; otherwise a model would write on after its JSON
        allowed[done] = False
        allowed[torch.tensor(done).nonzero(), torch.tensor(self._ends)] = True
        return scores.masked_fill(~allowed, float("-inf"))
