"""Commands on a graph that lacks what they need: one sentence says what is missing and how to load it."""

from pathlib import Path

import pytest

from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

#: Six users in two blocks of taste, each with two of the three items of their block.
BLOCKS = """
UNWIND range(1, 6) AS k CREATE (:User {id: toString(k)}), (:Item {id: toString(k)})
WITH count(*) AS made
MATCH (u:User), (i:Item) WHERE (toInteger(u.id) - toInteger(i.id)) % 2 = 0 AND u.id <> i.id
CREATE (u)-[:RATED {rating: 4.0}]->(i)
"""


def told(run: Run, *arguments: str) -> str:
    result = run(*arguments, exit_code=1)
    assert result.stdout == ""
    return result.stderr.strip().splitlines()[-1]


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_without_behaviour_nothing_is_learnt(store: Store, run: Run, tmp_path: Path) -> None:
    store.write("CREATE (a:User {id: 'a'})-[:FRIEND]->(:User {id: 'b'}), (:Item {id: 'x'})")
    missing = "Error: the graph has no relationships from User to Item"
    for arguments in (("train",), ("evaluate",), ("export", "--out", str(tmp_path / "graph.pt"))):
        message = told(run, *arguments)
        assert message.startswith(missing)
        assert "it has " in message
        assert "FRIEND; " in message
        assert message.endswith("load one: `graphrec load movielens`")
    assert "needs behaviour of users" in told(run, "query", "list_liked_by_friends", "--param", "user_id=a")


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_a_named_behaviour_that_is_missing_names_its_loader(store: Store, run: Run) -> None:
    store.write(BLOCKS)
    message = told(run, "train", "--relation", "LISTENED")
    assert "there is no behaviour 'LISTENED'" in message
    assert "LISTENED is provided by lastfm" in message


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_recommendations_that_nobody_published(store: Store, run: Run) -> None:
    assert "recommend needs Item and User nodes" in told(run, "recommend", "--user", "1")
    store.write(BLOCKS)
    assert "there is no user '9'" in told(run, "recommend", "--user", "9")
    assert "nothing is published yet" in told(run, "recommend", "--user", "1")
    assert "nothing is published yet" in told(run, "query", "recommend_for_user", "--param", "user_id=1")


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_a_run_is_not_published_to_an_empty_graph(store: Store, run: Run) -> None:
    store.write(BLOCKS)
    name = run("train", "--model", "popularity", "--no-metrics").stdout.split()[1]
    store.write("MATCH (n:Item) DETACH DELETE n")
    message = told(run, "publish", name, "--force")
    assert message.startswith("Error: publish needs Item nodes, and the graph has none: it has User; ")
