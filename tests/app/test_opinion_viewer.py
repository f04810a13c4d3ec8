"""The opinion viewer as a person meets it: read, unfolded, jumped in, and attacked."""

import av
import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.panels.plain import reveal
from PIL import Image

from tests.app.driver import PATIENCE

OPENS, CLOSES = "A girl opens the box.", "A girl closes the box."

#: What a text would do if it were read as markup; each sets ``window.acted`` or leaves an element.
HOSTILE = [
    "<script>window.acted = 1</script> a girl",
    "<img src=x onerror='window.acted = 2'> a girl",
    "[a girl](javascript:window.acted=3) and <a href='javascript:window.acted=4'>a box</a>",
    "| a | table |\n| --- | --- |\n| of | cells |",
    "# heading\n\n* **bold** _slanted_ ~~struck~~ `code`\n\n```js\nwindow.acted = 5\n```",
    "$$\\latex{x^2}$$ and $x$ and \\(y\\)",
    "see www.example.com, https://example.com/?q=1 or girl@example.com",
    "![a girl](https://example.com/pixel.png) <iframe src='https://example.com'></iframe>",
    "right to left \u202eenod\u202c and \u2066isolated\u2069",
    "null \x00 bell \x07 escape \x1b[31m zero\u200bwidth",
    "{{constructor.constructor('window.acted = 6')()}} ${window.acted = 7}",
    "a girl 👩‍👩‍👧 opens 📦 שלום عليكم 女孩 Z̷a̵l̸g̶o̷",
    "<svg onload='window.acted = 8'><style>*{display:none}</style>",
    "&lt;b&gt; &amp; &#x3c;script&#x3e; %3Cscript%3E",
    '\'; DROP TABLE samples; -- "quoted" \\ \n\n\n   three lines further',
]
FIELDS = [
    *("gpt_summary_root_brief", "qwen3vl_summary_brief", "molmo_summary_brief"),
    *("gpt_summary_root_detailed", "qwen3vl_summary_detailed", "molmo_summary_detailed"),
    *("gpt_action_root_brief", "qwen3vl_action_brief", "molmo_action_brief"),
    *("gpt_action_root_detailed", "qwen3vl_action_detailed", "molmo_action_detailed"),
    *("gpt_action_root_actor", "qwen3vl_action_actor", "molmo_action_actor"),
]
ASPECTS = ("sum_brief", "sum_detailed", "act_brief", "act_detailed", "actor")
KEYS = [f"{aspect}:{witness}" for aspect in ASPECTS for witness in ("", "q", "m")]
#: Elements that only markup makes; the panel itself uses none of them.
MARKUP = "a, img, script, iframe, table, h1, em, strong, b, code, pre, del, math, style"


class Viewer:
    """The panel on the page."""

    def __init__(self, app):
        self.page = app.page
        # of a grid panel behind the sample modal and the modal's own, the modal's is the last
        self.panel = app.page.locator("[data-cy=panel-content-opinion_viewer]").last
        self.panel.locator("[data-so=opinion-viewer]").wait_for()

    def text(self, key):
        return self.panel.locator(f"[data-text='{key}']").text_content()

    def marked(self, key, kind):
        marks = self.panel.locator(f"[data-text='{key}'] [data-mark={kind}]")
        return marks.all_text_contents()

    def says(self, text):
        self.panel.get_by_text(text).first.wait_for()

    def click(self, name):
        self.panel.get_by_role("button", name=name).first.click()

    def wait_for_length(self, key, length):
        self.page.wait_for_function(
            "([key, n]) => [...document.querySelectorAll(`[data-text='${key}']`)]"
            ".at(-1)?.textContent.length === n",
            arg=[key, length],
            timeout=PATIENCE,
        )


@pytest.fixture
def frame(tmp_path):
    """A picture's path."""
    path = tmp_path / "frame.png"
    Image.new("RGB", (64, 48), (60, 90, 120)).save(path)
    return str(path)


def open_viewer(app, dataset):
    app.open(dataset)
    app.open_panel("opinion_viewer")
    return Viewer(app)


def brief(frame, annotation, q, m, **more):
    return fo.Sample(
        filepath=frame,
        gpt_summary_root_brief=annotation,
        qwen3vl_summary_brief=q,
        molmo_summary_brief=m,
        **more,
    )


def test_what_each_says_is_marked_scored_and_explained(app, saved_dataset, frame):
    scores = {"lex_q_sum_brief": 0.81, "sem_q_sum_brief": 0.7, "sem_qm_sum_brief": 0.93}
    first = brief(frame, OPENS, CLOSES, "The girl closes a box", **scores)
    first["verdict"], first["confidence"] = "annotation_suspect", 0.125
    dataset = saved_dataset([first, brief(frame, "N/A", "A boy", None)])
    dataset.add_sample_field("sem_m_sum_brief", fo.FloatField)
    viewer = open_viewer(app, dataset)
    viewer.says("Both witnesses say “A girl closes the box”; only the annotation says “opens”.")
    assert viewer.marked("sum_brief:", "alone") == ["opens"]
    assert viewer.marked("sum_brief:q", "disputed") == ["closes"]
    viewer.says("words\u00a00.81   meaning\u00a00.70")
    viewer.says("meaning\u00a0no\u00a0score")
    viewer.says("q with m: meaning\u00a00.93")
    viewer.says("annotation suspect")
    viewer.says("The witnesses agree with each other and not with the annotation.")
    viewer.says("None is selected, so this is the first of the view.")
    box = app.page.locator("[data-cy=looker]").nth(1).locator("input[type=checkbox]")
    box.evaluate("box => box.click()")  # it is drawn only while the mouse is over the picture
    viewer.says("The sample that is selected.")
    viewer.says("m says nothing here. The annotation says N/A; q describes something.")


def test_the_sample_modal_has_the_viewer_too(app, saved_dataset, frame):
    dataset = saved_dataset([brief(frame, OPENS, OPENS, OPENS), brief(frame, CLOSES, OPENS, OPENS)])
    app.open(dataset)
    app.page.locator("[data-cy=looker]").first.click()
    modal = app.page.locator("[data-cy=modal]")
    modal.locator("[data-cy=panel-tab-opinion_viewer]").click()
    inside = Viewer(app)
    inside.says("All say it in the same words.")
    modal.locator("[data-cy=panel-tab-fo-sample-modal-plugin]").click()
    app.page.keyboard.press("ArrowRight")
    modal.locator("[data-cy=panel-tab-opinion_viewer]").click()
    inside.says("Both witnesses say “A girl opens the box”; only the annotation says “closes”.")


def test_long_texts_fold_and_a_megabyte_is_read_in_parts(app, saved_dataset, frame):
    long = " ".join(f"step {i} of the recipe," for i in range(60))
    huge = ("a girl opens the box. " * 48_000)[: 2**20]
    dataset = saved_dataset([brief(frame, huge, long, "a girl", transcript=huge)])
    viewer = open_viewer(app, dataset)
    assert len(viewer.text("sum_brief:")) < 610
    viewer.click(f"Show all {len(long):,} characters")
    viewer.wait_for_length("sum_brief:q", len(long))
    viewer.click("Show 20,000 of 1,048,576 characters")
    viewer.panel.get_by_role("button", name="Next 20,000 of 1,048,576").wait_for()
    assert huge.startswith(viewer.text("sum_brief:").removesuffix(" …"))
    seen = len(viewer.text("sum_brief:").removesuffix(" …"))
    viewer.click("Next 20,000 of 1,048,576 characters")
    app.page.wait_for_function(
        "document.querySelector(`[data-text='sum_brief:']`)?.textContent.startsWith('…')"
    )
    following = viewer.text("sum_brief:").removeprefix("… ").removesuffix(" …")
    assert following == huge[seen : seen + len(following)]
    viewer.click("Show the end")
    app.page.wait_for_function(
        "document.querySelector(`[data-text='sum_brief:']`)?.textContent.endsWith('…') === false"
    )
    assert huge.endswith(viewer.text("sum_brief:").removeprefix("… "))
    viewer.click("Show less")
    viewer.panel.get_by_role("button", name="Show 20,000 of 1,048,576 characters").wait_for()
    assert viewer.panel.locator("[data-text=transcript]").count() == 0
    viewer.click("Show (1,048,576 characters)")
    viewer.panel.locator("[data-text=transcript]").wait_for()


def test_hostile_text_is_shown_to_the_letter_and_does_nothing(app, saved_dataset, frame):
    texts = dict(zip(FIELDS, HOSTILE, strict=True))
    sample = fo.Sample(filepath=frame, **texts, transcript="\n".join(HOSTILE))
    sample["verdict"] = "<img src=x onerror='window.acted = 9'>"
    asked = []
    app.page.on("request", lambda request: asked.append(request.url))
    viewer = open_viewer(app, saved_dataset([sample]))
    viewer.click("Show (")
    viewer.panel.locator("[data-text=transcript]").wait_for()
    for key, text in zip(KEYS, HOSTILE, strict=True):
        assert viewer.text(key) == reveal(text)
    viewer.says("<img src=x onerror='window.acted = 9'>")
    content = viewer.panel.locator("[data-so=opinion-viewer]")
    assert content.locator(MARKUP).count() == 0
    assert app.page.evaluate("window.acted") is None
    assert [url for url in asked if "example.com" in url] == []
    assert app.page.locator("[data-so=opinion-viewer]").is_visible()


@pytest.fixture
def film(tmp_path):
    """A film's path: two seconds."""
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(20):
            picture = np.full((48, 64, 3), 10 * i, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return str(path)


def test_a_segment_opens_as_a_clip_and_is_left_again(app, saved_dataset, film):
    found = [
        fo.TemporalDetection(
            label="<b>she</b> opens it", support=[1, 8], molmo_summary_brief=f"She {HOSTILE[1]}"
        ),
        fo.TemporalDetection(label="she closes it", support=[9, 20]),
    ]
    sample = brief(film, OPENS, OPENS, OPENS)
    sample["gpt_summary_brief"] = fo.TemporalDetections(detections=found)
    dataset = saved_dataset([sample, brief(film, OPENS, OPENS, OPENS)])
    dataset.compute_metadata()
    dataset.add_dynamic_sample_fields()
    viewer = open_viewer(app, dataset)
    viewer.says("<b>she</b> opens it")
    assert viewer.text(f"segment:{found[0].id}:m") == f"She {HOSTILE[1]}"
    assert app.page.evaluate("window.acted") is None
    viewer.click("0:00.8–0:01.9")
    app.page.locator("[data-cy=modal]").wait_for()
    app.wait_for_grid_count(1)
    app.page.locator("[data-cy=modal] [data-cy=panel-tab-opinion_viewer]").click()
    inside = Viewer(app)
    inside.says("0:00.8–0:01.9, shown")
    inside.says("One segment is shown. What is compared speaks of the whole video.")
    inside.click("Leave the segment")
    app.wait_for_grid_count(2)


def test_without_opinions_it_says_which_stage_to_run(app, saved_dataset, frame):
    viewer = open_viewer(app, saved_dataset([fo.Sample(filepath=frame, caption="a girl")]))
    viewer.says("Nothing to compare yet")
    viewer.click("Score agreement")
    app.page.get_by_role("button", name="Execute").first.wait_for()
