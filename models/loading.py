"""What loading any of the networks has in common: device, precision, attention, safety, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers.utils import is_flash_attn_2_available, logging

from .errors import ModelUnavailable
from .known import describe, split_revision
from .source import cached_commits


@dataclass(frozen=True)
class Place:
    """Where and how a network runs.

    Attributes:
        device: "cuda", "mps" or "cpu", or one of them with a number
        dtype: the precision of weights and activations
    """

    device: str
    dtype: torch.dtype

    @classmethod
    def best(cls, device: str | None = None, dtype: str | None = None) -> Place:
        """The best device that is there, in bfloat16 on a GPU and float32 on a CPU."""
        device = device or _best_device()
        if dtype is not None:
            return cls(device, getattr(torch, dtype))
        if device.startswith("cuda"):
            half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
            return cls(device, half)
        return cls(device, torch.float16 if device == "mps" else torch.float32)

    @property
    def attention(self) -> tuple[str, ...]:
        """Ways to compute attention, the fastest that can work here first."""
        flash = (
            self.device.startswith("cuda")
            and self.dtype in (torch.bfloat16, torch.float16)
            and is_flash_attn_2_available()  # a missing package raises, so it is asked first
        )
        return (*(("flash_attention_2",) if flash else ()), "sdpa", "eager")


def with_attention(place: Place, load: Callable[[str], Any]) -> tuple[Any, str]:
    """Loads with the first way of computing attention that the architecture knows.

    Args:
        place: where it runs
        load: loads the network with the given ``attn_implementation``

    Returns:
        the network, and the way that worked
    """
    ways = place.attention
    for way in ways:
        try:
            return load(way), way
        except (ValueError, ImportError) as error:
            if way == ways[-1] or not _about_attention(error):
                raise
    raise AssertionError("the last way either loads or raises")


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turns whatever loading raises into a sentence that says what to do, and loads quietly."""
    name = split_revision(name)[0]
    try:
        with without_weights_bar():
            yield
    except ModelUnavailable:
        raise
    except ImportError as error:
        raise ModelUnavailable(
            f"{name} needs a package that is not installed: {_first_line(error)} {describe(name)}"
        ) from error
    except torch.OutOfMemoryError as error:
        raise ModelUnavailable(
            f"{name} does not fit into this device's memory. {describe(name)} Choose a smaller "
            "model, or serve it elsewhere and give its address as the endpoint."
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelUnavailable(
            f"{name} cannot be loaded. {_advice(name, error)} {describe(name)}"
        ) from error


@contextmanager
def without_weights_bar() -> Iterator[None]:
    """Silences the bar of weights read from disk, and leaves those of downloads."""
    set_hook = getattr(logging, "set_tqdm_hook", None)  # newer than transformers 5.0
    if set_hook is None:
        yield
        return
    before = set_hook(lambda bar, args, keywords: logging.EmptyTqdm(*args, **keywords))
    try:
        yield
    finally:
        set_hook(before)


def _advice(name: str, error: Exception) -> str:
    text = str(error)
    if "trust_remote_code" in text:
        return (
            "It brings code of its own, which runs only if you set trust_remote_code=True; "
            "read that code first."
        )
    if "safetensors" in text:
        return (
            "It has no weights in the safetensors format, and other formats can run code when "
            "they are opened. Convert it first."
        )
    if "does not recognize this architecture" in text or "model type" in text:
        return "This version of transformers does not know it: pip install -U transformers."
    if "offline" in text.lower() or "couldn't connect" in text.lower() or "cached" in text:
        held = cached_commits(name)
        if held:
            return (
                "This revision of it is not in the local cache and the hub cannot be reached. "
                f"The cache holds {', '.join(held[:4])}: give one of them as the revision."
            )
        return (
            "It is not in the local cache and the hub cannot be reached. Download it where there "
            f"is a network (hf download {name}), or give a folder."
        )
    return _first_line(error)


def _first_line(error: Exception) -> str:
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))
    return line if line.endswith((".", "!")) else f"{line}."


def _about_attention(error: Exception) -> bool:
    text = str(error).lower()
    return any(word in text for word in ("attention", "sdpa", "flash"))


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
