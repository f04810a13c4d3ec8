"""A disputed sample in a real browser: rival claims, probabilities, frames and the ruling."""

import fiftyone as fo
import pytest
from PIL import Image

DETAILS = {
    "reason": "The video supports q (97%), not the annotation (4%).",
    "chances": {"annotation": 0.04, "q": 0.97},
    "claims": [
        {"party": "annotation", "text": "A girl opens the box.", "chance": 0.03, "asked": True,
         "span": [1.0, 2.5], "decisive": True},
        {"party": "annotation", "text": "<img src=x onerror='window.acted = 1'> [a](javascript:b)",
         "chance": 0.5, "asked": True, "span": None, "decisive": False},
        {"party": "q", "text": "A girl closes the box.", "chance": 0.96, "asked": True,
         "span": [2.5, 4.0], "decisive": True},
    ],
    "frames": [1, 13, 25],
}  # fmt: skip


@pytest.fixture
def disputed(tmp_path):
    path = str(tmp_path / "frame.png")
    Image.new("RGB", (64, 48), (60, 90, 120)).save(path)
    texts = {"gpt_summary_root_brief": "A girl opens the box."}
    texts["qwen3vl_summary_brief"] = "A girl closes the box."
    ruling = {"ruling_sum_brief": "q", "ruling_sum_brief_margin": 0.93, "verdict": "overruled"}
    ruling |= {"ruling_sum_brief_by": "yes: judge (1)", "ruling_sum_brief_details": DETAILS}
    ruling["suggested_sum_brief"] = "A girl closes the box."
    return fo.Sample(filepath=path, tags=["overruled"], **texts, **ruling)


def test_the_viewer_shows_claims_probabilities_frames_and_ruling(app, saved_dataset, disputed):
    app.open(saved_dataset([disputed]))
    app.open_panel("opinion_viewer")
    panel = app.page.locator("[data-cy=panel-content-opinion_viewer]").last
    for text in (
        "overruled",
        "The video supports a witness, not the annotation.",
        "supports witness q",
        "margin 0.93",
        "Suggested instead: A girl closes the box.",
        "Annotation: 4%",
        "3%  A girl opens the box. (1.0 to 2.5 s)",
        "96%  A girl closes the box. (2.5 to 4.0 s)",
        "Frames looked at: 1, 13, 25.",
        "Judged by yes: judge (1).",
    ):
        panel.get_by_text(text).first.wait_for()
    assert app.page.evaluate("window.acted") is None
    assert panel.locator("img, a[href^=javascript]").count() == 0
