"""Export: every text comes back letter by letter, and nothing in a file can act."""

import base64
import csv
import html.parser
import io
import json
import os
import re
from contextlib import closing

import av
import fiftyone as fo
import numpy as np
import pyarrow.parquet as pq
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine import review_queue, reviews
from fiftyone.plugins.orgs.second_opinion.audit.models.decoding import Decoder
from fiftyone.plugins.orgs.second_opinion.audit.operators import export_pictures, export_tables
from PIL import Image

from tests.app.driver import browser, find_browser

HOSTILE = [
    "<script>window.acted = 1</script><img src=x onerror='window.acted = 1'>",
    "</span></details></body><svg onload=window.acted=1>",
    '=HYPERLINK("http://evil.test","click")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "  =1+1",
    "\t=1+1",
    "\uff1d1+1",
    "**bold** [link](javascript:alert(1)) `code`",
    "\u202ereversed\u202c and \u05e9\u05dc\u05d5\u05dd \U0001f469\u200d\U0001f680",
    "null\x00byte, bell\x07",
    'quotes " and ; , commas\r\nand\nlines',
    "long " * 200_000,
    "N/A",
    "",
    None,
]


@pytest.fixture
def audited(dataset, tmp_path, operator):
    """One sample a hostile text, a picture of the first, and reviews of three."""
    picture = tmp_path / "frame.png"
    Image.new("RGB", (800, 600), (200, 30, 30)).save(picture)
    samples = [
        fo.Sample(
            filepath=str(picture) if i == 0 else str(tmp_path / f"gone {i}.png"),
            gpt_action_root_actor=text,
            qwen3vl_action_actor=text,
            lex_q_actor=None if i == 5 else i / 20,
            confidence=i / 20,
            verdict="<b>annotation_suspect</b>" if i < 4 else "agreed",
        )
        for i, text in enumerate(HOSTILE)
    ]
    dataset.add_samples(samples)
    operator("plan_review")(dataset, aspect="actor")
    plan = review_queue.load_plan(dataset, "actor")["id"]
    ids = dataset.values("id")
    for row, (decision, fix) in enumerate(
        [("wrong", "=fixed()"), ("correct", None), ("wrong", None)]
    ):
        reviews.record(dataset, ids[row], "actor", decision, "ada", fix=fix, plan=plan)
    return dataset


def read(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    with path.open(encoding="utf-8", newline="") as file:
        csv.field_size_limit(10_000_000)
        return list(csv.DictReader(line for line in file))


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_tables_hold_every_text_as_it_is(audited, operator, tmp_path, form):
    path = tmp_path / "new folder" / f"audit.{form}"
    report = operator("export_audit")(audited, path=str(path), format=form)
    rows = read(path)
    assert [row["gpt_action_root_actor"] for row in rows] == HOSTILE
    assert [row["id"] for row in rows] == audited.values("id")
    assert rows[5]["lex_q_actor"] is None and rows[6]["lex_q_actor"] == pytest.approx(0.3)
    assert [row["review_actor"] for row in rows[:4]] == ["wrong", "correct", "wrong", None]
    assert rows[0]["fix_actor"] == "=fixed()" and report["rows"] == len(HOSTILE)
    assert os.listdir(path.parent) == [path.name]


@pytest.fixture
def regions(dataset, operator):
    """An image whose two boxes were audited, and one without boxes."""
    boxes = [[0.0, 0.25, 0.5, 0.5], [0.5, 0.5, 0.25, 0.25]]
    ours = [
        fo.Detection(label=text, bounding_box=box, one="a dog", tags=["mine"], confidence=0.9)
        for box, text in zip(boxes, ["=a dog", "a cat"])
    ]
    theirs = [fo.Detection(label="x", bounding_box=boxes[1], text="a cat")]
    fields = {"ours": fo.Detections(detections=ours), "theirs": fo.Detections(detections=theirs)}
    samples = [fo.Sample(filepath="/nowhere/a.jpg", **fields), fo.Sample(filepath="/nowhere/b.jpg")]
    dataset.add_samples(samples, dynamic=True)
    opinions = {"a": "one", "b": "theirs.text"}
    aspects = [{"name": "what", "annotation": "label", "opinions": opinions}]
    operator("score_agreement")(dataset, segments="ours", aspects=aspects, metrics=["lex"])
    return dataset


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_audited_labels_have_a_table_of_their_own(regions, operator, tmp_path, form):
    path = tmp_path / f"audit.{form}"
    report = operator("export_audit")(regions, path=str(path), format=form)
    first, second = read(tmp_path / f"audit_ours.{form}")
    assert report["rows"] == len(read(path)) == 2
    assert report["labels"] == [
        {"field": "ours", "rows": 2, "path": str(path.with_stem("audit_ours"))}
    ]
    assert f"Wrote 2 regions of ours to {tmp_path / f'audit_ours.{form}'}" in report["summary"][1]
    assert first["label"] == ("'=a dog" if form == "csv" else "=a dog")
    missing, tags = ("", '["mine"]') if form == "csv" else (None, ["mine"])
    assert (first["theirs.text"], first["lex_b_what"], first["tags"]) == (missing, missing, tags)
    assert (second["theirs.text"], float(second["lex_b_what"])) == ("a cat", 1.0)
    assert [float(second[side]) for side in ("left", "right", "top", "bottom")] == [0.5, 0.75] * 2
    assert (second["id"], second["sample_id"]) == (
        regions.first().ours.detections[1].id,
        regions.first().id,
    )
    assert second["filepath"] == "/nowhere/a.jpg" and "confidence" not in second
    view = regions.filter_labels("ours", fo.ViewField("label") == "a cat")
    report = operator("export_audit")(view, path=str(path), format=form)
    assert [row["label"] for row in read(tmp_path / f"audit_ours.{form}")] == ["a cat"]


def test_a_report_says_that_audited_labels_are_not_in_it(regions, operator, tmp_path):
    report = operator("export_audit")(regions, path=str(tmp_path / "a.html"), format="html")
    assert "The 2 audited regions of ours are not in the report" in report["summary"][1]


def test_no_cell_of_a_csv_begins_a_formula_and_nothing_is_lost(audited, operator, tmp_path):
    path = tmp_path / "audit.csv"
    report = operator("export_audit")(audited, path=str(path), format="csv")
    rows = read(path)
    formulas = ("=", "+", "-", "@", "\t", "\r", "\uff1d")
    assert not any(
        (cell or "").lstrip(" ").startswith(formulas) for row in rows for cell in row.values()
    )
    for text, row in zip(HOSTILE, rows):
        cell = row["gpt_action_root_actor"]
        assert cell in ((text or ""), f"'{text}")
    assert rows[0]["fix_actor"] == "'=fixed()"
    assert "apostrophe" in report["summary"][1]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a;=1+1", "a;'=1+1"),  # another cell, where a spreadsheet parts them at semicolons
        ('x";"=1+1', 'x";\'"=1+1'),
        ("two\n=1+1", "two\n'=1+1"),
        ("\u3000\u200b@SUM(1)", "'\u3000\u200b@SUM(1)"),
        ("well-known; a + b", "well-known; a + b"),
        ("\n" * 200_000, "'" + "\n" * 200_000),
    ],
)
def test_no_part_of_a_text_begins_a_formula_either(text, cell):
    assert export_tables.harmless(text) == cell


def test_a_number_that_is_none_is_null_in_json_and_comes_first_nowhere(audited, operator, tmp_path):
    audited.set_values("confidence", [float("nan")] + [0.5] * (len(HOSTILE) - 1))
    path = tmp_path / "audit.jsonl"
    operator("export_audit")(audited, path=str(path), format="jsonl")
    assert "NaN" not in path.read_text("utf-8") and read(path)[0]["confidence"] is None
    report = operator("export_audit")(audited, path=str(tmp_path / "a.html"), format="html")
    assert report["worst"] == len(HOSTILE) - 1


def test_every_text_that_was_ever_compared_is_exported(dataset, operator, tmp_path):
    texts = {"gt": "a", "old": "b", "new": "c"}
    dataset.add_sample(fo.Sample(filepath="a.mp4", ruling_cap="q", suggested_cap="d", **texts))
    for field in ("old", "new"):
        aspects = [{"name": "cap", "annotation": "gt", "opinions": {"q": field}}]
        operator("score_agreement")(dataset, aspects=aspects, metrics=["lex"])
    path = tmp_path / "audit.jsonl"
    operator("export_audit")(dataset, path=str(path), format="jsonl")
    (row,) = read(path)
    assert row.items() >= {**texts, "ruling_cap": "q", "suggested_cap": "d"}.items()


def test_two_reviewed_aspects_of_one_annotation_keep_both_fixes(dataset, operator, tmp_path):
    dataset.add_samples([fo.Sample(filepath=f"{i}.mp4", gt="a") for i in range(3)])
    for sample_id, name in zip(dataset.values("id"), ("who", "what")):
        aspects = [{"name": name, "annotation": "gt", "opinions": {}}]
        plan = operator("plan_review")(dataset, aspect=name, aspects=aspects)["plan"]
        reviews.record(dataset, sample_id, name, "wrong", "ada", fix=f"fixed {name}", plan=plan)
    path = tmp_path / "fixed.jsonl"
    export = {"path": str(path), "format": "jsonl", "content": "corrections"}
    operator("export_audit")(dataset, **export)
    assert [row["gt"] for row in read(path)] == ["fixed who", "fixed what", "a"]
    dataset.rename_sample_field("gt", "title")
    with pytest.raises(ValueError, match="the field 'gt', reviewed as w.*, is no longer"):
        operator("export_audit")(dataset, **export)


def test_corrections_put_the_fix_in_place_of_the_annotation(audited, operator, tmp_path):
    path = tmp_path / "corrected.jsonl"
    operator("export_audit")(audited, path=str(path), format="jsonl", content="corrections")
    rows = read(path)
    assert rows[0]["gpt_action_root_actor"] == "=fixed()" and rows[0]["corrected_actor"]
    assert [row["gpt_action_root_actor"] for row in rows[1:]] == HOSTILE[1:]
    assert not any(row["corrected_actor"] for row in rows[1:])
    assert audited.first()["gpt_action_root_actor"] == HOSTILE[0]


class Page(html.parser.HTMLParser):
    """What a page is made of."""

    def __init__(self):
        super().__init__()
        self.tags, self.addresses, self.texts, self.handlers = set(), [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.texts.append(data)


def test_a_report_is_one_page_with_pictures_in_which_nothing_can_act(audited, operator, tmp_path):
    path = tmp_path / "report.html"
    report = operator("export_audit")(audited, path=str(path), format="html")
    assert (report["worst"], report["pictures"]) == (len(HOSTILE), 1)
    assert "16 samples have no picture" in report["summary"][0]
    page = Page()
    page.feed(path.read_text("utf-8"))
    assert not page.tags & {"script", "svg", "iframe", "object", "form", "a", "link", "b "}
    assert not page.handlers
    assert len(page.addresses) == 1 and page.addresses[0].startswith("data:image/jpeg;base64,")
    text = "".join(page.texts)
    for hostile in HOSTILE[:4] + HOSTILE[9:10]:
        assert hostile in text
    assert ("long " * 200_000).strip() in text and "[U+202E]reversed" in text
    assert "[U+0000]" in text and "\u202e" not in text and "\x00" not in text
    assert re.search(r"actor: .* labels", text) and "plan_review" in text


def test_a_report_tells_coverage_revisions_and_the_rate_of_each_verdict(
    audited, operator, tmp_path
):
    opinions = {"q": "qwen3vl_action_actor"}
    aspects = [{"name": "actor", "annotation": "gpt_action_root_actor", "opinions": opinions}]
    operator("score_agreement")(audited, aspects=aspects, metrics=["lex"], overwrite=True)
    told = {"model": "org/witness", "revision": "0123abcd"}
    config = audited.init_run(
        stage="caption", finished="now", samples=1, settings={}, versions={"a": "1"}
    )
    audited.register_run("second_opinion_caption_20260131_102030_ab12", config)
    results = audited.init_run_results("second_opinion_caption_20260131_102030_ab12", report=told)
    audited.save_run_results("second_opinion_caption_20260131_102030_ab12", results)
    path = tmp_path / "report.html"
    operator("export_audit")(audited, path=str(path), format="html")
    page = path.read_text("utf-8")
    missing = audited.count_values("audit_status.score_agreement")["missing"]
    assert re.search(rf"score_agreement.*?{17 - missing}<.*?>{missing}<", page) and missing
    assert "org/witness (0123abcd)" in page
    assert "&lt;b&gt;annotation_suspect&lt;/b&gt;" in page.partition("Verdicts")[0]


def test_a_report_opens_without_a_network_and_runs_nothing(audited, operator, tmp_path):
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium on this machine: the report was not opened in a browser")
    path = tmp_path / "report.html"
    operator("export_audit")(audited, path=str(path), format="html")
    asked = []
    with browser(executable) as chromium:
        page = chromium.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        assert page.evaluate("window.acted") is None
        width = page.locator("img").evaluate("img => img.naturalWidth")
    assert width == 320
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_a_report_of_a_bare_dataset_says_what_is_not_known(dataset, operator, tmp_path):
    dataset.add_sample(fo.Sample(filepath="a.mp4"))
    path = tmp_path / "report.html"
    operator("export_audit")(dataset, path=str(path), format="html")
    text = path.read_text("utf-8")
    for sentence in ("Nobody has reviewed", "Nothing was scored", "No stage of this audit has run"):
        assert sentence in text


def test_what_cannot_be_exported_is_said_in_a_sentence(dataset, operator, tmp_path):
    dataset.add_sample(fo.Sample(filepath="a.mp4"))
    with pytest.raises(ValueError, match="is a folder; add a file's name"):
        operator("export_audit")(dataset, path=str(tmp_path))
    with pytest.raises(ValueError, match="this one is needed"):
        operator("export_audit")(dataset)
    with pytest.raises(ValueError, match="nobody has reviewed anything"):
        operator("export_audit")(
            dataset, path=str(tmp_path / "x.csv"), format="csv", content="corrections"
        )


def test_a_video_is_shown_by_its_middle_frame(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(21):
            colour = np.full((48, 64, 3), (0, 0, 255) if 8 <= i <= 12 else (0, 0, 0), np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(colour, format="rgb24")))
        film.mux(stream.encode())
    with closing(Decoder()) as decoder:
        uri = export_pictures.as_data_uri(str(path), decoder)
        assert export_pictures.as_data_uri(str(tmp_path / "gone.mp4"), decoder) is None
    shown = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    red, green, blue = shown.resize((1, 1)).getpixel((0, 0))
    assert blue > 180 and red < 60 and green < 60
