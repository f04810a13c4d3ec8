"""The numbers and files that docs/method.md names are those of the code."""

import re
from pathlib import Path

import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement import (
    copies,
    match,
    mixture,
    null,
    plant,
    recalibrate,
    ruling,
    sampling,
    support,
    token_weights,
    tree_fit,
    wilson,
    workshop_rules,
)

ROOT = Path(__file__).resolve().parents[2]
METHOD = " ".join((ROOT / "docs" / "method.md").read_text(encoding="utf-8").split())
LIMITS = ", ".join(
    f"{workshop_rules.THRESHOLDS[name]:g}"
    for name in ("sem_high", "lex_high", "lex_low", "sem_low")
)


@pytest.mark.parametrize(
    "stated",
    [
        f"of which {support._NEIGHBOURS:.0%} is their neighbours' cosine",
        "ranks {} to {} by".format(*null.NEAR_RANKS),
        f"share stays below {mixture._COMMON:.0%}",
        f"{mixture._MISHEARD:.0%} are still taken to be true",
        f"+ {token_weights._TRUST:g} p(t)",
        f"at least {match.PAIRS_NEEDED} complete pairs",
        f"plants errors of {len(plant.KINDS)} kinds",
        f"a node is a repeat where a sibling's text has cosine {tree_fit._SAME:g} or more",
        f"four constants ({LIMITS})",
        f"with fewer than {ruling._FEW} statements",
        f"a margin of at least {ruling.LEAST_MARGIN:g}",
        f"mixed with {sampling._BY_SIZE:.0%} by size alone",
        f"From {recalibrate.FEWEST} decisions, {recalibrate.FEWEST_OF_EACH} of either outcome",
    ],
)
def test_numbers_are_those_of_the_code(stated):
    assert stated in METHOD


def test_numbers_in_words_are_those_of_the_code():
    assert "dealt into five parts" in METHOD and match._FOLDS == 5
    trust = "from 90% shared, which weighs as much as 10 texts"
    assert trust in METHOD and (copies._TRUST, copies._MOVED) == (10, 0.1)
    assert "(3% of the texts that are not shared)" in METHOD and copies._LOST == 0.03
    assert "counts as for 3 places at most" in METHOD and copies._MOST == 3
    assert "a fifth of the usual correction" in METHOD and wilson._CONTINUITY == 0.5 / 5
    assert "more than half of the variance" in METHOD and ruling.MOST_BIAS == 0.5


def test_the_file_beside_each_formula_is_there():
    named = set(re.findall(r"`(\w+\.py)`", METHOD))
    assert len(named) > 15
    assert [name for name in named if not (ROOT / "agreement" / name).is_file()] == []
