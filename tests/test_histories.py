"""Histories have the events of each user in the order of time."""

from pathlib import Path

import numpy as np
import pytest
import torch

from graphrec import hetero
from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph, interactions
from graphrec.histories import (
    Histories,
    add_histories,
    build_histories,
    build_typed_histories,
    merge_behaviours,
    read_histories,
)
from graphrec.interactions import Interactions
from graphrec.testing import graph_of

USERS, ITEMS = np.array([2, 0, 2, 2, 0]), np.array([4, 1, 3, 4, 0])
TIMES = np.array([30, 5, 10, 30, 2])


def rows(histories: Histories) -> list[list[int]]:
    return [histories.row(user).tolist() for user in range(histories.num_users)]


def build() -> Histories:
    return build_histories(Interactions(USERS, ITEMS, 4, 5, time=TIMES))


def test_events_are_ordered_by_time_within_a_user() -> None:
    histories = build()
    assert rows(histories) == [[0, 1], [], [3, 4, 4], []]
    assert histories.indptr.tolist() == [0, 2, 2, 5, 5]
    assert histories.indptr.dtype == np.int64
    assert histories.items.dtype == np.int32
    assert histories.times is not None
    assert histories.times.tolist() == [2, 5, 10, 30, 30]
    assert histories.lengths.tolist() == [2, 0, 3, 0]
    assert histories.users.tolist() == [0, 0, 2, 2, 2]


def test_ties_keep_the_given_order() -> None:
    histories = build_histories(Interactions(np.array([0, 0, 0]), np.array([2, 0, 1]), 1, 3, time=np.array([1, 1, 1])))
    assert rows(histories) == [[2, 0, 1]]


def test_without_times_the_caller_says_whether_the_given_order_has_a_meaning() -> None:
    pairs = Interactions(USERS, ITEMS, 4, 5)
    with pytest.raises(DataError, match="no times, so the order of a user's events is unknown"):
        build_histories(pairs)
    histories = build_histories(pairs, in_order=True)
    assert rows(histories) == [[1, 0], [], [4, 3, 4], []]
    assert histories.times is None


def test_the_last_events_and_all_others_are_the_history() -> None:
    histories = build()
    assert rows(histories.last(1)) == [[1], [], [4], []]
    assert rows(histories.without_last(1)) == [[0], [], [3, 4], []]
    assert rows(histories.last(9)) == rows(histories)
    assert rows(histories.without_last(9)) == [[], [], [], []]
    last = histories.last(2)
    assert last.times is not None
    assert last.times.tolist() == [2, 5, 30, 30]


def test_taken_users_are_in_the_order_of_the_batch() -> None:
    taken = build().take(np.array([2, 1, 0, 2]))
    assert rows(taken) == [[3, 4, 4], [], [0, 1], [3, 4, 4]]
    assert taken.num_items == 5


def test_the_matrix_has_a_one_for_each_item_of_a_user() -> None:
    histories = build_histories(Interactions(USERS, ITEMS, 4, 5), in_order=True)
    assert histories.matrix().toarray().tolist() == [[1, 1, 0, 0, 0], [0] * 5, [0, 0, 0, 1, 1], [0] * 5]
    assert rows(histories) == [[1, 0], [], [4, 3, 4], []]  # the order is still that of the events


def test_behaviours_are_merged_by_time() -> None:
    views = Interactions(np.array([0, 0]), np.array([3, 1]), 4, 5, time=np.array([1, 5]))
    histories = merge_behaviours({"VIEWED": views, "PURCHASED": Interactions(USERS, ITEMS, 4, 5, time=TIMES)})
    assert histories.behaviour_names == ("VIEWED", "PURCHASED")
    assert histories.behaviours is not None
    events = histories.events(0)
    assert histories.items[events].tolist() == [3, 0, 1, 1]
    assert histories.behaviours[events].tolist() == [0, 1, 0, 1]
    assert histories.take(np.array([2])).behaviours is not None
    with pytest.raises(DataError, match="the behaviours VIEWED have no times"):
        merge_behaviours({"VIEWED": Interactions(USERS, ITEMS, 4, 5)})


def build_graph_with_views() -> tuple[HeteroGraph, Interactions]:
    bought = Interactions(np.array([0, 1]), np.array([1, 0]), 2, 2, time=np.array([7, 3]))
    graph = graph_of(bought)
    for name, times in (("VIEWED", torch.tensor([7, 9])), ("LIKED", None), ("TAGGED", torch.tensor([1.0, np.nan]))):
        store = graph.data[graph.target[0], name, graph.target[2]]
        store.edge_index = torch.tensor([[0, 0], [1, 0]])
        if times is not None:
            store.timestamp = times
    return graph, bought


def test_histories_of_a_graph_have_every_behaviour_with_times() -> None:
    graph, bought = build_graph_with_views()
    histories = build_typed_histories(graph, bought)
    assert histories.behaviour_names == ("VIEWED", "PURCHASED")  # LIKED has no times, and TAGGED not all
    assert rows(histories) == [[1, 1, 0], [0]]
    assert histories.behaviours is not None
    assert histories.behaviours.tolist() == [0, 1, 0, 1]  # the view at 7 is before the purchase at 7


def test_an_exported_file_has_the_histories(tmp_path: Path) -> None:
    graph, bought = build_graph_with_views()
    graph.data[graph.target].timestamp = torch.from_numpy(bought.time)
    expected = build_typed_histories(graph, interactions(graph))
    add_histories(graph)
    hetero.save(graph, tmp_path / "graph.pt")
    found = read_histories(hetero.load(tmp_path / "graph.pt"))
    assert rows(found) == rows(expected)
    assert found.times is not None
    assert found.behaviours is not None
    assert expected.times is not None
    assert expected.behaviours is not None
    assert found.times.tolist() == expected.times.tolist()
    assert found.behaviours.tolist() == expected.behaviours.tolist()
    assert (found.behaviour_names, found.num_items) == (expected.behaviour_names, expected.num_items)


def test_without_times_there_are_no_histories_to_export() -> None:
    graph, _ = build_graph_with_views()
    add_histories(graph)
    assert "histories" not in graph.data
    with pytest.raises(DataError, match="has no times; load the times"):
        read_histories(graph)
