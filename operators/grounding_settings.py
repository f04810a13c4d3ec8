"""What a grounding is asked: which disputes, which judges, how sure a ruling must be."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo

from ..agreement.aspects import Aspect
from ..agreement.ruling import LEAST_MARGIN, MOST_BIAS, ruling_field, suggestion_field
from ..engine.table import result_path
from .audit_settings import aspects_setting, chosen_aspects
from .media_work import FrameSettings
from .settings import setting

#: Ways of judging that watch the frames, and the one that reads stored vectors.
WATCHING = ("yes", "pointing", "rerank", "own")
COSINE = "cosine"
#: Who judges where nobody is named.
YES_MODEL = "Qwen/Qwen3-VL-8B-Instruct"
POINTING_MODEL = "allenai/Molmo2-8B"
RERANK_MODEL = "Qwen/Qwen3-VL-Reranker-2B"
#: Where the points go that a judge saw.
POINTS = "frames.grounding_points"


@dataclass(frozen=True)
class GroundSettings(FrameSettings):
    methods: list = setting(
        [COSINE, "yes", "pointing"],
        "Methods",
        "cosine: stored vectors of clips against texts; yes: a chat model says Yes or No; "
        "pointing: Molmo2 points at who and what is named; rerank: a reranker; own: your judge. "
        "All but cosine need videos",
        many=True,
        choices=(COSINE, *WATCHING),
        required=True,
    )
    segments: str | None = setting(
        None,
        "Segments",
        "Grounds the segments of this field one by one instead of whole samples",
        kind="field",
        types=(fo.TemporalDetections,),
    )
    aspect: str = setting("sum_detailed", "Aspect", "What is disputed", required=True)
    aspects: object = aspects_setting("Where the aspect is found", kind="json", required=False)
    which: str = setting(
        "disputed",
        "Which",
        "Those whose verdict is disputed (of segments: whose confidence is under 0.5), or all",
        choices=("disputed", "all"),
    )
    model: str | None = setting(
        None,
        "Model for yes",
        f"A name, name@revision or a folder; {YES_MODEL} where empty. Best none of the witnesses",
    )
    pointing_model: str | None = setting(
        None, "Model for pointing", f"Likewise; {POINTING_MODEL} where empty"
    )
    rerank_model: str | None = setting(
        None, "Model for rerank", f"Likewise; {RERANK_MODEL} where empty"
    )
    judge: str | None = setting(
        None, "Own judge", "For the method own: the name that models.judging.register was given"
    )
    endpoint: str | None = setting(
        None,
        "Endpoint",
        "The address of an OpenAI-compatible server that runs yes, pointing and rerank in place of "
        "this machine",
    )
    pointing_endpoint: str | None = setting(
        None, "Endpoint for pointing", "Where another server runs it; that of yes where empty"
    )
    rerank_endpoint: str | None = setting(
        None,
        "Endpoint for rerank",
        "Likewise: vLLM (--runner pooling) or SGLang with a reranker that takes pictures",
    )
    in_flight: int = setting(16, "In flight", "Requests at the same time", low=1, high=512)
    embeddings_field: str = setting(
        "qwen_embeddings",
        "Field of vectors",
        "For the method cosine: what embed wrote; of segments, where their vectors are kept",
    )
    cosine_model: str | None = setting(
        None,
        "Model for cosine",
        "For segments, which are embedded here: a name, name@revision or a folder; where empty, "
        "the one that embed used, or else the visual lens's own",
    )
    split_by: str = setting(
        "model",
        "Claims by",
        "Who cuts texts into claims: the model of yes (rules where there is none), or rules",
        choices=("model", "rules"),
    )
    windows: int = setting(
        4,
        "Windows",
        "Parts of a clip in which each claim is looked for; 1 for none",
        low=1,
        high=32,
    )
    references: int = setting(
        60,
        "References",
        "Undisputed ones that are judged as well, so that it is known how right texts are answered",
        low=0,
    )
    most_bias: float = setting(
        MOST_BIAS,
        "Most bias",
        "The largest share of a judge's answers that the text alone may explain, 0 to 1",
        low=0.0,
        high=1.0,
    )
    least_margin: float = setting(
        LEAST_MARGIN, "Least margin", "How far the winner must be ahead, 0 to 1", low=0.0, high=1.0
    )
    retag: bool = setting(
        True,
        "Tag again",
        "Lets verdict, confidence and tags take the rulings into account, as tag_confidence does",
    )
    seed: int = setting(51, "Seed", "The same seed gives the same controls and numbers", low=0)

    def find_aspect(self) -> Aspect | None:
        """The aspect in the list of aspects; None where it is not there."""
        found = chosen_aspects(self.aspects, self.segments)
        return next((aspect for aspect in found if aspect.name == self.aspect), None)

    def own(self, kind: str) -> str:
        """The name of a result: ``claims`` or a method, of this aspect."""
        return f"grounding_{self.aspect}_{kind}"

    @property
    def vectors_made_from(self) -> str:
        """The name of what the vectors of segments were made from."""
        return f"{self.embeddings_field}_made_from"

    def ruling(self, kind: str = "") -> str:
        """The name of a part of the ruling on this aspect."""
        return ruling_field(self.aspect, kind)

    @property
    def suggestion(self) -> str:
        """The name of the suggested correction."""
        return suggestion_field(self.aspect)

    def path(self, name: str) -> str:
        """The full path of a result, on samples or on segments."""
        return result_path(name, self.segments)

    def work(self, method: str) -> str:
        """The name under which one method's work is remembered."""
        of = f"{self.segments}_" if self.segments else ""
        return f"ground_disputes_{of}{self.aspect}_{method}"
