"""A command killed with SIGKILL at any moment: the next one repeats or continues, nothing is doubled or lost."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graphrec.store import Store

USERS, ARTISTS = 400, 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files large enough that a load takes a second: 24,000 listening counts."""
    made = tmp_path / "lastfm"
    made.mkdir()
    users, artists = range(1, USERS + 1), range(1, ARTISTS + 1)
    files = {
        "artists.dat": ["id\tname\turl\tpictureURL", *(f"{a}\tArtist {a}\thttp://x/{a}\t" for a in artists)],
        "tags.dat": ["tagID\ttagValue", "1\trock"],
        "user_artists.dat": ["userID\tartistID\tweight", *(f"{u}\t{a}\t{u + a}" for u in users for a in artists)],
        "user_friends.dat": ["userID\tfriendID", *(f"{u}\t{u + 1}" for u in users if u < USERS)],
        "user_taggedartists.dat": [
            "userID\tartistID\ttagID\tday\tmonth\tyear",
            *(f"{u}\t1\t1\t1\t4\t2009" for u in users),
        ],
    }
    for name, lines in files.items():
        (made / name).write_text("\n".join(lines) + "\n")
    return made


@pytest.mark.usefixtures("environment")
def test_a_load_killed_at_any_moment_is_made_good_by_the_next(store: Store, folder: Path) -> None:
    command = [sys.executable, "-m", "graphrec", "load", "lastfm", str(folder)]
    start = time.perf_counter()
    for share in (0.4, 0.6, 0.8):
        process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2.5 * share + random.random() * 0.3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert time.perf_counter() - start < 60
    subprocess.run(command, env=os.environ, check=True, capture_output=True)
    assert store.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": USERS}]
    (facts,) = store.read(
        "MATCH (u:User)-[r:LISTENED]->(i:Item) "
        "RETURN count(r) AS edges, count(DISTINCT u.id + ' ' + i.id) AS pairs, sum(r.count) AS total"
    )
    total = sum(u + a for u in range(1, USERS + 1) for a in range(1, ARTISTS + 1))
    assert facts == {"edges": USERS * ARTISTS, "pairs": USERS * ARTISTS, "total": total}
    assert store.read("MATCH ()-[r:FRIEND]->() RETURN count(r) AS n") == [{"n": USERS - 1}]
    assert store.read("MATCH ()-[r:TAGGED]->() RETURN count(r) AS n") == [{"n": USERS}]


def test_two_loads_at_once_leave_one_graph(environment: Path, store: Store, folder: Path) -> None:
    assert environment
    command = [sys.executable, "-m", "graphrec", "load", "lastfm", str(folder)]
    both = [subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert store.read("MATCH ()-[r:LISTENED]->() RETURN count(r) AS n") == [{"n": USERS * ARTISTS}]
