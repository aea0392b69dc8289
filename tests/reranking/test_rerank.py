"""Reranking rules on a graph, on both databases: deny, allow, boost, cap, diversity, recency and trace; no writes."""

import contextlib

import numpy as np
import pandas as pd
import pytest

from graphrec.errors import DataError, StoreError, UnknownNameError
from graphrec.ranking.topk import Recommendations
from graphrec.reranking import parse_rules, require_applicable, rerank_lists
from graphrec.reranking.item_features import recency_factors
from graphrec.reranking.spec import Recency
from graphrec.store import Store
from graphrec.vocabulary import Vocabulary

GRAPH = """
CREATE (a:Item {id: 'a', stock: 0, year: 2000, min_age: 18}), (b:Item {id: 'b', stock: 3, year: 2001, made: 'here'}),
       (c:Item {id: 'c', stock: 3, year: 2002, made: 'here'}), (d:Item {id: 'd', stock: 3}),
       (x:Genre {id: 'x'}), (y:Genre {id: 'y'}),
       (young:User {id: 'young', age: 12}), (old:User {id: 'old', age: 70}),
       (a)-[:IN_GENRE]->(x), (b)-[:IN_GENRE]->(x), (c)-[:IN_GENRE]->(x), (d)-[:IN_GENRE]->(y),
       (old)-[:RATED {timestamp: 86400}]->(a), (young)-[:RATED {timestamp: 172800}]->(b)
"""


@pytest.fixture
def graph(store: Store) -> Store:
    store.write(GRAPH)
    return store


def lists(*users: str) -> Recommendations:
    """The items a, b, c, d with scores 4, 3, 2, 1 for each user."""
    frame = pd.DataFrame(
        {
            "user_id": pd.array([user for user in users for _ in range(4)], dtype="str"),
            "item_id": pd.array(list("abcd") * len(users), dtype="str"),
            "score": np.array([4, 3, 2, 1] * len(users), dtype=np.float32),
            "rank": [1, 2, 3, 4] * len(users),
        }
    )
    return Recommendations(frame, "m", "r")


def ruled(store: Store, rules: str, k: int = 4, users: tuple[str, ...] = ("young",)) -> dict[str, str]:
    found = rerank_lists(parse_rules(rules), store, lists(*users), k).recommendations
    assert (found.model, found.run) == ("m", "r")
    return {str(user): "".join(part["item_id"]) for user, part in found.frame.groupby("user_id")}


def test_deny_and_allow_keep_lists_full_from_deeper_candidates(graph: Store) -> None:
    assert ruled(graph, "[[deny]]\nwhere = 'item.stock = 0'", 2) == {"young": "bc"}
    assert ruled(graph, "[[deny]]\nwhere = 'item.year < 2002'") == {"young": "cd"}, "null denies nothing"
    assert ruled(graph, "[[allow]]\nwhere = 'item.year < 2002'") == {"young": "ab"}, "null allows nothing"
    two = "[[allow]]\nwhere = 'item.stock > 0'\n[[allow]]\nwhere = 'item.made IS NULL'"
    assert ruled(graph, two) == {"young": "d"}, "all must hold"


def test_a_predicate_may_depend_on_the_user(graph: Store) -> None:
    rules = "[[allow]]\nname = 'age'\nwhere = 'item.min_age IS NULL OR item.min_age <= user.age'"
    assert ruled(graph, rules, users=("old", "young")) == {"old": "abcd", "young": "bcd"}
    stranger = "[[deny]]\nwhere = 'user.age IS NULL AND item.min_age = 18'"
    assert ruled(graph, stranger, users=("stranger",)) == {"stranger": "bcd"}
    seen = "[[deny]]\nwhere = '(user)-[:RATED]->(item)'"
    assert ruled(graph, seen, users=("old", "young")) == {"old": "bcd", "young": "acd"}


def test_boosts_multiply_and_ranks_follow(graph: Store) -> None:
    rules = parse_rules("[[boost]]\nname = 'local'\nwhere = \"item.made = 'here'\"\nfactor = 1.5")
    applied = rerank_lists(rules, graph, lists("young"), 3, trace=True)
    frame = applied.recommendations.frame
    assert frame[["item_id", "score", "rank"]].values.tolist() == [["b", 4.5, 1], ["a", 4.0, 2], ["c", 3.0, 3]]
    steps = [
        (s.item, s.rule, s.what, s.rank_before, s.rank_after, s.score_before, s.score_after)
        for s in applied.trace.steps
    ]
    assert steps == [("b", "boost 'local'", "moved", 2, 1, 3.0, 4.5)]
    assert applied.trace.counts == {"boost 'local'": 2}


def test_a_boost_raises_negative_scores_too(graph: Store) -> None:
    found = lists("young")
    found.frame["score"] = np.array([1.0, -1.0, -2.0, -3.0], dtype=np.float32)
    rules = parse_rules("[[boost]]\nwhere = \"item.id = 'd'\"\nfactor = 4.0")
    assert rerank_lists(rules, graph, found, 4).recommendations.frame["item_id"].tolist() == ["a", "d", "b", "c"]


def test_caps_by_relation_and_by_property(graph: Store) -> None:
    genre = "[[cap]]\nname = 'genre'\nrelation = 'IN_GENRE'\nlabel = 'Genre'\nmax = 2"
    assert ruled(graph, genre) == {"young": "abd"}
    made = "[[cap]]\nproperty = 'made'\nmax = 1"
    assert ruled(graph, made, 3) == {"young": "abd"}
    applied = rerank_lists(parse_rules(genre), graph, lists("young"), 4, trace=True)
    (step,) = applied.trace.steps
    assert (step.item, step.rule, step.what, step.rank_before) == ("c", "cap 'genre'", "removed", 3)


def test_diversity_by_attributes_and_by_vectors(graph: Store) -> None:
    assert ruled(graph, "[diversity]\nlambda = 0.5", 3) == {"young": "adb"}
    rules = parse_rules("[diversity]\nlambda = 0.5\nby = 'vectors'")
    with pytest.raises(DataError, match="needs a run's model"):
        rerank_lists(rules, graph, lists("young"), 3)
    vectors = np.array([[1, 0], [0, 1], [1, 0], [1, 0]], dtype=np.float32)
    found = rerank_lists(
        rules, graph, lists("young"), 2, lambda: (Vocabulary.of("Item", list("abcd")), vectors), trace=True
    )
    assert found.recommendations.frame["item_id"].tolist() == ["a", "b"]
    spread = rerank_lists(parse_rules("[diversity]\nlambda = 0.3"), graph, lists("young"), 2, trace=True)
    assert [(s.item, s.rule, s.rank_before, s.rank_after) for s in spread.trace.steps] == [("d", "diversity", 4, 2)]


def test_recency_halves_scores_per_half_life(graph: Store) -> None:
    ids = ["a", "b", "c", "d"]
    by_year = recency_factors(graph, Recency("", 365.2425, property="year"), ids)
    np.testing.assert_allclose(by_year, [0.25, 0.5, 1.0, 0.5], rtol=1e-4)  # d has no year and gets the median age
    by_rating = recency_factors(graph, Recency("", 1.0, behaviour="RATED"), ids)
    np.testing.assert_allclose(by_rating, [0.5, 1.0, 0.5**0.5, 0.5**0.5], rtol=1e-4)
    graph.write(
        "MATCH (i:Item) SET i.made_on = CASE i.id WHEN 'a' THEN '2020-01-02' WHEN 'b' THEN date('2020-01-01') END"
    )
    by_date = recency_factors(graph, Recency("", 1.0, property="made_on"), ["a", "b"])
    np.testing.assert_allclose(by_date, [1.0, 0.5], rtol=1e-4)
    assert ruled(graph, "[recency]\nproperty = 'year'\nhalf_life = 365.2425") == {"young": "cbad"}


def test_unknown_names_are_errors_that_offer_the_nearest(graph: Store) -> None:
    for rule, message in (
        (
            "[[deny]]\nname = 'n'\nwhere = 'item.stok = 0'",
            "deny 'n': Item has no property 'stok'; did you mean stock",
        ),
        (
            "[[deny]]\nname = 'n'\nwhere = 'EXISTS { (item)-[:IN_GENRES]->() }'",
            "deny 'n': the graph has no relationship 'IN_GENRES'; did you mean IN_GENRE",
        ),
        (
            "[[deny]]\nname = 'n'\nwhere = 'EXISTS { (item)--(:Gnre) }'",
            "deny 'n': the graph has no label 'Gnre'; did you mean Genre",
        ),
        (
            "[[allow]]\nname = 'n'\nwhere = 'user.agee > 3'",
            "allow 'n': User has no property 'agee'; did you mean age",
        ),
        (
            "[[cap]]\nname = 'n'\nrelation = 'IN_GENRE'\nlabel = 'Gender'\nmax = 1",
            "cap 'n': the graph has no label 'Gender'; did you mean Genre",
        ),
        ("[recency]\nproperty = 'yaer'\nhalf_life = 3", "recency: Item has no property 'yaer'; did you mean year"),
        (
            "[recency]\nbehaviour = 'RATE'\nhalf_life = 3",
            "recency: the graph has no relationship 'RATE'; did you mean RATED",
        ),
    ):
        with pytest.raises(UnknownNameError, match=message):
            require_applicable(parse_rules(rule), graph)
    with pytest.raises(DataError, match="deny 'n': .*") as caught:
        require_applicable(parse_rules("[[deny]]\nname = 'n'\nwhere = 'item.stock === 3'"), graph)
    assert "bolt" not in str(caught.value)


def test_a_rule_cannot_write_even_if_its_words_are_not_checked(graph: Store) -> None:
    with contextlib.suppress(StoreError):  # Neo4j refuses; the embedded store writes and rolls back
        graph.read_only("MATCH (item:Item) SET item.stock = 99 RETURN item.stock AS stock")
    stocks = {row["stock"] for row in graph.read("MATCH (item:Item) RETURN item.stock AS stock")}
    assert stocks == {0, 3}
