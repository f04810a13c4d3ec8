"""The lenses by name: which model each is, and how it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo

from .revisions import revision_of

if TYPE_CHECKING:
    from ..models.embedder import Embedder

#: ``{lens: (stem of its fields, model on a GPU, small model)}``, with the workshop's names.
LENSES = {
    "visual": ("qwen", "Qwen/Qwen3-VL-Embedding-2B", "google/siglip2-base-patch16-224"),
    "grounding": ("molmo", "allenai/Molmo2-4B", "allenai/Molmo2-4B"),
    "transcript": (
        "text",
        "jinaai/jina-embeddings-v5-text-small-clustering",
        "all-MiniLM-L6-v2",
    ),
}


def load_lens(
    lens: str,
    model: str | None,
    trust_remote_code: bool = False,
    revision: str | None = None,
    dataset: fo.Dataset | None = None,
) -> Embedder:
    """Loads a lens's model, or another one in its place.

    Args:
        lens: a name of :data:`LENSES`
        model: a name, ``name@revision`` or a folder; None for the lens's own, the small
            one where there is no GPU
        trust_remote_code: whether code that comes with the weights may run here
        revision: a commit, a tag or a branch
        dataset: where no revision is asked for, the one that its results were made with

    Raises:
        ModelUnavailable: a sentence that says why, what to install and how large it is
    """
    import torch

    from ..models.encoder import EMBEDDED_MODEL, embedded_model_folder
    from ..models.zoo import lens as loaded

    if model is None:
        _, large, small = LENSES[lens]
        model = large if torch.cuda.is_available() else small
    if model == EMBEDDED_MODEL:
        model = str(embedded_model_folder() or f"sentence-transformers/{EMBEDDED_MODEL}")
    # Molmo2 is a witness as well; as a lens its hidden states are averaged
    pooling = "mean" if lens == "grounding" else None
    revision = revision_of(dataset, model, revision)
    return loaded(model, pooling=pooling, trust_remote_code=trust_remote_code, revision=revision)
