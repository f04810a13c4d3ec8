"""What the README tells the owner of a GPU is run as it stands there, on tiny checkpoints.

They are published in a cache of the hub under the names and commits of the real ones.
"""

import json
import re
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.known import KNOWN

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Second opinions on a GPU")[2].partition("\n## ")[0]
PUBLISHED = {
    "Qwen/Qwen3-VL-8B-Instruct": "qwen3_vl",
    "allenai/Molmo2-8B": "molmo2",
    "allenai/Molmo2-4B": "molmo2",
    "google/siglip2-base-patch16-224": "siglip2",
}
ANSWER = {
    "summary": {"brief": "Bars move.", "detailed": "Black and white bars move."},
    "action": {"brief": "move bars", "detailed": "The bars move.", "actor": "N/A"},
}


@pytest.fixture
def videos(films, tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(6):
        films.write(folder / f"{number}.mp4", 8 + number)
    return folder


def test_every_call_of_the_section_runs_as_it_is_written(
    hub, checkpoint, servers, videos, tmp_path, monkeypatch
):
    monkeypatch.setattr(fo.config, "model_zoo_dir", str(tmp_path / "zoo"))
    for name, architecture in PUBLISHED.items():
        hub.publish(name, checkpoint(architecture), KNOWN[name].revision, main=False)
    name, scope = f"readme-{tmp_path.name}", {}
    code = "\n".join(re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL))
    assert code.count('run("') == 8
    model = "Qwen/Qwen3-VL-8B-Instruct"
    try:
        with servers.Server(models=(model,), says=lambda body: json.dumps(ANSWER)) as server:
            for written, here in (
                ("/my/videos", str(videos)),
                ("my-videos", name),
                ("http://127.0.0.1:8000/v1", server.url),
                ("prefix=", "max_new_tokens=8, prefix="),  # a tiny network writes for ever
            ):
                assert written in code
                code = code.replace(written, here)
            exec(code, scope)
            assert len(server.requests) == 6
        dataset = scope["dataset"]
        assert dataset.values("qwen3vl_summary_brief") == ["Bars move."] * 6
        assert dataset.count("molmo_raw") == dataset.count("molmo_frames.frame_numbers[]") / 2 == 6
        assert dataset.count("qwen_embeddings") == dataset.count("molmo_embeddings") == 6
        assert dataset.has_brain_run("qwen_sim")
        assert dataset.count("predicted_class.label") == 6
        assert dataset.count("overlap_qwen_molmo") == 6
    finally:
        if fo.dataset_exists(name):
            fo.delete_dataset(name)


def test_sizes_and_licences_are_those_that_errors_tell():
    rows = re.findall(r"^\| `(.+?)` \| .+? \| (.+?) GB \| (.+?) GB \| (.+?) \|$", SECTION, re.M)
    assert len(rows) == 7
    for name, memory, download, licence in rows:
        known = KNOWN[name.replace("*", "clustering")]
        assert f"{2 * known.billions:.1f}" == memory
        assert f"{known.download:g}" == download
        assert known.licence == licence


def test_the_groups_that_are_to_be_installed_exist():
    groups = re.search(r"audit\[([\w,]+)\]", SECTION).group(1).split(",")
    project = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for group in groups:
        assert re.search(rf"^{group} = \[", project, re.M)


def test_the_operators_that_it_names_exist():
    for name in set(re.findall(r'run\("(\w+)"\)', SECTION)):
        assert foo.get_operator(f"@second-opinion/audit/{name}")
