import numpy as np
from fiftyone.plugins.orgs.second_opinion.audit.agreement.stuck import near_copies, stuck_texts
from hypothesis import given
from hypothesis import strategies as st

LONG = "a person stands in a kitchen and talks to the camera while holding a white cup of tea"


def test_copies_and_near_copies_are_found_among_others():
    texts = [
        f"clip {i * 7919} shows {i} things of sort {i * 31} in room {i * 17}" for i in range(500)
    ]
    texts[3] = texts[77] = LONG
    texts[300] = LONG.upper() + "!"
    texts[401] = LONG.replace("white", "black")
    assert near_copies(texts) == [[3, 77, 300, 401]]
    assert near_copies(texts, alike=1.0) == [[3, 77, 300]]


def test_only_copies_far_apart_are_stuck():
    texts = [LONG] * 3 + ["another text"] * 3 + ["a third one"] * 2
    vectors = np.eye(8)
    vectors[3:6] = vectors[3]  # the same scene, filmed three times
    (stuck,) = stuck_texts(texts, vectors)
    assert (stuck.text, stuck.members, stuck.exact, stuck.distance) == (LONG, [0, 1, 2], 3, 1.0)
    assert len(stuck_texts(texts)) == 2
    assert len(stuck_texts(texts, least=2)) == 3


def test_the_most_common_wording_stands_for_all():
    texts = [LONG, LONG.replace("white", "black"), LONG.replace("white", "black")]
    (stuck,) = stuck_texts(texts)
    assert stuck.text == texts[1] and stuck.exact == 2 and np.isnan(stuck.distance)


def test_clips_of_unknown_place_do_not_count_as_far():
    assert stuck_texts([LONG] * 3, np.full((3, 4), np.nan)) == []


def test_missing_texts_are_never_stuck():
    assert near_copies([None, None, "N/A", "n/a", "", " ", "...", "..."]) == []


texts = st.lists(
    st.one_of(st.none(), st.text(max_size=30), st.sampled_from([LONG, "a b c"])), max_size=20
)


@given(texts)
def test_groups_hold_every_exact_copy_once_in_order(given_texts):
    groups = near_copies(given_texts)
    flat = [i for group in groups for i in group]
    assert len(flat) == len(set(flat))
    assert all(group == sorted(group) and len(group) > 1 for group in groups)
    of = {i: n for n, group in enumerate(groups) for i in group}
    same = [i for i, text in enumerate(given_texts) if text == LONG]
    assert len(same) < 2 or len({of[i] for i in same}) == 1
