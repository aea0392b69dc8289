"""`graphrec schema` as table, JSON and picture, on both databases."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON

GRAPH = """
CREATE (a:User {id: 'a', keys: ['one:a']}), (b:User {id: 'b', keys: ['two:b'], age: 3}),
       (x:Item {id: 'x', keys: ['one:x'], title: 'X'}), (:`Odd "<b>|` {id: 'o'}),
       (a)-[:RATED {source: 'one', rating: 4.5, timestamp: 1238544000}]->(x),
       (b)-[:RATED {source: 'one', rating: 4.0, timestamp: 1700000000}]->(x),
       (a)-[:RECOMMENDED {version: 1, score: 0.5, rank: 1}]->(x), (:Run {id: 'r', version: 1}),
       (:Source {id: 'one', version: '1.0', status: 'loaded', licence: 'free'})
"""

PICTURE = """flowchart LR
    n0["<b>Item</b><br/>1<br/>title: string"]
    n1["<b>Odd #34;#60;b#62;#124;</b><br/>1"]
    n2["<b>Run</b><br/>1"]:::system
    n3["<b>Source</b><br/>1"]:::system
    n4["<b>User</b><br/>2<br/>age: integer"]
    n4 -->|"RATED<br/>2"| n0
    n4 -.->|"RECOMMENDED<br/>1"| n0
    classDef system stroke-dasharray: 4 4
"""


def cells(output: str) -> list[list[str]]:
    """The rows of the tables that a command printed, cut where two blanks stand."""
    lines = (line.strip() for line in output.splitlines())
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines if line]


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_tables(store: Store, run: Run) -> None:
    store.write(GRAPH)
    rows = cells(run("schema").stdout)
    assert ["6 nodes"] not in rows  # what graphrec wrote is counted apart
    assert ["4 nodes"] in rows
    assert ["User", "2", "age: integer 50 %", "one 50 %"] in rows
    assert ["Item", "1", "title: string", "one"] in rows
    assert ["2 relationships"] in rows
    assert ["RATED", "2", "rating: float", "one", "2009-04-01"] in rows
    assert ["User → Item", "timestamp: integer", "2023-11-14"] in rows
    assert ["RECOMMENDED", "User → Item", "1"] in rows
    assert ["one", "1.0", "loaded", "free"] in rows


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_json(store: Store, run_json: Json) -> None:
    store.write(GRAPH)
    told = run_json("schema")
    by_label = {node["label"]: node for node in told["nodes"]}
    assert (by_label["User"]["count"], by_label["User"]["system"], by_label["Run"]["system"]) == (2, False, True)
    assert by_label["User"]["properties"][-1] == {"name": "age", "types": ["integer"], "count": 1}
    rated, recommended = told["edges"]
    assert {name: rated[name] for name in ("from", "type", "to", "count", "sources", "first", "last", "system")} == {
        "from": "User",
        "type": "RATED",
        "to": "Item",
        "count": 2,
        "sources": {"one": 2},
        "first": 1238544000,
        "last": 1700000000,
        "system": False,
    }
    assert recommended["system"] is True
    assert told["sources"] == [{"id": "one", "version": "1.0", "status": "loaded", "licence": "free"}]


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_picture(store: Store, run: Run, tmp_path: Path) -> None:
    store.write(GRAPH)
    assert run("schema", "--mermaid").stdout == PICTURE
    for name, text in (("schema.mmd", PICTURE), ("schema.md", f"```mermaid\n{PICTURE}```\n")):
        result = run("schema", "--out", str(tmp_path / name))
        assert (tmp_path / name).read_text() == text
        assert result.stdout == ""
    run("schema", "--json", "--out", str(tmp_path / "schema.json"))
    assert json.loads((tmp_path / "schema.json").read_text())["nodes"][0]["label"] == "Item"
    assert "cannot write" in run("schema", "--out", str(tmp_path / "none" / "x.md"), exit_code=1).stderr
    assert "exclude each other" in run("schema", "--json", "--mermaid", exit_code=2).stderr


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_an_empty_graph_names_the_next_command(store: Store, run: Run, run_json: Json) -> None:
    assert store
    result = run("schema")
    assert result.stdout == ""
    assert (
        "the graph is empty; `graphrec sniff FILES…` describes files of your own, `graphrec load movielens`"
        in result.stderr
    )
    assert run_json("schema") == {"nodes": [], "edges": [], "sources": []}
