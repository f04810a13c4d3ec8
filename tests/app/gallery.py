"""Takes a picture of every panel, light and dark, wide and narrow, with few and many samples.

python -m tests.app.gallery            # into .local/gallery, to be looked at
python -m tests.app.gallery --samples 3 --theme light --width 900
"""

import argparse
import itertools
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo

from tests.app.audited import make_dataset
from tests.app.driver import App, app_server, browser, find_browser

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / ".local" / "gallery"
HEIGHT = 950
#: Views of the map, by what its first dropdown says.
VIEWS = {
    "agreement": "lexical × semantic",
    "confidence": "confidence, with the null",
    "witnesses": "witness × witness",
    "lens": "a lens's projection",
    "table": "aspects × witnesses",
}
FEW = 10  # reviews of so few samples come to their end


def main() -> None:
    """Takes the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[3, 20_000])
    parser.add_argument("--theme", nargs="+", default=["light", "dark"])
    parser.add_argument("--width", type=int, nargs="+", default=[1600, 900])
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    given = parser.parse_args()
    foo.list_operators()  # loads the plugin
    GALLERY.mkdir(parents=True, exist_ok=True)
    bare = make_bare()
    with app_server(GALLERY / "server.log") as address, browser(find_browser()) as chromium:
        for n in given.samples:
            dataset = make_dataset(n, GALLERY, "gallery")
            for theme, width in itertools.product(given.theme, given.width):
                context = chromium.new_context(viewport={"width": width, "height": HEIGHT})
                context.add_init_script(f"localStorage.setItem('mui-mode', '{theme}')")
                scene = Scene(App(context.new_page(), address), GALLERY / f"{n}_{theme}_{width}")
                for part in given.parts:
                    PARTS[part](scene, bare if part == "empty" else dataset)
                context.close()
            dataset.delete()
    bare.delete()


class Scene:
    """One page, and where its pictures go."""

    def __init__(self, app: App, stem: Path) -> None:
        self.app, self.page, self.stem = app, app.page, stem

    def panel(self, name: str):
        """Brings a panel of the saved workspace to the front, and returns it."""
        self.page.locator(f"[data-cy=panel-tab-{name}]").first.click()
        content = self.page.locator(f"[data-cy=panel-content-{name}]").first
        content.wait_for()
        return content

    def save(self, name: str) -> None:
        """Takes the picture once the charts had time to be drawn and nothing is under way."""
        self.page.wait_for_timeout(1_500)
        self.app.settle(8)
        path = self.stem.with_name(f"{self.stem.name}_{name}.png")
        print("Wrote", self.app.screenshot(path), flush=True)


def take_map(scene: Scene, dataset: fo.Dataset) -> None:
    """Every view; suspects shown in the grid; thresholds that cross."""
    scene.app.open(dataset, workspace="second-opinion")
    content = scene.panel("confidence_map")
    content.locator(".js-plotly-plot .nsewdrag").wait_for()
    for name, label in VIEWS.items():
        content.get_by_role("combobox").first.click()
        scene.page.get_by_role("option", name=label).click()
        scene.save(f"map_{name}")
    content.get_by_role("combobox").first.click()
    scene.page.get_by_role("option", name=VIEWS["agreement"]).click()
    content.get_by_role("button", name="suspect: ").first.click()
    scene.save("map_narrowed")
    content.get_by_role("button", name="Show all").click()
    rules = content.locator("xpath=.//*[text()='Tags by']/following::*[@role='combobox'][1]")
    rules.click()
    scene.page.get_by_role("option", name="thresholds").click()
    content.get_by_text("Other meaning below").wait_for()
    content.locator("input[type=range]").nth(1).press("End")
    content.get_by_text("These thresholds cross").wait_for()
    scene.save("map_crossed")


def take_viewer(scene: Scene, dataset: fo.Dataset) -> None:
    """The viewer beside the grid and in the sample modal."""
    scene.app.open(dataset, workspace="second-opinion")
    scene.panel("opinion_viewer").get_by_role("button", name="Open this sample").wait_for()
    scene.save("viewer_grid")
    scene.panel("opinion_viewer").get_by_role("button", name="Open this sample").click()
    modal = scene.page.locator("[data-cy=modal]")
    modal.locator("[data-cy=panel-tab-opinion_viewer]").click()
    modal.locator("[data-so=opinion-viewer]").wait_for()
    scene.save("viewer_modal")
    scene.page.keyboard.press("Escape")


def take_review(scene: Scene, dataset: fo.Dataset) -> None:
    """Before, without a name, during, while fixing, and after."""
    scene.app.open(dataset, workspace="second-opinion")
    content = scene.panel("review")
    begin = content.get_by_role("button", name="Begin").or_(
        content.get_by_role("button", name="Go on")
    )
    begin.wait_for()
    scene.save("review_before")
    name = content.locator("input[type=string]")
    name.fill("")
    name.press("Tab")
    content.get_by_text("Write your name").wait_for()
    begin.click()
    scene.save("review_no_name")
    name.fill("ada")
    name.press("Tab")
    content.get_by_text("kept with the name ada").wait_for()
    begin.click()
    asked = content.get_by_text("The annotation: is it right?")
    asked.wait_for()
    scene.save("review_during")
    content.get_by_role("button", name="Fix the text").click()
    content.locator("textarea").first.wait_for()
    scene.save("review_fix")
    content.get_by_role("button", name="Back").click()
    for decision in ["Wrong", *["Correct"] * (len(dataset) - 1)] if len(dataset) <= FEW else []:
        content.get_by_role("button", name=decision, exact=True).click()
        scene.page.wait_for_timeout(3_000)
    if len(dataset) <= FEW:
        content.get_by_text("Nothing is left to review").wait_for()
        scene.save("review_after")


def take_forms(scene: Scene, dataset: fo.Dataset) -> None:
    """A form, and one that says what is wrong."""
    scene.app.open(dataset)
    for name, label in {"form_export": "Export audit", "form_refused": "Hoist labels"}.items():
        form = scene.app.open_operator(label)
        form.get_by_role("button", name="Execute").wait_for()
        scene.save(name)
        form.get_by_role("button", name="Cancel").click()


def take_empty(scene: Scene, bare: fo.Dataset) -> None:
    """What each panel says of a dataset of which nothing is known yet."""
    scene.app.open(bare, workspace="second-opinion")
    for name in ("confidence_map", "opinion_viewer", "review"):
        scene.panel(name)
        scene.save(f"empty_{name}")


PARTS = {
    "map": take_map,
    "viewer": take_viewer,
    "review": take_review,
    "forms": take_forms,
    "empty": take_empty,
}


def make_bare() -> fo.Dataset:
    """A dataset with annotations and nothing else."""
    from fiftyone.plugins.orgs.second_opinion.audit.engine.workspace import install_workspace

    dataset = fo.Dataset("gallery-bare", overwrite=True, persistent=True)
    frame = make_dataset(3, GALLERY, "gallery").first().filepath
    dataset.add_sample(fo.Sample(filepath=frame, gpt_summary_root_brief="a girl opens a box"))
    install_workspace(dataset)
    return dataset


if __name__ == "__main__":
    main()
