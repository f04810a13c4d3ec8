import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.plant import KINDS, plant
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = [
    "A man is riding a brown horse on the beach.",
    "Two dogs run across the grass, then a boy throws a red ball.",
    "Pour the milk into a small bowl and stir it with a wooden spoon.",
    "The woman holds a blue umbrella under a tall tree.",
    "N/A",
    None,
    "a cat sits on the chair near a window with a green curtain",
]
GROUPS = ["x", "x", "x", "y", "y", "y", "y"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_texts_and_leaves_the_missing_alone(kind):
    planted = plant(TEXTS, kind, groups=GROUPS)
    assert planted.changed.sum() >= 1
    for old, new, changed in zip(TEXTS, planted.texts, planted.changed):
        assert changed == (new is not None)
        assert not changed or (old not in (None, "N/A") and new.strip() and new != old)
        assert not changed or planted.is_edit != (new in TEXTS)  # a copy, or another's as it is
    assert plant(TEXTS, kind, groups=GROUPS).texts == planted.texts


@pytest.mark.parametrize("kind", ["actor", "action", "attribute", "relation", "number"])
def test_one_word_is_changed_and_no_other(kind):
    planted = plant(TEXTS, kind)
    for old, new in zip(TEXTS, planted.texts):
        if new is not None:
            olds, news = old.split(), new.split()
            differ = [(a, b) for a, b in zip(olds, news) if a.lower() != b.lower()]
            articles = [pair for pair in differ if {p.lower() for p in pair} == {"a", "an"}]
            assert len(olds) == len(news) and len(differ) - len(articles) == 1


def test_an_attribute_is_replaced_by_one_of_its_own_sort():
    colours = {plant(["a red ball"], "attribute", seed).texts[0] for seed in range(30)}
    assert "a blue ball" in colours and "a wooden ball" not in colours and len(colours) > 5


def test_order_and_swap_keep_every_word():
    for kind in ("order", "swap"):
        for old, new in zip(TEXTS, plant(TEXTS, kind).texts):
            if new is not None:
                plain = [sorted(t.lower().replace(",", "").rstrip(".").split()) for t in (old, new)]
                assert [w for w in plain[0] if w not in "an"] == [
                    w for w in plain[1] if w not in "an"
                ]


def test_negation_dropping_and_inventing():
    assert plant(TEXTS, "negation").texts[0] == "A man is not riding a brown horse on the beach."
    assert plant(["he is not there"], "negation").texts[0] == "he is there"
    assert plant(TEXTS, "dropped").texts[0] == "A man is riding a brown horse."
    invented = plant(TEXTS, "invented").texts[3]
    assert invented.startswith("The woman holds a blue umbrella under a tall tree ")


def test_another_segment_comes_from_the_same_video_and_another_clip_does_not():
    segment = plant(TEXTS, "other_segment", groups=GROUPS)
    clip = plant(TEXTS, "other_clip", groups=GROUPS)
    for planted, same in ((segment, True), (clip, False)):
        for i in np.flatnonzero(planted.changed):
            source = TEXTS.index(planted.texts[i])
            assert source != i and (GROUPS[source] == GROUPS[i]) == same
    assert not plant(TEXTS, "other_segment").changed.any()


def test_an_unknown_kind_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="other_clip, other_segment, actor"):
        plant(TEXTS, "typo")


@settings(max_examples=60)
@given(st.lists(st.one_of(st.none(), st.text(max_size=80)), max_size=8), st.sampled_from(KINDS))
def test_any_texts_can_be_planted(texts, kind):
    planted = plant(texts, kind, groups=[0] * len(texts))
    assert len(planted.texts) == len(texts) == len(planted.changed)
