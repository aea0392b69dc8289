"""TopKOptions: candidates, excluded items, order of equal scores, precision."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models.base import ApproximateScores
from graphrec.ranking.options import TopKOptions, rank_by_id
from graphrec.ranking.topk import recommend, search_top_k
from graphrec.runs import TrainedRun, describe
from graphrec.testing import graph_of
from graphrec.vocabulary import IndexArray, Vocabulary

from .fixed import Fixed, pairs

NOBODY = np.array([0])


def best_of(scores: list[float], options: TopKOptions, k: int = 3, seen: Interactions | None = None) -> list[int]:
    found = search_top_k(Fixed([scores]), seen or pairs(items=len(scores)), NOBODY, k, options)
    return [int(item) for item in found.item_index[0]]


class Screened(Fixed):
    """A model with approximate scores `rough`; exact ones are `scores`."""

    rough: Tensor

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:
        parts = (user_index[start : start + size] for start in range(0, len(user_index), size))
        return (ApproximateScores(self.rough[torch.from_numpy(users)], partial(self._at, users)) for users in parts)

    def _at(self, users: IndexArray, items: Tensor) -> Tensor:
        return self.score_pairs(users, items.numpy())


def test_only_candidates_are_recommended_as_positions_or_as_a_mask() -> None:
    scores = [5.0, 4.0, 3.0, 2.0, 1.0]
    assert best_of(scores, TopKOptions(candidates=np.array([4, 1, 3]))) == [1, 3, 4]
    mask = np.array([False, True, False, True, True])
    assert best_of(scores, TopKOptions(candidates=mask)) == [1, 3, 4]


def test_excluded_items_are_not_recommended_even_if_they_are_candidates() -> None:
    options = TopKOptions(candidates=np.array([0, 1, 2]), excluded=np.array([1]))
    assert best_of([5.0, 4.0, 3.0, 2.0, 1.0], options) == [0, 2, -1]


def test_seen_items_stay_masked_among_candidates() -> None:
    options = TopKOptions(candidates=np.array([0, 1, 2]))
    assert best_of([5.0, 4.0, 3.0, 2.0, 1.0], options, seen=pairs((0, 0))) == [1, 2, -1]


def test_lists_are_filled_with_popular_candidates_only() -> None:
    seen = pairs((1, 0), (1, 1), (2, 0), (2, 2), (3, 0), (3, 2), users=4)
    assert best_of([0.0, 0.0, 0.0, 0.0, 7.0], TopKOptions(excluded=np.array([0])), k=4, seen=seen) == [4, 2, 1, 3]


def test_no_candidates_leave_rows_empty() -> None:
    assert best_of([1.0, 2.0], TopKOptions(candidates=np.array([], dtype=np.int64)), k=2) == [-1, -1]


def test_options_do_not_change_their_mask() -> None:
    mask = np.array([True, True, False])
    assert TopKOptions(candidates=mask, excluded=np.array([0])).find_forbidden(3).tolist() == [0, 2]
    assert mask.tolist() == [True, True, False]


def test_equal_scores_are_in_the_given_order_at_the_last_place_too() -> None:
    order = np.array([4, 3, 2, 1, 0])
    assert best_of([2.0, 2.0, 9.0, 2.0, 2.0], TopKOptions(order=order)) == [2, 4, 3]
    assert best_of([0.0] * 5, TopKOptions(order=order)) == [4, 3, 2]  # no preferences, equal popularity
    assert best_of([2.0, 2.0, 9.0, 2.0, 2.0], TopKOptions()) == [2, 0, 1]


def test_equal_scores_of_rescored_candidates_are_in_the_given_order() -> None:
    model = Screened([[1.0, 1.0, 1.0, 5.0]])
    model.rough = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    options = TopKOptions(order=np.array([2, 0, 1, 3]), precision="bfloat16")
    found = search_top_k(model, pairs(items=4), NOBODY, 3, options)
    assert found.item_index.tolist() == [[3, 1, 2]]


def test_float32_uses_no_approximate_scores() -> None:
    """By the approximate scores item 0 is not among the k + 20 candidates."""
    exact = [100.0, *range(1, 60)]
    model = Screened([[float(score) for score in exact]])
    model.rough = torch.tensor([[0.5, *range(1, 60)]], dtype=torch.float32)
    rough, precise = (
        search_top_k(model, pairs(items=60), NOBODY, 2, TopKOptions(precision=precision)).item_index.tolist()
        for precision in ("bfloat16", "float32")
    )
    assert rough == [[59, 58]]
    assert precise == [[0, 59]]


def test_recommendations_with_equal_scores_are_ordered_by_id() -> None:
    """Ids are not in the order of positions; as text, `10` is before `9`."""
    seen = pairs(items=4)
    graph = graph_of(seen)
    model = Fixed([[1.0, 1.0, 1.0, 3.0]])
    items = Vocabulary.of("Item", pd.Index(["b", "9", "10", "a"], dtype="str"))
    trained = TrainedRun(describe("fixed", model, graph.target, {}, 0.0), model, graph.users, items, seen)
    assert recommend(trained, k=4).frame["item_id"].tolist() == ["a", "10", "9", "b"]
    assert recommend(trained, k=2).frame["item_id"].tolist() == ["a", "10"]
    found = recommend(trained, k=2, options=TopKOptions(excluded=np.array([3])))
    assert found.frame["item_id"].tolist() == ["10", "9"]
    in_order = replace(trained, items=Vocabulary.of("Item", pd.Index(["1", "2", "3", "4"], dtype="str")))
    assert recommend(in_order, k=3).frame["item_id"].tolist() == ["4", "1", "2"]


def test_sorted_ids_need_no_order() -> None:
    assert rank_by_id(Vocabulary.of("Item", ["a", "b"])) is None
    order = rank_by_id(Vocabulary.of("Item", ["c", "a", "b"]))
    assert order is not None
    assert order.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (TopKOptions(candidates=np.array([True, False])), "a mask of items has 2 values, but there are 5 items"),
        (TopKOptions(excluded=np.array([1, 7, -1])), r"2 positions of items are not in 0..4: 7, -1"),
    ],
)
def test_unknown_items_are_refused(options: TopKOptions, message: str) -> None:
    with pytest.raises(DataError, match=message):
        best_of([1.0] * 5, options)


def test_invalid_options_are_refused() -> None:
    with pytest.raises(DataError, match="the precision is one of float32, bfloat16, not 'float16'"):
        TopKOptions(precision="float16")
    with pytest.raises(DataError, match="a memory budget of 0 bytes is too small"):
        TopKOptions(memory_budget=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_scores_on_a_gpu_are_ranked_there() -> None:
    model = Fixed([[1.0, 2.0, 2.0, 3.0]])
    model.device, model.scores = torch.device("cuda"), model.scores.cuda()
    options = TopKOptions(excluded=np.array([3]), order=np.array([0, 2, 1, 3]))
    found = search_top_k(model, pairs((0, 0), items=4), NOBODY, 2, options)
    assert found.item_index.tolist() == [[2, 1]]
