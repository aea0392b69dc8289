"""The parts of train that settings are chosen on."""

from dataclasses import replace

import numpy as np
import pytest

from graphrec.benchmark.datasets import Dataset, SplitKind
from graphrec.benchmark.validation import REPEATS, hold_out
from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting.coherent import COHERENT_SHARE
from graphrec.testing import graph_of
from graphrec.tuning import Validation

RANDOM = {"random", "one of each user"}
NEWEST = {"newest", "last of each user"}


def split(train: Interactions, drawn: SplitKind, test: Interactions | None = None) -> Dataset:
    nothing = Interactions(np.array([], dtype=np.int64), np.array([], dtype=np.int64), train.num_users, train.num_items)
    return Dataset("towns", graph_of(train), train, nothing if test is None else test, {}, drawn=drawn)


def timed(train: Interactions) -> Interactions:
    return replace(train, time=np.random.default_rng(5).permutation(len(train)))


def names(validations: list[Validation]) -> list[set[str]]:
    """The parts of each fit, without the number of a repetition."""
    return [{name.rstrip(" 0123456789") for name in validation.measures} for validation in validations]


@pytest.mark.parametrize(
    ("drawn", "parts", "guards"),
    [
        ("random", [RANDOM] * REPEATS, [{"coherent"}]),
        ("unknown", [RANDOM] * REPEATS, [{"coherent"}]),
        ("last", [{"last of each user"}], [{"random"}]),
        ("time", [NEWEST], [{"random"}]),
    ],
)
def test_parts_follow_what_the_author_says(
    drawn: SplitKind, parts: list[set[str]], guards: list[set[str]], travellers: Interactions
) -> None:
    found = hold_out(split(timed(travellers), drawn), np.random.default_rng(0))
    assert (names(found.validations), names(found.guards)) == (parts, guards)
    found = hold_out(split(travellers, drawn), np.random.default_rng(0))
    assert (names(found.validations), names(found.guards)) == ([RANDOM] * REPEATS, [{"coherent"}])


@pytest.mark.parametrize("drawn", ["random", "last", "time", "unknown"])
def test_the_test_part_is_never_looked_at(drawn: SplitKind, travellers: Interactions) -> None:
    """Whatever is in the test part, the same is held out."""
    train = timed(travellers)
    one_each = Interactions(np.arange(train.num_users), np.zeros(train.num_users, dtype=np.int64), *sizes(train))
    found = [hold_out(split(train, drawn, test), np.random.default_rng(0)) for test in (None, one_each)]
    for first, second in zip(*([*each.validations, *each.guards] for each in found), strict=True):
        np.testing.assert_array_equal(first.train.item_index, second.train.item_index)
        digests = [[measure.digest for measure in each.measures.values()] for each in (first, second)]
        assert digests[0] == digests[1]


def sizes(train: Interactions) -> tuple[int, int]:
    return train.num_users, train.num_items


def test_a_fit_sees_no_held_out_pair_and_each_part_is_measured_whole(travellers: Interactions) -> None:
    held_out = [hold_out(split(timed(travellers), drawn), np.random.default_rng(0)) for drawn in ("random", "time")]
    for validation in [each for found in held_out for each in (*found.validations, *found.guards)]:
        known = validation.train.matrix()
        assert validation.graph.data[validation.graph.target].num_edges == len(validation.train)
        for name, measure in validation.measures.items():
            held = measure.validation  # type: ignore[attr-defined]  # the measure of this module
            assert not held.multiply(known[measure.users]).nnz  # type: ignore[attr-defined]
            if name.startswith("one of"):
                assert (np.diff(held.indptr) == 1).all()
            if name == "coherent":
                assert 1 - len(validation.train) / len(travellers) == pytest.approx(COHERENT_SHARE, abs=0.01)


def test_other_behaviours_show_no_held_out_pair(travellers: Interactions) -> None:
    """Every pair was viewed too; a fit sees the views of its own pairs only."""
    graph = graph_of(travellers)
    viewed = "User", "VIEWED", "Item"
    graph.data[viewed].edge_index = graph.data[graph.target].edge_index.clone()
    found = hold_out(replace(split(travellers, "random"), graph=graph), np.random.default_rng(0))
    for validation in (*found.validations, *found.guards):
        views = validation.graph.data[viewed].edge_index.T.tolist()
        known = zip(validation.train.user_index.tolist(), validation.train.item_index.tolist(), strict=True)
        assert sorted(map(tuple, views)) == sorted(known)
        assert len(views) < len(travellers)


def test_few_random_parts_of_many_interactions(travellers: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.benchmark.validation.REPEATED_BELOW", len(travellers))
    found = hold_out(split(travellers, "random"), np.random.default_rng(0)).validations
    assert [set(validation.measures) for validation in found] == [RANDOM]
    monkeypatch.setattr("graphrec.benchmark.validation.REPEATED_BELOW", len(travellers) + 1)
    repeated = hold_out(split(travellers, "random"), np.random.default_rng(0)).validations
    trains = [set(zip(v.train.user_index.tolist(), v.train.item_index.tolist(), strict=True)) for v in repeated]
    assert len(trains) == REPEATS
    assert trains[0] != trains[1]


@pytest.mark.parametrize("drawn", ["random", "last", "unknown"])
def test_people_known_by_one_interaction_leave_nothing_to_choose_by(drawn: SplitKind) -> None:
    known = Interactions(np.arange(4), np.arange(4), 4, 5)
    with pytest.raises(DataError, match=r"too few training interactions .* use --defaults"):
        hold_out(split(known, drawn), np.random.default_rng(0))
