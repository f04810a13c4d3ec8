"""The models this audit was made for: what they are for, how large, under which licence.

Any other model of the same architectures loads as well; a name not listed here is
simply not known beforehand.

``revision`` is the commit that is loaded unless another one is asked for. It is the newest
that other people's public work was seen to load by its number, in two places or more; None
where none was seen, and the newest of the hub is then loaded, recorded and kept to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KnownModel:
    """What is known of a published model before it is loaded.

    Attributes:
        name: its name on the Hugging Face hub
        kind: ``lens`` for embeddings, ``witness`` for answers
        media: what it takes: ``video``, ``image`` (clips go in frame by frame) or ``text``
        billions: parameters, in billions; in 16 bits each takes 2 GB of memory
        download: GB on disk, about twice as much where weights are published in 32 bits
        licence: the licence of its weights
        revision: the commit to load; None for the newest
        pooling: how token vectors become one, where the checkpoint does not say itself
        prompt: what goes before everything that is embedded, if it needs something
        packages: what it needs beside torch, transformers and sentence-transformers
    """

    name: str
    kind: str
    media: str
    billions: float
    download: float
    licence: str
    revision: str | None = None
    pooling: str | None = None
    prompt: str | None = None
    packages: tuple[str, ...] = ()

    @property
    def size(self) -> str:
        """Its size as a person reads it."""
        return (
            f"{self.billions:g} billion parameters, {2 * self.billions:.1f} GB of memory in 16 "
            f"bits and {self.download:g} GB to download"
        )


_APACHE = "Apache-2.0"
_JINA = "CC-BY-NC-4.0: not for commercial use"
_VIDEO = ("torchvision", "accelerate")
_INSTRUCTION = "Represent the user's input."
_DOCUMENT = "Document: "

_MODELS = (
    KnownModel(
        "Qwen/Qwen3-VL-Embedding-2B", "lens", "video", 2.13, 4.3, _APACHE,
        "9f2f7e710d6d81056aa5c0a4f04764fec6bb7bda", "lasttoken", _INSTRUCTION, _VIDEO,
    ),
    KnownModel(
        "Qwen/Qwen3-VL-Embedding-8B", "lens", "video", 8.14, 16.3, _APACHE,
        "2c4565515e0f265c6511776e7193b22c0968ddc7", "lasttoken", _INSTRUCTION, _VIDEO,
    ),
    KnownModel(
        "google/siglip2-base-patch16-224", "lens", "image", 0.38, 1.5, _APACHE,
        "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
    ),
    KnownModel(
        "allenai/Molmo2-4B", "lens", "video", 4.85, 19.4, _APACHE,
        "042abfa7a38879a376cec03d949eff0aefaa0600", "mean", packages=_VIDEO,
    ),
    KnownModel(
        "allenai/Molmo2-8B", "witness", "video", 8.67, 34.7, _APACHE,
        "e28fa28597e5ec5e0cca2201dd8ab33d48bc4a1b", packages=_VIDEO,
    ),
    KnownModel(
        "allenai/Molmo2-O-7B", "witness", "video", 7.76, 31.0, _APACHE,
        "784410650d12be9bc086118fdefa32d2c3bced86", packages=_VIDEO,
    ),
    KnownModel(
        "Qwen/Qwen3-VL-2B-Instruct", "witness", "video", 2.13, 4.3, _APACHE,
        "89644892e4d85e24eaac8bacfd4f463576704203", packages=_VIDEO,
    ),
    KnownModel(
        "Qwen/Qwen3-VL-4B-Instruct", "witness", "video", 4.44, 8.9, _APACHE,
        "ebb281ec70b05090aa6165b016eac8ec08e71b17", packages=_VIDEO,
    ),
    KnownModel(
        "Qwen/Qwen3-VL-8B-Instruct", "witness", "video", 8.77, 17.5, _APACHE,
        "0c351dd01ed87e9c1b53cbc748cba10e6187ff3b", packages=_VIDEO,
    ),
    KnownModel(
        "HuggingFaceTB/SmolVLM2-256M-Video-Instruct", "witness", "video", 0.26, 0.5, _APACHE,
        "067788b187b95ebe7b2e040b3e4299e342e5b8fd", packages=(*_VIDEO, "num2words"),
    ),
    KnownModel(
        "HuggingFaceTB/SmolVLM2-2.2B-Instruct", "witness", "video", 2.25, 4.5, _APACHE,
        "482adb537c021c86670beed01cd58990d01e72e4", packages=(*_VIDEO, "num2words"),
    ),
    KnownModel(
        "jinaai/jina-embeddings-v5-text-small-clustering", "lens", "text", 0.6, 1.2, _JINA,
        prompt=_DOCUMENT,
    ),
    KnownModel(
        "jinaai/jina-embeddings-v5-text-small-classification", "lens", "text", 0.6, 1.2, _JINA,
        "4447914a9b5b2fb00db3ce0884602b47a08f9458", prompt=_DOCUMENT,
    ),
    KnownModel(
        "sentence-transformers/all-mpnet-base-v2", "lens", "text", 0.11, 0.44, _APACHE,
        "e8c3b32edf5434bc2275fc9bab85f82640a19130",
    ),
    KnownModel(
        "sentence-transformers/all-MiniLM-L6-v2", "lens", "text", 0.023, 0.09, _APACHE,
        "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    ),
)  # fmt: skip

_FIRST = "sentence-transformers"

#: ``{name on the hub: what is known}``.
KNOWN = {model.name: model for model in _MODELS}


def split_revision(name: str, revision: str | None = None) -> tuple[str, str | None]:
    """Reads a name and which revision of it is meant.

    Args:
        name: a name on the hub, or ``name@revision``
        revision: a commit, a tag or a branch; None for the known one

    Returns:
        the bare name, and the revision; None for the newest
    """
    base, at, given = name.rpartition("@")
    if not (at and base):
        base, given = name, ""
    if f"{_FIRST}/{base}" in KNOWN:
        base = f"{_FIRST}/{base}"  # their models go by bare names too
    known = KNOWN.get(base)
    return base, revision or given or (known.revision if known else None)


def describe(name: str) -> str:
    """How large a model is and what it needs, for a sentence in an error."""
    known = KNOWN.get(name)
    if known is not None:
        needs = f" It needs: pip install {' '.join(known.packages)}." if known.packages else ""
        return f"It has {known.size}.{needs}"
    if Path(name).is_dir():
        held = sum(path.stat().st_size for path in Path(name).glob("*.safetensors"))
        size = f"{held / 1e9:.1f} GB" if held > 1e9 else f"{held / 1e6:.0f} MB"
        return f"The folder holds {size} of weights."
    return f"Its size is not known here; see https://huggingface.co/{name}."
