"""What is said to an OpenAI-compatible chat server, and how its answers are read."""

from __future__ import annotations

import base64
import io
import os
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from PIL import Image

from .frames import SampledClip
from .generation import Generation, Reply

#: The environment variable that holds the key, where the server asks for one.
KEY_VARIABLE = "SECOND_OPINION_API_KEY"

_MOST_BYTES = 4_000_000


def served_models(response: httpx.Response) -> list[str]:
    """The models that a server lists; empty where it lists none."""
    try:
        listed = response.json()["data"]
        return [model["id"] for model in listed if isinstance(model["id"], str)]
    except (ValueError, KeyError, TypeError):
        return []


def frame_parts(clip: SampledClip) -> list[dict]:
    """The frames of a clip as parts of a message, each after its time."""
    parts: list[dict] = []
    for frame, second in zip(clip.frames, clip.record.seconds):
        parts.append({"type": "text", "text": f"[{second:.1f} s]"})
        parts.append({"type": "image_url", "image_url": {"url": _data_url(frame)}})
    return parts


def request_body(model: str, clip: SampledClip, prompt: str, generation: Generation) -> dict:
    """A chat request: each frame with its time, then the prompt."""
    parts = frame_parts(clip)
    parts.append({"type": "text", "text": f"These are frames of one video clip.\n{prompt}"})
    drawn = {"temperature": generation.temperature, "top_p": generation.top_p}
    return {
        "model": model,
        "messages": [{"role": "user", "content": parts}],
        "max_tokens": generation.max_new_tokens,
        "seed": generation.seed,
        **(drawn if generation.sample else {"temperature": 0.0}),
    }


def held_to(schema: dict | None) -> dict:
    """What asks a server to hold its answer to a JSON schema."""
    if schema is None:
        return {}
    held = {"name": "answer", "schema": schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": held}}


def _data_url(frame: Any) -> str:
    written = io.BytesIO()
    Image.fromarray(frame).save(written, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"


def read_reply(response: httpx.Response) -> Reply | None:
    """A server's answer; None where it is not that of a chat server."""
    if len(response.content) > _MOST_BYTES:
        return None
    try:
        answer = response.json()
        choice = answer["choices"][0]
        content = choice["message"]["content"]
        if isinstance(content, list):
            content = "".join(part.get("text", "") for part in content)
        if not isinstance(content, str):
            return None
        usage = answer.get("usage") or {}
        tokens = int(usage.get("completion_tokens") or 0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
    return Reply(content.strip(), choice.get("finish_reason") != "length", tokens)


def retry_after(response: httpx.Response | None) -> float | None:
    """The seconds that a server asks to be left alone, if it does."""
    given = response.headers.get("retry-after") if response is not None else None
    if given is None:
        return None
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def reason_of(error: httpx.HTTPError) -> str:
    """Why no answer came, in words that hold no address and no header."""
    # An error's own text can hold addresses and headers; its kind says enough
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, (httpx.ConnectError, httpx.UnsupportedProtocol)):
        return "no connection"
    return f"the connection broke ({type(error).__name__})"


def told_by(response: httpx.Response) -> str:
    """A server's own words for a refusal, cut short, without our key."""
    try:
        told = response.json()
        told = told.get("error", told) if isinstance(told, dict) else told
        told = told.get("message", told) if isinstance(told, dict) else told
    except ValueError:
        told = response.text
    told = " ".join(str(told).split())[:300]
    key = os.environ.get(KEY_VARIABLE)
    return told.replace(key, "***") if key else told
