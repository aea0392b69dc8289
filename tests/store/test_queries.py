"""The query files: declared and used parameters agree, and each answers rightly on both databases."""

import pytest

from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.store import Store, queries

#: Who listened to or rated what: ann and bob share much, cid little; dora is ann's friend, ed is followed by ann.
GRAPH = """
UNWIND ['ann', 'bob', 'cid', 'dora', 'ed'] AS name CREATE (:User {id: name, keys: ['mine:' + name]})
WITH count(*) AS users
UNWIND ['a', 'b', 'c', 'd'] AS name CREATE (:Item {id: name, title: toUpper(name)})
WITH count(*) AS items
UNWIND [['ann', 'a'], ['ann', 'b'], ['bob', 'a'], ['bob', 'b'], ['bob', 'c'], ['cid', 'a'], ['cid', 'c'], ['dora', 'd'],
        ['dora', 'a'], ['ed', 'd'], ['ed', 'c']] AS pair
MATCH (u:User {id: pair[0]}), (i:Item {id: pair[1]})
CREATE (u)-[:RATED {rating: 4.0, timestamp: 100}]->(i)
"""


@pytest.fixture
def graph(store: Store) -> Store:
    store.write(GRAPH)
    store.write(
        "MATCH (u:User {id: 'bob'}), (i:Item {id: 'a'}) "
        "CREATE (u)-[:TAGGED {tag: 'x'}]->(i), (u)-[:TAGGED {tag: 'y'}]->(i)"
    )
    store.write(
        "MATCH (a:User {id: 'dora'}), (b:User {id: 'ann'}), (e:User {id: 'ed'}), (c:User {id: 'cid'}) "
        "CREATE (a)-[:FRIEND]->(b), (b)-[:FOLLOWS]->(e), (c)-[:FOLLOWS]->(b)"
    )
    store.write(
        "MATCH (u:User {id: 'ann'}), (c:Item {id: 'c'}), (d:Item {id: 'd'}) "
        "CREATE (:Run {id: 'r', model: 'm', status: 'published', created_at: 'now', relation: 'RATED', "
        "activated_at: 1, version: 1, layers: [1]}), "
        "(u)-[:RECOMMENDED {rank: 2, score: 0.5, version: 1}]->(d), "
        "(u)-[:RECOMMENDED {rank: 1, score: 0.9, version: 1}]->(c)"
    )
    return store


def ask(store: Store, name: str, **given: str) -> list[dict[str, object]]:
    return queries.run(store, queries.get(name), given)


def test_recommendations_come_by_rank(graph: Store) -> None:
    rows = ask(graph, "recommend_for_user", user_id="ann")
    assert [(r["item"], r["title"], r["rank"], r["score"], r["run"]) for r in rows] == [
        ("c", "C", 1, 0.9, "r"),
        ("d", "D", 2, 0.5, "r"),
    ]
    assert len(ask(graph, "recommend_for_user", user_id="ann", k="1")) == 1
    assert ask(graph, "recommend_for_user", user_id="bob") == []


def test_a_user_is_found_by_key_and_an_unknown_one_names_the_nearest(graph: Store) -> None:
    assert ask(graph, "recommend_for_user", user_id="mine:ann") == ask(graph, "recommend_for_user", user_id="ann")
    with pytest.raises(UnknownNameError, match="there is no user 'anna'; did you mean ann"):
        ask(graph, "recommend_for_user", user_id="anna")
    with pytest.raises(UnknownNameError, match="there is no item 'q'"):
        ask(graph, "find_similar_items", item_id="q")


def test_parameters_that_are_wrong(graph: Store) -> None:
    with pytest.raises(GraphrecError, match="needs user_id"):
        ask(graph, "recommend_for_user")
    with pytest.raises(UnknownNameError, match="no parameter 'usr_id'; did you mean user_id"):
        ask(graph, "recommend_for_user", usr_id="ann")
    with pytest.raises(GraphrecError, match=r"\$k is integer of at most 64 bits, but 'ten' is not"):
        ask(graph, "recommend_for_user", user_id="ann", k="ten")
    with pytest.raises(
        GraphrecError, match=r"\$since is time \(a date such as 2018-09-24, .*but 'May' is not; start of"
    ):
        ask(graph, "list_trending", since="May")
    with pytest.raises(GraphrecError, match=r"\$user_ids is list \(values with commas between them\), but ' ,' is not"):
        ask(graph, "recommend_for_group", user_ids=" ,")
    with pytest.raises(UnknownNameError, match="there is no user 'anna'; did you mean ann"):
        ask(graph, "recommend_for_group", user_ids="ann,anna")
    with pytest.raises(UnknownNameError, match="there is no run 'q'; there are 1: r"):
        ask(graph, "compare_runs", old_run_id="r", new_run_id="q")
    with pytest.raises(UnknownNameError, match="no query 'recomend_for_user'; did you mean recommend_for_user"):
        queries.get("recomend_for_user")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("MATCH (n) RETURN n", "needs a first line"),
        (
            "// Does it.\n// $a  string  who\n// returns n\nMATCH (n) RETURN n",
            r"declares the parameters \['a'\] but uses \[\]",
        ),
        ("// Does it.\n// returns n\nMATCH (n {id: $b}) RETURN n", r"but uses \['b'\]"),
        ("// Does it.\n// $a text who\n// returns n\nMATCH (n {id: $a}) RETURN n", "is not of the form"),
    ],
)
def test_a_malformed_file_is_said(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        queries.parse("mine", text)
