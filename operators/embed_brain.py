"""What FiftyOne's brain makes of vectors: a map, an index, uniqueness, representativeness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import fiftyone as fo

from ..engine.columns import root_dataset
from ..engine.progress import Progress

if TYPE_CHECKING:
    from ..models.embedder import Embedder
    from .embed import EmbedSettings

METHODS = ("visualization", "similarity", "uniqueness", "representativeness")
LAYOUTS = ("umap", "pca", "tsne")
#: ``{method: suffix of its brain run}``, as the workshop has them. FiftyOne gives the last
#: two the name of the field that they fill.
_KEYS = {
    "visualization": "viz",
    "similarity": "sim",
    "uniqueness": "uniqueness",
    "representativeness": "rep",
}
#: ``{method: (suffix of the field that it fills, what that holds)}``.
FIELDS = {
    "uniqueness": ("uniqueness", "How unlike the others this sample is, 0 to 1"),
    "representativeness": ("rep", "How much this sample stands for the others, 0 to 1"),
}
# Fewer points have no neighbourhoods to speak of; FiftyOne's representativeness makes 20 clusters
_FEWEST = {"visualization": 5, "similarity": 1, "uniqueness": 5, "representativeness": 20}


def brain_key(stem: str, method: str) -> str:
    """The key of a brain run, such as ``qwen_viz``."""
    return f"{stem}_{_KEYS[method]}"


def fields(settings: EmbedSettings) -> dict[str, tuple]:
    """The sample fields that will be filled: ``{name: (field type, description)}``."""
    return {
        f"{settings.stem}_{name}": (fo.FloatField, description)
        for method, (name, description) in FIELDS.items()
        if method in settings.brain
    }


def check(dataset: fo.Dataset, stem: str, methods: Sequence[str], field: str) -> dict[str, str]:
    """What stands in the way: brain runs of other vectors that carry our keys."""
    for method in methods:
        key = brain_key(stem, method)
        if dataset.has_brain_run(key):
            config = dataset.get_brain_info(key).config
            if getattr(config, "embeddings_field", None) != field:
                return {
                    "brain": f"Brain: the dataset has a brain run {key!r} of other vectors. "
                    "Rename it, or choose another field of vectors."
                }
    return {}


def run(
    samples: fo.core.collections.SampleCollection,
    settings: EmbedSettings,
    model: Embedder,
    changed: bool,
    progress: Progress,
) -> list[str]:
    """Makes what is asked for of the vectors.

    Args:
        samples: the samples
        settings: the stage's settings
        model: the lens, for search by text
        changed: whether vectors are new, so that earlier runs are out of date
        progress: where to tell how far it has come

    Returns:
        a sentence for each method
    """
    if not settings.brain:
        return []
    view = samples.exists(settings.field)
    count, told = view.count(), []
    with progress.step("Mapping and indexing", len(settings.brain)) as advance:
        for method in METHODS:
            if method not in settings.brain:
                continue
            key = brain_key(settings.stem, method)
            fewest = _FEWEST[method]
            if count < fewest:
                told.append(f"No {method}: it needs {fewest} vectors, and there are {count:,}.")
            elif _is_current(samples, key, changed, settings.overwrite):
                told.append(f"{method.capitalize()} {key!r} was up to date.")
            else:
                told.append(_MAKERS[method](view, settings, model, key))
            advance(1)
    return told


def _is_current(
    samples: fo.core.collections.SampleCollection, key: str, changed: bool, overwrite: bool
) -> bool:
    dataset = root_dataset(samples)
    if not dataset.has_brain_run(key):
        return False
    fills_field = any(key.endswith(f"_{field}") for field, _ in FIELDS.values())
    lost = fills_field and not dataset.exists(key).limit(1).count()  # the field's name is the run's
    if not changed and not overwrite and not lost:
        return True
    if not fills_field:
        dataset.delete_brain_run(key)  # the others are replaced, and would take their field along
    return False


def _visualize(view: fo.DatasetView, settings: EmbedSettings, model: Embedder, key: str) -> str:
    import fiftyone.brain as fob

    count = view.count()
    own = {"umap": {"n_neighbors": min(15, count - 1)}, "tsne": {"perplexity": min(30, count / 3)}}
    if settings.layout == "umap" and count <= 20:
        own["umap"]["init"] = "random"  # its spectral start needs more points than dimensions
    fob.compute_visualization(
        view,
        embeddings=settings.field,
        brain_key=key,
        method=settings.layout,
        seed=51,
        verbose=False,
        **own.get(settings.layout, {}),
    )
    return f"Map {key!r}: {count:,} points by {settings.layout}."


def _index(view: fo.DatasetView, settings: EmbedSettings, model: Embedder, key: str) -> str:
    import fiftyone.brain as fob

    by_text = {}
    if model.shares_space or settings.reads_texts:
        from ..models.zoo import ANY_LENS
        from ..models.zoo_source import make_known

        make_known()
        keywords = dict(model.recipe)
        if settings.reads_texts:
            keywords["media_type"] = "text"
        if settings.trust_remote_code:
            keywords["trust_remote_code"] = True
        by_text = {"model": ANY_LENS, "model_kwargs": keywords}
    fob.compute_similarity(
        view, embeddings=settings.field, brain_key=key, metric="cosine", **by_text
    )
    ways = "by sample and by text" if by_text else "by sample; this lens shares no space with texts"
    return f"Index {key!r}: search {ways}."


def _rank_unique(view: fo.DatasetView, settings: EmbedSettings, model: Embedder, key: str) -> str:
    import fiftyone.brain as fob

    field = f"{settings.stem}_{FIELDS['uniqueness'][0]}"
    fob.compute_uniqueness(view, uniqueness_field=field, embeddings=settings.field)
    return f"Uniqueness: {field}, of {view.count():,} samples."


def _rank_typical(view: fo.DatasetView, settings: EmbedSettings, model: Embedder, key: str) -> str:
    import fiftyone.brain as fob

    field = f"{settings.stem}_{FIELDS['representativeness'][0]}"
    fob.compute_representativeness(view, representativeness_field=field, embeddings=settings.field)
    return f"Representativeness: {field}, of {view.count():,} samples."


_MAKERS = {
    "visualization": _visualize,
    "similarity": _index,
    "uniqueness": _rank_unique,
    "representativeness": _rank_typical,
}
