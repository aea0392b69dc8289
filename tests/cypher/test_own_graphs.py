"""Query files on graphs of their own: one with every defect, an empty one, and one without times."""

from graphrec.store import Store

from .conftest import build
from .test_answers import ask


def test_the_health_of_a_graph(store: Store) -> None:
    build(store)
    store.write(
        "MATCH (u:User {id: 'ann'}), (h:Item {id: 'h'}), (x:Item {id: 'x'}) "
        "CREATE (:Odd), (:Operator {id: 'operator'}), (:Decision {id: '1-1'}), (:Experiment {id: 'e-1'}) "
        "CREATE (u)-[:RECOMMENDED {version: 9}]->(h), (u)-[:RECOMMENDED {version: 9}]->(x) "
        "SET h.keys = ['mine:x'] "
        "FOREACH (k IN [1, 2] | CREATE (h)-[:NEXT {source: 'mine', timestamp: 7}]->(x)) "
        "FOREACH (k IN [1, 2] | CREATE (x)-[:NEXT {source: 'mine'}]->(h)) "
        "CREATE (h)-[:NEXT {source: 'mine', timestamp: 8}]->(x)"
    )
    assert ask(store, "check_graph", "finding number examples") == [
        ("nodes without an id", 1, ["Odd"]),
        ("nodes without relationships", 2, ["Odd", "flo"]),
        ("keys of several nodes", 1, ["mine:x"]),
        ("duplicate edges of a source (load it again)", 2, ["mine: h NEXT x", "mine: x NEXT h"]),
        ("users without behaviour", 2, ["flo", "hal"]),
        ("items without behaviour", 2, ["h", "n"]),
        ("runs whose publication is unfinished", 1, ["r3"]),
        ("users without a list in the active run", 5, ["bob", "dora", "flo", "gus", "hal"]),
        ("recommendation edges of a deleted run", 2, ["9"]),
    ]


def test_an_empty_graph_is_healthy(store: Store) -> None:
    found = ask(store, "check_graph", "number examples")
    assert found == [(0, [])] * 9
    assert ask(store, "summarise_graph", "name number") == []


def test_behaviour_without_times_trends_nowhere(store: Store) -> None:
    store.write("CREATE (u:User {id: 'u'})-[:RATED]->(i:Item {id: 'i'}), (u)-[:VIEWED]->(i)")
    assert ask(store, "list_trending", "item") == []
    store.write("MATCH (:User)-[edge:VIEWED]->(:Item) SET edge.timestamp = 1")
    assert ask(store, "list_trending", "item") == [("i",)]
