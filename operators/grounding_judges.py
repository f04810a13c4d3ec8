"""Who judges: the model, server or judge of one's own behind each method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .grounding_settings import (
    POINTING_MODEL,
    RERANK_MODEL,
    YES_MODEL,
    GroundSettings,
)

if TYPE_CHECKING:
    from ..models.annotator import Annotator
    from ..models.endpoint import Endpoint
    from ..models.judging import Judge


def open_judge(method: str, settings: GroundSettings) -> Judge:
    """Loads a method's model, or reaches its server.

    Raises:
        ModelUnavailable: a sentence that says why, and what to do
    """
    if method == "own":
        from ..models.judging import registered

        return registered()[settings.judge]()
    if method == "rerank":
        if address := settings.rerank_endpoint or settings.endpoint:
            from ..models.judge_rerank_served import ServedRerankJudge

            return ServedRerankJudge(_served(settings.rerank_model, address, settings))

        from ..models.judge_rerank import RerankJudge

        return RerankJudge(_local(settings.rerank_model or RERANK_MODEL, settings))
    if method == "pointing":
        from ..models.judge_pointing import PointingJudge

        model, address = settings.pointing_model, settings.pointing_endpoint or settings.endpoint
        return PointingJudge(
            _served(model, address, settings)
            if address
            else _local(model or POINTING_MODEL, settings)
        )
    if settings.endpoint:
        from ..models.judge_served import ServedYesJudge

        return ServedYesJudge(_served(settings.model, settings.endpoint, settings))
    from ..models.judge_yes import YesJudge

    return YesJudge(_local(settings.model or YES_MODEL, settings), settings.batch_size)


def _local(name: str, settings: GroundSettings) -> Annotator:
    from ..models.annotator import Annotator

    return Annotator(name, trust_remote_code=settings.trust_remote_code)


def _served(model: str | None, address: str, settings: GroundSettings) -> Endpoint:
    from ..models.endpoint import Endpoint

    return Endpoint(address, model, settings.in_flight)
