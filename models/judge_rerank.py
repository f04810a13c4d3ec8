"""The method ``rerank``: Qwen3-VL-Reranker says how far a text matches a clip.

It is a chat model that answers yes or no about a query and a document, in the words that it
was trained with. The clip is the query, so that it comes first and is encoded once.
"""

from __future__ import annotations

from .annotator import Annotator
from .errors import ModelUnavailable
from .judge_yes import YesJudge
from .shared_prefix import Framing

#: What the reranker is told that it is for.
INSTRUCTION = "Given a video clip, judge whether the text describes what the clip shows."
#: The words that Qwen3-VL-Reranker was trained with.
FRAMING = Framing(
    question=lambda statement: f"\n<Document>: {' '.join(statement.split())}",
    system=(
        "Judge whether the Document meets the requirements based on the Query and the Instruct "
        'provided. Note that the answer can only be "yes" or "no".'
    ),
    before=f"<Instruct>: {INSTRUCTION}\n<Query>: ",
)
_ARCHITECTURES = ("qwen3_vl", "qwen3_vl_moe")


class RerankJudge(YesJudge):
    """A reranker that runs here.

    Args:
        annotator: the model
        batch_size: statements in one forward pass, halved when memory runs out

    Raises:
        ModelUnavailable: where the model is of another architecture
    """

    write_claims = None  # it scores, and writes nothing

    def __init__(self, annotator: Annotator, batch_size: int = 16):
        kind = annotator.model.config.model_type
        if kind not in _ARCHITECTURES:
            raise ModelUnavailable(
                f"{annotator.name} is a {kind} model; the method rerank takes Qwen3-VL-Reranker "
                "(Qwen/Qwen3-VL-Reranker-2B or -8B). Use the method yes for other chat models."
            )
        answers = (("yes", "Yes"), ("no", "No"))
        super().__init__(annotator, batch_size, framing=FRAMING, answers=answers)
