"""Tags: the workshop's seven, exactly, on nobody's tags but ours."""

import itertools
import re

import fiftyone as fo
import pytest

GRID = [None, 0.1, 0.3, 0.45, 0.5, 0.55, 0.6, 0.9]


@pytest.fixture
def scored(dataset):
    rows = list(itertools.product(GRID, repeat=4))[::7]
    names = ["sem_q_actor", "lex_q_actor", "sem_m_actor", "lex_m_actor"]
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/tmp/{i}.jpg", tags=["mine"], **dict(zip(names, row)))
            for i, row in enumerate(rows)
        ]
    )
    for name in names:
        if dataset.get_field(name) is None:
            dataset.add_sample_field(name, fo.FloatField)
    return dataset


def by_the_workshop(sem_q, lex_q, sem_m, lex_m, high=0.6, lex_high=0.6, lex_low=0.3, low=0.5):
    """The workshop's rules as a person would write them down, sample by sample."""
    tags = set()
    q = sem_q is not None and sem_q >= high
    m = sem_m is not None and sem_m >= high
    not_q = sem_q is not None and sem_q < low
    not_m = sem_m is not None and sem_m < low
    if q and lex_q is not None and lex_q >= lex_high:
        tags.add("qwen_agrees")
    if m and lex_m is not None and lex_m >= lex_high:
        tags.add("molmo_agrees")
    if q and m:
        tags.add("triple_agreement")
        if None not in (lex_q, lex_m) and lex_q < lex_low and lex_m < lex_low:
            tags.add("paraphrase")
    if not_q and not_m:
        tags.add("triple_disagreement")
    if q and not_m:
        tags.add("qwen_only")
    if m and not_q:
        tags.add("molmo_only")
    return tags


def expected(dataset, **thresholds):
    names = ["sem_q_actor", "lex_q_actor", "sem_m_actor", "lex_m_actor"]
    return [by_the_workshop(*row, **thresholds) | {"mine"} for row in zip(*dataset.values(names))]


def test_the_seven_tags_are_the_workshops_and_a_missing_score_makes_none(scored, operator):
    report = operator("tag_confidence")(scored, aspect="actor", rules="workshop")
    assert [set(tags) for tags in scored.values("tags")] == expected(scored)
    counts = scored.count_sample_tags()
    assert {row["tag"]: row["samples"] for row in report["tags"]} == {
        row["tag"]: counts.get(row["tag"], 0) for row in report["tags"]
    }
    assert min(row["samples"] for row in report["tags"]) > 0
    tagged = sum(len(tags) > 1 for tags in scored.match_tags("mine").values("tags"))
    told = re.search(
        r"actor: tagged (\d+) of (\d+) samples; (\d+) fit none of the rules", str(report)
    )
    assert int(told[2]) == len(scored) and int(told[1]) <= tagged
    assert int(told[1]) + int(told[3]) + report["missing"] == len(scored)


def test_new_thresholds_replace_our_tags_and_keep_a_persons(scored, operator):
    tag = operator("tag_confidence")
    theirs = scored.match(fo.ViewField("sem_q_actor") == 0.1).first()
    theirs.tags.append("triple_agreement")
    theirs.save()
    tag(scored, aspect="actor", rules="workshop")
    tag(scored, aspect="actor", rules="workshop", thresholds={"sem_high": 0.9})
    wanted = expected(scored, high=0.9)
    wanted[scored.values("id").index(theirs.id)].add("triple_agreement")
    assert [set(tags) for tags in scored.values("tags")] == wanted


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"aspect": "sum_detailed"}, "no field 'sem_q_sum_detailed'.*score_agreement"),
        ({"aspect": "actor", "thresholds": {"sem_high": 1.2}}, "1.2 is not between 0 and 1"),
        ({"aspect": "actor", "thresholds": {"sem_hi": 0.2}}, "no 'sem_hi'"),
        ({"aspect": "actor", "thresholds": {"sem_low": 0.9}}, "sem_low must not be above"),
        ({"aspect": "actor", "thresholds": {"sem_low": float("nan")}}, "not between"),
        ({"aspect": "actor", "rules": "guessed"}, "'guessed' is not one of"),
    ],
)
def test_bad_settings_are_refused_before_any_work(scored, operator, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        operator("tag_confidence")(scored, **{"rules": "workshop", **settings})
    assert set(scored.count_sample_tags()) == {"mine"}


def test_views_and_a_workspace_are_saved_and_a_persons_own_stay(scored, operator):
    scored.save_view("Paraphrase", scored.limit(1), description="mine")
    tag = operator("tag_confidence")
    for _ in range(2):
        tag(scored, aspect="actor", rules="workshop")
    assert len(scored.load_saved_view("Paraphrase")) == 1
    assert scored.list_workspaces() == ["Second opinion"]
    missing = scored.load_saved_view("Not scored")
    assert len(missing) == scored.values("audit_status.tag_confidence").count("missing") > 0
    operator("clear_audit")(scored)
    assert scored.list_saved_views() == ["Paraphrase"]
    assert scored.list_workspaces() == []
