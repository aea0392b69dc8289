"""Metrics against numbers computed by hand, LightGCN's definitions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from graphrec.evaluation.beyond_accuracy import coverage
from graphrec.evaluation.metrics import find_hits, per_user
from tests.sizes import num_examples


def truth(*rows: set[int], num_items: int = 8) -> sparse.csr_array:
    dense = np.zeros((len(rows), num_items), dtype=np.float32)
    for row, items in enumerate(rows):
        dense[row, list(items)] = 1
    return sparse.csr_array(dense)


def test_one_user_by_hand() -> None:
    """Hits at ranks 1 and 3 of 3, with four test items: recall divides by 4, the ideal has min(3, 4) hits."""
    found = per_user(np.array([[5, 0, 2]]), truth({5, 2, 6, 7}), [3])
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert found["recall@3"][0] == pytest.approx(2 / 4)
    assert found["ndcg@3"][0] == pytest.approx((1 + 1 / 2) / ideal)
    assert found["hit_rate@3"][0] == 1
    assert found["mrr@3"][0] == 1


def test_precision_and_average_precision_by_hand() -> None:
    """Hits at ranks 1 and 3 of two to be found; a list of one item, a hit, of three to be found."""
    found = per_user(np.array([[5, 0, 2, 1], [3, -1, -1, -1]]), truth({5, 2}, {3, 4, 6}), [2, 4])
    np.testing.assert_allclose(found["precision@4"], [2 / 4, 1 / 4])
    np.testing.assert_allclose(found["precision@2"], [1 / 2, 1 / 2])
    np.testing.assert_allclose(found["map@4"], [(1 + 2 / 3) / 2, 1 / 3])
    np.testing.assert_allclose(found["map@2"], [1 / 2, 1 / 3])


def test_a_list_may_be_shorter_than_k() -> None:
    found = per_user(np.array([[0], [1]]), truth({0}, {0}), [1, 50])
    for name in ("recall", "ndcg", "map", "mrr", "hit_rate"):
        assert found[f"{name}@50"].tolist() == [1, 0]
    assert found["precision@50"].tolist() == [1 / 50, 0]


def test_of_a_user_with_nothing_to_find_nothing_is_said() -> None:
    found = per_user(np.array([[0, 1], [-1, -1]]), truth(set(), {3}), [2])
    for values in found.values():
        np.testing.assert_array_equal(values, [np.nan, 0])


def test_hits_are_where_the_test_items_are() -> None:
    lists = np.array([[5, 0, 2], [3, -1, 5]])
    assert find_hits(lists, truth({5, 2}, {5})).tolist() == [[True, False, True], [False, False, True]]
    assert not find_hits(lists, truth(set(), set())).any()


def test_users_are_kept_apart_and_in_order() -> None:
    found = per_user(np.array([[0, 1], [2, 3], [4, 5]]), truth({7}, {3}, {4, 5}), [1, 2])
    assert found["recall@2"].tolist() == [0, 1, 1]
    assert found["recall@1"].tolist() == [0, 0, 0.5]
    assert found["mrr@2"].tolist() == [0, 0.5, 1]
    np.testing.assert_allclose(found["ndcg@2"], [0, 1 / math.log2(3), 1])


def test_an_empty_place_is_no_hit() -> None:
    """The last item of the user before must not be taken for the empty place of the next."""
    found = per_user(np.array([[7, 0], [1, -1]]), truth({7}, {1}), [2])
    assert found["recall@2"].tolist() == [1, 1]
    assert per_user(np.array([[0, 1], [-1, -1]]), truth({7}, {3}), [2])["hit_rate@2"].tolist() == [0, 0]


def test_coverage_is_the_share_of_all_items_shown() -> None:
    assert coverage(np.array([[0, 1, 2], [1, 0, -1]]), 8, 2) == pytest.approx(2 / 8)
    assert coverage(np.array([[0, 1, 2], [1, 0, -1]]), 8, 3) == pytest.approx(3 / 8)


@settings(max_examples=num_examples(60), deadline=None)
@given(st.data())
def test_metrics_equal_a_loop_over_users(data: st.DataObject) -> None:
    num_items, k = data.draw(st.integers(2, 8)), data.draw(st.integers(1, 8))
    users = data.draw(st.integers(1, 4))
    wanted = [data.draw(st.sets(st.integers(0, num_items - 1), min_size=1)) for _ in range(users)]
    ranked = np.array([data.draw(st.permutations(range(num_items))) for _ in range(users)])
    found = per_user(ranked, truth(*wanted, num_items=num_items), [k])
    for user, items in enumerate(wanted):
        hits = [rank for rank, item in enumerate(ranked[user][:k], start=1) if item in items]
        gain = sum(1 / math.log2(rank + 1) for rank in hits)
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(items)) + 1))
        assert found[f"recall@{k}"][user] == pytest.approx(len(hits) / len(items))
        assert found[f"ndcg@{k}"][user] == pytest.approx(gain / ideal, rel=1e-5)
        assert found[f"mrr@{k}"][user] == pytest.approx(1 / hits[0] if hits else 0)
        assert 0 <= found[f"ndcg@{k}"][user] <= 1 + 1e-6
