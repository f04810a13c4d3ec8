"""What the README shows of Action100M's files is read by the calls that it shows."""

import json
import re
from pathlib import Path

import fiftyone as fo
import pytest

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("\n## Action100M\n")[2].partition("\n## ")[0]


@pytest.fixture
def name():
    yield "readme-action100m"
    if fo.dataset_exists("readme-action100m"):
        fo.delete_dataset("readme-action100m")


def test_the_rows_it_shows_go_through_the_calls_it_shows(name, tmp_path):
    row, answer = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", SECTION, re.S))
    (code,) = re.findall(r"```python\n(.*?)```", SECTION, re.S)
    for file, kept in (
        ("part-000.parquet", row),
        ("qwen_answers.jsonl", answer),
        ("molmo_answers.jsonl", answer),
    ):
        here = tmp_path / Path(file).with_suffix(".jsonl")
        here.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        assert file in code
        code = code.replace(file, str(here))
    code = code.replace("videos", str(tmp_path)).replace('"action100m"', repr(name))

    scope = {}
    exec("import fiftyone as fo\nimport fiftyone.operators as foo\n" + code, scope)

    sample = scope["dataset"].first()
    assert sample.video_uid == row["video_uid"] == answer["video_uid"]
    assert sample.gpt_summary_root_brief == row["nodes"][0]["gpt"]["summary"]["brief"]
    assert sample.plm_caption.detections[0].label == row["nodes"][1]["plm_caption"]
    assert sample.qwen3vl_summary_detailed == answer["summary"]["detailed"]
    assert sample.molmo_action_actor == answer["action"]["actor"]
    assert 0 < sample.sem_q_sum_brief < 1
