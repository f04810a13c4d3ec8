"""Calibration, verdicts and suspects on texts whose errors are known."""

import random

import fiftyone as fo
import numpy as np
import pytest
from cachetools import LRUCache

ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one", "b": "two"}}]
WHO = ["girl", "boy", "cook", "farmer", "painter", "sailor", "nurse", "tailor", "monk", "clerk"]
DOES = [
    "opens",
    "closes",
    "paints",
    "lifts",
    "drops",
    "washes",
    "folds",
    "carries",
    "kicks",
    "mends",
]
WHAT = ["box", "kite", "boat", "lamp", "chair", "drum", "ladder", "basket", "violin", "bicycle"]
WHERE = [
    "kitchen",
    "harbour",
    "garden",
    "attic",
    "market",
    "stable",
    "library",
    "tunnel",
    "desert",
    "station",
]
FORMS = (
    "A {0} {1} a {2} in the {3}.",
    "In the {3}, a {0} {1} the {2}.",
    "There is a {2} which a {0} {1} at the {3}.",
)
WRONG = 0.2


def captions(count, seed=7):
    """Three wordings of each scene; a fifth of the annotations tell of another scene."""
    chance = random.Random(seed)
    scenes = [tuple(map(chance.choice, (WHO, DOES, WHAT, WHERE))) for _ in range(count)]
    texts = [[form.format(*scene) for form in FORMS] for scene in scenes]
    wrong = set(chance.sample(range(count), int(WRONG * count)))
    others = sorted(wrong)
    moved = dict(zip(others, others[1:] + others[:1]))
    return [(texts[moved.get(i, i)][0], *texts[i][1:], i in wrong) for i in range(count)]


@pytest.fixture(scope="module")
def calibrated():
    import fiftyone.operators as foo

    dataset = fo.Dataset()
    rows = captions(240)
    rows[0] = (None, *rows[0][1:])
    rows[1] = ("N/A", *rows[1][1:])
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/tmp/{i}.jpg", label=label, one=a, two=b, wrong=wrong)
            for i, (label, a, b, wrong) in enumerate(rows)
        ]
    )
    stage = lambda name: foo.get_operator(f"@second-opinion/audit/{name}")  # noqa: E731
    stage("score_agreement")(dataset, aspects=ASPECTS, metrics=["lex"])
    report = stage("calibrate")(dataset, aspects=ASPECTS)
    yield dataset, report, stage
    dataset.delete()


def test_probabilities_tell_wrong_labels_from_right_ones(calibrated):
    dataset, report, _ = calibrated
    confidence = np.array(dataset.values("confidence_cap")[2:])
    wrong = np.array(dataset.values("wrong")[2:])
    assert confidence[~wrong].mean() > 0.9 > 0.2 > confidence[wrong].mean()
    share = next(row for row in report["calibration"] if row["edge"] == "all")["share"]
    assert share == pytest.approx(1 - WRONG, abs=0.08)
    assert dataset.values("match_ab_cap")[5] > 0.5


def test_a_missing_text_and_na_have_no_probability(calibrated):
    dataset, report, _ = calibrated
    assert dataset.values("confidence_cap")[:2] == [None, None]
    assert dataset.values("match_a_cap")[:2] == [None, None]
    assert dataset.values("match_ab_cap")[0] is not None
    assert dataset.values("audit_status.calibrate")[:3] == ["missing", "missing", "ok"]
    assert report["missing"] == 2


def test_the_same_seed_gives_the_same_numbers_be_texts_remembered_or_not(calibrated, monkeypatch):
    from fiftyone.plugins.orgs.second_opinion.audit.models import columns, encoder

    dataset, _, stage = calibrated
    passes, forward = [], encoder.Encoder._forward
    counted = lambda self, *given: passes.append(1) or forward(self, *given)  # noqa: E731
    monkeypatch.setattr(encoder.Encoder, "_forward", counted)
    written = ["confidence", "confidence_cap", "match_a_cap", "match_b_cap", "match_ab_cap"]
    before = dataset.values(written)
    stage("calibrate")(dataset, aspects=ASPECTS)
    assert not passes
    assert dataset.values(written) == before
    monkeypatch.setattr(columns, "_known", LRUCache(0, columns._known.getsizeof))
    stage("calibrate")(dataset, aspects=ASPECTS)
    assert passes
    assert dataset.values(written) == before


def test_verdicts_and_suspects_follow(calibrated):
    dataset, _, stage = calibrated
    report = stage("tag_confidence")(dataset, aspects=ASPECTS, aspect="cap", fdr=0.1)
    verdicts = dataset.values("verdict")
    assert verdicts[:2] == ["unscored", "na_conflict"]
    wrong = dataset.values("wrong")
    told = [v for v, w in zip(verdicts[2:], wrong[2:]) if w]
    assert told.count("annotation_suspect") > 0.8 * len(told)
    suspects = dataset.match_tags("suspect")
    fine = sum(not w for w in suspects.values("wrong"))
    assert len(suspects) > 0.7 * sum(wrong)
    assert fine / len(suspects) < 0.2
    counts = dataset.count_sample_tags()
    assert {r["tag"]: r["samples"] for r in report["tags"] if r["samples"]} == counts


def test_a_stricter_rate_accuses_no_more_labels(calibrated):
    dataset, _, stage = calibrated
    found = []
    for rate in (0.0, 0.05, 0.3):
        stage("tag_confidence")(dataset, aspects=ASPECTS, aspect="cap", fdr=rate)
        found.append(dataset.count_sample_tags().get("suspect", 0))
    assert found == sorted(found) and found[-1] > 0


def test_a_clip_that_shows_little_is_beyond_judgement(calibrated):
    dataset, _, stage = calibrated
    ids = dataset.values("id")
    dataset.set_values("clip_coverage", dict.fromkeys(ids[2:10], 0.1), key_field="id")
    stage("tag_confidence")(dataset, aspects=ASPECTS, aspect="cap", coverage=0.5)
    assert dataset.values("verdict")[2:10] == ["beyond_clip"] * 8
    assert not set(dataset.match_tags("suspect").values("id")) & set(ids[2:10])


def test_too_few_pairs_give_a_warning_and_no_number(dataset, operator):
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/tmp/{i}.jpg", label=label, one=a, two=b)
            for i, (label, a, b, _) in enumerate(captions(12))
        ]
    )
    dataset.set_values("label", [None, *dataset.values("label")[1:]])
    report = operator("run_audit")(dataset, aspects=ASPECTS)
    (told,) = [sentence for sentence in report["summary"] if "100" in sentence]
    assert "learnt of cap (11 pairs of texts): at least 100 pairs" in told
    assert "workshop" not in told  # its rules know other witnesses
    counted, tagged = report["stages"]["calibrate"], report["stages"]["tag_confidence"]
    assert "1 lack a text to compare, or one says N/A; of 11 others" in counted["summary"][0]
    assert tagged["summary"] == [
        "cap: tagged 0 of 12 samples; 1 lack the annotation or every opinion; 11 have both, but "
        "no probability from calibrate."
    ]
    assert dataset.values("confidence") == [None] * 12
    assert counted["missing"] == 12


def test_what_to_do_with_too_few_pairs_can_be_done(dataset, operator):
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/tmp/{i}.jpg", label=label, one=a, two=b)
            for i, (label, a, b, _) in enumerate(captions(12))
        ]
    )
    aspects = [{**ASPECTS[0], "opinions": {"q": "one", "m": "two"}}]
    summary = operator("run_audit")(dataset, aspects=aspects)["summary"]
    assert any("or tag by rules='workshop'" in sentence for sentence in summary)
    report = operator("tag_confidence")(dataset, aspect="cap", rules="workshop", aspects=aspects)
    assert report["summary"][0].startswith("cap: tagged 12 of 12 samples; 0 lack a score of q or m")


def test_an_opinion_that_few_samples_have_is_named(calibrated):
    dataset, _, stage = calibrated
    few = [{**ASPECTS[0], "name": "few", "opinions": {"a": "one", "b": "rare"}}]
    dataset.add_sample_field("rare", fo.StringField)
    dataset.set_values(
        "rare", dict(zip(dataset.values("id")[2:12], dataset.values("two")[2:12])), key_field="id"
    )
    report = stage("calibrate")(dataset, aspects=few)
    (told,) = [sentence for sentence in report["summary"] if "100" in sentence]
    assert "few by b (10 pairs of texts), few by ab (10 pairs of texts)" in told
    assert dataset.count("confidence_few") == 238


def test_what_other_witnesses_told_outside_the_view_is_not_mixed_in_silence(dataset, operator):
    texts = captions(12)
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/tmp/{i}.jpg", label=t[0], one=t[1], two=t[2])
            for i, t in enumerate(texts)
        ]
    )
    alone = [{**ASPECTS[0], "opinions": {"a": "two"}}]

    def calibrate(samples, aspects):
        summary = operator("calibrate")(samples, aspects=aspects)["summary"]
        dataset.set_values("confidence_cap", [0.5] * 12)  # of too few, there would be none
        return [sentence for sentence in summary if "before" in sentence]

    assert calibrate(dataset, ASPECTS) == [] == calibrate(dataset.limit(4), ASPECTS)
    for _ in range(2):  # again, though the newest run is now of the same witness
        (sentence,) = calibrate(dataset.limit(4), alone)
        assert "with a (one), b (two) before: 8 samples outside" in sentence
    assert calibrate(dataset, alone) == [] == calibrate(dataset.limit(4), alone)


@pytest.mark.parametrize(
    ("stage", "settings", "sentence"),
    [
        ("calibrate", {"aspects": ASPECTS, "edges": ["ab"]}, "compares the annotation of cap"),
        ("calibrate", {"aspects": ASPECTS, "group_field": "nowhere"}, "no field 'nowhere'"),
        ("calibrate", {"aspects": "none"}, "no preset of aspects"),
        ("tag_confidence", {"aspects": ASPECTS, "aspect": "cup"}, "no 'cup'; there are cap"),
        ("tag_confidence", {"aspects": ASPECTS, "aspect": "cap"}, "Run calibrate for 'cap'"),
        ("tag_confidence", {"aspects": ASPECTS, "aspect": "cap", "fdr": 2}, "not between 0 and 1"),
    ],
)
def test_bad_settings_are_refused_before_any_work(dataset, operator, stage, settings, sentence):
    dataset.add_sample(fo.Sample(filepath="/tmp/a.jpg", label="a", one="b", two="c"))
    with pytest.raises(ValueError, match=sentence):
        operator(stage)(dataset, **settings)
    assert "confidence" not in dataset.get_field_schema()
