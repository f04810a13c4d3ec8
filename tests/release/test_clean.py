"""In clean environments, as the README says: the oldest and newest FiftyOne we accept."""

import re
import subprocess
import sys

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from bootstrap import TORCH
from tests.release.installing import PLUGIN, REPO

pytestmark = pytest.mark.long

MANIFEST = yaml.safe_load((REPO / "fiftyone.yml").read_text(encoding="utf-8"))
RANGE = SpecifierSet(MANIFEST["fiftyone"]["version"])


def published():
    """Every released version of FiftyOne, oldest first."""
    command = [sys.executable, "-m", "pip", "index", "versions", "fiftyone"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    listed = re.search(r"Available versions: (.*)", told)[1].split(", ")
    return sorted(map(Version, listed))


@pytest.fixture
def clean(tmp_path, machine):
    """Makes an environment that holds torch and a version of FiftyOne, and nothing of ours."""

    def make(version):
        place = tmp_path / f"fiftyone-{version}"
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        new = machine(place)
        try:
            new.run("pip", "install", "--quiet", TORCH)
        except AssertionError:  # this build is not to be had for every system
            new.run("pip", "install", "--quiet", "torch")
        new.run("pip", "install", "--quiet", f"fiftyone=={version}")
        return new

    return make


@pytest.mark.parametrize("end", ["oldest", "newest"])
def test_a_stranger_installs_and_audits(end, clean):
    accepted = list(RANGE.filter(published()))
    if end == "newest" and accepted[0] == accepted[-1]:
        pytest.skip(f"{accepted[0]} is the one version in the range {RANGE}")
    version = accepted[0] if end == "oldest" else accepted[-1]
    stranger = clean(version)
    folder = stranger.download("HEAD")
    told = stranger.run("fiftyone", "plugins", "requirements", PLUGIN, "--install")
    assert "is compatible" in told
    stranger.run("pip", "check")
    found = stranger.first_audit("first")
    assert found["fiftyone"] == str(version)
    assert found["errors"] == []
    assert found["operators"] == sorted(MANIFEST["operators"] + MANIFEST["panels"])
    assert found["versions"]["second-opinion"] == MANIFEST["version"]
    assert found["scored"] == 120
    assert found["suspects"]
    # the README's groups resolve beside what is installed
    stranger.run("pip", "install", "--quiet", "--dry-run", f"{folder}[endpoint]")
    if end == "oldest":
        is_refused(stranger, [v for v in published() if v < version][-1])


def is_refused(stranger, older):
    # Put into an environment that works: on its own, 1.22.0 takes packages too new to start with.
    stranger.run("pip", "install", "--quiet", f"fiftyone=={older}")
    told = stranger.run("fiftyone", "plugins", "requirements", PLUGIN, "--install", fails=True)
    stated = MANIFEST["fiftyone"]["version"]
    assert f"Plugin {PLUGIN} requires fiftyone{stated} but you are running {older}" in told
