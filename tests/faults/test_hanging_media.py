"""Files that make a decoder hang or crash: each costs its own sample, and no process stays."""

import os
import signal
import threading

import fiftyone as fo
import numpy as np
import psutil
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.operators import export_pictures

pytestmark = pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="this system has no named pipes to hang on"
)

FRAMES = {"fps": 5.0, "max_frames": 2, "max_pixels": 48 * 32, "batch_size": 2}
STAGES = {
    "embed": ("siglip2", {"embeddings_field": "vec"}, "embed_vec", "vec"),
    "caption": (
        "qwen3_vl",
        {"prefix": "q", "task": "custom", "prompt": "What is it?", "max_new_tokens": 4},
        "caption_q_custom",
        "q_custom_frames",
    ),
}


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


@pytest.mark.parametrize("stage", STAGES)
def test_a_decoder_that_hangs_and_one_that_crashes_cost_a_sample_each(
    watched, operator, checkpoint, stage
):
    architecture, own, work, field = STAGES[stage]
    crash_reader(watched.match({"name": "deadly"}).first().filepath)

    report = operator(stage)(
        watched, model=checkpoint(architecture), workers=1, decode_timeout=1.0, **own, **FRAMES
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
    assert "silent.mp4 did not answer within 1 s" in why["silent"]
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


def test_a_film_that_hangs_has_no_picture_in_a_report(watched, monkeypatch):
    monkeypatch.setattr(export_pictures, "_TIMEOUT", 0.2)
    good, silent = (watched.match({"name": name}).first().filepath for name in ("a", "silent"))
    assert export_pictures.as_data_uri(good).startswith("data:image/jpeg")
    assert export_pictures.as_data_uri(silent) is None
    assert decoders() == []


def _idle(children):
    # Two wait for pipes that never answer and one for work: no time passes for any of them
    before = [child.cpu_times() for child in children]
    psutil.Process().cpu_percent(0.5)
    return all(child.is_running() for child in children) and before == [
        child.cpu_times() for child in children
    ]
