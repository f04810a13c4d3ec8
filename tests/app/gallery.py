"""Takes a picture of every panel, light and dark, wide and narrow, with few and many samples.

python -m tests.app.gallery            # into .local/gallery, to be looked at
python -m tests.app.gallery --samples 3 --theme light --width 900
"""

import argparse
import itertools
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
from PIL import Image

from tests.app.driver import App, app_server, browser, find_browser

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / ".local" / "gallery"
HEIGHT = 950
SCENES = ("a girl opens a wooden box", "a cook slices bread", "two men lift a ladder")
PANELS = ("confidence_map", "opinion_viewer", "review")
#: Views of the map, by what its first dropdown says.
VIEWS = {
    "confidence": "confidence, with the null",
    "witnesses": "witness × witness",
    "table": "aspects × witnesses",
}


def main() -> None:
    """Takes the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[3, 20_000])
    parser.add_argument("--theme", nargs="+", default=["light", "dark"])
    parser.add_argument("--width", type=int, nargs="+", default=[1600, 900])
    given = parser.parse_args()
    foo.list_operators()  # loads the plugin
    GALLERY.mkdir(parents=True, exist_ok=True)
    with app_server(GALLERY / "server.log") as address, browser(find_browser()) as chromium:
        for n in given.samples:
            dataset = make_dataset(n)
            for theme, width in itertools.product(given.theme, given.width):
                context = chromium.new_context(viewport={"width": width, "height": HEIGHT})
                app = App(context.new_page(), address)
                app.page.add_init_script(f"localStorage.setItem('mui-mode', '{theme}')")
                take(app, dataset, GALLERY / f"{n}_{theme}_{width}")
                context.close()
            dataset.delete()


def take(app: App, dataset: fo.Dataset, stem: Path) -> None:
    """Takes a picture of every panel in the saved workspace."""
    app.open(dataset, workspace="second-opinion")
    chart = app.page.locator("[data-cy=panel-content-confidence_map] .js-plotly-plot .nsewdrag")
    chart.wait_for()
    for panel in PANELS:
        app.page.locator(f"[data-cy=panel-tab-{panel}]").click()
        content = app.page.locator(f"[data-cy=panel-content-{panel}]")
        content.wait_for()
        if panel == "confidence_map":
            save(app, stem, panel)
            for view, label in VIEWS.items():
                content.get_by_role("combobox").first.click()
                app.page.get_by_role("option", name=label).click()
                save(app, stem, f"{panel}_{view}")
        elif panel == "review":
            save(app, stem, f"{panel}_begin")
            content.get_by_role("button", name="Begin").or_(
                content.get_by_role("button", name="Go on")
            ).click()
            content.get_by_text("The annotation: is it right?").wait_for()
            save(app, stem, panel)
        else:
            save(app, stem, panel)
    form = app.open_operator("Export audit")
    form.get_by_role("button", name="Execute").wait_for()
    save(app, stem, "export_form")


def save(app: App, stem: Path, name: str) -> None:
    """Takes the picture once the fonts are there and the charts had time to be drawn."""
    app.page.wait_for_timeout(2_500)
    print("Wrote", app.screenshot(stem.with_name(f"{stem.name}_{name}.png")), flush=True)


def make_dataset(n: int) -> fo.Dataset:
    """Clips that were audited: five aspects, two witnesses, scores, confidences and verdicts."""
    from fiftyone.plugins.orgs.second_opinion.audit.agreement.aspects import ACTION100M
    from fiftyone.plugins.orgs.second_opinion.audit.engine.workspace import install_workspace

    random = np.random.default_rng(51)
    picture = GALLERY / "frame.png"
    Image.new("RGB", (320, 240), (60, 90, 120)).save(picture)
    good = random.random(n) < 0.85
    columns: dict[str, list] = {"verdict": np.where(good, "agreed", "annotation_suspect").tolist()}
    columns["confidence"] = np.where(good, random.beta(8, 1, n), random.beta(1, 4, n)).tolist()
    for aspect in ACTION100M:
        for i, field in enumerate(aspect.fields):
            own = np.where(good | (i > 0), 0, 1) + np.arange(n)
            columns[field] = [f"{SCENES[k % 3]}, as {field} has it." for k in own]
        columns[f"confidence_{aspect.name}"] = columns["confidence"]
        for edge in aspect.edges():
            for metric, low in (("lex", 0.35), ("sem", 0.7), ("sup", 0.6), ("match", 0.9)):
                centre = np.where(good | (edge.name == "qm"), low, low / 3)
                score = np.clip(random.normal(centre, 0.12), 0, 1)
                lost = random.random(n) < 0.04
                columns[edge.field(metric)] = [None if g else s for g, s in zip(lost, score)]
    tags = [[v] if ok else [v, "suspect"] for v, ok in zip(columns["verdict"], good)]
    dataset = fo.Dataset(f"gallery-{n}", overwrite=True, persistent=True)
    rows = zip(*columns.values())
    dataset.add_samples(
        [
            fo.Sample(filepath=str(picture), tags=t, audit_tags=t, **dict(zip(columns, row)))
            for t, row in zip(tags, rows)
        ]
    )
    install_workspace(dataset)
    return dataset


if __name__ == "__main__":
    main()
