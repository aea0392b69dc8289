"""`graphrec query`: as a table, as JSON, as CSV, shown for Neo4j Browser, listed, and wrong usage."""

import csv
import io
import json
from pathlib import Path

import pytest

from graphrec.store import Store, queries
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

GRAPH = """
CREATE (a:User {id: 'a'})-[:RATED {rating: 4.0}]->(x:Item {id: 'x', title: 'One, two; "three"'}),
       (b:User {id: 'b'})-[:RATED {rating: 4.0}]->(x), (a)-[:FRIEND]->(b),
       (b)-[:RATED {rating: 5.0}]->(:Item {id: 'y', title: 'Why'})
"""


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_a_result_as_csv_json_and_table(store: Store, run: Run) -> None:
    store.write(GRAPH)
    asked = ("query", "explain_recommendation", "--param", "user_id=a", "--param", "item_id=y")
    assert run(*asked, "--csv").stdout == (
        'kind,because,title,shared,examples\nitem,x,"One, two; ""three""",1,b\nfriend,b,,1,x\n'
    )
    assert json.loads(run(*asked, "--json").stdout)[0] == {
        "kind": "item",
        "because": "x",
        "title": 'One, two; "three"',
        "shared": 1,
        "examples": ["b"],
    }
    assert "Explain a recommendation" in run(*asked).stdout
    store.write("MATCH (x:Item {id: 'x'}) SET x.title = '=1+1'")
    assert "\nitem,x,=1+1,1,b\n" in run(*asked, "--csv").stdout
    assert "\nitem,x,'=1+1,1,b\n" in run(*asked, "--csv", "--csv-safe").stdout
    store.write("CREATE (:User {id: 'idle'})")
    nothing = ("query", "list_history", "--param", "user_id=idle")
    assert run(*nothing, "--csv").stdout == "item,title,behaviour,rating,count,tag,timestamp\n"
    assert run(*nothing, "--json").stdout == "[]\n"
    assert "nothing found" in run(*nothing).stderr


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_times_are_shown_as_times_and_an_empty_graph_names_sniff(store: Store, run: Run) -> None:
    assert "the graph is empty; `graphrec sniff FILES…`" in run("query", "summarise_graph").stderr
    store.write("CREATE (:User {id: 'a'})-[:RATED {timestamp: 1500000000}]->(:Item {id: 'x'})")
    asked = ("query", "list_history", "--param", "user_id=a")
    assert "2017-07-14 02:40:00" in run(*asked).stdout
    assert json.loads(run(*asked, "--json").stdout)[0]["timestamp"] == 1500000000


def test_a_query_is_shown_without_a_store(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    result = run("query", "find_similar_items", "--show")
    assert result.stdout.startswith(
        ":param item_id => 'ITEM_ID';\n:param k => 10;\n\n// Find items with the same users"
    )
    assert result.stdout.endswith("LIMIT $k;\n")
    assert "set item_id in the first lines" in result.stderr
    result = run("query", "find_similar_items", "--show", "--param", "item_id=7", "--json")
    told = json.loads(result.stdout)
    assert told["returns"] == ["item", "title", "similarity", "common_users"]
    assert told["text"].startswith(":param item_id => '7';\n")
    result = run("query", "find_similar_items", "--show", "--param", "item_id=it's \\ all")
    assert result.stdout.startswith(":param item_id => 'it\\'s \\\\ all';\n")
    assert (
        "no query 'find_similar'; did you mean find_similar_items"
        in run("query", "find_similar", "--show", exit_code=1).stderr
    )
    assert not (tmp_path / "home").exists()


def test_the_list_in_each_form(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("query", "--list", "--csv").stdout)))
    assert [row["query"] for row in rows] == queries.names()
    assert rows[queries.names().index("find_similar_items")]["parameters"] == "item_id; k=10"
    assert [row["query"] for row in json.loads(run("query", "--json").stdout)] == queries.names()
    assert run("query", "--list", "--markdown").stdout.startswith("# The query library\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list_history", "--csv", "--json"), "different forms of the result"),
        (("--show",), "graphrec query NAME --show"),
        (("list_history", "--show", "--csv"), "graphrec query NAME --show"),
        (("list_history", "--markdown"), "graphrec query --list --markdown"),
        (("list_history", "--param", "user_id"), "not of the form NAME=VALUE"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...], message: str) -> None:
    assert message in run("query", *arguments, exit_code=2).stderr
