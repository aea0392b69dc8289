"""`graphrec doctor` on both databases, with a store that does not answer, and before there is one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from graphrec.doctor import machine
from graphrec.doctor.finding import OK, Finding
from graphrec.store import Store
from graphrec.store.nodes import ensure_constraint
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON

SOUND = """
CREATE (a:User {id: 'a', keys: ['one:a']}), (x:Item {id: 'x', keys: ['one:x']}),
       (a)-[:RATED {source: 'one', timestamp: 100}]->(x)
"""
MACHINE = [
    "Python",
    "packages",
    "extras",
    "torch",
    "home folder",
    "password",
    "runs",
    "disk",
    "writing lock",
    "memory",
]


@pytest.fixture(autouse=True)
def _without_torch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No import of torch in a process of its own, which takes seconds, but for the test of it."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(machine, "check_torch", lambda: Finding("torch", OK, ""))


def test_the_program_that_imports_torch(capsys: pytest.CaptureFixture[str]) -> None:
    exec(machine._TORCH, {})
    version, threads, devices = json.loads(capsys.readouterr().out)
    assert version.startswith("2.")
    assert (threads > 0, devices >= 0) == (True, True)


@pytest.mark.slow
def test_torch_is_imported_in_a_process_of_its_own() -> None:
    assert machine.check_torch().state == OK


def by_name(told: Any) -> dict[str, dict[str, str]]:  # any JSON
    return {finding["name"]: finding for finding in told["findings"]}


def contents(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "databases" not in path.parts} if folder.exists() else set()


@NEO4J_IS_SLOW
def test_a_sound_graph(environment: Path, store: Store, run_json: Json) -> None:
    for label in ("User", "Item"):
        ensure_constraint(store, label)
    store.write(SOUND)
    before = contents(environment)
    told = run_json("doctor")
    assert told["ok"] is True
    assert [finding["name"] for finding in told["findings"] if finding["area"] == "machine"] == MACHINE
    found = by_name(told)
    assert {found[name]["state"] for name in found if found[name]["area"] == "data"} == {"ok"}
    assert found["torch"]["state"] == "ok"
    assert found["size"]["seen"] == "2 nodes and 1 edge"
    assert "answers at bolt://" in found["store"]["seen"]
    assert contents(environment) == before


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_a_defect_is_told_with_its_remedy_and_exit_code_one(store: Store, run: Run) -> None:
    store.write(SOUND)
    store.write("CREATE (:Item)")
    result = run("doctor", exit_code=1)
    assert "✓  size" in result.stdout
    assert "✗  nodes without id" in result.stdout
    assert "→ give them an id or delete them" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("1 failed")


def test_a_store_that_does_not_answer(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    told = json.loads(run("doctor", "--json", exit_code=1).stdout)
    assert told["ok"] is False
    found = by_name(told)
    assert (found["store"]["state"], found["store"]["seen"]) == (
        "failed",
        "no graph database answers at bolt://127.0.0.1:1",
    )
    assert found["store"]["remedy"].startswith("start it, correct NEO4J_URI")
    assert (found["data"]["state"], found["data"]["seen"]) == (
        "warning",
        "not examined, as the store cannot be reached",
    )
    assert set(MACHINE) <= found.keys()


def test_before_there_is_a_store(run_json: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    found = by_name(run_json("doctor"))
    assert found["store"]["seen"].startswith("the embedded store starts")
    assert found["data"]["seen"] == "there is no graph yet"
    assert not (tmp_path / "home").exists()


@NEO4J_IS_SLOW
def test_a_load_under_way_is_not_cut_off(environment: Path, store: Store, run_json: Json) -> None:
    environment.mkdir(exist_ok=True)
    store.write("CREATE (:Source {id: 'one', status: 'loading'})")
    with FileLock(environment / "writing.lock"):
        found = by_name(run_json("doctor"))
    assert found["writing lock"]["state"] == "warning"
    assert found["loads"]["seen"] == "one is in progress"
