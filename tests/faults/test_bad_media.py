"""Files that are no proper films: each costs its own sample and a reason, and no other."""

import os
import random
import shutil

import av
import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine import media

killing = pytest.importorskip(
    "tests.faults.killing", reason="the checkout's root is not on the path"
)

FRAMES = {"fps": 5.0, "max_frames": 2, "max_pixels": 48 * 32, "batch_size": 4}
STATUS = "audit_status.embed_siglip_embeddings"


def write(path, frames=6, size=(96, 64), pix_fmt="yuv420p", codec="libx264", audio=False):
    """A film of grey frames; without frames but with audio, of silence."""
    with av.open(str(path), "w") as container:
        if frames:
            stream = container.add_stream(codec, rate=10)
            (stream.width, stream.height), stream.pix_fmt = size, pix_fmt
            for i in range(frames):
                grey = np.full((size[1], size[0], 3), 20 + 10 * i % 200, np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        if audio:
            sound = container.add_stream("aac", rate=8000)
            silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            silence.planes[0].update(bytes(4096))
            silence.rate = 8000
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))


def corpus(folder, films):
    """Every kind of file, ``{name: (file, why it cannot be watched; None where it can)}``."""
    made = {}
    broken = "cannot be decoded: Invalid data found when processing input"
    denied = "cannot be decoded: Permission denied"

    def add(name, why=None, ending=".mp4"):
        made[name] = (folder / f"{name}{ending}", why)
        return made[name][0]

    good = add("good")
    write(good)
    add("zero_bytes", "is empty: it has 0 bytes").write_bytes(b"")
    whole = good.read_bytes()
    add("truncated", broken).write_bytes(whole[: len(whole) // 3])
    add("text", broken).write_text("this is no film")
    write(add("audio_only", "holds no video"), frames=0, audio=True)
    write(add("one_frame"), frames=1)
    write(add("ten_bits"), pix_fmt="yuv420p10le")
    write(add("huge"), frames=2, size=(4096, 4096), codec="mpeg4")
    films.write(add("variable_rate"), 5, times=[0, 40, 500, 510, 2000])
    films.write(add("rotated"), 5, rotation=90)
    shutil.copy(good, add("wrong_ending", ending=".avi"))
    add("vanished", "There is no file at")
    add("folder", "cannot be decoded: Is a directory").mkdir()
    circle = "cannot be decoded: Too many levels of symbolic links"
    add("circle_of_links", circle).symlink_to("circle_of_links.mp4")
    add("nowhere", "There is no file at").symlink_to("no_such_file.mp4")
    if hasattr(os, "mkfifo"):
        os.mkfifo(add("never_answers", "did not answer within 5 s"))
    shutil.copy(good, add("no_permission", denied))
    made["no_permission"][0].chmod(0)
    locked = folder / "locked_folder"
    locked.mkdir()
    shutil.copy(good, locked)
    made["in_a_locked_folder"] = (locked / good.name, denied)
    locked.chmod(0)
    return made


@pytest.fixture
def lens(checkpoint):
    return checkpoint("siglip2")


def embed(dataset, operator, lens, **more):
    given = {"model": lens, "embeddings_field": "siglip_embeddings", **FRAMES, **more}
    return operator("embed")(dataset, **given)


def test_every_bad_file_costs_its_own_sample_and_a_reason(
    dataset, operator, lens, films, tmp_path, bound_by_permissions
):
    files = corpus(tmp_path, films)
    dataset.media_type = "video"
    dataset.add_samples([fo.Sample(filepath=str(file)) for file, _ in files.values()])
    report = bound_by_permissions(lambda: embed(dataset, operator, lens, decode_timeout=5.0))
    told = dict(zip(files, zip(*dataset.values([STATUS, f"{STATUS}_why", "siglip_embeddings"]))))
    for name, (file, expected) in files.items():
        status, why, vector = told[name]
        assert status == ("failed" if expected else "ok"), (name, status, why)
        assert (vector is None) is bool(expected), name
        assert expected is why is None or (expected in why and str(file) in why), (name, why)
    assert report["failed"] == sum(bool(expected) for _, expected in files.values())
    alone = fo.Dataset()
    try:
        alone.add_sample(fo.Sample(filepath=str(files["good"][0])))
        embed(alone, operator, lens)
        expected = alone.first().siglip_embeddings
        np.testing.assert_allclose(told["good"][2], expected, atol=1e-5)
    finally:
        alone.delete()


def test_a_file_that_comes_back_is_watched_and_its_reason_goes(dataset, operator, lens, tmp_path):
    write(tmp_path / "here.mp4")
    dataset.media_type = "video"
    paths = [tmp_path / "here.mp4", tmp_path / "away.mp4"]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    embed(dataset, operator, lens)
    assert dataset.values(STATUS) == ["ok", "failed"]
    write(tmp_path / "away.mp4")
    assert operator("retry_failed")(dataset)["mended"] == 1
    assert dataset.values([STATUS, f"{STATUS}_why"]) == (["ok", "ok"], [None, None])


def test_media_outside_of_the_allowed_roots_is_not_read(
    dataset, operator, lens, tmp_path, monkeypatch
):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    for folder in (inside, outside):
        write(folder / "film.mp4")
    (inside / "way_out.mp4").symlink_to(outside / "film.mp4")
    (inside / "circle.mp4").symlink_to("circle.mp4")
    (tmp_path / "way_in.mp4").symlink_to(inside / "film.mp4")
    paths = ["inside/film.mp4", "way_in.mp4", "outside/film.mp4", "inside/way_out.mp4"]
    paths += ["inside/../outside/film.mp4", "inside/circle.mp4"]
    monkeypatch.setenv(media.ROOTS, f"{inside}{os.pathsep}/no/such/folder")
    dataset.media_type = "video"
    dataset.add_samples([fo.Sample(filepath=f"{tmp_path}/{path}") for path in paths])
    embed(dataset, operator, lens)
    assert dataset.values(STATUS) == ["ok", "ok", "failed", "failed", "failed", "failed"]
    reasons = " ".join(filter(None, dataset.values(f"{STATUS}_why")))
    assert reasons.count("lies outside of the folders that SECOND_OPINION_MEDIA_ROOTS") == 3
    assert "inside/circle.mp4 cannot be followed: Symlink loop" in reasons
    monkeypatch.delenv(media.ROOTS)
    assert media.refused(outside / "film.mp4") is None


@pytest.fixture
def imported(operator, tmp_path):
    """Imports rows for three films of a folder that a test fills; gives dataset and report."""
    killing.write_inputs(tmp_path, 3, random.Random(51))
    folder, made = tmp_path / "films", f"imported-{os.getpid()}"
    folder.mkdir()

    def run(through=lambda work: work()):
        given = {"annotations": str(tmp_path / "rows.jsonl"), "media_dir": str(folder)}
        report = through(lambda: operator("import_action100m")(None, name=made, **given))
        return fo.load_dataset(made), report

    yield folder, run
    if fo.dataset_exists(made):
        fo.delete_dataset(made)


def test_an_import_says_which_films_it_may_not_read_and_imports_the_rest(
    imported, tmp_path, monkeypatch, bound_by_permissions
):
    folder, run = imported
    write(folder / "clip0000.mp4")
    write(tmp_path / "elsewhere.mp4")
    (folder / "clip0001.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    shutil.copy(folder / "clip0000.mp4", folder / "clip0002.mp4")
    (folder / "clip0002.mp4").chmod(0)
    monkeypatch.setenv(media.ROOTS, str(folder))
    dataset, report = run(bound_by_permissions)
    problems = {row["problem"]: row for row in report["problems"]}
    assert (report["imported"], problems["video_unreadable"]["count"]) == (3, 2)
    told = problems["video_unreadable"]["examples"]
    assert "clip0001.mp4 lies outside of the folders" in told
    assert "clip0002.mp4 cannot be read as a video: Permission denied" in told
    metadata = dict(zip(*dataset.values(["video_uid", "metadata.frame_width"])))
    assert metadata == {"clip0000": 96, "clip0001": None, "clip0002": None}


def test_a_folder_of_films_that_may_not_be_entered_is_told_before_the_import(
    imported, bound_by_permissions
):
    folder, run = imported
    folder.chmod(0)
    with pytest.raises(ValueError, match="films may not be read by the user that runs this"):
        run(bound_by_permissions)
