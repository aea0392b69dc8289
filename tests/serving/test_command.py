"""`graphrec recommend`: strategies, rules with their trace, and unknown users, on both databases."""

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from . import shop

Run = Callable[..., Result]
Json = Callable[..., Any]  # any JSON


@pytest.fixture
def run() -> Run:
    """Run `graphrec` with arguments; the exit code must be as expected (0 unless said)."""

    def invoke(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(import_module("graphrec.scripts").cli, list(arguments))
        assert result.exit_code == exit_code, result.output
        return result

    return invoke


@pytest.fixture
def run_json(run: Run) -> Json:
    return lambda *arguments: json.loads(run(*arguments, "--json").stdout)


@pytest.fixture
def published(environment: Path, store: Store) -> str:
    """The shop with a run whose lists of three are published; its id."""
    shop.build(store)
    made = shop.trained(store, environment / "runs")
    shop.publish(store, made, 3)
    return made.run.id


def test_the_published_list_has_strategy_detail_and_run(published: str, run: Run, run_json: Json) -> None:
    answer = run_json("recommend", "--user", "u4", "-k", "2")
    assert answer["user"] == "u4"
    assert answer["notes"] == [f"published by graph_filter, run {published}"]
    first = answer["recommendations"][0]
    assert (first["item"], first["title"], first["rank"], first["strategy"], first["detail"], first["run"]) == (
        "i4",
        "Item 4",
        1,
        "published",
        "graph_filter",
        published,
    )
    shown = run("recommend", "--user", "u4", "-k", "5")
    assert "Item 4" in shown.stdout
    assert "3 of 5: the run lists 3 for this user" in shown.stderr


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("text", ["u4\n\nu6\n", "user_id\r\nu4\r\nu6"])
def test_every_id_of_a_file_is_answered_with_or_without_a_header(run_json: Json, tmp_path: Path, text: str) -> None:
    (tmp_path / "users.txt").write_text(text)
    answers = run_json("recommend", "--users", str(tmp_path / "users.txt"), "-k", "2")
    assert [answer["user"] for answer in answers] == ["u4", "u6"]


@pytest.mark.usefixtures("published")
def test_new_users_and_anonymous_visitors_get_recommendations(store: Store, run: Run, run_json: Json) -> None:
    store.write("CREATE (u:User {id: 'new'}) WITH u MATCH (i:Item {id: 'i1'}) CREATE (u)-[:PURCHASED]->(i)")
    answer = run_json("recommend", "--user", "new", "-k", "4")
    assert {(each["strategy"], each["detail"]) for each in answer["recommendations"]} == {
        ("fold_in", "from 1 interaction")
    }
    refused = run("recommend", "--user", "unknown", exit_code=1)
    assert "there is no user 'unknown'" in refused.stderr
    assert "--anyone recommends as for an anonymous visitor" in refused.stderr
    visitor = run_json("recommend", "--user", "unknown", "-k", "4", "--anyone")
    assert {each["strategy"] for each in visitor["recommendations"]} == {"trending"}


@pytest.mark.usefixtures("published")
def test_rules_and_their_trace(run: Run, run_json: Json, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[[deny]]\nname = 'dear'\nwhere = 'item.price = 4'\n")
    answer = run_json("recommend", "--user", "u4", "-k", "3", "--rules", str(rules))
    assert "i4" not in [each["item"] for each in answer["recommendations"]]
    assert answer["trace"][0] == {
        "user": "u4",
        "item": "i4",
        "rule": "deny 'dear'",
        "what": "removed",
        "rank_before": 1,
        "rank_after": None,
        "score_before": pytest.approx(answer["trace"][0]["score_before"]),
        "score_after": None,
    }
    shown = run("recommend", "--user", "u4", "--rules", str(rules), "--trace").stdout
    assert "Trace of the rules" in shown
    assert re.search(r"rule +item +effect +rank before +rank after +score before +score after", shown)
    assert "deny 'dear'" in shown
    assert "--rules FILE" in run("recommend", "--user", "u4", "--trace", exit_code=2).stderr
    rules.write_text("[[deny]]\nname = 'dear'\nwhere = 'item.prise = 4'\n")
    refused = run("recommend", "--user", "u4", "--rules", str(rules), exit_code=1).stderr
    assert "deny 'dear': Item has no property 'prise'; did you mean price" in refused


def keys(command: str) -> set[str]:
    """The keys of a command's JSON in docs/json.md; the first form if there are several."""
    page = (Path(__file__).parent.parent.parent / "docs" / "json.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| `{command}` \| `\[?{{(.*?)}}", page, re.MULTILINE)
    assert found is not None, command
    return set(found[1].split(", "))


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("published")
def test_json_has_the_documented_keys(run_json: Json, tmp_path: Path) -> None:
    printed = {
        "recommend": run_json("recommend", "--user", "u4"),
        "recommend --out": run_json("recommend", "--user", "u4", "--out", str(tmp_path / "x.csv")),
        "explain": run_json("explain", "--user", "u4", "--item", "i4"),
        "runs": run_json("runs")[0],
        "schema": run_json("schema"),
        "export": run_json("export", "--out", str(tmp_path / "graph.pt")),
        "store": run_json("store", "status"),
        "query --list": run_json("query", "--list")[0],
        "train": run_json("train", "--model", "popularity", "--no-metrics"),
        "publish": run_json("publish", "latest", "--force"),
        "rollback": run_json("rollback"),
    }
    assert {command: set(value) for command, value in printed.items()} == {
        command: keys(command) for command in printed
    }
