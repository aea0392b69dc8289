"""The record of a split: its hashes change if and only if its content does."""

import hashlib
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.interactions import Interactions
from graphrec.splitting import Part, Split, SplitSpec, record, splits
from tests.sizes import num_examples

SPEC = "time(validation=0.25, test=0.25)"


def parts(rows: Interactions) -> Part:
    nothing = rows.take(np.zeros(len(rows), dtype=bool))
    return record(Split(rows, nothing, nothing), "x").parts[0]


def rows_of(events: list[tuple[int, int, int]], timed: bool = True) -> Interactions:
    user, item, time = np.array(events, dtype=np.int64).reshape(-1, 3).T
    return Interactions(user, item, 5, 5, None, time if timed else None)


EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), max_size=6)


def test_a_record_says_what_each_part_holds() -> None:
    whole = Interactions(np.array([0, 1, 1, 0]), np.array([2, 2, 0, 1]), 2, 3, None, np.array([40, 10, 20, 30]))
    (split,) = splits(SPEC, whole, np.random.default_rng(0))
    found = record(split, SplitSpec("time", 0.25, 0.25))
    assert (found.spec, found.cut) == (SPEC, 30)
    assert [part.name for part in found.parts] == ["train", "validation", "test"]
    # train sorted by user, item, time: (1, 0, 20), (1, 2, 10); one column after the other
    told = hashlib.sha256(b"user item time" + np.array([1, 1, 0, 2, 20, 10], dtype="<i8").tobytes()).hexdigest()
    assert found.parts[0] == Part("train", 2, 1, 2, 10, 20, told)
    assert (found.parts[2].first, found.parts[2].last, found.parts[2].num_interactions) == (40, 40, 1)


def test_without_times_or_rows_there_is_no_first_and_last() -> None:
    found = parts(rows_of([(0, 1, 0)], timed=False))
    assert (found.num_interactions, found.first, found.last) == (1, None, None)
    assert found.sha256 == hashlib.sha256(b"user item" + np.array([0, 1], dtype="<i8").tobytes()).hexdigest()
    empty = parts(rows_of([]))
    assert (empty.num_interactions, empty.num_users, empty.num_items, empty.first, empty.last) == (0, 0, 0, None, None)


@settings(max_examples=num_examples(150), deadline=None)
@given(EVENTS, EVENTS, st.booleans())
def test_a_hash_changes_if_and_only_if_the_content_does(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]], timed: bool
) -> None:
    same = sorted(one) == sorted(other) if timed else sorted(e[:2] for e in one) == sorted(e[:2] for e in other)
    assert (parts(rows_of(one, timed)).sha256 == parts(rows_of(other, timed)).sha256) == same


@settings(max_examples=num_examples(60), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1), st.integers(0, 2**32))
def test_the_order_of_rows_and_their_weights_do_not_matter(events: list[tuple[int, int, int]], seed: int) -> None:
    rows = rows_of(events)
    shuffled = rows.take(np.random.default_rng(seed).permutation(len(rows)))
    assert parts(replace(shuffled, weight=np.ones(len(rows), dtype=np.float32))) == parts(rows)


def test_times_and_their_absence_are_told_apart() -> None:
    assert parts(rows_of([(0, 0, 0)])).sha256 != parts(rows_of([(0, 0, 0)], timed=False)).sha256
    assert parts(rows_of([], timed=False)).sha256 != parts(rows_of([])).sha256
