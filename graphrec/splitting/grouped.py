"""Splits that keep together what belongs together: rows of a pair, of a user or of an item."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting.time_and_random import TEST, TRAIN, VALIDATION, Labels, last_labels, random_labels
from graphrec.vocabulary import IndexArray


def pairs(interactions: Interactions) -> IndexArray:
    """The number of each row's pair of user and item, [n], in the order in which pairs first come."""
    return _numbered(interactions.user_index * interactions.num_items + interactions.item_index)


def random_pairs(interactions: Interactions, rng: np.random.Generator, validation: float, test: float) -> Labels:
    """The labels of a random split of pairs: all rows of a pair come to one part, so that no test pair is in train.

    If no pair occurs twice they are those of `at_random`.
    """
    pair = pairs(interactions)
    return random_labels(_size(pair), rng, validation, test, "pairs of user and item")[pair]


def last_events(interactions: Interactions, rng: np.random.Generator) -> Labels:
    """The labels of `leave_last_out`, where rows that are the same event (same user, item and second; without times the
    same pair) count once and come to one part.

    So a test pair is in train only where the user had the item before, at another time.
    """
    event = pairs(interactions)
    if interactions.time is not None:
        _, second = np.unique(interactions.time, return_inverse=True)
        event = _numbered(event * (int(second.max(initial=0)) + 1) + second)
    return last_labels(interactions.take(_first(event)), rng)[event]


def random_by_user(interactions: Interactions, rng: np.random.Generator, validation: float, test: float) -> Labels:
    """The labels of a split that takes the shares of each user's pairs, rounded.

    A user with three or more pairs has at least one in test, one in validation (unless its share is 0) and one in
    train; one with fewer is all train.
    """
    pair = pairs(interactions)
    user = interactions.user_index[_first(pair)]
    degree = np.bincount(user, minlength=interactions.num_users)
    many = degree >= 3
    spare = int(validation > 0)
    tested = np.where(many, np.clip(_rounded(degree * test), 1, np.maximum(degree - 1 - spare, 1)), 0)
    checked = np.where(many & (spare > 0), np.clip(_rounded(degree * validation), 1, degree - 1 - tested), 0)
    order = np.lexsort((rng.permutation(len(user)), user))
    place = np.arange(len(order)) - (np.cumsum(degree) - degree)[user[order]]
    labels = np.full(len(order), TRAIN, dtype=np.int8)
    labels[order[place < (tested + checked)[user[order]]]] = VALIDATION
    labels[order[place < tested[user[order]]]] = TEST
    return labels[pair]


def folds(interactions: Interactions, rng: np.random.Generator, number: int, validation: float) -> Iterator[Labels]:
    """The labels of each fold: pairs are dealt into folds at random, each is test once, and of the other folds a random
    share of all pairs is validation. DataError if there are fewer pairs than folds."""
    pair = pairs(interactions)
    size = _size(pair)
    if size < number:
        raise DataError(f"{size} pairs of user and item cannot be dealt into {number} folds; load more")
    fold = np.empty(size, dtype=np.int64)
    fold[rng.permutation(size)] = np.arange(size) % number
    for held in range(number):
        labels = np.where(fold == held, TEST, TRAIN).astype(np.int8)
        rest = rng.permutation(np.flatnonzero(labels == TRAIN))
        labels[rest[: int(_rounded(np.array(size * validation)))]] = VALIDATION
        yield labels[pair]


def cold(
    index: IndexArray, rng: np.random.Generator, validation: float, test: float, what: str
) -> Labels:  # index: [n], of the user or the item of each row
    """The labels of a split where all rows of a random share of users (or items) are test, of another validation."""
    there, number = np.unique(index, return_inverse=True)
    return random_labels(len(there), rng, validation, test, what)[number]


def _rounded(values: npt.NDArray[np.floating[Any]]) -> IndexArray:  # of any width
    # 0.1 * 15 is 1.5 only up to rounding
    return np.floor(np.round(values, 6) + 0.5).astype(np.int64)


def _size(number: IndexArray) -> int:
    return int(number.max(initial=-1)) + 1


def _numbered(codes: IndexArray) -> IndexArray:
    """Numbers from 0 in the order in which each code first comes."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _first(number: IndexArray) -> IndexArray:
    """The first row of each number."""
    return np.unique(number, return_index=True)[1].astype(np.int64)
