import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.verdict import effective_votes, verdicts
from hypothesis import given
from hypothesis import strategies as st

A, Q, M = "a dog runs", "the dog is running", "one dog, running"


def triangle(q, m, qm, **more):
    match = {"q": np.array([q]), "m": np.array([m]), "qm": np.array([qm])}
    return verdicts([A], {"q": [Q], "m": [M]}, match, **more)[0]


@pytest.mark.parametrize(
    ("q", "m", "qm", "verdict"),
    [
        (0.9, 0.9, 0.9, "agreed"),
        (0.9, 0.9, 0.1, "agreed"),
        (0.1, 0.1, 0.9, "annotation_suspect"),
        (0.1, 0.1, 0.1, "scattered"),
        (0.9, 0.1, 0.1, "witness_suspect_m"),
        (0.1, 0.9, 0.1, "witness_suspect_q"),
        (0.9, 0.1, 0.9, "agreed"),
        (np.nan, np.nan, 0.9, "unscored"),
        (0.9, np.nan, np.nan, "agreed"),
    ],
)
def test_the_triangle_of_two_witnesses(q, m, qm, verdict):
    assert triangle(q, m, qm) == verdict


def test_other_letters_make_a_paraphrase():
    low = {name: np.array([0.2]) for name in ("q", "m")}
    assert triangle(0.9, 0.9, 0.9, lex=low) == "paraphrase"
    assert triangle(0.9, 0.9, 0.9, lex=low | {"q": np.array([0.8])}) == "agreed"
    assert triangle(0.1, 0.1, 0.9, lex=low) == "annotation_suspect"


def test_one_witness_cannot_accuse():
    for p, verdict in ((0.9, "agreed"), (0.1, "scattered")):
        assert verdicts([A], {"q": [Q]}, {"q": np.array([p])}) == [verdict]


def test_three_witnesses_outvote_the_label_or_one_of_themselves():
    names = ["x", "y", "z"]
    opinions = {name: [Q] for name in names}

    def judge(**match):
        return verdicts([A], opinions, {k: np.array([v]) for k, v in match.items()})[0]

    assert judge(x=0, y=0, z=0, xy=1, xz=1, yz=1) == "annotation_suspect"
    assert judge(x=1, y=1, z=0, xy=1, xz=0, yz=0) == "witness_suspect_z"
    assert judge(x=1, y=0, z=0, xy=0, xz=0, yz=1) == "annotation_suspect"
    assert judge(x=0, y=0, z=0, xy=1, xz=0, yz=0) == "scattered"


@pytest.mark.parametrize(
    ("label", "q", "m", "verdict"),
    [
        ("N/A", "N/A", "n/a.", "agreed"),
        ("N/A", Q, M, "na_conflict"),
        (A, "N/A", "N/A", "na_conflict"),
        (A, "N/A", None, "na_conflict"),
        ("N/A", "N/A", M, "agreed"),
        (A, Q, "N/A", "agreed"),
        (None, Q, M, "unscored"),
        ("", Q, M, "unscored"),
        (A, None, " ", "unscored"),
    ],
)
def test_nobody_acts_is_an_answer_and_missing_is_none(label, q, m, verdict):
    match = {"q": np.array([0.9]), "m": np.array([0.9]), "qm": np.array([0.9])}
    assert verdicts([label], {"q": [q], "m": [m]}, match) == [verdict]


def test_a_clip_that_shows_too_little_comes_first():
    assert triangle(0.9, 0.9, 0.9, coverage=[0.2]) == "beyond_clip"
    assert triangle(0.9, 0.9, 0.9, coverage=[0.5]) == "agreed"
    assert triangle(0.9, 0.9, 0.9, coverage=[None]) == "agreed"


text = st.sampled_from([None, "", "N/A", A, Q])
chance = st.one_of(st.floats(0, 1), st.just(float("nan")))


@given(text, text, text, chance, chance, chance)
def test_the_order_of_the_witnesses_does_not_matter(label, q, m, eq, em, eqm):
    here = {"q": np.array([eq]), "m": np.array([em])}
    there = verdicts([label], {"q": [q], "m": [m]}, here | {"qm": np.array([eqm])})
    back = verdicts([label], {"m": [m], "q": [q]}, here | {"mq": np.array([eqm])})
    assert there == back


def test_votes_of_witnesses_that_err_as_one_and_apart():
    rng = np.random.default_rng(0)
    same, sure = rng.normal(size=400), np.ones(400)
    assert effective_votes(np.stack([same, same], 1), sure) == pytest.approx(1)
    apart = effective_votes(rng.normal(size=(400, 3)), sure)
    assert 2.6 < apart <= 3
    assert effective_votes(same[:, None], sure) == 1
    assert np.isnan(effective_votes(np.full((400, 2), np.nan), sure))


def test_what_wrong_labels_share_is_not_the_witnesses_error():
    # Both witnesses score a wrong label low; only their errors on right ones count.
    rng = np.random.default_rng(1)
    wrong = np.arange(400) < 200
    ratios = rng.normal(size=(400, 2)) - 8 * wrong[:, None]
    assert effective_votes(ratios, (~wrong).astype(float)) > 1.8
    assert effective_votes(ratios, np.ones(400)) < 1.2
