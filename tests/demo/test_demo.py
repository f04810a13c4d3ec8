"""The demo as a whole, on few clips: every stage of the audit, on a real database."""

import fiftyone as fo
import pytest

from demo.__main__ import main
from demo.errors import KINDS

NAME = "second-opinion-demo-test"
CLIPS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("demo")
    yield made
    if fo.dataset_exists(NAME):
        fo.delete_dataset(NAME)


@pytest.fixture
def run(folder, monkeypatch, capsys):
    """Runs the demo without the App and gives what it printed."""

    def run_demo(count=CLIPS):
        monkeypatch.setenv("OPEN", "0")
        assert main(count, folder, NAME) == 0
        return capsys.readouterr().out

    return run_demo


def row(printed, words):
    """The numbers in the table's line that begins with these words."""
    line = next(line for line in printed.splitlines() if line.startswith(words))
    return [int(cell) for cell in line[len(words) :].split()]


def test_the_demo_says_what_it_found_and_a_second_run_does_nothing_again(run):
    printed = run()
    assert f"{CLIPS} clips rendered, 0 reused." in printed
    planted = row(printed, "all planted errors")
    good = row(printed, "good label")
    assert planted[0] == round(0.2 * CLIPS)
    assert 0 <= max(planted[1:]) <= planted[0]
    assert 0 <= max(good[1:]) <= good[0] < CLIPS
    kinds = [row(printed, words) for words in KINDS.values() if words in printed]
    assert [sum(column) for column in zip(*kinds)] == planted
    ids = fo.load_dataset(NAME).values("id")
    second = run()
    assert f"0 clips rendered, {CLIPS} reused." in second
    assert f"0 clips looked at, {CLIPS} answers reused." in second
    assert f"Scored 0 of {CLIPS} samples; {CLIPS} were already up to date." in second
    assert fo.load_dataset(NAME).values("id") == ids
    for words in ("all planted errors", "good label"):
        assert row(second, words) == row(printed, words)


def test_every_clip_was_audited(run):
    run()
    dataset = fo.load_dataset(NAME)
    assert dataset.persistent
    assert len(dataset) == CLIPS
    texts = dataset.values(["qwen3vl_summary_detailed", "molmo_summary_detailed"])
    read = [None not in pair for pair in zip(*texts)]
    assert sum(read) > CLIPS / 2
    scores = dataset.values(["sem_q_sum_detailed", "sem_m_sum_detailed"])
    assert [None not in pair for pair in zip(*scores)] == read


def test_a_clip_that_is_shorter_than_its_story_is_known_as_such(run):
    run()
    coverage = fo.load_dataset(NAME).values("clip_coverage")
    assert sum(share < 0.9 for share in coverage) == 1
    assert sum(share == pytest.approx(1, abs=0.01) for share in coverage) == CLIPS - 1


def test_the_truth_is_not_in_the_dataset(run):
    run()
    dataset = fo.load_dataset(NAME)
    told = " ".join([*dataset.get_field_schema(), *dataset.count_sample_tags()])
    assert not [word for word in ("truth", "planted", "wrong", "kind") if word in told]


def test_the_dataset_is_made_anew_when_the_annotations_change(run):
    run()
    printed = run(count=CLIPS - 4)
    assert "is made anew" in printed
    assert len(fo.load_dataset(NAME)) == CLIPS - 4
