"""Requests per second, latency, processor time and memory of the HTTP server, beside a bare FastAPI route.

python benchmarks/serving.py HOME --prepare     (loads, trains and publishes Gowalla of GRAPHREC_DATA if nothing is)
python benchmarks/serving.py HOME               (a home folder with a published run; GRAPHREC_HOME by default)

Starts `graphrec serve` as a process, with its cache and without, and asks for 2,000 random users, by Zipf's law for
cached answers. "bare" is one FastAPI route that reads a user by the same Cypher and returns the published list, without
keys, cache and rules. "publishing" asks while another run is published and the first one is made active again (with
--prepare, or if HOME has two saved runs). Processor time is that of the server and of its embedded database; the load
generator is another process. Reports the machine's load, because wall times of a busy machine say little.
"""

import argparse
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import quote

import numpy as np
import psutil

from graphrec import runs
from graphrec.api.keys import KeyFile
from graphrec.benchmark.datasets import data_root
from graphrec.config import Settings
from graphrec.graph import Graph
from graphrec.pipeline.config import PublishConfig, TrainConfig
from graphrec.serving.live_user import read_live_user
from graphrec.store import connect
from graphrec.store.active_run import find_active_run

#: Number of users that are asked for.
USERS = 2_000

#: Number of requests by Zipf's law that the cached rows repeat; their users must be warmed up within a minute.
NUM_WARM = 500


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path, nargs="?", default=None)
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of each measurement")
    parser.add_argument(
        "--prepare", action="store_true", help="load, train and publish Gowalla if nothing is published"
    )
    parser.add_argument(
        "--requests", type=int, default=100_000, help="cached requests for the growth of memory; 0: none"
    )
    arguments = parser.parse_args()
    settings = Settings(**({} if arguments.home is None else {"graphrec_home": arguments.home}))
    rng = np.random.default_rng(0)
    if arguments.prepare:
        prepare(settings)
    with connect(settings.neo4j_address() or settings.embedded.start()) as store:
        ids = [
            row["id"] for row in store.read("MATCH (user:User) WHERE (user)-[:RECOMMENDED]->() RETURN user.id AS id")
        ]
        users = rng.permutation(sorted(ids))[:USERS].tolist()
        run = find_active_run(store)
        items = [row["id"] for row in store.read("MATCH (item:Item) RETURN item.id AS id ORDER BY id LIMIT 50000")]
    print(
        "| answers | clients | hits | requests/s | p50 ms | p99 ms | server CPU ms | database CPU ms | errors | load |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    name = f"benchmark {secrets.token_hex(4)}"
    key = KeyFile(settings.home).create(name, ("read", "write"), rate=0).text
    try:
        with serve(settings, key, None) as server:
            ranks = rng.zipf(1.2, 20_000)
            hot = [users[(rank - 1) % len(users)] for rank in ranks.tolist()]
            for clients in (1, 16):
                for user in dict.fromkeys(hot[:NUM_WARM]):  # answers expire after 60 s, so right before each row
                    request(http.client.HTTPConnection("127.0.0.1", server), key, "GET", address(user))
                measure("cached", settings.home, server, key, addresses(hot[:NUM_WARM]), clients, arguments.seconds)
            if arguments.requests:
                measure_memory(server, key, addresses(users[:NUM_WARM]), arguments.requests)
        with serve(settings, key, "none") as server:
            for clients in (1, 16):
                measure("published, no cache", settings.home, server, key, addresses(users), clients, arguments.seconds)
            pairs = list_pairs(server, key, users[:50])
            for clients in (1, 16):
                measure("explained", settings.home, server, key, pairs, clients, arguments.seconds)
            if run is not None and (other := find_other_run(settings, run.trained)) is not None:
                measure_publication(settings, server, key, addresses(users), other)
            visitors = [f"benchmark {n} {secrets.token_hex(4)}" for n in range(300)]
            add_visitors(server, key, visitors, items, "" if run is None else run.relation, rng)
            for clients in (1, 16):
                measure(
                    "folded in, no cache", settings.home, server, key, addresses(visitors), clients, arguments.seconds
                )
        with serve_bare(settings) as server:
            for clients in (1, 16):
                measure("published, bare", settings.home, server, key, addresses(users), clients, arguments.seconds)
    finally:
        KeyFile(settings.home).revoke(name)
        with connect(settings.neo4j_address() or settings.embedded.start()) as store:
            store.write("MATCH (user:User) WHERE user.id STARTS WITH 'benchmark ' DETACH DELETE user")


def prepare(settings: Settings) -> None:
    """Load Gowalla, train graph_filter with its default settings and item_knn, and publish the first, unless done."""
    with Graph(None, settings, print) as graph:
        if settings.runs.exists() and any(run.state == "active" for run in graph.list_runs()):
            return
        graph.load("interactions", data_root("gowalla") / "gowalla")
        default = TrainConfig(settings={}, measured=False)
        graph.train("item_knn", config=default)
        graph.publish(graph.train("graph_filter", config=default), 20, PublishConfig(force=True))


def find_other_run(settings: Settings, active: str) -> str | None:
    """The id of a saved run other than the active one."""
    return next((run.id for run in runs.list_saved(settings.runs) if run.id != active), None)


@contextmanager
def serve_bare(settings: Settings) -> Iterator[int]:
    """The port of the bare route, in another process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = get_context("spawn").Process(target=run_bare, args=(settings.home, port))
    process.start()
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.join()


def run_bare(home: Path, port: int) -> None:
    """Serve one route that reads a user by the Cypher of the server and returns the published list."""
    import uvicorn
    from fastapi import FastAPI

    settings = Settings(graphrec_home=home)
    store = connect(settings.neo4j_address() or settings.embedded.start())
    titles = {row["id"]: row["title"] for row in store.read("MATCH (i:Item) RETURN i.id AS id, i.title AS title")}
    run = find_active_run(store)
    app = FastAPI()

    @app.get("/v1/users/{user}/recommendations")
    def recommend(user: str, k: int = 10) -> dict[str, object]:
        live = read_live_user(store, user, run, titles)
        items = [{"item": each.item, "title": each.title, "score": each.score} for each in live.listed if not each.seen]
        return {"user": user, "items": items[:k]}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def list_pairs(port: int, key: str, users: Sequence[str]) -> list[str]:
    """The paths of explanations of users' best items."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    paths = []
    for user in users:
        _, body = request(connection, key, "GET", address(user))
        item = quote(json.loads(body)["items"][0]["item"], safe="")
        paths.append(f"/v1/users/{quote(user, safe='')}/recommendations/{item}/explanation")
    return paths


def measure_memory(port: int, key: str, paths: Sequence[str], number: int) -> None:
    """Ask a number of times by 16 clients, and print the memory and connections after a tenth and at the end."""
    server = psutil.Process(find_server(port))
    sizes = []
    asked = 0
    for part in (number // 10, number - number // 10):
        done = 0
        while done < part:  # warm answers expire, and are computed again
            with ProcessPoolExecutor(1, get_context("spawn")) as generator:
                times, errors, _, _ = generator.submit(ask, port, key, paths, 16, 10.0, part - done).result()
            done += len(times)
            assert errors == 0
        asked += done
        sizes.append(server.memory_info().rss)
        open_now = len([c for c in server.net_connections("tcp") if c.laddr.port == port and c.status == "ESTABLISHED"])
        print(f"\nafter {asked:,} requests: {sizes[-1] / 2**20:,.0f} MiB, {open_now} connections", flush=True)
    print(f"growth after the first tenth: {sizes[1] / sizes[0] - 1:.1%}\n", flush=True)


def measure_publication(settings: Settings, port: int, key: str, paths: Sequence[str], other: str) -> None:
    """Ask by 4 clients while another run is published and the first is made active again, and before that."""
    measure("before publishing", settings.home, port, key, paths, 4, 10.0)
    with Graph(None, settings) as graph, ProcessPoolExecutor(1, get_context("spawn")) as publisher:
        publication = publisher.submit(publish_and_return, settings.home, other)
        while not publication.done():
            measure("publishing", settings.home, port, key, paths, 4, 10.0)
        publication.result()
        assert any(run.state == "active" for run in graph.list_runs())


def publish_and_return(home: Path, run: str) -> None:
    """Publish a run, and make the earlier one active again."""
    with Graph(None, Settings(graphrec_home=home)) as graph:
        graph.publish(run, 20, PublishConfig(force=True))
        graph.rollback()


@contextmanager
def serve(settings: Settings, key: str, cache: str | None) -> Iterator[int]:
    """The port of a server that is ready; its processor time is found by the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {**os.environ, "GRAPHREC_HOME": str(settings.home)}
    environment.pop("GRAPHREC_CACHE_URL", None)
    if cache is not None:
        environment["GRAPHREC_CACHE_URL"] = cache
    process = subprocess.Popen(
        [sys.executable, "-m", "graphrec", "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                status, body = request(http.client.HTTPConnection("127.0.0.1", port), key, "GET", "/readyz")
                if status == 200 and json.loads(body)["parts"]["model"] == "ok":
                    break
            except OSError:
                pass
            time.sleep(0.5)
        time.sleep(2)  # trending and popular items are read
        yield port
    finally:
        process.terminate()
        process.wait()


def add_visitors(
    port: int, key: str, visitors: Sequence[str], items: Sequence[str], behaviour: str, rng: np.random.Generator
) -> None:
    """Create users whom the run does not know, with 20 interactions each."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for visitor in visitors:
        chosen = rng.choice(len(items), 20, replace=False)
        events = [
            {"event": f"{visitor} {n}", "behaviour": behaviour, "user": visitor, "item": items[n]} for n in chosen
        ]
        status, body = request(connection, key, "POST", "/v1/events", json.dumps({"events": events}))
        assert status == 200, body


def find_server(port: int) -> int:
    """The process that listens at a port."""
    found: int = next(
        c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN"
    )
    return found


def measure(what: str, home: Path, port: int, key: str, paths: Sequence[str], clients: int, seconds: float) -> None:
    """Ask for `seconds` by some clients at once, and print a row."""
    server = find_server(port)
    databases = [p.pid for p in psutil.process_iter() if "java" in p.name() and str(home) in " ".join(p.cmdline())]
    before = [_cpu([server]), _cpu(databases)]
    with ProcessPoolExecutor(1, get_context("spawn")) as generator:
        times, errors, hits, wall = generator.submit(ask, port, key, paths, clients, seconds).result()
    used = [after - start for after, start in zip((_cpu([server]), _cpu(databases)), before, strict=True)]
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    cpu = " | ".join(f"{each / len(times) * 1000:.2f}" for each in used)
    rate, load = len(times) / wall, os.getloadavg()[0]
    share = f"{hits / len(times):.0%}"
    print(
        f"| {what} | {clients} | {share} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {cpu} | {errors} | {load:.1f} |",
        flush=True,
    )


def ask(
    port: int, key: str, paths: Sequence[str], clients: int, seconds: float, most: int = 10**9
) -> tuple[list[float], int, int, float]:
    """The times of at most `most` requests, the numbers of errors and of cached answers (by the header X-Cache), and
    the seconds of all, by clients that wait for each answer.

    One thread drives all clients: it sends a request on each connection and reads the answers in turn.
    """
    import selectors

    selector = selectors.DefaultSelector()
    times: list[float] = []
    errors = hits = position = 0
    start = time.perf_counter()
    sent: dict[int, float] = {}
    buffers: dict[int, bytes] = {}

    def send(connection: socket.socket) -> None:
        nonlocal position
        path = paths[position % len(paths)]
        position += 1
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}"
        buffers[connection.fileno()], sent[connection.fileno()] = b"", time.perf_counter()
        connection.sendall(f"{head}\r\n\r\n".encode())

    for _ in range(clients):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        send(connection)
    while time.perf_counter() < start + seconds and len(times) < most:
        for event, _ in selector.select(timeout=5):
            connection = event.fileobj  # type: ignore[assignment]  # sockets were registered
            number = connection.fileno()
            buffers[number] += connection.recv(1 << 16)
            head, separator, body = buffers[number].partition(b"\r\n\r\n")
            if not separator:
                continue
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(body) < length:
                continue
            times.append(time.perf_counter() - sent[number])
            errors += not head.startswith(b"HTTP/1.1 200")
            hits += b"x-cache: hit" in head.lower()
            send(connection)
    return times, errors, hits, time.perf_counter() - start


def addresses(users: Sequence[str]) -> list[str]:
    """The paths and queries of requests for users."""
    return [address(user) for user in users]


def address(user: str) -> str:
    """The path and query of a request for a user."""
    return f"/v1/users/{quote(user, safe='')}/recommendations?k=10"


def request(
    connection: http.client.HTTPConnection, key: str, method: str, path: str, body: str | None = None
) -> tuple[int, bytes]:
    """Status and body of one request."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read()


def _cpu(processes: Sequence[int]) -> float:
    """The processor seconds of processes."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in processes)


if __name__ == "__main__":
    main()
