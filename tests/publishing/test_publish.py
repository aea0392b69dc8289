"""Lists that become the ones everybody reads: what is written, what stays, what goes; on both databases."""

import pytest

from graphrec.errors import DataError, StoreError, UnknownNameError
from graphrec.preconditions import require_query, require_recommendations
from graphrec.publishing import publish, read_versions, roll_back
from graphrec.publishing.versions import create_version
from graphrec.serving.published_list import read_published_list
from graphrec.store import Store, queries
from graphrec.store.active_run import find_active_run
from tests.sizes import NEO4J_IS_SLOW

from .lists import USERS, edges_by_layer, lists, make_graph, publication, put, read, read_all, wanted


@pytest.fixture
def graph(store: Store) -> Store:
    make_graph(store)
    return store


def states(store: Store) -> dict[str, str]:
    return {row["id"]: row["status"] for row in store.read("MATCH (r:Run) RETURN r.id AS id, r.status AS status")}


def test_edges_are_users_times_k_with_score_rank_and_run(graph: Store) -> None:
    published = put(graph, "one", lists())
    assert (published.users, published.edges) == (USERS, USERS * 5)
    assert (published.recommended.lists_written, published.recommended.edges_written) == (USERS, USERS * 5)
    rows = graph.read("MATCH (:User {id: '7'})-[r:RECOMMENDED]->(i:Item) RETURN properties(r) AS r, i.id AS i")
    assert sorted((row["r"]["rank"], row["i"], row["r"]["version"], len(row["r"])) for row in rows) == [
        (k, f"i{7 + k}", 1, 3) for k in range(1, 6)
    ]
    assert read_all(graph) == wanted(lists())
    (node,) = graph.read("MATCH (r:Run) RETURN properties(r) AS r")
    assert {
        name: node["r"][name]
        for name in ("id", "version", "model", "status", "metrics", "verdict", "layers", "relation")
    } == {
        "id": "one",
        "version": 1,
        "model": "popularity",
        "status": "published",
        "metrics": '{"ndcg@10": 0.5}',
        "verdict": "forced: it was not measured",
        "layers": [1],
        "relation": "RATED",
    }


@NEO4J_IS_SLOW
def test_only_the_lists_that_differ_are_written(graph: Store) -> None:
    put(graph, "one", lists())
    change = put(graph, "two", lists(3, changed=10)).recommended
    assert (change.lists_written, change.edges_written, change.lists_unchanged) == (10, 50, USERS - 10)
    assert (change.lists_withdrawn, change.edges_removed) == (0, 0)
    assert edges_by_layer(graph) == {"one": USERS * 5, "two": 50}
    assert read_all(graph) == wanted(lists(3, changed=10))
    assert states(graph) == {"one": "replaced", "two": "published"}
    change = put(graph, "three", lists(5, changed=4)).recommended  # users 4 to 9 get back what they had in `one`
    assert (change.lists_written, change.lists_unchanged) == (10, USERS - 10)
    assert edges_by_layer(graph) == {"one": (USERS - 10) * 5, "two": 50, "three": 50}
    assert read_all(graph) == wanted(lists(5, changed=4))


@NEO4J_IS_SLOW
def test_order_scores_length_and_further_columns_count_as_change(graph: Store) -> None:
    frame = lists()
    put(graph, "one", frame)
    turned = frame.copy()
    turned.loc[turned["user_id"] == "0", "item_id"] = turned.loc[turned["user_id"] == "0", "item_id"].to_numpy()[::-1]
    turned.loc[(turned["user_id"] == "1") & (turned["rank"] == 2), "score"] += 1e-3
    turned = turned[(turned["user_id"] != "2") | (turned["rank"] < 5)].sample(frac=1, random_state=0)
    assert put(graph, "two", turned).recommended.lists_written == 3
    assert [row[0] for row in read(graph, "0")] == ["i5", "i4", "i3", "i2", "i1"]
    assert len(read(graph, "2")) == 4
    because = turned.assign(because=turned["item_id"].where(turned["rank"] == 1))
    assert put(graph, "three", because).recommended.lists_written == USERS
    assert put(graph, "four", because).recommended.lists_written == 0
    rows = graph.read(
        "MATCH (:User {id: '0'})-[r:RECOMMENDED {version: 3}]->(i) WHERE r.because IS NOT NULL "
        "RETURN r.because AS because, i.id AS item"
    )
    assert rows == [{"because": "i5", "item": "i5"}]


def test_who_has_no_list_any_more_reads_none_and_gets_one_again(graph: Store) -> None:
    frame = lists()
    put(graph, "one", frame)
    fewer = frame[~frame["user_id"].isin(["3", "4"])]
    change = put(graph, "two", fewer).recommended
    assert (change.lists_written, change.lists_withdrawn) == (0, 2)
    assert read_all(graph) == wanted(fewer)
    change = put(graph, "three", frame[frame["user_id"] != "4"]).recommended  # 4 stays without
    assert (change.lists_written, change.lists_withdrawn) == (1, 0)
    assert read_all(graph) == wanted(frame[frame["user_id"] != "4"])
    roll_back(graph)
    assert read_all(graph) == wanted(fewer)
    assert put(graph, "four", frame).recommended.lists_written == 2
    assert read_all(graph) == wanted(frame)
    assert put(graph, "five", frame).recommended.lists_written == 0  # drops all versions that withdrew something
    assert graph.read("MATCH ()-[r:WITHDRAWN]->(run) RETURN DISTINCT run.id AS id") == []


def test_rolling_back_there_and_back(graph: Store) -> None:
    put(graph, "one", lists())
    put(graph, "two", lists(3, changed=10))
    left, active = roll_back(graph)
    assert (left.id, active.id) == ("two", "one")
    assert read_all(graph) == wanted(lists())
    assert states(graph) == {"one": "published", "two": "replaced"}
    roll_back(graph, "two")
    assert read_all(graph) == wanted(lists(3, changed=10))
    roll_back(graph)
    put(graph, "three", lists(7, changed=20))  # on `one`, so `two` goes
    assert read_all(graph) == wanted(lists(7, changed=20))
    assert edges_by_layer(graph) == {"one": USERS * 5, "three": 100}
    assert [version.id for version in read_versions(graph).complete] == ["three", "one"]
    with pytest.raises(UnknownNameError, match="there is no kept run 'two'; there are 1: one"):
        roll_back(graph, "two")
    with pytest.raises(DataError, match="three is the active run already"):
        roll_back(graph, "three")


@NEO4J_IS_SLOW
def test_a_clock_that_was_set_back_hides_no_newer_run(graph: Store) -> None:
    put(graph, "one", lists())
    graph.write("MATCH (r:Run) SET r.activated_at = r.activated_at + 3600000")  # published by a clock an hour ahead
    put(graph, "two", lists(3))
    assert read_all(graph) == wanted(lists(3))
    left, active = roll_back(graph)
    assert (left.id, active.id) == ("two", "one")
    assert read_all(graph) == wanted(lists())


def test_there_is_nothing_to_go_back_to(graph: Store) -> None:
    with pytest.raises(DataError, match="nothing is published"):
        roll_back(graph)
    put(graph, "one", lists())
    with pytest.raises(DataError, match="one is the only run"):
        roll_back(graph)


@NEO4J_IS_SLOW
def test_so_many_earlier_versions_are_kept(graph: Store) -> None:
    for number in range(4):
        published = put(graph, f"run{number}", lists(number), keep=2)
    assert published.kept == ("run2", "run1")
    assert edges_by_layer(graph) == {f"run{number}": USERS * 5 for number in (1, 2, 3)}
    roll_back(graph, "run1")
    assert read_all(graph) == wanted(lists(1))
    assert put(graph, "run4", lists(4)).recommended.edges_removed == USERS * 5 * 2
    assert {*edges_by_layer(graph)} == {"run1", "run4"}
    with pytest.raises(DataError, match="at least one earlier run must be kept"):
        put(graph, "run5", lists(5), keep=0)


@NEO4J_IS_SLOW
def test_a_run_is_published_once_more(graph: Store) -> None:
    put(graph, "one", lists())
    again = put(graph, "one", lists())
    assert (again.run, again.recommended.lists_written, again.kept) == ("one", 0, ())
    other = put(graph, "one", lists(k=3))
    assert (other.run, other.kept) == ("one.2", ("one",))
    assert read_all(graph) == wanted(lists(k=3))
    assert put(graph, "one", lists()).run == "one.3"
    assert read_all(graph) == wanted(lists())
    assert {version.trained for version in read_versions(graph).all} == {"one"}


@NEO4J_IS_SLOW
def test_layers_are_those_that_somebody_reads_and_not_too_many(graph: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(graph, "one", lists())
    put(graph, "two", lists(1, changed=12))
    put(graph, "three", lists(2))
    assert read_versions(graph).active.layers == (3,)  # type: ignore[union-attr]  # there is one
    monkeypatch.setattr("graphrec.publishing.diff.MAX_LAYERS", 3)
    frame = lists(2)
    for number in range(5):  # each changes another user
        frame = frame.assign(score=frame["score"].where(frame["user_id"] != str(number), frame["score"] + 0.5))
        put(graph, f"small{number}", frame)
        assert len(read_versions(graph).active.layers) <= 3  # type: ignore[union-attr]  # as above
        assert read_all(graph) == wanted(frame)


@NEO4J_IS_SLOW
def test_lists_of_a_run_that_is_gone_are_replaced(graph: Store) -> None:
    put(graph, "one", lists())
    graph.write("MATCH (r:Run) DETACH DELETE r")
    put(graph, "two", lists(3))
    assert read_all(graph) == wanted(lists(3))
    assert edges_by_layer(graph) == {"two": USERS * 5}


def test_a_few_lists_among_many_users_are_found_again(graph: Store) -> None:
    few = lists(k=2, users=5)  # 10 edges, fewer than users, so those without a list are not asked
    put(graph, "one", few)
    change = put(graph, "two", few.assign(score=few["score"].where(few["user_id"] != "3", 0.1))).recommended
    assert (change.lists_written, change.lists_unchanged) == (1, 4)
    assert edges_by_layer(graph) == {"one": 10, "two": 2}
    assert put(graph, "three", few[few["user_id"] != "4"]).recommended.lists_withdrawn == 1
    assert read_all(graph) == wanted(few[few["user_id"] != "4"])


def test_two_publications_never_share_a_version(graph: Store) -> None:
    put(graph, "one", lists())
    with pytest.raises(StoreError, match=r"another process began to publish at the same time as two \(version 1\)"):
        create_version(graph, "two", 1, {})
    assert states(graph) == {"one": "published"}


@NEO4J_IS_SLOW
def test_lists_published_by_an_earlier_version_are_refused_and_the_next_publication_removes_them(graph: Store) -> None:
    graph.write(
        "CREATE (:Run {id: 'old', status: 'published', activated_at: 1, number: 1, layers: [1]}) WITH 1 AS one "
        "MATCH (u:User {id: '0'}), (i:Item {id: 'i0'}), (j:Item {id: 'i1'}) "
        "CREATE (u)-[:RECOMMENDED {rank: 1, score: 0.5, run: 1}]->(i), (j)-[:SIMILAR {rank: 1, run: 1}]->(i)"
    )
    message = "run old were published by an earlier version of graphrec.*publish again: `graphrec publish latest`"
    for reader in (find_active_run, require_recommendations, lambda store: read_published_list(store, "0")):
        with pytest.raises(DataError, match=message):
            reader(graph)
    for name in ("recommend_for_user", "find_published_similar_items", "find_audience", "compare_runs"):
        with pytest.raises(DataError, match=message):
            require_query(graph, queries.get(name))
    put(graph, "one", lists())
    assert states(graph) == {"old": "replaced", "one": "published"}
    assert [version.layers for version in read_versions(graph).all] == [(1,), ()]
    assert edges_by_layer(graph) == {"one": USERS * 5}
    assert edges_by_layer(graph, "SIMILAR") == {}
    assert read_all(graph) == wanted(lists())
    require_query(graph, queries.get("recommend_for_user"))


@NEO4J_IS_SLOW
def test_what_was_published_without_a_version_is_not_read_any_more(graph: Store) -> None:
    graph.write("CREATE (:Run {id: 'old', status: 'published', activated_at: 1, layers: ['old']})")
    put(graph, "one", lists())
    assert [version.layers for version in read_versions(graph).all] == [(1,), ()]
    assert states(graph) == {"old": "replaced", "one": "published"}
    assert read_all(graph) == wanted(lists())


def test_similar_items_stay_until_they_are_published_again(graph: Store) -> None:
    frame = lists(users=40).rename(columns={"item_id": "similar_id"})
    similar = frame.assign(item_id="i" + frame["user_id"])[["item_id", "similar_id", "score", "rank"]]
    published = put(graph, "one", lists(), similar=similar)
    assert (published.similar.lists_written, published.similar.edges_written) == (40, 200)
    rows = graph.read("MATCH (:Item {id: 'i3'})-[r:SIMILAR]->(i) RETURN i.id AS id ORDER BY r.rank")
    assert [row["id"] for row in rows] == ["i4", "i5", "i6", "i7", "i8"]
    published = put(graph, "two", lists(1))
    assert (published.similar.lists_unchanged, published.similar.lists_written) == (40, 0)
    assert read_versions(graph).active.layers == (2, 1)  # type: ignore[union-attr]  # there is one
    put(graph, "three", lists(2))
    fewer = similar[similar["item_id"] != "i3"]
    fewer = fewer.assign(score=fewer["score"].where(fewer["item_id"] != "i4", fewer["score"] / 2))
    change = put(graph, "four", lists(2), similar=fewer).similar
    assert (change.lists_written, change.lists_unchanged, change.lists_withdrawn) == (1, 38, 1)
    assert edges_by_layer(graph, "SIMILAR") == {"one": 200, "four": 5}
    query = queries.get("find_published_similar_items")
    assert [len(queries.run(graph, query, {"item_id": f"i{k}"})) for k in (3, 4, 5)] == [0, 5, 5]
    put(graph, "five", lists(3))
    assert graph.read("MATCH (i:Item)-[:WITHDRAWN]->(r {id: 'five'}) RETURN i.id AS id") == [{"id": "i3"}]


@NEO4J_IS_SLOW
def test_what_the_graph_has_lost_is_an_error_and_what_is_new_is_told(graph: Store) -> None:
    put(graph, "one", lists())
    graph.write("CREATE (:User {id: 'new'}), (:User {id: 'newer'})")
    assert put(graph, "two", lists(1)).unknown == {"User": 2, "Item": 0}
    graph.write("MATCH (n:User) WHERE n.id IN ['7', '8'] DETACH DELETE n")
    with pytest.raises(DataError, match=r"2 of the run's 24 users are not in this graph \(7, 8\); train again"):
        put(graph, "three", lists(2))
    assert "three" not in states(graph)
    graph.write("MATCH (n:Item {id: 'i9'}) DETACH DELETE n")
    with pytest.raises(DataError, match=r"users are not in this graph \(7, 8\)"):
        put(graph, "three", lists(2))


def test_what_was_seen_since_is_not_read_and_what_others_wrote_stays(graph: Store) -> None:
    put(graph, "one", lists())
    graph.write(
        "MATCH (u:User {id: '0'}), (i:Item {id: 'i2'}), (j:Item {id: 'i3'}), (k:Item {id: 'i1'}) "
        "CREATE (u)-[:RATED]->(i), (u)-[:VIEWED]->(j), (u)-[:RECOMMENDED {rank: 1}]->(k)"
    )
    assert [row[0] for row in read(graph, "0")] == ["i1", "i3", "i4", "i5"]
    put(graph, "two", lists(1))
    put(graph, "three", lists(2))
    assert edges_by_layer(graph) == {"two": USERS * 5, "three": USERS * 5, None: 1}


def test_what_a_publication_left_that_was_cut_off_goes(graph: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(graph, "one", lists())
    monkeypatch.setattr("graphrec.publishing.write.EDGES_A_BATCH", 20)

    def stop(what: str, done: int, _total: int) -> None:
        if what == "publishing RECOMMENDED" and done >= 40:
            raise KeyboardInterrupt

    for name, after in (("two", "three"), ("four", "four")):
        before = read_all(graph)
        with pytest.raises(KeyboardInterrupt):
            publish(graph, publication(name, lists(9)), progress=stop)
        assert edges_by_layer(graph)[name] >= 40
        assert read_all(graph) == before
        assert put(graph, after, lists(11)).run == (after if after != name else f"{name}.2")
        assert read_all(graph) == wanted(lists(11))
        assert set(states(graph).values()) == {"published", "replaced"}
        assert name not in states(graph)
        assert {*edges_by_layer(graph)} <= {*states(graph)}, "no list of the publication that was cut off"
        put(graph, "one", lists())
