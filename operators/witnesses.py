"""A witness, whether it runs here or behind a server: clips in, replies out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from .media_work import Item, in_batches
from .revisions import revision_of

if TYPE_CHECKING:
    from ..models.annotator import Annotator
    from ..models.endpoint import Endpoint
    from ..models.frames import SampledClip
    from .caption import CaptionSettings

Asked = Iterable[tuple[Item, "SampledClip"]]
Answered = Iterator[tuple[Item, "SampledClip", Any]]


def open_witness(settings: CaptionSettings, dataset: fo.Dataset) -> Witness:
    """Loads the model, or reaches the server.

    Args:
        settings: the stage's settings
        dataset: whose results say which version of the model to load

    Raises:
        ModelUnavailable: a sentence that says why, and what to do
    """
    if settings.endpoint:
        try:
            from ..models.endpoint import Endpoint
        except ImportError as error:
            from ..models.errors import ModelUnavailable

            raise ModelUnavailable("An endpoint needs: pip install httpx.") from error
        served = Endpoint(settings.endpoint, settings.model, settings.in_flight)
        return ServedWitness(served, settings)
    from ..models.annotator import Annotator

    annotator = Annotator(
        settings.model,
        trust_remote_code=settings.trust_remote_code,
        revision=revision_of(dataset, settings.model, settings.revision),
    )
    return LocalWitness(annotator, settings)


class Witness:
    """Somebody who can be asked about clips.

    Attributes:
        name: the model's name
        revision: what was loaded, or where it is served
        version: what tells its answers from those of another version: the revision, or what
            a person says of a served one, which may move to another address
        holds_schema: whether answers are held to the task's schema while they are written
    """

    name: str
    revision: str
    version: str
    holds_schema: bool

    def ask(self, clips: Asked) -> Answered:
        """Yields each clip with its reply, or the error that replaces it."""
        raise NotImplementedError


class LocalWitness(Witness):
    """A witness on this machine, asked in batches."""

    def __init__(self, annotator: Annotator, settings: CaptionSettings):
        from ..models.constrained import SchemaConstraint

        self._annotator, self._settings = annotator, settings
        self.name = annotator.name
        self.revision = self.version = annotator.revision
        held = settings.asked().schema is not None
        self.holds_schema = held and SchemaConstraint.available()

    def ask(self, clips: Asked) -> Answered:
        task, generation = self._settings.asked(), self._settings.generation()

        def run(batch: list[SampledClip]) -> list:
            return self._annotator.annotate(batch, task.prompt, generation, task.schema)

        return in_batches(clips, run, self._settings.batch_size)


class ServedWitness(Witness):
    """A witness behind an OpenAI-compatible server, with many requests in flight."""

    def __init__(self, endpoint: Endpoint, settings: CaptionSettings):
        self._endpoint, self._settings = endpoint, settings
        self.name, self.version = endpoint.name, settings.revision or "served"
        told = f"{settings.revision} as you say, " if settings.revision else ""
        self.revision = f"{told}{endpoint.revision}"
        self.holds_schema = settings.asked().schema is not None

    def ask(self, clips: Asked) -> Answered:
        task, generation = self._settings.asked(), self._settings.generation()
        waiting: dict[int, tuple[Item, SampledClip]] = {}

        def asked() -> Iterator[tuple[SampledClip, str]]:
            for place, (item, clip) in enumerate(clips):
                waiting[place] = item, clip
                yield clip, task.prompt

        for place, reply in self._endpoint.annotate_all(asked(), generation, task.schema):
            yield (*waiting.pop(place), reply)
