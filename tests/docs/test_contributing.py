"""What CONTRIBUTING and the docs point at is there, and every dependency has its reason."""

import re
from pathlib import Path

import fiftyone as fo
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.metrics import METRICS
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "docs/method.md", "docs/own-data.md")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    gone = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert gone == []


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    rooms = "agreement|engine|models|operators|panels|demo|benchmarks|tests|docs"
    named = re.findall(rf"`((?:{rooms})/[\w/.-]+\.(?:py|md|ipynb))`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_dependency_has_its_reason():
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted += re.findall(r'"([\w.-]+(?:\[\w+\])?)>=', project.partition("[build-system]")[0])
    names = {re.match(r"[\w.-]+", line)[0] for line in wanted if line and line[0] != "#"}
    rows = re.findall(r"^\| (.+?) \|", CONTRIBUTING.partition("## Dependencies")[2], re.M)
    given = {name.strip() for row in rows for name in row.split(",")}
    assert len(names) > 15
    assert names - given == set()


def test_the_walks_name_what_is_there():
    assert "sem" in METRICS and METRICS["sem"].needs == "vectors"
    for name in ("HoistSettings", "HoistLabels", "cosine_similarity", "ARCHITECTURES", "smolvlm"):
        assert name in CONTRIBUTING
        assert any(
            name in (ROOT / file).read_text(encoding="utf-8")
            for file in re.findall(r"\]\(([\w/]+\.py)\)", CONTRIBUTING)
        )


def test_one_version_stands_everywhere_and_in_the_app(operator, dataset):
    found = {
        re.search(r'^version[:=\s"]+([\d.]+)', (ROOT / file).read_text(encoding="utf-8"), re.M)[1]
        for file in ("fiftyone.yml", "pyproject.toml")
    }
    version = found.pop()
    assert not found
    for name in ("confidence_map", "opinion_viewer", "review"):
        assert operator(name).config.help_markdown.endswith(f"Second Opinion {version}")
    dataset.add_sample(fo.Sample(filepath="/clips/a.mp4", a="A dog runs.", b="A dog."))
    aspects = [{"name": "x", "annotation": "a", "opinions": {"w": "b"}}]
    operator("score_agreement")(dataset, aspects=aspects, metrics=["lex"])
    run = dataset.get_run_info(dataset.list_runs()[-1])
    assert run.config.versions["second-opinion"] == version


def test_one_range_of_fiftyone_stands_everywhere():
    manifest = (ROOT / "fiftyone.yml").read_text(encoding="utf-8")
    stated = re.search(r'^  version: "(.*)"$', manifest, re.M)[1]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"fiftyone{stated}"' in project
    lowest = re.match(r">=([\d.]+)", stated)[1]
    assert f"FiftyOne {lowest} or later" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_lock_keeps_to_the_ranges_and_names_no_place():
    lines = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line[0] != "#")
    assert not [line for line in lines if re.search(r"[/@+]|file:", line)]
    ranges = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ranges += re.findall(
        r'"([\w.-]+(?:\[\w+\])?>=[^"]+)"',
        project.partition("[build-system]")[0].partition("dev = [")[2],
    )
    for requirement in map(Requirement, ranges):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])
