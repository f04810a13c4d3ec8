"""Finding videos."""

from fiftyone.plugins.orgs.second_opinion.audit.engine.media import find_video


def test_videos_are_found_by_stem_and_the_best_to_play_first(tmp_path):
    for name in ("-a_1.mkv", "-a_1.mp4", "-a_1.jpg", "[b]*.WEBM", "c.json"):
        (tmp_path / name).write_bytes(b"x")
    assert find_video(tmp_path, "-a_1").name == "-a_1.mp4"
    assert find_video(tmp_path, "[b]*").name == "[b]*.WEBM"
    assert find_video(tmp_path, "c") is None
    assert find_video(tmp_path, "*") is None
