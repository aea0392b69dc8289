"""Events become edges, once, on both databases; and loads and unlink know them as a source."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from graphrec.config import Settings
from graphrec.errors import DataError
from graphrec.events import Event, EventPolicy, EventSink, delete_user, put_node
from graphrec.graph import Graph
from graphrec.ingest import load, unlink_source
from graphrec.schema import ITEM, USER
from graphrec.store import Store, connect
from graphrec.store.nodes import ensure_constraint
from graphrec.store.sources import read_sources

EVENT = Event("e1", "VIEWED", "u1", "i1", 1_790_000_000)


@pytest.fixture
def graph(store: Store) -> Store:
    """A store with two users and two items."""
    for label in (USER, ITEM):
        ensure_constraint(store, label)
    store.write("UNWIND ['1', '2'] AS n CREATE (:User {id: 'u' + n}), (:Item {id: 'i' + n, title: 'Item ' + n})")
    return store


def edges(store: Store) -> list[tuple[str, str, str, str]]:
    rows = store.read(
        "MATCH (u:User)-[e]->(i:Item) RETURN u.id AS user, type(e) AS type, i.id AS item, e.event AS event "
        "ORDER BY event, user, item"
    )
    return [(row["user"], row["type"], row["item"], row["event"]) for row in rows]


def test_events_are_written_once_with_their_properties(graph: Store) -> None:
    sink = EventSink(EventPolicy())
    batch = [EVENT, EVENT, replace(EVENT, id="e2", behaviour="LISTENED", values={"count": 3.0}, recommendation_id="r")]
    assert [outcome.status for outcome in sink.write(graph, batch)] == ["accepted", "repeated", "accepted"]
    assert [outcome.status for outcome in sink.write(graph, batch)] == ["repeated"] * 3
    assert [o.status for o in EventSink(EventPolicy()).write(graph, batch)] == ["repeated"] * 3, "another process"
    assert edges(graph) == [("u1", "VIEWED", "i1", "e1"), ("u1", "LISTENED", "i1", "e2")]
    (row,) = graph.read("MATCH ()-[e:LISTENED]->() RETURN properties(e) AS p")
    assert row["p"].pop("received") > 1_700_000_000_000
    assert row["p"] == {
        "event": "e2",
        "source": "events",
        "timestamp": 1_790_000_000,
        "count": 3.0,
        "recommendation_id": "r",
    }


def test_the_latest_rating_of_a_pair_is_kept_also_within_a_batch(graph: Store) -> None:
    def rating(id_: str, value: float, timestamp: int) -> Event:
        return Event(id_, "RATED", "u1", "i1", timestamp, {"rating": value})

    sink = EventSink(EventPolicy())
    sink.write(graph, [rating("a", 1.0, 100), rating("b", 2.0, 300), rating("c", 3.0, 200)])
    found = "MATCH (:User)-[e:RATED]->(:Item) RETURN e.event AS event, e.rating AS rating, e.timestamp AS timestamp"
    assert graph.read(found) == [{"event": "b", "rating": 2.0, "timestamp": 300}]
    assert [o.status for o in sink.write(graph, [rating("b", 2.0, 300)])] == ["repeated"]
    sink.write(graph, [rating("d", 4.0, 299)])
    assert graph.read(found)[0]["event"] == "b"
    sink.write(graph, [rating("e", 5.0, 400)])
    assert graph.read(found) == [{"event": "e", "rating": 5.0, "timestamp": 400}]


def test_unknown_ids_follow_the_policy(graph: Store) -> None:
    stranger, thing = replace(EVENT, id="x", user="new user"), replace(EVENT, id="y", item="new item")
    rejecting = EventSink(EventPolicy(create_users=False))
    first, second = rejecting.write(graph, [stranger, thing])
    assert (first.status, second.status) == ("rejected", "rejected")
    assert "there is no user new user" in first.reason
    creating = EventSink(EventPolicy(create_users=True, create_items=True))
    assert {o.status for o in creating.write(graph, [stranger, thing])} == {"accepted"}
    assert len(graph.read("MATCH (n) WHERE n.id IN ['new user', 'new item'] RETURN n.id AS id")) == 2


def test_two_processes_that_write_the_same_events_at_once_write_each_once(graph: Store) -> None:
    events = [replace(EVENT, id=f"e{n}", user=f"u{1 + n % 2}", item=f"i{1 + n // 2 % 2}") for n in range(40)]
    EventSink(EventPolicy()).write(graph, [replace(EVENT, id="first")])  # makes the constraints
    accepted: list[str] = []
    errors: list[Exception] = []

    def write() -> None:
        try:
            with connect(graph.address) as own:
                sink = EventSink(EventPolicy())
                for start in range(0, len(events), 10):
                    outcomes = sink.write(own, events[start : start + 10])
                    accepted.extend(outcome.status for outcome in outcomes)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(accepted) == 80
    assert len(edges(graph)) == 41


def test_a_load_keeps_the_events_and_unlink_removes_them(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "train.txt").write_text("0 0 1\n1 1 2\n", encoding="utf-8")
    home = tmp_path / "home"
    load(store, "interactions", folder, home)
    sink = EventSink(EventPolicy())
    sink.write(store, [Event("e1", "VIEWED", "0", "2", 100), Event("e2", "VIEWED", "visitor", "1", 100)])
    (folder / "train.txt").write_text("0 0 1 2\n1 1 2\n", encoding="utf-8")
    load(store, "interactions", folder, home)
    assert [edge for edge in edges(store) if edge[3]] == [("0", "VIEWED", "2", "e1"), ("visitor", "VIEWED", "1", "e2")]
    (events,) = [each for each in read_sources(store) if each.source.name == "events"]
    assert [kind.relation for kind in events.edges] == ["VIEWED"]
    graph = Graph(store, Settings(graphrec_home=home))
    assert "VIEWED" in set(graph.schema()["type"])
    unlink_source(store, "events", home)
    assert not [edge for edge in edges(store) if edge[3]]


def test_properties_and_attributes_of_an_item(graph: Store) -> None:
    graph.write("MATCH (i:Item {id: 'i1'}) CREATE (i)-[:IN_GENRE {source: 'shop'}]->(:Genre {id: 'loaded'})")
    change = put_node(graph, ITEM, "i3", {"title": "New", "tags": ["a", "b"]}, {"IN_GENRE": ["x", "y", "x"]})
    assert (change.created, change.properties) == (True, 2)
    put_node(graph, ITEM, "i1", {"title": None, "price": 3}, {"IN_GENRE": ["y"]})
    genres = "MATCH (i:Item)-[:IN_GENRE]->(g:Genre) RETURN i.id AS item, g.id AS genre ORDER BY item, genre"
    found = [(row["item"], row["genre"]) for row in graph.read(genres)]
    assert found == [("i1", "loaded"), ("i1", "y"), ("i3", "x"), ("i3", "y")]
    put_node(graph, ITEM, "i3", {}, {"IN_GENRE": ["y"]})
    assert [row["genre"] for row in graph.read(genres) if row["item"] == "i3"] == ["y"]
    assert graph.read("MATCH (i:Item {id: 'i1'}) RETURN properties(i) AS p") == [{"p": {"id": "i1", "price": 3}}]
    for name in ("id", "keys", "embedding", "shop:title"):
        with pytest.raises(DataError, match="is written by graphrec only"):
            put_node(graph, ITEM, "i1", {name: "x"}, {})
    with pytest.raises(DataError, match="no item has an attribute by MADE_OF, so its label is unknown"):
        put_node(graph, ITEM, "i1", {}, {"MADE_OF": ["wood"]})


def test_a_user_is_deleted_with_all_edges(graph: Store) -> None:
    EventSink(EventPolicy()).write(graph, [EVENT])
    graph.write("MATCH (a:User {id: 'u1'}), (b:User {id: 'u2'}) CREATE (a)-[:FRIEND]->(b)")
    deleted = delete_user(graph, "u1")
    assert (deleted.nodes, deleted.edges) == (1, 2)
    assert delete_user(graph, "u1").nodes == 0
    assert edges(graph) == []
