"""Rows of Action100M, films and witnesses, for the tests of the stages that read them."""

import json
from uuid import uuid4

import fiftyone as fo
import pytest

from tests.operators import action100m_rows, captioning, walls


@pytest.fixture(scope="session")
def rows():
    """The module that makes rows of Action100M."""
    return action100m_rows


@pytest.fixture(scope="session")
def wall_films(tmp_path_factory):
    """Films of eight frames, each of one colour."""
    return walls.write(tmp_path_factory.mktemp("walls"))


@pytest.fixture
def disputes(dataset, wall_films):
    """The films, a fifth of their annotations wrong, and two witnesses, of whom b errs once."""
    return walls.add_disputes(dataset, wall_films)


@pytest.fixture
def segmented(dataset, wall_films):
    """The films in two segments each, and a fifth of the second ones annotated wrongly."""
    return walls.add_segments(dataset, wall_films)


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


@pytest.fixture
def serve(servers):
    """Starts a server of a witness that says a text, or what a function makes of the request."""
    running = []

    def start(says=None, **settings):
        text = says if callable(says) or says is None else (lambda body: says)
        server = servers.Server(says=text, **settings).__enter__()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def caption(operator):
    """Has a witness watch samples, four small frames of each."""

    def run(samples, **settings):
        return operator("caption")(
            samples, **{**captioning.FRAMES, "prefix": "qwen3vl", **settings}
        )

    return run
