"""Files that are no proper films: each costs its own sample and a reason, and no other."""

import os
import shutil

import av
import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.engine import media

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
    """Every kind of file, ``{name: (file, whether it can be watched)}``."""
    made = {}

    def add(name, watched, ending=".mp4"):
        made[name] = (folder / f"{name}{ending}", watched)
        return made[name][0]

    good = add("good", True)
    write(good)
    add("zero_bytes", False).write_bytes(b"")
    whole = good.read_bytes()
    add("truncated", False).write_bytes(whole[: len(whole) // 3])
    add("text", False).write_text("this is no film")
    write(add("audio_only", False), frames=0, audio=True)
    write(add("one_frame", True), frames=1)
    write(add("ten_bits", True), pix_fmt="yuv420p10le")
    write(add("huge", True), frames=2, size=(4096, 4096), codec="mpeg4")
    films.write(add("variable_rate", True), 5, times=[0, 40, 500, 510, 2000])
    films.write(add("rotated", True), 5, rotation=90)
    shutil.copy(good, add("wrong_ending", True, ending=".avi"))
    add("vanished", False)
    add("folder", False).mkdir()
    add("circle_of_links", False).symlink_to("circle_of_links.mp4")
    add("nowhere", False).symlink_to("no_such_file.mp4")
    if hasattr(os, "mkfifo"):
        os.mkfifo(add("never_answers", False))
    if os.getuid():  # an administrator may read everything
        shutil.copy(good, add("no_permission", False))
        made["no_permission"][0].chmod(0)
    return made


@pytest.fixture
def lens(checkpoint):
    return checkpoint("siglip2")


def embed(dataset, operator, lens, **more):
    given = {"model": lens, "embeddings_field": "siglip_embeddings", **FRAMES, **more}
    return operator("embed")(dataset, **given)


def test_every_bad_file_costs_its_own_sample_and_a_reason(dataset, operator, lens, films, tmp_path):
    files = corpus(tmp_path, films)
    dataset.media_type = "video"
    dataset.add_samples([fo.Sample(filepath=str(file)) for file, _ in files.values()])
    report = embed(dataset, operator, lens, decode_timeout=1.0)
    told = dict(zip(files, zip(*dataset.values([STATUS, f"{STATUS}_why", "siglip_embeddings"]))))
    for name, (file, watched) in files.items():
        status, why, vector = told[name]
        assert (status == "ok") is watched, (name, status, why)
        assert (vector is not None) is watched, name
        assert watched or str(file) in why, (name, why)
    assert report["failed"] == sum(not watched for _, watched in files.values())
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
    with pytest.raises(ValueError, match="lies outside"):
        media.read_metadata(outside / "film.mp4")
    monkeypatch.delenv(media.ROOTS)
    assert media.refused(outside / "film.mp4") is None
