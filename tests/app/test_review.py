"""The review as people do it: begin, judge, fix, undo, reload, and two of them at once."""

import re
import time

import fiftyone as fo
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine import reviews
from PIL import Image

from tests.app.driver import SIZE, App, app_server
from tests.app.visit import Visit

HOSTILE = "<img src=x onerror=\"window.acted='yes'\"> **bold** $filepath [link](javascript:1)"


class Queue:
    """The panel on the page."""

    def __init__(self, app):
        self.app = app
        self.panel = app.page.locator("[data-cy=panel-content-review]")

    def button(self, name):
        return self.panel.get_by_role("button", name=re.compile(name))

    def says(self, text):
        self.panel.get_by_text(text).first.wait_for()

    def shown(self):
        """The number of the caption that is under review."""
        self.panel.get_by_text("The annotation: is it right?").wait_for()
        found = re.search(r"caption (\d+) says", self.panel.inner_text())
        return int(found.group(1))

    def after(self, act):
        """Acts, and waits until another caption is shown."""
        before = self.shown()
        act()
        self.app.page.wait_for_function(
            "([selector, text]) => !document.querySelector(selector).innerText.includes(text)",
            arg=["[data-cy=panel-content-review]", f"caption {before} says"],
        )
        return self.shown()

    def press_alt(self, digit):
        """Alt and a digit, as a keyboard sends it; Playwright's own press leaves out the letter."""
        session = self.app.page.context.new_cdp_session(self.app.page)
        key = {"key": digit, "code": f"Digit{digit}", "windowsVirtualKeyCode": ord(digit)}
        for kind in ("keyDown", "keyUp"):
            session.send(
                "Input.dispatchKeyEvent",
                {"type": kind, "modifiers": 1, "unmodifiedText": digit, **key},
            )

    def call_me(self, name):
        field = self.panel.locator("input[type=string]")
        field.fill(name)
        field.press("Tab")
        self.says(f"Your decisions are kept with the name {name}.")


@pytest.fixture
def captions(saved_dataset, tmp_path):
    """Twelve annotated pictures; every third annotation is wrong, and one is hostile."""
    samples = []
    for i in range(12):
        image = tmp_path / f"frame {i}.png"
        Image.new("RGB", (64, 48), (20 * i, 90, 120)).save(image)
        text = f"caption {i} says a cat" + (f" {HOSTILE}" if i == 7 else "")
        said = "a dog" if i % 3 == 0 else "a cat"
        texts = {"gpt_action_root_actor": text, "qwen3vl_action_actor": said}
        samples.append(fo.Sample(filepath=str(image), confidence=0.05 + 0.07 * i, **texts))
    return saved_dataset(samples)


@pytest.fixture
def queue(app, captions):
    app.open(captions)
    app.open_panel("review")
    opened = Queue(app)
    opened.says("Review annotations")
    opened.call_me("ada")
    opened.button("^Begin$").click()
    opened.shown()
    return opened


def decisions(dataset):
    dataset.reload()
    return [(review.decision, review.reviewer) for review in reviews.read(dataset, "actor")]


def test_five_samples_are_judged_and_all_is_there_after_a_reload(app, queue, captions):
    queue.says("No estimate yet")
    seen = [queue.shown()]
    for name in ("^Correct$", "^Wrong$", "^Unsure$", "^Skip$"):
        seen.append(queue.after(queue.button(name).click))
    assert len(set(seen)) == 5
    queue.button("^Fix the text$").click()
    queue.panel.locator("textarea").first.fill("=a dog, <b>really</b>")
    queue.after(queue.button("this is right").click)
    said = ["correct", "wrong", "unsure", "skip", "wrong"]
    assert decisions(captions) == [(decision, "ada") for decision in said]
    assert list(reviews.fixes(reviews.read(captions, "actor")).values()) == [
        "=a dog, <b>really</b>"
    ]
    back = queue.after(queue.button("^Undo$").click)
    assert back == seen[-1]
    assert len(reviews.decided(reviews.read(captions, "actor"))) == 2
    app.page.reload()
    app.page.locator("[data-cy=entry-counts]").wait_for()
    if not queue.panel.count():
        app.open_panel("review")
        queue.call_me("ada")
        queue.button("^Go on$").click()
    queue.says("3 decisions of yours; 1 without a clear decision")


def test_the_interval_is_told_once_every_part_was_looked_at(queue, captions, operator):
    for i in range(11):
        queue.after(queue.button("^Wrong$" if i % 3 == 0 else "^Correct$").click)
    queue.says(re.compile(r"of 12 labels are wrong, 95% interval .* after 11 reviews"))
    report = operator("estimate_error_rate")(captions, aspect="actor")
    queue.says(report["summary"][0].partition(": ")[2])
    queue.button("^Correct$").click()
    queue.says("Nothing is left to review")
    assert len(decisions(captions)) == 12


def test_where_nothing_can_be_reviewed_the_next_steps_are_buttons(app, saved_dataset, tmp_path):
    image = tmp_path / "frame.png"
    Image.new("RGB", (64, 48)).save(image)
    app.open(saved_dataset([fo.Sample(filepath=str(image), caption="a cat")]))
    app.open_panel("review")
    waiting = Queue(app)
    waiting.says("Nothing to review yet")
    assert waiting.button("^Score agreement$").is_visible()
    waiting.button("^Plan a review$").click()
    form = app.page.locator("[data-cy=operators-prompt-modal]")
    form.get_by_text("Where the aspect is found").first.wait_for()
    form.get_by_role("button", name="Execute").wait_for()


def test_an_annotation_is_reviewed_though_no_witness_has_spoken(app, saved_dataset, tmp_path):
    image = tmp_path / "frame.png"
    Image.new("RGB", (64, 48)).save(image)
    texts = {"gpt_action_root_actor": "caption 1 says a cat"}
    dataset = saved_dataset([fo.Sample(filepath=str(image), **texts)])
    app.open(dataset)
    app.open_panel("review")
    alone = Queue(app)
    alone.call_me("ada")
    alone.button("^Begin$").click()
    assert alone.shown() == 1
    alone.button("^Wrong$").click()
    alone.says("Nothing is left to review")
    assert decisions(dataset) == [("wrong", "ada")]
    assert alone.button("^Export audit$").is_visible()


def test_two_reviewers_are_never_shown_the_same_sample(queue, captions, chromium, tmp_path):
    context = chromium.new_context(viewport=SIZE)
    # Browsers on one App mirror each other; people who review together have an App each.
    with app_server(tmp_path / "second.log") as address:
        second = App(context.new_page(), address)
        second.open(captions)
        other = Queue(second)
        second.open_panel("review")
        other.call_me("bob")
        other.says("The samples are drawn already. Nobody has decided on one yet.")
        other.button("^Begin$").click()
        for _ in range(3):
            assert other.shown() != queue.shown()
            queue.after(queue.button("^Correct$").click)
            other.after(other.button("^Wrong$").click)
        context.close()
    kept = decisions(captions)
    assert sorted(kept) == [("correct", "ada")] * 3 + [("wrong", "bob")] * 3
    assert len(reviews.decided(reviews.read(captions, "actor"))) == 6


def test_a_hostile_annotation_is_shown_as_text_and_judged_by_the_keyboard(app, queue, captions):
    while queue.shown() != 7:
        queue.after(lambda: queue.press_alt("4"))
    queue.says(HOSTILE)
    assert app.page.evaluate("window.acted") is None
    queue.after(lambda: queue.press_alt("2"))
    assert decisions(captions)[-1] == ("wrong", "ada")
    assert {decision for decision, _ in decisions(captions)[:-1]} <= {"skip"}


def test_a_report_of_the_dataset_that_comes_late_begins_nothing_anew(app_address, captions):
    visit = Visit(app_address, captions, "review")
    visit.send("on_load")
    visit.send("on_begin")
    begun, visit.state = visit.state, {}  # as it was before the panel's own was there
    visit.send("on_change_dataset")
    assert begun["session"] and visit.state == {}
    other = captions.clone()
    visit.state, visit.request["dataset_name"] = begun, other.name
    visit.send("on_change_dataset")
    assert visit.state["dataset"] == other.name
    other.delete()


def test_a_page_that_the_browser_dropped_is_sent_once_more(app_address, captions):
    visit = Visit(app_address, captions, "review")
    visit.send("on_load")
    visit.send("on_begin")
    asked = "The annotation: is it right?"
    assert asked in visit.page
    visit.page = ""  # dropped
    time.sleep(3.5)  # before, it may still be on its way
    visit.send("on_interval")
    assert asked in visit.page
    visit.page = ""
    visit.send("on_interval")
    assert visit.page == ""
