"""Texts that nobody should write: none stops a run, none changes what its neighbours get."""

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.agreement.lexical import lexical_similarity
from fiftyone.plugins.orgs.second_opinion.audit.agreement.texts import clean

ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one", "b": "two"}}]
GOOD = ["A dog runs on the beach.", "Two men play guitar.", "A child paints a wall red."]
# MongoDB takes no lone surrogate, so one never arrives from there; nulls it takes.
BAD = {
    "nulls": "A \x00 dog\x00\x00 runs",
    "a megabyte": "word " * 200_000,
    "one word of a megabyte": "x" * 1_000_000,
    "nothing": "",
    "blanks of every kind": " \t\n\u2003\u200b\ufeff",
    "controls": "".join(map(chr, range(1, 32))),
    "right to left": "\u202e\u0643\u0644\u0628 \u064a\u062c\u0631\u064a",
    "marks without end": "a" + "\u0301" * 2_000,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 50,
    "many scripts": "собака 犬が走る 강아지 कुत्ता สุนัข ሀገር ᐃᓄᒃ 𒀀𒁀 Ꮳ",
    "markup": "<script>alert(1)</script>${jndi:x}{{7*7}}",
    "special tokens": "[CLS] [SEP] <|im_end|> [PAD] [MASK]" * 20,
}


def build(dataset, texts):
    for i, text in enumerate(texts):
        dataset.add_sample(
            fo.Sample(filepath=f"/none/{i}.mp4", label=text, one=GOOD[i % 3], two=text)
        )


def test_no_text_stops_a_run_or_changes_its_neighbours(dataset, operator):
    score, calm = operator("score_agreement"), fo.Dataset()
    try:
        build(calm, GOOD)
        build(dataset, [*GOOD, *BAD.values()])
        for made in (calm, dataset):
            score(made, aspects=ASPECTS, metrics=["lex", "sem"])
        scores = [f"{metric}_{edge}_cap" for metric in ("lex", "sem") for edge in ("a", "b", "ab")]
        assert dataset.limit(3).values(scores) == calm.values(scores)
        score(dataset, aspects=ASPECTS, metrics=["sup"])
        for name in (*scores, "sup_a_cap"):
            for what, value in zip([*GOOD, *BAD], dataset.values(name)):
                assert value is None or 0 <= value <= 1, (name, what)
        # a text that is there is scored, and one that is not is not
        by_name = dict(zip([*GOOD, *BAD], dataset.values("sem_b_cap")))
        assert by_name["nothing"] is None and by_name["many scripts"] == pytest.approx(1, abs=1e-5)
    finally:
        calm.delete()


def test_every_script_and_every_broken_letter_is_cleaned_and_compared():
    letters = [chr(c) for c in range(0x20, 0x1100, 7)] + [
        "\ud800",
        "\udfff",
        "\ufffe",
        "\U0010ffff",
    ]
    texts = [letter * 3 + " dog" for letter in letters]
    assert all(clean(text).encode() for text in texts)
    scores = lexical_similarity([clean(t) for t in texts], [clean(t) for t in texts[::-1]])
    assert np.isfinite(scores).all() and scores.min() >= 0 and scores.max() <= 1


def test_answers_that_nobody_should_write_cost_themselves(dataset, operator):
    good = '{"summary": {"brief": "A dog runs."}}'
    texts = [good, *BAD.values(), good]
    dataset.add_samples(
        [fo.Sample(filepath=f"/none/{i}.mp4", said=text) for i, text in enumerate(texts)]
    )
    operator("read_opinions")(dataset, prefix="third", source_field="said")
    read = dataset.values("third_summary_brief")
    assert read[0] == read[-1] == "A dog runs."
    assert set(dataset.values("audit_status.read_opinions_third")) <= {"ok", "missing", "failed"}
