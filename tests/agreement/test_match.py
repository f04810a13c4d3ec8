import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.confidence import merged_vectors
from fiftyone.plugins.orgs.second_opinion.audit.agreement.evidence import Evidence, Party
from fiftyone.plugins.orgs.second_opinion.audit.agreement.match import (
    PAIRS_NEEDED,
    calibrate_pairs,
)
from fiftyone.plugins.orgs.second_opinion.audit.agreement.null import WrongPairs, wrong_pairs
from fiftyone.plugins.orgs.second_opinion.audit.agreement.reliability import (
    area_under_roc,
    calibration_error,
)

NAMES = ["sem_csls", "lex"]


def scores(n, wrong_share, seed=0, apart=2.0):
    """Evidence drawn from two known normal distributions."""
    rng = np.random.default_rng(seed)
    true = rng.random(n) >= wrong_share
    observed = rng.normal(size=(n, 2)) + [[apart, 0.5]] * true[:, None]
    taken = rng.permutation(n)
    pairs = WrongPairs(taken, np.roll(taken, 1), np.full(n, "random"))
    return observed, rng.normal(size=(n, 2)), pairs, true


def ideal(observed, share, apart=2.0):
    ratio = apart * observed[:, 0] - apart**2 / 2 + 0.5 * observed[:, 1] - 0.125
    return 1 / (1 + np.exp(-ratio) * (1 - share) / share)


@pytest.mark.parametrize("wrong_share", [0.05, 0.2, 0.4])
def test_probabilities_are_those_of_the_mixture_they_come_from(wrong_share):
    observed, wrong, pairs, true = scores(3000, wrong_share)
    found = calibrate_pairs(observed, wrong, pairs, NAMES)
    assert found.share == pytest.approx(1 - wrong_share, abs=0.05)
    assert np.abs(found.match - ideal(observed, 1 - wrong_share)).mean() < 0.04
    assert calibration_error(found.match, true) < 0.05


def test_a_fifth_of_wrong_pairs_does_not_blunt_the_score():
    clean, wrong, pairs, _ = scores(2000, 0.0)
    dirty, wrong_too, pairs_too, true = scores(2000, 0.2)
    found = calibrate_pairs(dirty, wrong_too, pairs_too, NAMES)
    best = area_under_roc(ideal(dirty, 0.8)[true], ideal(dirty, 0.8)[~true])
    assert area_under_roc(found.match[true], found.match[~true]) > best - 0.01
    assert calibrate_pairs(clean, wrong, pairs, NAMES).share > 0.95


def test_what_carried_it_and_how_good_it_is_are_reported():
    observed, wrong, pairs, _ = scores(1000, 0.1)
    report = calibrate_pairs(observed, wrong, pairs, NAMES).report
    assert report["pairs"] == 1000
    assert list(report["carried_by"]) == ["sem_csls", "lex"]
    assert sum(report["carried_by"].values()) == pytest.approx(1, abs=1e-3)
    assert 0.8 < report["auroc"]["random"] < 1
    assert report["ece"] < 0.05 and 0 < report["brier"] < 0.25
    assert sum(report["shares"].values()) == pytest.approx(1, abs=1e-3)


def test_the_kind_of_wrong_pairs_that_occurs_is_recognised():
    rng = np.random.default_rng(4)
    true = rng.random(2000) >= 0.2
    observed = rng.normal(size=(2000, 2)) + np.where(true[:, None], [[3, 0]], [[0, 2]])
    wrong = np.concatenate(
        [rng.normal(size=(2000, 2)) + [0, 2], rng.normal(size=(2000, 2)) - [2, 2]]
    )
    taken = np.tile(rng.permutation(2000), 2)
    pairs = WrongPairs(taken, np.roll(taken, 1), np.repeat(["within", "random"], 2000))
    shares = calibrate_pairs(observed, wrong, pairs, NAMES).report["shares"]
    assert shares["within"] == pytest.approx(0.2, abs=0.04)
    assert shares["random"] < 0.03


def test_the_same_seed_gives_the_same_figures():
    observed, wrong, pairs, _ = scores(300, 0.1)
    first = calibrate_pairs(observed, wrong, pairs, NAMES, seed=3)
    again = calibrate_pairs(observed, wrong, pairs, NAMES, seed=3)
    other = calibrate_pairs(observed, wrong, pairs, NAMES, seed=4)
    np.testing.assert_array_equal(first.match, again.match)
    assert not np.array_equal(first.match, other.match)
    assert np.abs(first.match - other.match).mean() < 0.05


def test_too_few_pairs_give_a_sentence_and_no_number():
    observed, wrong, pairs, _ = scores(PAIRS_NEEDED - 1, 0.1)
    found = calibrate_pairs(observed, wrong, pairs, NAMES)
    assert np.isnan(found.match).all() and np.isnan(found.share)
    assert str(PAIRS_NEEDED - 1) in found.warning and str(PAIRS_NEEDED) in found.warning


def test_missing_pairs_stay_missing_and_missing_pieces_do_not():
    observed, wrong, pairs, _ = scores(400, 0.1)
    observed[:5] = np.nan
    observed[5:10, 1] = np.nan
    found = calibrate_pairs(observed, wrong, pairs, NAMES)
    assert np.isnan(found.match[:5]).all()
    assert not np.isnan(found.match[5:]).any()
    assert ((found.match[5:] >= 0) & (found.match[5:] <= 1)).all()


# ---- evidence ----

WORDS = "dog cat man woman red blue runs sits table road park grass ball hat".split()  # noqa: SIM905


def parties(n=150, seed=0):
    """Two tellings of n clips, and vectors that know what each clip shows."""
    rng = np.random.default_rng(seed)
    shown = [rng.choice(WORDS, 5, replace=False) for _ in range(n)]
    table = rng.normal(size=(len(WORDS), 16))
    where = {word: row for row, word in enumerate(WORDS)}

    def tell(clip):
        words = rng.permutation(shown[clip])[:4]
        vector = sum(table[where[word]] for word in words)
        return " ".join(words), vector / np.linalg.norm(vector)

    sides = []
    for _ in range(2):
        texts, vectors = zip(*(tell(clip) for clip in range(n)))
        sides.append(Party(list(texts), np.array(vectors, np.float32)))
    return sides


def test_true_pairs_have_more_evidence_than_wrong_ones():
    annotation, witness = parties()
    evidence = Evidence(annotation, witness, groups=[i % 10 for i in range(150)])
    pairs = wrong_pairs(annotation.vectors, [i % 10 for i in range(150)])
    observed, wrong = evidence.observed(), evidence.of(pairs.taken, pairs.given)
    for column, name in enumerate(evidence.names):
        assert area_under_roc(observed[:, column], wrong[:, column]) > 0.7, name


def test_evidence_does_not_depend_on_which_pairs_are_asked_together():
    annotation, witness = parties(60)
    evidence = Evidence(annotation, witness)
    taken, given = np.array([3, 5, 3]), np.array([3, 9, 0])
    together = evidence.of(taken, given)
    alone = np.concatenate([evidence.of(t, g) for t, g in zip(taken[:, None], given[:, None])])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(evidence.observed()[3], together[0], atol=1e-6)


def test_a_missing_text_gives_no_evidence_and_disturbs_nobody():
    annotation, witness = parties(60)
    texts, vectors = list(annotation.texts), annotation.vectors.copy()
    texts[7], vectors[7] = None, np.nan
    texts[8], vectors[8] = "N/A", 1.0
    found = Evidence(Party(texts, vectors), witness).observed()
    assert np.isnan(found[[7, 8]]).all()
    assert not np.isnan(np.delete(found, [7, 8], axis=0)).any()


def test_texts_without_words_and_odd_signs_are_measured_all_the_same():
    annotation, witness = parties(40)
    texts = list(annotation.texts)
    texts[:3] = ["🙂🙂", "…", "ключ " * 500]
    found = Evidence(Party(texts, annotation.vectors), witness).observed()
    assert np.isfinite(found).all()


def test_what_several_witnesses_say_together_leaves_out_the_missing():
    a, b = np.array([[1.0, 0], [np.nan, np.nan]]), np.array([[0, 1.0], [np.nan, np.nan]])
    c = np.array([[np.nan, np.nan], [0, -1.0]])
    merged = merged_vectors([a, b, c])
    np.testing.assert_allclose(merged, [[np.sqrt(0.5)] * 2, [0, -1]])
    assert np.isnan(merged_vectors([a, b])[1]).all()
