"""A witness, whether it runs here or behind a server: clips in, replies out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .media_work import Item, in_batches

if TYPE_CHECKING:
    from ..models.annotator import Annotator
    from ..models.endpoint import Endpoint
    from ..models.frames import SampledClip
    from .caption import CaptionSettings

Asked = Iterable[tuple[Item, "SampledClip"]]
Answered = Iterator[tuple[Item, "SampledClip", Any]]


def open_witness(settings: CaptionSettings) -> Witness:
    """Loads the model, or reaches the server.

    Raises:
        ModelUnavailable: a sentence that says why, and what to do
    """
    if settings.endpoint:
        from ..models.endpoint import Endpoint

        served = Endpoint(settings.endpoint, settings.model, settings.in_flight)
        return ServedWitness(served, settings)
    from ..models.annotator import Annotator

    return LocalWitness(
        Annotator(settings.model, trust_remote_code=settings.trust_remote_code), settings
    )


class Witness:
    """Somebody who can be asked about clips.

    Attributes:
        name: the model's name
        revision: what was loaded, or where it is served
        holds_schema: whether answers are held to the task's schema while they are written
    """

    name: str
    revision: str
    holds_schema: bool

    def ask(self, clips: Asked) -> Answered:
        """Yields each clip with its reply, or the error that replaces it."""
        raise NotImplementedError


class LocalWitness(Witness):
    """A witness on this machine, asked in batches."""

    def __init__(self, annotator: Annotator, settings: CaptionSettings):
        from ..models.constrained import SchemaConstraint

        self._annotator, self._settings = annotator, settings
        self.name, self.revision = annotator.name, annotator.revision
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
        self.name, self.revision = endpoint.name, endpoint.revision
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
