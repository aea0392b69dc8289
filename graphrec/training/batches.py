"""The batches of an epoch: interactions with negatives, or users with their whole histories."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.training.sampling import Positives, uniform_negatives
from graphrec.training.softmax import Sample
from graphrec.vocabulary import IndexArray

#: Minimum number of optimiser steps per epoch.
MIN_STEPS = 16


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Interactions and negatives.

    user: [batch].
    positive: the item of each interaction, [batch].
    negative: negative items, [batch, n] per interaction or [n] shared by all.
    """

    user: IndexArray
    positive: IndexArray
    negative: IndexArray


@dataclass(frozen=True, eq=False)
class RatingBatch(PairBatch):
    """Interactions with ratings [batch], and no negatives."""

    rating: FloatArray


@dataclass(frozen=True, eq=False)
class UserBatch:
    """Users with their histories.

    user: [batch].
    history: all interactions of the users, [batch, num_items].
    sample: sampled items for the sum of a softmax; None for all items.
    """

    user: IndexArray
    history: sparse.csr_array
    sample: Sample | None = None


def pair_batches(
    matrix: sparse.csr_array, batch_size: int, num_negatives: int, shared: bool, rng: np.random.Generator
) -> Iterator[PairBatch]:
    """All interactions of a matrix [num_users, num_items] in random order, in batches of `batch_size`.

    Negatives are drawn per interaction from the items that its user did not choose. If `shared`, a batch has common
    negatives, which are drawn uniformly from all items, so some of them are positives of some users.
    """
    user = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    item = matrix.indices.astype(np.int64)
    positives = None if shared or not num_negatives else Positives.of(matrix)
    order = rng.permutation(len(user))
    for rows in _split(order, cap_batch_size(batch_size, len(order))):
        if positives is None:
            negative = rng.integers(matrix.shape[1], size=num_negatives)
        else:
            drawn = uniform_negatives(np.repeat(user[rows], num_negatives), positives, rng)
            negative = drawn.reshape(len(rows), num_negatives)
        yield PairBatch(user[rows], item[rows], negative)


def rating_batches(ratings: sparse.csr_array, batch_size: int, rng: np.random.Generator) -> Iterator[RatingBatch]:
    """All stored entries of ratings [num_users, num_items] in random order, in batches of `batch_size`."""
    user = np.repeat(np.arange(ratings.shape[0], dtype=np.int64), np.diff(ratings.indptr))
    item, nothing = ratings.indices.astype(np.int64), np.empty(0, dtype=np.int64)
    order = rng.permutation(len(user))
    for rows in _split(order, cap_batch_size(batch_size, len(order))):
        yield RatingBatch(user[rows], item[rows], nothing, ratings.data[rows])


def user_batches(
    matrix: sparse.csr_array, batch_size: int, num_negatives: int, rng: np.random.Generator
) -> Iterator[UserBatch]:
    """All users with interactions in random order, in batches of about `batch_size` interactions.

    Each batch has a sample of `num_negatives` items, drawn with replacement in proportion to √degree; no sample if
    `num_negatives` is 0.
    """
    users = np.flatnonzero(np.diff(matrix.indptr)).astype(np.int64)
    num_batches = -(-matrix.nnz // cap_batch_size(batch_size, matrix.nnz))
    weight = np.sqrt(np.bincount(matrix.indices, minlength=matrix.shape[1]))
    probability = weight / weight.sum()
    bounds = np.cumsum(probability)
    for rows in _split(rng.permutation(users), -(-len(users) // num_batches)):
        sample = None
        if num_negatives:
            drawn = np.searchsorted(bounds, rng.random(num_negatives) * bounds[-1], side="right")
            sample = Sample(drawn, np.log(num_negatives * probability[drawn]).astype(np.float32))
        yield UserBatch(rows, matrix[rows], sample)


def select_items(batch: UserBatch) -> tuple[UserBatch, IndexArray]:
    """A batch with a sample in which items are positions in the returned items [m]: those of histories and sample."""
    history, sample = batch.history, batch.sample
    assert sample is not None
    items = np.unique(np.concatenate([history.indices, sample.item_index])).astype(np.int64)
    columns = np.searchsorted(items, history.indices).astype(np.int32)
    selected = sparse.csr_array((history.data, columns, history.indptr), shape=(len(batch.user), len(items)))
    return UserBatch(batch.user, selected, Sample(np.searchsorted(items, sample.item_index), sample.log_q)), items


def cap_batch_size(batch_size: int, total: int) -> int:
    """The batch size, reduced if `total` rows would make fewer than MIN_STEPS batches; at least 1."""
    return max(min(batch_size, -(-total // MIN_STEPS)), 1)


def _split(order: IndexArray, size: int) -> Iterator[IndexArray]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
