"""Hostile texts in every field that the panels and exports show: nothing acts, nothing is lost."""

import csv
import json
import sys

import fiftyone as fo
import pyarrow.parquet as pq
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine.workspace import install_workspace
from fiftyone.plugins.orgs.second_opinion.audit.panels.plain import reveal
from PIL import Image

from tests.app.driver import PATIENCE
from tests.hostile import CORPUS, MARKUP

TEXTS = list(CORPUS.values())
ACTOR = "gpt_action_root_actor"


@pytest.fixture
def hostile(saved_dataset, tmp_path):
    """A sample for each text, which is its annotation, its opinion, its verdict and more."""
    image = tmp_path / "<b>frame & 'picture'.png"
    Image.new("RGB", (64, 48), (60, 90, 120)).save(image)
    samples = []
    for i, text in enumerate(TEXTS):
        short = None if text is None else text[:2_000]
        said = {ACTOR: text, "qwen3vl_action_actor": text, "molmo_action_actor": "a girl"}
        scores = {"lex_q_actor": i / 40, "sem_q_actor": 1 - i / 40, "confidence_actor": i / 40}
        words = {"verdict": short, "kind": short, "transcript": text}
        tags = [short] if short else []
        samples.append(fo.Sample(filepath=str(image), tags=tags, **said, **scores, **words))
    dataset = saved_dataset(samples)
    install_workspace(dataset)
    return dataset


def wait_for_a_frame(app):
    """Waits until the browser has drawn what it was given, and run what came with it."""
    app.page.evaluate("() => new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)))")


def check_nothing_acted(app, asked, panel):
    wait_for_a_frame(app)
    assert app.page.evaluate("window.acted") is None
    assert panel.locator(MARKUP).count() == 0
    assert [url for url in asked if "example.com" in url] == []


def test_hostile_texts_act_in_no_panel(app, hostile):
    asked = []
    app.page.on("request", lambda request: asked.append(request.url))
    app.open(hostile, workspace="second-opinion")
    panel = app.page.locator("[data-cy=panel-content-confidence_map]")
    chart = panel.locator(".js-plotly-plot")
    chart.locator(".nsewdrag").wait_for()
    check_nothing_acted(app, asked, panel)
    path = "xpath=.//*[text()='Coloured by']/following::*[@role='combobox'][1]"
    panel.locator(path).click()
    app.page.get_by_role("option", name="kind", exact=True).click()
    app.page.wait_for_function(
        "chart => chart.data.length > 5", arg=chart.element_handle(), timeout=PATIENCE
    )
    check_nothing_acted(app, asked, panel)
    app.page.locator("[data-cy=panel-tab-opinion_viewer]").click()
    viewer = app.page.locator("[data-cy=panel-content-opinion_viewer]")
    for i in (0, list(CORPUS).index("null byte")):
        box = app.page.locator("[data-cy=looker]").nth(i).locator("input[type=checkbox]")
        box.evaluate("box => box.click()")
        shown = viewer.locator("[data-text='actor:']")
        shown.filter(has_text=reveal(TEXTS[i])[:40]).wait_for()
        assert shown.text_content() == reveal(TEXTS[i])
        check_nothing_acted(app, asked, viewer.locator("[data-so=opinion-viewer]"))
        box.evaluate("box => box.click()")
    app.page.locator("[data-cy=panel-tab-review]").click()
    queue = app.page.locator("[data-cy=panel-content-review]")
    queue.get_by_role("button", name="Begin").click()
    for _ in range(4):
        queue.get_by_text("The annotation: is it right?").wait_for()
        before = queue.inner_text()
        check_nothing_acted(app, asked, queue)
        queue.get_by_role("button", name="Wrong").click()
        app.page.wait_for_function(
            "([selector, text]) => document.querySelector(selector).innerText !== text",
            arg=["[data-cy=panel-content-review]", before],
            timeout=PATIENCE,
        )


def test_hostile_texts_come_whole_out_of_every_export(app, hostile, operator, tmp_path):
    export = operator("export_audit")
    paths = {form: tmp_path / f"out.{form}" for form in ("parquet", "csv", "jsonl", "html")}
    for form, path in paths.items():
        export(hostile, path=str(path), format=form, worst=len(TEXTS))
    assert pq.read_table(paths["parquet"])[ACTOR].to_pylist() == TEXTS
    lines = paths["jsonl"].read_text(encoding="utf-8").split("\n")
    assert [json.loads(line)[ACTOR] for line in lines if line] == TEXTS
    csv.field_size_limit(sys.maxsize)
    with paths["csv"].open(encoding="utf-8", newline="") as file:
        cells = [row[ACTOR] for row in csv.DictReader(file)]
    for text, cell in zip(TEXTS, cells, strict=True):
        assert cell in (text or "", f"'{text}")
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\uff1d"))
    app.page.goto(paths["html"].as_uri())
    assert app.page.evaluate("window.acted") is None
    whole = app.page.evaluate("document.body.textContent")
    for name, text in CORPUS.items():
        if name not in ("right to left", "null byte", "sql", "empty", "none"):
            assert text in whole, name
    assert "[U+202E]enod[U+202C]" in whole and "null [U+0000] bell" in whole
    assert "DROP TABLE samples; --" in whole
