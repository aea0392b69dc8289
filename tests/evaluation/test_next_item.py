"""The rank of the next item: ties, items without a preference, seen items, sampled negatives, and the metrics."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.evaluation.next_item import evaluate_next_items, measure_ranks
from graphrec.evaluation.protocol import evaluate
from graphrec.interactions import Interactions
from graphrec.models.popularity import Popularity, PopularityConfig
from graphrec.vocabulary import IndexArray

USERS, ITEMS = 6, 9

Floats = npt.NDArray[np.float64]


class Given(Popularity):
    """Scores from a table [USERS, ITEMS]."""

    def __init__(self, table: npt.NDArray[np.float32], has_signed_scores: bool) -> None:
        super().__init__(PopularityConfig())
        self.table, self.has_signed_scores = table, has_signed_scores

    def score(self, user_index: IndexArray) -> Tensor:
        """The rows of the table."""
        return torch.from_numpy(self.table[user_index])


def interactions(items: dict[int, list[int]]) -> Interactions:
    user = np.repeat(list(items), [len(each) for each in items.values()])
    return Interactions(user, np.array([i for each in items.values() for i in each], dtype=np.int64), USERS, ITEMS)


def rank_one_by_one(model: Given, train: Interactions, user: int, item: int, ranked: set[int]) -> float:
    """The rank by comparing tuples: items with a preference first, then the others by popularity."""
    scores = model.table[user]
    size = np.abs(scores) if model.has_signed_scores else scores
    popularity = np.bincount(train.matrix().indices, minlength=ITEMS)
    none = size <= 1e-6 * np.abs(scores).max()
    keys = [(0, popularity[j]) if none[j] else (1, scores[j]) for j in range(ITEMS)]
    others = ranked - {item}
    return 1 + sum(keys[j] > keys[item] for j in others) + sum(keys[j] == keys[item] for j in others) / 2


@pytest.mark.parametrize("mask_seen", [True, False])
@pytest.mark.parametrize("signed", [True, False])
def test_ranks_are_those_of_comparing_one_by_one(signed: bool, mask_seen: bool) -> None:
    """Scores of few distinct values, so that ties and missing preferences are in every row."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        model = Given(rng.integers(-2 if signed else 0, 3, (USERS, ITEMS)).astype(np.float32), signed)
        train = interactions({user: rng.permutation(ITEMS)[:4].tolist() for user in range(USERS)})
        test = Interactions(np.arange(USERS), rng.integers(0, ITEMS, USERS), USERS, ITEMS)
        found = evaluate_next_items(model, train, test, mask_seen, ks=(ITEMS,)).per_user[f"mrr@{ITEMS}"]
        for user, item in zip(test.user_index, test.item_index, strict=True):
            seen = set(train.item_index[train.user_index == user].tolist()) if mask_seen else set()
            rank = rank_one_by_one(model, train, user, item, set(range(ITEMS)) - seen)
            assert found[user] == (0 if item in seen else pytest.approx(1 / rank))


def test_metrics_of_ranks_are_those_of_their_formulas() -> None:
    found = measure_ranks(np.array([1.0, 3.0, 10.5, np.inf]), (2, 10))
    assert found["hit_rate@2"].tolist() == [1, 0, 0, 0]
    assert found["hit_rate@10"].tolist() == [1, 1, 0, 0]
    assert found["ndcg@10"].tolist() == [1, 0.5, 0, 0]
    assert found["mrr@10"].tolist() == [1, pytest.approx(1 / 3), 0, 0]


def test_without_ties_the_metrics_are_those_of_lists() -> None:
    rng = np.random.default_rng(0)
    model = Given(1 + rng.permutation(USERS * ITEMS).reshape(USERS, ITEMS).astype(np.float32), False)
    train = interactions({user: [user, user + 1] for user in range(USERS)})
    test = Interactions(np.arange(USERS), (np.arange(USERS) + 2) % ITEMS, USERS, ITEMS)
    lists, ranks = evaluate(model, train, test, (3,)), evaluate_next_items(model, train, test, ks=(3,))
    assert ranks.metrics == pytest.approx({name: lists.metrics[name] for name in ("hit_rate@3", "ndcg@3", "mrr@3")})
    assert 0 < ranks.metrics["hit_rate@3"] < 1


def test_the_score_of_all_others_is_in_the_middle() -> None:
    model = Given(np.ones((USERS, ITEMS), dtype=np.float32), False)
    train, test = interactions({0: [3]}), interactions({0: [0]})
    found = evaluate_next_items(model, train, test, ks=(4, 5))  # rank 1 + 7 / 2 of eight items
    assert (found.metrics["hit_rate@4"], found.metrics["hit_rate@5"]) == (0, 1)
    assert found.metrics["mrr@5"] == pytest.approx(1 / 4.5)


def test_sampled_metrics_rank_among_the_negatives_only() -> None:
    model = Given(np.arange(1, USERS * ITEMS + 1, dtype=np.float32).reshape(USERS, ITEMS), False)
    train, test = interactions({0: [8], 1: [0]}), interactions({0: [5], 1: [5], 2: [1]})
    negatives = np.array([[6, 1, -1], [0, 1, 2], [3, 3, 3]])
    found = evaluate_next_items(model, train, test, negatives=negatives, ks=(10,))
    assert found.per_user["sampled_mrr@10"].tolist() == [0.5, 1.0]  # user 2 is cold
    assert found.per_user["mrr@10"].tolist() == [pytest.approx(1 / 3), pytest.approx(1 / 4)]
    assert (found.user_index.tolist(), found.num_cold) == ([0, 1], 1)


def test_several_test_items_or_none_of_a_warm_user_are_errors() -> None:
    model = Given(np.ones((USERS, ITEMS), dtype=np.float32), False)
    with pytest.raises(DataError, match="the next item is one test interaction of each user"):
        evaluate_next_items(model, interactions({0: [1]}), interactions({0: [2, 3]}))
    with pytest.raises(DataError, match="none of the 1 users with a test interaction has any in training"):
        evaluate_next_items(model, interactions({0: [1]}), interactions({1: [2]}))
