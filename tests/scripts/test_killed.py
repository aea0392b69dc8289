"""A command killed with SIGKILL at any moment: doing it again gives exactly the graph of one that was left alone."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from graphrec import config, ingest
from graphrec.store import Store
from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

#: Nodes by labels and properties, edges by ends and properties, counted.
Snapshot = tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]]]

USERS, FILMS = (120, 40) if EVERYTHING else (60, 20)

SPEC = """
name = "{name}"

[nodes.Item]
file = "films.csv"
id = "id"
properties = ["title", "imdb_id"]

[nodes.User]
file = "users.csv"
id = "id"
properties = ["email"]

[edges.RATED]
file = "ratings.csv"
from = "User:user"
to = "Item:film"
properties = [{{ name = "rating", type = "float" }}]

[[links]]
label = "User"
by = "exact"
on = ["email"]
"""


def described(folder: Path, name: str, first: int, turned: int = 0) -> Path:
    """A source of films and users 1 to n that are somebody else's `first` … `first` + n, and 4,800 ratings."""
    folder.mkdir()
    films, users = range(1, FILMS + 1), range(1, USERS + 1)
    number = {k: first + (k + turned) % FILMS for k in films}
    files = {
        "films.csv": ["id,title,imdb_id", *(f"{k},{name} {number[k]},tt{number[k]:07}" for k in films)],
        "users.csv": ["id,email", *(f"{k},{first * 4 + (k + turned) % USERS}@x" for k in users)],
        "ratings.csv": ["user,film,rating", *(f"{u},{k},{(u * k) % 5 + 1}" for u in users for k in films)],
    }
    for file, lines in files.items():
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    spec = folder / f"{name}.toml"
    spec.write_text(SPEC.format(name=name), encoding="utf-8")
    return spec


def graph_of(store: Store) -> Snapshot:
    """Everything, but for the time of a load."""
    nodes = store.read("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties")
    edges = store.read("MATCH (a)-[r]->(b) RETURN a.id AS a, type(r) AS type, b.id AS b, properties(r) AS properties")
    return (
        Counter((*row["labels"], _plain(row["properties"])) for row in nodes),
        Counter((row["a"], row["type"], row["b"], _plain(row["properties"])) for row in edges),
    )


def _plain(properties: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    cells = {name: tuple(value) if isinstance(value, list) else value for name, value in properties.items()}
    return tuple(sorted((name, value) for name, value in cells.items() if name != "loaded_at"))


def wait_for_a_write(store: Store, process: "subprocess.Popen[bytes]") -> None:
    """Return when the command has begun to write, or has ended."""
    while process.poll() is None:
        if store.read("MATCH (s:Source) WHERE s.status <> 'loaded' RETURN s.id"):
            return
        time.sleep(0.005)


class Killed:
    """Runs a command on a graph that others are loaded into before, undisturbed or killed."""

    def __init__(self, store: Store, before: list[Path], *command: str) -> None:
        self.store, self.before, self.command = store, before, [sys.executable, "-m", "graphrec", *command]
        self.home = config.Settings().home
        self.begin()
        self.start = graph_of(store)
        began = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_a_write(store, process)
        self.seconds_to_write = time.perf_counter() - began
        assert process.wait() == 0
        self.seconds = time.perf_counter() - began
        self.expected = graph_of(store)
        assert self.expected != self.start

    def begin(self) -> None:
        """The graph as it is before the command."""
        self.store.write("MATCH ()-[r]->() DELETE r")
        self.store.write("MATCH (n) DELETE n")
        for spec in self.before:
            ingest.load(self.store, "table", spec, self.home)

    def kill(self, share: float, writing: bool, repeat: Callable[[], object]) -> bool:
        """Kill the command after this share of its time, or of its time after the first write, then repeat it; whether
        the kill found it half done."""
        self.begin()
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if writing:
            wait_for_a_write(self.store, process)
            time.sleep(share * (self.seconds - self.seconds_to_write))
        else:
            time.sleep(share * self.seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = graph_of(self.store)
        if process.returncode == 0 and self.command[3] == "unlink":  # it was quicker than before
            assert left == self.expected
            return False
        repeat()
        assert graph_of(self.store) == self.expected
        return left not in (self.start, self.expected)


@pytest.fixture
def specs(tmp_path: Path) -> dict[str, Path]:
    """Source a; b, which has half of a's films and users under ids that a uses otherwise; and a newer a, whose films
    and users are each the next one, so that all of b's records move."""
    return {
        "a": described(tmp_path / "a", "a", 0),
        "b": described(tmp_path / "b", "b", FILMS // 2),
        "newer": described(tmp_path / "newer", "a", 0, turned=1),
    }


def runs(store: Store, specs: dict[str, Path]) -> list[tuple[Killed, Callable[[], object]]]:
    """A fresh load, one that fuses and renames, one that moves, and taking out; with how each is repeated."""
    home = config.Settings().home
    cases: list[tuple[list[str], str]] = [([], "a"), (["a"], "b"), (["a", "b"], "newer")]
    made: list[tuple[Killed, Callable[[], object]]] = []
    for before, name in cases:
        spec = specs[name]
        run = Killed(store, [specs[each] for each in before], "load", str(spec))
        made.append((run, partial(ingest.load, store, "table", spec, home)))
    out = Killed(store, [specs["a"], specs["b"]], "unlink", "b")
    return [*made, (out, partial(_take_out, store, home))]


def _take_out(store: Store, home: Path) -> None:
    if store.read("MATCH (s:Source {id: 'b'}) RETURN s.id"):
        ingest.unlink_source(store, "b", home)


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_commands_killed_one_after_the_other_are_made_good_each_by_the_next(
    store: Store, specs: dict[str, Path]
) -> None:
    home = config.Settings().home
    ingest.load(store, "table", specs["a"], home)
    steps: list[tuple[list[str], Callable[[], object]]] = [
        (["load", str(specs[name])], partial(ingest.load, store, "table", specs[name], home))
        for name in (["b", "newer"] if EVERYTHING else ["b"])
    ]
    steps.append((["unlink", "b"], partial(_take_out, store, home)))
    expected = []
    for _, do in steps:
        do()
        expected.append(graph_of(store))
    store.write("MATCH (n) DETACH DELETE n")
    ingest.load(store, "table", specs["a"], home)
    for (command, do), wanted in zip(steps, expected, strict=True):
        whole = [sys.executable, "-m", "graphrec", *command]
        process = subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_a_write(store, process)
        time.sleep(random.uniform(0, 0.5 if EVERYTHING else 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        do()
        assert graph_of(store) == wanted


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.usefixtures("environment")
def test_twenty_loads_and_five_removals_killed(store: Store, specs: dict[str, Path]) -> None:
    moments = random.Random()
    half_done = 0
    for number, (run, repeat) in enumerate(runs(store, specs)):
        kills = (6, 7, 7, 5)[number]
        for kill in range(kills):
            writing = kill % 3 > 0
            half_done += run.kill((kill + moments.random()) / kills, writing, repeat)
    assert half_done >= 5  # else the moments miss what is to be tested


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_two_loads_at_once_leave_one_graph(store: Store, specs: dict[str, Path]) -> None:
    command = [sys.executable, "-m", "graphrec", "load", str(specs["a"])]
    both = [subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert store.read("MATCH ()-[r:RATED]->() RETURN count(r) AS n") == [{"n": USERS * FILMS}]
