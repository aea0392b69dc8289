"""The census: counts, types, sources and times, the same on both databases."""

import pytest

from graphrec.store import Store, counts
from graphrec.store.counts import PropertyCounts, SourceRecord, TripleCounts

GRAPH = """
CREATE (a:User {id: 'a', keys: ['one:1', 'two:7'], age: 31}), (b:User:Admin {id: 'b', keys: ['one:2', 'one:3']}),
       (x:Item {id: 'x', keys: ['two:1'], title: 'X', year: 1999}),
       (y:Item {id: 'y', keys: ['two:2'], year: 'unknown'}),
       (:Source {id: 'one', version: '1.0', status: 'loaded', licence: 'free'}), (:Source {id: 'two'}),
       (a)-[:RATED {source: 'one', rating: 4.5, timestamp: 200}]->(x),
       (b)-[:RATED {source: 'one', rating: 4.0, timestamp: 100}]->(x),
       (b)-[:RATED {source: 'two', rating: 1.0}]->(y),
       (a)-[:RATED]->(b),
       (a)-[:RECOMMENDED {version: 1, score: 0.5, rank: 1}]->(y)
"""


def test_labels_have_counts_types_and_sources(store: Store) -> None:
    store.write(GRAPH)
    found = {label.label: label for label in counts.count_graph(store).labels}
    assert set(found) == {"User", "Item", "Source"}
    assert (found["User"].count, found["User"].sources) == (2, {"one": 2, "two": 1})
    assert found["User"].properties == (
        PropertyCounts("id", ("string",), 2),
        PropertyCounts("keys", ("list",), 2),
        PropertyCounts("age", ("integer",), 1),
    )
    assert found["Item"].properties[2:] == (
        PropertyCounts("title", ("string",), 1),
        PropertyCounts("year", ("integer", "string"), 2),
    )


def test_triples_have_counts_types_sources_and_times(store: Store) -> None:
    store.write(GRAPH)
    taken = counts.count_graph(store)
    rated, among_users, recommended = taken.triples
    assert rated == TripleCounts(
        ("User", "RATED", "Item"),
        3,
        (
            PropertyCounts("rating", ("float",), 3),
            PropertyCounts("source", ("string",), 3),
            PropertyCounts("timestamp", ("integer",), 2),
        ),
        {"one": 2, "two": 1},
        first=100,
        last=200,
    )
    assert among_users == TripleCounts(("User", "RATED", "User"), 1)
    assert (recommended.triple, recommended.count) == (("User", "RECOMMENDED", "Item"), 1)
    assert (taken.nodes, taken.edges) == (6, 5)
    assert taken.sources == (SourceRecord("one", "1.0", "loaded", "free"), SourceRecord("two", None, None, None))


def test_a_property_that_no_sampled_edge_has_is_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(
        "CREATE (a:User {id: 'a'}), (x:Item {id: 'x'}) WITH a, x UNWIND range(1, 5) AS k "
        "CREATE (a)-[:RATED {n: k}]->(x)"
    )
    store.write("MATCH (a:User), (x:Item) CREATE (a)-[:RATED {rare: true, day: date('2020-01-02')}]->(x)")
    monkeypatch.setattr(counts, "SAMPLE", 1)
    (rated,) = counts.count_graph(store).triples
    assert {(part.name, part.types, part.count) for part in rated.properties} == {
        ("n", ("integer",), 5),
        ("rare", ("boolean",), 1),
        ("day", ("date",), 1),
    }


def test_what_is_gone_is_not_counted(store: Store) -> None:
    store.write("CREATE (:Gone {id: '1'})-[:WENT]->(:Gone {id: '2'})")
    assert counts.has_label(store, "Gone")
    assert counts.has_relation(store, ["WENT"])
    store.write("MATCH (n:Gone) DETACH DELETE n")
    taken = counts.count_graph(store)
    assert (taken.labels, taken.triples, taken.sources) == ((), (), ())
    assert not counts.has_label(store, "Gone")
    assert not counts.has_relation(store, ["WENT"])
    assert not counts.has_relation(store, [])


def test_odd_names_and_times_of_other_types(store: Store) -> None:
    store.write(
        "CREATE (:`A \"b\" ``c` {id: '1', keys: 'no list'})"
        "-[:`X|y` {timestamp: datetime('2020-01-02T00:00:00Z')}]->(:User)"
    )
    taken = counts.count_graph(store)
    assert [label.label for label in taken.labels] == ['A "b" `c', "User"]
    (odd,) = taken.triples
    assert odd.triple == ('A "b" `c', "X|y", "User")
    assert odd.properties == (PropertyCounts("timestamp", ("date and time",), 1),)
    assert (odd.first, odd.last) == (None, None)
