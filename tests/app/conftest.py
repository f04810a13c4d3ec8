"""A real App in a real browser: one server and one Chromium for all tests, a page for each."""

import re

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from tests.app.driver import SIZE, App, app_server, browser, find_browser


@pytest.fixture(scope="session")
def executable():
    """The path of a Chromium; tests that need one are skipped where there is none."""
    found = find_browser()
    if found is None:
        pytest.skip("no Chromium on this machine: the App was not looked at in a browser")
    return found


@pytest.fixture(scope="session")
def app_address(executable, tmp_path_factory):
    """The address of the App's server."""
    with app_server(tmp_path_factory.mktemp("app") / "server.log") as address:
        yield address


@pytest.fixture(scope="module")  # it holds an event loop, which tests of other rooms need
def chromium(executable):
    """A headless Chromium."""
    with browser(executable) as running:
        yield running


@pytest.fixture
def app(chromium, app_address, request, tmp_path_factory):
    """The App on a page of its own; where a test fails, a picture of it is kept."""
    context = chromium.new_context(viewport=SIZE)
    driven = App(context.new_page(), app_address)
    yield driven
    if getattr(request.node, "failed", False):
        name = re.sub(r"\W+", "_", request.node.name)
        print("Picture:", driven.screenshot(tmp_path_factory.mktemp("picture") / f"{name}.png"))
        print("Errors on the page, the App's own among them:", driven.errors)
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.failed:
        item.failed = True
    return report


@pytest.fixture
def saved_dataset():
    """Makes datasets that the App's server can open, and removes them afterwards."""
    made = []

    def make(samples):
        dataset = fo.Dataset(persistent=True)
        made.append(dataset)
        dataset.add_samples(samples)
        return dataset

    yield make
    for dataset in made:
        dataset.delete()


@pytest.fixture
def workshop_dataset(saved_dataset, tmp_path):
    """Samples with scores of two aspects and two witnesses, a tenth of them missing.

    The fields are the workshop's; no stage of ours ran. Scores lie on a lattice, so that the
    edge of a lasso can pass between them.
    """
    random = np.random.default_rng(51)
    image = tmp_path / "frame.png"
    Image.new("RGB", (64, 48), (60, 90, 120)).save(image)
    samples = []
    for row in range(60):
        sample = fo.Sample(filepath=str(image), tags=["mine"] if row % 7 == 0 else [])
        for aspect in ("sum_brief", "sum_detailed"):
            for name in ("lex_q", "sem_q", "lex_m", "sem_m"):
                score = float(random.integers(0, 26) * 0.04)
                sample[f"{name}_{aspect}"] = None if row % 10 == 3 else score
        samples.append(sample)
    return saved_dataset(samples)
