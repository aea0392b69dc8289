"""The batches of an epoch: pairs of user and item with negatives, or users with their whole histories."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.training.sampling import Positives, uniform_negatives
from graphrec.training.softmax import Sample
from graphrec.vocabulary import IndexArray

#: An epoch has at least so many steps, however few interactions there are.
LEAST_STEPS = 16


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Interactions (user [batch], positive item [batch]) and negative items, [batch, n] or [n] shared by all."""

    user: IndexArray
    positive: IndexArray
    negative: IndexArray


@dataclass(frozen=True, eq=False)
class UserBatch:
    """Users [batch], all that they chose, [batch, num_items], and items that represent all (None: all items)."""

    user: IndexArray
    history: sparse.csr_array
    sample: Sample | None = None


def pair_batches(
    matrix: sparse.csr_array, batch_size: int, num_negatives: int, shared: bool, rng: np.random.Generator
) -> Iterator[PairBatch]:
    """All interactions of a matrix [num_users, num_items] in random order, `batch_size` at a time.

    With negatives for each interaction among the items that its user did not choose, or `shared` ones, uniform among
    all items, some of which are then positives of some users.
    """
    user = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    item = matrix.indices.astype(np.int64)
    positives = None if shared or not num_negatives else Positives.of(matrix)
    order = rng.permutation(len(user))
    for rows in _slices(order, cap_batch_size(batch_size, len(order))):
        if positives is None:
            negative = rng.integers(matrix.shape[1], size=num_negatives)
        else:
            drawn = uniform_negatives(np.repeat(user[rows], num_negatives), positives, rng)
            negative = drawn.reshape(len(rows), num_negatives)
        yield PairBatch(user[rows], item[rows], negative)


def user_batches(
    matrix: sparse.csr_array, batch_size: int, num_negatives: int, rng: np.random.Generator
) -> Iterator[UserBatch]:
    """All users with interactions in random order, as many at a time as have about `batch_size` interactions.

    Each batch has a sample of `num_negatives` items, drawn with replacement by the square root of their degree;
    none where that is 0.
    """
    users = np.flatnonzero(np.diff(matrix.indptr)).astype(np.int64)
    count = -(-matrix.nnz // cap_batch_size(batch_size, matrix.nnz))
    root = np.sqrt(np.bincount(matrix.indices, minlength=matrix.shape[1]))
    share = root / root.sum()
    bounds = np.cumsum(share)
    for rows in _slices(rng.permutation(users), -(-len(users) // count)):
        sample = None
        if num_negatives:
            drawn = np.searchsorted(bounds, rng.random(num_negatives) * bounds[-1], side="right")
            sample = Sample(drawn, np.log(num_negatives * share[drawn]).astype(np.float32))
        yield UserBatch(rows, matrix[rows], sample)


def cap_batch_size(batch_size: int, total: int) -> int:
    """The batch size, or less where `total` rows would make fewer than sixteen batches, but at least one row."""
    return max(min(batch_size, -(-total // LEAST_STEPS)), 1)


def _slices(order: IndexArray, size: int) -> Iterator[IndexArray]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
