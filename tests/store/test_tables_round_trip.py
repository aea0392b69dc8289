"""Tables into the graph and back, on both databases: exact, repeatable, and only what changed is written."""

import pandas as pd
import pytest

from graphrec.errors import StoreError
from graphrec.ingest import LoadConfig, write_source
from graphrec.schema import EdgeType, NodeType
from graphrec.store import Store
from graphrec.store.nodes import WriteCounts, ensure_constraint
from graphrec.store.read import read_edges, read_nodes, read_schema, read_tables
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source
from tests.sizes import NEO4J_IS_SLOW

USER = NodeType("User", ("age",))
ITEM = NodeType("Item", ("title", "year"))
RATED = EdgeType("User", "RATED", "Item", ("rating", "timestamp"))
TAGGED = EdgeType("User", "TAGGED", "Item", ("tag",), ("tag",))


def tables(ratings: dict[tuple[str, str], float], title: str = "Alien", source: str = "mine") -> GraphTables:
    users = pd.DataFrame({"id": ["a", "b", "Zoë"], "age": pd.array([3, None, 5], dtype="Int64")})
    items = pd.DataFrame({"id": ["x", "007"], "title": [title, 'Bond\'s "Night"\\'], "year": [1979.0, None]})
    rated = pd.DataFrame(
        {
            "source_id": pd.array([user for user, _ in ratings], dtype="str"),
            "target_id": pd.array([item for _, item in ratings], dtype="str"),
            "rating": list(ratings.values()),
            "timestamp": pd.array([None if user == "b" else 7 for user, _ in ratings], dtype="Int64"),
        }
    )
    tagged = pd.DataFrame({"source_id": ["a", "a"], "target_id": ["x", "x"], "tag": ["scary", "Scary"]})
    return GraphTables(
        (NodeTable(USER, users), NodeTable(ITEM, items)),
        (EdgeTable(RATED, rated), EdgeTable(TAGGED, tagged)),
        (Source(source),),
    )


RATINGS = {("a", "x"): 3.5, ("a", "007"): 5.0, ("b", "x"): 0.5, ("Zoë", "007"): 1.0}


def edges(store: Store) -> set[tuple[object, ...]]:
    rows = store.read(
        "MATCH (a)-[r]->(b) RETURN a.id AS a, type(r) AS t, b.id AS b, r.rating AS rating, r.timestamp AS time, "
        "r.tag AS tag, r.source AS source"
    )
    return {tuple(row.values()) for row in rows}


EXPECTED = {
    ("a", "RATED", "x", 3.5, 7, None, "mine"),
    ("a", "RATED", "007", 5.0, 7, None, "mine"),
    ("b", "RATED", "x", 0.5, None, None, "mine"),
    ("Zoë", "RATED", "007", 1.0, 7, None, "mine"),
    ("a", "TAGGED", "x", None, None, "scary", "mine"),
    ("a", "TAGGED", "x", None, None, "Scary", "mine"),
}


def test_what_is_written_stands_in_the_graph(store: Store) -> None:
    written = write_source(store, tables(RATINGS)).written
    assert written == [
        WriteCounts("User", 3, 0),
        WriteCounts("Item", 2, 0),
        WriteCounts("RATED", 4, 0, target="Item"),
        WriteCounts("TAGGED", 2, 0, target="Item"),
    ]
    assert edges(store) == EXPECTED
    nodes = store.read("MATCH (n:Item) RETURN n.id AS id, n.title AS title, n.year AS year, n.keys AS keys")
    assert {(row["id"], row["title"], row["year"], tuple(row["keys"])) for row in nodes} == {
        ("x", "Alien", 1979.0, ("mine:x",)),
        ("007", 'Bond\'s "Night"\\', None, ("mine:007",)),
    }


@NEO4J_IS_SLOW
def test_writing_again_writes_nothing(store: Store) -> None:
    write_source(store, tables(RATINGS))
    again = write_source(store, tables(RATINGS)).written
    assert all((w.created, w.changed, w.deleted) == (0, 0, 0) for w in again)
    assert edges(store) == EXPECTED


def test_only_the_difference_is_written(store: Store) -> None:
    write_source(store, tables(RATINGS))
    ratings = {**RATINGS, ("a", "x"): 4.0, ("b", "007"): 2.0}
    del ratings[("Zoë", "007")]
    written = {w.name: w for w in write_source(store, tables(ratings, title="Aliens")).written}
    assert written["RATED"] == WriteCounts("RATED", created=1, changed=1, deleted=1, target="Item")
    assert written["Item"] == WriteCounts("Item", created=0, changed=1)
    assert written["TAGGED"] == WriteCounts("TAGGED", 0, 0, 0, "Item")
    assert {row[:4] for row in edges(store) if row[1] == "RATED"} == {
        ("a", "RATED", "x", 4.0),
        ("a", "RATED", "007", 5.0),
        ("b", "RATED", "x", 0.5),
        ("b", "RATED", "007", 2.0),
    }
    assert store.read("MATCH (n:Item {id: 'x'}) RETURN n.title AS title") == [{"title": "Aliens"}]


@NEO4J_IS_SLOW
def test_another_source_keeps_its_edges(store: Store) -> None:
    write_source(store, tables(RATINGS))
    store.write(
        "MATCH (u:User {id: 'a'}), (i:Item {id: 'x'}) "
        "CREATE (u)-[:RATED {rating: 1.0, source: 'theirs'}]->(i), (u)-[:RATED {rating: 2.0}]->(i)"
    )
    write_source(store, tables({("a", "x"): 4.0}), LoadConfig(allow_removal=True))
    assert {row for row in edges(store) if row[1] == "RATED"} == {
        ("a", "RATED", "x", 4.0, 7, None, "mine"),
        ("a", "RATED", "x", 1.0, None, None, "theirs"),
        ("a", "RATED", "x", 2.0, None, None, None),
    }


def test_tables_come_back_as_they_were_written(store: Store) -> None:
    write_source(store, tables(RATINGS))
    back = read_tables(store)
    items = back.node("Item").frame.set_index("id")
    assert items.loc["x", "title"] == "Alien"
    assert items["year"].to_dict()["x"] == 1979.0
    assert pd.isna(items["year"].to_dict()["007"])
    frame = back.edge("RATED").frame
    rows = zip(frame["source_id"], frame["target_id"], frame["rating"], strict=True)
    assert {(a, b): rating for a, b, rating in rows} == RATINGS
    assert frame.set_index("source_id")["timestamp"].isna().to_dict()["b"]  # a missing value shifts no column
    assert frame["rating"].dtype == "float64"


def test_columns_stay_aligned_where_values_are_missing(store: Store) -> None:
    store.write(
        "CREATE (a:User {id: 'u'}) WITH a UNWIND range(0, 9) AS k CREATE (a)-[r:VIEWED]->(:Item {id: toString(k)}) "
        "SET r.seconds = CASE WHEN k % 2 = 0 THEN k ELSE null END"
    )
    frame = read_edges(store, EdgeType("User", "VIEWED", "Item", ("seconds",)))
    found = dict(zip(frame["target_id"], frame["seconds"], strict=True))
    assert {item: value for item, value in found.items() if value == value} == {str(k): k for k in range(0, 10, 2)}


def test_an_empty_graph_has_an_empty_schema(store: Store) -> None:
    schema = read_schema(store)
    assert (schema.nodes, schema.edges) == ((), ())
    assert read_nodes(store, USER).empty
    assert read_edges(store, RATED).empty


def test_what_graphrec_publishes_is_not_part_of_the_schema(store: Store) -> None:
    store.write("CREATE (:Run {id: 'r'}), (:User {id: 'u'})-[:RECOMMENDED {rank: 1}]->(:Item {id: 'i'})")
    schema = read_schema(store)
    assert {node.label for node in schema.nodes} == {"User", "Item"}
    assert schema.edges == ()


@NEO4J_IS_SLOW
def test_what_others_keep_in_the_database_is_left_alone(store: Store) -> None:
    write_source(store, tables(RATINGS))
    store.write(
        "MATCH (u:User {id: 'a'}) CREATE (u)-[:PLACED]->(:Order {number: 1})-[:PAID_BY]->(:Invoice), ({free: true})"
    )
    back = read_tables(store)
    assert {table.type.label for table in back.nodes} == {"User", "Item"}
    assert {table.type.relation for table in back.edges} == {"RATED", "TAGGED"}


def test_names_that_need_quoting_are_quoted(store: Store) -> None:
    kind = NodeType("Odd `label`", ("a b",))
    frame = pd.DataFrame({"id": ["1"], "a b": ["v"]})
    write_source(store, GraphTables((NodeTable(kind, frame),), (), (Source("mine"),)))
    assert read_nodes(store, kind).to_dict("records") == [{"id": "1", "a b": "v"}]


def test_doubled_ids_in_the_graph_are_said(store: Store) -> None:
    store.write("UNWIND [1, 2] AS k CREATE (:Doubled {id: 'same'})")
    with pytest.raises(StoreError, match="Doubled nodes are not unique by id"):
        ensure_constraint(store, "Doubled")
