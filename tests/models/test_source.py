"""Which weights were loaded: the commit, found in a cache of the hub, or a folder's contents."""

import os
import shutil

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.annotator import Annotator
from fiftyone.plugins.orgs.second_opinion.audit.models.embedder import Embedder
from fiftyone.plugins.orgs.second_opinion.audit.models.encoder import Encoder
from fiftyone.plugins.orgs.second_opinion.audit.models.errors import ModelUnavailable
from fiftyone.plugins.orgs.second_opinion.audit.models.file_identity import (
    file_identity,
    folder_identity,
)
from fiftyone.plugins.orgs.second_opinion.audit.models.known import KNOWN, split_revision
from fiftyone.plugins.orgs.second_opinion.audit.models.source import Source, is_commit

FIRST, SECOND = "a" * 40, "b" * 40
NAME = "acme/lens"


@pytest.fixture
def two_commits(hub, hubs, checkpoint):
    """A model with an older and the newest commit, whose weights differ."""

    def of(architecture, name=NAME):
        hub.publish(name, checkpoint(architecture), FIRST)
        hubs.change_weights(hub.publish(name, checkpoint(architecture), SECOND))
        return name

    return of


@pytest.mark.parametrize("architecture", ["siglip2", "bert", "qwen3_vl"])
def test_the_commit_that_was_loaded_is_known_whatever_was_asked_for(two_commits, architecture):
    name = two_commits(architecture)

    newest = Embedder(name, device="cpu")
    older = Embedder(name, device="cpu", revision=FIRST)
    short = Embedder(f"{name}@{FIRST}", device="cpu")

    assert (newest.name, newest.revision) == (name, SECOND)
    assert older.revision == short.revision == FIRST
    assert older.identity == f"{name}@{FIRST}"
    (a,), (b,), (c,) = (lens.embed_texts(["a dog"]) for lens in (newest, older, short))
    assert np.array_equal(b, c)
    assert not np.allclose(a, b, atol=1e-3)


def test_a_witness_knows_its_commit_too(two_commits):
    name = two_commits("molmo2")

    assert Annotator(name, device="cpu").revision == SECOND
    assert Annotator(name, device="cpu", revision=FIRST).revision == FIRST


def test_an_encoder_knows_its_commit_too(two_commits):
    name = two_commits("bert")

    assert Encoder(name, device="cpu").revision == f"{name}@{SECOND}"
    assert Encoder(f"{name}@{FIRST}", device="cpu").revision == f"{name}@{FIRST}"


def test_a_commit_that_is_not_there_names_those_that_are(two_commits):
    name = two_commits("siglip2")

    with pytest.raises(ModelUnavailable, match=f"(?s){SECOND}.*as the revision") as refused:
        Embedder(name, device="cpu", revision="c" * 40)

    assert FIRST in str(refused.value)


def test_known_models_load_at_their_known_commit_unless_told_otherwise(hub, checkpoint):
    name = "google/siglip2-base-patch16-224"
    known = KNOWN[name].revision
    hub.publish(name, checkpoint("siglip2"), known, main=False)
    hub.publish(name, checkpoint("siglip2"), SECOND)

    assert Embedder(name, device="cpu").revision == known
    assert Embedder(name, device="cpu", revision="main").revision == SECOND


def test_known_commits_are_whole_and_bare_names_find_them():
    commits = [model.revision for model in KNOWN.values() if model.revision]

    assert all(is_commit(commit) for commit in commits)
    assert len(set(commits)) == len(commits)
    full = "sentence-transformers/all-mpnet-base-v2"
    assert split_revision("all-mpnet-base-v2") == (full, KNOWN[full].revision)
    assert split_revision(f"{full}@v1") == (full, "v1")
    assert split_revision(full, "v2") == (full, "v2")
    assert split_revision("somebody/else") == ("somebody/else", None)


def test_a_folder_is_known_by_its_contents_and_not_by_its_dates(checkpoint, hubs, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(checkpoint("siglip2"), copy)
    before = Source.of(checkpoint("siglip2")).revision
    for path in copy.iterdir():
        os.utime(path, (1, 1))
    (copy / "README.md").write_text("Notes of one's own.")

    assert Source.of(str(copy)).revision == before
    sizes = {path.name: path.stat().st_size for path in copy.glob("*.safetensors")}
    hubs.change_weights(copy)
    assert {path.name: path.stat().st_size for path in copy.glob("*.safetensors")} == sizes
    assert Source.of(str(copy)).revision != before
    with pytest.raises(ModelUnavailable, match="no revisions"):
        Source.of(str(copy), "main")


def test_a_file_is_known_by_its_beginning_middle_end_and_size(tmp_path):
    content = bytearray(os.urandom(400_000))
    path = tmp_path / "film.mp4"

    def named(data):
        path.write_bytes(bytes(data))
        return file_identity(path)

    names = {named(content), named(content[:-1])}
    for place in (0, 200_000, 399_999):
        changed = bytearray(content)
        changed[place] ^= 1
        names.add(named(changed))
    assert len(names) == 5
    assert named(content) in names
    for size in (0, 1, 16 * 1024, 40_000):
        assert named(content[:size]) not in names  # shorter than the blocks that are read


def test_a_folder_without_weights_has_a_name_as_well(tmp_path):
    assert len(folder_identity(tmp_path)) == 12


def test_loading_shows_no_bar(checkpoint, capfd):
    Embedder(checkpoint("siglip2"), device="cpu")
    Annotator(checkpoint("molmo2"), device="cpu")
    Encoder(checkpoint("bert"), device="cpu")

    assert "Loading weights" not in "".join(capfd.readouterr())
