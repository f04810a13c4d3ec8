"""Takes the pictures in docs/images from the demo's dataset.

python -m tests.app.screenshots
"""

import re
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo

from tests.app.driver import SIZE, App, app_server, browser, find_browser

DATASET = "second-opinion-demo"
ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
TRIES = 5
LONGEST = 60  # seconds until films and charts are drawn, and events answered


def main() -> int:
    """Takes every picture; the exit status is 0 when all could be taken."""
    executable = find_browser()
    if executable is None:
        sys.exit("Pictures need Chromium; none was found on this machine.")
    if not fo.dataset_exists(DATASET):
        sys.exit("The demo's dataset is not there; run `make demo` first.")
    dataset = fo.load_dataset(DATASET)
    foo.list_operators()  # loads the plugin
    from fiftyone.plugins.orgs.second_opinion.audit.engine.sidebar import install_groups
    from fiftyone.plugins.orgs.second_opinion.audit.engine.workspace import install_workspace

    install_groups(dataset)
    install_workspace(dataset)
    log = ROOT / ".local" / "screenshots.log"
    with app_server(log) as address, browser(executable) as chromium:
        missing = [name for name in PICTURES if not _take(name, chromium, address, dataset)]
    if missing:
        sys.exit(f"Not all that is in sight came to be drawn: {', '.join(missing)}. Try again.")
    return 0


def _take(name: str, chromium, address: str, dataset: fo.Dataset) -> bool:
    # On a page that is not drawn in time, or where a tab's circle turns for ever, try a new one
    for _ in range(TRIES):
        page = chromium.new_page(viewport=SIZE)
        app = App(page, address)
        PICTURES[name](app, dataset)
        page.locator("[data-cy=looker]").nth(3).wait_for(state="attached")
        settled = app.settle(LONGEST)
        if settled:
            print("Wrote", app.screenshot(IMAGES / f"{name}.png").relative_to(ROOT))
        page.close()
        if settled:
            return True
    return False


def _open_map(app: App, dataset: fo.Dataset):
    app.open(dataset, workspace="second-opinion")
    panel = app.page.locator("[data-cy=panel-content-confidence_map]")
    panel.locator(".js-plotly-plot .nsewdrag").wait_for()
    return panel


def picture_map(app: App, dataset: fo.Dataset) -> None:
    """The map beside the samples."""
    _open_map(app, dataset)


def picture_suspects(app: App, dataset: fo.Dataset) -> None:
    """The samples whose annotation is probably wrong, by whichever rules were applied last."""
    accused = re.compile(r"^(suspect|triple_disagreement): [1-9]")
    panel = _open_map(app, dataset)
    panel.get_by_role("button", name=accused).first.click()
    panel.get_by_text("shown in the grid").wait_for()


def picture_form(app: App, dataset: fo.Dataset) -> None:
    """A stage's form."""
    app.open(dataset)
    app.open_operator("Score agreement")


#: In this order: the server remembers the last page's view.
PICTURES = {
    "score_agreement": picture_form,
    "confidence_map": picture_map,
    "suspects": picture_suspects,
}

if __name__ == "__main__":
    raise SystemExit(main())
