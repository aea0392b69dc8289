"""The next item and the next basket after a global time, and the last two interactions."""

import re

import numpy as np
import pytest

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting import splits

HOUR = 3600

#: Two users: validation begins at hour 10, test at hour 20. Rows are not in the order of time.
USER = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 0])
ITEM = np.array([0, 1, 2, 3, 4, 0, 1, 2, 3, 5])
TIME = np.array([1, 12, 11, 25, 22, 2, 21, 40, 50, 18]) * HOUR
WHOLE = Interactions(USER, ITEM, 2, 6, time=TIME)

POINTS = f"validation={10 * HOUR}, test={20 * HOUR}"


def pairs(part: Interactions | None) -> set[tuple[int, int]]:
    assert part is not None
    return set(zip(part.user_index.tolist(), part.item_index.tolist(), strict=True))


def test_the_next_item_is_the_first_after_the_cut() -> None:
    (split,) = splits(f"next-item({POINTS})", WHOLE, np.random.default_rng(0))
    assert pairs(split.train) == {(0, 0), (1, 0)}
    assert pairs(split.validation) == {(0, 1), (0, 2), (0, 5)}  # a model that is tested is fitted to all of it
    assert pairs(split.measured) == {(0, 2)}
    assert pairs(split.test) == {(0, 4), (1, 1)}
    assert split.cut == 11 * HOUR


def test_the_next_basket_has_all_within_the_hours_after_the_first() -> None:
    (split,) = splits(f"next-basket(hours=3, {POINTS})", WHOLE, np.random.default_rng(0))
    assert pairs(split.measured) == {(0, 2), (0, 1)}
    assert pairs(split.test) == {(0, 4), (0, 3), (1, 1)}
    (day,) = splits(f"next-basket({POINTS})", WHOLE, np.random.default_rng(0))
    assert pairs(day.test) == {(0, 4), (0, 3), (1, 1), (1, 2)}
    (second,) = splits(f"next-basket(hours=0, {POINTS})", WHOLE, np.random.default_rng(0))
    assert pairs(second.test) == {(0, 4), (1, 1)}


def test_shares_divide_as_a_split_by_time() -> None:
    (by_time,) = splits("time(validation=0.3, test=0.3)", WHOLE, np.random.default_rng(0))
    (by_next,) = splits("next-item(validation=0.3, test=0.3)", WHOLE, np.random.default_rng(0))
    assert pairs(by_next.train) == pairs(by_time.train)
    assert pairs(by_next.validation) == pairs(by_time.validation)
    assert pairs(by_next.test) < pairs(by_time.test)
    assert by_next.cut == by_time.cut


def test_of_one_second_the_next_item_is_a_random_one() -> None:
    user, item = np.divmod(np.arange(400), 4)
    time = np.where(item < 2, item, 9)
    whole = Interactions(user, item, 100, 4, time=time)
    (split,) = splits("next-item(validation=01, test=05)", whole, np.random.default_rng(0))
    assert len(split.test) == 100
    assert 25 < (split.test.item_index == 2).sum() < 75


def test_the_next_needs_times() -> None:
    with pytest.raises(DataError, match="needs times"):
        splits("next-item", Interactions(USER, ITEM, 2, 6), np.random.default_rng(0))


def test_the_last_two_are_test_and_the_two_before_validation() -> None:
    (split,) = splits("leave-two-out", WHOLE, np.random.default_rng(0))
    assert pairs(split.test) == {(0, 3), (0, 4)}
    assert pairs(split.validation) == {(0, 1), (0, 5)}
    assert pairs(split.train) == {(0, 0), (0, 2), (1, 0), (1, 1), (1, 2), (1, 3)}  # user 1 has four, too few


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("next-basket(hours=2.5)", "hours must be a whole number, not '2.5'"),
        ("next-item(validation=2024-01-01, test=2023-01-01)", "split next-item: validation begins at"),
    ],
)
def test_errors_name_the_split_and_what_the_option_takes(spec: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        splits(spec, WHOLE, np.random.default_rng(0))
