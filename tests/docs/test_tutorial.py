"""The tutorial's calls name what is there; `make tutorial` runs all of it, which takes minutes."""

import ast
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text(encoding="utf-8"))
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


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


def test_it_is_kept_without_outputs_which_differ_from_machine_to_machine():
    assert not [cell for cell in NOTEBOOK["cells"] if cell.get("outputs")]
