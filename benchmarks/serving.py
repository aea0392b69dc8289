"""Requests per second and latency of the HTTP server, for cached, published and folded-in answers.

python benchmarks/serving.py HOME     (a home folder with a published run; GRAPHREC_HOME by default)

Starts `graphrec serve` as a process, with its cache and without, and asks for 2,000 random users, by Zipf's law for
cached answers. Processor time is that of the server and of its embedded database; the load generator is another
process. Reports the machine's load, because wall times of a busy machine say little.
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

from graphrec.api.keys import KeyFile
from graphrec.config import Settings
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
    arguments = parser.parse_args()
    settings = Settings(**({} if arguments.home is None else {"graphrec_home": arguments.home}))
    rng = np.random.default_rng(0)
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
    print("|---|---|---|---|---|---|---|---|---|---|")
    name = f"benchmark {secrets.token_hex(4)}"
    key = KeyFile(settings.home).create(name, ("read", "write"), rate=0).text
    try:
        with serve(settings, key, None) as server:
            ranks = rng.zipf(1.2, 20_000)
            hot = [users[(rank - 1) % len(users)] for rank in ranks.tolist()]
            for clients in (1, 16):
                for user in dict.fromkeys(hot[:NUM_WARM]):  # answers expire after 60 s, so right before each row
                    request(http.client.HTTPConnection("127.0.0.1", server), key, "GET", address(user))
                measure("cached", settings.home, server, key, hot[:NUM_WARM], clients, arguments.seconds)
        with serve(settings, key, "none") as server:
            for clients in (1, 16):
                measure("published, no cache", settings.home, server, key, users, clients, arguments.seconds)
            visitors = [f"benchmark {n} {secrets.token_hex(4)}" for n in range(300)]
            add_visitors(server, key, visitors, items, "" if run is None else run.relation, rng)
            for clients in (1, 16):
                measure("folded in, no cache", settings.home, server, key, visitors, clients, arguments.seconds)
    finally:
        KeyFile(settings.home).revoke(name)
        with connect(settings.neo4j_address() or settings.embedded.start()) as store:
            store.write("MATCH (user:User) WHERE user.id STARTS WITH 'benchmark ' DETACH DELETE user")


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


def measure(what: str, home: Path, port: int, key: str, users: Sequence[str], clients: int, seconds: float) -> None:
    """Ask for `seconds` by some clients at once, and print a row."""
    server = next(
        c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN"
    )
    databases = [p.pid for p in psutil.process_iter() if "java" in p.name() and str(home) in " ".join(p.cmdline())]
    before = [_cpu([server]), _cpu(databases)]
    with ProcessPoolExecutor(1, get_context("spawn")) as generator:
        times, errors, hits, wall = generator.submit(ask, port, key, users, clients, seconds).result()
    used = [after - start for after, start in zip((_cpu([server]), _cpu(databases)), before, strict=True)]
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    cpu = " | ".join(f"{each / len(times) * 1000:.2f}" for each in used)
    rate, load = len(times) / wall, os.getloadavg()[0]
    share = f"{hits / len(times):.0%}"
    print(
        f"| {what} | {clients} | {share} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {cpu} | {errors} | {load:.1f} |",
        flush=True,
    )


def ask(port: int, key: str, users: Sequence[str], clients: int, seconds: float) -> tuple[list[float], int, int, float]:
    """The times of requests, the numbers of errors and of cached answers (by the header X-Cache), and the seconds of
    all, by clients that wait for each answer.

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
        path = address(users[position % len(users)])
        position += 1
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}"
        buffers[connection.fileno()], sent[connection.fileno()] = b"", time.perf_counter()
        connection.sendall(f"{head}\r\n\r\n".encode())

    for _ in range(clients):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        send(connection)
    while time.perf_counter() < start + seconds:
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
