"""The method ``yes`` behind an OpenAI-compatible server.

Where the server gives log-probabilities of the first token, they tell how sure it is; where it
gives none, its answer is one word, held to Yes or No, and counts as odds of 9 to 1. Such
servers keep the frames of a repeated request in a cache of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np

from .chat_protocol import read_reply, request_body
from .claim_writer import Claims, served_claims
from .endpoint import Endpoint, EndpointError
from .frames import SampledClip
from .generation import Generation
from .judge_yes import NO, YES, ask_for

#: The log odds of an answer that is a bare word.
ONE_WORD = math.log(9.0)
_TOP = 20  # as many as servers give
_WORD = {"type": "string", "enum": ["Yes", "No"]}


class ServedYesJudge:
    """A chat model behind a server, asked about many statements at once.

    Args:
        endpoint: the server

    Attributes:
        name: the model's name, as the server gives it
        revision: where it is served
        constrained: whether answers are bare words, as the server gives no
            log-probabilities; None before the first answer
    """

    def __init__(self, endpoint: Endpoint):
        self.endpoint = endpoint
        self.name, self.revision = endpoint.name, endpoint.revision
        self.constrained: bool | None = None

    @property
    def wording(self) -> str:
        """What is asked, for the ledger."""
        return ask_for("...")

    def look(self, clip: SampledClip) -> ServedSight:
        """Prepares the frames of a clip, once for all statements about it."""
        return ServedSight(self, clip)

    def write_claims(self, texts: Sequence[str]) -> list[Claims]:
        """Cuts texts into claims; see :mod:`.claim_writer`."""
        return served_claims(self.endpoint, texts)

    def ask(self, body: dict) -> float | EndpointError:
        """The log odds of one request."""
        if not self.constrained:
            told = {"logprobs": True, "top_logprobs": _TOP}
            found = self.endpoint.send({**body, **told, "max_tokens": 1}, read=read_log_odds)
            refused = isinstance(found, EndpointError) and "with 4" in str(found)
            if found != "no log-probabilities" and not (refused and self.constrained is None):
                if not isinstance(found, EndpointError):
                    self.constrained = False
                return found
            self.constrained = True
        reply = self.endpoint.send({**body, "max_tokens": 8}, _WORD)
        if isinstance(reply, EndpointError):
            return reply
        word = reply.text.strip("\"'`*. \n").lower()
        return ONE_WORD if word == "yes" else -ONE_WORD if word == "no" else float("nan")


class ServedSight:
    """One clip as a :class:`ServedYesJudge` keeps it: the request that carries its frames."""

    def __init__(self, judge: ServedYesJudge, clip: SampledClip):
        self._judge = judge
        self._body = request_body(judge.endpoint.model, clip, "", Generation(max_new_tokens=1))

    def log_odds(self, statements: Sequence[str]) -> np.ndarray:
        """``ln(P(Yes) / P(No))`` of each statement; see :class:`~.judging.Sight`."""
        if not statements:
            return np.empty(0)
        first = self._judge.ask(self._about(statements[0]))  # tells how the server answers
        with ThreadPoolExecutor(self._judge.endpoint.concurrency) as pool:
            rest = pool.map(self._judge.ask, map(self._about, statements[1:]))
            found = [first, *rest]
        for result in found:
            if isinstance(result, EndpointError):
                raise result
        return np.array(found, dtype=np.float64)

    def _about(self, statement: str) -> dict:
        (turn,) = self._body["messages"]
        *frames, words = turn["content"]
        words = {"type": "text", "text": words["text"] + ask_for(statement)}
        return {**self._body, "messages": [{**turn, "content": [*frames, words]}]}


def read_log_odds(response: httpx.Response) -> float | str | None:
    """``ln(P(yes) / P(no))`` of an answer's first token.

    Returns:
        log odds, nan where neither word is among the likeliest; "no log-probabilities" where
        there are none; None where it is no answer of a chat server
    """
    if read_reply(response) is None:
        return None
    try:
        top = response.json()["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        given = [(str(entry["token"]), float(entry["logprob"])) for entry in top]
    except (KeyError, IndexError, TypeError, ValueError):
        return "no log-probabilities"
    if not given:
        return "no log-probabilities"
    yes, no = ([math.exp(value) for token, value in given if token in words] for words in (YES, NO))
    if not yes and not no:
        return float("nan")
    # A word that is not listed is less likely than the least likely one that is
    least = math.exp(min(value for _, value in given))
    return math.log((sum(yes) or least) / (sum(no) or least))
