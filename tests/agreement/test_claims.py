"""Claims: what a text says, cut into sentences that are each true or false."""

import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.claims import (
    KINDS,
    MOST,
    Claim,
    decisive,
    dedupe,
    may_ask,
    read_claims,
    rounds,
    split_text,
)

STORY = (
    "The clip opens on a pale backdrop. A red star glides into view from the left side. "
    "Then three blue hearts appear one after another. Next, the red star chases the blue hearts."
)


def texts(claims, kind):
    return [claim.text for claim in claims if claim.kind == kind]


def test_a_story_is_cut_into_who_what_how_many_and_in_what_order():
    claims = split_text(STORY)

    assert texts(claims, "who") == ["The clip shows a red star.", "The clip shows blue hearts."]
    assert texts(claims, "how_many") == [
        "The clip shows three blue hearts, not more and not fewer."
    ]
    assert "A red star glides into view from the left side." in texts(claims, "does")
    first, second = texts(claims, "order")
    assert first.startswith("First: A red star glides") and "After that: Three blue" in first
    assert second.startswith("First: Three blue hearts") and "After that: The red star" in second


def test_a_claim_comes_after_those_it_needs_and_is_not_asked_where_one_failed():
    claims = split_text(STORY)

    assert all(need < place for place, claim in enumerate(claims) for need in claim.needs)
    assert sorted(place for level in rounds(claims) for place in level) == list(range(len(claims)))
    (many,) = [claim for claim in claims if claim.kind == "how_many"]
    assert claims[many.needs[0]].text == "The clip shows blue hearts."
    odds = [2.0] * len(claims)
    assert may_ask(many, odds)
    odds[many.needs[0]] = -3.0
    assert not may_ask(many, odds)
    odds[many.needs[0]] = None  # not asked itself
    assert not may_ask(many, odds)
    odds[many.needs[0]] = float("nan")  # no answer is no failure
    assert may_ask(many, odds)


def test_who_acts_goes_on_acting_after_then():
    claims = split_text("A man opens the jar, then closes it.")

    assert texts(claims, "does") == ["A man opens the jar.", "A man closes it."]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("The teal squares swell to a bigger size.", "The clip shows teal squares."),
        ("The red star glides into view.", "The clip shows a red star."),
        ("A man opens a jar.", "The clip shows a man."),
        ("The dog barks loudly.", "The clip shows a dog."),
        ("The glass breaks.", "The clip shows a glass."),
        ("A trio of golden rings spins.", "The clip shows golden rings."),
    ],
)
def test_who_acts_is_told_from_what_is_done(text, named):
    assert texts(split_text(text), "who")[0] == named


def test_what_is_denied_is_not_claimed_to_be_there():
    claims = split_text(
        "A man without a hat does not open the red door. There is no cat on the bed."
    )

    assert texts(claims, "who") == ["The clip shows a man."]
    assert texts(claims, "does") == [
        "A man without a hat does not open the red door.",
        "There is no cat on the bed.",
    ]


def test_each_doing_is_a_sentence_with_whoever_does_it():
    claims = split_text(
        "A woman in an apron picks up a bowl, cracks two eggs, and pours the mixture into a pan. "
        "Then she whisks it while the pan heats up. It's placed on the stove."
    )

    assert texts(claims, "does") == [
        "A woman in an apron picks up a bowl.",
        "A woman cracks two eggs.",
        "A woman pours the mixture into a pan.",
        "A woman whisks it while the pan heats up.",
        "It is placed.",
    ]
    assert texts(claims, "where") == ["It is placed on the stove."]
    (order,) = texts(claims, "order")
    assert order.startswith("First: A woman pours the mixture") and "After that: A woman" in order


def test_a_list_of_things_is_no_doing():
    claims = split_text(
        "The shelf holds a blue vase with a long neck, a stack of books, and an old clock."
    )

    assert len(texts(claims, "does")) == 1
    assert {"The clip shows a blue vase.", "The clip shows an old clock."} <= set(
        texts(claims, "who")
    )


def test_where_and_with_what_need_that_it_is_done():
    claims = split_text(
        "A boy kicks a ball in a garden. A cook stirs the soup with a wooden spoon."
    )

    where = next(claim for claim in claims if claim.kind == "where")
    means = next(claim for claim in claims if claim.kind == "with")
    assert where.text == "A boy kicks a ball in a garden."
    assert [claims[need].text for need in where.needs] == ["A boy kicks a ball."]
    assert means.text == "A cook stirs the soup with a wooden spoon."
    assert [claims[need].text for need in means.needs] == ["A cook stirs the soup."]


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("Open the box, take out a ring, then close it.", "Somebody opens the box."),
        ("Point to the exit", "Somebody points to the exit."),
        ("A dog asleep on a red sofa", "The clip shows a dog asleep on a red sofa."),
        ("People walking down a street.", "The clip shows people walking down a street."),
        ("Seated on a bench, the girl reads a book.", "Seated on a bench, the girl reads a book."),
        ("The ball was thrown by a boy.", "The ball was thrown by a boy."),
        ("First, a chef cracks an egg.", "A chef cracks an egg."),
        ("Two dogs run and a girl throws a ball.", "A girl throws a ball."),
        ("He\u2019s holding a T\u2011shirt.", "A man is holding a T-shirt."),
    ],
)
def test_every_claim_is_a_sentence(text, does):
    assert does in texts(split_text(text), "does")


def test_of_a_long_text_what_is_done_stays_before_what_is_merely_named():
    text = " ".join(
        f"The {who} puts a {thing} and a {other} into a {place}."
        for who, thing, other, place in (
            ("man", "cup", "plate", "box"),
            ("woman", "knife", "fork", "drawer"),
            ("boy", "toy", "sock", "basket"),
            ("girl", "pen", "ruler", "bag"),
            ("cook", "lemon", "lime", "bowl"),
            ("farmer", "carrot", "turnip", "sack"),
        )
    )

    claims = split_text(text)

    assert len(claims) == MOST
    assert len(texts(claims, "does")) == 6
    assert all(need < place for place, claim in enumerate(claims) for need in claim.needs)


@pytest.mark.parametrize("text", [None, "", "  ", "N/A", "none."])
def test_what_says_nothing_holds_no_claim(text):
    assert split_text(text) == []


@pytest.mark.parametrize(
    "text", ["Ein Mann öffnet das Glas.", "男人打开罐子。", "x" * 9000, ". . ."]
)
def test_any_text_is_cut_without_error_and_within_bounds(text):
    claims = split_text(text * 3)

    assert len(claims) <= MOST
    assert all(claim.kind in KINDS for claim in claims)


def test_a_claim_is_made_once_however_often_it_is_said():
    claims = split_text("A dog barks. The dog barks. A dog barks!")

    assert len([c for c in claims if c.kind == "who"]) == 1
    assert len(claims) == len({claim.text.casefold() for claim in claims})
    assert dedupe([Claim("A.", "does"), Claim("a", "does"), Claim("B", "does", (1,))]) == [
        Claim("A.", "does"),
        Claim("B", "does", (0,)),
    ]


def test_a_model_s_claims_are_read_and_malformed_ones_left_out():
    body = {
        "claims": [
            {"text": "There is a man.", "kind": "who", "needs": [], "target": "a man"},
            {"text": "", "kind": "who"},
            {"text": "He flies.", "kind": "dreams"},
            {"text": "The man opens a jar.", "kind": "does", "needs": [1, 9, 4, "x"]},
            "nonsense",
        ]
    }

    assert read_claims(body) == [
        Claim("There is a man.", "who", (), "a man"),
        Claim("The man opens a jar.", "does", (0,)),
    ]
    assert read_claims(None) == read_claims({"claims": 3}) == read_claims("prose") == []
    assert [Claim.from_dict(c.as_dict()) for c in read_claims(body)] == read_claims(body)


def test_what_decides_is_said_by_one_side_only_and_clear():
    ours = [Claim("A girl closes the box.", "does"), Claim("The clip shows a girl.", "who")]
    theirs = [Claim("A girl opens the box.", "does"), Claim("The clip shows a girl.", "who")]

    found = decisive(ours, [0.9, 0.97], theirs, [0.2, 0.97])

    assert found == [(True, 0), (False, 0)]
    assert decisive(ours, [None, 0.9], theirs, [float("nan"), 0.9]) == []
