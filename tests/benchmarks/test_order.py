"""What order adds, on histories that go around a circle: only their order says what comes next."""

import numpy as np

from benchmarks.order import compare_models, first_of_each_user, newest
from graphrec.benchmark.datasets import Dataset
from graphrec.interactions import Interactions
from graphrec.testing import graph_of


def circle(num_users: int = 60, num_items: int = 40, length: int = 10) -> Interactions:
    """Each user begins at a random item and goes around, an item a day; users begin on different days."""
    rng = np.random.default_rng(0)
    user, step = np.repeat(np.arange(num_users), length), np.tile(np.arange(length), num_users)
    start, day = rng.integers(num_items, size=num_users), rng.integers(30, size=num_users)
    time = (day[user] + step) * 86_400
    return Interactions(user, (start[user] + step) % num_items, num_users, num_items, time=time)


def test_the_last_of_each_user_and_the_newest_tenth_are_held_out() -> None:
    pairs = circle()
    assert pairs.time is not None
    train, last = newest(pairs, "last", np.random.default_rng(0))
    assert (len(train), last.user_index.tolist()) == (540, list(range(60)))
    assert last.item_index.tolist() == pairs.item_index[9::10].tolist()
    train, late = newest(pairs, "global", np.random.default_rng(0))
    assert train.time is not None
    assert late.time is not None
    assert train.time.max() < late.time.min()
    assert 0.05 < len(late) / len(pairs) < 0.15
    first = first_of_each_user(late)
    assert first.time is not None
    expected = {user: late.time[late.user_index == user].min() for user in late.user_index.tolist()}
    assert dict(zip(first.user_index.tolist(), first.time.tolist(), strict=True)) == expected


def test_order_adds_to_graph_filter_where_it_is_all_there_is_to_know() -> None:
    train, last = newest(circle(), "last", np.random.default_rng(0))
    rows = compare_models(Dataset("circle", graph_of(train), train, last, {}, drawn="next"))
    assert len(rows) == 6
    by_model = {row[1]: row for row in rows if row[2] == "ndcg@10"}  # graph_filter has 8 items before and after alike
    assert float(by_model["graph_filter"][4]) < 0.9
    assert by_model["sequence_filter"][4] == "1.0000"
    assert float(by_model["sequence_filter"][6].split(" to ")[0]) > 0
