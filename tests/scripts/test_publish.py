"""publish, runs, rollback and recommend as commands, on both databases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON


@pytest.fixture
def trained(environment: Path, run: Run, run_json: Json, lastfm_folder: Path) -> tuple[str, str]:
    """Two runs, trained on the small listeners and not measured."""
    run("load", "lastfm", str(lastfm_folder))
    names = [run_json("train", "--model", name, "--no-metrics")["run"] for name in ("item_knn", "popularity")]
    assert environment.exists()
    return names[0], names[1]


@NEO4J_IS_SLOW
def test_publish_roll_back_and_list(store: Store, run: Run, run_json: Json, trained: tuple[str, str]) -> None:
    first, second = trained
    refused = run("publish", second, "--force", "--similar", "2", exit_code=1)
    assert "gives the same scores after every item" in refused.stderr
    assert "has no vectors" in run("publish", first, "--force", "--embeddings", exit_code=1).stderr
    assert "nothing is published" in run("rollback", exit_code=1).stderr
    assert "nothing is published" in run("rollback", first, exit_code=1).stderr
    assert "there is no run 'nosuch'; there are " in run("rollback", "nosuch", exit_code=1).stderr
    told = run_json("publish", first, "-k", "3", "--force", "--similar", "2")
    assert (told["run"], told["users"], told["edges"], told["kept"]) == (first, 12, 36, [])
    assert told["recommended"]["lists_written"] == 12
    assert told["similar"]["edges_written"] == 24
    before = run_json("recommend", "--user", "5")
    said = run("publish", second, "-k", "3", "--force")
    assert f"`graphrec rollback` returns to {first}" in said.stderr
    assert {row["run"] for row in run_json("recommend", "--user", "5")["recommendations"]} == {second}
    listed = {row["run"]: (row["state"], row["saved"]) for row in run_json("runs")}
    assert (listed[first], listed[second]) == (("kept", True), ("active", True))
    assert "item_knn" in run("runs").stdout
    assert run_json("rollback") == {"run": first, "instead_of": second}
    assert run_json("recommend", "--user", "5") == before
    assert run_json("runs")[0]["run"] == first
    assert f"{second} is active again" in run("rollback", second).stdout
    assert f"there is no run '{first}x'; did you mean {first}" in run("rollback", f"{first}x", exit_code=1).stderr
    store.write("CREATE (:User {id: 'new'})")
    said = run("publish", first, "-k", "2", "--force")
    assert "1 User nodes of the graph are unknown to the run" in said.stderr
    assert run_json("runs")[0]["run"] == f"{first}.2"


@NEO4J_IS_SLOW
def test_publish_under_rules_and_with_reasons(
    store: Store, run: Run, run_json: Json, trained: tuple[str, str], tmp_path: Path
) -> None:
    first, _ = trained
    run_json("publish", first, "-k", "3", "--force", "--reasons")
    rows = store.read(
        "MATCH (u:User)-[edge:RECOMMENDED]->(i:Item) RETURN u.id AS user, i.id AS item, edge.because AS because, "
        "edge.because_label AS label, edge.score AS score, "
        "EXISTS { MATCH (u)-[:LISTENED]->(:Item {id: edge.because}) } AS own"
    )
    told = [row for row in rows if row["score"] > 0]  # a score of zero is a popular item that fills the list
    assert told
    assert all(row["label"] == "Item" and row["own"] and row["because"] != row["item"] for row in told)
    assert {row["because"] for row in rows if row["score"] == 0} <= {None}
    denied = told[0]["item"]
    rules = tmp_path / "rules.toml"
    rules.write_text(f'[[deny]]\nname = "that one"\nwhere = "item.id = \'{denied}\'"\n', encoding="utf-8")
    said = run("publish", first, "-k", "3", "--force", "--rules", str(rules))
    assert "deny 'that one': " in said.stderr
    assert "items removed or moved" in said.stderr
    lists = [run_json("recommend", "--user", str(user))["recommendations"] for user in (2, 5)]
    assert all(row["item"] != denied and row["run"] == f"{first}.2" for rows_ in lists for row in rows_)
    assert [len(rows_) for rows_ in lists] == [3, 3]
    rules.write_text("[[deny]]\nwhere = 1\n", encoding="utf-8")
    assert str(rules) in run("publish", first, "--force", "--rules", str(rules), exit_code=1).stderr
