"""Scoring: every edge once, missing stays None, and a second run does only what is new."""

import json

import fiftyone as fo
import pytest

ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one", "b": "two"}}]
TEXTS = {
    "label": ["A dog runs.", "A dog runs.", None, "N/A", "  ", "a DOG runs. "],
    "one": ["a dog runs.", "Stocks fell.", "A dog.", "A dog.", "A dog.", "a dog runs."],
    "two": ["The dog is running", None, "A dog.", "N/A", "A dog.", "A \ud800 dog\x00."],
}


@pytest.fixture
def captions(dataset):
    # surrogates cannot enter MongoDB, so the broken text comes as close as the database lets it
    broken = [t if t is None else t.encode("utf-8", "replace").decode() for t in TEXTS["two"]]
    columns = {**TEXTS, "two": broken}
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/tmp/{i}.jpg", **{name: column[i] for name, column in columns.items()}
            )
            for i in range(6)
        ]
    )
    return dataset


def test_every_edge_is_scored_and_missing_stays_none(captions, operator):
    report = operator("score_agreement")(captions, aspects=ASPECTS, metrics=["lex", "sem"])
    lex, sem = captions.values("lex_a_cap"), captions.values("sem_a_cap")
    assert lex[0] == 1.0 and lex[5] == 1.0
    assert sem[0] > 0.9 > 0.5 > sem[1]
    assert lex[2:5] == [None, None, None] and sem[2:5] == [None, None, None]
    assert captions.values("lex_b_cap")[1] is None
    assert captions.values("sem_ab_cap")[2] == pytest.approx(1.0, abs=1e-5)
    assert captions.values("sem_ab_cap")[3] is None
    row = next(r for r in report["scores"] if (r["edge"], r["metric"]) == ("a", "lex"))
    assert (row["n"], row["missing"], row["n/a"]) == (3, 2, 1)
    assert captions.values("audit_status.score_agreement")[:3] == ["ok", "missing", "missing"]
    assert captions.values("audit_status.score_agreement_why")[2] == "no label"


def test_a_second_run_scores_only_what_changed(captions, operator):
    score = operator("score_agreement")
    assert score(captions, aspects=ASPECTS, metrics=["lex"])["scored"] == 6
    captions.set_values("lex_a_cap", {captions.first().id: 0.123}, key_field="id")
    last = captions.last()
    last.label = "something else"
    last.save()
    report = score(captions, aspects=ASPECTS, metrics=["lex"])
    assert report["scored"] == 1
    assert captions.last().lex_a_cap < 1.0
    assert captions.first().lex_a_cap == 0.123  # up to date, so it was not touched
    row = next(r for r in report["scores"] if r["edge"] == "a")
    assert row["n"] == 3  # what the first run scored is reported as well
    assert score(captions, aspects=ASPECTS, metrics=["lex"], overwrite=True)["scored"] == 6
    assert captions.first().lex_a_cap == 1.0


def test_deleted_scores_come_back(captions, operator):
    score = operator("score_agreement")
    score(captions, aspects=ASPECTS, metrics=["lex"])
    captions.delete_sample_field("lex_a_cap")
    score(captions, aspects=ASPECTS, metrics=["lex"])
    assert captions.first().lex_a_cap == 1.0


def test_edges_limit_what_is_needed_and_written(captions, operator):
    operator("score_agreement")(captions, aspects=ASPECTS, edges=["a"], metrics=["lex"])
    written = {name for name in captions.get_field_schema() if name.endswith("_cap")}
    assert written == {"lex_a_cap"}


def test_a_view_changes_only_its_samples(captions, operator):
    operator("score_agreement")(captions.limit(1), aspects=ASPECTS, metrics=["lex"])
    assert captions.values("lex_a_cap") == [1.0] + [None] * 5


def test_the_queue_takes_aspects_as_json(captions, operator):
    operation = operator("score_agreement")(captions, aspects=ASPECTS, delegate=True)
    from fiftyone.operators.delegated import DelegatedOperationService

    queued = DelegatedOperationService().get(operation)
    assert json.loads(queued.context.params["aspects"]) == ASPECTS
    assert "lex_a_cap" not in captions.get_field_schema()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"aspects": "action1000m"}, "no preset of aspects called 'action1000m'"),
        ({"aspects": "action100m"}, "no field 'qwen3vl_summary_brief'.*read_opinions"),
        ({"aspects": [{"name": "cap"}]}, "needs the keys name, annotation and opinions"),
        ({"aspects": [{**ASPECTS[0], "annotation": "nowhere"}]}, "no field 'nowhere'"),
        ({"aspects": [{**ASPECTS[0], "annotation": "tags"}]}, "'tags' is a ListField"),
        ({"aspects": [{**ASPECTS[0], "name": "no good"}]}, "cannot be part of a field's name"),
        ({"aspects": ASPECTS, "edges": ["z"]}, "no 'z'; there are a, b, ab"),
        ({"aspects": ASPECTS, "metrics": ["bleu"]}, "'bleu' is not one of"),
        ({"aspects": ASPECTS, "metrics": []}, "choose at least one"),
        ({"aspects": ASPECTS, "encoder": "/no/such/model"}, "could not be loaded"),
    ],
)
def test_bad_settings_are_refused_before_any_work(captions, operator, settings, sentence):
    before = set(captions.get_field_schema())
    with pytest.raises(ValueError, match=sentence):
        operator("score_agreement")(captions, **settings)
    assert set(captions.get_field_schema()) == before


def test_a_field_of_the_persons_own_is_not_replaced_unasked(captions, operator):
    captions.set_values("lex_a_cap", [0.5] * 6)
    with pytest.raises(ValueError, match="'lex_a_cap', which this audit did not write"):
        operator("score_agreement")(captions, aspects=ASPECTS)
    operator("score_agreement")(captions, aspects=ASPECTS, metrics=["lex"], overwrite=True)
    assert captions.first().lex_a_cap == 1.0


def test_an_empty_view_and_no_samples_are_refused(captions, operator):
    for samples, sentence in (
        (captions.limit(0), "The view is empty"),
        (None, "none was given"),
        ("name", "not a str"),
    ):
        with pytest.raises(ValueError, match=sentence):
            operator("score_agreement")(samples, aspects=ASPECTS)


def test_support_asks_whether_the_annotation_is_borne_out_not_the_opinion(dataset, operator):
    said = ["A dog runs.", "A dog runs on the beach with a red kite.", None, "A dog runs."]
    one = ["A dog runs on the beach with a red kite.", "A dog runs.", "A dog runs.", None]
    two = [None, "A red kite flies over the beach.", "A dog runs.", "A dog runs."]
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/tmp/{i}.jpg", label=label, one=a, two=b)
            for i, (label, a, b) in enumerate(zip(said, one, two))
        ]
    )
    operator("score_agreement")(dataset, aspects=ASPECTS, metrics=["sup"])
    by_one, by_all = dataset.values("sup_a_cap"), dataset.values("sup_all_cap")
    assert by_one[0] > 0.75 > by_one[1]  # a longer opinion supports, a shorter one does not
    assert by_all[1] > by_one[1]  # the second witness speaks of the kite
    assert by_one[2:] == [None, None]
    assert by_all[2] is None and by_all[3] is not None


def test_a_view_is_scored_like_the_whole(captions, operator):
    score = operator("score_agreement")
    score(captions, aspects=ASPECTS)
    names = ["lex_a_cap", "sem_a_cap", "sup_a_cap", "sup_all_cap"]
    whole = captions.values(names)
    score(captions.limit(2), aspects=ASPECTS, overwrite=True)
    for name, before in zip(names, whole):
        assert captions.values(name) == pytest.approx(before, abs=1e-5)
