"""Many loads in a row into one embedded server: nothing is lost, nothing is left, and nothing grows."""

import random
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from graphrec import ingest
from graphrec.store import EmbeddedServer, connect
from graphrec.store.embedded import MAX_LOG

LOADS = 200
CHANGED = ingest.LoadConfig(allow_removal=True)  # each load has almost only other views than the one before
SPEC = """
name = "shop"
[nodes.Item]
file = "items.csv"
id = "item"
properties = ["title"]
[edges.VIEWED]
file = "views.csv"
from = "User:user"
to = "Item:item"
dangling = "add"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    made = EmbeddedServer(tmp_path / "home")
    yield made
    made.stop()


def resident(server: EmbeddedServer) -> int:
    """The bytes of memory that the server's process holds."""
    mark = f"@{server.folder / 'java.args'}"
    (process,) = [each for each in psutil.process_iter(["cmdline"]) if mark in (each.info["cmdline"] or [])]
    return int(process.memory_info().rss)


def write_files(folder: Path, rng: random.Random) -> set[tuple[str, str]]:
    """About two thousand views of 300 users, others than the last time, written to files; returns them."""
    items = [f"i{n}" for n in range(200)]
    views = {(f"u{rng.randrange(300)}", rng.choice(items)) for _ in range(2_000)}
    (folder / "items.csv").write_text("item,title\n" + "".join(f"{i},T{rng.randrange(3)} {i}\n" for i in items))
    (folder / "views.csv").write_text("user,item\n" + "".join(f"{user},{item}\n" for user, item in sorted(views)))
    (folder / "shop.toml").write_text(SPEC)
    return views


@pytest.mark.slow
def test_two_hundred_loads(server: EmbeddedServer, tmp_path: Path) -> None:
    rng, early = random.Random(0), 0
    sizes = []
    with connect(server.start()) as store:
        for number in range(1, LOADS + 1):
            views = write_files(tmp_path, rng)
            ingest.load(store, "table", tmp_path / "shop.toml", server.home, CHANGED)
            rows = store.read("MATCH (u:User)-[r:VIEWED]->(i:Item) RETURN u.id AS u, i.id AS i")
            assert {(row["u"], row["i"]) for row in rows} == views
            assert len(rows) == len(views)
            sizes.append((resident(server), sum(log.stat().st_size for log in server.logs if log.exists())))
            if number == 20:
                early = resident(server)
        nodes = store.read("MATCH (n) UNWIND labels(n) AS label RETURN label, count(*) AS number ORDER BY label")
    users = len({user for user, _ in views})
    assert nodes == [
        {"label": "Item", "number": 200},
        {"label": "Source", "number": 1},
        {"label": "User", "number": users},
    ]
    assert sizes[-1][0] <= 1.5 * early, f"{early / 1e6:,.0f} MB after 20 loads, {sizes[-1][0] / 1e6:,.0f} MB at last"
    assert all(size <= 3 * MAX_LOG for _, size in sizes)
    assert sorted(path.name for path in server.home.iterdir()) == [".writer", "store", "writing.lock"]
