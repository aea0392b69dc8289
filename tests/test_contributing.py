"""The templates of CONTRIBUTING.md work as they are: a loader, a model, a metric, a behaviour, a query, a command."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import pytest

from graphrec import behaviours
from graphrec.evaluation import metric_registry, metrics
from graphrec.models import MODELS
from graphrec.store import queries
from graphrec.testing import ModelContract

PAGE = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


def template(section: str, number: int = 0) -> str:
    """A code block of a section."""
    (text,) = [part for part in PAGE.split("\n## ") if part.startswith(f"{section}\n")]
    blocks: list[str] = re.findall(r"^```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return blocks[number]


def module(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> Any:  # a module of any content
    """A template as the module of a name, until the end of the test."""
    found = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, found)
    found.__package__ = name.rpartition(".")[0]
    exec(compile(source, name, "exec"), found.__dict__)
    return found


def test_the_loader_reads_and_cleans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = module("graphrec.loaders.library", template("Add a loader"), monkeypatch)
    rows = ["member,book,at", "ann,b1,1700000000", "ann,b1,1700000900", "bob,b2,1700000100"]
    (tmp_path / "loans.csv").write_text("\n".join([*rows, ""]))
    frame = loader.load(tmp_path).edge("BORROWED").frame
    found = frame[["source_id", "target_id", "timestamp"]].itertuples(index=False, name=None)
    assert sorted(found) == [("ann", "b1", 1700000900), ("bob", "b2", 1700000100)]


def test_the_model_keeps_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    module("graphrec.models.cooccurrence", template("Add a model"), monkeypatch)
    monkeypatch.setitem(MODELS, "cooccurrence", "Cooccurrence")
    # no subclass of the contract, since test_contract.py counts those
    tests = module("contract", template("Add a model", 1).replace("(ModelContract)", ""), monkeypatch)
    contract = type("Contract", (), {**vars(ModelContract), **vars(tests.TestCooccurrence)})()
    for name in [name for name in vars(ModelContract) if name.startswith("test_")]:
        getattr(contract, name)()


def test_the_behaviour_is_an_entry_of_the_table() -> None:
    entry = eval(template("Add a behaviour"), vars(behaviours))
    assert entry.relation == "TASTED"
    assert entry.relation not in behaviours.BEHAVIOURS


def test_the_metric_is_a_function_and_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    space = dict(vars(metrics))
    exec(template("Add a metric"), space)
    monkeypatch.setattr(metrics, "top_hit", space["top_hit"], raising=False)
    entry = eval(template("Add a metric", 1), vars(metric_registry))
    hits = metrics.Hits(np.array([[True, False], [False, True]]), np.array([1.0, 1.0]))
    assert entry.load()(hits).tolist() == [1.0, 0.0]


def test_the_query_is_declared_as_it_is_used() -> None:
    query = queries.parse("list_users_of_item", template("Add a query"))
    assert [parameter.name for parameter in query.parameters] == ["item_id", "k"]
    assert query.returns == ("user", "behaviour")


def test_the_command_has_help(monkeypatch: pytest.MonkeyPatch) -> None:
    command: click.Command = module("graphrec.scripts.size", template("Add a command"), monkeypatch).command
    assert "Example: graphrec size" in command.get_help(click.Context(command))
