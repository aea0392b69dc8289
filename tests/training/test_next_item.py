"""The losses of next items against dense formulas, and batches of windows against their histories."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from graphrec.histories import Histories
from graphrec.training.losses import gbce_loss, gbce_power, sampled_softmax_loss
from graphrec.training.next_item import next_item_softmax_loss
from graphrec.training.sequences import NegativeSampler, cut_windows, last_windows, sequence_batches
from graphrec.training.softmax import Sample

TARGET = torch.tensor([3, 0, 6, 3, 2])


def tensors() -> list[Tensor]:
    """States [5, 4], items [7, 4] and biases [7] that ask for gradients."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*shape, generator=generator).requires_grad_() for shape in ((5, 4), (7, 4), (7,))]


def loss_of(inputs: list[Tensor], sample: Sample | None = None) -> Tensor:
    """The loss of states, items and biases."""
    states, items, bias = inputs
    return next_item_softmax_loss(states, items, bias, TARGET, sample)


def compare(mine: Tensor, expected: Tensor, inputs: list[Tensor], copies: list[Tensor]) -> None:
    """A loss and its gradients, times 2, are those of the dense formula in double precision."""
    torch.testing.assert_close(mine.double(), expected, rtol=1e-5, atol=1e-6)
    found, dense = torch.autograd.grad(2 * mine, inputs), torch.autograd.grad(2 * expected, copies)
    for one, other in zip(found, dense, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("chunk", [14, 1 << 20])
def test_the_full_softmax_and_its_gradient_are_those_of_cross_entropy(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks of two states with the last one smaller, and in one chunk."""
    monkeypatch.setattr("graphrec.training.next_item.CHUNK_SCORES", {"cpu": chunk})
    inputs = tensors()
    copies = [x.detach().double().requires_grad_() for x in inputs]
    states, items, bias = copies
    expected = torch.nn.functional.cross_entropy(states @ items.T + bias, TARGET)
    compare(loss_of(inputs), expected, inputs, copies)


@pytest.mark.parametrize("chunk", [6, 1 << 20])
def test_the_sampled_softmax_and_its_gradient_are_those_of_separate_negatives(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 3 is drawn twice: it counts twice for the states with another target, and never for those with this one."""
    monkeypatch.setattr("graphrec.training.next_item.CHUNK_SCORES", {"cpu": chunk})
    sample = Sample(np.array([3, 5, 3]), np.log(np.array([0.5, 2.0, 0.5])).astype(np.float32))
    inputs = tensors()
    copies = [x.detach().double().requires_grad_() for x in inputs]
    states, items, bias = copies
    scores, drawn = states @ items.T + bias, torch.from_numpy(sample.item_index)
    hits, log_q = drawn == TARGET.unsqueeze(1), torch.from_numpy(sample.log_q).double()
    positive = scores.gather(1, TARGET.unsqueeze(1)).squeeze(1)
    expected = sampled_softmax_loss(positive, scores[:, drawn], 1.0, log_q, hits)
    compare(loss_of(inputs, sample), expected, inputs, copies)


def test_neither_softmax_overflows() -> None:
    states, items = torch.tensor([[100.0]]), torch.tensor([[10.0], [-10.0]])
    arguments = (states, items, torch.zeros(2), torch.tensor([1]))
    assert float(next_item_softmax_loss(*arguments)) == pytest.approx(2000.0)
    sample = Sample(np.array([0]), np.zeros(1, dtype=np.float32))
    assert float(next_item_softmax_loss(*arguments, sample)) == pytest.approx(2000.0)


def test_the_sampler_draws_by_frequency_to_a_power_and_says_how_often() -> None:
    """Frequencies 1, 16 and 0 to the power ½ are shares ⅕, ⅘ and 0."""
    sample = NegativeSampler.of(np.array([1, 16, 0]), 0.5).draw(10_000, np.random.default_rng(0))
    counts = np.bincount(sample.item_index, minlength=3)
    assert counts[2] == 0
    assert counts[0] == pytest.approx(2000, abs=200)
    np.testing.assert_allclose(sample.log_q, np.log(np.array([2000, 8000]))[sample.item_index], rtol=1e-6)


def test_gbce_by_hand() -> None:
    """β = ½; the second negative of row 1 is its positive and is left out."""
    hits = torch.tensor([[False, False], [False, True]])
    loss = gbce_loss(torch.tensor([2.0, 0.0]), torch.tensor([[1.0, -1.0], [3.0, 9.0]]), 0.5, hits)
    rows = [
        0.5 * math.log(1 + math.exp(-2)) + math.log(1 + math.e) + math.log(1 + 1 / math.e),
        0.5 * math.log(2) + math.log(1 + math.exp(3)),
    ]
    assert float(loss) == pytest.approx(sum(rows) / 6, rel=1e-6)


def test_the_power_of_gbce_goes_from_one_to_the_sampling_rate() -> None:
    """2 negatives of 11 items: α = 0.2."""
    assert gbce_power(2, 11, 0.0) == pytest.approx(1.0)
    assert gbce_power(2, 11, 1.0) == pytest.approx(0.2)
    assert gbce_power(2, 11, 0.75) == pytest.approx(0.4)
    assert gbce_power(11, 11, 0.5) == pytest.approx(1.0)


def histories_of(lengths: list[int]) -> Histories:
    """Histories in which the items of all users are numbered 0, 1, … in sequence."""
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Histories(indptr, np.arange(indptr[-1], dtype=np.int32), int(indptr[-1]))


def test_windows_have_every_item_with_a_next_one_once() -> None:
    histories = histories_of([0, 1, 2, 5, 6, 7, 23])
    firsts = set()
    for seed in range(20):
        windows = cut_windows(histories, 5, np.random.default_rng(seed))
        assert int(windows.length.max()) <= 5
        assert int(windows.length.min()) >= 1
        found = np.concatenate([np.arange(s, s + n) for s, n in zip(windows.start, windows.length, strict=True)])
        last = histories.indptr[1:] - 1
        expected = np.setdiff1d(np.arange(44), last[histories.lengths > 0])
        np.testing.assert_array_equal(found, expected)
        firsts.add(int(windows.length[windows.start == 21][0]))
    assert firsts == {1, 2, 3, 4, 5}  # the first cut of a long history is random


def test_the_last_windows_end_with_the_histories() -> None:
    windows = last_windows(histories_of([0, 2, 6]), 4)
    assert windows.length.tolist() == [0, 2, 4]
    assert windows.start.tolist() == [0, 0, 4]
    np.testing.assert_array_equal(windows.padded(np.arange(8, dtype=np.int32), np.array([2]))[0], [4, 5, 6, 7])


@pytest.mark.parametrize("batch_size", [1, 8, 1000])
def test_batches_pair_each_item_with_its_next_one(batch_size: int) -> None:
    """Items are numbered in sequence, so the target of an item is the next number."""
    histories = histories_of([3, 1, 9, 2, 14, 0, 5] * 4)
    batches = list(sequence_batches(histories, 6, batch_size, None, 0, np.random.default_rng(1)))
    for batch in batches:
        np.testing.assert_array_equal(batch.target, batch.item[batch.is_item] + 1)
        assert batch.sample is None
        assert bool(batch.is_item[:, 0].all())
    items = torch.cat([batch.item[batch.is_item] for batch in batches]).sort().values
    np.testing.assert_array_equal(items, np.setdiff1d(np.arange(136), histories.indptr[1:] - 1))
    assert len(batches) >= 16
    padding = sum(int((~batch.is_item).sum()) for batch in batches)
    assert padding < 0.1 * len(items)  # windows of like length share a batch


def test_batches_share_their_negatives_and_are_reproducible() -> None:
    histories = histories_of([4, 7, 3])
    sampler = NegativeSampler.of(np.ones(14, dtype=np.int64), 1.0)
    first, second = ([*sequence_batches(histories, 9, 4, sampler, 5, np.random.default_rng(2))] for _ in range(2))
    assert all(batch.sample is not None and batch.sample.item_index.shape == (5,) for batch in first)
    assert [batch.seed for batch in first] == [batch.seed for batch in second]
    assert len({batch.seed for batch in first}) == len(first)
