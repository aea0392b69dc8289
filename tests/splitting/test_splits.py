"""Splits are partitions, and none looks into the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting import SPLITS, Split, at_random, by_time, leave_last_out
from tests.sizes import num_examples


@st.composite
def histories(draw: st.DrawFn, timed: bool = True) -> Interactions:
    size = draw(st.integers(3, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    time = rng.integers(0, draw(st.integers(1, 60)), size=size) if timed else None
    # the weight numbers the rows, so that a row can be told from its equal
    weight = np.arange(size, dtype=np.float32)
    return Interactions(rng.integers(0, 5, size=size), rng.integers(0, 6, size=size), 5, 6, weight, time)


def rows(part: Interactions) -> list[float]:
    assert part.weight is not None
    return [float(value) for value in part.weight]


def times(part: Interactions) -> list[int]:
    assert part.time is not None
    return [int(value) for value in part.time]


def parts(split: Split) -> tuple[Interactions, Interactions, Interactions]:
    return split.train, split.validation, split.test


@settings(max_examples=num_examples(80), deadline=None)
@given(histories(), st.sampled_from(sorted(SPLITS)), st.integers(0, 2**32))
def test_every_split_is_a_partition(whole: Interactions, name: str, seed: int) -> None:
    split = SPLITS[name](whole, np.random.default_rng(seed))
    assert sorted(row for part in parts(split) for row in rows(part)) == rows(whole)
    assert {(part.num_users, part.num_items) for part in parts(split)} == {(5, 6)}


@settings(max_examples=num_examples(80), deadline=None)
@given(histories(), st.sampled_from(sorted(SPLITS)), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_split(whole: Interactions, name: str, seed: int) -> None:
    first, second = (SPLITS[name](whole, np.random.default_rng(seed)) for _ in range(2))
    assert [rows(part) for part in parts(first)] == [rows(part) for part in parts(second)]


@settings(max_examples=num_examples(80), deadline=None)
@given(histories())
def test_nothing_in_train_is_as_late_as_anything_after_it(whole: Interactions) -> None:
    split = by_time(whole, np.random.default_rng(0))
    assert split.cut is not None
    assert len(split.test) > 0
    assert all(time < split.cut for time in times(split.train))
    assert all(time >= split.cut for time in times(split.validation) + times(split.test))
    assert max(times(split.validation), default=-1) < min(times(split.test))


def test_sizes_of_a_split_by_time() -> None:
    hundred = np.arange(100)
    whole = Interactions(hundred * 0, hundred, 1, 100, hundred.astype(np.float32), hundred[::-1].copy())
    split = by_time(whole, np.random.default_rng(0))
    assert [len(part) for part in parts(split)] == [80, 10, 10]
    assert sorted(rows(split.test)) == list(range(10))
    assert split.cut == 80


@settings(max_examples=num_examples(40), deadline=None)
@given(histories(timed=False), st.integers(0, 2**32))
def test_a_random_split_has_tenths(whole: Interactions, seed: int) -> None:
    split = at_random(whole, np.random.default_rng(seed))
    assert split.cut is None
    assert len(split.test) >= 1
    assert abs(len(split.test) - len(whole) / 10) <= 1
    assert abs(len(split.validation) - len(whole) / 10) <= 1


@settings(max_examples=num_examples(80), deadline=None)
@given(histories(), st.integers(0, 2**32))
def test_leave_last_out_takes_the_last_two_of_each_user(whole: Interactions, seed: int) -> None:
    split = leave_last_out(whole, np.random.default_rng(seed))
    degree = whole.user_degree()
    for user in range(5):
        mine = [np.sort(np.array(times(part))[part.user_index == user]) for part in parts(split)]
        if degree[user] < 3:
            assert (len(mine[1]), len(mine[2])) == (0, 0)
            continue
        assert (len(mine[1]), len(mine[2])) == (1, 1)
        assert mine[0].max() <= mine[1][0] <= mine[2][0]


def test_a_user_with_three_interactions_leaves_the_last_two() -> None:
    """User 0 in the order of time: items 2, 0, 1; user 1 has only two interactions."""
    whole = Interactions(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 1]), 2, 3, time=np.array([20, 30, 10, 1, 2]))
    split = leave_last_out(whole, np.random.default_rng(0))
    assert split.test.item_index.tolist() == [1]
    assert split.validation.item_index.tolist() == [0]
    assert split.train.item_index.tolist() == [2, 0, 1]


def test_a_split_by_time_needs_times() -> None:
    one = np.zeros(5, dtype=np.int64)
    with pytest.raises(DataError, match="a split by time needs times"):
        by_time(Interactions(one, one, 1, 1), np.random.default_rng(0))


@pytest.mark.parametrize("split", [at_random, by_time])
def test_too_few_interactions_cannot_be_split(split: object) -> None:
    two = np.zeros(2, dtype=np.int64)
    with pytest.raises(DataError, match="2 interactions cannot be split"):
        split(Interactions(two, two, 1, 1, time=two), np.random.default_rng(0))  # type: ignore[operator]  # either split


def test_interactions_of_one_second_are_in_random_order() -> None:
    """Four rows of each of 100 users at one second: each place in the file is the last of about a quarter of them."""
    user, item = np.divmod(np.arange(400), 4)
    whole = Interactions(user, item, 100, 4, time=np.zeros(400, dtype=np.int64))
    split = leave_last_out(whole, np.random.default_rng(0))
    assert np.bincount(split.test.item_index, minlength=4).min() >= 15
    assert np.bincount(split.validation.item_index, minlength=4).min() >= 15
