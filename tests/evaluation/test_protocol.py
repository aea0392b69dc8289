"""Who is measured, and that a config is chosen for good reasons."""

import numpy as np
import pytest

from graphrec.errors import DataError
from graphrec.evaluation.protocol import evaluate, rank_test_users, validation_measure, warm_users
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.testing import checkerboard, graph_of


def pairs(*found: tuple[int, int], users: int = 4, items: int = 4) -> Interactions:
    user, item = ([p[end] for p in found] for end in (0, 1))
    return Interactions(np.array(user, dtype=np.int64), np.array(item, dtype=np.int64), users, items)


def test_cold_users_are_counted_and_seen_items_are_no_truth() -> None:
    """u0 is warm; u1 has nothing new; u2 has no training; u3 has no test."""
    seen = pairs((0, 0), (1, 1), (3, 0), (3, 1))
    truth = pairs((0, 0), (0, 1), (1, 1), (2, 0))
    users, num_cold = warm_users(seen, truth)
    assert (users.tolist(), num_cold) == ([0], 1)
    model = make("popularity")
    model.fit(graph_of(seen), seen, np.random.default_rng(0))
    found = evaluate(model, seen, truth, (1, 2))
    assert (found.user_index.tolist(), found.num_cold) == ([0], 1)
    assert found.metrics["recall@1"] == 1.0  # item 1 of u0; item 0, seen in training, counts nowhere
    assert found.metrics["coverage@1"] == 0.25
    assert found.per_user["ndcg@2"].tolist() == [1.0]


def test_with_repeats_items_that_users_had_are_ranked_and_count() -> None:
    """Item 0 has three users, item 1 two; u0 had both, and takes item 1 again; u1 takes nothing new."""
    seen = pairs((0, 0), (0, 1), (1, 0), (2, 0), (2, 1))
    truth = pairs((0, 1), (1, 0))
    model = make("popularity")
    model.fit(graph_of(seen), seen, np.random.default_rng(0))
    with pytest.raises(DataError, match="no user has a test interaction with an item that is new to them"):
        rank_test_users(model, seen, truth, 2)
    lists = rank_test_users(model, seen, truth, 2, repeats=True)
    assert lists.item_index.tolist() == [[0, 1], [0, 1]]
    assert lists.test.toarray()[:, :2].tolist() == [[0, 1], [1, 0]]
    measure = validation_measure(seen, truth, np.random.default_rng(0), repeats=True)
    assert measure(model).ndcg == pytest.approx((1 / np.log2(3) + 1) / 2)


def test_a_perfect_model_gets_full_marks() -> None:
    graph, train, withheld = checkerboard()
    model = make("graph_filter")
    model.fit(graph, train, np.random.default_rng(0))
    metrics = evaluate(model, train, withheld, (1, 10)).metrics
    assert {metrics[name] for name in ("recall@1", "ndcg@1", "hit_rate@10", "mrr@10")} == {1.0}


def test_nobody_to_measure_is_an_error() -> None:
    seen, truth = pairs((0, 0)), pairs((1, 1))
    model = make("popularity")
    model.fit(graph_of(seen), seen, np.random.default_rng(0))
    with pytest.raises(DataError, match="none of the 1 users with test interactions has any in training"):
        evaluate(model, seen, truth)
    with pytest.raises(DataError, match="both training and validation"):
        validation_measure(seen, truth, np.random.default_rng(0))
