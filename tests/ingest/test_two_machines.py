"""Two machines, each with a home of its own, load one source into one database at once."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from graphrec import ingest
from graphrec.store import Address, Store, connect, lease
from graphrec.store.counts import count_graph

SPEC = """
name = "shop"
[edges.VIEWED]
file = "views.csv"
from = "User:user"
to = "Item:item"
dangling = "add"
"""
PROGRAM = """
import sys
from pathlib import Path
from graphrec import ingest
from graphrec.store import Address, connect, lease
lease.STALE_SECONDS, lease.RENEWAL_INTERVAL, lease.CHECK_INTERVAL = 8.0, 0.5, 0.1
uri, username, password, database, home, spec = sys.argv[1:]
with connect(Address(uri, username, password, database)) as store:
    print("begins", flush=True)
    sys.stdin.readline()  # a process takes seconds to start on a busy machine
    ingest.load(store, "table", Path(spec), Path(home))
"""


def views(folder: Path, users: int) -> tuple[Path, int]:
    """A source in a folder, and how many edges it has."""
    pairs = [(f"u{n}", f"i{(n * k) % 97}") for n in range(users) for k in range(1, 20)]
    pairs = list(dict.fromkeys(pairs))
    (folder / "views.csv").write_text("user,item\n" + "".join(f"{user},{item}\n" for user, item in pairs))
    (folder / "shop.toml").write_text(SPEC)
    return folder / "shop.toml", len(pairs)


def start(address: Address, home: Path, spec: Path) -> "subprocess.Popen[str]":
    arguments = [address.uri, address.username, address.password, address.database, str(home), str(spec)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def go(process: "subprocess.Popen[str]", store: Store | None = None) -> None:
    """Let a process that was started begin its load; with a store, the lease there is as if renewed just now."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    if store is not None:
        store.write("MATCH (lease:WriteLease) WHERE lease.renewed IS NOT NULL SET lease.renewed = timestamp()")
    process.stdin.write("go\n")
    process.stdin.flush()


def edges(store: Store) -> tuple[int, int]:
    """All edges, and the pairs that they join."""
    (row,) = store.read(
        "MATCH (u:User)-[r:VIEWED]->(i:Item) WITH u, i, count(r) AS times RETURN sum(times) AS all, count(*) AS pairs"
    )
    return row["all"], row["pairs"]


def test_both_at_once_give_what_one_gives(store: Store, address: Address, tmp_path: Path) -> None:
    spec, number = views(tmp_path, 200)

    def load(home: str) -> None:
        with connect(address) as own:
            ingest.load(own, "table", spec, tmp_path / home)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(load, home) for home in ("one", "two")]:
            done.result()
    assert edges(store) == (number, number)
    assert count_graph(store).nodes == 200 + 97 + 1
    assert lease.read_lease(store) is None


@pytest.mark.slow
def test_a_killed_writer_blocks_another_machine_for_the_stale_time_at_most(
    store: Store, address: Address, tmp_path: Path
) -> None:
    spec, number = views(tmp_path, 5_000)
    killed = start(address, tmp_path / "one", spec)
    go(killed)
    while lease.read_lease(store) is None:
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    other = start(address, tmp_path / "two", spec)
    go(other, store)
    begun = time.monotonic()
    _, told = other.communicate(timeout=120)
    assert other.returncode == 0, told
    assert "waiting for another writer: load of shop by" in told
    assert edges(store) == (number, number)
    assert lease.read_lease(store) is None
    assert time.monotonic() - begun < 60


@pytest.mark.slow
def test_a_writer_that_was_paused_stops_when_another_took_over(store: Store, address: Address, tmp_path: Path) -> None:
    spec, number = views(tmp_path, 5_000)
    paused = start(address, tmp_path / "one", spec)
    go(paused)
    while lease.read_lease(store) is None:
        assert paused.poll() is None
        time.sleep(0.02)
    paused.send_signal(signal.SIGSTOP)
    try:
        other = start(address, tmp_path / "two", spec)
        go(other)
        _, told = other.communicate(timeout=400)
        assert other.returncode == 0, told
        assert edges(store) == (number, number)
    finally:
        paused.send_signal(signal.SIGCONT)
    _, told = paused.communicate(timeout=120)
    assert paused.returncode == 1
    assert "it stops, and nothing is written twice" in told
    assert edges(store) == (number, number)
