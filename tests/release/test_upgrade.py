"""What an older version of this plugin stored is read, kept and cleared by today's."""

import csv

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map.found import find
from fiftyone.plugins.orgs.second_opinion.audit.panels.confidence_map.table import read_table
from fiftyone.plugins.orgs.second_opinion.audit.panels.opinion_viewer.sample import (
    find_aspects,
    read_sample,
)

from tests.release import stored
from tests.release.first_audit import ASPECTS
from tests.release.installing import has_commit

#: What users had: the first calibrated audit, and each time that what is stored changed since.
OLDER = ("e93b2b1", "64ab3ba", "7749af8")
SCORES = [f"{metric}_{edge}_cap" for metric in ("lex", "sem", "match") for edge in ("q", "m", "qm")]
SUMS = ["confidence", "verdict"]
GIVEN = ["gt", "one", "two"]


@pytest.fixture
def older(dataset_name):
    """The dataset that an older version left, as the repository keeps it."""
    return stored.load(dataset_name)


@pytest.fixture(params=OLDER)
def just_made(request, machine, dataset_name):
    """The dataset that an older version makes now, in a process of its own."""
    if not has_commit(request.param):
        pytest.skip(f"this clone has no history back to {request.param}")
    return stored.make(request.param, machine(database=fo.config.database_name), dataset_name)


def look_at_it(dataset, operator, folder):
    """Every way in which today's code meets what is stored."""
    sample = dataset.first()
    sample.tags.append("my own")
    sample.save()
    given, tags = dataset.values(GIVEN), dataset.values("tags")
    before = dataset.values([*SCORES, *SUMS])
    assert all(len([v for v in column if v is not None]) > 90 for column in before)

    table, found = read_table(dataset), find(dataset)
    assert found.comparable()["cap"].keys() == {"q", "m", "qm"}
    stored = [np.nan if value is None else value for value in dataset.values("confidence")]
    np.testing.assert_array_equal(table.numbers("confidence"), stored)
    (aspect,) = find_aspects(dataset)
    assert dict(aspect.opinions) == {"q": "one", "m": "two"}
    assert read_sample(dataset, sample.id, [aspect])
    file = folder / "audit.csv"
    operator("export_audit")(dataset, path=str(file), format="csv")
    with open(file, encoding="utf-8", newline="") as lines:
        rows = {row["filepath"]: row for row in csv.DictReader(lines)}
    for path, verdict in zip(*dataset.values(["filepath", "verdict"])):
        assert rows[path]["verdict"] == (verdict or "")
    assert dataset.values([*SCORES, *SUMS]) == before  # to look is to leave alone
    assert dataset.values("tags") == tags

    operator("run_audit")(dataset, aspects=ASPECTS)
    after = dataset.values([*SCORES, *SUMS])
    for old, new in zip(before, after):
        assert [v is None for v in old] == [v is None for v in new]
    assert set(dataset.values("audit_status.score_agreement")) <= {"ok", "missing"}
    operator("score_agreement")(dataset, aspects=ASPECTS)  # nothing is left to do
    assert dataset.values([*SCORES, *SUMS]) == after
    scored = [
        name for name in dataset.get_field_schema() if name.startswith(("lex_", "sem_", "sup_"))
    ]
    after = dataset.values(scored)
    operator("score_agreement")(dataset, aspects=ASPECTS, overwrite=True)
    for ours, anew in zip(after, dataset.values(scored)):  # nothing of an older formula is left
        assert ours == [None if v is None else pytest.approx(v, abs=1e-5) for v in anew]
    assert "my own" in dataset.first().tags
    assert len(dataset.match_tags("suspect")) > 5

    operator("clear_audit")(dataset)
    assert set(dataset.get_field_schema()) - set(GIVEN) == set(fo.Dataset().get_field_schema())
    assert dataset.count_sample_tags() == {"my own": 1}
    assert not dataset.list_runs() and not dataset.list_saved_views()
    assert dataset.values(GIVEN) == given


def test_what_an_older_version_stored_is_read_kept_and_cleared(older, operator, tmp_path):
    look_at_it(older, operator, tmp_path)


@pytest.mark.long
def test_what_older_versions_make_is_read_kept_and_cleared(just_made, operator, tmp_path):
    look_at_it(just_made, operator, tmp_path)
