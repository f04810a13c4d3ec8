"""Lenses and witnesses as FiftyOne's own models, and as a source for its model zoo.

``dataset.compute_embeddings`` and ``dataset.apply_model`` take them; FiftyOne hands a
video to a model one at a time, so the stages ``embed`` and ``caption``, which batch and
decode ahead, are the faster way to the same numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary, finalize

import fiftyone as fo
import fiftyone.core.models as fom
import numpy as np

from .decoding import Decoder
from .findings import read_findings
from .frames import Clip, SampledClip, Sampling
from .generation import Generation
from .known import KNOWN, split_revision
from .labels import frame_labels, sample_labels
from .prompts import TASK_NAMES, read_task

if TYPE_CHECKING:
    from .embedder import Embedder

#: Any lens, by the keyword ``name_or_path``: what an index for text search remembers.
ANY_LENS = "second-opinion/lens"
#: Any witness, by the keyword ``name_or_path``.
ANY_WITNESS = "second-opinion/witness"

_SAMPLING = ("fps", "max_frames", "max_pixels", "mode", "timeout")
_GENERATION = ("max_new_tokens", "sample", "temperature", "top_p", "seed")
_live: WeakValueDictionary = WeakValueDictionary()


class _Watching:
    """Decodes in a process of its own, which a file that hangs or crashes it cannot outlive.

    FiftyOne holds a model as a context while it works, and the process ends with that. Before it
    asks a model, FiftyOne opens the file itself, by ffprobe and ffmpeg, and waits for those.
    """

    sampling: Sampling
    _decoder: Decoder | None = None

    def frames_of(self, arg: Any) -> SampledClip:
        """The frames of a video, given FiftyOne's reader of it, or its path.

        Raises:
            FrameError: as :meth:`~.decoding.Decoder.read`
        """
        if self._decoder is None:
            self._decoder = Decoder()
            self._rest = finalize(self, self._decoder.close)
        return self._decoder.read(_clip(arg), self.sampling)

    def __exit__(self, *error: object) -> None:
        if self._decoder is not None:
            self._decoder = None
            self._rest()


class LensModel(_Watching, fom.Model, fom.EmbeddingsMixin, fom.PromptMixin):
    """A lens as FiftyOne uses models.

    Args:
        embedder: the lens
        sampling: which frames of a video it sees
        media_type: ``video``, ``image`` or ``text``
    """

    def __init__(self, embedder: Embedder, sampling: Sampling, media_type: str = "video"):
        self.embedder, self.sampling = embedder, sampling
        self._media_type = media_type
        self.preprocess = False

    media_type = property(lambda self: self._media_type)
    ragged_batches = property(lambda self: False)
    transforms = property(lambda self: None)
    has_embeddings = property(lambda self: True)

    @property
    def can_embed_prompts(self) -> bool:
        """Whether a text's vector may be compared with those that are indexed."""
        return self._media_type == "text" or self.embedder.shares_space

    @property
    def preprocess(self) -> bool:
        """Frames need none: they are decoded here."""
        return self._preprocess

    @preprocess.setter
    def preprocess(self, value: bool) -> None:
        self._preprocess = value

    def embed(self, arg: Any) -> np.ndarray:
        """The vector of a video, given FiftyOne's reader of it, of a picture or a text."""
        return self.embed_all([arg])[0]

    def embed_all(self, args: Sequence) -> np.ndarray:
        """The vectors of several videos, pictures or texts, as one batch."""
        if self._media_type == "text":
            return self.embed_prompts(args)
        if self._media_type == "image":
            return self.embedder.embed_images(list(args))
        return self.embedder.embed_clips([self.frames_of(arg) for arg in args])

    def embed_prompt(self, arg: str) -> np.ndarray:
        """The vector of a text."""
        return self.embed_prompts([arg])[0]

    def embed_prompts(self, args: Sequence[str]) -> np.ndarray:
        """The vectors of texts."""
        vectors = self.embedder.embed_texts(list(args))
        if any(isinstance(vector, Exception) for vector in vectors):
            raise next(vector for vector in vectors if isinstance(vector, Exception))
        return np.stack(vectors)


class WitnessModel(_Watching, fom.Model, fom.SamplesMixin):
    """A witness as FiftyOne uses models.

    Args:
        annotator: the witness
        sampling: which frames of a video it sees
        generation: how it writes
        operation: the task, such as ``comprehensive``
        custom_prompt: words of one's own, which ``custom`` needs

    Attributes:
        operation: the task; may be changed between runs
        custom_prompt: the words; may be changed between runs
    """

    def __init__(
        self,
        annotator: Any,
        sampling: Sampling,
        generation: Generation,
        operation: str = "comprehensive",
        custom_prompt: str | None = None,
    ):
        fom.SamplesMixin.__init__(self)
        self.annotator, self.sampling, self.generation = annotator, sampling, generation
        self.operation, self.custom_prompt = operation, custom_prompt
        read_task(operation, custom_prompt)

    media_type = property(lambda self: "video")
    ragged_batches = property(lambda self: False)
    transforms = property(lambda self: None)
    preprocess = False

    def predict(self, arg: Any, sample: fo.Sample | None = None) -> dict:
        """The labels of one video, given FiftyOne's reader of it.

        Raises:
            ValueError: if the answer cannot be read
        """
        task = read_task(self.operation, self.custom_prompt)
        clip = self.frames_of(arg)
        (reply,) = self.annotator.annotate([clip], task.prompt, self.generation, task.schema)
        if isinstance(reply, Exception):
            raise reply
        if task.name == "action100m":
            return {"raw": reply.text}
        found = read_findings(task.name, reply.text, clip.record.duration)
        if not found.readable:
            raise ValueError(f"The answer cannot be read: {reply.text[:200]!r}")
        if found.boxes:
            return frame_labels(found, clip.record)
        return sample_labels(task.name, found, clip.record)


def lens(name: str, **settings: Any) -> Embedder:
    """A lens, loaded once for as long as somebody holds it.

    Args:
        name: a name on the hub, ``name@revision``, or a folder
        **settings: what :class:`~.embedder.Embedder` takes
    """
    from .embedder import Embedder

    key = json.dumps([name, {k: v for k, v in settings.items() if v}], sort_keys=True)
    loaded = _live.get(key)
    if loaded is None:
        loaded = _live[key] = Embedder(name, **settings)
    return loaded


def download_model(model_name: str, model_path: str) -> None:
    """FiftyOne's zoo asks for this: puts weights into Hugging Face's cache, where all share them.

    The file left at ``model_path`` only tells which commit of which model it is.
    """
    source: dict[str, str | None] = {"name_or_path": None}
    if model_name not in (ANY_LENS, ANY_WITNESS):
        from huggingface_hub import snapshot_download

        name, revision = split_revision(model_name)
        kept = snapshot_download(
            name,
            revision=revision,
            ignore_patterns=["*.bin", "*.pt", "*.pth", "*.onnx", "*.msgpack", "*.h5", "*.gguf"],
        )
        source = {"name_or_path": f"{name}@{Path(kept).name}"}
    Path(model_path).write_text(json.dumps(source), encoding="utf-8")


def load_model(model_name: str, model_path: str | None = None, **kwargs: Any) -> fom.Model:
    """FiftyOne's zoo asks for this: a lens or a witness by its name.

    Args:
        model_name: a name of ``manifest.json``
        model_path: the file that :func:`download_model` left, or a folder of weights
        **kwargs: of the frames (``fps``, ``max_frames``, ``max_pixels``, ``mode``,
            ``timeout``), of the model (``name_or_path``, ``pooling``, ``prompt``, ``device``,
            ``dtype``, ``revision``, ``trust_remote_code``, ``media_type``), of the answer
            (``operation``, ``custom_prompt``, ``max_new_tokens``, ``sample``,
            ``temperature``, ``top_p``, ``seed``), and ``role`` (``lens`` or ``witness``)
    """
    name = kwargs.pop("name_or_path", None) or _pointed(model_path) or model_name
    # A revision of one's own takes the place of the one that was downloaded
    name = split_revision(name)[0] if kwargs.get("revision") else name
    if name in (ANY_LENS, ANY_WITNESS):
        raise ValueError(f"{name} needs the keyword name_or_path: which model to load.")
    role = kwargs.pop("role", None) or _role(model_name)
    sampling = Sampling(**{k: kwargs.pop(k) for k in _SAMPLING if kwargs.get(k) is not None})
    if role == "lens":
        media_type = kwargs.pop("media_type", None)
        embedder = lens(name, **kwargs)
        return LensModel(embedder, sampling, media_type or ("video" if embedder.sees else "text"))
    from .annotator import Annotator

    told = {k: kwargs.pop(k) for k in ("operation", "custom_prompt") if k in kwargs}
    written = Generation(**{k: kwargs.pop(k) for k in _GENERATION if kwargs.get(k) is not None})
    return WitnessModel(Annotator(name, **kwargs), sampling, written, **told)


def resolve_input(model_name: str, ctx: Any) -> fo.operators.types.Property:
    """FiftyOne's zoo asks for this: the form of a model's settings in the App."""
    from fiftyone.operators import types

    inputs = types.Object()
    if model_name in (ANY_LENS, ANY_WITNESS):
        inputs.str("name_or_path", required=True, label="Model", description="A name or a folder")
    inputs.float("fps", default=2.0, label="Frames a second", description="Of each video")
    inputs.int("max_frames", default=32, label="Most frames", description="Of each video")
    if _role(model_name) == "witness":
        inputs.enum("operation", TASK_NAMES, default="comprehensive", label="Task")
        inputs.str("custom_prompt", label="Prompt", description="Words of your own")
    return types.Property(inputs)


def _clip(reader: Any) -> Clip:
    """What FiftyOne's reader of a video was opened for: a file, perhaps a part of it."""
    if isinstance(reader, str):
        return Clip(reader)
    numbers = [int(number) for number in re.split("[,-]", reader.frames)]  # such as "1-100"
    return Clip(reader.inpath, (numbers[0], numbers[-1]))


def _pointed(model_path: str | None) -> str | None:
    if model_path is None:
        return None
    path = Path(model_path)
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))["name_or_path"]
    return model_path if (path / "config.json").is_file() else None


def _role(model_name: str) -> str:
    if model_name in (ANY_LENS, ANY_WITNESS):
        return "lens" if model_name == ANY_LENS else "witness"
    known = KNOWN.get(split_revision(model_name)[0])
    return known.kind if known else "witness"
