"""Which split is taken if none is named, and what is said if nobody can be tested."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from graphrec import TrainConfig
from graphrec.errors import DataError
from graphrec.evaluation.default_split import (
    choose_split,
    count_users_at_random,
    count_users_by_time,
    default_split,
    require_test_users,
)
from graphrec.evaluation.preparation import split_graph
from graphrec.interactions import Interactions
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.pipeline.training import train
from graphrec.testing import graph_of


def shop(users: int, items: int, each: int, one_after_the_other: bool) -> Interactions:
    """Each user has some items, all users at the same time or one after the other."""
    user = np.repeat(np.arange(users), each)
    item = (user * 7 + np.tile(np.arange(each), users) * 3) % items
    step = np.tile(np.arange(each), users)
    return Interactions(
        user, item, users, items, time=user * each + step if one_after_the_other else step * users + user
    )


def test_a_split_by_time_is_taken_if_its_ends_have_many_users() -> None:
    together = shop(200, 61, 10, one_after_the_other=False)
    assert min(count_users_by_time(together)) == 200
    assert choose_split(together).split == "time"
    assert choose_split(together).reason == ""


def test_users_who_came_one_after_the_other_are_split_at_random_and_the_reason_has_the_numbers() -> None:
    found = choose_split(shop(200, 61, 10, one_after_the_other=True))
    assert found.split == "random"
    assert "validate on 0 and test on 0 of 200 users" in found.reason
    assert "tests about 130" in found.reason  # 1 - 0.9 ** 10 of 200
    assert "--split time" in found.reason


def test_of_few_users_by_time_is_taken_if_it_tests_half_of_those_of_a_random_split() -> None:
    assert default_split(shop(12, 31, 10, one_after_the_other=False)) == "time"
    assert default_split(shop(12, 31, 10, one_after_the_other=True)) == "random"


def test_interactions_without_times_or_with_one_time_are_split_at_random() -> None:
    some = shop(30, 31, 5, one_after_the_other=False)
    without = Interactions(some.user_index, some.item_index, 30, 31)
    assert choose_split(without).split == "random"
    assert "not every interaction has a time" in choose_split(without).reason
    one_time = Interactions(some.user_index, some.item_index, 30, 31, time=np.ones(150, dtype=np.int64))
    assert default_split(one_time) == "random"


def test_the_expected_number_of_users_of_a_random_split_is_what_it_has() -> None:
    pairs = shop(400, 97, 4, one_after_the_other=True)
    graph = graph_of(pairs)
    (parts,) = split_graph(graph, "random", np.random.default_rng(0))
    tested = len(np.intersect1d(parts.test.user_index, parts.train.user_index))
    assert tested == pytest.approx(count_users_at_random(pairs), rel=0.15)


def test_if_nobody_can_be_tested_the_error_names_the_split_that_tests_some_or_the_way_without_metrics() -> None:
    apart = shop(40, 31, 6, one_after_the_other=True)
    graph = graph_of(apart)
    graph.data[graph.target].timestamp = torch.from_numpy(apart.time)
    with pytest.raises(DataError, match=r"split time has no test user.*`--split random` tests about 19 users"):
        train(graph, "popularity", np.random.default_rng(0), TrainConfig(split="time"))
    once = graph_of(shop(31, 7, 1, one_after_the_other=False))
    with pytest.raises(DataError, match=r"no model can be measured; .*users with at least two items.*--no-metrics"):
        train(once, "item_knn", np.random.default_rng(0))
    run = train(once, "item_knn", np.random.default_rng(0), TrainConfig(measured=False)).run
    assert run.verdict is None
    assert "makes a measured run" in run.remedies[0]


def test_a_split_by_users_has_cold_test_users_alone() -> None:
    graph = graph_of(shop(40, 31, 6, one_after_the_other=True))
    (parts,) = split_graph(graph, "cold-users", np.random.default_rng(0))
    require_test_users(parts, "cold-users", cold=True)
    with pytest.raises(DataError, match="has no test user"):
        require_test_users(parts, "cold-users")


def test_two_interactions_are_trained_on_with_the_default_settings() -> None:
    """Nothing can be held out of them, neither to measure nor to choose settings by."""
    graph = graph_of(shop(2, 5, 1, False))
    run = train(graph, "graph_filter", np.random.default_rng(0), TrainConfig(measured=False)).run
    assert run.config == asdict(GraphFilter.candidates(graph)[0])
