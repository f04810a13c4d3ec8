"""Machines of strangers, each with a database of its own that ends with the test."""

import os
from uuid import uuid4

import fiftyone as fo
import pymongo
import pytest

from tests.release.installing import Machine, has_commit


@pytest.fixture
def machine(tmp_path):
    """Sets up a machine, by default with the environment that the tests run in."""
    if not has_commit("HEAD"):
        pytest.skip("these files are no clone: there is no commit to make an archive of")
    databases = []

    def setup(environment=None, database=None):
        if database is None:
            databases.append(database := f"second_opinion_release_{uuid4().hex[:8]}")
        return Machine(tmp_path / uuid4().hex[:8], environment, database)

    yield setup
    uri = os.environ.get("FIFTYONE_DATABASE_URI") or fo.config.database_uri
    if databases and uri:
        with pymongo.MongoClient(uri) as client:
            for database in databases:
                client.drop_database(database)


@pytest.fixture
def dataset_name():
    """A free name of a dataset in the tests' own database, free again afterwards."""
    name = f"older-{uuid4().hex[:8]}"
    yield name
    if fo.dataset_exists(name):
        fo.delete_dataset(name)
