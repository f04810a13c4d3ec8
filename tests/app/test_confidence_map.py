"""The confidence map as a person meets it: looked at, lassoed, clicked and applied."""

import re
import time
from itertools import pairwise

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from fiftyone.plugins.orgs.second_opinion.audit.engine.workspace import install_workspace
from PIL import Image

from tests.app.driver import PATIENCE
from tests.app.visit import Visit

N = 60  # samples of the workshop_dataset
_BAR = """(chart, end) => {
    const place = chart.data.map(t => (t.ids || []).findIndex(i => i.endsWith(end)));
    const trace = place.findIndex(i => i >= 0);
    const drawn = chart.querySelectorAll(".barlayer .trace")[trace];
    const box = drawn?.querySelectorAll(".point path")[place[trace]]?.getBoundingClientRect();
    return box?.height > 4 ? [box.x + box.width / 2, box.y + box.height / 2] : null;
}"""


class Map:
    """The panel on the page."""

    def __init__(self, app):
        self.app = app
        self.panel = app.page.locator("[data-cy=panel-content-confidence_map]")
        self.chart = self.panel.locator(".js-plotly-plot")
        self.chart.locator(".nsewdrag").wait_for()

    def at(self, lex, sem):
        """Where on the page a pair of scores is drawn."""
        x, y = self.chart.evaluate(
            """(chart, [lex, sem]) => {
                const box = chart.getBoundingClientRect(), layout = chart._fullLayout;
                return [box.x + layout._size.l + layout.xaxis.l2p(lex),
                        box.y + layout._size.t + layout.yaxis.l2p(sem)];
            }""",
            [lex, sem],
        )
        return x, y

    def points(self):
        """How many points are drawn."""
        return self.chart.evaluate("chart => chart.data.reduce((n, t) => n + t.x.length, 0)")

    def lasso(self, left, bottom, right, top):
        corners = [(left, bottom), (left, top), (right, top), (right, bottom), (left, bottom)]
        self.app.page.mouse.move(*self.at(*corners[0]))
        self.app.page.mouse.down()
        for _, corner in pairwise(corners):
            self.app.page.mouse.move(*self.at(*corner), steps=6)
        self.app.page.mouse.up()

    def choose(self, label, option):
        """Chooses from the dropdown under a label."""
        picker = self.panel.locator(
            f"xpath=.//*[text()='{label}']/following::*[@role='combobox'][1]"
        )
        picker.click()
        self.app.page.get_by_role("option", name=option, exact=True).click()

    def ids(self):
        """The ids of what is drawn."""
        return self.chart.evaluate("chart => chart.data.flatMap(t => t.ids || [])")

    def bar(self, number):
        """The middle of a bar of the histogram, once it is drawn and stands still."""
        places = [None]

        def stands():
            self.app.page.wait_for_timeout(300)
            places.append(self.chart.evaluate(_BAR, f" {number}"))
            return places[-1] is not None and places[-1] == places[-2]

        wait_until(stands, lambda: places)
        return places[-1]

    def button(self, name):
        return self.panel.get_by_role("button", name=re.compile(name))

    def select_first(self):
        """Selects the grid's first sample, or no longer."""
        box = self.app.page.locator("[data-cy=looker]").first.locator("input[type=checkbox]")
        box.evaluate("box => box.click()")  # it is drawn only while the mouse is over the picture

    def says(self, text):
        self.panel.get_by_text(text).first.wait_for()

    def slide(self, number, share):
        box = self.panel.locator(".MuiSlider-root").nth(number).bounding_box()
        y = box["y"] + box["height"] / 2
        self.app.page.mouse.click(box["x"] + box["width"] * share, y)


@pytest.fixture
def confidence_map(app, workshop_dataset):
    app.open(workshop_dataset)
    app.open_panel("confidence_map")
    return Map(app)


def test_a_lasso_and_a_click_show_those_samples(app, confidence_map, workshop_dataset):
    confidence_map.says("54 of 60 samples are on the map. 6 lack a score and have no point.")
    assert confidence_map.points() == 54
    inside = workshop_dataset.match(
        (F("lex_q_sum_detailed") <= 0.42)
        & (F("sem_q_sum_detailed") >= 0.5)
        & (F("lex_q_sum_detailed") != None)  # noqa: E711
    )
    confidence_map.lasso(-0.03, 0.5, 0.42, 1.06)
    app.wait_for_grid_count(len(inside))
    confidence_map.button("Show all").click()
    app.wait_for_grid_count(N)
    one = inside.first()
    app.page.mouse.click(*confidence_map.at(one["lex_q_sum_detailed"], one["sem_q_sum_detailed"]))
    app.wait_for_grid_count(1)


def test_another_aspect_and_colour_are_drawn_anew(app, confidence_map, workshop_dataset):
    confidence_map.choose("Aspect", "sum_brief")
    both = workshop_dataset.match((F("sem_q_sum_brief") >= 0.6) & (F("sem_m_sum_brief") >= 0.6))
    confidence_map.button(f"triple_agreement: 0\\s→\\s{len(both)}$").click()
    app.wait_for_grid_count(len(both))
    drawn = confidence_map.chart.evaluate("chart => chart.data.flatMap(t => t.x)")
    expected = [x for x in workshop_dataset.values("lex_q_sum_brief") if x is not None]
    np.testing.assert_allclose(sorted(drawn), sorted(expected), atol=1e-4)
    confidence_map.choose("Coloured by", "lex_m_sum_brief")
    confidence_map.chart.locator(".colorbar").wait_for()
    assert confidence_map.points() == len(expected)


def test_thresholds_are_tried_first_and_written_on_apply(app, confidence_map, workshop_dataset):
    confidence_map.slide(0, 0.8)
    confidence_map.says(re.compile(r"Same meaning from 0\.(7|8)"))
    confidence_map.says("Nothing is written yet")
    promised = int(
        re.search(r"→\s(\d+)", confidence_map.button("triple_agreement: 0").inner_text()).group(1)
    )
    assert workshop_dataset.count_values("tags") == {"mine": 9}
    confidence_map.button("^Apply$").click()
    confidence_map.says("These thresholds give the tags that the samples already have.")
    workshop_dataset.reload()
    tags = workshop_dataset.count_values("tags")
    label = confidence_map.panel.get_by_text("Same meaning from").inner_text()
    limit = float(label.split()[-1])
    agreed = workshop_dataset.match(
        (F("sem_q_sum_detailed") >= limit) & (F("sem_m_sum_detailed") >= limit)
    )
    assert tags["triple_agreement"] == promised == len(agreed)
    assert tags["mine"] == 9


def test_an_empty_map_says_which_stage_to_run_and_opens_it(app, saved_dataset, tmp_path):
    image = tmp_path / "frame.png"
    Image.new("RGB", (64, 48)).save(image)
    texts = {"gpt_summary_root_detailed": "a cat", "qwen3vl_summary_detailed": "a dog"}
    app.open(saved_dataset([fo.Sample(filepath=str(image), **texts)]))
    app.open_panel("confidence_map")
    panel = app.page.locator("[data-cy=panel-content-confidence_map]")
    panel.get_by_text("Nothing was compared yet").wait_for()
    panel.get_by_role("button", name="Score agreement").click()
    app.page.get_by_role("button", name="Execute").first.wait_for()


def test_where_regions_were_audited_the_suspects_are_a_click_away(
    app, saved_dataset, tmp_path, operator
):
    image = tmp_path / "frame.png"
    Image.new("RGB", (64, 48)).save(image)
    box = {"label": "a cat", "bounding_box": [0.1, 0.1, 0.5, 0.5], "blip": "a dog"}
    found = [fo.Detection(**box, tags=tags) for tags in (["suspect"], [], [])]
    samples = [
        fo.Sample(filepath=str(image), found=fo.Detections(detections=[one])) for one in found
    ]
    dataset = saved_dataset(samples)
    dataset.add_dynamic_sample_fields()
    aspects = [{"name": "what", "annotation": "label", "opinions": {"a": "blip"}}]
    operator("score_agreement")(dataset, segments="found", aspects=aspects, metrics=["lex"])
    app.open(dataset)
    app.open_panel("confidence_map")
    panel = app.page.locator("[data-cy=panel-content-confidence_map]")
    panel.get_by_text("This audit is of the regions of found.").wait_for()
    panel.get_by_text("1 of 3 regions have the tag suspect.").wait_for()
    panel.get_by_role("button", name="Show the suspects").click()
    app.wait_for_grid_count(1)


def test_the_saved_workspace_opens_the_map_beside_the_samples(app, workshop_dataset):
    assert install_workspace(workshop_dataset) == "Second opinion"
    install_workspace(workshop_dataset)  # a second time replaces the first
    assert workshop_dataset.list_workspaces() == ["Second opinion"]
    app.open(workshop_dataset, workspace="second-opinion")
    Map(app).says("54 of 60 samples are on the map")
    assert app.grid_count() == N


@pytest.fixture
def judged_dataset(workshop_dataset):
    """The same with confidences and a projection, as calibrate and a lens leave them."""
    import fiftyone.brain as fob

    random = np.random.default_rng(3)
    confidence = random.beta(2, 1, N).round(3).tolist()
    workshop_dataset.set_values("confidence_sum_detailed", [None, *confidence[1:]])
    places = random.normal(size=(50, 2))
    some = workshop_dataset.limit(50)
    fob.compute_visualization(some, points=places, brain_key="qwen_viz", verbose=False)
    return workshop_dataset


def click_the_last_bar(app, seen, dataset):
    """Clicks the bar of the greatest confidences, and waits for its samples in the grid."""
    last = dataset.match(F("confidence_sum_detailed") >= 0.95)
    app.page.mouse.click(*seen.bar(19))
    app.wait_for_grid_count(len(last))
    seen.says(f"Bright: {len(last)} shown in the grid.")


def test_each_view_is_drawn_and_map_and_grid_show_each_other(app, judged_dataset):
    app.open(judged_dataset)
    app.open_panel("confidence_map")
    seen = Map(app)
    seen.choose("View", "aspects × witnesses")
    known = judged_dataset.values("sem_m_sum_brief")
    mean = np.mean([score for score in known if score is not None])
    seen.says("Means of semantic over 60 samples")
    cells = seen.panel.get_by_role("button").filter(has_text="missing")
    assert cells.all_inner_texts()[1] == f"{mean:.2f}\n6 missing (10%)"
    cells.nth(1).click()
    seen.says("m × annotation")
    expected = judged_dataset.exists("sem_m_sum_brief").values("id")
    wait_until(lambda: sorted(seen.ids()) == sorted(expected), seen.ids)
    seen.choose("View", "witness × witness")
    seen.says("54 of 60 samples are on the map")
    seen.choose("View", "a lens's projection")
    seen.says("50 of 60 samples are on the map. 10 are not in 'qwen_viz'")
    wait_until(lambda: len(seen.ids()) == 50, seen.ids)
    seen.select_first()
    seen.says("Bright: 1 selected in the grid.")
    seen.select_first()
    seen.choose("View", "confidence, with the null")
    seen.says("59 of 60 samples are on the map. 1 have no confidence.")
    seen.says("No run of calibrate has kept wrong pairs of it")
    click_the_last_bar(app, seen, judged_dataset)


def test_an_answer_that_comes_late_cannot_put_an_older_view_back(app, judged_dataset):
    app.open(judged_dataset)
    app.open_panel("confidence_map")
    seen, late, pages = Map(app), [], []

    def deliver(route):
        told = route.request.post_data_json["params"]
        pages.append((told.get("panel_state") or {}).get("page") or 0)
        if told.get("__method__") == "on_change_selected" and not late:
            late.append((route, route.fetch()))
        else:
            route.continue_()

    seen.choose("View", "a lens's projection")
    seen.says("50 of 60 samples are on the map")
    app.page.route("**/operators/execute", deliver)
    seen.select_first()  # drawn, but the answer does not come yet
    wait_until(lambda: app.page.wait_for_timeout(100) or late, lambda: pages)
    seen.select_first()
    seen.choose("View", "confidence, with the null")
    seen.says("59 of 60 samples are on the map")
    seen.bar(19)
    route, answer = late[0]
    route.fulfill(response=answer)
    newest = max(pages)
    wait_until(lambda: app.page.wait_for_timeout(100) or pages[-1] < newest, lambda: pages)
    seen.says("59 of 60 samples are on the map")
    click_the_last_bar(app, seen, judged_dataset)


def test_events_that_cross_leave_what_was_done_last(app_address, judged_dataset):
    visit = Visit(app_address, judged_dataset)
    visit.send("on_load")
    everything, before = visit.lit(), dict(visit.state)
    visit.request["selected"] = judged_dataset.limit(2).values("id")
    visit.send("on_change_selected")
    assert len(visit.lit()) == 2
    late = dict(visit.state)
    visit.state, visit.request["selected"] = before, []  # sent before that answer was there
    visit.send("on_change_selected")
    assert visit.lit() == everything
    visit.pick("pick", "view", "confidence")
    visit.state = late  # that answer came last; what appears on its page tells what it shows
    time.sleep(2.5)
    visit.send("on_setting", path="pick.view", value="agreement")
    assert visit.state["pick"]["view"] == "confidence"
    assert all(" " in mark for mark in visit.marks)  # bars
    bars = dict(visit.state)
    visit.pick("pick", "view", "agreement")  # a person's choice
    visit.pick("pick", "view", "table")
    assert visit.state["pick"]["view"] == "table"
    visit.state = bars
    visit.pick("pick", "view", "agreement")  # the App tells a choice twice; this one is late
    assert visit.state["pick"]["view"] == "table"


def test_a_click_shows_what_was_drawn_when_it_was_made(app_address, judged_dataset):
    visit = Visit(app_address, judged_dataset)
    visit.send("on_load")
    visit.pick("pick", "view", "confidence")
    bar = visit.marks[-1]
    visit.pick("pick", "view", "agreement")
    point = visit.marks[5]
    visit.send("on_point", id=bar)  # the browser has not drawn the points yet
    last = judged_dataset.match(F("confidence_sum_detailed") >= 0.95)
    assert sorted(visit.shown()) == sorted(last.values("id"))
    visit.pick("pick", "view", "confidence")
    visit.send("on_point", id=point)
    assert visit.shown() == [point]


def test_a_rate_of_false_alarms_is_tried_first_and_its_suspects_tagged(app, judged_dataset):
    app.open(judged_dataset)
    app.open_panel("confidence_map")
    seen = Map(app)
    seen.says("Apply tags them, gives each sample a verdict.")
    seen.slide(0, 0.9)
    seen.says(re.compile(r"Fine labels to tolerate among the suspects: 4\d%"))
    sentence = seen.panel.get_by_text("labels of sum_detailed are suspect").inner_text()
    promised = int(sentence.split()[0])
    assert promised > 0
    assert judged_dataset.count_values("tags") == {"mine": 9}
    seen.button("^Apply$").click()
    seen.says("So it is stored.")
    judged_dataset.reload()
    tags = judged_dataset.count_values("tags")
    assert (tags["suspect"], tags["mine"]) == (promised, 9)
    seen.button(f"^suspect: {promised}$").click()
    app.wait_for_grid_count(promised)


def wait_until(true, shown):
    """Waits for what the browser draws; fails with what it draws instead."""
    end = time.monotonic() + PATIENCE / 1000
    while not true():
        assert time.monotonic() < end, shown()
        time.sleep(0.1)
