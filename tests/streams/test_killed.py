"""A consumer, or the database, that is killed at any moment loses nothing and doubles nothing."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from graphrec.errors import StoreError
from graphrec.store import Address, EmbeddedServer, Store, connect
from graphrec.streams import read_positions, read_rejected
from graphrec.streams.positions import Position
from tests.sizes import NEO4J_IS_SLOW

from . import brokers
from .events import expect_edges, make_bodies, make_items, read_edges, write_lines

TOML = """
name = "shop"

[input]
{input}

[edges.VIEWED]
from = "User:user"
to = "Item:item"
id = "id"
time = "at"
where = {{ type = "view" }}

[edges.RATED]
from = "User:user"
to = "Item:item"
id = "id"
time = "at"
weight = {{ name = "rating", column = "stars" }}
where = {{ type = "rate" }}
"""

#: Seconds for all records to arrive on a busy machine.
PATIENCE = 240


@contextmanager
def consumer(toml: Path, environment: Mapping[str, str], batch: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A `graphrec consume` in a process of its own."""
    command = [sys.executable, "-m", "graphrec", "consume", str(toml), "--batch", str(batch)]
    process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


def count_records(found: Mapping[str, Position]) -> int:
    return sum(each.accepted + each.repeated + each.rejected + each.ignored for each in found.values())


def count(store: Store) -> int:
    return count_records(read_positions(store, "shop"))


def kill_until_done(
    store: Store, toml: Path, environment: Mapping[str, str], number: int, kills: int, batch: int
) -> None:
    """Kill the consumer `kills` times, each soon after it wrote something, and let the last one end the work."""
    rng = random.Random(kills)
    for _ in range(kills):
        before = count(store)
        with consumer(toml, environment, batch) as process:
            wait_for(store, before + 1, process)
            time.sleep(rng.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
    with consumer(toml, environment, 500) as process:
        wait_for(store, number, process)
        while not catches_sigterm(process):  # there may be nothing left to read, and it may still be starting
            assert process.poll() is None, "the consumer ended"
            time.sleep(0.05)
        process.terminate()
        assert process.wait(60) == 0, "SIGTERM ends it"


def catches_sigterm(process: "subprocess.Popen[bytes]") -> bool:
    """Whether a process has a handler of SIGTERM (proc(5), SigCgt)."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def wait_for(store: Store, number: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while count(store) < number:
        assert process.poll() is None, "the consumer ended"
        assert time.monotonic() < deadline, f"{count(store)} of {number} records arrived"
        time.sleep(0.01)


def store_environment(address: Address) -> dict[str, str]:
    """The environment of a command that uses a database; the embedded server is found by its home."""
    names = ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD", "NEO4J_DATABASE")
    return dict(zip(names, (address.uri, address.username, address.password, address.database), strict=True))


def check(store: Store, bodies: list[bytes], malformed: int) -> None:
    assert read_edges(store) == expect_edges(bodies)
    assert count(store) == len(bodies)
    assert len(read_rejected(store)) == malformed


@NEO4J_IS_SLOW
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    ("kind", "kills"),
    [("folder", 1), *(pytest.param(kind, 30, marks=pytest.mark.slow) for kind in ("folder", "valkey", "mock"))],
)
def test_kills_of_the_consumer(
    shop: Store, tmp_path: Path, kind: str, kills: int, request: pytest.FixtureRequest
) -> None:
    bodies = make_bodies(100 * kills, 11)
    topic = f"events-{uuid.uuid4()}"
    if kind == "folder":
        (tmp_path / "events").mkdir()
        write_lines(tmp_path / "events" / "a.jsonl", bodies[: 50 * kills])
        write_lines(tmp_path / "events" / "b.jsonl", bodies[50 * kills :])
        source = 'folder = "events"'
    elif kind == "valkey":
        url = request.getfixturevalue("valkey_url")
        brokers.send_redis(url, topic, bodies)
        source = f'redis = "{url}"\nstream = "{topic}"\njson = "data"'
    else:
        servers = request.getfixturevalue("mock_kafka")
        brokers.send_kafka(servers, topic, bodies, [str(n % 17) for n in range(len(bodies))])
        source = (
            f'kafka = "{servers}"\ntopic = "{topic}"\ngroup = "{topic}"\noptions = {{ "session.timeout.ms" = "6000" }}'
        )
    toml = tmp_path / "shop.toml"
    toml.write_text(TOML.format(input=source), encoding="utf-8")
    kill_until_done(shop, toml, store_environment(shop.address), len(bodies), kills, 10)
    check(shop, bodies, kills)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_kills_of_the_database(tmp_path: Path) -> None:
    kills, number = 5, 3_000
    bodies, rng = make_bodies(number, 12), random.Random(1)
    server = EmbeddedServer(tmp_path / "home")
    with connect(server.start()) as store:
        make_items(store)
    (tmp_path / "events").mkdir()
    write_lines(tmp_path / "events" / "a.jsonl", bodies)
    toml = tmp_path / "shop.toml"
    toml.write_text(TOML.format(input='folder = "events"'), encoding="utf-8")
    environment = {"GRAPHREC_HOME": str(server.home)}
    os.environ.pop("NEO4J_URI", None)
    try:
        with consumer(toml, environment, 10) as process:
            for _ in range(kills):
                before = count_when_it_answers(server)
                while count_when_it_answers(server) <= before:
                    assert process.poll() is None
                time.sleep(rng.uniform(0, 0.2))
                for found in server._find_processes():
                    found.kill()
                    psutil.wait_procs([found], 30)
            while count_when_it_answers(server) < len(bodies):
                assert process.poll() is None
        with connect(server.start()) as store:
            check(store, bodies, round(number * 0.01))
    finally:
        server.stop()


def count_when_it_answers(server: EmbeddedServer) -> int:
    """The number of records that arrived, as soon as the database, which the consumer starts again, answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            address = server.address()
            if address is not None:
                with connect(address) as store:
                    return count(store)
        except StoreError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)
