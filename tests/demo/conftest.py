"""A few of the demo's clips, rendered once for all tests of this folder."""

import pytest

from demo.clips import clip_path, render_clips
from demo.scenes import make_scenes

CLIPS = 16


@pytest.fixture(scope="session")
def scenes():
    """The first scenes of the demo, one of them title cards only, one cut short."""
    return make_scenes(CLIPS)


@pytest.fixture(scope="session")
def clips(scenes, tmp_path_factory):
    """The folder with the scenes' clips."""
    folder = tmp_path_factory.mktemp("clips")
    render_clips(scenes, folder, workers=1)
    return folder


@pytest.fixture(scope="session")
def paths(scenes, clips):
    """The clips' files, in the order of the scenes."""
    return [clip_path(clips, scene) for scene in scenes]
