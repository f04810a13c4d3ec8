"""Out of memory halves the batch and goes on."""

import pytest
import torch
from fiftyone.plugins.orgs.second_opinion.audit.models.errors import ModelUnavailable
from fiftyone.plugins.orgs.second_opinion.audit.models.memory import Batches, is_out_of_memory


def machine(room, seen):
    """A device that holds so much, and the batches it was given."""

    def run(batch):
        seen.append(len(batch))
        if sum(batch) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return [item * 10 for item in batch]

    return run


def test_a_batch_that_does_not_fit_is_halved_until_it_does_and_nothing_is_lost():
    seen = []
    batches = Batches(machine(room=3, seen=seen), 8)

    assert list(batches([1] * 20)) == [10] * 20
    assert batches.size == 2
    assert batches.halvings == 2
    assert seen[:3] == [8, 4, 2]
    assert max(seen[2:]) == 2  # what did not fit once is not tried again


def test_an_item_too_large_alone_costs_itself_only():
    batches = Batches(machine(room=3, seen=[]), 4)

    results = list(batches([1, 9, 1, 1]))

    assert [results[0], *results[2:]] == [10, 10, 10]
    assert "does not fit into memory" in str(results[1])


def test_another_error_costs_the_item_that_causes_it_and_is_given_in_its_place():
    def run(batch):
        if 3 in batch:
            raise ValueError("this clip is a line")
        return [item * 10 for item in batch]

    results = list(Batches(run, 4)(range(8)))

    assert [str(result) for result in results] == [
        "0", "10", "20", "this clip is a line", "40", "50", "60", "70",
    ]  # fmt: skip


def test_an_error_that_every_item_causes_ends_the_run():
    seen = []

    def run(batch):
        seen.append(len(batch))
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        list(Batches(run, 4)(range(1000)))
    assert len(seen) < 50


def test_what_is_wrong_with_the_model_ends_the_run_at_once():
    seen = []

    def run(batch):
        seen.append(batch)
        raise ModelUnavailable("It reads texts only.")

    with pytest.raises(ModelUnavailable, match="texts only"):
        list(Batches(run, 4)(range(8)))
    assert len(seen) == 1


def test_results_come_as_soon_as_a_batch_is_done():
    drawn = []

    def items():
        for number in range(10):
            drawn.append(number)
            yield number

    stream = Batches(lambda batch: batch, 3)(items())

    assert next(stream) == 0
    assert drawn == [0, 1, 2]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (MemoryError(), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_counts_as_out_of_memory(error, expected):
    assert is_out_of_memory(error) is expected
