"""The round trip through the commands, on both databases: load, export, train, publish, recommend, query, evaluate."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from graphrec import hetero
from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON


@pytest.fixture
def loaded(environment: Path, run: Run, lastfm_folder: Path) -> Path:
    run("load", "lastfm", str(lastfm_folder))
    return environment


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_counts_in_the_store_are_counts_in_the_files(store: Store, run_json: Json, lastfm_folder: Path) -> None:
    loaded = run_json("load", "lastfm", str(lastfm_folder))
    expected = {"User": 12, "Item": 12, "LISTENED": 60, "FRIEND": 2, "TAGGED": 2}
    assert {name: number for name, number in loaded["rows"].items() if number} == expected
    count = "MATCH ()-[r:{0}]->() RETURN count(r) AS n"
    assert [store.read(count.format(name))[0]["n"] for name in ("LISTENED", "FRIEND", "TAGGED")] == [60, 2, 2]
    again = run_json("load", "lastfm", str(lastfm_folder))
    assert {(w["created"], w["changed"], w["deleted"]) for w in again["written"]} == {(0, 0, 0)}


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("loaded")
def test_export_writes_what_the_store_has(run_json: Json, tmp_path: Path) -> None:
    told = run_json("export", "--out", str(tmp_path / "graph.pt"))
    graph = hetero.load(tmp_path / "graph.pt")
    assert graph.data["User", "LISTENED", "Item"].num_edges == told["edges"]["User LISTENED Item"] == 60
    assert graph.data["Item", "rev_LISTENED", "User"].num_edges == 60
    assert set(graph.users.ids) == {str(k) for k in range(1, 13)}
    assert set(graph.vocabularies["TAGGED.tag"].ids) == {"rock", "tropicália"}
    assert graph.data.validate()


#: Database and model of the round trips in `make test`; it has all pairs in `make test-all`.
ROUND_TRIPS = [
    ("embedded", "popularity"),
    ("embedded", "graph_filter"),
    ("embedded", "item_knn"),
    ("neo4j", "item_knn"),
]


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("address", "model"),
    [
        pytest.param(*pair, marks=[] if pair in ROUND_TRIPS else pytest.mark.slow)
        for pair in product(("embedded", "neo4j"), ("popularity", "item_knn", "graph_filter", "lightgcn"))
    ],
    indirect=["address"],
)
def test_train_publish_recommend(store: Store, run: Run, run_json: Json, model: str) -> None:
    trained = run_json("train", "--model", model)
    assert trained["model"] == model
    assert 0 <= trained["metrics"]["ndcg@10"] <= 1
    assert set(trained["verdict"]["gains"]) == {"popularity", "item_knn"} - {model}
    force = (
        [] if model == "item_knn" else ["--force"]
    )  # it is the best, as twelve users cannot tell others apart from it
    if force:
        refused = run("publish", trained["run"], "-k", "3", exit_code=1)
        assert ("item_knn beats it" if model == "popularity" else "does not beat") in refused.stderr
        assert "`graphrec train --model item_knn --split random` makes a run that may be published" in refused.stderr
        assert "--force" in refused.stderr
        assert store.read("MATCH (r:Run) RETURN count(r) AS n") == [{"n": 0}]
    run("publish", trained["run"], "-k", "3", *force)
    columns = "r.id AS id, r.verdict AS verdict, r.split AS split, r.version AS version"
    (node,) = store.read(f"MATCH (r:Run) RETURN {columns}")
    assert node["id"] == trained["run"]
    assert node["verdict"].startswith("forced: " if force else "passed")
    assert node["split"].startswith("random")
    edges = store.read(
        "MATCH (u:User)-[r:RECOMMENDED]->(i:Item) RETURN u.id AS u, r.rank AS rank, r.version AS version, i.id AS i"
    )
    assert len(edges) == 12 * 3
    assert {edge["version"] for edge in edges} == {node["version"]}
    assert sorted(edge["rank"] for edge in edges if edge["u"] == "5") == [1, 2, 3]
    seen = "MATCH (u:User)-[:RECOMMENDED]->(i:Item)<-[:LISTENED]-(u) RETURN count(*) AS n"
    assert store.read(seen) == [{"n": 0}]
    found = run_json("recommend", "--user", "5", "-k", "2")["recommendations"]
    assert {row["strategy"] for row in found} == {"published"}
    assert [row["rank"] for row in found] == [1, 2]
    assert all({"item", "score", "rank", "title"} <= row.keys() for row in found)
    if model != "popularity":
        assert found[0]["item"] == "5"  # the one artist of their block that the user has not heard


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("loaded")
def test_query_answers_from_the_store(run: Run, run_json: Json) -> None:
    rows = run_json("query", "find_similar_items", "--param", "item_id=1", "--param", "k=2")
    assert len(rows) == 2
    assert all(int(row["item"]) % 2 == 1 for row in rows)
    listed = run("query", "--list").stdout
    assert "explain_recommendation" in listed


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("loaded")
def test_evaluate_compares_and_reports(run_json: Json, tmp_path: Path) -> None:
    arguments = ["evaluate", "--report", str(tmp_path / "report.html"), "--split", "random", "--trials", "1"]
    told = run_json(*arguments)
    names = [result["name"] for result in told["results"]]
    assert names == ["popularity", "item_knn", "graph_filter"]
    by_name = {result["name"]: result["metrics"]["recall@10"]["value"] for result in told["results"]}
    assert by_name["graph_filter"] >= by_name["popularity"]
    assert "graph_filter" in (tmp_path / "report.html").read_text()
    written = (tmp_path / "report.json").read_bytes()
    assert run_json(*arguments) == told == json.loads(written)
    assert (tmp_path / "report.json").read_bytes() == written  # one seed, one result, to the last digit


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("loaded")
def test_json_stands_alone_on_stdout_and_notes_on_stderr(run: Run) -> None:
    result = run("evaluate", "--model", "popularity", "--json")
    assert result.stdout.startswith("{")
    assert "not every interaction has a time" in result.stderr
