"""The tutorial runs, here on a few clips; `make tutorial` runs it on all, which takes minutes."""

import ast
import importlib.util
import json
import re
from pathlib import Path

import fiftyone as fo
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text(encoding="utf-8"))
CELLS = ["".join(cell["source"]) for cell in NOTEBOOK["cells"]]
CODE = [text for text, cell in zip(CELLS, NOTEBOOK["cells"]) if cell["cell_type"] == "code"]
CLIPS = 10


@pytest.fixture
def tutorial():
    spec = importlib.util.spec_from_file_location("run_tutorial", ROOT / "docs/run_tutorial.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_stage_and_setting_that_it_names_is_there(operator):
    calls = [
        node
        for code in CODE
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "run"
    ]
    assert len(calls) > 10
    for call in calls:
        known = operator(call.args[0].value).settings.declared()
        given = {keyword.arg for keyword in call.keywords if keyword.arg}
        assert given <= set(known), f"{call.args[0].value} has no such setting"


def test_it_runs_from_the_first_cell_to_the_last_on_a_few_clips(tutorial, tmp_path):
    name = f"tutorial-{tmp_path.name}"
    try:
        done = tutorial.execute(CLIPS=CLIPS, FOLDER=str(tmp_path), NAME=name)
        said = tutorial.told(done)
        assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")
        dataset = fo.load_dataset(name)
        assert len(dataset) == CLIPS
        assert f"{CLIPS} clips rendered" in said
        assert dataset.first().gpt_summary_root_detailed in said
        assert len(dataset.exists("sem_q_sum_detailed")) >= CLIPS - 3
        assert "Nothing was calibrated" in said  # as the first cell says of so few
        assert said.count("image/png") == 2
        page = (tmp_path / "tutorial.html").read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>")
    finally:
        if fo.dataset_exists(name):
            fo.delete_dataset(name)


def test_every_cell_of_code_is_introduced_and_every_picture_is_there():
    kinds = [cell["cell_type"] for cell in NOTEBOOK["cells"]]
    assert ("code", "code") not in list(zip(kinds, kinds[1:]))
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", "\n".join(CELLS))
    assert len(pictures) == 2
    assert [picture for picture in pictures if not (ROOT / "docs" / picture).is_file()] == []


def test_it_is_kept_without_outputs_which_differ_from_machine_to_machine():
    assert not [cell for cell in NOTEBOOK["cells"] if cell.get("outputs")]
