"""Selection of one list under caps and diversity, against values computed by hand."""

import numpy as np

from graphrec.reranking import Cap
from graphrec.reranking.mmr import select


def test_a_cap_skips_items_of_a_full_category() -> None:
    cap = Cap("genre", 1, "IN_GENRE", "Genre")
    found = select(np.array([4.0, 3.0, 2.0, 1.0]), 3, [(cap, [("a",), ("a", "b"), ("b",), ()])])
    assert found.chosen == [0, 2, 3]
    assert found.capped == {1: "cap 'genre'"}


def test_maximal_marginal_relevance_equals_values_by_hand() -> None:
    similarity = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    # the first is the best by score; then 0.5 · 0.8 - 0.5 · 0.9 = -0.05 is less than 0.5 · 0.4 = 0.2
    assert select(np.array([10.0, 8.0, 4.0]), 3, [], similarity, 0.5).chosen == [0, 2, 1]
    assert select(np.array([10.0, 8.0, 4.0]), 3, [], similarity, 1.0).chosen == [0, 1, 2]
    # with negative scores they are scaled to the span: 1, ⅔, 0
    assert select(np.array([1.0, 0.0, -2.0]), 2, [], similarity, 0.5).chosen == [0, 2]


def test_an_item_counts_as_similar_to_any_item_before_it() -> None:
    similarity = np.eye(4, dtype=np.float32)
    for one, other, value in ((0, 1, 0.95), (0, 3, 0.3), (2, 3, 0.3)):
        similarity[one, other] = similarity[other, one] = value
    # third: 0.5 · 0.7 - 0.5 · 0.3 = 0.2 against 0.5 · 0.9 - 0.5 · 0.95, although item 1 is unlike the second, item 2
    assert select(np.array([10.0, 9.0, 8.5, 7.0]), 4, [], similarity, 0.5).chosen == [0, 2, 3, 1]
