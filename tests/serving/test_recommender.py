"""OnlineRecommender: the strategies and their order, on both databases."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graphrec import publishing
from graphrec.errors import GraphrecError, UnknownNameError
from graphrec.ranking.topk import recommend
from graphrec.reranking import RerankingRules
from graphrec.runs import TrainedRun, load
from graphrec.schema import EdgeType, GraphSchema
from graphrec.serving import Answer, OnlineRecommender
from graphrec.serving.live_user import read_live_user
from graphrec.store import Store, queries
from graphrec.store.active_run import find_active_run
from tests.sizes import NEO4J_IS_SLOW

from . import shop


def items(answer: Answer) -> list[str]:
    return [each.item for each in answer.items]


def strategies(answer: Answer) -> list[str]:
    return list(dict.fromkeys(each.strategy for each in answer.items))


def details(answer: Answer) -> list[str | None]:
    return list(dict.fromkeys(each.detail for each in answer.items))


def test_a_known_user_gets_the_published_list(online: OnlineRecommender, run: TrainedRun) -> None:
    answer = online.recommend("u4", 3)
    assert items(answer)[0] == "i4"
    assert [(each.rank, each.strategy, each.run) for each in answer.items] == [
        (rank, "published", run.run.id) for rank in (1, 2, 3)
    ]
    assert answer.items[0].title == "Item 4"
    assert list(answer.frame.columns) == ["item", "title", "score", "rank", "strategy", "detail", "run"]
    assert answer.notes == (f"published by graph_filter, run {run.run.id}",)


@NEO4J_IS_SLOW
def test_items_bought_since_publishing_are_left_out_and_a_note_says_why_the_list_is_short(
    online: OnlineRecommender, store: Store, run: TrainedRun
) -> None:
    store.write("MATCH (u:User {id: 'u4'}), (i:Item {id: 'i4'}) CREATE (u)-[:PURCHASED]->(i)")
    answer = online.recommend("u4", 3)
    assert len(answer.items) == 2
    assert "i4" not in items(answer)
    assert [each.rank for each in answer.items] == [1, 2]
    assert answer.notes[1] == ("2 of 3: the run lists 3 for this user, and 1 of them was seen since it was published")
    longer = online.recommend("u4", 10).notes[1]
    assert longer.startswith("2 of 10: the run lists 3 for this user, and 1 of them was seen since it was published; ")
    assert f"`graphrec publish {run.run.id} -k N` lists more" in longer


@NEO4J_IS_SLOW
def test_a_note_suggests_a_longer_publication_only_if_it_would_list_more(
    online: OnlineRecommender, store: Store, run: TrainedRun
) -> None:
    hint = f"`graphrec publish {run.run.id} -k N` lists more"
    assert hint in online.recommend("u4", 10).notes[1]
    store.write("MATCH (run:Run) SET run.k = 3")
    assert hint in online.recommend("u4", 10).notes[1]
    store.write("MATCH (run:Run) SET run.k = 20")  # it was published with 20, and rules left three
    assert (
        online.recommend("u4", 10)
        .notes[1]
        .endswith("; it was published with -k 20, and found no more that it may recommend")
    )
    store.write(
        "MATCH (:User {id: 'u4'})-[:RECOMMENDED]->(i:Item) WITH collect(i.id) AS listed "
        "MATCH (u:User {id: 'u4'}), (i:Item) WHERE NOT i.id IN listed CREATE (u)-[:PURCHASED]->(i)"
    )
    assert (
        online.recommend("u4", 10).notes[1]
        == "3 of 10: the run lists 3 for this user; the graph has no other item for them"
    )


@NEO4J_IS_SLOW
def test_a_user_who_has_seen_the_whole_list_is_folded_in(online: OnlineRecommender, store: Store) -> None:
    store.write("MATCH (u:User {id: 'u4'})-[:RECOMMENDED]->(i:Item) CREATE (u)-[:PURCHASED]->(i)")
    answer = online.recommend("u4", 4)
    assert strategies(answer) == ["fold_in"]
    assert details(answer) == ["from 12 interactions"]
    assert "all 3 items that run" in answer.notes[0]
    seen = {row["id"] for row in store.read("MATCH (:User {id: 'u4'})-[:PURCHASED]->(i:Item) RETURN i.id AS id")}
    assert not seen & set(items(answer))


@NEO4J_IS_SLOW
def test_a_new_user_gets_recommendations_without_training(online: OnlineRecommender, store: Store) -> None:
    online.recommend("u4", 3)
    store.write("CREATE (:User {id: 'new'})")
    store.write("MATCH (u:User {id: 'new'}), (i:Item) WHERE i.id IN ['i1', 'i3', 'i5'] CREATE (u)-[:PURCHASED]->(i)")
    store.write("MATCH (u:User {id: 'new'}), (f:User {id: 'u7'}) CREATE (u)-[:FRIEND]->(f)")
    answer = online.recommend("new", 5)
    assert strategies(answer) == ["fold_in"]
    assert details(answer) == ["from 3 interactions"]
    assert all(int(item[1:]) % 2 == 1 for item in items(answer)), "items of the odd group"
    assert not {"i1", "i3", "i5"} & set(items(answer))
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        online.recommend("new", 5)
        seconds.append(time.perf_counter() - start)
    # 50 ms, plus the time of four minimal queries, which is long on a busy machine
    start = time.perf_counter()
    store.read("RETURN 1")
    assert min(seconds) < 0.05 + 4 * (time.perf_counter() - start)


@NEO4J_IS_SLOW
def test_fold_in_scores_equal_training_scores(online: OnlineRecommender, store: Store, run: TrainedRun) -> None:
    # the twin of u6 by behaviour and friends, under another id
    store.write("CREATE (:User {id: 'twin'})")
    store.write(
        "MATCH (t:User {id: 'twin'}), (:User {id: 'u6'})-[e:PURCHASED]->(i:Item) "
        "CREATE (t)-[:PURCHASED {timestamp: e.timestamp}]->(i)"
    )
    store.write("MATCH (t:User {id: 'twin'}), (:User {id: 'u6'})-[:FRIEND]-(f:User) CREATE (f)-[:FRIEND]->(t)")
    published, folded = online.recommend("u6", 3), online.recommend("twin", 3)
    assert items(folded)[0] == items(published)[0] == "i6"
    assert folded.items[0].score == pytest.approx(published.items[0].score, rel=1e-4)
    # the model knows nothing of the other half, which no path leads to: a sum of 6e-17 is no preference
    assert [each.score for each in published.items[1:]] == [0, 0], "popular items with score 0, on any processor"
    assert [each.strategy for each in folded.items] == ["fold_in", "trending", "trending"]
    assert run.run.id in folded.notes[0]


@NEO4J_IS_SLOW
def test_a_user_with_friends_only_is_folded_in(online: OnlineRecommender, store: Store) -> None:
    store.write(
        "MATCH (a:User {id: 'u3'}), (b:User {id: 'u5'}) CREATE (u:User {id: 'new'})-[:FRIEND]->(a), (b)-[:FRIEND]->(u)"
    )
    answer = online.recommend("new", 5)
    assert strategies(answer) == ["fold_in"]
    assert details(answer) == ["from 2 friends"]
    assert all(int(item[1:]) % 2 == 1 for item in items(answer))


@NEO4J_IS_SLOW
def test_friends_are_a_fallback_if_the_model_does_not_read_them(store: Store, tmp_path: Path) -> None:
    shop.build(store)
    shop.publish(store, shop.trained(store, tmp_path, "item_knn"), 3)
    online = OnlineRecommender(store, tmp_path)
    store.write("MATCH (a:User {id: 'u3'}) CREATE (u:User {id: 'new'})-[:FRIEND]->(a)")
    answer = online.recommend("new", 5)
    assert strategies(answer) == ["friends"]
    assert all(int(item[1:]) % 2 == 1 for item in items(answer))
    assert "knows nothing of what this user did" in answer.notes[0]
    assert answer.notes[-1] == "5 items that most friends chose"


def test_friends_count_by_how_much_they_are_trusted(store: Store, tmp_path: Path) -> None:
    shop.build(store)
    store.write("MATCH (a:User {id: 'u1'}), (b:User {id: 'u3'}) CREATE (a)-[:TRUSTS {value: 1}]->(b)")
    shop.publish(store, shop.trained(store, tmp_path), 3)
    store.write(
        "UNWIND [['odd', 9, 1], ['even', 1, 9]] AS row MATCH (a:User {id: 'u7'}), (b:User {id: 'u8'}) "
        "CREATE (u:User {id: row[0]}) CREATE (u)-[:TRUSTS {value: row[1]}]->(a), (u)-[:TRUSTS {value: row[2]}]->(b)"
    )
    for user, parity in (("odd", 1), ("even", 0)):
        answer = OnlineRecommender(store, tmp_path).recommend(user, 5)
        assert details(answer) == ["from 2 friends"]
        assert all(int(item[1:]) % 2 == parity for item in items(answer))


@NEO4J_IS_SLOW
def test_followers_are_no_friends(online: OnlineRecommender, store: Store) -> None:
    store.write("MATCH (f:User {id: 'u3'}) CREATE (f)-[:FOLLOWS]->(:User {id: 'star'})")
    assert strategies(online.recommend("star", 3)) == ["trending"]
    store.write("MATCH (s:User {id: 'star'}), (f:User {id: 'u3'}) CREATE (s)-[:FOLLOWS]->(f)")
    assert strategies(online.recommend("star", 3)) == ["friends"]


def test_fallbacks_are_attributes_then_segment_then_trending(online: OnlineRecommender, store: Store) -> None:
    store.write("MATCH (g:Genre {id: 'odd'}) CREATE (:User {id: 'fan'})-[:LIKES]->(g)")
    fan = online.recommend("fan", 5)
    assert strategies(fan) == ["attributes"]
    assert all(int(item[1:]) % 2 == 1 for item in items(fan))
    store.write("CREATE (:User {id: 'neighbour', town: 'Odense', email: 'x@example.org'})")
    neighbour = online.recommend("neighbour", 12)
    assert all(int(item[1:]) % 2 == 1 for item in items(neighbour)[:10])
    assert strategies(neighbour) == ["segment", "trending"]  # the segment has ten items; trending fills the list
    store.write("CREATE (:User {id: 'nobody'})")
    nobody = online.recommend("nobody", 3)
    assert strategies(nobody) == ["trending"]
    assert nobody.notes[-1] == "3 items trending in the last 30 days of the graph"


def test_trending_counts_recent_events_and_popular_all_events(online: OnlineRecommender, store: Store) -> None:
    store.write(
        "MATCH (u:User {id: 'u1'}), (i:Item {id: 'i0'}) CREATE (u)-[:PURCHASED {timestamp: $t}]->(i)",
        {"t": 900 * shop.DAY},
    )
    store.write("CREATE (:User {id: 'nobody'})")
    answer = online.recommend("nobody", 3)
    assert [each.strategy for each in answer.items] == ["trending", "popular", "popular"]
    assert items(answer)[0] == "i0"


@NEO4J_IS_SLOW
def test_an_unknown_id_is_an_error_without_anyone(online: OnlineRecommender) -> None:
    with pytest.raises(UnknownNameError, match="there is no user 'u44'; did you mean u4"):
        online.recommend("u44")
    answer = online.recommend("u44", 3, anyone=True)
    assert strategies(answer) == ["trending"]
    assert answer.notes[0] == "unknown user 'u44': these are the recommendations for an anonymous visitor"
    assert not any("knows nothing" in note for note in answer.notes)


@NEO4J_IS_SLOW
def test_a_graph_without_an_active_run_is_an_error_without_anyone(store: Store, tmp_path: Path) -> None:
    shop.build(store)
    online = OnlineRecommender(store, tmp_path)
    with pytest.raises(GraphrecError, match="nothing is published yet"):
        online.recommend("u4")
    answer = online.recommend("u4", 3, anyone=True)
    assert items(answer)[0] == "i4", "the only unseen item of both friends"
    assert strategies(answer) == ["friends", "trending"]


@NEO4J_IS_SLOW
def test_fallbacks_are_used_if_the_run_is_not_on_this_machine(store: Store, tmp_path: Path, run: TrainedRun) -> None:
    store.write("MATCH (i:Item {id: 'i1'}) CREATE (:User {id: 'new', town: 'Odense'})-[:PURCHASED]->(i)")
    answer = OnlineRecommender(store, tmp_path / "elsewhere").recommend("new", 3)
    assert strategies(answer) == ["segment"]
    assert f"the model of run {run.run.id} is not in" in answer.notes[0]


def test_a_new_item_is_recommended_by_its_attributes(online: OnlineRecommender, store: Store) -> None:
    store.write("MATCH (g:Genre {id: 'odd'}) CREATE (:Item {id: 'novelty', title: 'Novelty'})-[:IN_GENRE]->(g)")
    for user, block in (("odd", ["i1", "i3", "i5"]), ("even", ["i0", "i2", "i4"])):
        store.write(
            "CREATE (u:User {id: $user}) WITH u MATCH (i:Item) WHERE i.id IN $items CREATE (u)-[:PURCHASED]->(i)",
            {"user": user, "items": block},
        )
    odd, even = (online.recommend(user, 8) for user in ("odd", "even"))
    assert "novelty" in items(odd)
    assert "novelty" not in items(even)
    store.write("MATCH (u:User {id: 'odd'}), (i:Item {id: 'novelty'}) CREATE (u)-[:PURCHASED]->(i)")
    assert "novelty" not in items(online.recommend("odd", 8))
    store.write("MATCH (g:Genre {id: 'odd'}) CREATE (:Item {id: 'latest'})-[:IN_GENRE]->(g)")
    assert "latest" in items(online.recommend("odd", 8)), "new items are read again once there are more items"


def test_a_new_item_is_recommended_by_its_text(store: Store, tmp_path: Path) -> None:
    shop.build(store)
    embed = "MATCH (i:Item) WHERE i.id IN $items SET i.text_embedding = $vector"
    for start, vector in ((0, [1.0, 0.0]), (1, [0.0, 1.0])):
        store.write(embed, {"items": [f"i{n}" for n in range(start, shop.SIZE, 2)], "vector": vector})
    shop.publish(store, shop.trained(store, tmp_path, "content", attribute_weight=0.0), 5)
    store.write(
        "CREATE (:Item {id: 'novelty', text_embedding: [0.1, 0.9]}), (:Item {id: 'other', text_embedding: [1.0]})"
    )
    for user, block in (("odd", ["i1", "i3", "i5"]), ("even", ["i0", "i2", "i4"])):
        store.write(
            "CREATE (u:User {id: $user}) WITH u MATCH (i:Item) WHERE i.id IN $items CREATE (u)-[:PURCHASED]->(i)",
            {"user": user, "items": block},
        )
    online = OnlineRecommender(store, tmp_path)
    odd, even = (online.recommend(user, shop.SIZE) for user in ("odd", "even"))
    assert items(odd).index("novelty") < 8
    assert "novelty" not in items(even)[:7], "the seven other items of the even ones come first"
    assert "other" not in items(odd)[:8], "its vector is of another encoder"


def test_layers_and_withdrawal_and_rollback(store: Store, tmp_path: Path) -> None:
    shop.build(store)
    first = shop.trained(store, tmp_path)
    shop.publish(store, first, 3)
    second = shop.trained(store, tmp_path, "popularity")
    lists = recommend(first, k=3).frame
    lists = lists[~lists["user_id"].isin(["u4", "u6"])]
    only = pd.DataFrame({"user_id": ["u4"], "item_id": ["i4"], "score": [1.0], "rank": [1]})
    shop.publish(store, second, 3, pd.concat([only, lists], ignore_index=True))
    online = OnlineRecommender(store, tmp_path)
    assert items(online.recommend("u4", 3)) == ["i4"], "the newest layer with a list of the user"
    assert len(online.recommend("u8", 3).items) == 3, "the layer below"
    assert strategies(online.recommend("u6", 3)) != ["published"]
    publishing.roll_back(store)
    assert len(online.recommend("u4", 3).items) == 3
    assert strategies(online.recommend("u6", 3)) == ["published"]


@NEO4J_IS_SLOW
def test_the_model_is_that_of_the_active_run(online: OnlineRecommender, store: Store, tmp_path: Path) -> None:
    other = shop.trained(store, tmp_path, "item_knn")
    store.write("MATCH (i:Item {id: 'i1'}) CREATE (:User {id: 'new'})-[:PURCHASED]->(i)")
    assert ", run graph_filter-" in online.recommend("new", 3).notes[0]
    shop.publish(store, other, 3)
    assert f"by item_knn, run {other.run.id}" in online.recommend("new", 3).notes[0]


@NEO4J_IS_SLOW
def test_a_saved_run_has_the_origins_of_its_relations(run: TrainedRun, tmp_path: Path) -> None:
    kept = load(tmp_path, run.run.id).origins
    assert {(each.name, each.kind) for each in kept} == {("FRIEND", "social"), ("IN_GENRE", "item_attributes")}
    (genre,) = [each for each in kept if each.values is not None]
    assert list(genre.values.ids) == ["even", "odd"] if genre.values else False


def test_items_that_a_user_excludes_are_not_recommended_to_them_by_any_strategy(
    online: OnlineRecommender,
    store: Store,
) -> None:
    listed, others = items(online.recommend("u4", 3)), items(online.recommend("u6", 3))
    now = int(time.time())
    hide = "MATCH (u:User {id: 'u4'}), (i:Item {id: $id}) CREATE (u)-[:HIDDEN {timestamp: $at}]->(i)"
    store.write(
        "MATCH (u:User {id: 'u4'}), (i:Item {id: $id}) CREATE (u)-[:DISMISSED {timestamp: 1}]->(i)", {"id": listed[0]}
    )
    store.write(hide, {"id": listed[1], "at": now - 29 * shop.DAY})
    store.write(hide, {"id": listed[2], "at": now - 31 * shop.DAY})
    assert items(online.recommend("u4", 3)) == [listed[2]], "what was hidden 31 days ago is back"
    query = queries.get("recommend_for_user")
    assert [row["item"] for row in queries.run(store, query, {"user_id": "u4"})] == [listed[2]]
    store.write("MATCH (u:User {id: 'u6'}), (i:Item {id: $id}) CREATE (u)-[:HIDDEN]->(i)", {"id": others[0]})
    assert items(online.recommend("u6", 3))[:2] == others[1:], "without a time it hides too"
    assert [row["item"] for row in queries.run(store, query, {"user_id": "u6"})] == others[1:]
    store.write("MATCH (:User {id: 'u6'})-[e:HIDDEN]->() DELETE e")
    assert [items(answer) for answer in online.recommend_many(["u4", "u6"], 3)] == [[listed[2]], others]
    rules = RerankingRules()
    assert not {*listed[:2]} & {*items(online.recommend("u4", 15, rules))}
    assert not {*listed[:2]} & {*items(next(iter(online.recommend_many(["u4", "u6"], 15, rules))))}
    assert items(online.recommend("u6", 3)) == others
    live = read_live_user(store, "u4", find_active_run(store), {item: item for item in listed})
    assert [each.seen for each in live.listed] == [True, True, False]
    store.write("MATCH (u:User {id: 'u4'})-[e:PURCHASED]->(:Item {id: 'i0'}) DELETE e")  # folded in from now on
    store.write("MATCH (u:User {id: 'u4'}), (i:Item {id: $id}) CREATE (u)-[:NOT_INTERESTED]->(i)", {"id": listed[2]})
    answer = online.recommend("u4", 15)
    assert answer.items
    assert not {*listed} & {*items(answer)}


@NEO4J_IS_SLOW
def test_excluded_items_are_no_preference_of_models_and_no_default_target(store: Store, tmp_path: Path) -> None:
    shop.build(store)
    before = shop.trained(store, tmp_path)
    store.write("MATCH (u:User {id: 'u4'}), (i:Item {id: 'i5'}) CREATE (u)-[:DISMISSED {timestamp: 1}]->(i)")
    after = shop.trained(store, tmp_path)
    assert [origin.name for origin in after.origins] == [origin.name for origin in before.origins]
    assert np.array_equal(after.model.score(np.arange(20)).numpy(), before.model.score(np.arange(20)).numpy())
    edges = tuple(EdgeType("User", name, "Item") for name in ("DISMISSED", "HIDDEN", "WATCHED"))
    assert GraphSchema((), edges).behaviours()[0].relation == "WATCHED"
