"""A database that goes away in the midst of a stage: a sentence, nothing lost, and on it goes."""

import json
import random
import shutil
import subprocess
import time

import pytest

pytestmark = pytest.mark.long  # many processes, each of which starts FiftyOne

ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one", "b": "two"}}]
SCORE = {"aspects": ASPECTS, "metrics": ["lex", "sup"]}
MB = 1 << 20


def done(server, name, work="score_agreement"):
    """How many samples of a dataset carry a piece of work's fingerprint."""
    database = server.client()["second_opinion_tests"]
    found = database.datasets.find_one({"name": name})
    return database[found["sample_collection_name"]].count_documents(
        {f"audit_ledger.{work}": {"$exists": True, "$ne": None}}
    )


def test_a_server_killed_under_a_stage_costs_the_batch_in_flight(server, command, result, until):
    server.start()
    here = {"FIFTYONE_DATABASE_URI": server.uri}
    for name in ("calm", "shaken"):
        result("build", name, 600, **here)
    result("run", "calm", "score_agreement", SCORE, **here)
    shaken = command("run", "shaken", "score_agreement", SCORE, **here)
    until(lambda: done(server, "shaken") >= 200)
    time.sleep(0.5)  # the server's journal reaches the disk ten times a second
    server.kill()
    said, _ = shaken.communicate(timeout=120)
    assert shaken.returncode == 3
    assert "DatabaseGone: The database went away" in said and "run" in said
    server.start()
    before = done(server, "shaken")
    assert 200 <= before < 600  # what was told as written is kept
    report = result("run", "shaken", "score_agreement", SCORE, **here)
    assert report["scored"] == 600 - before
    pairs = zip(result("documents", "shaken", **here), result("documents", "calm", **here))
    assert [pair for pair in pairs if pair[0] != pair[1]] == []


@pytest.fixture
def small_disk(server):
    """The server's folder on a disk of its own, and a file that takes what room is left."""
    mounting = ["mount", "-t", "tmpfs", "-o", "size=700m", "tmpfs", str(server.folder)]
    if shutil.which("mount") is None or subprocess.run(mounting, capture_output=True).returncode:
        pytest.skip("only an administrator can mount a small disk to fill")
    yield server.folder / "other.bin"
    server.kill()
    subprocess.run(["umount", str(server.folder)], check=True)


def test_a_full_disk_is_told_and_costs_the_batch_in_flight(
    server, small_disk, tmp_path, command, result
):
    server.start()
    here = {"FIFTYONE_DATABASE_URI": server.uri}
    result("build", "full", 1_600, **here)
    answers = tmp_path / "answers.jsonl"
    with answers.open("w") as file:
        for i in range(1_600):  # the first thousand, one batch, find room; the others do not
            text = f"said {i} " + random.Random(i).randbytes(30_000 if i >= 1_000 else 30).hex()
            file.write(json.dumps({"filename": f"{i}.mp4", "answer": text}) + "\n")
    with small_disk.open("wb") as other:
        other.write(bytes(shutil.disk_usage(server.folder).free - 8 * MB))
    settings = {"prefix": "third", "file": str(answers)}
    failing = command("run", "full", "read_opinions", settings, **here)
    said, _ = failing.communicate(timeout=200)
    assert failing.returncode == 3, said
    assert "DatabaseGone: The database" in said and "What was written before is kept" in said
    assert "running the stage again goes on from there" in said
    server.kill()
    small_disk.unlink()
    server.start()
    before = [one.get("third_raw") for one in result("documents", "full", **here)]
    assert sum(raw is not None for raw in before) >= 1_000
    result("run", "full", "read_opinions", settings, **here)
    documents = result("documents", "full", **here)
    order = sorted(range(1_600), key=lambda i: f"/none/{i}.mp4")
    wanted = [len(f"said {i} ") + (60_000 if i >= 1_000 else 60) for i in order]
    assert [len(one["third_raw"]) for one in documents] == wanted
    # what had been written stands as it was
    for raw, one in zip(before, documents):
        assert raw is None or raw == one["third_raw"]
