"""A load on both databases: only the difference is written, and what is somebody else's is left alone."""

from dataclasses import replace

import pandas as pd
import pytest

from graphrec.errors import DataError, StoreError
from graphrec.ingest import write_source
from graphrec.schema import EdgeType, NodeType
from graphrec.store import Store
from graphrec.store.diff import diff_to_empty
from graphrec.store.edges import SortedEdges
from graphrec.store.nodes import WriteCounts
from graphrec.store.write import write_edges
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source
from tests.sizes import NEO4J_IS_SLOW

from .films import RATED, columns, source
from .loads import A, B, load, load_as_foretold, one, rated, written
from .snapshot import graph_of


def test_two_sources_are_one_graph(store: Store) -> None:
    assert written(load(store, A)) == {
        ("User", None): (2, 0, 0),
        ("Item", None): (3, 0, 0),
        ("RATED", "Item"): (3, 0, 0),
        ("TAGGED", "Item"): (2, 0, 0),
        ("FRIEND", "User"): (1, 0, 0),
    }
    assert one(store, "Item", "1") == {"id": "1", "keys": ["a:1"], "title": "Heat", "year": 1995}
    load_as_foretold(store, B)
    assert one(store, "Item", "1") == {
        **{"id": "1", "keys": ["a:1", "b:9"], "title": "Heat", "year": 1995, "length": 170},
        **{"a:title": "Heat", "a:year": 1995, "b:title": "Heat", "b:year": 1995, "b:length": 170},
    }
    assert one(store, "Item", "2")["length"] == 117  # a comes before b
    assert one(store, "User", "u") == {
        "id": "u",
        "keys": ["a:u", "b:1"],
        "email": "u@x",
        "a:email": "u@x",
        "b:email": "u@x",
    }
    assert rated(store) == {
        ("u", "1", 4.0, 10, "a"),
        ("u", "2", 5.0, None, "a"),
        ("v", "3", None, 12, "a"),
        ("u", "1", 2.0, 11, "b"),
        ("u", "2", 3.0, 12, "b"),
    }
    assert store.read("MATCH (s:Source) RETURN s.id AS id, s.status AS status ORDER BY id") == [
        {"id": "a", "status": "loaded"},
        {"id": "b", "status": "loaded"},
    ]


def test_loading_again_writes_nothing(store: Store) -> None:
    load(store, A)
    load(store, B)
    store.write("CREATE (:User {id: 'by hand', email: 'h@x'}), (:Item {id: 'by hand'})")
    before = graph_of(store)
    assert written(load(store, A)) == written(load(store, B)) == {}
    assert graph_of(store) == before


@NEO4J_IS_SLOW
def test_values_change_and_go_and_come(store: Store) -> None:
    load(store, A)
    load(store, B)
    newer = source(
        "a",
        [("1", "Heat", 1995, 171), ("2", "Alien", 1979, None), ("3", None, 1985, 132)],
        [("u", "1", None, 10), ("u", "2", 5.0, 7), ("v", "3", 1.5, None)],
        tags=[("u", "1", "slow"), ("u", "1", "loud")],
        friends=[("u", "v")],
        users=[("u", "u@x"), ("v", None)],
    )
    assert written(load_as_foretold(store, newer)) == {
        ("Item", None): (0, 3, 0),
        ("RATED", "Item"): (0, 3, 0),
        ("TAGGED", "Item"): (1, 0, 1),
    }
    assert one(store, "Item", "3") == {"id": "3", "keys": ["a:3"], "year": 1985, "length": 132}
    assert (one(store, "Item", "1")["length"], one(store, "Item", "2")["length"]) == (171, 116)
    assert {row for row in rated(store) if row[-1] == "a"} == {
        ("u", "1", None, 10, "a"),
        ("u", "2", 5.0, 7, "a"),
        ("v", "3", 1.5, None, "a"),
    }
    tags = store.read("MATCH (:User {id: 'u'})-[r:TAGGED]->(:Item {id: '1'}) RETURN r.tag AS tag ORDER BY tag")
    assert [row["tag"] for row in tags] == ["loud", "slow"]


@NEO4J_IS_SLOW
def test_what_a_source_no_longer_has_goes(store: Store) -> None:
    load(store, B)
    alone = graph_of(store)
    load(store, A)
    users, items = A.nodes
    fewer = GraphTables(
        (users, replace(items, frame=items.frame.iloc[1:].reset_index(drop=True))),
        (EdgeTable(RATED, columns(["source_id", "target_id", "rating", "timestamp"], [("v", "3", None, 12)])),),
        A.sources,
        A.links,
    )
    assert written(load_as_foretold(store, fewer)) == {
        ("Item", None): (0, 1, 0),  # Heat stays with b
        ("RATED", "Item"): (0, 0, 2),
        ("TAGGED", "Item"): (0, 0, 2),
        ("FRIEND", "User"): (0, 0, 1),
    }
    only_users = GraphTables((users,), (), A.sources, A.links)
    assert written(load(store, only_users))[("Item", None)] == (0, 1, 1)  # Alien stays with b, Brazil goes
    assert "length" not in one(store, "Source", "a")["schema"]
    nodes, edges = graph_of(store)
    assert not [edge for edge in edges if ("source", "a") in edge[-1]]
    assert {node for node in nodes if node[0] == ("Item",)} == {node for node in alone[0] if node[0] == ("Item",)}


def test_a_property_and_an_edge_property_that_a_source_no_longer_has_go(store: Store) -> None:
    load(store, A)
    users, items = A.nodes
    bare = GraphTables(
        (users, replace(items, type=replace(items.type, properties=("title",)))),
        (EdgeTable(EdgeType("User", "RATED", "Item"), A.edges[0].frame),),
        A.sources,
    )
    load(store, bare)
    assert one(store, "Item", "2") == {"id": "2", "keys": ["a:2"], "title": "Alien"}
    assert {row[2:4] for row in rated(store)} == {(None, None)}
    assert written(load(store, bare)) == {}


@NEO4J_IS_SLOW
def test_edges_stay_with_the_source_that_brought_them(store: Store) -> None:
    load(store, A)
    load(store, B)
    others = {row for row in rated(store) if row[-1] == "a"}
    load(store, source("b", [("9", "Heat", 1995, 170)], [("1", "9", 1.0, 1)], users=[("1", "u@x")]))
    assert rated(store) == {*others, ("u", "1", 1.0, 1, "b")}


@NEO4J_IS_SLOW
def test_records_that_move_take_the_edges_of_their_source_along(store: Store) -> None:
    """Two films of a change places: b's records, and their edges, must change nodes."""
    load(store, source("a", [("1", "Heat", 1995, None), ("2", "Alien", 1979, None)], [("u", "1", 1.0, None)]))
    b = source(
        "b",
        [("x", "Heat", 1995, None), ("y", "Alien", 1979, None)],
        [("w", "x", 2.0, None), ("w", "y", 3.0, None)],
        tags=[("w", "x", "x"), ("w", "y", "y")],
    )
    load(store, b)
    store.write("MATCH (u:User {id: 'w'}), (i:Item {id: '1'}) CREATE (u)-[:RATED {rating: 9.0}]->(i)")
    load_as_foretold(
        store, source("a", [("1", "Alien", 1979, None), ("2", "Heat", 1995, None)], [("u", "1", 1.0, None)])
    )
    assert one(store, "Item", "1")["keys"] == ["a:1", "b:y"]
    assert rated(store) == {
        ("u", "1", 1.0, None, "a"),
        ("w", "1", 9.0, None, None),
        ("w", "1", 3.0, None, "b"),
        ("w", "2", 2.0, None, "b"),
    }
    tags = store.read("MATCH ()-[r:TAGGED]->(i:Item) RETURN i.id AS id, r.tag AS tag ORDER BY id")
    assert tags == [{"id": "1", "tag": "y"}, {"id": "2", "tag": "x"}]
    assert written(load(store, b)) == {}


@NEO4J_IS_SLOW
def test_ends_of_one_edge_that_both_move(store: Store) -> None:
    people = [("1", "a@x"), ("2", "b@x"), ("3", "c@x")]
    load(store, source("a", users=people))
    b = source("b", users=[("x", "a@x"), ("y", "b@x"), ("z", "c@x")], friends=[("x", "y"), ("y", "z")])
    load(store, b)
    load(store, source("a", users=[("1", "b@x"), ("2", "c@x"), ("3", "a@x")]))
    friends = "MATCH (u:User)-[:FRIEND]->(v:User) RETURN u.id AS u, v.id AS v ORDER BY u"
    assert store.read(friends) == [{"u": "1", "v": "2"}, {"u": "3", "v": "1"}]
    assert written(load(store, b)) == {}


@NEO4J_IS_SLOW
def test_names_change_places(store: Store) -> None:
    """Both have a film 1; where b's goes, a's takes back the name that stood before neither."""
    load(store, source("a", [("1", "Heat", 1995, None)], [("u", "1", 1.0, None)]))
    before = graph_of(store)
    b = source("b", [("1", "Alien", 1979, None)], [("w", "1", 2.0, None)])
    load(store, b)
    assert rated(store) == {("u", "a:1", 1.0, None, "a"), ("w", "b:1", 2.0, None, "b")}
    load(store, source("b", [("2", "Brazil", 1985, None)], [("w", "2", 2.0, None)]))
    assert one(store, "Item", "1")["title"] == "Heat"
    load(store, source("b"))
    assert graph_of(store)[1] == before[1]


@NEO4J_IS_SLOW
def test_doubled_edges_in_the_graph_are_one_after_a_load(store: Store) -> None:
    load(store, A)
    store.write(
        "MATCH (u:User {id: 'u'}), (i:Item {id: '1'}) "
        "CREATE (u)-[:RATED {source: 'a', rating: 4.0, timestamp: 10}]->(i) "
        "CREATE (u)-[:TAGGED {source: 'a', tag: 'slow'}]->(i)"
    )
    assert written(load(store, A)) == {("RATED", "Item"): (1, 0, 0), ("TAGGED", "Item"): (1, 0, 0)}
    assert store.read("MATCH ()-[r:RATED]->() RETURN count(r) AS n") == [{"n": 3}]
    assert store.read("MATCH ()-[r:TAGGED]->() RETURN count(r) AS n") == [{"n": 2}]
    assert written(load(store, A)) == {}


@NEO4J_IS_SLOW
def test_a_key_without_a_value_is_a_key_too(store: Store) -> None:
    kind = EdgeType("User", "VIEWED", "Item", ("timestamp", "seconds"), key=("timestamp",))

    def views(*rows: tuple[str, str, int | None, str | None]) -> GraphTables:
        frame = columns(["source_id", "target_id", "timestamp", "seconds"], rows)
        return GraphTables(A.nodes, (EdgeTable(kind, frame),), A.sources)

    load(store, views(("u", "1", None, "3"), ("u", "1", 7, "4")))
    assert written(load(store, views(("u", "1", None, "3"), ("u", "1", 7, "4")))) == {}
    assert written(load(store, views(("u", "1", None, "5"), ("u", "1", 7, "4")))) == {("VIEWED", "Item"): (0, 1, 0)}
    assert written(load(store, views(("u", "1", 7, "4")))) == {("VIEWED", "Item"): (0, 0, 1)}
    assert store.read("MATCH ()-[r:VIEWED]->() RETURN r.timestamp AS t, r.seconds AS s") == [{"t": 7, "s": "4"}]


@pytest.mark.parametrize("writers", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_several_writers_write_the_same_graph(store: Store, writers: int) -> None:
    films = [(str(k), f"Film number {k}", 1990, None) for k in range(40)]
    ratings = [(str(u), str(i), float(u), i) for u in range(60) for i in range(40) if (u * i) % 3]
    friends = [(str(u), str(v)) for u in range(60) for v in range(u) if (u + v) % 7 == 0]
    load(store, source("a", films, ratings, friends=friends), writers=writers)
    assert rated(store) == {(*rating, "a") for rating in ratings}
    found = store.read("MATCH (u:User)-[r:FRIEND]->(v:User) RETURN u.id AS u, v.id AS v")
    assert sorted((row["u"], row["v"]) for row in found) == sorted(friends)


@NEO4J_IS_SLOW
def test_a_node_that_vanishes_meanwhile_is_told_and_misplaces_nothing(store: Store) -> None:
    load(store, A)
    ratings = [(user, item, 1.0, None) for user in ("u", "v") for item in ("1", "2", "3")]
    edges = SortedEdges.from_table(
        EdgeTable(RATED, columns(["source_id", "target_id", "rating", "timestamp"], ratings))
    )
    for label, id_ in (("Item", "2"), ("User", "v")):
        store.write(f"MATCH (n:{label} {{id: $id}}) DETACH DELETE n", {"id": id_})
        with pytest.raises(StoreError, match="RATED: nodes of new edges vanished from the graph"):
            write_edges(store, edges, "z", diff_to_empty(edges))
        written_pairs = {row[:2] for row in rated(store) if row[-1] == "z"}
        assert written_pairs <= {(user, item) for user, item, *_ in ratings}
    assert written(load(store, A))[("Item", None)] == (1, 0, 0)


def test_keys_of_a_source_that_the_graph_does_not_know_are_told(store: Store) -> None:
    store.write("CREATE (:Item {id: '1', keys: ['old:1'], title: 'Heat'})")
    with pytest.raises(DataError, match=r"Item: 1 keys in the graph are of sources without a Source node \(old; first"):
        write_source(store, A)
    assert store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 1}]


def test_what_was_written_is_told_of_each_target(store: Store) -> None:
    loaded = write_source(store, A)
    assert WriteCounts("RATED", 3, 0, 0, "Item") in loaded.written
    assert loaded.rows == {"User": 2, "Item": 3, "RATED": 3, "TAGGED": 2, "FRIEND": 1}


def test_a_label_of_many_properties_is_read_back_exactly(store: Store) -> None:
    names = tuple(f"c{number}" for number in range(120))  # three names of each are asked for: more than a query names
    rows = [{"id": "a", **dict.fromkeys(names, 1)}, {"id": "b"}]
    frame = pd.DataFrame(rows).astype(dict.fromkeys(names, "Int64"))
    tables = GraphTables((NodeTable(NodeType("User", names), frame),), (), (Source("s"),))
    assert written(load(store, tables)) == {("User", None): (2, 0, 0)}
    assert written(load(store, tables)) == {}
    assert one(store, "User", "b") == {"id": "b", "keys": ["s:b"]}
