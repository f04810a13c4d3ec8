"""Drives a real FiftyOne App: a server of its own and a headless Chromium that looks at it."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import fiftyone.core.odm as foo_odm

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Nothing here needs a GPU or the network; the flags keep Chromium from asking for either.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1500, "height": 950}
#: How long the App may take to show something, in milliseconds.
PATIENCE = 60_000


def find_browser() -> str | None:
    """The path of a Chromium that starts, or None."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path and subprocess.run([path, "--version"], capture_output=True).returncode == 0:
            return path
    return None


@contextlib.contextmanager
def app_server(log: Path):
    """Starts the App's server on a free port of this machine, and yields its address."""
    foo_odm.get_db_conn()  # so that the server finds the database that this process uses
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fiftyone.server.main", "--address", "127.0.0.1"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env=os.environ | {"FIFTYONE_DISABLE_SERVICES": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(address, process, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(address: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{address}/fiftyone", timeout=2).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"The App's server did not start:\n{log.read_text(errors='replace')}")


#: Which samples of the grid are in sight and not drawn: the middle of their canvas is see-through.
_UNDRAWN = """() => [...document.querySelectorAll("[data-cy=looker]")].flatMap(sample => {
    const box = sample.getBoundingClientRect(), canvas = sample.querySelector("canvas");
    if (!box.width || box.bottom <= 0 || box.top >= innerHeight) return [];
    const [x, y] = canvas ? [canvas.width >> 1, canvas.height >> 1] : [0, 0];
    const pixel = x && y && canvas.getContext("2d")?.getImageData(x, y, 1, 1).data;
    return pixel && pixel[3] ? [] : [[box.x + box.width / 2, box.y + box.height / 2]];
})"""
#: Whether pictures are missing, or a panel is at work on an answer.
_BUSY = """() => [...document.images].some(image => !image.complete || !image.naturalWidth)
    || !document.querySelector("[data-cy=looker]")
    || document.querySelector("[data-cy^=panel-tab-] [role=progressbar]") !== null"""


class App:
    """What a person does in the App, on one browser page."""

    def __init__(self, page, address: str) -> None:
        self.page = page
        self.address = address
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.add_init_script("window.IS_PLAYWRIGHT = true")  # the App then shows no advertisement
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, dataset, workspace: str | None = None) -> None:
        """Opens a dataset, in a saved workspace if one is named, and waits for its samples."""
        query = f"?workspace={workspace}" if workspace else ""
        self.page.goto(f"{self.address}/datasets/{dataset.name}{query}")
        self.page.locator("[data-cy=entry-counts]").wait_for()

    def grid_count(self) -> int:
        """How many samples the grid says it shows."""
        text = self.page.locator("[data-cy=entry-counts]").inner_text()
        return int(re.sub(r"\D", "", text.split("of")[0].split("sample")[0]))

    def wait_for_grid_count(self, expected: int) -> None:
        """Waits until the grid shows so many samples; fails with what it shows instead."""
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            with contextlib.suppress(ValueError):
                if self.grid_count() == expected:
                    return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the grid shows {self.grid_count()} samples, not {expected}")

    def open_panel(self, name: str) -> None:
        """Opens a panel, by its name, from the menu of the ``+`` tab."""
        self.page.locator("[data-cy=new-panel-btn]").first.click()
        self.page.locator(f"[data-cy=new-panel-option-{name}]").click()
        self.page.locator(f"[data-cy=panel-content-{name}]").wait_for()

    def open_operator(self, label: str):
        """Opens an operator's form from the operator browser, and returns the form."""
        self.page.keyboard.press("Backquote")
        self.page.get_by_placeholder("Search operations by name...").fill(label)
        self.page.get_by_text(label, exact=True).first.click()
        form = self.page.locator("[data-cy=operators-prompt-modal]")
        form.wait_for()
        return form

    def settle(self, seconds: float) -> bool:
        """Waits until four looks in a row find all in sight drawn; tells whether they did.

        The App (1.22) loses count of its own requests now and then: a tab's circle then turns
        until the page is loaded anew. A film that it has not drawn it draws under the mouse.
        """
        end, found, looks = time.monotonic() + seconds, 0, 0
        while found < 4 and time.monotonic() < end:
            self.page.wait_for_timeout(250)
            undrawn, looks = self.page.evaluate(_UNDRAWN), looks + 1
            found = 0 if undrawn or self.page.evaluate(_BUSY) else found + 1
            if undrawn and looks % 20 == 0:
                self.page.mouse.move(*undrawn[0])
                self.page.wait_for_timeout(3_000)
                self.page.mouse.move(2, 2)
        return found == 4

    def screenshot(self, path: Path) -> Path:
        """Takes a picture of the whole window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        return path


@contextlib.contextmanager
def browser(executable: str):
    """Yields a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()
