"""A disputed sample in a real browser: rival claims, probabilities, frames and the ruling."""

import av
import fiftyone as fo
import numpy as np
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


def disputed_sample(path):
    texts = {"gpt_summary_root_brief": "A girl opens the box."}
    texts["qwen3vl_summary_brief"] = "A girl closes the box."
    ruling = {"ruling_sum_brief": "q", "ruling_sum_brief_margin": 0.93, "verdict": "overruled"}
    ruling |= {"ruling_sum_brief_by": "yes: judge (1)", "ruling_sum_brief_details": DETAILS}
    ruling["suggested_sum_brief"] = "A girl closes the box."
    return fo.Sample(filepath=path, tags=["overruled"], **texts, **ruling)


@pytest.fixture
def disputed(tmp_path):
    path = str(tmp_path / "frame.png")
    Image.new("RGB", (64, 48), (60, 90, 120)).save(path)
    return disputed_sample(path)


@pytest.fixture
def film(tmp_path):
    """Thirty frames that grow brighter, twelve a second."""
    path = str(tmp_path / "film.mp4")
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(30):
            picture = np.full((96, 128, 3), 40 + 7 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


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


def test_the_viewer_shows_pictures_of_the_frames_that_were_looked_at(app, saved_dataset, film):
    sample = disputed_sample(film)
    sample["ruling_sum_brief_details"] = {**DETAILS, "seconds": [0.0, 1.0, 2.0]}
    app.open(saved_dataset([sample]))
    app.open_panel("opinion_viewer")
    panel = app.page.locator("[data-cy=panel-content-opinion_viewer]").last
    pictures = panel.get_by_role("img", name="Frame ")
    pictures.nth(2).wait_for()
    bright = app.page.evaluate(
        """pictures => pictures.map(picture => {
            const canvas = document.createElement("canvas")
            canvas.width = canvas.height = 1
            const context = canvas.getContext("2d")
            context.drawImage(picture, 0, 0, 1, 1)
            return context.getImageData(0, 0, 1, 1).data[0]
        })""",
        [pictures.nth(i).element_handle() for i in range(3)],
    )
    assert bright == pytest.approx([40, 124, 208], abs=12)  # frames 1, 13 and 25
    for when in ("0.0 s", "1.0 s", "2.0 s"):
        panel.get_by_text(when, exact=True).wait_for()


def test_a_segment_s_ruling_stands_beside_its_text(app, saved_dataset, film):
    part = fo.TemporalDetection(label="A girl opens the box.", support=[1, 20], said_q="Closes.")
    part["ruling_sum_brief"], part["suggested_sum_brief"] = "q", "A girl closes the box."
    part["ruling_sum_brief_details"] = DETAILS
    sample = disputed_sample(film)
    sample["events"] = fo.TemporalDetections(detections=[part])
    dataset = saved_dataset([sample])
    dataset.add_dynamic_sample_fields()
    app.open(dataset)
    app.open_panel("opinion_viewer")
    panel = app.page.locator("[data-cy=panel-content-opinion_viewer]").last
    told = "(the video supports witness q, suggested instead: A girl closes the box.)"
    panel.get_by_text(f"A girl opens the box. {told}").wait_for()
