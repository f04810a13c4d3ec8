"""Reading what models wrote: every form, and every way to be unreadable."""

from __future__ import annotations

import json
import time

import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.aspects import ACTION100M_ANSWER
from fiftyone.plugins.orgs.second_opinion.audit.models.answers import read_answer
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = {
    "summary_brief": "A cook slices bread.",
    "summary_detailed": 'She says "toast", then slices\nthe bread into {four} pieces [each thin].',
    "action_brief": "slice bread",
    "action_detailed": "Slice the bread with a long knife.",
    "action_actor": "a woman in a pink apron",
}


def tree(texts=TEXTS, leaf=lambda text: text):
    """The texts as the answer that the prompt asks for."""
    made = {}
    for name, (outer, inner) in ACTION100M_ANSWER.items():
        made.setdefault(outer, {})[inner] = leaf(texts[name])
    return made


def schema(texts=TEXTS, leaf=lambda text: text):
    """The texts inside a copy of the schema: what Qwen3-VL writes for that prompt."""
    branches = tree(texts, leaf)
    return {
        "type": "object",
        "properties": {
            name: {"type": "object", "properties": branch} for name, branch in branches.items()
        },
        "required": ["summary", "action"],
    }


def read(raw, **options):
    return read_answer(raw, ACTION100M_ANSWER, **options)


PLAIN = json.dumps(tree())
INDENTED = json.dumps(tree(), indent=2)
FORMS = {
    "json": PLAIN,
    "unicode kept": json.dumps(tree(), ensure_ascii=False),
    "fenced": f"```json\n{INDENTED}\n```",
    "fenced in prose": f"Here you are:\n```json\n{INDENTED}\n```\nDoes {{that}} help?",
    "fence without a language": f"```\n{PLAIN}\n```",
    "fence on one line": f"```{PLAIN}```",
    "fence never closed": f"```json\n{INDENTED}",
    "prose": f"Sure! In [the clip] I see {{this}}: {PLAIN} I hope that helps.",
    "list of one": f"[{PLAIN}]",
    "fenced list of one": f"```json\n[{INDENTED}]\n```",
    "thoughts before": f'<think>Perhaps {{"summary": {{"brief": "no"}}}}?</think>\n{PLAIN}',
    "JSON in a JSON text": json.dumps(PLAIN),
    "schema": json.dumps(schema()),
    "schema, fenced": f"```json\n{json.dumps(schema(), indent=1)}\n```",
    "schema with values": json.dumps(
        schema(leaf=lambda text: {"type": "string", "description": "what is seen", "value": text})
    ),
    "schema with descriptions": json.dumps(
        schema(leaf=lambda text: {"type": "string", "description": text})
    ),
    "schema in the inner part only": json.dumps(schema()["properties"]),
    "values in dicts": json.dumps(tree(leaf=lambda text: {"value": text})),
    "wrapped": json.dumps({"status": "ok", "output": {"answer": tree()}}),
    "flat keys": json.dumps(TEXTS),
    "other letters in keys": json.dumps({key.title(): value for key, value in tree().items()}),
    "sentences in a list": json.dumps(tree(leaf=lambda text: [text])),
    "already read": tree(),
    "already read, in a list": [schema()],
    "raw newlines in texts": PLAIN.replace("\\n", "\n"),
    "trailing comma": PLAIN[:-1] + ",}",
    "no last brackets": PLAIN[:-2],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_texts(form):
    answer = read(FORMS[form])
    assert answer.texts == TEXTS
    assert answer.outcome == "complete"


@pytest.mark.parametrize(
    "form, told",
    [
        ("json", "json"),
        ("fenced", "fenced"),
        ("prose", "prose"),
        ("list of one", "json, list"),
        ("schema", "json, schema"),
        ("schema, fenced", "fenced, schema"),
        ("already read", "object"),
        ("trailing comma", "mended"),
        ("no last brackets", "truncated"),
    ],
)
def test_the_form_is_told(form, told):
    assert read(FORMS[form]).form == told


def test_a_complete_answer_has_no_reason_and_a_cut_one_has():
    assert read(FORMS["schema"]).reason is None
    assert "breaks off" in read(FORMS["no last brackets"]).reason


def test_a_truncated_answer_keeps_what_was_written():
    answer = read('{"summary": {"brief": "A man sings.", "detailed": "A man in a hat si')
    assert answer.outcome == "partial"
    assert answer.texts["summary_brief"] == "A man sings."
    assert answer.texts["summary_detailed"] == "A man in a hat si"
    assert answer.texts["action_brief"] is None
    assert "perhaps inside summary_detailed" in answer.reason
    assert "action_actor" in answer.reason


@pytest.mark.parametrize(
    "raw, says",
    [
        ("A man sings in the rain.", "no JSON"),
        ("I cannot help with {that}.", "no text for any of summary.brief"),
        ('{"caption": "A man sings."}', "no text for any of summary.brief"),
        ('{"summary": {"brief": 3, "detailed": null}, "action": []}', "no text for any"),
        ('{"summary": "A man sings."}', "no text for any"),
        ("null", "no JSON"),
        ("[]", "no text for any"),
        ("42", "no JSON"),
        ({}, "no text for any"),
        (3.5, "no text for any"),
    ],
)
def test_an_unreadable_answer_gives_only_a_reason(raw, says):
    answer = read(raw)
    assert answer.outcome == "unreadable"
    assert answer.texts == dict.fromkeys(TEXTS)
    assert says in answer.reason


@pytest.mark.parametrize("raw", [None, "", " \n\t"])
def test_no_answer_is_not_an_unreadable_one(raw):
    assert read(raw).outcome == "empty"


def test_a_missing_or_blank_text_is_none_and_named():
    answer = read(json.dumps(tree({**TEXTS, "action_actor": "  "})))
    assert answer.outcome == "partial"
    assert answer.texts["action_actor"] is None
    assert answer.reason == "The answer has no text for action_actor."


def test_not_applicable_is_an_answer():
    answer = read(json.dumps(tree({**TEXTS, "action_actor": "N/A"})))
    assert answer.texts["action_actor"] == "N/A" and answer.outcome == "complete"


def test_a_repeated_description_is_no_answer():
    shown = ["Single sentence video caption."]
    echo = schema(leaf=lambda _: {"type": "string", "description": shown[0]})
    assert read(json.dumps(echo), descriptions=shown).outcome == "unreadable"
    assert read(json.dumps(schema(leaf=lambda _: "string"))).outcome == "unreadable"
    chinese = ["单句"]
    assert read(json.dumps(tree(leaf=lambda _: "别的")), descriptions=chinese).texts == (
        dict.fromkeys(TEXTS, "别的")
    )


def test_of_two_answers_the_last_one_stands():
    draft = json.dumps(tree({**TEXTS, "action_brief": "cut bread"}))
    answer = read(f"First I thought {draft}, but no: {PLAIN}")
    assert answer.texts["action_brief"] == "slice bread"


def test_a_full_answer_is_preferred_to_a_later_fragment():
    answer = read(f'{PLAIN}\nIn short: {{"summary": {{"brief": "Bread."}}}}')
    assert answer.texts == TEXTS


def test_other_shapes_can_be_asked_for():
    paths = {"caption": ("caption",), "where": ("scene", "place")}
    answer = read_answer('{"caption": "A dog.", "scene": {"place": "a beach"}}', paths)
    assert answer.texts == {"caption": "A dog.", "where": "a beach"}


@pytest.mark.parametrize(
    "raw",
    [
        "{" * 90_000,
        "[" * 90_000,
        '{"a":' * 20_000,
        "```" * 30_000,
        "<think>" * 20_000,
        '{"summary": {"brief": "' + "and then " * 10_000,
        "\ud800{\x00}",
    ],
    ids=["braces", "brackets", "deep", "fences", "thoughts", "endless", "hostile"],
)
def test_a_stuck_model_costs_one_answer(raw):
    began = time.process_time()
    assert read(raw).outcome in ("unreadable", "partial")
    assert time.process_time() - began < 30  # a hang, not a speed


# ---- properties ----

words = st.text(st.characters(codec="utf-8"), min_size=1).filter(
    lambda text: text.strip() and text.strip().casefold() not in ("string", "str", "...")
)
all_texts = st.fixed_dictionaries(dict.fromkeys(TEXTS, words))


@given(all_texts, st.sampled_from([tree, schema]), st.booleans(), st.sampled_from([None, 2]))
@settings(max_examples=150, deadline=None)
def test_any_texts_come_back_from_json(texts, shape, ascii_only, indent):
    raw = json.dumps(shape(texts), ensure_ascii=ascii_only, indent=indent)
    for wrapped in (raw, f"[{raw}]", f"Well: {raw} Done."):
        answer = read(wrapped)
        assert answer.texts == {name: text.strip() for name, text in texts.items()}
        assert answer.outcome == "complete"


@given(st.text(max_size=300) | st.text(alphabet='{}[]":,\\ `asumrybief', max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_at_all_gives_an_answer_with_a_reason(raw):
    answer = read(raw)
    assert set(answer.texts) == set(TEXTS)
    assert (answer.reason is None) == (
        answer.outcome == "complete" and "truncated" not in answer.form
    )
    assert all(text is None or text.strip() == text != "" for text in answer.texts.values())


@given(st.integers(min_value=1, max_value=len(PLAIN) - 1))
@settings(max_examples=150, deadline=None)
def test_cut_anywhere_every_text_is_a_beginning_of_what_was_written(length):
    answer = read(PLAIN[:length])
    assert answer.outcome != "complete" or answer.form == "truncated"
    for name, text in answer.texts.items():
        assert text is None or TEXTS[name].startswith(text.rstrip("\\"))
