"""Compare lenses: a number for how much two embedding spaces agree on a sample."""

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.operators.settings import SettingsError


@pytest.fixture
def spaces(dataset):
    """Thirty samples: molmo sees what qwen sees, text sees something else, two miss one."""
    rng = np.random.default_rng(51)
    qwen, text = rng.normal(size=(30, 6)), rng.normal(size=(30, 4))
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    dataset.add_samples([fo.Sample(filepath=f"/tmp/{i}.mp4") for i in range(30)])
    for name, vectors in {
        "qwen_embeddings": qwen,
        "molmo_embeddings": qwen @ turn,  # turned as a whole: every neighbour stays
        "text_embeddings": text,
    }.items():
        dataset.add_sample_field(name, fo.VectorField)
        values = [None if name[0] == "t" and i in (3, 8) else v for i, v in enumerate(vectors)]
        dataset.set_values(name, values)
    return dataset


def test_lenses_that_see_the_same_share_all_neighbours_and_others_few(spaces, operator):
    report = operator("compare_lenses")(spaces, k=5)

    known = [value for value in spaces.values("overlap_qwen_molmo") if value is not None]
    assert known == [1.0] * 28
    assert np.allclose([v for v in spaces.values("overlap_rbo_qwen_molmo") if v is not None], 1.0)
    pairs = {row["lenses"]: row for row in report["pairs"]}
    assert pairs["qwen, molmo"]["mean overlap"] == 1.0
    assert pairs["qwen, text"]["mean overlap"] == pytest.approx(
        pairs["qwen, text"]["by chance"], abs=0.1
    )
    assert pairs["qwen, text"]["n"] == 28


def test_a_sample_that_some_lens_has_not_seen_has_no_number(spaces, operator):
    operator("compare_lenses")(spaces, k=5)

    assert [i for i, v in enumerate(spaces.values("overlap_qwen_text")) if v is None] == [3, 8]
    assert spaces.values("audit_status.compare_lenses").count("missing") == 2


def test_a_number_is_the_share_of_neighbours_counted_by_hand(spaces, operator):
    operator("compare_lenses")(spaces, lenses=["qwen_embeddings", "text_embeddings"], k=4)

    seen = spaces.exists("text_embeddings")
    near = []
    for field in ("qwen_embeddings", "text_embeddings"):
        vectors = np.stack(seen.values(field))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        similar = vectors[0] @ vectors.T
        similar[0] = -2
        near.append(set(np.argsort(-similar)[:4]))
    by_hand = len(near[0] & near[1]) / len(near[0] | near[1])
    assert seen.first().overlap_qwen_text == pytest.approx(by_hand)
    assert not spaces.has_field("overlap_qwen_molmo")


def test_the_neighbours_of_one_sample_stand_side_by_side(spaces, operator):
    sample = spaces.first()

    report = operator("compare_lenses")(spaces, k=3, example=sample.id)

    rows = report["neighbours"]
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert all(row["qwen_embeddings id"] == row["molmo_embeddings id"] for row in rows)
    assert sample.id not in {row["text_embeddings id"] for row in rows}
    first = spaces[rows[0]["qwen_embeddings id"]]
    assert rows[0]["qwen_embeddings"] == f"{first.filename} (shared)"


def test_the_report_shows_the_most_disputed_first(spaces, operator):
    stage = operator("compare_lenses")
    lenses = ["qwen_embeddings", "text_embeddings"]
    report = stage(spaces, lenses=lenses, k=4)

    view = stage.shows(spaces, stage.settings.read({"lenses": lenses, "k": 4}), report)

    values = view.values("overlap_qwen_text")
    assert values == sorted(values)
    assert len(values) == 28


def test_what_cannot_be_compared_is_said(spaces, operator):
    stage = operator("compare_lenses")
    with pytest.raises(SettingsError, match="at least two fields of vectors"):
        stage(spaces, lenses=["qwen_embeddings"])
    with pytest.raises(SettingsError, match="no sample 'nobody'"):
        stage(spaces, example="nobody")
    with pytest.raises(ValueError, match="needs more than that"):
        stage(spaces, k=28)


def test_in_the_app_the_selected_sample_is_the_example_and_its_neighbours_are_shown(
    spaces, operator
):
    stage, sample = operator("compare_lenses"), spaces.last()
    lenses = ["qwen_embeddings", "text_embeddings"]
    context = foo.executor.ExecutionContext(
        {
            "dataset_name": spaces.name,
            "params": {"k": 2, "lenses": lenses},
            "selected": [sample.id],
        },
        executor=foo.executor.Executor(),
    )

    form = stage.resolve_input(context)
    report = stage.execute(context)
    shown = stage.shows(spaces, stage.settings.read(context.params), report)

    assert not form.type.properties["example"].invalid
    rows = report["neighbours"]
    ranked = [row[f"{lens} id"] for row in rows for lens in lenses]
    assert shown.values("id") == list(dict.fromkeys([sample.id, *ranked]))
    assert len(rows) == 2


def test_vectors_that_no_one_model_made_are_refused_and_broken_ones_are_missing(spaces, operator):
    spaces.set_values(
        "text_embeddings", [np.array([np.nan] * 4), *spaces.values("text_embeddings")[1:]]
    )
    report = operator("compare_lenses")(spaces, k=5)
    assert report["pairs"][0]["n"] == 27

    sample = spaces.last()
    sample["text_embeddings"] = np.ones(5)
    sample.save()
    with pytest.raises(ValueError, match="text_embeddings holds vectors of several lengths"):
        operator("compare_lenses")(spaces, k=5)


def test_neither_blocks_nor_chunks_change_a_number(spaces, operator, monkeypatch):
    from fiftyone.plugins.orgs.second_opinion.audit.operators import (
        compare_lenses,
        spooled_vectors,
    )

    operator("compare_lenses")(spaces, k=5)
    whole = spaces.values("overlap_rbo_qwen_text")
    monkeypatch.setattr(compare_lenses, "_SIMILARITIES", 7 * 28)
    monkeypatch.setattr(spooled_vectors, "_CHUNK", 9)
    operator("compare_lenses")(spaces, k=5)

    assert spaces.values("overlap_rbo_qwen_text") == whole
