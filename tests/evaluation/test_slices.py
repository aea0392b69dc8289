"""Groups of test users and of what they are to find."""

import numpy as np
from scipy import sparse

from graphrec.evaluation.slices import (
    group_by_activity,
    popularity_thirds,
    recall_by_item_warmth,
    recall_by_popularity,
)


def test_quartiles_of_activity_leave_nobody_out_and_keep_equals_together() -> None:
    degree = np.array([1, 5, 2, 2, 3, 0, 9, 4, 30])
    groups = group_by_activity(degree)
    assert [(group.kind, group.name) for group in groups] == [
        ("user activity", "1 to 2 interactions"),
        ("user activity", "3 interactions"),
        ("user activity", "4 to 5 interactions"),
        ("user activity", "6 to 30 interactions"),
    ]
    assert [degree[group.members].tolist() for group in groups] == [[1, 2, 2], [3], [5, 4], [9, 30]]


def test_equal_quartiles_are_one_group() -> None:
    names = [group.name for group in group_by_activity(np.array([1, 1, 1, 1, 7]))]
    assert names == ["1 interaction", "2 to 7 interactions"]
    assert group_by_activity(np.array([0, 0])) == ()


def test_thirds_hold_a_third_of_the_interactions_each() -> None:
    """12 interactions: the head is the item with 5 (4 are wanted), the middle 2 + 2 (8 are wanted), then the rest."""
    found = popularity_thirds(np.array([2, 5, 1, 2, 0, 1, 1]))
    assert {name: np.flatnonzero(items).tolist() for name, items in found.items()} == {
        "head": [1],
        "middle": [0, 3],
        "tail": [2, 4, 5, 6],
    }
    assert popularity_thirds(np.zeros(2, dtype=np.int64))["tail"].all()


def test_recall_of_each_third() -> None:
    truth = sparse.csr_array(np.array([[1, 1, 1, 0], [0, 0, 1, 1]]))
    lists = np.array([[0, 3, 2], [1, 2, -1]])
    found = recall_by_popularity(lists, truth, np.array([6, 6, 3, 3]), [1, 3])
    np.testing.assert_allclose(found["head"]["recall@1"], [1, np.nan])
    np.testing.assert_allclose(found["middle"]["recall@3"], [0, np.nan])
    np.testing.assert_allclose(found["tail"]["recall@3"], [1, 1 / 2])
    np.testing.assert_allclose(found["tail"]["recall@1"], [0, 0])


def test_recall_of_items_with_and_without_training_interactions() -> None:
    truth = sparse.csr_array(np.array([[1, 1, 1, 0], [0, 0, 1, 1]]))
    lists = np.array([[0, 3, 2], [1, 2, -1]])
    found = recall_by_item_warmth(lists, truth, np.array([6, 6, 0, 0]), [3])
    np.testing.assert_allclose(found["warm items"]["recall@3"], [1 / 2, np.nan])
    np.testing.assert_allclose(found["cold items"]["recall@3"], [1, 1 / 2])
    assert recall_by_item_warmth(lists, truth, np.array([6, 6, 1, 1]), [3]) == {}
