"""Recommendation edges, on both databases: users x k, replaced by run, and never a user with none."""

import threading

import numpy as np
import pandas as pd
import pytest

from graphrec.errors import DataError
from graphrec.publish import publish
from graphrec.recommend.topk import Recommendations
from graphrec.runs import Run
from graphrec.store import Store, connect, queries

USERS, ITEMS = 300, 40


@pytest.fixture
def graph(store: Store) -> Store:
    store.write("UNWIND range(0, $n - 1) AS k CREATE (:User {id: toString(k)})", {"n": USERS})
    store.write(
        "UNWIND range(0, $n - 1) AS k CREATE (:Item {id: 'i' + toString(k), title: 't' + toString(k)})", {"n": ITEMS}
    )
    return store


def run(name: str) -> Run:
    return Run(name, "popularity", {}, {"ndcg@10": 0.5}, "2026-01-01T00:00:00Z", ("User", "RATED", "Item"), 0.1)


def recommendations(name: str, k: int, shift: int = 0) -> Recommendations:
    users = np.repeat(np.arange(USERS), k)
    ranks = np.tile(np.arange(1, k + 1), USERS)
    frame = pd.DataFrame(
        {
            "user_id": pd.array(users.astype(str), dtype="str"),
            "item_id": pd.array(
                [f"i{(u + r + shift) % ITEMS}" for u, r in zip(users, ranks, strict=True)], dtype="str"
            ),
            "score": (1.0 / ranks).astype("float32"),
            "rank": ranks,
        }
    )
    return Recommendations(frame, "popularity", name)


def stored(store: Store) -> set[tuple[object, ...]]:
    rows = store.read(
        "MATCH (u:User)-[r:RECOMMENDED]->(i:Item) "
        "RETURN u.id AS u, i.id AS i, r.rank AS rank, r.score AS s, r.run AS run"
    )
    return {(row["u"], row["i"], row["rank"], round(row["s"], 4), row["run"]) for row in rows}


def expected(given: Recommendations) -> set[tuple[object, ...]]:
    columns = (given.frame[name].tolist() for name in ("user_id", "item_id", "rank", "score"))
    return {(user, item, rank, round(score, 4), given.run) for user, item, rank, score in zip(*columns, strict=True)}


def test_edges_are_users_times_k_with_their_run(graph: Store) -> None:
    given = recommendations("one", 5)
    published = publish(graph, run("one"), given)
    assert (published.users, published.edges) == (USERS, USERS * 5)
    assert stored(graph) == expected(given)
    (node,) = graph.read("MATCH (r:Run) RETURN r.id AS id, r.model AS model, r.status AS status, r.metrics AS metrics")
    assert node == {"id": "one", "model": "popularity", "status": "published", "metrics": '{"ndcg@10": 0.5}'}


def test_another_run_and_another_k_replace_what_was_there(graph: Store) -> None:
    publish(graph, run("one"), recommendations("one", 5))
    publish(graph, run("two"), recommendations("two", 5, shift=3))
    assert stored(graph) == expected(recommendations("two", 5, shift=3))
    publish(graph, run("two"), recommendations("two", 3, shift=1))
    assert stored(graph) == expected(recommendations("two", 3, shift=1))
    statuses = {row["id"]: row["status"] for row in graph.read("MATCH (r:Run) RETURN r.id AS id, r.status AS status")}
    assert statuses == {"one": "replaced", "two": "published"}


def test_no_reader_sees_a_user_without_recommendations(
    graph: Store, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr("graphrec.store.batches.FIRST", 50)  # many commits, many chances to look between them
    publish(graph, run("run0"), recommendations("run0", 5))
    poorest: list[int] = []
    done = threading.Event()

    def watch() -> None:
        with connect(graph.address) as reader:
            while not done.is_set():
                rows = reader.read("MATCH (u:User) RETURN COUNT { (u)-[:RECOMMENDED]->(:Item) } AS n")
                poorest.append(min(row["n"] for row in rows))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(1, 4):
        publish(graph, run(f"run{number}"), recommendations(f"run{number}", 5, shift=7 * number))
    done.set()
    watcher.join()
    assert len(poorest) > 3
    # The embedded store shows a query that runs in the instant of a commit part of it: 4 of 5 edges were seen.
    assert min(poorest) >= (1 if request.node.callspec.params["address"] == "embedded" else 5)


def test_a_publication_that_was_cut_off_is_finished_by_the_next(graph: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(graph, run("one"), recommendations("one", 5))
    monkeypatch.setattr("graphrec.store.batches.FIRST", 100)

    def stop(_what: str, done: int, _total: int) -> None:
        if done >= 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(graph, run("two"), recommendations("two", 5, shift=9), stop)
    counts = graph.read("MATCH (u:User) RETURN COUNT { (u)-[:RECOMMENDED]->(:Item) } AS n")
    assert min(row["n"] for row in counts) >= 5
    publish(graph, run("two"), recommendations("two", 5, shift=9))
    assert stored(graph) == expected(recommendations("two", 5, shift=9))


def test_a_reader_gets_the_newest_of_two_lists(graph: Store) -> None:
    publish(graph, run("old"), recommendations("old", 5))
    publish(graph, run("new"), recommendations("new", 5, shift=9))
    graph.write(
        "MATCH (u:User {id: '0'}), (i:Item {id: 'i1'}) CREATE (u)-[:RECOMMENDED {run: 'old', rank: 1, score: 9.0}]->(i)"
    )
    rows = queries.run(graph, queries.get("recommend_for_user"), {"user_id": "0", "k": "3"})
    assert [(row["rank"], row["item"], row["run"]) for row in rows] == [
        (1, "i10", "new"),
        (2, "i11", "new"),
        (3, "i12", "new"),
    ]


def test_a_run_of_another_graph_changes_nothing(graph: Store) -> None:
    publish(graph, run("one"), recommendations("one", 5))
    foreign = recommendations("two", 5)
    foreign.frame.loc[0, "item_id"] = "elsewhere"
    with pytest.raises(DataError, match=r"1 of the run's 41 items are not in this graph \(elsewhere\)"):
        publish(graph, run("two"), foreign)
    assert stored(graph) == expected(recommendations("one", 5))
    assert graph.read("MATCH (r:Run) RETURN r.id AS id") == [{"id": "one"}]
