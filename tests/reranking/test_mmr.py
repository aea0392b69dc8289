"""The places of one list, by hand."""

import numpy as np

from graphrec.reranking import Cap
from graphrec.reranking.mmr import select


def test_a_cap_skips_what_is_too_many_of_a_kind() -> None:
    cap = Cap("genre", 1, "IN_GENRE", "Genre")
    found = select(np.array([4.0, 3.0, 2.0, 1.0]), 3, [(cap, [("a",), ("a", "b"), ("b",), ()])])
    assert found.chosen == [0, 2, 3]
    assert found.capped == {1: "cap 'genre'"}


def test_maximal_marginal_relevance_is_as_by_hand() -> None:
    alike = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    # the first place has the best score; then 0.5 · 0.8 - 0.5 · 0.9 = -0.05 is less than 0.5 · 0.4 = 0.2
    assert select(np.array([10.0, 8.0, 4.0]), 3, [], alike, 0.5).chosen == [0, 2, 1]
    assert select(np.array([10.0, 8.0, 4.0]), 3, [], alike, 1.0).chosen == [0, 1, 2]
    # of negative scores the shares of the span count: 1, ⅔, 0
    assert select(np.array([1.0, 0.0, -2.0]), 2, [], alike, 0.5).chosen == [0, 2]
