"""Files that make a decoder hang or crash: each costs its own sample, and no process stays."""

import gc
import os
import random
import signal
import threading
from contextlib import closing
from functools import partial

import fiftyone as fo
import numpy as np
import psutil
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models import zoo
from fiftyone.plugins.orgs.second_opinion.audit.models.decoding import Decoder
from fiftyone.plugins.orgs.second_opinion.audit.models.timeline import FrameError
from fiftyone.plugins.orgs.second_opinion.audit.operators import action100m_films, export_pictures
from PIL import Image

from tests.operators.watchers import FRAMES, WATCHERS

killing = pytest.importorskip(
    "tests.faults.killing", reason="the checkout's root is not on the path"
)

pytestmark = pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="this system has no named pipes to hang on"
)


def decoders(process=None):
    """The processes that decode for this one, or for another."""
    found = (process or psutil.Process()).children(recursive=True)
    return [child for child in found if "second_opinion_decoder" in " ".join(child.cmdline())]


@pytest.fixture
def watched(dataset, films, tmp_path):
    """Four films, among them one that never answers and one that a test can crash the reader of."""
    dataset.media_type, dataset.persistent = "video", True
    paths = {name: tmp_path / f"{name}.mp4" for name in ("a", "silent", "b", "deadly", "c", "d")}
    for name, path in paths.items():
        if name in ("silent", "deadly"):
            os.mkfifo(path)
        else:
            films.write(path, 8 + len(name))
    dataset.add_samples([fo.Sample(filepath=str(path), name=name) for name, path in paths.items()])
    return dataset


def crash_reader(path):
    """Sends SIGSEGV to the one decoder, as soon as it reads a file."""

    def crash():
        with open(path, "wb"):  # returns once the other end is open
            for child in decoders():
                child.send_signal(signal.SIGSEGV)

    threading.Thread(target=crash, daemon=True).start()


@pytest.mark.parametrize("stage", WATCHERS)
def test_a_decoder_that_hangs_and_one_that_crashes_cost_a_sample_each(
    watched, operator, checkpoint, stage
):
    architecture, own, work, _, field = WATCHERS[stage]
    crash_reader(watched.match({"name": "deadly"}).first().filepath)

    report = operator(stage)(
        watched, model=checkpoint(architecture), workers=1, decode_timeout=3.0, **own, **FRAMES
    )

    assert decoders() == []
    names, statuses, reasons, found = watched.values(
        ["name", f"audit_status.{work}", f"audit_status.{work}_why", field]
    )
    status, why = dict(zip(names, statuses)), dict(zip(names, reasons))
    assert report["failed"] == 2
    assert {n for n, value in zip(names, found) if value is None} == {"silent", "deadly"}
    assert status["silent"] == status["deadly"] == "failed"
    # random weights write what cannot be read, and that has a reason of its own
    assert all(status[n] == "ok" if stage == "embed" else "cut off" in why[n] for n in "abcd")
    assert "silent.mp4 did not answer within 3 s" in why["silent"]
    assert "deadly.mp4 made the decoder crash (SIGSEGV)" in why["deadly"]
    alone = watched.match({"name": {"$in": list("abcd")}})
    operator(stage)(alone, model=checkpoint(architecture), overwrite=True, **own, **FRAMES)
    watched.reload()
    for before, after in zip(found, watched.values(field)):
        assert (before is None) == (after is None)
        if stage == "embed" and before is not None:
            np.testing.assert_allclose(before, after, atol=1e-5)
        elif stage == "caption":
            assert before == after


def test_a_run_that_is_stopped_leaves_no_process_while_its_error_is_held(
    watched, operator, checkpoint
):
    watched.delete_samples(watched.match({"name": {"$in": ["silent", "deadly"]}}))
    watched.set_values("filepath", ["/no/such.mp4"] * 2 + watched.values("filepath")[2:])
    more = [fo.Sample(filepath=watched.last().filepath) for _ in range(90)]
    watched.add_samples(more)
    with pytest.raises(RuntimeError, match="Stopped, since 2 of 94") as held:
        operator("embed")(
            watched, model=checkpoint("siglip2"), embeddings_field="vec", max_failures=1, **FRAMES
        )
    assert held.value and decoders() == []


def test_decoders_end_with_a_run_that_is_killed(watched, command, checkpoint, until):
    given = {"model": checkpoint("siglip2"), "embeddings_field": "vec", **FRAMES}
    run = command("watch", watched.name, "embed", given | {"workers": 3, "decode_timeout": 600.0})
    process = psutil.Process(run.pid)

    def hanging():
        found = decoders(process)
        return found if len(found) == 3 and _idle(found) else None

    children = until(hanging)
    run.kill()
    run.wait()
    until(lambda: not any(child.is_running() for child in children), 20)


def test_a_file_that_hangs_has_no_picture_in_a_report(watched, stills, monkeypatch):
    monkeypatch.setattr(export_pictures, "_TIMEOUT", 0.2)
    good, silent = (watched.match({"name": name}).first().filepath for name in ("a", "silent"))
    with closing(Decoder()) as decoder:
        as_data_uri = partial(export_pictures.as_data_uri, decoder=decoder)
        for hanging, readable in ((silent, good), (stills["silent"], stills["a"])):
            assert as_data_uri(hanging) is None
            assert as_data_uri(readable).startswith("data:image/jpeg")
        (serving,) = decoders()
        assert as_data_uri(good) and decoders() == [serving]  # one process for all pictures
    assert decoders() == []


@pytest.fixture
def stills(tmp_path):
    """Two pictures, and one that never answers: ``{name: path}``."""
    paths = {name: str(tmp_path / f"{name}.png") for name in ("a", "silent", "b")}
    for name, path in paths.items():
        if name == "silent":
            os.mkfifo(path)
        else:
            Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(path)
    return paths


def test_a_picture_that_hangs_costs_a_sample(dataset, operator, checkpoint, stills):
    dataset.add_samples([fo.Sample(filepath=path) for path in stills.values()])
    report = operator("embed")(
        dataset, model=checkpoint("siglip2"), embeddings_field="vec", workers=1, decode_timeout=3.0
    )
    assert (report["embedded"], report["failed"]) == (2, 1)
    why = dataset.values("audit_status.embed_vec_why")
    assert why[::2] == [None, None] and "silent.png did not answer within 3 s" in why[1]
    assert [vector is None for vector in dataset.values("vec")] == [False, True, False]
    assert decoders() == []


@pytest.mark.parametrize(
    ("name", "architecture", "more", "method"),
    [
        (zoo.ANY_LENS, "siglip2", {}, "embed"),
        (zoo.ANY_WITNESS, "qwen3_vl", {"operation": "action100m", "max_new_tokens": 4}, "predict"),
    ],
)
def test_a_film_that_hangs_costs_a_model_of_fiftyone_s_zoo_its_timeout(
    watched, checkpoint, name, architecture, more, method
):
    frames = {"fps": 5.0, "max_frames": 2, "max_pixels": 48 * 32, "timeout": 1.0}
    model = zoo.load_model(name, name_or_path=checkpoint(architecture), **frames, **more)
    good, silent, other = watched.match({"name": {"$in": ["a", "silent", "b"]}}).values("filepath")
    with model:  # as FiftyOne holds it
        assert getattr(model, method)(good) is not None
        with pytest.raises(FrameError, match="silent.mp4 did not answer within 1 s"):
            getattr(model, method)(silent)
        assert getattr(model, method)(other) is not None
        assert len(decoders()) == 1
    assert decoders() == []
    assert getattr(model, method)(good) is not None  # outside of a context as well
    del model
    gc.collect()
    assert decoders() == []


def test_a_film_that_hangs_costs_an_import_its_metadata(operator, films, tmp_path, monkeypatch):
    killing.write_inputs(tmp_path, 3, random.Random(51))
    for i in (0, 2):
        films.write(tmp_path / f"clip000{i}.mp4", 8)
    os.mkfifo(tmp_path / "clip0001.mp4")
    monkeypatch.setattr(action100m_films, "_TIMEOUT", 0.5)
    name = f"hanging-{os.getpid()}"
    try:
        report = operator("import_action100m")(
            None, annotations=str(tmp_path / "rows.jsonl"), media_dir=str(tmp_path), name=name
        )
        known = fo.load_dataset(name).values("metadata.total_frame_count")
    finally:
        if fo.dataset_exists(name):
            fo.delete_dataset(name)
    assert (report["imported"], known) == (3, [8, None, 8])
    (problem,) = [row for row in report["problems"] if row["problem"] == "video_unreadable"]
    assert problem["count"] == 1
    assert "clip0001.mp4 did not answer within 0.5 s" in problem["examples"]
    assert decoders() == []


def _idle(children):
    # Two wait for pipes that never answer and one for work: no time passes for any of them
    before = [child.cpu_times() for child in children]
    psutil.Process().cpu_percent(0.5)
    return all(child.is_running() for child in children) and before == [
        child.cpu_times() for child in children
    ]
