"""The method ``rerank`` behind a server: vLLM or SGLang with a reranker that takes pictures.

Both answer at ``/v1/rerank``. The query is the clip, frame by frame, and the documents are all
statements about it, so that the frames travel once. They differ in how a query of several parts
is written and in what the answer looks like; one request without pictures tells which it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import httpx
import numpy as np

from .chat_protocol import frame_parts
from .endpoint import Endpoint, EndpointError
from .errors import ModelUnavailable
from .frames import SampledClip
from .judge_rerank import INSTRUCTION

_DOOR = "rerank"
_MOST = 64  # statements in one request
#: Scores come as probabilities, rounded; nobody is surer than this.
_LEAST = 1e-6


class ServedRerankJudge:
    """A reranker behind a server.

    Args:
        endpoint: the server

    Attributes:
        name: the model's name, as the server gives it
        revision: where it is served

    Raises:
        ModelUnavailable: before any clip is sent, where the server offers no reranking
    """

    def __init__(self, endpoint: Endpoint):
        self.endpoint = endpoint
        self.name, self.revision = endpoint.name, endpoint.revision
        probe = {"query": "A rabbit.", "documents": ["A rabbit is there.", "Nobody is there."]}
        found = self._send(probe)
        if isinstance(found, EndpointError):
            raise ModelUnavailable(
                f"The server at {endpoint.address} does not rerank with {self.name!r}: "
                f"{_beginning_small(found)} Serve a reranker that takes pictures, such as "
                "Qwen/Qwen3-VL-Reranker-2B with vLLM (--runner pooling) or SGLang, and name its "
                "address as rerank_endpoint; or leave rerank out."
            )
        self._listed = found[0]

    @property
    def wording(self) -> str:
        """What is asked, for the ledger."""
        return INSTRUCTION

    def look(self, clip: SampledClip) -> ServedRerankSight:
        """Prepares the frames of a clip, once for all statements about it."""
        return ServedRerankSight(self, frame_parts(clip))

    def score(self, parts: list[dict], statements: Sequence[str]) -> list[float]:
        """How relevant each statement is to a clip, 0 to 1.

        Raises:
            EndpointError: where the server did not answer
        """
        # SGLang takes a list of parts and says instruct; vLLM and Cohere's form an object
        asked = {"query": parts, "instruct": INSTRUCTION} if self._listed else {
            "query": {"content": parts}, "instruction": INSTRUCTION
        }  # fmt: skip
        found = self._send({**asked, "documents": list(statements)})
        if isinstance(found, EndpointError):
            raise found
        return found[1]

    def _send(self, body: dict) -> tuple[bool, list[float]] | EndpointError:
        count = len(body["documents"])
        return self.endpoint.send(
            {"model": self.endpoint.model, **body},
            read=lambda response: read_scores(response, count),
            door=_DOOR,
        )


class ServedRerankSight:
    """One clip as a :class:`ServedRerankJudge` keeps it."""

    def __init__(self, judge: ServedRerankJudge, parts: list[dict]):
        self._judge, self._parts = judge, parts

    def log_odds(self, statements: Sequence[str]) -> np.ndarray:
        """``ln(s / (1 - s))`` of each statement's score; see :class:`~.judging.Sight`."""
        scores: list[float] = []
        for start in range(0, len(statements), _MOST):
            batch = [" ".join(s.split()) for s in statements[start : start + _MOST]]
            scores += self._judge.score(self._parts, batch)
        held = np.clip(np.array(scores, dtype=np.float64), _LEAST, 1.0 - _LEAST)
        return np.log(held / (1.0 - held))


def read_scores(response: httpx.Response, count: int) -> tuple[bool, list[float]] | None:
    """Reads a reranker's answer.

    Args:
        response: the answer
        count: how many documents were sent

    Returns:
        whether it is a bare list, as SGLang's, and the scores in the order of the documents;
        None where it is no answer of a reranker: a document without a score, or a score that
        is no probability
    """
    try:
        answer = response.json()
        listed = isinstance(answer, list)
        rows = answer if listed else answer["results"]
        scores = {
            int(row["index"]): float(row["score" if listed else "relevance_score"]) for row in rows
        }
    except (ValueError, KeyError, TypeError):
        return None
    if set(scores) != set(range(count)):
        return None
    if not all(math.isfinite(score) and 0.0 <= score <= 1.0 for score in scores.values()):
        return None
    return listed, [scores[place] for place in range(count)]


def _beginning_small(error: Exception) -> str:
    told = str(error).replace("The server refuses this clip", "it refuses", 1)
    return f"{told[:1].lower()}{told[1:].rstrip('.')}."
