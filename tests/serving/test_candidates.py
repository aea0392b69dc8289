"""Reranking of online and published recommendations, on both databases."""

import pandas as pd
import pytest

from graphrec.errors import DataError, UnknownNameError
from graphrec.reranking import parse_rules
from graphrec.reranking.batch import rerank_all_users
from graphrec.runs import TrainedRun
from graphrec.serving import Answer, OnlineRecommender
from graphrec.serving.answer import Strategy
from graphrec.serving.candidates import Candidate, rerank_candidates
from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from . import shop

SOLD_OUT = "[[deny]]\nname = 'sold out'\nwhere = 'item.stock = 0'"


def items(answer: Answer) -> list[str]:
    return [each.item for each in answer.items]


def test_a_denied_item_is_replaced_by_the_next_and_traced(online: OnlineRecommender) -> None:
    plain, ruled = online.recommend("u0", 3), online.recommend("u0", 3, parse_rules(SOLD_OUT))
    assert items(plain)[0] == "i0"
    assert "i0" not in items(ruled)
    assert len(ruled.items) == 3
    assert {each.strategy for each in ruled.items} <= {"reranked", "trending", "popular", "friends", "segment"}
    step = next(step for step in ruled.trace.steps if step.item == "i0")
    assert (step.user, step.rule, step.what, step.rank_before) == ("u0", "deny 'sold out'", "removed", 1)
    assert step.rank_after is None
    assert ruled.as_dict()["trace"][0]["rule"] == "deny 'sold out'"


@NEO4J_IS_SLOW
def test_the_candidate_pool_grows_until_the_list_is_full_or_no_item_is_left(online: OnlineRecommender) -> None:
    far = parse_rules("depth = 1\n[[allow]]\nname = 'late'\nwhere = 'item.price >= 18'")
    answer = online.recommend("u1", 2, far)
    assert items(answer) == ["i18"], "u1 bought i19, and i18 is the only other"
    assert answer.notes[-1].startswith("1 of 2: the graph has no other item for this user (9 seen, ")


@NEO4J_IS_SLOW
def test_what_later_strategies_found_stays_behind_negative_scores(store: Store, run: TrainedRun) -> None:
    first, later = Strategy.FOLD_IN, Strategy.POPULAR
    found = [Candidate("i0", None, -2.0, first), Candidate("i2", None, -3.0, first), Candidate("i4", None, 9.0, later)]
    rules = parse_rules("[[deny]]\nwhere = 'item.price < 0'")
    kept, _ = rerank_candidates(store, rules, run.users.ids[0], found, 3, None)
    assert kept == found


@NEO4J_IS_SLOW
def test_rules_apply_to_new_users_and_anonymous_visitors(online: OnlineRecommender, store: Store) -> None:
    store.write(
        "CREATE (u:User {id: 'new'}) WITH u MATCH (i:Item) WHERE i.id IN ['i1', 'i3'] CREATE (u)-[:PURCHASED]->(i)"
    )
    rules = parse_rules(SOLD_OUT + "\n[[boost]]\nname = 'cheap'\nwhere = 'item.price < 8'\nfactor = 100.0")
    answer = online.recommend("new", 2, rules)
    assert items(answer)[0] == "i7", "i5 is sold out, i7 is cheap"
    assert items(answer)[1] in {"i9", "i11", "i13", "i17", "i19"}
    assert online.recommend("new", 2).items[0].strategy == answer.items[0].strategy == "fold_in"
    visitor = online.recommend("whoever", 5, rules, anyone=True)
    assert not {"i0", "i5", "i10", "i15"} & set(items(visitor))
    assert len(visitor.items) == 5


@NEO4J_IS_SLOW
def test_diversity_by_the_vectors_of_the_model(online: OnlineRecommender) -> None:
    rules = parse_rules("[diversity]\nlambda = 0.1\nby = 'vectors'")
    (first, second) = items(online.recommend("u4", 2, rules))
    assert first == "i4"
    assert int(second[1:]) % 2 == 1, "the item least similar to the first is one of the other group"


@NEO4J_IS_SLOW
def test_a_rule_with_an_unknown_name_or_an_invalid_predicate_is_an_error(online: OnlineRecommender) -> None:
    with pytest.raises(UnknownNameError, match="deny 'x': Item has no property 'stok'"):
        online.recommend("u4", 2, parse_rules("[[deny]]\nname = 'x'\nwhere = 'item.stok = 0'"))
    with pytest.raises(DataError, match="deny 'y': "):
        online.recommend("u4", 2, parse_rules("[[deny]]\nname = 'y'\nwhere = 'item.stock = = 0'"))


def test_reranked_lists_of_all_users_are_full_unless_rules_leave_fewer_items(store: Store, run: TrainedRun) -> None:
    rules = parse_rules("depth = 1\n" + SOLD_OUT)
    found = rerank_all_users(store, run, rules, 5, trace=True)
    frame = found.recommendations.frame
    assert (frame.groupby("user_id").size() == 5).all()
    assert frame["user_id"].nunique() == shop.SIZE
    assert not {"i0", "i5", "i10", "i15"} & set(frame["item_id"])
    assert (frame.groupby("user_id")["rank"].apply(list).map(lambda ranks: ranks == [1, 2, 3, 4, 5])).all()
    bought = pd.DataFrame(store.read("MATCH (u:User)-[:PURCHASED]->(i:Item) RETURN u.id AS user_id, i.id AS item_id"))
    assert frame.merge(bought, on=["user_id", "item_id"]).empty
    only = rerank_all_users(store, run, parse_rules("depth = 1\n[[allow]]\nwhere = \"item.id = 'i3'\""), 2)
    holders = {f"u{n}" for n in range(0, shop.SIZE, 2)} | {"u3"}
    assert set(only.recommendations.frame["user_id"]) == holders
    assert (only.recommendations.model, only.recommendations.run) == ("graph_filter", run.run.id)
