"""What docs/reference and the README tell of operators and settings is what the code declares."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_what_make_docs_would_write(generate):
    assert sorted(map(str, generate.outdated())) == [], "run make docs"
    assert generate.strangers() == []


def test_every_setting_has_its_row(generate, operator):
    for name in ("embed", "score_agreement", "calibrate", "tag_confidence", "ground_disputes"):
        page = (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")
        settings = operator(name).settings.declared()
        assert settings
        for setting, (_, spec) in settings.items():
            row = next(line for line in page.splitlines() if line.startswith(f"| `{setting}` |"))
            assert spec.label in row and spec.help.split("|")[0].rstrip(".") in row
            assert all(str(choice) in row for choice in spec.choices)


def test_a_setting_that_changes_makes_the_page_stale(generate, operator):
    table = generate.settings_table(operator("plan_review").settings)
    page = (ROOT / "docs" / "reference" / "plan_review.md").read_text(encoding="utf-8")
    assert table in page
    assert table.replace("Seed", "Sown") not in page


def test_lost_marks_are_told(generate):
    with pytest.raises(ValueError, match="lost its marks"):
        generate.between_marks("# No table here", "| a |")
