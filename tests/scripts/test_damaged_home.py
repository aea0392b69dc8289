"""A home whose files are damaged: each is one sentence, at once, and what is not damaged goes on working."""

import json
import os
import shutil
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from graphrec import runs
from graphrec.config import Settings
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.base import Model
from graphrec.runs import TrainedRun, describe
from graphrec.store import EmbeddedServer
from graphrec.testing import checkerboard
from graphrec.tuning.study import StudyFile
from graphrec.tuning.trial import Quality, Trial

STUDY = "study.log"
MODEL = "popularity"


def replaced(path: Path, by: Callable[[], object]) -> None:
    path.unlink()
    by()


#: What a file may be instead of what it should be.
DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "a folder": lambda path: replaced(path, path.mkdir),
    "binary": lambda path: path.write_bytes(b"\xff\x00\x80\xfe"),
    "a list": lambda path: path.write_text("[1]"),
    "a number": lambda path: path.write_text("5"),
    "null": lambda path: path.write_text("null"),
    "no field": lambda path: path.write_text("{}"),
    "other types": lambda path: path.write_text('{"bolt": "x", "http": [], "created_at": 5, "id": 3, "target": 1}'),
    "deep": lambda path: path.write_text("[" * 100_000),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: max(1, path.stat().st_size // 2)]),
    "a dangling link": lambda path: replaced(path, lambda: path.symlink_to("nowhere")),
}


@cache
def fitted() -> tuple[Model[Any], HeteroGraph, Interactions]:
    graph, train, _ = checkerboard()
    model = make(MODEL)
    model.fit(graph, train, np.random.default_rng(0))
    return model, graph, train


def trained() -> TrainedRun:
    model, graph, train = fitted()
    run = describe(MODEL, model, graph.target, {"ndcg@10": 0.5}, 0.1)
    return TrainedRun(run, model, graph.users, graph.items, train)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two runs and a study, and the files of a store that does not run."""
    home = tmp_path / "home"
    store = home / "store"
    store.mkdir(parents=True)
    (store / "ports.json").write_text(json.dumps({"bolt": 1, "http": 2}))
    (store / "password").write_text("secret-of-the-store")
    for _ in range(2):
        runs.save(home / "runs", trained())
    with StudyFile(home / STUDY, MODEL, "print") as study:
        study.add(Trial({"k": 1}, {"validation": Quality(0.5, np.array([0.5]))}, 0.1, {}, False), {}, {})
    monkeypatch.setenv("GRAPHREC_HOME", str(home))
    monkeypatch.delenv("NEO4J_URI", raising=False)
    return home


def invoke(*arguments: str) -> Result:
    """The result of a command, which must end soon, and in a sentence if it fails."""
    start = time.perf_counter()
    result = CliRunner().invoke(import_module("graphrec.scripts").cli, arguments)
    assert time.perf_counter() - start < 20
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert "Traceback" not in result.stderr
    assert "secret-of-the-store" not in result.output
    if result.exit_code:
        assert result.stderr.splitlines()[-1].startswith("Error: ")
    return result


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["ports.json", "password"])
def test_files_of_the_store(home: Path, name: str, damage: str) -> None:
    DAMAGE[damage](home / "store" / name)
    status = invoke("store", "status")
    # without ports the store does not run, and any text may be a password
    harmless = name == "ports.json" or damage not in ("empty", "a folder", "binary")
    assert status.exit_code == (0 if harmless else 1)
    if not harmless:
        assert "password file" in status.stderr
        assert "delete it" in status.stderr


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["run.json", "model.pt"])
def test_files_of_a_run(home: Path, name: str, damage: str) -> None:
    first, second = sorted((home / "runs").iterdir())
    DAMAGE[damage](first / name)
    listed = [run.id for run in runs.list_saved(Settings().runs)]
    assert second.name in listed
    assert (first.name in listed) == (name == "model.pt")
    assert runs.list_damaged(Settings().runs) == ([] if name == "model.pt" else [first.name])
    result = invoke("publish", first.name, "--force")
    assert result.exit_code == 1
    assert f"the run {first} cannot be read" in result.stderr


def fields() -> list[tuple[str, object]]:
    wrong: list[object] = [None, 5, "x", [], {}, [1, 2, 3], True]
    names = ("id", "model", "config", "metrics", "created_at", "target", "seconds", "verdict", "split", "unknown")
    return [(name, value) for name in names for value in wrong]


def test_fields_of_a_run(home: Path) -> None:
    first, second = sorted((home / "runs").iterdir())
    whole = json.loads((first / "run.json").read_text())
    for name, value in fields():
        (first / "run.json").write_text(json.dumps({**whole, name: value}))
        listed = runs.list_saved(Settings().runs)
        assert second.name in [run.id for run in listed]
        assert json.dumps([run.created_at for run in listed])


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_study(home: Path, damage: str) -> None:
    shutil.copy(home / STUDY, home / "whole")
    DAMAGE[damage](home / STUDY)
    before = (home / STUDY).read_bytes() if (home / STUDY).is_file() else b""
    result = invoke("train", "--model", MODEL, "--study", str(home / STUDY))
    assert result.exit_code == (2 if damage == "a folder" else 1)
    assert "study" in result.stderr
    if before and damage != "cut off":
        assert (home / STUDY).read_bytes() == before  # a file that is no study is left alone


@pytest.mark.parametrize("name", ["runs", "loads", "studies", "store", "writing.lock"])
@pytest.mark.parametrize("what", ["a file", "a folder", "a dangling link"])
def test_folders_that_are_something_else(home: Path, name: str, what: str) -> None:
    shutil.rmtree(home / name, ignore_errors=True)
    path = home / name
    if what == "a folder":
        path.mkdir()
    elif what == "a file":
        path.write_text("in the way")
    else:
        path.symlink_to("nowhere")
    invoke("store", "status")
    spec = home / "s.toml"
    (home / "i.csv").write_text("id,title\n1,a\n")
    spec.write_text('name = "s"\n[nodes.Item]\nfile = "i.csv"\nid = "id"\nproperties = ["title"]\n')
    invoke("load", str(spec), "--check")
    invoke("publish", "none")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read(home: Path) -> None:
    (home / "store" / "password").chmod(0)
    assert "Permission denied" in invoke("store", "status").stderr
    (home / "runs").chmod(0)
    assert "cannot be read" in invoke("publish", "x").stderr
    (home / "runs").chmod(0o700)


@pytest.mark.slow  # starts three servers
def test_a_password_that_does_not_fit_is_said_soon_and_a_missing_one_made_anew(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    try:
        server.start()
        server.stop()
        server.password_file.write_text("another")
        start = time.monotonic()
        with pytest.raises(Exception, match="the embedded store refuses the password in .*password; run graphrec"):
            server.start()
        assert time.monotonic() - start < 40
        server.stop()
        server.password_file.unlink()
        assert server.start().password not in ("", "another")
        (tmp_path / "store" / "ports.json").write_text("[1]")
        assert server.address() is None
        assert server.start() == server.address()
    finally:
        server.stop()
