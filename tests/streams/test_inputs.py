"""The same records through a folder, Redis Streams and Kafka's protocol give the same graph, edge by edge."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from graphrec.errors import GraphrecError
from graphrec.store import EmbeddedServer, Store, connect
from graphrec.streams import parse_mapping, read_positions, read_rejected, read_status
from graphrec.streams.opening import open_input
from graphrec.streams.record import MAX_BYTES, InputUnavailableError, LostRecordsError

from . import brokers
from .conftest import Consume
from .events import describe, expect_edges, make_bodies, make_items, read_edges, write_lines

BODIES = make_bodies(600)
NUM_MALFORMED = 6


@pytest.fixture
def graph(embedded: EmbeddedServer) -> Iterator[Store]:
    """The embedded store with items; what both databases do differently is tested in test_consuming.py."""
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")
        make_items(store)
        yield store


def check_graph(store: Store, consumed: Any) -> None:
    assert read_edges(store) == expect_edges(BODIES)
    assert (consumed.repeated, consumed.rejected) == (12, NUM_MALFORMED) or consumed.accepted + consumed.repeated == 612
    letters = read_rejected(store)
    assert sorted(each.record for each in letters) == [f'{{"half": {n}' for n in range(NUM_MALFORMED)]
    assert {each.reason.partition(":")[0] for each in letters} == {"the record is not JSON"}
    assert sum(each.accepted + each.repeated + each.rejected for each in read_positions(store, "shop").values()) == 618


def test_a_folder_that_grows(graph: Store, consume: Consume, tmp_path: Path) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    write_lines(folder / "a.jsonl", BODIES[:200])
    write_lines(folder / "b.jsonl", BODIES[200:400])
    (folder / "other.txt").write_text("no records", encoding="utf-8")
    with (folder / "b.jsonl").open("ab") as file:
        file.write(BODIES[400][:10])  # a line that is being written
    first = consume(graph, describe({"folder": "events"}), batch=64)
    assert first.accepted + first.repeated + first.rejected == 400
    with (folder / "b.jsonl").open("ab") as file:
        file.write(BODIES[400][10:] + b"\r\n\n")
    write_lines(folder / "c.jsonl", BODIES[401:])
    second = consume(graph, describe({"folder": "events"}))
    assert second.accepted + second.repeated + second.rejected == 218
    check_graph(graph, second)
    assert consume(graph, describe({"folder": "events"})).accepted == 0
    again = consume(graph, describe({"folder": "events"}), from_start=True)
    assert (again.accepted, again.rejected) == (again.accepted, NUM_MALFORMED)
    assert read_edges(graph) == expect_edges(BODIES)


def test_a_file_that_was_cut_off_is_told_and_read_anew_if_wished(
    graph: Store, consume: Consume, tmp_path: Path
) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    write_lines(folder / "a.jsonl", BODIES[:10])
    consume(graph, describe({"folder": "events"}))
    (folder / "a.jsonl").write_bytes(BODIES[300] + b"\n")
    with pytest.raises(LostRecordsError, match="was cut off or replaced"):
        consume(graph, describe({"folder": "events"}))
    consume(graph, describe({"folder": "events"}), skip_lost=True)
    assert read_edges(graph) == expect_edges([*BODIES[:10], BODIES[300]])


def test_a_line_that_is_too_long_is_rejected_and_the_next_is_read(
    graph: Store, consume: Consume, tmp_path: Path
) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    long = json.dumps({"id": "x" * (2 * MAX_BYTES)}).encode()
    write_lines(folder / "a.jsonl", [BODIES[0], long, BODIES[1]])
    consumed = consume(graph, describe({"folder": "events"}))
    assert consumed.rejected == 1
    (letter,) = read_rejected(graph)
    assert "more than 1,048,576 bytes" in letter.reason
    assert letter.cut
    assert read_edges(graph) == expect_edges(BODIES[:2])


def test_redis_streams(graph: Store, consume: Consume, redis_url: str) -> None:
    name = f"events {uuid.uuid4()}"
    brokers.send_redis(redis_url, name, BODIES)
    source = {"redis": redis_url, "stream": name, "json": "data"}
    check_graph(graph, consume(graph, describe(source), batch=100))
    spec = parse_mapping(describe(source), Path("shop.toml"), Path())
    brokers.send_redis(redis_url, name, BODIES[:5])
    status = read_status(spec, graph)
    assert [each.lag for each in status.partitions] == [5]
    assert status.num_rejected == NUM_MALFORMED
    consume(graph, describe({**source, "trim": True}))
    assert redis.Redis.from_url(redis_url).xlen(name) == 0
    assert [each.lag for each in read_status(spec, graph).partitions] == [0]


def test_entries_of_redis_without_json_are_records(graph: Store, consume: Consume, valkey_url: str) -> None:
    name, client = f"plain {uuid.uuid4()}", redis.Redis.from_url(valkey_url)
    client.xadd(name, {"type": "view", "user": "ü1", "item": "i1", "id": "1", "at": "2023-11-14T22:13:20Z"})
    client.xadd(name, {b"type": b"view", b"user": b"\xff", b"item": b"i1", b"id": b"2", b"at": b"1700000000"})
    consumed = consume(graph, describe({"redis": valkey_url, "stream": name}))
    assert (consumed.accepted, consumed.rejected) == (1, 1)
    assert read_edges(graph) == [("ü1", "VIEWED", "i1", "1", 1_700_000_000, None)]
    assert "no UTF-8" in read_rejected(graph)[0].reason


def test_entries_that_redis_deleted_before_they_were_read_are_told(
    graph: Store, consume: Consume, redis_url: str
) -> None:
    name, client = f"short {uuid.uuid4()}", redis.Redis.from_url(redis_url)
    source = {"redis": redis_url, "stream": name, "json": "data"}
    brokers.send_redis(redis_url, name, BODIES[:3])
    consume(graph, describe(source))
    brokers.send_redis(redis_url, name, BODIES[3:9])
    client.xtrim(name, maxlen=2, approximate=False)
    with pytest.raises(LostRecordsError, match="were deleted before they were read"):
        consume(graph, describe(source))
    consume(graph, describe(source), skip_lost=True)
    assert read_edges(graph) == expect_edges([*BODIES[:3], *BODIES[7:9]])


def test_redis_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    source = {"redis": f"redis://:hidden@127.0.0.1:{brokers.free_port()}/0", "stream": "x"}
    spec = parse_mapping(describe(source), Path("shop.toml"), tmp_path)
    assert "hidden" not in repr(spec)
    opened = open_input(spec, dict, threading.Event())
    with pytest.raises(InputUnavailableError) as caught:
        opened.poll(1, 0.1)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "kind",
    ["mock", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("tansu", "noida", "kafka"))],
)
def test_kafka(
    graph: Store, consume: Consume, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with brokers.kafka(kind) as servers:
        topic = f"events-{uuid.uuid4()}"
        if kind != "mock":
            brokers.make_topic(servers, topic, 3)
        brokers.send_kafka(servers, topic, BODIES, [str(n % 17) for n in range(len(BODIES))])
        source = {
            "kafka": servers,
            "topic": topic,
            "group": topic,
            "options": {"topic.metadata.refresh.interval.ms": "500"},
        }
        check_graph(graph, consume(graph, describe(source), batch=100))
        assert len(read_positions(graph, "shop")) > 1, "several partitions"
        brokers.send_kafka(servers, topic, [next(body for body in BODIES if b"view" in body)])
        source["group"] = f"{topic}-again"  # positions are in the graph, and not those of the group
        spec = parse_mapping(describe(source), Path("shop.toml"), Path())
        assert sum(each.lag or 0 for each in read_status(spec, graph).partitions) == 1
        with monkeypatch.context() as patch:
            patch.setattr("graphrec.streams.kafka.SECONDS_ALONE", -1)
            positions = {name: each.next for name, each in read_positions(graph, "shop").items()}
            opened = open_input(spec, lambda: positions, threading.Event())
            assert opened.is_drained(positions), "no partition was assigned yet"
            opened.close()
        assert "gave this process no partition" in caplog.text
        assert "and 1 records are not read" in caplog.text
        assert consume(graph, describe(source)).repeated == 1


def test_an_unknown_option_of_kafka_is_told(graph: Store, consume: Consume) -> None:
    source = {"kafka": "127.0.0.1:1", "topic": "x", "options": {"no.such.option": "1"}}
    with pytest.raises(GraphrecError, match=r"does not fit Kafka.*no\.such\.option"):
        consume(graph, describe(source))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["noida", "kafka"])
def test_a_rebalance_of_two_consumers_doubles_and_loses_nothing(graph: Store, tmp_path: Path, kind: str) -> None:
    from graphrec.cache import open_cache
    from graphrec.streams import ConsumeOptions, Consumer

    with brokers.kafka(kind) as servers:
        topic = f"events-{uuid.uuid4()}"
        brokers.make_topic(servers, topic, 4)
        bodies = make_bodies(4_000, 3)
        keys = [str(n % 23) for n in range(len(bodies))]
        source = {"kafka": servers, "topic": topic, "group": topic}
        spec = parse_mapping(describe(source), tmp_path / "x.toml", tmp_path)
        consumers = [
            Consumer(spec, lambda: connect(graph.address), open_cache("none"), ConsumeOptions(batch=50))
            for _ in range(2)
        ]
        threads = [threading.Thread(target=each.run) for each in consumers]
        threads[0].start()
        brokers.send_kafka(servers, topic, bodies[:2_000], keys[:2_000])
        time.sleep(2)
        threads[1].start()
        brokers.send_kafka(servers, topic, bodies[2_000:], keys[2_000:])
        deadline = time.monotonic() + 120
        while sum(_count(each) for each in read_positions(graph, "shop").values()) < len(bodies):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        for each in consumers:
            each.ended.set()
        for thread in threads:
            thread.join(60)
        assert read_edges(graph) == expect_edges(bodies)
        assert sum(_count(each) for each in read_positions(graph, "shop").values()) == len(bodies)
        assert len(read_rejected(graph)) == 40


def _count(position: Any) -> int:
    return int(position.accepted + position.repeated + position.rejected + position.ignored)
