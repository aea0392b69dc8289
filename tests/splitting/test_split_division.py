"""Splits by spec: partitions without a look into the future, with pairs, users and items kept together."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError, UnknownNameError
from graphrec.interactions import Interactions
from graphrec.splitting import SPLITS, Split, parse_split, splits
from graphrec.vocabulary import IndexArray
from tests.sizes import num_examples

WHOLE = ("time", "leave-last-out", "random", "random-by-user", "k-fold(folds=3)", "cold-items", "cold-users")
TIMED = ("time(validation=0.2, test=0.2)", "time(validation=1970-01-01T00:00:20, test=1970-01-01T00:00:30)",
         "rolling(windows=3, validation=0.2, test=0.2)")  # fmt: skip


@st.composite
def histories(draw: st.DrawFn, timed: bool = True) -> Interactions:
    """Eight users, nine items, 20 to 60 interactions, some of them repeated, at 0 to 39; weights number the rows.

    The first three are at 0, 25 and 35, so that no part of a split by the dates of TIMED is empty.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.integers(20, 60))
    ends = rng.integers(0, 8, size=size), rng.integers(0, 9, size=size)
    time = rng.integers(0, 40, size=size) if timed else None
    if time is not None:
        time[:3] = 0, 25, 35
    return Interactions(*ends, 8, 9, np.arange(size, dtype=np.float32), time)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def of(user: list[int], item: list[int], time: list[int] | None = None) -> Interactions:
    times = None if time is None else np.array(time)
    return Interactions(np.array(user), np.array(item), max(user) + 1, max(item) + 1, None, times)


def rows(part: Interactions) -> list[int]:
    assert part.weight is not None
    return [int(value) for value in part.weight]


def pairs(part: Interactions) -> set[tuple[int, int]]:
    return set(zip(part.user_index.tolist(), part.item_index.tolist(), strict=True))


def parts(split: Split) -> tuple[Interactions, Interactions, Interactions]:
    return split.train, split.validation, split.test


def times(part: Interactions) -> IndexArray:
    assert part.time is not None
    return part.time


@settings(max_examples=num_examples(60), deadline=None)
@given(histories(), st.sampled_from(WHOLE), st.integers(0, 2**32))
def test_parts_are_disjoint_and_together_the_whole(whole: Interactions, spec: str, seed: int) -> None:
    for split in splits(spec, whole, np.random.default_rng(seed)):
        assert sorted(row for part in parts(split) for row in rows(part)) == rows(whole)
        assert {(part.num_users, part.num_items) for part in parts(split)} == {(8, 9)}
        assert (split.cut is None) == (spec != "time")


@settings(max_examples=num_examples(60), deadline=None)
@given(histories(), st.sampled_from([*WHOLE, *TIMED]), st.integers(0, 2**32))
def test_a_seed_gives_the_same_split_twice(whole: Interactions, spec: str, seed: int) -> None:
    first, second = (splits(spec, whole, np.random.default_rng(seed)) for _ in range(2))
    assert [[rows(part) for part in parts(split)] for split in first] == [
        [rows(part) for part in parts(split)] for split in second
    ]


@settings(max_examples=num_examples(60), deadline=None)
@given(histories(), st.sampled_from(TIMED))
def test_nothing_in_train_is_as_late_as_what_comes_after_it(whole: Interactions, spec: str) -> None:
    for split in splits(spec, whole, rng()):
        assert split.cut is not None
        assert times(split.train).max() < split.cut
        assert split.cut == min(times(part).min() for part in parts(split)[1:] if len(part))
        assert times(split.validation).max(initial=-1) < times(split.test).min()


@settings(max_examples=num_examples(60), deadline=None)
@given(histories())
def test_windows_follow_each_other_and_leave_out_what_is_later(whole: Interactions) -> None:
    found = splits("rolling(windows=3, validation=0.2, test=0.2)", whole, rng())
    assert len(found) == 3
    for split, after in pairwise(found):
        assert times(split.test).max() < times(after.test).min()
        assert set(rows(split.train)) <= set(rows(after.train))
    for split in found:
        last = times(split.test).max()
        kept = sorted(row for part in parts(split) for row in rows(part))
        assert kept == np.flatnonzero(times(whole) <= last).tolist()
    (by_time,) = splits("time(validation=0.2, test=0.2)", whole, rng())
    assert [rows(part) for part in parts(found[-1])] == [rows(part) for part in parts(by_time)]


def test_sizes_of_windows() -> None:
    """A hundred seconds: test parts are the last three tenths, each with the tenth before it for validation."""
    hundred = list(range(100))
    found = splits("rolling", of([0] * 100, hundred, hundred[::-1]), rng())
    assert [[len(part) for part in parts(split)] for split in found] == [[60, 10, 10], [70, 10, 10], [80, 10, 10]]
    assert [split.cut for split in found] == [60, 70, 80]
    assert [(times(split.test).min(), times(split.test).max()) for split in found] == [(70, 79), (80, 89), (90, 99)]


def test_cut_points_by_date() -> None:
    """2024-01-01 is 1704067200; what lies exactly there is validation, at 2024-01-02 test."""
    day, start = 86_400, 1_704_067_200
    whole = of([0] * 5, [0, 1, 2, 3, 4], [start - 1, start, start + day - 1, start + day, start + 5 * day])
    (split,) = splits("time(validation=2024-01-01, test=2024-01-02)", whole, rng())
    assert [part.item_index.tolist() for part in parts(split)] == [[0], [1, 2], [3, 4]]
    assert split.cut == start
    (split,) = splits("time(validation=2024-01-01T06:00, test=2024-01-02)", whole, rng())
    assert split.cut == start + day - 1  # the first interaction after train, not the date
    with pytest.raises(
        DataError,
        match=r"split time\(validation=2025-01-01, test=2025-02-01\) leaves nothing in test of 5 interactions, which "
        r"are between 2023-12-31T23:59:59 and 2024-01-06T00:00:00; choose other shares or dates",
    ):
        splits("time(validation=2025-01-01, test=2025-02-01)", whole, rng())
    with pytest.raises(DataError, match="leaves nothing in train"):
        splits("time(validation=2023-01-01, test=2024-01-02)", whole, rng())


@settings(max_examples=num_examples(40), deadline=None)
@given(histories(), st.sampled_from(["random", "random-by-user", "k-fold(folds=4)"]), st.integers(0, 2**32))
def test_no_test_pair_is_in_train_where_time_does_not_divide(whole: Interactions, spec: str, seed: int) -> None:
    for split in splits(spec, whole, np.random.default_rng(seed)):
        train, validation, test = map(pairs, parts(split))
        assert len(train | validation | test) == len(train) + len(validation) + len(test)


@settings(max_examples=num_examples(60), deadline=None)
@given(histories(), st.integers(0, 2**32))
def test_leave_last_out_repeats_a_pair_only_at_a_later_time(whole: Interactions, seed: int) -> None:
    (split,) = splits("leave-last-out", whole, np.random.default_rng(seed))
    for user in range(8):
        events = {
            name: list(zip(times(part)[mine], part.item_index[mine], strict=True))
            for name, part in zip(("train", "validation", "test"), parts(split), strict=True)
            for mine in [part.user_index == user]
        }
        if len({event for part in events.values() for event in part}) < 3:
            assert not events["validation"]
            assert not events["test"]
            continue
        assert len(set(events["validation"])) == len(set(events["test"])) == 1  # equal rows are one event
        assert max(time for time, _ in events["train"]) <= events["validation"][0][0] <= events["test"][0][0]
        assert not set(events["test"]) & set(events["train"] + events["validation"])


@settings(max_examples=num_examples(30), deadline=None)
@given(histories(timed=False), st.integers(0, 2**32))
def test_without_times_the_last_pair_is_a_random_one_and_in_no_other_part(whole: Interactions, seed: int) -> None:
    (split,) = splits("leave-last-out", whole, np.random.default_rng(seed))
    train, validation, test = map(pairs, parts(split))
    assert len(train | validation | test) == len(train) + len(validation) + len(test)


def test_without_repeats_named_splits_are_those_of_the_registry() -> None:
    user, item = np.divmod(np.random.default_rng(5).permutation(72)[:60], 9)
    whole = Interactions(user, item, 8, 9, np.arange(60, dtype=np.float32), np.arange(60) // 2)
    for name, divide in SPLITS.items():
        (split,) = splits(name, whole, rng())
        assert [rows(part) for part in parts(split)] == [rows(part) for part in parts(divide(whole, rng()))]
        assert split.cut == divide(whole, rng()).cut


@settings(max_examples=num_examples(30), deadline=None)
@given(histories(timed=False), st.integers(2, 5), st.integers(0, 2**32))
def test_each_pair_is_test_in_one_fold(whole: Interactions, number: int, seed: int) -> None:
    found = splits(f"k-fold(folds={number}, validation=0.2)", whole, np.random.default_rng(seed))
    assert len(found) == number
    assert sorted(row for split in found for row in rows(split.test)) == rows(whole)
    sizes = [len(pairs(split.test)) for split in found]
    assert max(sizes) - min(sizes) <= 1
    every = len(pairs(whole))
    assert {len(pairs(split.validation)) for split in found} == {int(every * 0.2 + 0.5)}


@settings(max_examples=num_examples(40), deadline=None)
@given(histories(), st.integers(0, 2**32))
def test_cold_things_have_no_training_interactions(whole: Interactions, seed: int) -> None:
    for spec, column in (("cold-items(test=0.25)", "item_index"), ("cold-users(test=0.25)", "user_index")):
        (split,) = splits(spec, whole, np.random.default_rng(seed))
        train, validation, test = (set(getattr(part, column).tolist()) for part in parts(split))
        assert len(train | validation | test) == len(train) + len(validation) + len(test)
        every = len(set(getattr(whole, column).tolist()))
        # as `at_random` does: what is left of 75 %, rounded down, is test
        assert len(test) == every - int(every * 0.75)
        assert len(train) == int(round(every * 0.65, 6))


@settings(max_examples=num_examples(40), deadline=None)
@given(histories(), st.integers(0, 2**32))
def test_each_user_with_three_items_gives_a_share(whole: Interactions, seed: int) -> None:
    users = [pair[0] for pair in pairs(whole)]
    assume(any(users.count(user) >= 3 for user in users))  # else the test part would be empty, an error of its own
    (split,) = splits("random-by-user(validation=0.2, test=0.3)", whole, np.random.default_rng(seed))
    train, validation, test = map(pairs, parts(split))
    for user in range(8):
        degree, *counts = (sum(1 for pair in part if pair[0] == user) for part in (pairs(whole), validation, test))
        if degree < 3:
            assert counts == [0, 0]
            continue
        assert counts[1] == max(1, int(degree * 0.3 + 0.5))
        assert counts[0] == max(1, int(degree * 0.2 + 0.5))
        assert any(pair[0] == user for pair in train)


def test_shares_of_a_user_leave_one_for_train() -> None:
    whole = of([0, 0, 0, 1, 1], [0, 1, 2, 0, 1])
    (split,) = splits("random-by-user(validation=0.05, test=0.94)", whole, rng())
    assert [len(part) for part in parts(split)] == [3, 1, 1]
    assert split.train.user_index.tolist().count(1) == 2
    (split,) = splits("random-by-user(validation=0, test=0.94)", whole, rng())
    assert [len(part) for part in parts(split)] == [3, 0, 2]
    (split,) = splits("random-by-user(validation=0, test=0.5)", of([0] * 6, list(range(6))), rng())
    assert [len(part) for part in parts(split)] == [3, 0, 3]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("time", "a split by time needs times.*split at random instead"),
        ("time(validation=2024-01-01, test=2024-02-01)", "a split by time needs times"),
        ("rolling", "a split by rolling windows needs times"),
        ("cold-items", "2 items cannot be split into train, validation and test; load more"),
        ("cold-users", "1 users cannot be split"),
        ("random", "2 pairs of user and item cannot be split"),
        ("k-fold", "2 pairs of user and item cannot be divided into 5 folds"),
        ("leave-last-out", "split leave-last-out leaves nothing in test of 4 interactions; choose other shares"),
        ("files(a.tsv, b.tsv)", "a split from files needs the vocabularies"),
    ],
)
def test_what_cannot_be_split_is_said(spec: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        splits(spec, of([0, 0, 0, 0], [0, 1, 0, 1]), rng())


def test_a_spec_may_come_as_text_or_parsed() -> None:
    whole = of([0] * 10, list(range(10)), list(range(10)))
    (one,), (other,) = splits("time", whole, rng()), splits(parse_split("time"), whole, rng())
    assert pairs(one.test) == pairs(other.test) == {(0, 9)}
    with pytest.raises(UnknownNameError, match="did you mean time"):
        splits("tim", whole, rng())
