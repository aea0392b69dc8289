"""Splits that keep rows of one pair, one event, one user or one item in one part."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting.time_and_random import TEST, TRAIN, VALIDATION, Labels, label_at_random, label_last
from graphrec.vocabulary import IndexArray


def number_pairs(interactions: Interactions) -> IndexArray:
    """The number of each row's pair of user and item [n], from 0 in the order of their first rows."""
    return _number_by_first(interactions.user_index * interactions.num_items + interactions.item_index)


def label_pairs_at_random(
    interactions: Interactions, rng: np.random.Generator, validation: float, test: float
) -> Labels:
    """Labels of a random split of pairs: all rows of a pair are in one part, so that no test pair is in train.

    If no pair occurs twice, the labels are those of `at_random`.
    """
    pair = number_pairs(interactions)
    return label_at_random(_count_numbers(pair), rng, validation, test, "pairs of user and item")[pair]


def label_last_events(interactions: Interactions, rng: np.random.Generator, number: int = 1) -> Labels:
    """Labels as of `label_last`, but rows of one event (same user, item and second; without times the same pair)
    count once and are in one part.

    So a test pair is in train only if the user had the item before, at another time.
    """
    event = number_pairs(interactions)
    if interactions.time is not None:
        _, second = np.unique(interactions.time, return_inverse=True)
        event = _number_by_first(event * (int(second.max(initial=0)) + 1) + second)
    return label_last(interactions.take(_first_rows(event)), rng, number)[event]


def label_by_user(interactions: Interactions, rng: np.random.Generator, validation: float, test: float) -> Labels:
    """Labels of a random split of each user's pairs by the same shares, rounded.

    A user with three or more pairs has at least one in test, one in validation (unless its share is 0) and one in
    train; a user with fewer pairs is all in train.
    """
    pair = number_pairs(interactions)
    user = interactions.user_index[_first_rows(pair)]
    degree = np.bincount(user, minlength=interactions.num_users)
    many = degree >= 3
    reserved = int(validation > 0)
    num_test = np.where(many, np.clip(_round_half_up(degree * test), 1, np.maximum(degree - 1 - reserved, 1)), 0)
    num_validation = np.clip(_round_half_up(degree * validation), 1, degree - 1 - num_test)
    num_validation = np.where(many & (reserved > 0), num_validation, 0)
    order = np.lexsort((rng.permutation(len(user)), user))
    rank = np.arange(len(order)) - (np.cumsum(degree) - degree)[user[order]]
    labels = np.full(len(order), TRAIN, dtype=np.int8)
    labels[order[rank < (num_test + num_validation)[user[order]]]] = VALIDATION
    labels[order[rank < num_test[user[order]]]] = TEST
    return labels[pair]


def label_folds(
    interactions: Interactions, rng: np.random.Generator, number: int, validation: float
) -> Iterator[Labels]:
    """Labels for each fold: pairs are divided into folds at random, each fold is test once, and validation is a random
    share of all pairs, drawn from the other folds. DataError if there are fewer pairs than folds."""
    pair = number_pairs(interactions)
    size = _count_numbers(pair)
    if size < number:
        raise DataError(f"{size} pairs of user and item cannot be divided into {number} folds; load more")
    fold = np.empty(size, dtype=np.int64)
    fold[rng.permutation(size)] = np.arange(size) % number
    for test_fold in range(number):
        labels = np.where(fold == test_fold, TEST, TRAIN).astype(np.int8)
        rest = rng.permutation(np.flatnonzero(labels == TRAIN))
        labels[rest[: int(_round_half_up(np.array(size * validation)))]] = VALIDATION
        yield labels[pair]


def label_cold(
    index: IndexArray, rng: np.random.Generator, validation: float, test: float, what: str
) -> Labels:  # index: [n], of the user or the item of each row
    """Labels of a cold-start split: all rows of a random share of users (or items) are test, of another validation."""
    distinct, number = np.unique(index, return_inverse=True)
    return label_at_random(len(distinct), rng, validation, test, what)[number]


def _round_half_up(values: npt.NDArray[np.floating[Any]]) -> IndexArray:  # of any width
    # 0.1 * 15 is 1.5 only up to rounding
    return np.floor(np.round(values, 6) + 0.5).astype(np.int64)


def _count_numbers(number: IndexArray) -> int:
    return int(number.max(initial=-1)) + 1


def _number_by_first(codes: IndexArray) -> IndexArray:
    """Each code as a number from 0, in the order of the first rows of codes."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _first_rows(number: IndexArray) -> IndexArray:
    """The first row of each number, in the order of the numbers."""
    return np.unique(number, return_index=True)[1].astype(np.int64)
