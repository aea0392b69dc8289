"""Graphs from positions, and graphs less some relations."""

import numpy as np

from graphrec.evaluation.assembly import EdgeArrays, assemble, drop, edges_of, num_edges, relation_names
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.relations import build_relations

BOUGHT, TAGGED, FOLLOWS = ("User", "BOUGHT", "Item"), ("User", "TAGGED", "Item"), ("User", "FOLLOWS", "User")


def array(*values: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(values, dtype=np.int64)


def graph() -> HeteroGraph:
    """Three users and two items; purchases out of order, with times; tags; one tie."""
    bought = Interactions(array(2, 0, 0), array(1, 1, 0), 3, 2, time=array(30, 20, 10))
    tags = EdgeArrays(TAGGED, array(1, 0), array(0, 1), {"tag": np.array(["rock", "jazz"], dtype=object)})
    return assemble(
        {"User": 3, "Item": ["a", "b"]},
        [edges_of(BOUGHT, bought), tags, EdgeArrays(FOLLOWS, array(0), array(2))],
        BOUGHT,
    )


def test_edges_stand_sorted_with_their_properties_and_reverses() -> None:
    data = graph().data
    assert data[BOUGHT].edge_index.tolist() == [[0, 0, 2], [0, 1, 1]]
    assert data[BOUGHT].timestamp.tolist() == [10, 20, 30]
    assert data["Item", "rev_BOUGHT", "User"].edge_index.tolist() == [[0, 1, 1], [0, 0, 2]]
    assert data["Item", "rev_BOUGHT", "User"].timestamp.tolist() == [10, 20, 30]
    assert data["User", "rev_FOLLOWS", "User"].edge_index.tolist() == [[2], [0]]
    assert data.validate()


def test_ids_are_those_given_or_positions() -> None:
    found = graph()
    assert list(found.users.ids) == ["0", "1", "2"]
    assert list(found.items.ids) == ["a", "b"]


def test_texts_become_codes_that_relations_can_read() -> None:
    found = graph()
    assert list(found.vocabularies["TAGGED.tag"].ids) == ["jazz", "rock"]
    assert found.data[TAGGED].tag.tolist() == [0, 1]  # user 0 before user 1
    assert build_relations(found).item_attributes["TAGGED.tag"].toarray().tolist() == [[0, 1], [1, 0]]


def test_ratings_and_times_come_from_interactions() -> None:
    rated = Interactions(array(0), array(1), 1, 2, np.array([4.5], dtype=np.float32), array(7))
    assert {name: list(values) for name, values in edges_of(BOUGHT, rated).properties.items()} == {
        "rating": [4.5],
        "timestamp": [7],
    }


def test_dropping_takes_edges_both_ways_and_leaves_the_input() -> None:
    found = graph()
    less = drop(found, ["TAGGED"])
    assert relation_names(found) == ["TAGGED", "FOLLOWS"]
    assert relation_names(less) == ["FOLLOWS"]
    assert not [triple for triple in less.data.edge_types if "TAGGED" in triple[1]]
    assert less.data["User"].num_nodes == 3
    assert (num_edges(found), num_edges(less)) == (
        {"BOUGHT": 3, "TAGGED": 2, "FOLLOWS": 1},
        {"BOUGHT": 3, "FOLLOWS": 1},
    )
