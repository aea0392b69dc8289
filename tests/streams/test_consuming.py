"""Each record becomes one edge or one rejected event, on both databases, whatever happens in between."""

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from graphrec.cache import open_cache
from graphrec.config import Settings
from graphrec.errors import DataError, GraphrecError, StoreError
from graphrec.events import EventSink, delete_user
from graphrec.graph import Graph
from graphrec.ingest import load, unlink_source
from graphrec.store import Store, connect
from graphrec.store.counts import count_graph
from graphrec.store.read import read_schema
from graphrec.streams import (
    ConsumeOptions,
    Consumer,
    consuming,
    delete_rejected,
    parse_mapping,
    positions,
    read_positions,
    read_rejected,
    retry_all,
)
from graphrec.streams.positions import FencedError
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Consume
from .events import EDGES, describe, expect_edges, make_bodies, read_edges, write_lines

VIEW = {"id": "e1", "type": "view", "user": "u1", "item": "i1", "at": 1_700_000_000}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "events"
    made.mkdir()
    return made


def write(folder: Path, *records: Mapping[str, Any]) -> None:
    write_lines(folder / "a.jsonl", [json.dumps(record).encode() for record in records])


def view(number: int, **more: Any) -> dict[str, Any]:
    return {**VIEW, "id": f"e{number}", **more}


def move(store: Store, expected: str, new: str) -> None:
    store.transact(lambda run: positions.claim(run, "s", {"p": (expected, new)}))


def test_two_processes_with_the_same_position_never_both_move_it(shop: Store) -> None:
    positions.create(shop, "s", ["p"])
    move(shop, "", "0")
    winners: list[int] = []
    losers: list[int] = []
    barrier = threading.Barrier(2)

    def race() -> None:
        with connect(shop.address) as own:
            for number in range(4):
                barrier.wait(60)
                try:
                    move(own, str(number), str(number + 1))
                    winners.append(number)
                except FencedError:
                    losers.append(number)

    threads = [threading.Thread(target=race) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (winners, losers) == (list(range(4)), list(range(4)))
    with pytest.raises(FencedError):
        move(shop, "0", "1")
    with pytest.raises(FencedError):
        shop.transact(lambda run: positions.claim(run, "s", {"p": ("4", "5"), "new": ("", "8")}))
    assert {name: each.next for name, each in read_positions(shop, "s").items()} == {"p": "4"}, "all or none"


def test_two_consumers_of_one_folder_write_each_record_once(shop: Store, folder: Path, tmp_path: Path) -> None:
    bodies = make_bodies(120, 5)
    write_lines(folder / "a.jsonl", bodies[:60])
    write_lines(folder / "b.jsonl", bodies[60:])
    spec = parse_mapping(describe({"folder": "events"}), tmp_path / "shop.toml", tmp_path)
    consumers = [
        Consumer(spec, lambda: connect(shop.address), open_cache("none"), ConsumeOptions(once=True, batch=8))
        for _ in range(2)
    ]
    threads = [threading.Thread(target=each.run) for each in consumers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_edges(shop) == expect_edges(bodies)
    found = read_positions(shop, "shop").values()
    assert sum(each.accepted + each.repeated + each.rejected for each in found) == len(bodies)
    assert sum(each.consumed.accepted + each.consumed.repeated + each.consumed.rejected for each in consumers) == len(
        bodies
    )
    assert len(read_rejected(shop)) == 1


def test_unknown_users_and_items_are_created_held_or_rejected(shop: Store, folder: Path, consume: Consume) -> None:
    write(folder, view(1), view(2, user="new"), view(3, item="new"), view(4, item="later"))
    unknown = {"users": "hold", "items": "hold"}
    shop.write("CREATE (:User {id: 'u1'})")
    assert consume(shop, describe({"folder": "events"}, unknown=unknown)).accepted == 1
    assert [(each.user, each.item, each.held) for each in read_rejected(shop)] == [
        ("new", "i1", True),
        ("u1", "new", True),
        ("u1", "later", True),
    ]
    shop.write("CREATE (:User {id: 'new'}), (:Item {id: 'later'})")
    consume(shop, describe({"folder": "events"}, unknown=unknown))
    assert {edge[3] for edge in read_edges(shop)} == {"e1", "e2", "e4"}
    assert [each.item for each in read_rejected(shop)] == ["new"]
    done = retry_all(
        parse_mapping(describe({"folder": str(folder)}, unknown={"items": "create"}), Path("x"), folder),
        lambda: connect(shop.address),
        open_cache("none"),
    )
    assert (done.accepted, done.rejected) == (1, 0)
    assert read_rejected(shop) == []
    assert {edge[3] for edge in read_edges(shop)} == {"e1", "e2", "e3", "e4"}
    write(folder, view(5, user="no", item="no"))
    consume(shop, describe({"folder": "events"}, unknown={"users": "reject"}))
    (letter,) = read_rejected(shop)
    assert (letter.held, letter.reason[:19]) == (False, "there is no user no")


@NEO4J_IS_SLOW
def test_times_are_checked_by_the_declared_rules_and_retried_by_new_ones(
    shop: Store, folder: Path, consume: Consume
) -> None:
    now = int(time.time())
    write(folder, view(1, at=now - 100), view(2, at=now - 10_000), view(3, at=now + 10_000), view(4, at="soon"))
    consumed = consume(shop, describe({"folder": "events"}, times={"late": "1h", "future": "1h"}))
    assert (consumed.accepted, consumed.rejected) == (1, 3)
    reasons = [each.reason for each in read_rejected(shop)]
    assert "more than 3,600 s ago" in reasons[0]
    assert "more than 3,600 s in the future" in reasons[1]
    assert "at is no time: 'soon'" in reasons[2]
    wider = parse_mapping(describe({"folder": str(folder)}, times={"future": "1d"}), Path("x"), folder)
    done = retry_all(wider, lambda: connect(shop.address), open_cache("none"))
    assert (done.accepted, done.rejected) == (2, 1)
    assert delete_rejected(shop, "shop") == 1
    assert delete_rejected(shop) == 0


@NEO4J_IS_SLOW
def test_records_that_no_edge_takes_are_rejected_or_ignored(shop: Store, folder: Path, consume: Consume) -> None:
    write(folder, view(1), view(2, type="login"))
    assert consume(shop, describe({"folder": "events"})).rejected == 1
    consumed = consume(shop, describe({"folder": "events"}, unknown={"others": "ignore"}), from_start=True)
    assert (consumed.repeated, consumed.ignored) == (1, 1)


def test_hostile_ids_and_texts(shop: Store, folder: Path, consume: Consume) -> None:
    names = ["o'brien", 'a"b', "x\n\\`}", "<script>", "Zoë 🎈", "\u0000nul", "9" * 900, "' OR 1=1 //"]
    shop.write("UNWIND $ids AS id CREATE (:Item {id: id})", {"ids": names})
    write(folder, *[view(n, user=name, item=name, id=f"{n} {name}") for n, name in enumerate(names)])
    with (folder / "a.jsonl").open("ab") as file:
        file.write(b'{"id": "s", "type": "view", "user": "\\ud800", "item": "i1", "at": 1}\n\xff\xfe\n[1]\n')
        file.write(b'{"id": true, "type": "view", "user": "u1", "item": "i1", "at": 1}\n')
        file.write(b'{"id": "n", "type": "view", "user": "u1", "item": "i1", "at": 1e999}\n' + b"[" * 50_000 + b"\n")
    consumed = consume(shop, describe({"folder": "events"}), batch=4)
    assert (consumed.accepted, consumed.rejected) == (len(names), 6)
    assert {edge[0] for edge in read_edges(shop)} == set(names)


def test_a_record_that_the_database_refuses_is_rejected_alone(
    shop: Store, folder: Path, consume: Consume, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = make_bodies(60, 2, malformed=0)
    write_lines(folder / "a.jsonl", [*bodies[:30], json.dumps(view(999)).encode(), *bodies[30:]])
    written = EventSink.write

    def refuse(self: EventSink, store: Store, events: Any, before: Any = None, after: Any = None) -> Any:
        """As the method, in a transaction that the database refuses if it has event 999."""

        def spoil(run: Any) -> None:
            if any(event.id == "e999" for event in events):
                run("RETURN 1 / 0 + $missing", {})
            before(run)

        return written(self, store, events, spoil, after)

    monkeypatch.setattr(EventSink, "write", refuse)
    consumed = consume(shop, describe({"folder": "events"}))
    assert consumed.rejected == 1
    assert "the database refuses" in read_rejected(shop)[0].reason
    assert read_edges(shop) == expect_edges(bodies)
    (position,) = read_positions(shop, "shop").values()
    assert position.accepted + position.repeated == len(bodies)


@NEO4J_IS_SLOW
def test_a_consumer_waits_while_the_database_is_away(
    shop: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = make_bodies(100, 4)
    write_lines(folder / "a.jsonl", bodies)
    monkeypatch.setattr(consuming, "LONGEST_WAIT", 0.2)
    attempts = 0

    def open_sometimes() -> Store:
        nonlocal attempts
        attempts += 1
        if attempts in (2, 3, 4):
            raise StoreError("the database is away")
        return connect(shop.address)

    spec = parse_mapping(describe({"folder": "events"}), tmp_path / "x.toml", tmp_path)
    consumer = Consumer(spec, open_sometimes, open_cache("none"), ConsumeOptions(once=True, batch=30))
    broken = consumer._write

    def lose_once(*arguments: Any) -> Any:
        """As the method, but the connection is lost after the first commit, as if the answer had not arrived."""
        found = broken(*arguments)
        if attempts == 1:
            consumer._positions = {}
            raise StoreError("lost the graph database")
        return found

    monkeypatch.setattr(consumer, "_write", lose_once)
    consumer.run()
    assert attempts == 5
    assert read_edges(shop) == expect_edges(bodies)
    (position,) = read_positions(shop, "shop").values()
    assert position.accepted + position.repeated + position.rejected == len(bodies), "counted once each"


@NEO4J_IS_SLOW
def test_a_stream_of_nothing_but_junk_stops(
    shop: Store, folder: Path, consume: Consume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "MAX_REJECTED", 10)
    write_lines(folder / "a.jsonl", [b"junk"] * 30)
    with pytest.raises(GraphrecError, match="`graphrec rejected list` says why"):
        consume(shop, describe({"folder": "events"}), batch=5)
    assert len(read_rejected(shop)) == 10


@NEO4J_IS_SLOW
def test_loads_and_unlink_know_events_of_streams_as_a_source(
    store: Store, folder: Path, consume: Consume, tmp_path: Path
) -> None:
    data, home = tmp_path / "data", tmp_path / "home"
    data.mkdir()
    (data / "train.txt").write_text("0 0 1\n1 1 2\n", encoding="utf-8")
    load(store, "interactions", data, home)
    edges = {"ADMIRED": {**EDGES["VIEWED"], "where": {}}}
    write(folder, view(1, user="0", item="2"), view(2, user="visitor", item="1"), {"broken": 1})
    consume(store, {**describe({"folder": "events"}), "edges": edges})
    (data / "train.txt").write_text("0 0 1 2\n1 1 2\n", encoding="utf-8")
    load(store, "interactions", data, home)
    assert {edge[3] for edge in read_edges_of(store, "ADMIRED")} == {"e1", "e2"}
    schema = read_schema(store)
    assert "ADMIRED" in {edge.relation for edge in schema.edges}
    assert not {"StreamPosition", "RejectedEvent"} & {node.label for node in schema.nodes}
    assert any(each.label == "StreamPosition" for each in count_graph(store).labels)
    findings = Graph(store, Settings(graphrec_home=home))
    assert "ADMIRED" in set(findings.schema()["type"])
    with pytest.raises(DataError, match="events that applications reported"):
        load_named_events(store, tmp_path, home)
    unlink_source(store, "events", home)
    assert read_edges_of(store, "ADMIRED") == []
    write(folder, view(3, user="0", item="2"))
    consume(store, {**describe({"folder": "events"}), "edges": edges})
    load(store, "interactions", data, home)  # the Source node is there again
    assert {edge[3] for edge in read_edges_of(store, "ADMIRED")} == {"e3"}


def load_named_events(store: Store, tmp_path: Path, home: Path) -> None:
    (tmp_path / "own.csv").write_text("u,i\n0,1\n", encoding="utf-8")
    toml = 'name = "events"\n[edges.VIEWED]\nfile = "own.csv"\nfrom = "User:u"\nto = "Item:i"\ndangling = "add"\n'
    (tmp_path / "own.toml").write_text(toml, encoding="utf-8")
    Graph(store, Settings(graphrec_home=home)).load(tmp_path / "own.toml")


def read_edges_of(store: Store, relation: str) -> list[tuple[Any, ...]]:
    rows = store.read(f"MATCH (u:User)-[e:{relation}]->(i:Item) RETURN u.id AS u, i.id AS i, e.event AS event")
    return [(row["u"], relation, row["i"], row["event"]) for row in rows]


def test_a_user_who_is_forgotten_is_not_in_rejected_events(shop: Store, folder: Path, consume: Consume) -> None:
    write(folder, view(1), view(2, item="unknown"), view(3, user="u2", item="unknown"))
    consume(shop, describe({"folder": "events"}))
    assert [each.user for each in read_rejected(shop, user="u1")] == ["u1"]
    assert delete_user(shop, "u1").nodes == 1
    assert [each.user for each in read_rejected(shop)] == ["u2"]


@NEO4J_IS_SLOW
def test_an_impression_has_run_rank_and_propensity(shop: Store, folder: Path, consume: Consume) -> None:
    edge = {"from": "User:user", "to": "Item:item", "id": "id", "run": "run", "rank": "/place/rank"}
    edge |= {"propensity": "p", "recommendation_id": "answer"}
    shown = {"id": "1", "user": "u1", "item": "i1", "run": "r", "place": {"rank": 3}, "p": 0.25, "answer": "a"}
    write(folder, shown, {**shown, "id": "2", "p": 1.5}, {**shown, "id": "3", "place": {"rank": 0}})
    consumed = consume(shop, {"name": "s", "input": {"folder": "events"}, "edges": {"SHOWN": edge}})
    assert (consumed.accepted, consumed.rejected) == (1, 2)
    (row,) = shop.read("MATCH ()-[e:SHOWN]->() RETURN properties(e) AS p")
    assert {name: row["p"][name] for name in ("run", "rank", "propensity", "recommendation_id")} == {
        "run": "r",
        "rank": 3,
        "propensity": 0.25,
        "recommendation_id": "a",
    }
