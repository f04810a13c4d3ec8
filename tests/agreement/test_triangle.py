import numpy as np
from fiftyone.plugins.orgs.second_opinion.audit.agreement.evidence import Party
from fiftyone.plugins.orgs.second_opinion.audit.agreement.reliability import area_under_roc
from fiftyone.plugins.orgs.second_opinion.audit.agreement.triangle import (
    calibrate_triangle,
    draw_wrong_pairs,
    fuse_aspects,
)

N = 300


def panel(seed=0, wrong=0, missing=0):
    """An annotation and two witnesses; the first ``wrong`` labels tell of another clip."""
    rng = np.random.default_rng(seed)
    clips = rng.normal(size=(N, 12))
    own = np.arange(N)
    shown = own.copy()
    shown[:wrong] = (shown[:wrong] + 150) % N

    def party(of, name):
        rows = clips[of]
        vectors = rows + rng.normal(scale=0.5, size=rows.shape)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Party([f"{name} tells of clip {i}" for i in of], vectors.astype(np.float32))

    annotation, q, m = (party(of, name) for of, name in ((shown, "gpt"), (own, "q"), (own, "m")))
    q.vectors[N - missing :] = np.nan
    q = Party(q.texts, q.vectors)
    return annotation, {"q": q, "m": m}


def test_the_panel_finds_wrong_labels_better_than_either_witness():
    annotation, witnesses = panel(wrong=40)
    pairs = draw_wrong_pairs([annotation], None)
    found = calibrate_triangle(annotation, witnesses, pairs)
    assert list(found.edges) == ["q", "m", "qm"]
    areas = {
        name: area_under_roc(c.match[40:], c.match[:40])
        for name, c in {**found.edges, "all": found.panel}.items()
    }
    assert areas["all"] >= max(areas["q"], areas["m"]) > 0.9
    assert found.edges["qm"].match[:40].mean() > 0.9  # the witnesses agree all the same
    assert 1 <= found.votes <= 2


def test_where_right_and_wrong_lie_apart_the_share_of_wrong_labels_is_found():
    annotation, witnesses = panel(wrong=40)
    found = calibrate_triangle(annotation, witnesses, draw_wrong_pairs([annotation], None))
    for calibration in (found.edges["q"], found.panel):
        assert abs(calibration.share - (1 - 40 / N)) < 0.02
        assert calibration.match[:40].max() < 0.5 < calibration.match[40:].min()


def test_a_missing_witness_leaves_the_other_to_judge():
    annotation, witnesses = panel(missing=30)
    pairs = draw_wrong_pairs([annotation], None)
    found = calibrate_triangle(annotation, witnesses, pairs)
    assert np.isnan(found.edges["q"].match[-30:]).all()
    assert not np.isnan(found.panel.match).any()


def test_one_witness_is_a_panel_of_its_own():
    annotation, witnesses = panel()
    pairs = draw_wrong_pairs([annotation], None)
    found = calibrate_triangle(annotation, {"q": witnesses["q"]}, pairs)
    np.testing.assert_array_equal(found.panel.match, found.edges["q"].match)


def test_too_few_clips_warn_and_give_no_number():
    annotation, witnesses = panel()
    few = {name: Party(p.texts[:20], p.vectors[:20]) for name, p in witnesses.items()}
    label = Party(annotation.texts[:20], annotation.vectors[:20])
    found = calibrate_triangle(label, few, draw_wrong_pairs([label], None))
    assert "100 are needed" in found.panel.warning and np.isnan(found.panel.match).all()
    assert fuse_aspects({"one": found.panel}, draw_wrong_pairs([label], None), {}) is None


def test_two_aspects_tell_more_than_one():
    panels, parties = {}, []
    for seed in (1, 2):
        annotation, witnesses = panel(seed, wrong=40)
        parties.append((annotation, witnesses))
    pairs = draw_wrong_pairs([annotation for annotation, _ in parties], None)
    for name, (annotation, witnesses) in zip("xy", parties):
        panels[name] = calibrate_triangle(annotation, {"q": witnesses["q"]}, pairs).panel
    texts = {name: annotation.texts for name, (annotation, _) in zip("xy", parties)}
    fused = fuse_aspects(panels, pairs, texts)
    areas = [area_under_roc(c.match[40:], c.match[:40]) for c in (*panels.values(), fused)]
    assert areas[2] >= max(areas[:2])
