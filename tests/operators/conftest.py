"""Rows of Action100M for the tests of what reads them."""

import importlib.util
import json
import sys
from pathlib import Path
from uuid import uuid4

import fiftyone as fo
import pytest


def _module(name):
    # Test folders are no packages, so their shared modules are loaded by path, once
    full = f"second_opinion_tests_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).parent / f"{name}.py")
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


_walls = _module("walls")


@pytest.fixture(scope="session")
def rows():
    """The module that makes rows of Action100M."""
    return _module("action100m_rows")


@pytest.fixture(scope="session")
def wall_films(tmp_path_factory):
    """Films of eight frames, each of one colour."""
    return _walls.write(tmp_path_factory.mktemp("walls"))


@pytest.fixture
def disputes(dataset, wall_films):
    """The films, a fifth of their annotations wrong, and two witnesses, of whom b errs once."""
    return _walls.add_disputes(dataset, wall_films)


@pytest.fixture
def segmented(dataset, wall_films):
    """The films in two segments each, and a fifth of the second ones annotated wrongly."""
    return _walls.add_segments(dataset, wall_films)


@pytest.fixture
def name():
    """A dataset's name that is free, and is free again afterwards."""
    made = f"import-{uuid4().hex[:8]}"
    yield made
    if fo.dataset_exists(made):
        fo.delete_dataset(made)


@pytest.fixture
def load(rows, tmp_path, name):
    """Imports rows from JSON Lines; gives the dataset and the report."""

    def load(*given, **settings):
        file = tmp_path / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in given))
        return rows.run(annotations=file, name=name, **settings)

    return load


def _models_fixtures():
    # Films and tiny checkpoints, made by the same fixtures as for the tests of the models
    path = Path(__file__).parents[1] / "models" / "conftest.py"
    spec = importlib.util.spec_from_file_location("second_opinion_tests_models_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_models = _models_fixtures()
checkpoint, checkpoints = _models.checkpoint, _models.checkpoints
films, film, real_clips = _models.films, _models.film, _models.real_clips
servers = _models.servers
hub, hubs = _models.hub, _models.hubs


@pytest.fixture(scope="session")
def short_films(films, tmp_path_factory):
    """Eight numbered films of one second or two, each with other numbers."""
    folder = tmp_path_factory.mktemp("short_films")
    return [films.write(folder / f"{i}.mp4", 10 + 2 * i, gop=10 + i) for i in range(8)]


@pytest.fixture
def clips(dataset, short_films):
    """A dataset of the eight short films."""
    dataset.add_samples([fo.Sample(filepath=path) for path in short_films])
    return dataset
