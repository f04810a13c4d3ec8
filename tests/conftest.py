"""One FiftyOne for all tests: its own database, the plugin linked into its own folder."""

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
DATA = REPO.parent / "shared" / "data"


def _prepare_environment() -> None:
    # Before fiftyone is imported: it reads its settings once, at import.
    home = Path(tempfile.mkdtemp(prefix="so-"))
    plugins = home / "plugins"
    plugins.mkdir()
    (plugins / "second-opinion").symlink_to(REPO, target_is_directory=True)
    os.environ["FIFTYONE_PLUGINS_DIR"] = str(plugins)
    os.environ["FIFTYONE_DATABASE_NAME"] = "second_opinion_tests"
    os.environ.setdefault("FIFTYONE_DATABASE_DIR", str(home / "mongo"))
    os.environ["FIFTYONE_DO_NOT_TRACK"] = "true"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"


def _offer_torchvision() -> None:
    # transformers decides at its first import whether it can process videos
    path = REPO / "tests" / "torchvision_on_cpu.py"
    spec = importlib.util.spec_from_file_location("second_opinion_torchvision", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.offer()


_prepare_environment()
_offer_torchvision()

import fiftyone as fo  # noqa: E402
import fiftyone.operators as foo  # noqa: E402
import pytest  # noqa: E402

pytest_plugins = ["tests.models.fixtures"]
foo.list_operators()  # loads the plugin, so that tests can import its rooms


@pytest.fixture
def operator():
    """Gives an operator of ours by its short name."""
    return lambda name: foo.get_operator(f"@second-opinion/audit/{name}")


@pytest.fixture
def dataset():
    """An empty dataset of its own for a test."""
    made = fo.Dataset()
    yield made
    if not made.deleted:
        made.delete()


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real texts; tests that need it are skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the folder ../shared/data with real annotations is not on this machine")
    return DATA
