"""Ground disputes: the video rules, controls hold the judge to account, and nothing is lost."""

import base64
import io
from pathlib import Path

import av
import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models import judging
from fiftyone.plugins.orgs.second_opinion.audit.operators.settings import SettingsError
from PIL import Image

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (30, 40, 220),
    "white": (240, 240, 240),
    "yellow": (230, 220, 30),
    "pink": (240, 120, 200),
}
NAMES = list(COLOURS)
CLIPS = 48
WRONG = range(0, CLIPS, 5)  # whose annotation is wrong
ASPECT = {"name": "cap", "annotation": "gt", "opinions": {"a": "said_a", "b": "said_b"}}
HOW = {"aspect": "cap", "aspects": [ASPECT], "methods": ["own"], "judge": "colours"}
FRAMES = {"fps": 6.0, "max_frames": 8, "max_pixels": 64 * 64}


class ColourJudge:
    """Sees one colour in the frames; believes what names it, and little else."""

    name, revision = "colours", "7"

    def __init__(self, sees=True):
        self.sees, self.looks, self.asked = sees, 0, []

    def look(self, clip):
        self.looks += 1
        judge, seen = self, None
        if clip.frames.any() and self.sees:
            middle = clip.frames.reshape(-1, 3).mean(axis=0)
            seen = min(NAMES, key=lambda name: np.abs(middle - COLOURS[name]).sum())

        class Sight:
            def log_odds(self, statements):
                judge.asked += statements
                noise = [(len(s) * 7 % 5 - 2) / 10 for s in statements]
                return np.array([(2.5 if seen and seen in s else -2.5) + n
                                 for s, n in zip(statements, noise)])  # fmt: skip

        return Sight()


@pytest.fixture
def judge():
    made = ColourJudge()
    judging.register("colours", lambda: made)
    return made


@pytest.fixture(scope="session")
def walls(tmp_path_factory):
    """Films of eight frames, each of one colour."""
    folder, paths = tmp_path_factory.mktemp("walls"), []
    for i in range(CLIPS):
        paths.append(str(folder / f"{i:02}.mp4"))
        with av.open(paths[-1], "w") as container:
            stream = container.add_stream("libx264", rate=6)
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            picture = np.full((64, 64, 3), COLOURS[NAMES[i % 6]], np.uint8)
            for _ in range(8):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return paths


def tell(colour):
    return f"A {colour} wall fills the picture. Then the {colour} wall stays where it is."


@pytest.fixture
def disputes(dataset, walls):
    """The films, a fifth of their annotations wrong, and two witnesses, of whom b errs once."""
    samples = []
    for i, path in enumerate(walls):
        true, other = NAMES[i % 6], NAMES[(i + 1) % 6]
        texts = {"gt": tell(other if i in WRONG else true), "said_a": f"The wall is {true}."}
        texts["said_b"] = f"We see a {other if i == 3 else true} wall."
        verdict = "annotation_suspect" if i in WRONG or i == 3 else "agreed"
        samples.append(fo.Sample(filepath=path, place=i, verdict=verdict, **texts))
    dataset.add_samples(samples)
    return dataset


@pytest.fixture
def ground(operator, judge):
    return lambda samples, **given: operator("ground_disputes")(
        samples, **{**FRAMES, **HOW, **given}
    )


def by_place(dataset, field):
    return dict(zip(*dataset.values(["place", field])))


def test_wrong_annotations_are_overruled_and_the_right_one_is_upheld(disputes, ground):
    before = disputes.values("gt")

    report = ground(disputes)

    rulings = by_place(disputes, "ruling_cap")
    assert {place for place, who in rulings.items() if who in ("a", "b")} == set(WRONG)
    assert rulings[3] == "annotation"  # a witness erred
    assert sum(who is not None for who in rulings.values()) == len(WRONG) + 1
    assert (report["overruled"], report["upheld"], report["disputed"]) == (10, 1, 11)
    assert min(by_place(disputes, "ruling_cap_margin")[i] for i in WRONG) > 0.5
    assert by_place(disputes, "ruling_cap_by")[0] == "own: colours (7)"
    assert disputes.values("gt") == before
    assert disputes.match_tags("overruled").values("place") == list(WRONG)
    assert disputes.load_saved_view("Overruled").values("place") == list(WRONG)


def test_the_best_supported_text_is_suggested_and_the_decisive_claims_are_kept(disputes, ground):
    ground(disputes)

    suggested = by_place(disputes, "suggested_cap")
    assert suggested[0] in ("The wall is red.", "We see a red wall.")
    assert [place for place, text in suggested.items() if text] == list(WRONG)
    told = by_place(disputes, "ruling_cap_details")[0]
    assert told["chances"]["annotation"] < 0.5 < max(told["chances"].values())
    decisive = [claim for claim in told["claims"] if claim["decisive"]]
    assert decisive
    for claim in decisive:
        assert (claim["chance"] < 0.5) == ("green" in claim["text"])
    first, last = next(claim["span"] for claim in told["claims"] if claim["span"])
    assert 0 <= first < last <= 8 / 6 + 0.01
    assert told["frames"] == list(range(1, 9))
    skipped = [claim["text"] for claim in told["claims"] if not claim["asked"]]
    assert any("After that" in text for text in skipped)  # what it needs had failed


def test_a_second_run_asks_only_what_is_new(disputes, ground, judge):
    ground(disputes)
    first, rulings = judge.looks, by_place(disputes, "ruling_cap")
    judge.looks = 0

    ground(disputes)
    assert (first > CLIPS, judge.looks) == (True, 0)
    assert by_place(disputes, "ruling_cap") == rulings

    sample = disputes.match(fo.ViewField("place") == 5).first()
    sample["gt"] = tell(NAMES[3])
    sample.save()
    ground(disputes, windows=1)  # other windows are another question, for each
    judge.looks, judge.asked = 0, []
    sample["gt"] = tell(NAMES[4])
    sample.save()
    ground(disputes, windows=1)
    assert judge.looks == 3  # the clip, black frames, and one other clip
    assert any(NAMES[4] in statement for statement in judge.asked)


def test_a_judge_that_sees_nothing_is_caught_and_refused(disputes, ground):
    judging.register("colours", lambda: ColourJudge(sees=False))

    report = ground(disputes)

    (row,) = report["judges"]
    assert row["text_share"] == 1.0
    assert "the text alone explains 100%" in row["refused"]
    assert (report["refused"], report["overruled"], report["upheld"]) == (11, 0, 0)
    assert set(by_place(disputes, "ruling_cap").values()) == {None, "refused"}
    assert not any(by_place(disputes, "ruling_cap_ratio").values())
    assert not any(by_place(disputes, "suggested_cap").values())
    assert any("Refused" in line for line in report["summary"])


def test_too_few_clips_settle_nothing_and_say_how_many_are_needed(disputes, ground):
    report = ground(disputes.limit(8), which="all", references=0)

    assert (report["refused"], report["overruled"]) == (8, 0)
    assert any("100 with a wrong video each are needed" in line for line in report["summary"])


def test_of_a_view_the_references_come_from_the_rest(disputes, ground):
    view = disputes.match(fo.ViewField("verdict") == "annotation_suspect")

    report = ground(view)

    assert (report["disputed"], report["overruled"], report["upheld"]) == (11, 10, 1)
    assert report["judges"][0]["judged"] == CLIPS


def test_a_broken_file_costs_one_sample_and_is_tried_again(disputes, ground, walls, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    sample = disputes.match(fo.ViewField("place") == 5).first()
    sample.filepath = str(broken)
    sample.save()

    report = ground(disputes)

    assert sum(row["samples"] for row in report["failures"]) == 1
    sample.reload()
    assert sample["audit_status.ground_disputes_cap_own"] == "failed"
    assert sample["ruling_cap"] == "unsettled"
    broken.write_bytes(Path(walls[5]).read_bytes())
    ground(disputes)
    sample.reload()
    assert sample["ruling_cap"] in ("a", "b")


def test_a_clip_that_shows_less_than_was_annotated_overrules_nothing(disputes, ground):
    disputes.set_values("clip_coverage", [0.6] * CLIPS)

    report = ground(disputes)

    assert (report["overruled"], report["upheld"], report["unsettled"]) == (0, 1, 10)
    assert "60%" in by_place(disputes, "ruling_cap_details")[0]["reason"]


def test_clear_audit_takes_it_all_away(disputes, ground, operator):
    schema = set(disputes.get_field_schema())
    ground(disputes)

    operator("clear_audit")(disputes)

    assert set(disputes.get_field_schema()) == schema
    assert not disputes.match_tags("overruled").count()
    assert disputes.list_saved_views() == []


@pytest.fixture
def segmented(dataset, walls):
    """The films in two segments each, and a fifth of the second ones annotated wrongly."""
    for i, path in enumerate(walls):
        true, other = NAMES[i % 6], NAMES[(i + 1) % 6]
        parts = []
        for k, support in enumerate(([1, 4], [5, 8])):
            text = tell(other if i in WRONG and k else true)
            said = {"said_a": f"The wall is {true}.", "said_b": f"We see a {true} wall."}
            part = fo.TemporalDetection(label=text, support=support, **said)
            parts.append(part)
        dataset.add_sample(fo.Sample(filepath=path, gt=fo.TemporalDetections(detections=parts)))
    dataset.add_dynamic_sample_fields()
    return dataset


def test_segments_are_grounded_one_by_one(segmented, ground):
    dataset = segmented

    report = ground(dataset, segments="gt", which="all")

    rulings = dataset.values("gt.detections.ruling_cap")
    assert report["overruled"] == len(WRONG)
    for i, (first, second) in enumerate(rulings):
        assert first == "annotation"
        assert (second != "annotation") == (i in WRONG)
    suggested = dataset.values("gt.detections.suggested_cap")
    assert [i for i, texts in enumerate(suggested) if texts[1]] == list(WRONG)
    assert report["segments"] == 2 * CLIPS


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"methods": ["cosine"]}, "Run embed with lens='visual' first"),
        ({"judge": "nobody"}, "no judge 'nobody' is known to this process; known: .*colours"),
        ({"methods": ["prophecy"]}, "'prophecy' is not one of"),
        ({"aspect": "other"}, "there is no 'other'; there are cap"),
        ({"segments": "gt"}, "is needed"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_written(disputes, ground, given, words):
    schema = set(disputes.get_field_schema())

    with pytest.raises(SettingsError, match=words):
        ground(disputes, **given)

    assert set(disputes.get_field_schema()) == schema


def test_where_nothing_is_disputed_yet_the_next_step_is_told(disputes, ground):
    disputes.delete_sample_field("verdict")

    with pytest.raises(SettingsError, match="Run run_audit first"):
        ground(disputes)


def test_verdict_and_confidence_follow_the_ruling(disputes, operator, ground):
    tag = operator("tag_confidence")
    scores = {"confidence_cap": 0.4, "match_a_cap": 0.1, "match_b_cap": 0.1, "match_ab_cap": 0.9}
    for name, value in scores.items():
        fine = 0.9 if name != "confidence_cap" else 0.8
        values = [value if i in WRONG or i == 3 else fine for i in range(CLIPS)]
        disputes.set_values(name, values)
    disputes.delete_sample_field("verdict")
    tag(disputes, aspect="cap", aspects=[ASPECT], fdr=0.0)
    assert disputes.match_tags("annotation_suspect").values("place") == sorted([*WRONG, 3])

    report = ground(disputes)

    verdicts, confidence = by_place(disputes, "verdict"), by_place(disputes, "confidence")
    ratio = by_place(disputes, "ruling_cap_ratio")
    assert {place for place, verdict in verdicts.items() if verdict == "overruled"} == set(WRONG)
    assert (verdicts[3], verdicts[1]) == ("upheld", "agreed")
    odds = 0.4 / 0.6 * np.exp(ratio[0])
    assert confidence[0] == pytest.approx(odds / (1 + odds)) and confidence[0] < 0.3
    assert confidence[3] > 0.6 and confidence[1] == 0.8
    assert any(line.startswith("Tagged again") for line in report["summary"])
    # the dispute can still be found, and a later tagging keeps the ruling
    assert disputes.match_tags("annotation_suspect").values("place") == sorted([*WRONG, 3])
    tag(disputes, aspect="cap", aspects=[ASPECT], fdr=0.0)
    assert disputes.match_tags("overruled").values("place") == list(WRONG)
    assert by_place(disputes, "confidence") == confidence


def test_stored_vectors_cut_a_dispute_for_the_whole_dataset(disputes, operator, checkpoint):
    model = checkpoint("qwen3_vl")
    frames = {"fps": 2.0, "max_frames": 2, "max_pixels": 64 * 64}
    operator("embed")(disputes, lens="visual", model=model, **frames)
    how = {"aspect": "cap", "aspects": [ASPECT], "methods": ["cosine"], "which": "all"}

    report = operator("ground_disputes")(disputes, **how)

    (row,) = report["judges"]
    assert row["statements"] + row["missing"] == 3 * CLIPS
    assert row["over_black"] is None  # vectors have no black frames
    assert report["refused"] == CLIPS  # random weights tell nothing, and that is found out
    assert "cosine" in disputes.first()["ruling_cap_by"]


def test_segments_are_embedded_where_they_have_no_vectors_yet(segmented, operator, checkpoint):
    how = {"aspect": "cap", "aspects": [ASPECT], "methods": ["cosine"], "which": "all"}
    how |= {"segments": "gt", "cosine_model": checkpoint("qwen3_vl")}
    how |= {"fps": 2.0, "max_frames": 2, "max_pixels": 64 * 64}

    report = operator("ground_disputes")(segmented, **how)

    paths = [f"gt.detections.{name}" for name in ("qwen_embeddings", "grounding_cap_cosine")]
    vectors, answers = (segmented.values(path, unwind=True) for path in paths)
    assert all(np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4) for vector in vectors)
    assert len({tuple(vector) for vector in vectors}) >= len(NAMES)  # each film's own
    (row,) = report["judges"]
    assert row["judged"] == len(answers) == 2 * CLIPS
    assert row["statements"] > 2 * CLIPS  # with a wrong video each
    assert report["failures"] == []

    # only what has changed is embedded again
    broken = segmented.first()
    broken.filepath = broken.filepath.replace(".mp4", "-gone.mp4")
    broken.save()
    path = "gt.detections.qwen_embeddings_made_from"
    before = segmented.values(path)
    report = operator("ground_disputes")(segmented, **how)
    assert sum(row["samples"] for row in report["failures"]) == 2
    assert segmented.values(path) == before
    assert segmented.first()["audit_status.ground_disputes_gt_cap_cosine"] == "failed"

    operator("clear_audit")(segmented)
    assert segmented.get_field("gt.detections.qwen_embeddings") is None


def test_segments_are_embedded_as_the_clips_were(segmented, operator, checkpoint):
    frames = {"fps": 2.0, "max_frames": 2, "max_pixels": 64 * 64}
    few, model = segmented.limit(4), checkpoint("qwen3_vl")
    operator("embed")(few, lens="visual", model=model, **frames)
    how = {"aspect": "cap", "aspects": [ASPECT], "methods": ["cosine"], "segments": "gt"}

    operator("ground_disputes")(few, which="all", references=0, **how, **frames)

    told = few.first().gt.detections[0]["ruling_cap_by"]
    assert told.startswith("cosine: ") and "local-" in told
    whole = np.array(few.first()["qwen_embeddings"])
    part = few.first().gt.detections[0]["qwen_embeddings"]
    assert np.dot(whole, part) / np.linalg.norm(whole) > 0.9  # one wall, one colour


def test_a_chat_model_judges_and_points_and_its_points_are_kept(disputes, operator, servers):
    def says(body):
        words, _ = servers.words_of(body)
        if words.startswith("Point to"):
            return '<points coords="0.5 1 250 500">it</points>'
        if "Description: " in words:
            return '{"claims": [{"text": "A wall.", "kind": "who", "needs": [], "target": "wall"}]}'
        return "Yes"

    few = disputes.limit(4)
    with servers.Server(says=says) as server:
        how = {"endpoint": server.url, "model": "tiny", "pointing_model": "tiny", "windows": 1}
        how |= {"aspect": "cap", "aspects": [ASPECT], "which": "all", "references": 0}
        report = operator("ground_disputes")(few, methods=["yes", "pointing"], **FRAMES, **how)

    assert report["told"]["yes"]["constrained"] is True
    assert "Claims were cut by tiny (served at 127.0.0.1)" in report["summary"][1]
    assert report["refused"] == 4  # it says Yes to everything
    frame = few.first().frames[4]  # at half a second of six frames a second
    (point,) = frame["grounding_points"].keypoints
    assert (point.label, point.index) == ("wall", 1)
    assert list(map(list, point.points)) == [[0.25, 0.5]]
    (claim,) = {c["text"] for c in few.first()["ruling_cap_details"]["claims"]}
    assert claim == "A wall."


def test_a_served_reranker_rules(disputes, operator, servers):
    def ranks(body):
        parts = body["query"]["content"] if isinstance(body["query"], dict) else []
        pictures = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        seen = colour_of(pictures[0]) if pictures else None
        scores = [0.9 if seen and seen in words else 0.1 for words in body["documents"]]
        return {"results": [{"index": i, "relevance_score": s} for i, s in enumerate(scores)]}

    with servers.Server(ranks=ranks, models=("ranker",)) as server:
        how = {"rerank_endpoint": server.url, "rerank_model": "ranker", "split_by": "rules"}
        how |= {"aspect": "cap", "aspects": [ASPECT], "windows": 1}
        report = operator("ground_disputes")(disputes, methods=["rerank"], **FRAMES, **how)

    assert (report["overruled"], report["upheld"], report["disputed"]) == (10, 1, 11)
    assert disputes.match_tags("overruled").values("place") == list(WRONG)
    assert by_place(disputes, "ruling_cap_by")[0] == "rerank: ranker (served at 127.0.0.1)"


def colour_of(url):
    """The colour of a wall, from a picture as it travels to a server."""
    data = base64.b64decode(url.partition("base64,")[2])
    middle = np.asarray(Image.open(io.BytesIO(data))).reshape(-1, 3).mean(axis=0)
    if middle.max() < 20:
        return None
    return min(NAMES, key=lambda name: np.abs(middle - COLOURS[name]).sum())


def test_a_tiny_model_judges_end_to_end_with_one_encoded_clip(disputes, operator, checkpoint):
    few = disputes.limit(3)
    how = {"methods": ["yes"], "model": checkpoint("qwen3_vl"), "split_by": "rules"}
    how |= {"aspect": "cap", "aspects": [ASPECT], "which": "all", "references": 0, "windows": 2}

    report = operator("ground_disputes")(few, **FRAMES, **how)

    assert report["told"]["yes"]["shared"] is True
    assert 0 <= report["told"]["yes"]["answered"] <= 1
    (row,) = report["judges"]
    assert row["judged"] == 3 and row["statements"] > 12
    assert "local-" in few.first()["ruling_cap_by"]


def test_where_nothing_is_disputed_nobody_is_asked(disputes, ground, judge):
    disputes.set_values("verdict", ["agreed"] * CLIPS)

    report = ground(disputes)

    assert (judge.looks, report["disputed"], report["overruled"]) == (0, 0, 0)
    assert report["summary"][0].startswith("cap: of 0 disputed annotations")
    assert set(disputes.values("ruling_cap")) == {None}
