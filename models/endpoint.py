"""A witness behind an OpenAI-compatible server: vLLM, SGLang, Ollama, ``transformers serve``.

Frames travel as pictures, many requests are in flight at once, and what a busy or
broken server does is waited out. The key is read from the environment, sent in the
header, and appears in no message.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import httpx

from .chat_protocol import (
    KEY_VARIABLE,
    held_to,
    read_reply,
    reason_of,
    request_body,
    retry_after,
    served_models,
    told_by,
)
from .errors import ModelUnavailable
from .frames import SampledClip
from .generation import DEFAULT_GENERATION, Generation, Reply

_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LONGEST_WAIT = 60.0
#: What answers behind a server's doors.
_SERVERS = {"chat/completions": "a chat server", "rerank": "a reranker"}


class EndpointError(RuntimeError):
    """One clip that the server did not answer for; the message says why."""


class Endpoint:
    """Asks a server about clips.

    Args:
        base_url: where the server is, such as ``http://127.0.0.1:8000/v1``
        model: which of its models; None where it serves only one
        concurrency: requests in flight
        retries: how often a request is sent again after 429, 5xx, a timeout, a broken
            connection or an answer that is no answer
        timeout: seconds that one request may take
        backoff: seconds before the first retry; each next one waits twice as long

    Attributes:
        model: the model that is asked
        retried: how many requests were sent again so far

    Raises:
        ModelUnavailable: before any clip is sent, if the server cannot be reached or has
            no such model
    """

    def __init__(
        self,
        base_url: str,
        model: str | None = None,
        concurrency: int = 16,
        retries: int = 5,
        timeout: float = 300.0,
        backoff: float = 0.5,
    ):
        self._url = _read_url(base_url)
        self._concurrency, self._retries, self._backoff = concurrency, retries, backoff
        key = os.environ.get(KEY_VARIABLE)
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout, connect=min(10.0, timeout)),
            limits=httpx.Limits(max_connections=concurrency),
            follow_redirects=False,  # the key goes to this server and nowhere else
        )
        self._schemas_refused = False
        self._lock = threading.Lock()
        self._lost = 0
        self.retried = 0
        self.model = self._find_model(model)

    @property
    def name(self) -> str:
        """The model's name, as the server gives it."""
        return self.model

    @property
    def concurrency(self) -> int:
        """Requests in flight at most."""
        return self._concurrency

    @property
    def address(self) -> str:
        """The server's address, which holds no key."""
        return str(self._url)

    @property
    def revision(self) -> str:
        """Where it is served: what a server loaded cannot be known from here."""
        return f"served at {self._url.host}"

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def annotate_all(
        self,
        asked: Iterable[tuple[SampledClip, str]],
        generation: Generation = DEFAULT_GENERATION,
        schema: dict | None = None,
    ) -> Iterator[tuple[int, Reply | EndpointError]]:
        """Asks about clips, many at a time.

        Args:
            asked: clips and prompts; drawn only as requests can be sent
            generation: how answers are written
            schema: a JSON schema that the server is asked to hold answers to; a server
                that refuses to is asked again without it

        Yields:
            each clip's place in ``asked`` with its reply, or the error that replaces it, in
            the order in which they arrive

        Raises:
            ModelUnavailable: once the server is gone for good; what had arrived was yielded
        """
        waiting = enumerate(asked)
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="endpoint") as pool:
            flying: dict[Future, int] = {}
            try:
                while True:
                    while len(flying) < self._concurrency and (item := next(waiting, None)):
                        place, (clip, prompt) = item
                        flying[pool.submit(self._ask, clip, prompt, generation, schema)] = place
                    if not flying:
                        return
                    done, _ = wait(flying, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield flying.pop(future), future.result()
                    self._stop_if_gone()
            finally:
                for future in flying:
                    future.cancel()

    def annotate(
        self,
        clips: list[SampledClip],
        prompts: str | list[str],
        generation: Generation = DEFAULT_GENERATION,
        schema: dict | None = None,
    ) -> list[Reply | EndpointError]:
        """Asks about clips and gives the answers in their order; see :meth:`annotate_all`."""
        prompts = [prompts] * len(clips) if isinstance(prompts, str) else prompts
        replies: list = [None] * len(clips)
        for place, reply in self.annotate_all(zip(clips, prompts), generation, schema):
            replies[place] = reply
        return replies

    def _find_model(self, model: str | None) -> str:
        try:
            response = self._client.get(f"{self._url}/models")
        except httpx.HTTPError as error:
            raise ModelUnavailable(
                f"No server answers at {self._url}: {reason_of(error)}. Start it, or correct the "
                "address; it usually ends in /v1."
            ) from None
        if response.status_code in (401, 403):
            raise ModelUnavailable(
                f"The server at {self._url} refuses the key. Put the right one into the "
                f"environment variable {KEY_VARIABLE}."
            )
        served = served_models(response)
        if model is None:
            if len(served) != 1:
                listed = ", ".join(served[:8]) or "none that it names"
                raise ModelUnavailable(
                    f"Say which model of the server at {self._url} to ask; it serves {listed}."
                )
            return served[0]
        if served and model not in served and response.status_code == 200:
            raise ModelUnavailable(
                f"The server at {self._url} does not serve {model!r}; it serves "
                f"{', '.join(served[:8])}."
            )
        return model

    def _ask(
        self, clip: SampledClip, prompt: str, generation: Generation, schema: dict | None
    ) -> Reply | EndpointError:
        return self.send(request_body(self.model, clip, prompt, generation), schema)

    def send(
        self,
        body: dict,
        schema: dict | None = None,
        read: Callable = read_reply,
        door: str = "chat/completions",
    ) -> Any | EndpointError:
        """Sends one request, and waits out what a busy or broken server does.

        Args:
            body: the request
            schema: a JSON schema that the server is asked to hold its answer to
            read: takes the response and gives what is wanted of it; None for no answer
            door: where to, below the server's address: ``chat/completions`` or ``rerank``

        Returns:
            what ``read`` gives, or the error that replaces it
        """
        error = "it was never sent"
        for attempt in range(self._retries + 1):
            if attempt:
                with self._lock:
                    self.retried += 1
            held = schema if not self._schemas_refused else None
            try:
                response = self._client.post(f"{self._url}/{door}", json=body | held_to(held))
            except httpx.HTTPError as lost:
                error = reason_of(lost)
                self._wait(attempt, None)
                continue
            with self._lock:
                self._lost = 0
            if response.status_code == 200:
                reply = read(response)
                if reply is not None:
                    return reply
                error = f"its answer is not that of {_SERVERS[door]}"
            elif response.status_code in (400, 422) and held is not None:
                # Not every server can hold an answer to a schema; the prompt asks for it too
                self._schemas_refused = True
                error = "it refuses schemas"
                continue
            elif response.status_code in _RETRIED:
                error = f"it answers {response.status_code}: {told_by(response)}"
            else:
                return EndpointError(
                    f"The server refuses this clip with {response.status_code}: {told_by(response)}"
                )
            self._wait(attempt, response)
        if error.startswith("no connection"):
            with self._lock:
                self._lost += 1
        return EndpointError(f"The server did not answer after {self._retries + 1} tries: {error}.")

    def _wait(self, attempt: int, response: httpx.Response | None) -> None:
        if attempt >= self._retries:
            return
        asked = retry_after(response)
        own = self._backoff * 2**attempt * random.uniform(0.5, 1.5)
        time.sleep(min(_LONGEST_WAIT, own if asked is None else max(asked, own / 2)))

    def _stop_if_gone(self) -> None:
        if self._lost > self._concurrency:
            raise ModelUnavailable(
                f"The server at {self._url} has gone: {self._lost} clips in a row found no "
                "connection. Start it again and run this again; what was answered is kept."
            )


def _read_url(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url.strip().rstrip("/"))
    except httpx.InvalidURL:
        url = None
    if url is None or url.scheme not in ("http", "https") or not url.host:
        raise ModelUnavailable(
            "The endpoint must be the address of an OpenAI-compatible server, such as "
            "http://127.0.0.1:8000/v1."
        )
    if url.userinfo or url.query:
        raise ModelUnavailable(
            "The endpoint's address must not hold a password or a key. Put the key into the "
            f"environment variable {KEY_VARIABLE}."
        )
    return url
