"""The models this audit was made for: what they are for, how large, under which licence.

Any other model of the same architectures loads as well; a name not listed here is
simply not known beforehand.

A ``revision`` of None is not pinned: the hub's newest commit is loaded, a warning says
so, and the commit that was loaded is recorded with every result. Give
``name@commit`` to pin one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownModel:
    """What is known of a published model before it is loaded.

    Attributes:
        name: its name on the Hugging Face hub
        kind: ``lens`` for embeddings, ``witness`` for answers
        media: what it takes: ``video``, ``image`` (clips go in frame by frame) or ``text``
        billions: parameters, in billions; in 16 bits each takes 2 GB
        licence: the licence of its weights
        revision: the commit to load; None for the newest
        pooling: how token vectors become one, where the checkpoint does not say itself
        prompt: the instruction that embeddings are made with, if it needs one
        packages: what it needs beside torch, transformers and sentence-transformers
        prompt_name: which of the checkpoint's own prompts texts are encoded with
    """

    name: str
    kind: str
    media: str
    billions: float
    licence: str
    revision: str | None = None
    pooling: str | None = None
    prompt: str | None = None
    packages: tuple[str, ...] = ()
    prompt_name: str | None = None

    @property
    def size(self) -> str:
        """Its size as a person reads it."""
        return f"about {self.billions:g} billion parameters, {2 * self.billions:.1f} GB in 16 bits"


_APACHE = "Apache-2.0"
_JINA = "CC-BY-NC-4.0: not for commercial use"
_VIDEO = ("torchvision", "accelerate")
_INSTRUCTION = "Represent the user's input."

_MODELS = (
    KnownModel(
        "Qwen/Qwen3-VL-Embedding-2B", "lens", "video", 2.1, _APACHE,
        pooling="lasttoken", prompt=_INSTRUCTION, packages=_VIDEO,
    ),
    KnownModel(
        "Qwen/Qwen3-VL-Embedding-8B", "lens", "video", 8.1, _APACHE,
        pooling="lasttoken", prompt=_INSTRUCTION, packages=_VIDEO,
    ),
    KnownModel("google/siglip2-base-patch16-224", "lens", "image", 0.38, _APACHE),
    KnownModel(
        "allenai/Molmo2-4B", "lens", "video", 4.9, _APACHE, pooling="mean", packages=_VIDEO
    ),
    KnownModel("allenai/Molmo2-8B", "witness", "video", 8.7, _APACHE, packages=_VIDEO),
    KnownModel("allenai/Molmo2-O-7B", "witness", "video", 7.8, _APACHE, packages=_VIDEO),
    KnownModel("Qwen/Qwen3-VL-2B-Instruct", "witness", "video", 2.1, _APACHE, packages=_VIDEO),
    KnownModel("Qwen/Qwen3-VL-4B-Instruct", "witness", "video", 4.4, _APACHE, packages=_VIDEO),
    KnownModel("Qwen/Qwen3-VL-8B-Instruct", "witness", "video", 8.8, _APACHE, packages=_VIDEO),
    KnownModel(
        "HuggingFaceTB/SmolVLM2-256M-Video-Instruct", "witness", "video", 0.26, _APACHE,
        packages=(*_VIDEO, "num2words"),
    ),
    KnownModel(
        "HuggingFaceTB/SmolVLM2-2.2B-Instruct", "witness", "video", 2.2, _APACHE,
        packages=(*_VIDEO, "num2words"),
    ),
    KnownModel("jinaai/jina-embeddings-v5-text-small-clustering", "lens", "text", 0.6, _JINA),
    KnownModel("jinaai/jina-embeddings-v5-text-small-classification", "lens", "text", 0.6, _JINA),
    KnownModel("sentence-transformers/all-mpnet-base-v2", "lens", "text", 0.11, _APACHE),
    KnownModel(
        "sentence-transformers/all-MiniLM-L6-v2", "lens", "text", 0.023, _APACHE
    ),
)  # fmt: skip

#: ``{name on the hub: what is known}``.
KNOWN = {model.name: model for model in _MODELS}


def split_revision(name: str) -> tuple[str, str | None]:
    """Reads ``name@revision`` into both; a bare name gives the pinned revision, if any."""
    base, at, revision = name.rpartition("@")
    if at and base:
        return base, revision
    known = KNOWN.get(name)
    return name, known.revision if known else None


def warn_if_unpinned(name: str, revision: str | None, is_local: bool) -> None:
    """Says plainly that a model may change from one run to the next."""
    if revision is None and not is_local:
        logger.warning(
            "%s is not pinned to a revision: the newest one is loaded. The commit is recorded "
            "with the results; give %s@<commit> to load the same weights again.",
            name,
            name,
        )


def describe(name: str) -> str:
    """How large a model is and what it needs, for a sentence in an error."""
    known = KNOWN.get(name)
    if known is None:
        return f"Its size is not known here; see https://huggingface.co/{name}."
    needs = f" It needs: pip install {' '.join(known.packages)}." if known.packages else ""
    return f"It has {known.size}.{needs}"
