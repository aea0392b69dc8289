"""train, tune and evaluate killed with SIGKILL at any moment: nothing half done is listed, and nothing is left."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from graphrec import runs
from graphrec.config import Settings
from graphrec.store import EmbeddedServer, Store, connect

#: Kills of each command.
KILLS = 60
COMMANDS = {
    "train": ["train", "--model", "ease", "--trials", "2", "--split", "random"],
    "tune": ["tune", "item_knn", "--trials", "6", "--split", "random"],
    "evaluate": ["evaluate", "--model", "popularity", "--model", "item_knn", "--trials", "3", "--split", "random"],
}


@pytest.fixture
def graph(embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store with 60 users who rated 20 of 80 items each."""
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("GRAPHREC_HOME", str(embedded.home))
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")
        store.write("UNWIND range(0, 59) AS k CREATE (:User {id: 'u' + k, keys: ['s:u' + k]})")
        store.write("UNWIND range(0, 79) AS k CREATE (:Item {id: 'i' + k, keys: ['s:i' + k]})")
        store.write(
            "UNWIND range(0, 59) AS u UNWIND range(0, 19) AS k "
            "MATCH (user:User {id: 'u' + u}), (item:Item {id: 'i' + ((u % 4) * 20 + (u * 7 + k * 3) % 40) % 80}) "
            "MERGE (user)-[:RATED {source: 's'}]->(item)"
        )
        yield store


def files(folder: Path) -> set[str]:
    """The files of a home that are not the server's own."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "store" not in path.relative_to(folder).parts and not path.name.endswith(".lock")
    }


def finish(command: list[str]) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "graphrec", *command, "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("name", COMMANDS)
def test_work_killed_at_any_moment(graph: Store, tmp_path: Path, name: str) -> None:
    moments = Random()
    home = Settings().home
    report = ["--report", str(tmp_path / "report.html")] if name == "evaluate" else []
    command = [*COMMANDS[name], *report]
    start = time.perf_counter()
    whole = json.loads(finish(command).stdout)
    seconds = time.perf_counter() - start
    known = {run.id for run in runs.list_saved(Settings().runs)}
    counts = graph.read("MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n) AS nodes, count(r) AS edges")
    kept = files(home) | files(tmp_path)
    killed = 0
    for kill in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "graphrec", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds * (kill + moments.random()) / KILLS)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        listed = {run.id for run in runs.list_saved(Settings().runs)}
        assert known <= listed
        assert runs.list_damaged(Settings().runs) == []
        for path in tmp_path.glob("report*"):  # whole, or not there
            assert path.read_text(encoding="utf-8").rstrip().endswith(("</html>", "}", "UTC"))
    assert killed > KILLS / 2
    again = json.loads(finish(command).stdout)
    if name == "tune":
        assert again == whole  # the study goes on, and ends as one that was left alone
    listed = {run.id for run in runs.list_saved(Settings().runs)}
    left = {path for path in files(home) | files(tmp_path) if Path(path).parts[:1] != ("runs",)}
    assert left <= kept | {path for path in left if path.startswith("studies")}
    assert not list(home.rglob("*.partial")), "what a killed command left is removed by the next"
    assert {path.name for path in (home / "runs").glob("*")} <= listed
    assert (
        graph.read("MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n) AS nodes, count(r) AS edges")
        == counts
    )
    doctor = subprocess.run(
        [sys.executable, "-m", "graphrec", "doctor", "--json"], capture_output=True, text=True, check=False
    )
    failed = [found for found in json.loads(doctor.stdout)["findings"] if found["state"] == "failed"]
    assert [found for found in failed if found["area"] != "machine"] == []
