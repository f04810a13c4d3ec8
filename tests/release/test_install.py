"""Downloaded from an archive of the committed files, the plugin loads and audits."""

import re

import yaml

from tests.release.installing import REPO


def test_an_archive_of_the_repository_is_downloaded_loads_and_audits(machine):
    stranger = machine()
    folder = stranger.download("HEAD")
    manifest = yaml.safe_load((folder / "fiftyone.yml").read_text(encoding="utf-8"))
    found = stranger.first_audit("first")
    assert found["errors"] == []
    assert found["operators"] == sorted(manifest["operators"] + manifest["panels"])
    assert found["versions"]["second-opinion"] == manifest["version"]
    assert found["scored"] == 120
    assert {"verdict", "confidence", "match_q_cap", "sup_qm_cap"} <= set(found["fields"])
    assert found["suspects"]
    # one in ten may be fine, as tag_confidence promises by default
    wrong = [int(re.search(r"\d+", path)[0]) < 24 for path in found["suspects"]]
    assert sum(wrong) >= 0.9 * len(wrong)

    files = [file for file in folder.rglob("*") if file.is_file()]
    assert not {".venv", ".local", ".git"} & {file.name for file in folder.iterdir()}
    assert sum(file.stat().st_size for file in files) < 10_000_000
    assert (folder / "LICENSE").read_bytes() == (REPO / "LICENSE").read_bytes()
