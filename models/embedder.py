"""A lens: clips, pictures and texts to vectors, through sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import AutoConfig
from transformers.utils import cached_file

from .errors import ModelUnavailable
from .frames import SampledClip
from .known import KNOWN
from .loading import Place, explained, with_attention
from .memory import Batches
from .source import Source

# How token vectors become one where a checkpoint is a bare transformer: a decoder's last
# token has read all others; Molmo2 was trained to caption, not to embed, so all count alike.
_POOLING = {"qwen3_vl": "lasttoken", "molmo2": "mean"}
_NO_LENSES = ("smolvlm",)
_POOLINGS = ("mean", "lasttoken", "max", "cls")
_ALIGNED = ("as published", "none", "lasttoken")
# Trained on texts padded to this length, and their last token is read: padding is part of it
_PADDED_TEXTS = {"siglip": 64, "siglip2": 64}


class Embedder:
    """One class for every lens: Qwen3-VL-Embedding, Molmo2, SigLIP2, jina v5, mpnet, MiniLM.

    A checkpoint that says how its vectors are made is taken at its word. A bare chat
    model gets the pooling given here, over its real tokens only.

    Args:
        name: a name on the hub, ``name@revision``, or a folder
        pooling: ``mean``, ``lasttoken``, ``max`` or ``cls``; None for what the checkpoint
            says, or else what suits its architecture
        prompt: an instruction that goes before every input; None for the known one
        device: "cuda", "mps", "cpu"; by default the best that is there
        dtype: "bfloat16", "float16", "float32"; by default bfloat16 on a GPU
        trust_remote_code: whether code that comes with the weights may run here
        revision: a commit, a tag or a branch; None for the known or newest commit

    Attributes:
        name: as given, without the revision
        revision: the commit that was loaded, or a short name of a folder's contents
        identity: what loads exactly this model again: ``name@commit``, or the folder
        pooling: the pooling used; "as published" where the checkpoint says; "none" where it
            gives one vector straight away

    Raises:
        ModelUnavailable: a sentence that says why, what to install and how large it is
    """

    def __init__(
        self,
        name: str,
        pooling: str | None = None,
        prompt: str | None = None,
        device: str | None = None,
        dtype: str | None = None,
        trust_remote_code: bool = False,
        revision: str | None = None,
    ):
        if pooling is not None and pooling not in _POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(_POOLINGS)}, not {pooling!r}.")
        self.place = Place.best(device, dtype)
        with explained(name):
            source = Source.of(name, revision, trust_remote_code)
            known = KNOWN.get(source.name)
            published = pooling is None and _has_recipe(source)
            self.pooling = "as published" if published else pooling or _pooling_of(source, known)
            self.model = _load(source, self.place, self.pooling)
            if not published and _is_pooled(self.model[0]):
                self.pooling = "none"
        self.name, self.revision, self.identity = source.name, source.revision, source.identity
        self.prompt = prompt if prompt is not None else (known and known.prompt)

    @property
    def recipe(self) -> dict[str, str]:
        """The keywords by which FiftyOne's zoo loads exactly this lens again."""
        told = {"pooling": self.pooling} if self.pooling in _POOLINGS else {}
        return {"name_or_path": self.identity, **told}

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self.model.get_embedding_dimension())

    @property
    def takes_video(self) -> bool:
        """Whether it reads a clip as a whole."""
        return self._takes("video")

    @property
    def takes_images(self) -> bool:
        """Whether it reads single pictures; clips can then go in frame by frame."""
        return self._takes("image")

    @property
    def takes_text(self) -> bool:
        """Whether it reads texts."""
        return self._takes("text")

    @property
    def sees(self) -> bool:
        """Whether it takes clips, as a whole or frame by frame."""
        return self.takes_video or self.takes_images

    @property
    def shares_space(self) -> bool:
        """Whether a text's vector may be compared with a clip's: made to be, not by chance.

        Mean-pooled hidden states of a chat model put texts and clips far apart.
        """
        return self.sees and self.takes_text and self.pooling in _ALIGNED

    def embed_clips(self, clips: Sequence[SampledClip]) -> np.ndarray:
        """Vectors of clips, all of them in one batch.

        A model without video reads every frame, and the clip's vector is the mean of its
        frames' unit vectors.

        Returns:
            ``n x d`` float32 unit vectors

        Raises:
            ModelUnavailable: if the model reads neither video nor pictures
        """
        if not clips:
            return np.empty((0, self.dimension), np.float32)
        if self.takes_video:
            return self._encode([_video(clip) for clip in clips])
        self.require("clips")
        pictures = [Image.fromarray(frame) for clip in clips for frame in clip.frames]
        vectors = self._encode(pictures)
        ends = np.cumsum([len(clip.frames) for clip in clips])[:-1]
        return _unit(np.stack([part.mean(axis=0) for part in np.split(vectors, ends)]))

    def embed_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Vectors of pictures.

        Args:
            pictures: ``n`` arrays, ``H x W x 3`` uint8 RGB

        Returns:
            ``n x d`` float32 unit vectors
        """
        if not len(pictures):
            return np.empty((0, self.dimension), np.float32)
        return self._encode([Image.fromarray(np.ascontiguousarray(p)) for p in pictures])

    def embed_texts(self, texts: Sequence[str | None], batch_size: int = 32) -> list:
        """Vectors of texts; each different text is encoded once, the longest first.

        Args:
            texts: ``n`` texts; None or blank ones are missing
            batch_size: texts in one forward pass; halved when memory runs out

        Returns:
            ``n`` float32 unit vectors of length ``d``; None where the text is missing, the
            error in the place of one that cannot be encoded
        """
        unique = dict.fromkeys(t for t in texts if isinstance(t, str) and t.strip())
        ordered = sorted(unique, key=len, reverse=True)
        vectors = dict(zip(ordered, Batches(self._encode, batch_size)(ordered)))
        return [vectors.get(text) for text in texts]

    def require(self, medium: str) -> None:
        """Refuses a model that cannot be shown what it is to embed.

        Args:
            medium: ``clips`` or ``texts``

        Raises:
            ModelUnavailable: a sentence that says what to choose instead
        """
        if medium == "clips" and not self.sees:
            raise ModelUnavailable(
                f"{self.name} reads texts only. Choose a visual lens for clips, or name the "
                "field whose texts it is to embed."
            )
        if medium == "texts" and not self.takes_text:
            raise ModelUnavailable(f"{self.name} reads no texts. Choose a lens for texts.")

    def _takes(self, medium: str) -> bool:
        return bool(self.model.supports(medium))

    def _encode(self, inputs: list) -> np.ndarray:
        keywords: dict[str, Any] = {} if self.prompt is None else {"prompt": self.prompt}
        vectors = self.model.encode(
            inputs,
            batch_size=len(inputs),
            normalize_embeddings=True,
            convert_to_tensor=True,
            show_progress_bar=False,
            **keywords,
        )
        return _unit(vectors.float().cpu().numpy())


def _has_recipe(source: Source) -> bool:
    found = cached_file(
        source.name,
        "modules.json",
        revision=source.keywords["revision"],
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return found is not None


def _pooling_of(source: Source, known: Any) -> str:
    if known is not None and known.pooling is not None:
        return known.pooling
    config = AutoConfig.from_pretrained(source.name, **source.keywords)
    if config.model_type in _NO_LENSES:
        raise ModelUnavailable(
            f"{source.name} can be a witness, but no lens: its processor does not take frames "
            "from sentence-transformers. Choose SigLIP2 or Qwen3-VL-Embedding."
        )
    return _POOLING.get(config.model_type, "mean")


def _load(source: Source, place: Place, pooling: str) -> SentenceTransformer:
    def with_way(way: str) -> SentenceTransformer:
        weights = {"dtype": place.dtype, "attn_implementation": way, "use_safetensors": True}
        if pooling == "as published":
            return SentenceTransformer(
                source.name, device=place.device, model_kwargs=weights, **source.keywords
            )
        module = Transformer(
            source.name,
            transformer_task="feature-extraction",
            model_kwargs={**weights, **source.keywords},
            processor_kwargs=dict(source.keywords),
            config_kwargs=dict(source.keywords),
        )
        return SentenceTransformer(modules=_modules(module, pooling), device=place.device)

    model, _ = with_attention(place, with_way)
    _prepare(model[0], pooling)
    return model.eval()


def _modules(module: Transformer, pooling: str) -> list:
    if _is_pooled(module):
        return [module, Normalize()]
    return [module, Pooling(module.get_embedding_dimension(), pooling), Normalize()]


def _is_pooled(module: Any) -> bool:
    """Whether a module gives one vector straight away, as two-tower models (SigLIP) do."""
    return getattr(module, "module_output_name", None) == "sentence_embedding"


def _prepare(module: Any, pooling: str) -> None:
    if not isinstance(module, Transformer):
        return
    # Frames are sampled before, in one place, and a processor must not sample them again
    given = dict(module.processing_kwargs)
    given["video"] = {**given.get("video", {}), "do_sample_frames": False}
    if pooling == "lasttoken":
        chat = given.get("chat_template", {})
        given["chat_template"] = {"add_generation_prompt": True, **chat}
    if length := _PADDED_TEXTS.get(module.config.model_type):
        padded = {"padding": "max_length", "max_length": length, "truncation": True}
        given["text"] = {**padded, **given.get("text", {})}
    module.processing_kwargs = given
    if "message" in module.modality_config:
        module.tokenizer.padding_side = "left"


def _video(clip: SampledClip) -> dict:
    frames = torch.from_numpy(clip.frames).permute(0, 3, 1, 2)  # T C H W
    return {"array": frames, "video_metadata": clip.video_metadata()}


def _unit(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1.0)).astype(np.float32)
