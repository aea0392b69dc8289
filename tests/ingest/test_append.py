"""Only what is new is added: nothing goes, nothing is erased, and a day costs what a day is."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from graphrec.ingest import LoadConfig, write_source
from graphrec.schema import EdgeType, NodeType
from graphrec.store import EmbeddedServer, Store, connect
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source
from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

from .films import RATED, columns, source
from .loads import A, B, load, load_as_foretold, one, rated, written
from .snapshot import graph_of

DAY = source(
    "a",
    [("1", None, None, 170), ("2", None, None, 118), ("4", "M", 1931, None)],
    [("u", "1", None, 20), ("u", "4", 2.0, 21), ("w", "1", 3.0, 22)],
    users=[("u", None), ("w", "w@x")],
)


def test_a_day_adds_and_completes_and_takes_nothing_away(store: Store) -> None:
    load(store, A)
    load(store, B)
    foretold = store.embedded or EVERYTHING
    assert written((load_as_foretold if foretold else load)(store, DAY, append=True)) == {
        ("User", None): (1, 0, 0),
        ("Item", None): (1, 2, 0),
        ("RATED", "Item"): (2, 1, 0),
    }
    assert one(store, "User", "u")["a:email"] == "u@x"
    heat = one(store, "Item", "1")
    assert (heat["a:title"], heat["a:year"], heat["a:length"], heat["length"]) == ("Heat", 1995, 170, 170)
    assert {row for row in rated(store) if row[-1] == "a"} == {
        ("u", "1", 4.0, 20, "a"),  # the day says nothing of the rating
        ("u", "2", 5.0, None, "a"),
        ("v", "3", None, 12, "a"),
        ("u", "4", 2.0, 21, "a"),
        ("w", "1", 3.0, 22, "a"),
    }
    after = graph_of(store)
    assert written(load(store, DAY, append=True)) == {}
    assert graph_of(store) == after
    assert store.read("MATCH ()-[r:TAGGED]->() RETURN count(r) AS n") == [{"n": 2}]


@NEO4J_IS_SLOW
def test_a_day_of_events_alone_keeps_the_properties_of_its_nodes(store: Store) -> None:
    load(store, A)
    before = graph_of(store)
    bare = GraphTables(
        (
            NodeTable(NodeType("User"), pd.DataFrame({"id": ["u"]})),
            NodeTable(NodeType("Item"), pd.DataFrame({"id": ["1"]})),
        ),
        (EdgeTable(EdgeType("User", "VIEWED", "Item"), columns(["source_id", "target_id"], [("u", "1")])),),
        A.sources,
    )
    assert written(load(store, bare, append=True)) == {("VIEWED", "Item"): (1, 0, 0)}
    nodes, edges = graph_of(store)
    assert {node for node in nodes if node[0] != ("Source",)} == {node for node in before[0] if node[0] != ("Source",)}
    assert len(edges) == len(before[1]) + 1
    assert written(load(store, A)) == {("VIEWED", "Item"): (0, 0, 1)}  # and a whole load takes away what it has not
    assert one(store, "Item", "1")["title"] == "Heat"


@NEO4J_IS_SLOW
def test_appending_to_an_empty_graph_is_loading(store: Store) -> None:
    load(store, A)
    expected = graph_of(store)
    store.write("MATCH (n) DETACH DELETE n")
    load(store, A, append=True)
    assert graph_of(store) == expected


@pytest.fixture
def embedded_store(embedded: EmbeddedServer) -> Iterator[Store]:
    """The embedded store, emptied."""
    with connect(embedded.start()) as store:
        store.write_repeatedly("MATCH (n) WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS number", {}, 1000)
        yield store


def events(users: "np.typing.NDArray[np.int64]", items: "np.typing.NDArray[np.int64]") -> GraphTables:
    frame = pd.DataFrame({"source_id": pd.Series(users).astype("str"), "target_id": pd.Series(items).astype("str")})
    frame = frame.drop_duplicates(ignore_index=True).assign(rating=1.0, timestamp=7)
    nodes = tuple(
        NodeTable(NodeType(label), pd.DataFrame({"id": frame[end].unique()}))
        for label, end in (("User", "source_id"), ("Item", "target_id"))
    )
    return GraphTables(nodes, (EdgeTable(RATED, frame),), (Source("shop"),))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_day_costs_what_a_day_is(embedded_store: Store) -> None:
    rng = np.random.default_rng(0)
    whole = events(rng.integers(0, 20_000, 1_000_000), rng.integers(0, 5_000, 1_000_000))
    day = events(rng.integers(0, 20_000, 3_000), rng.integers(0, 5_100, 3_000))
    seconds = []
    for tables, append in ((whole, False), (day, True)):
        start = time.perf_counter()
        write_source(embedded_store, tables, LoadConfig(append=append))
        seconds.append(time.perf_counter() - start)
    assert seconds[1] <= 0.1 * seconds[0]
    assert seconds[1] > 0
    pairs = pd.concat([tables.edges[0].frame for tables in (whole, day)])[["source_id", "target_id"]].drop_duplicates()
    assert embedded_store.read("MATCH ()-[r:RATED]->() RETURN count(r) AS n") == [{"n": len(pairs)}]


@NEO4J_IS_SLOW
def test_precedence_of_a_day(store: Store) -> None:
    load(store, A)
    load(store, B)
    higher = replace(B, sources=(replace(B.sources[0], precedence=1),))
    load(store, higher, append=True)
    assert one(store, "Item", "1")["length"] == 116  # b's Alien is called 1 now
    assert one(store, "Item", "1")["keys"] == ["a:2", "b:1"]
    load(store, B)
    assert one(store, "Item", "2")["length"] == 117
