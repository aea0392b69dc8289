"""Batches of windows of histories of like length, in which every item predicts the next one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graphrec.histories import Histories
from graphrec.interactions import FloatArray
from graphrec.training.batches import cap_batch_size
from graphrec.training.softmax import Sample
from graphrec.vocabulary import IndexArray

#: Jitter of the lengths by which windows are sorted, as a share: windows of like length share a batch, not always the
#: same ones.
JITTER = 0.1


@dataclass(frozen=True, eq=False)
class Windows:
    """Pieces of histories: window n is the items start[n] … start[n] + length[n] − 1 of all histories in sequence.

    start, length: [num_windows].
    """

    start: IndexArray
    length: IndexArray

    def padded(self, items: np.ndarray[tuple[int], np.dtype[np.int32]], rows: IndexArray) -> Tensor:
        """The items [len(rows), longest] int64 of some windows, from the left; what follows a shorter one is arbitrary.

        Args:
            items: items of all histories in sequence, [num_interactions].
            rows: the windows.
        """
        steps = self.start[rows, None] + np.arange(self.length[rows].max())
        return torch.from_numpy(items[np.minimum(steps, len(items) - 1)].astype(np.int64))


@dataclass(frozen=True, eq=False)
class SequenceBatch:
    """Windows of like length.

    item: items, [batch, longest]; what follows the end of a window is arbitrary.
    is_item: whether a position is within its window, [batch, longest].
    target: the item that follows each item of the windows, [is_item.sum()], row by row.
    sample: items that the loss uses as negatives; None for all items.
    seed: seed of the dropout of this batch.
    """

    item: Tensor
    is_item: Tensor
    target: Tensor
    sample: Sample | None
    seed: int


@dataclass(frozen=True, eq=False)
class NegativeSampler:
    """Draws items with replacement in proportion to `share` [num_items]; `bounds` is its cumulative sum."""

    share: FloatArray
    bounds: FloatArray

    @classmethod
    def of(cls, frequency: IndexArray, exponent: float) -> "NegativeSampler":
        """The sampler of items in proportion to frequency^exponent; 0 for all items alike."""
        weight = frequency.astype(np.float64) ** exponent
        return cls(weight / weight.sum(), np.cumsum(weight / weight.sum()))

    def draw(self, number: int, rng: np.random.Generator) -> Sample:
        """A sample of `number` items, with the logarithms of their expected frequencies in it."""
        drawn = np.searchsorted(self.bounds, rng.random(number) * self.bounds[-1], side="right")
        return Sample(drawn, np.log(number * self.share[drawn]).astype(np.float32))


def cut_windows(histories: Histories, max_length: int, rng: np.random.Generator) -> Windows:
    """Windows of at most `max_length` items that together have every item but the last of every history once.

    A longer history is cut at every `max_length` items, from a random first cut on.
    """
    count = np.maximum(histories.lengths - 1, 0)  # items that have a next one
    first = np.where(count > max_length, rng.integers(1, max_length + 1, len(count)), count)
    num_windows = (count > 0) + -(-(count - first) // max_length)
    user = np.repeat(np.arange(len(count)), num_windows)
    rank = np.arange(len(user)) - np.repeat(np.cumsum(num_windows) - num_windows, num_windows)
    start = np.where(rank > 0, first[user] + (rank - 1) * max_length, 0)
    end = np.minimum(first[user] + rank * max_length, count[user])
    return Windows(histories.indptr[user] + start, end - start)


def last_windows(histories: Histories, max_length: int) -> Windows:
    """The last `max_length` items of each history, or all of a shorter one."""
    length = np.minimum(histories.lengths, max_length)
    return Windows(histories.indptr[1:] - length, length)


def sequence_batches(
    histories: Histories,
    max_length: int,
    batch_size: int,
    sampler: NegativeSampler | None,
    num_negatives: int,
    rng: np.random.Generator,
) -> Iterator[SequenceBatch]:
    """All items with a next item once, in batches of about `batch_size` of them, in random order.

    Each batch has `num_negatives` items of the sampler, or no sample without one.
    """
    windows = cut_windows(histories, max_length, rng)
    total = int(windows.length.sum())
    order = np.argsort(windows.length * (1.0 + JITTER * rng.random(len(windows.length))), kind="stable")
    group = (np.cumsum(windows.length[order]) - 1) // cap_batch_size(batch_size, total)
    parts = np.split(order, np.flatnonzero(np.diff(group)) + 1)
    for number in rng.permutation(len(parts)):
        rows = parts[number]
        item = windows.padded(histories.items, rows)
        is_item = torch.from_numpy(np.arange(item.shape[1]) < windows.length[rows, None])
        following = Windows(windows.start + 1, windows.length).padded(histories.items, rows)
        sample = None if sampler is None else sampler.draw(num_negatives, rng)
        yield SequenceBatch(item, is_item, following[is_item], sample, int(rng.integers(1 << 62)))
