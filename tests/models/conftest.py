"""Frames that were sampled and witnesses that are loaded, for the tests of the models."""

import pytest


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
