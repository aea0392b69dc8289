"""An ending that contradicts what a command writes is refused before anything is done."""

import os
from importlib import import_module
from pathlib import Path

import click
import pytest

from .conftest import Run

check_ending = import_module("graphrec.scripts._options").check_ending


@pytest.mark.parametrize(
    ("arguments", "name", "offered"),
    [
        (("export", "--out"), "graph.parquet", "graph.pt"),
        (("export", "--out"), "graph.csv", "graph.pt"),
        (("explain", "1", "2", "--svg"), "why.png", "why.svg"),
        (("evaluate", "--report"), "report.pdf", "report.html"),
        (("sniff", "x.csv", "--out"), "shop.csv", "shop.toml"),
        (("schema", "--out"), "schema.png", "schema.mmd"),
        (("schema", "--json", "--out"), "schema.md", "schema.json"),
        (("recommend", "--all", "--out"), "all.xlsx", "all.csv"),
        (("recommend", "--all", "--out"), "all", "all.csv"),
        (("benchmark", "--output", ".", "--plot"), "plot.pdf", "plot.svg"),
    ],
)
def test_an_ending_that_contradicts_is_refused(
    arguments: tuple[str, ...], name: str, offered: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")  # nothing answers there, and nobody asks
    monkeypatch.chdir(tmp_path)
    told = run(*arguments, name, exit_code=2).stderr
    assert f"{arguments[-1]} {name} " in told
    assert f"choose {offered}" in told
    assert list(tmp_path.iterdir()) == []


def test_what_says_nothing_wrong_is_let_through(tmp_path: Path) -> None:
    for name in ("graph.pt", "graph.PT", "graph", "graph-1.2"):
        check_ending(tmp_path / name, (".pt",), "--out", "a graph")
    check_ending(None, (".pt",), "--out", "a graph")
    os.mkfifo(tmp_path / "pipe.csv")
    check_ending(tmp_path / "pipe.csv", (".pt",), "--out", "a graph", needed=True)
    check_ending(Path("/dev/null"), (".pt",), "--out", "a graph", needed=True)
    with pytest.raises(click.UsageError, match="--out graph has no ending"):
        check_ending(tmp_path / "graph", (".pt",), "--out", "a graph", needed=True)
