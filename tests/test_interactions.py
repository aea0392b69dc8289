"""Interactions check themselves and count right."""

import numpy as np
import pytest

from graphrec.errors import DataError
from graphrec.interactions import Interactions, join

USERS, ITEMS = np.array([0, 2, 2, 2]), np.array([1, 0, 1, 1])


def test_the_matrix_has_a_one_for_each_pair() -> None:
    matrix = Interactions(USERS, ITEMS, 3, 2, weight=np.array([5, 1, 2, 3], dtype=np.float32)).matrix()
    assert matrix.toarray().tolist() == [[0, 1], [0, 0], [1, 1]]
    assert matrix.dtype == np.float32
    assert matrix.nnz == 3


def test_degrees_count_rows() -> None:
    found = Interactions(USERS, ITEMS, 3, 3)
    assert found.user_degree().tolist() == [1, 0, 3]
    assert found.item_degree().tolist() == [1, 3, 0]
    assert len(found) == 4


def test_take_keeps_the_columns_together() -> None:
    found = Interactions(USERS, ITEMS, 3, 2, np.arange(4, dtype=np.float32), np.array([9, 8, 7, 6]))
    for rows in (np.array([3, 0]), np.array([True, False, False, True])):
        part = found.take(rows)
        assert part.weight is not None
        assert part.time is not None
        assert set(zip(part.user_index, part.item_index, part.weight, part.time, strict=True)) == {
            (0, 1, 0, 9),
            (2, 1, 3, 6),
        }
        assert (part.num_users, part.num_items) == (3, 2)


def test_join_keeps_what_both_have() -> None:
    first = Interactions(USERS, ITEMS, 3, 2, np.ones(4, dtype=np.float32), np.arange(4))
    second = Interactions(USERS[:1], ITEMS[:1], 3, 2, time=np.array([7]))
    both = join(first, second)
    assert both.user_index.tolist() == [0, 2, 2, 2, 0]
    assert both.time is not None
    assert both.time.tolist() == [0, 1, 2, 3, 7]
    assert both.weight is None


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match=r"different lengths: \[3, 4\]"):
        Interactions(USERS, ITEMS[:3], 3, 2)


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        (USERS, ITEMS + 1, "item positions reach from 1 to 2, but there are 2 items"),
        (USERS - 1, ITEMS, "user positions reach from -1 to 1, but there are 3 users"),
    ],
)
def test_positions_out_of_range_are_refused(users: np.ndarray, items: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Interactions(users, items, 3, 2)


def test_there_may_be_none() -> None:
    none = Interactions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 2, 3)
    assert none.matrix().shape == (2, 3)
    assert none.user_degree().tolist() == [0, 0]
