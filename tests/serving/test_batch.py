"""Recommendations for many users: one table or one file, the same as for each user alone, on both databases."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphrec import Graph, config
from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.ranking.topk import recommend
from graphrec.reranking import parse_rules
from graphrec.serving import Answer, OnlineRecommender, list_files, recommender
from graphrec.serving.answer import Recommended, Strategy
from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from . import shop

COLUMNS = ["user_id", "item_id", "score", "rank", "title", "strategy", "detail", "run"]

#: Twenty users of twenty items whose tastes overlap, so that a model has a score for every item.
BOUGHT = """
UNWIND range(0, 19) AS u UNWIND range(0, 19) AS i
WITH u, i WHERE (7 * u + 3 * i + u * i) % 5 < 2
MATCH (user:User {id: toString(u)}), (item:Item {id: toString(i)})
CREATE (user)-[:PURCHASED {timestamp: 1000 + 10 * u + i}]->(item)
"""

#: Cheap items are denied, those that are sold out rise, six of a genre at most.
RULES = """
depth = 3
[[deny]]
where = "item.price < 4"
[[boost]]
where = "item.stock = 0"
factor = 2.0
[[cap]]
relation = "IN_GENRE"
label = "Genre"
max = 6
"""


@pytest.fixture
def graph(environment: Path, store: Store) -> Graph:
    """The shop with numeric ids, published lists of three items, and users whose behaviour changed after training."""
    shop.build(store)
    store.write(
        "MATCH (n) WHERE n:User OR n:Item SET n.id = substring(n.id, 1), n.keys = ['shop:' + substring(n.id, 1)]"
    )
    store.write("MATCH (:User)-[bought:PURCHASED]->(:Item) DELETE bought")
    store.write(BOUGHT)
    made = shop.trained(store, environment / "runs", "item_knn", neighbours=20)
    shop.publish(store, made, 3)
    met = "MATCH (u:User {id: $user}), (i:Item {id: $item}) CREATE (u)-[:PURCHASED {timestamp: 1}]->(i)"
    store.write(met, {"user": "4", "item": recommend(made, k=1).frame.set_index("user_id")["item_id"]["4"]})
    for item in made.items.ids:  # nothing is left for this user
        store.write(met.replace("CREATE", "MERGE").replace(" {timestamp: 1}", ""), {"user": "5", "item": item})
    store.write("CREATE (:User {id: '77', town: 'Evora', keys: ['crm:77']})")
    return Graph(store, config.Settings())


def alone(graph: Graph, users: list[str], k: int, rules: str | None = None) -> list[tuple[str, str, int, str]]:
    """The items of users in requests for one user each."""
    ruled = None if rules is None else parse_rules(rules)
    return [
        (user, item.item, item.rank, item.strategy) for user in users for item in graph.answer(user, k, ruled).items
    ]


def rows(frame: pd.DataFrame) -> list[tuple[str, str, int, str]]:
    return list(frame[["user_id", "item_id", "rank", "strategy"]].itertuples(index=False, name=None))


@NEO4J_IS_SLOW
@pytest.mark.parametrize("rules", [None, RULES], ids=["plain", "ruled"])
def test_recommendations_for_many_users_equal_those_for_each_user(
    graph: Graph, rules: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recommender, "USERS_AT_ONCE", 8)
    monkeypatch.setattr(list_files, "ROWS_AT_ONCE", 10)
    users = sorted(str(number) for number in [*range(shop.SIZE), 77])
    expected = alone(graph, users, 3, rules)
    assert {"segment", "published" if rules is None else "reranked"} <= {strategy for *_, strategy in expected}
    asked: list[str] = []
    recommend_one = OnlineRecommender.recommend

    def noted(online: OnlineRecommender, user: str, *rest: Any) -> Answer:  # the other arguments of `recommend`
        asked.append(user)
        return recommend_one(online, user, *rest)

    monkeypatch.setattr(OnlineRecommender, "recommend", noted)
    ruled = None if rules is None else parse_rules(rules)
    found = graph.recommend(users, 3, ruled)
    assert list(found.columns) == COLUMNS
    assert rows(found) == expected
    assert {"5", "77"} <= set(asked), "users changed since training, one by one"
    assert not {"0", "1", "3", "6", "8"} & set(asked), "unchanged users, in one batch"
    assert set(found.attrs["notes"]) == set(users)
    reported: list[tuple[str, int, int]] = []
    for ending in (".csv", ".jsonl", ".parquet"):
        out = tmp_path / f"all{ending}"
        written = graph.recommend_all(out, 3, rules=ruled, progress=lambda *step: reported.append(step))
        read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".jsonl": lambda p: pd.read_json(p, lines=True)}
        frame = read[ending](out).astype({"user_id": str, "item_id": str})  # type: ignore[operator]  # three readers
        assert list(frame.columns) == COLUMNS
        assert rows(frame) == expected
        np.testing.assert_allclose(frame["score"], found["score"], rtol=1e-6)
        assert (written.users, written.rows, written.bytes) == (21, len(expected), out.stat().st_size)
        assert reported[-1] == ("recommending", 21, 21)
        assert [path.name for path in tmp_path.glob(".*")] == []


def test_ids_are_texts_and_integers_and_each_user_is_answered_once(graph: Graph, tmp_path: Path) -> None:
    expected = alone(graph, ["15", "16"], 2)
    for users in (
        [15, 16],
        (15, "16"),
        np.array([15, 16]),
        pd.Series([15.0, 16.0]),
        pd.Index(["15", "16"]),
        range(15, 17),
    ):
        assert rows(graph.recommend(users, 2)) == expected
    assert rows(graph.recommend([15, "15", "shop:15", 16], 2)) == expected
    assert len(graph.recommend([])) == 0
    out = tmp_path / "some.csv"
    assert graph.recommend_all(out, 2, users=iter([15, 16])).rows == 4
    with out.open(newline="") as file:
        assert [row["item_id"] for row in csv.DictReader(file)] == [item for _, item, *_ in expected]


@NEO4J_IS_SLOW
def test_an_unknown_user_is_reported_before_anything_is_written(graph: Graph, tmp_path: Path) -> None:
    out = tmp_path / "some.jsonl"
    with pytest.raises(UnknownNameError, match="there is no user '1600'"):
        graph.recommend_all(out, users=[15, 1600])
    with pytest.raises(DataError, match="2 of 3 users are not in the graph: 1600, zz; leave them out"):
        graph.recommend([1600, 15, "zz"])
    with pytest.raises(DataError, match="users: True is no id"):
        graph.recommend([15, True])
    with pytest.raises(DataError, match="k is an integer from 1"):
        graph.recommend_all(out, 0)
    with pytest.raises(GraphrecError, match=r"some.xlsx: recommendations are written as .csv, .jsonl, .parquet"):
        graph.recommend_all(tmp_path / "some.xlsx", users=[15])
    assert list(tmp_path.glob("*some*")) == []
    written = graph.recommend_all(out, 2, users=[15, "zz"], anyone=True)
    assert (written.users, written.empty) == (2, 0)
    strategies = [json.loads(line)["strategy"] for line in out.read_text().splitlines()]
    assert strategies == ["published", "published", "trending", "trending"]


@NEO4J_IS_SLOW
def test_an_existing_file_is_kept_until_the_new_one_is_complete(graph: Graph, tmp_path: Path) -> None:
    out = tmp_path / "all.csv"
    out.write_text("old")

    def stop(_what: str, done: int, _total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graph.recommend_all(out, progress=stop)
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["all.csv"]


@NEO4J_IS_SLOW
def test_an_integer_id_finds_the_user(graph: Graph) -> None:
    for user in (15, np.int64(15), 15.0, "shop:15"):
        assert graph.recommend(user, 2, anyone=True).equals(graph.recommend("15", 2))
    assert (
        graph.answer(1600, 2, anyone=True).notes[0]
        == "unknown user '1600': these are the recommendations for an anonymous visitor"
    )
    with pytest.raises(DataError, match="user: True is no id"):
        graph.recommend(True, anyone=True)
    item = graph.recommend(15, 1)["item"][0]
    assert graph.explain(15, int(item)).score == graph.explain("15", item).score
    for user, k in ((15, 2), (np.int64(15), np.int64(2))):
        assert graph.query("list_history", user_id=user, k=k).equals(graph.query("list_history", user_id="15", k="2"))
    several = graph.query("recommend_for_group", user_ids=np.array([15, 17]), k=2)
    assert several.equals(graph.query("recommend_for_group", user_ids="15,17", k="2"))
    for wrong, said in (({"user_id": True}, "True is no id"), ({"user_id": 15, "k": 0}, r"\$k is an integer from 1")):
        with pytest.raises(GraphrecError, match=said):
            graph.query("list_history", **wrong)


def test_formulas_are_escaped_in_csv_only(tmp_path: Path) -> None:
    answers = [Answer("=cmd|' /C calc'!A0", 2, (Recommended("-7", "@SUM(A1)", -0.5, 1, Strategy.POPULAR, "RATED"),))]
    list_files.write_answers(answers, tmp_path / "plain.csv")
    assert "\n=cmd|' /C calc'!A0,-7,-0.5,1,@SUM(A1),popular,RATED,\n" in (tmp_path / "plain.csv").read_text()
    list_files.write_answers(answers, tmp_path / "safe.csv", csv_safe=True)
    assert "\n'=cmd|' /C calc'!A0,-7,-0.5,1,'@SUM(A1),popular,RATED,\n" in (tmp_path / "safe.csv").read_text()
    with pytest.raises(GraphrecError, match="safe.jsonl is no CSV file"):
        list_files.write_answers(answers, tmp_path / "safe.jsonl", csv_safe=True)
    assert not (tmp_path / "safe.jsonl").exists()
