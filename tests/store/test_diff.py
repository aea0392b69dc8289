"""How the edges of a source in the graph differ from those that are to be there."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from graphrec.schema import EdgeType
from graphrec.store import Store
from graphrec.store import diff as module
from graphrec.store.diff import EdgeDiff, diff_edges, diff_to_empty
from graphrec.store.edges import SortedEdges
from graphrec.store.write import write_edges
from graphrec.tables import ENDS, EdgeTable

RATED = EdgeType("User", "RATED", "Item", ("rating",))
TAGGED = EdgeType("User", "TAGGED", "Item", ("tag", "weight"), key=("tag",))

Pair = tuple[str, str]


@pytest.fixture
def graph(store: Store) -> Store:
    store.write("UNWIND [['u', '1'], ['v', '2'], ['w', '3']] AS ids CREATE (:User {id: ids[0]}), (:Item {id: ids[1]})")
    return store


def rated(ratings: Mapping[Pair, float | None]) -> SortedEdges:
    frame = pd.DataFrame([(*pair, rating) for pair, rating in ratings.items()], columns=[*ENDS, "rating"])
    return SortedEdges.from_table(
        EdgeTable(RATED, frame.astype({"source_id": "str", "target_id": "str", "rating": "float64"}))
    )


def tagged(*rows: tuple[str, str, str | None, int]) -> SortedEdges:
    frame = pd.DataFrame(list(rows), columns=[*ENDS, "tag", "weight"])
    return SortedEdges.from_table(EdgeTable(TAGGED, frame.astype(dict.fromkeys([*ENDS, "tag"], "str"))))


def write(store: Store, edges: SortedEdges, source: str = "a") -> None:
    write_edges(store, edges, source, diff_to_empty(edges))


def pairs(edges: SortedEdges, chosen: "np.typing.NDArray[np.integer[np.typing.NBitBase]]") -> set[Pair]:
    return {*zip(edges.starts[edges.start[chosen]], edges.ends[edges.end[chosen]], strict=True)}


def gone(found: EdgeDiff) -> set[tuple[str, ...]]:
    columns = [name for name in found.removed[0] if name not in ("s", "t")] if found.removed else []
    return {
        (row["s"], *cells)
        for row in found.removed
        for cells in zip(row["t"], *(row[name] for name in columns), strict=True)
    }


OLD = {("u", "1"): 1.0, ("u", "2"): 2.0, ("v", "1"): None, ("v", "3"): 4.0}


def test_new_changed_and_gone(graph: Store) -> None:
    write(graph, rated(OLD))
    write(graph, rated({("w", "3"): 1.0, ("u", "1"): 9.0}), "b")
    edges = rated({("u", "1"): 1.0, ("u", "2"): None, ("v", "1"): 3.0, ("w", "1"): 1.0})
    found = diff_edges(graph, edges, "a")
    assert pairs(edges, found.new) == {("w", "1")}
    assert pairs(edges, found.changed) == {("u", "2"), ("v", "1")}
    assert gone(found) == {("v", "3")}
    assert found.num_removed == 1
    assert found.duplicates == []
    write_edges(graph, edges, "a", found)
    left = diff_edges(graph, edges, "a")
    assert (len(left.new), len(left.changed), left.removed) == (0, 0, [])
    assert graph.read("MATCH ()-[r {source: 'b'}]->() RETURN count(r) AS n") == [{"n": 2}]


def test_nothing_in_the_graph_and_nothing_wanted(graph: Store) -> None:
    edges = rated(OLD)
    found = diff_edges(graph, edges, "a")
    assert (found.new.tolist(), len(found.changed), found.removed) == ([0, 1, 2, 3], 0, [])
    write(graph, edges)
    nothing = diff_edges(graph, rated({}), "a")
    assert (len(nothing.new), len(nothing.changed), nothing.num_removed) == (0, 0, 4)


def test_appending_asks_for_the_start_nodes_of_the_day_only_and_erases_nothing(graph: Store) -> None:
    write(graph, rated(OLD))
    day = rated({("u", "1"): None, ("u", "2"): 5.0, ("u", "3"): 1.0})
    found = diff_edges(graph, day, "a", append=True)
    assert pairs(day, found.new) == {("u", "3")}
    assert pairs(day, found.changed) == {("u", "2")}
    assert (found.removed, found.keep_stored_values) == ([], True)
    write_edges(graph, day, "a", found)
    ratings = graph.read("MATCH (u:User)-[r:RATED]->(i:Item) RETURN u.id + i.id AS pair, r.rating AS rating")
    assert {row["pair"]: row["rating"] for row in ratings} == {"u1": 1.0, "u2": 5.0, "u3": 1.0, "v1": None, "v3": 4.0}


def test_keys_tell_edges_apart_and_may_have_no_value(graph: Store) -> None:
    write(graph, tagged(("u", "1", "war", 1), ("u", "1", "War", 2), ("u", "1", None, 3)))
    edges = tagged(("u", "1", "war", 1), ("u", "1", None, 4), ("u", "1", "peace", 5))
    found = diff_edges(graph, edges, "a")
    assert edges.column("tag", found.new).tolist() == ["peace"]
    assert edges.column("weight", found.changed).tolist() == [4]
    assert gone(found) == {("u", "1", "War")}
    write_edges(graph, edges, "a", found)
    tags = graph.read("MATCH ()-[r:TAGGED]->() RETURN r.tag AS tag, r.weight AS weight")
    assert {(row["tag"], row["weight"]) for row in tags} == {("war", 1), (None, 4), ("peace", 5)}


def test_doubled_edges_become_one(graph: Store) -> None:
    edges = rated(OLD)
    write(graph, edges)
    write(graph, rated({("u", "1"): 7.0, ("v", "3"): 4.0}))
    found = diff_edges(graph, edges, "a")
    assert pairs(edges, found.new) == {("u", "1"), ("v", "3")}
    assert len(found.changed) == 0
    assert sorted((row["s"], *row["t"]) for row in found.duplicates) == [("u", "1"), ("v", "3")]
    write_edges(graph, edges, "a", found)
    assert graph.read("MATCH (:User {id: 'u'})-[r:RATED]->(:Item {id: '1'}) RETURN r.rating AS r") == [{"r": 1.0}]
    assert graph.read("MATCH ()-[r:RATED]->() RETURN count(r) AS n") == [{"n": 4}]


def test_ends_that_are_to_be_renamed_are_compared_under_their_new_names(graph: Store) -> None:
    write(graph, rated({("u", "1"): 1.0, ("v", "2"): 2.0}))
    edges = rated({("a:u", "1"): 1.0, ("v", "9"): 2.0})
    found = diff_edges(graph, edges, "a", renamed=({"u": "a:u"}, {"2": "9"}))
    assert (len(found.new), len(found.changed), found.num_removed) == (0, 0, 0)


def test_many_pieces_are_one_comparison(graph: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EDGES_A_PIECE", 2)
    monkeypatch.setattr(module, "NODES_A_PIECE", 2)
    write(graph, rated(OLD))
    edges = rated({**OLD, ("u", "2"): 9.0, ("w", "2"): 1.0})
    for append in (False, True):
        found = diff_edges(graph, edges, "a", append)
        assert pairs(edges, found.new) == {("w", "2")}
        assert pairs(edges, found.changed) == {("u", "2")}
        assert found.num_removed == 0
