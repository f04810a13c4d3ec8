"""Ground disputes: the video rules, controls hold the judge to account, and nothing is lost."""

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models import judging
from fiftyone.plugins.orgs.second_opinion.audit.operators.settings import SettingsError

from tests.operators.walls import ASPECT, CLIPS, COLOURS, FRAMES, NAMES, WRONG, by_place, tell

HOW = {"aspect": "cap", "aspects": [ASPECT], "methods": ["own"], "judge": "colours"}


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


@pytest.fixture
def ground(operator, judge):
    return lambda samples, **given: operator("ground_disputes")(
        samples, **{**FRAMES, **HOW, **given}
    )


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


def test_a_broken_file_costs_one_sample_and_is_tried_again(disputes, ground, wall_films, tmp_path):
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
    broken.write_bytes(Path(wall_films[5]).read_bytes())
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


def test_where_nothing_is_disputed_nobody_is_asked(disputes, ground, judge):
    disputes.set_values("verdict", ["agreed"] * CLIPS)

    report = ground(disputes)

    assert (judge.looks, report["disputed"], report["overruled"]) == (0, 0, 0)
    assert report["summary"][0].startswith("cap: of 0 disputed annotations")
    assert set(disputes.values("ruling_cap")) == {None}
