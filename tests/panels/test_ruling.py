"""The ruling in the opinion viewer, and the suggested correction in the review queue."""

import fiftyone as fo
import pytest
from fiftyone.operators import types
from fiftyone.plugins.orgs.second_opinion.audit.panels.opinion_viewer.ruling import add_ruling
from fiftyone.plugins.orgs.second_opinion.audit.panels.opinion_viewer.sample import (
    find_aspects,
    read_sample,
)
from fiftyone.plugins.orgs.second_opinion.audit.panels.review.queue import read_item

DETAILS = {
    "reason": "The video supports q (97%), not the annotation (4%).",
    "chances": {"annotation": 0.04, "q": 0.97},
    "claims": [
        {"party": "annotation", "text": "A girl opens the box.", "kind": "does", "chance": 0.03,
         "asked": True, "span": [1.0, 2.5], "decisive": True},
        {"party": "annotation", "text": "The box is empty.", "kind": "does", "chance": None,
         "asked": False, "span": None, "decisive": False},
        {"party": "q", "text": "A girl \u202ecloses the box.", "kind": "does", "chance": 0.96,
         "asked": True, "span": [2.5, 4.0], "decisive": True},
    ],
    "frames": list(range(1, 31)),
}  # fmt: skip


@pytest.fixture
def ruled(dataset):
    texts = {"gpt_summary_root_brief": "A girl opens the box.", "qwen3vl_summary_brief": "Closes."}
    rulings = {"ruling_sum_brief": "q", "ruling_sum_brief_margin": 0.93}
    rulings |= {"ruling_sum_brief_by": "yes: judge (1)", "ruling_sum_brief_details": DETAILS}
    rulings["suggested_sum_brief"] = "A girl closes the box."
    dataset.add_samples([fo.Sample(filepath="a.mp4", **texts, **rulings), fo.Sample("b.mp4")])
    return dataset


def shown(ruling):
    """Every text of the part of the page that a ruling adds."""
    card = types.Object()
    add_ruling(card, ruling)
    found = []

    def walk(prop):
        view = prop.get("view") or {}
        if view.get("name") == "TextView":
            style = view["componentsProps"]["text"]["sx"]
            found.append((view["title"], style.get("fontWeight")))
        for child in (prop.get("type") or {}).get("properties", {}).values():
            walk(child)

    for child in card.to_json()["properties"].values():
        walk(child)
    return found


def test_a_ruling_is_shown_with_claims_probabilities_times_and_frames(ruled):
    sample = read_sample(ruled, ruled.first().id, find_aspects(ruled))

    lines = shown(sample.rulings["sum_brief"])

    texts = [text for text, _ in lines]
    assert "supports witness q" in texts and "margin 0.93" in texts
    assert DETAILS["reason"] in texts
    assert "Suggested instead: A girl closes the box." in texts
    assert "Annotation: 4%" in texts and "Witness q: 97%" in texts
    assert "3%  A girl opens the box. (1.0 to 2.5 s)" in texts
    assert "not asked  The box is empty." in texts
    weights = dict(lines)
    assert weights["3%  A girl opens the box. (1.0 to 2.5 s)"] == 600
    assert weights["not asked  The box is empty."] == 400
    (frames,) = [text for text in texts if text.startswith("Frames looked at: 1, 2, 3")]
    assert frames.endswith("24 and 6 more.")
    assert any("yes: judge (1)" in text for text in texts)


def test_what_acts_in_a_claim_is_made_visible(ruled):
    sample = read_sample(ruled, ruled.first().id, find_aspects(ruled))

    texts = [text for text, _ in shown(sample.rulings["sum_brief"])]

    assert any("[U+202E]" in text for text in texts)


def test_a_sample_without_a_ruling_shows_none(ruled):
    sample = read_sample(ruled, ruled.last().id, find_aspects(ruled))

    assert sample.rulings == {}
    assert shown(None) == []


def test_the_suggestion_is_offered_to_the_reviewer_and_the_annotation_stays(ruled):
    stored = {
        "aspect": "sum_brief",
        "annotation": "gpt_summary_root_brief",
        "opinions": {"q": "qwen3vl_summary_brief"},
    }

    item, other = (read_item(ruled, stored, sample.id) for sample in ruled)

    assert item.suggestion == "A girl closes the box."
    assert item.annotation == "A girl opens the box."
    assert item.opinions == {"q": "Closes."}
    assert other.suggestion is None
