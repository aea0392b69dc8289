"""Shell completion: the script for each shell, commands and options, and values; no store is started for any."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete, get_completion_class

from graphrec.config import Settings
from graphrec.models import MODELS

cli = import_module("graphrec.scripts").cli


def complete(shell: str, instruction: str, **words: str) -> str:
    """What a shell is told that asks graphrec."""
    environment = {**os.environ, "_GRAPHREC_COMPLETE": f"{shell}_{instruction}", **words}
    code = "from graphrec.scripts import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    kind = get_completion_class(shell)
    assert kind is not None
    found = kind(cli, {}, "graphrec", "_GRAPHREC_COMPLETE").source()
    assert f"_GRAPHREC_COMPLETE={shell}_complete" in found


def test_bash_completes_commands_by_the_program_itself() -> None:
    lines = complete("bash", "complete", COMP_WORDS="graphrec rec", COMP_CWORD="1").split()
    assert lines == ["plain,recommend"]


def completed(*words: str) -> list[str]:
    """What is offered for the last of some words after `graphrec`."""
    *before, last = words
    shell = ShellComplete(cli, {}, "graphrec", "_GRAPHREC_COMPLETE")
    return [item.value for item in shell.get_completions(before, last)]


def test_options_and_values_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")  # nothing answers there, and nobody asks
    assert "publish" in completed("")
    assert completed("recommend", "--us") == ["--user", "--users"]
    assert completed("train", "--model", "item") == ["item_knn"]
    assert completed("tune", "") == sorted(MODELS)
    assert "find_similar_items" in completed("query", "find_s")
    assert completed("load", "movie")[:1] == ["movielens"]
    assert completed("publish", "") == []  # no home, no runs
    for name in ("ease-1", "item_knn-1", ".partial"):
        (tmp_path / "home" / "runs" / name).mkdir(parents=True)
        (tmp_path / "home" / "runs" / name / "run.json").write_text("{}")
    (tmp_path / "home" / "runs" / "cut off").mkdir()
    for command in (["publish"], ["explain", "--run"], ["evaluate", "--run"], ["blend", "ease-1"], ["rollback"]):
        assert completed(*command, "") == ["ease-1", "item_knn-1", "latest"]
    assert completed("publish", "it") == ["item_knn-1"]
    (tmp_path / "home" / "loads" / "shop").mkdir(parents=True)
    assert completed("unlink", "s") == ["shop"]


def test_the_folder_of_runs_is_the_one_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    completion = import_module("graphrec.scripts._completion")
    assert Settings().home == completion.home().absolute()
    monkeypatch.setenv("GRAPHREC_HOME", "")
    assert Settings().home == completion.home()
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path))
    assert Settings().home == completion.home() == tmp_path
