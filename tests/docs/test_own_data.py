"""Every block of docs/own-data.md is run as it stands there, on captions whose truth is known."""

import json
import re
from itertools import product
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
NAMES = ("my-captions", "my-videos", "my-clips", "my-events", "my-images")
WRONG = 17  # of the 120 captions, every 7th stands on another clip

WHO = ("dog", "boy", "chef", "nurse", "horse")
DOES = (("jumps over", "leaps across"), ("paints", "colours"), ("carries", "lifts"))
WHAT = (("a red fence", "red barrier"), ("an old boat", "boat"), ("a chair", "seat of wood"))
WHERE = (
    ("in the snow", "on a snowy day"),
    ("at night", "in the dark"),
    ("near a river", "by water"),
)


@pytest.fixture(scope="module")
def told():
    """120 scenes in three tellings, and which of the annotations were moved to another clip."""
    scenes = list(product(WHO, DOES, WHAT, WHERE))[:120]
    first = [f"A {w} {d[0]} {o[0]} {p[0]}." for w, d, o, p in scenes]
    second = [f"{p[1].capitalize()}, a {w} {d[1]} {o[0]}." for w, d, o, p in scenes]
    third = [f"There is a {w} that {d[0]} the {o[1]} {p[1]}." for w, d, o, p in scenes]
    moved = np.zeros(120, dtype=bool)
    moved[3::7] = True
    labels = np.array(first)
    labels[moved] = np.roll(labels[moved], 6)
    assert moved.sum() == WRONG
    order = np.random.default_rng(4).permutation(120)
    columns = (labels.tolist(), second, third)
    return *([column[i] for i in order] for column in columns), moved[order]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in NAMES:
        if fo.dataset_exists(name):
            fo.delete_dataset(name)


@pytest.fixture
def page(folder):
    """Runs the blocks of one section, after those that all share."""
    assert not [name for name in NAMES if fo.dataset_exists(name)]
    scope = {}
    exec(_code(PAGE.partition("\n## ")[0]), scope)

    def run(title, **replaced):
        code = _code(PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0])
        for written, here in replaced.items():
            assert written in code
            code = code.replace(written, here)
        exec(code, scope)
        return scope

    return run


def _code(text):
    found = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    assert found
    return found


def _dataset(name, fields, suffix=".mp4"):
    dataset = fo.Dataset(name)
    rows = zip(*fields.values())
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/clips/{i:03}{suffix}", **dict(zip(fields, row)))
            for i, row in enumerate(rows)
        ]
    )
    return dataset


def _check(confidence, verdicts, tags, moved):
    """The least trusted labels are those that were moved; so say the verdicts, and any suspects."""
    worst = np.argsort(np.array(confidence, dtype=float))[:WRONG]
    accused = np.array([verdict == "annotation_suspect" for verdict in verdicts])
    suspects = np.array(["suspect" in found for found in tags])
    assert moved[worst].sum() >= 0.7 * WRONG
    assert moved[accused].sum() >= max(0.7 * accused.sum(), 0.5 * WRONG)
    assert moved[suspects].sum() >= 0.75 * suspects.sum()


def test_a_file_of_captions(page, folder, told, capsys):
    labels, second, third, moved = told
    files = [f"{i:03}.mp4" for i in range(len(labels))]
    second = [None if i == 7 else text for i, text in enumerate(second)]
    rows = [{"file": f, "caption": a, "llava": b} for f, a, b in zip(files, labels, second)]
    _write(folder / "captions.jsonl", rows)
    later = [{"file": f, "text": t} for f, t in zip(files, third)][::-1]
    _write(folder / "internvl.jsonl", later)

    scope = page("A file of captions")
    dataset = scope["dataset"]

    assert dataset.values("filepath") == [str(folder / name) for name in files]
    assert dataset.values("internvl") == third
    _check(*dataset.values(["confidence", "verdict", "tags"]), moved)
    assert dataset.values("sup_a_caption")[7] is None  # a gap is no disagreement
    said = capsys.readouterr().out
    assert "Score agreement: Scored 120 of 120 samples" in said
    assert "tagged 120 of 120 samples" in said or "tagged 119 of 120 samples" in said
    expected = int(re.search(r"expect some (\d+) wrong labels of 1(?:19|20);", said)[1])
    assert WRONG / 2 < expected < 2 * WRONG
    assert "nobody can tell" not in said  # no clip shows less than was annotated
    assert re.search(r"other_clip: at 5% false alarms this audit notices \d+% of \d+ in", said)
    assert "Second opinion" in dataset.list_workspaces()


def test_one_caption_field_and_no_second_model(page, folder, films, servers):
    texts = ["A man talks to the camera."] * 3 + ["A cat sleeps.", "Rain falls on a street."]
    titles = ["Welding steel pipes", "Baking sourdough bread", "Guitar lesson", "Cats", "Weather"]
    dataset = fo.Dataset("my-videos")
    for i, (text, title) in enumerate(zip(texts, titles)):
        path = films.write(folder / f"{i}.mp4", 8)
        dataset.add_sample(fo.Sample(filepath=path, caption=text, title=title, events=_tree()))
    dataset.add_dynamic_sample_fields()

    with servers.Server(
        models=("Qwen/Qwen3-VL-8B-Instruct",), says=lambda body: "A cat sleeps on a bed."
    ) as server:
        scope = page(
            "One caption field, and no second model yet", **{"http://127.0.0.1:8000/v1": server.url}
        )
        assert len(server.requests) == 5

    assert scope["repeated"].values("title") == titles[:3]
    assert dataset.values("events.detections.tree_fit", unwind=True)[3:7] != [None] * 4
    assert dataset.values("qwen_summary") == ["A cat sleeps on a bed."] * 5
    assert scope["least"].count() == 5 and scope["least"].last().caption == "A cat sleeps."


def test_two_caption_fields(page, told):
    labels, second, _, moved = told
    _dataset("my-clips", {"caption_v1": labels[:40], "caption_v2": second[:40]})
    scope = page("Two caption fields")
    assert [row["n"] for row in scope["scores"]["scores"]] == [40, 40]
    worst = {f.rpartition("/")[2] for f in scope["differ"].limit(12).values("filepath")}
    wrong = {f"{i:03}.mp4" for i in np.flatnonzero(moved[:40])}
    assert len(worst & wrong) > len(wrong) / 2
    assert "40 annotations of text can be reviewed, by sem_v_text" in scope["plan"]["summary"][0]


def test_segments_of_videos(page, told):
    labels, second, third, moved = told
    dataset = fo.Dataset("my-events")
    for start in range(0, 120, 6):
        rows = range(start, start + 6)
        times = {row: [1 + 30 * (row - start), 30 + 30 * (row - start)] for row in rows}
        ours = [
            fo.TemporalDetection(label=labels[row], support=times[row], blip=second[row])
            for row in rows
        ]
        theirs = [fo.TemporalDetection(label=third[row], support=times[row]) for row in rows]
        dataset.add_sample(
            fo.Sample(
                filepath=f"/clips/{start}.mp4",
                events=fo.TemporalDetections(detections=ours),
                llava_events=fo.TemporalDetections(detections=theirs[::-1]),
            )
        )
    scope = page("Segments of videos")
    tags = [found for video in dataset.values("events.detections.tags") for found in video]
    paths = ["events.detections.confidence_event", "events.detections.verdict"]
    _check(*dataset.values(paths, unwind=True), tags, moved)
    shown = scope["suspects"].count("events.detections")
    assert shown == sum("suspect" in found for found in tags)
    assert dataset.count("events.detections.sup_b_event") == 120


def test_images(page, folder, told):
    labels, second, third, moved = told
    fields = {"caption": labels, "blip": second, "llava": third}
    dataset = _dataset("my-images", fields, suffix=".png")
    paths = [str(folder / f"{i}.png") for i in range(120)]
    for path in paths:
        Image.new("RGB", (8, 8), (40, 90, 160)).save(path)
    dataset.set_values("filepath", paths)
    assert dataset.media_type == "image"
    page("Images")
    _check(*dataset.values(["confidence", "verdict", "tags"]), moved)
    assert sum(dataset.count_values("verdict").values()) == 120
    html = (folder / "audit.html").read_text(encoding="utf-8")
    assert html.count("data:image/") == 5
    rates = html.partition("<h2>Error rates</h2>")[2].partition("<h2>")[0]
    assert "No estimate yet" in rates and "<table>" not in rates  # nobody has reviewed yet


def _write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _tree():
    texts = ["A day at home", "cooking soup", "walking the dog", "cutting leeks", "a dog runs"]
    parents = [None, "0", "0", "1", "2"]
    spans = [(0, 40), (0, 20), (20, 40), (2, 18), (22, 38)]
    return fo.TemporalDetections(
        detections=[
            fo.TemporalDetection(
                label=text,
                support=[1, 8],
                node_id=str(i),
                parent_id=parent,
                level=0 if parent is None else 1 if parent == "0" else 2,
                start=float(span[0]),
                end=float(span[1]),
            )
            for i, (text, parent, span) in enumerate(zip(texts, parents, spans))
        ]
    )
