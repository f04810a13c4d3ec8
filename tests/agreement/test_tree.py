"""Reading trees of captions: sound ones, and every way to be unsound."""

from __future__ import annotations

import math

import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.tree import FAULTS, read_tree
from hypothesis import given, settings
from hypothesis import strategies as st

NODES = [
    {"node_id": "a", "parent_id": None, "level": 0, "start": 0.0, "end": 60.0, "note": "all"},
    {"node_id": "b", "parent_id": "a", "level": 1, "start": 0.0, "end": 40.0},
    {"node_id": "c", "parent_id": "a", "level": 1, "start": 40.0, "end": 60.0},
    {"node_id": "d", "parent_id": "b", "level": 2, "start": 0.0, "end": 15.5},
]


def read(**changes):
    """Reads the tree with some nodes changed: ``b={"start": 3}``, ``b=None`` without."""
    nodes = []
    for node in NODES:
        change = changes.get(node["node_id"], {})
        if change is not None:
            nodes.append({**node, **change})
    return read_tree(nodes)


def faults(tree):
    return [fault.name for fault in tree.faults]


def test_a_sound_tree_has_a_root_tiers_and_no_faults():
    tree = read()
    assert tree.faults == ()
    assert [segment.tier for segment in tree.segments] == ["root", "mid", "leaf", "leaf"]
    assert tree.root.values["note"] == "all"
    assert tree.depth == 2
    assert tree.segments[3].seconds == 15.5


@pytest.mark.parametrize("nodes", [None, [], "nodes", {"node_id": "a"}, 3, math.nan])
def test_without_a_list_of_nodes_there_is_no_tree(nodes):
    tree = read_tree(nodes)
    assert faults(tree) == ["no_nodes"] and tree.segments == ()
    assert tree.root is None and tree.depth is None


def test_no_root_is_named_and_the_segments_are_kept():
    tree = read(a=None)
    assert faults(tree) == ["no_root", "orphan", "orphan"]
    assert len(tree.segments) == 3 and tree.root is None


def test_two_roots_are_named_and_neither_is_chosen():
    tree = read(c={"parent_id": None, "level": 0})
    assert faults(tree) == ["several_roots"]
    assert tree.root is None
    assert [segment.tier for segment in tree.segments].count("root") == 2


@pytest.mark.parametrize("nothing", [None, "", "  ", math.nan])
def test_a_root_may_say_in_several_ways_that_it_has_no_parent(nothing):
    assert read(a={"parent_id": nothing}).root.node_id == "a"


def test_an_orphan_is_named_with_the_parent_it_misses():
    tree = read(d={"parent_id": "nowhere"})
    assert faults(tree) == ["orphan"]
    assert tree.faults[0].where == "d: parent nowhere"
    assert len(tree.segments) == 4 and tree.root.node_id == "a"


def test_rings_of_parents_are_named_once_each():
    tree = read(b={"parent_id": "d", "level": 3}, c={"parent_id": "c"})
    assert faults(tree).count("cycle") == 2
    assert tree.root.node_id == "a"


@pytest.mark.parametrize("time", [None, math.nan, math.inf, "soon", True, [1], -3.0, 1e30, 10**400])
def test_a_time_that_cannot_be_read_is_no_time(time):
    tree = read(b={"start": time})
    assert faults(tree) == ["time_missing"]
    assert tree.segments[1].start is None and not tree.segments[1].has_times
    assert tree.segments[1].seconds is None


def test_a_time_written_as_text_is_read_and_named():
    tree = read(b={"end": "40.0"})
    assert faults(tree) == ["time_as_text"]
    assert tree.segments[1].end == 40.0


@pytest.mark.parametrize("end", [3.0, 40.0])
def test_reversed_and_empty_times_are_named_and_not_turned_round(end):
    tree = read(c={"end": end})
    assert faults(tree) == ["time_reversed"]
    assert (tree.segments[2].start, tree.segments[2].end) == (40.0, end)
    assert not tree.segments[2].has_times


def test_a_segment_beyond_its_parent_is_named_beyond_a_tolerance():
    assert faults(read(d={"end": 40.3})) == []
    assert faults(read(d={"end": 42.0})) == ["outside_parent"]


@pytest.mark.parametrize("level", [None, "two", 2.5, -1, 7, "2", 10**30])
def test_a_level_that_is_not_one_below_its_parent_is_named(level):
    tree = read(d={"level": level})
    assert faults(tree) == ["level_wrong"]
    assert tree.segments[3].level == (7 if level == 7 else 2)


def test_ids_missing_and_given_twice_are_named():
    tree = read(c={"node_id": None}, d={"node_id": "b"})
    assert sorted(set(faults(tree))) == ["cycle", "level_wrong", "node_id_missing", "node_id_twice"]
    assert len(tree.segments) == 4


def test_ids_that_are_numbers_find_each_other():
    nodes = [{**NODES[0], "node_id": 1}, {**NODES[1], "node_id": 2, "parent_id": "1"}]
    assert read_tree(nodes).faults == ()


def test_nodes_of_the_wrong_type_are_named_and_left_out():
    tree = read_tree([NODES[0], "b", None])
    assert faults(tree) == ["node_wrong_type"] * 2 and len(tree.segments) == 1


def test_a_very_deep_tree_is_read():
    nodes = [
        {"node_id": i, "parent_id": i - 1 if i else None, "level": i, "start": 0, "end": 9}
        for i in range(5_000)
    ]
    tree = read_tree(nodes)
    assert tree.faults == () and tree.depth == 4_999


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
node = st.fixed_dictionaries(
    {
        "node_id": st.sampled_from(["a", "b", "c", None]) | anything,
        "parent_id": st.sampled_from(["a", "b", "c", None]) | anything,
        "level": st.integers(0, 2) | anything,
        "start": st.floats() | anything,
        "end": st.floats() | anything,
    }
)


@given(st.lists(node | anything, max_size=6))
@settings(max_examples=300, deadline=None)
def test_anything_is_read_and_every_named_fault_is_explained(nodes):
    tree = read_tree(nodes)
    assert {fault.name for fault in tree.faults} <= set(FAULTS)
    assert len(tree.segments) == sum(isinstance(n, dict) for n in nodes)
    roots = sum(segment.tier == "root" for segment in tree.segments)
    assert (tree.root is not None) == (roots == 1)
    assert ("no_root" in faults(tree)) == (roots == 0 and bool(nodes))
    for segment in tree.segments:
        assert segment.level is None or segment.level >= 0
        assert segment.seconds is None or 0 < segment.seconds < math.inf
