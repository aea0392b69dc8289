"""Top-k search: masks, ties, popular items that fill lists up, and batches."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.ranking.query import BYTES_PER_RESULT
from graphrec.ranking.row_topk import grouped_topk
from graphrec.ranking.topk import (
    BYTES_PER_ITEM,
    BYTES_PER_SCORE,
    MAX_BATCH_SIZE,
    RESERVE,
    fit_batch_size,
    recommend,
    top_k,
)
from graphrec.runs import TrainedRun, describe
from graphrec.testing import checkerboard, graph_of
from tests.sizes import num_examples

from .fixed import Fixed, pairs


class Signed(Fixed):
    has_signed_scores = True


def test_seen_items_are_never_recommended_and_the_best_come_first() -> None:
    best = top_k(Fixed([[1, 5, 3, 4, 2]]), pairs((0, 1), (0, 3)), np.array([0]), 3)
    assert best.item_index.tolist() == [[2, 4, 0]]
    assert best.score.tolist() == [[3, 2, 1]]


def test_equal_scores_are_in_the_order_of_positions() -> None:
    scores = [[2.0, 7.0] + [2.0] * 48 + [9.0]]
    best = top_k(Fixed(scores), pairs((0, 50), items=51), np.array([0]), 4)
    assert best.item_index.tolist() == [[1, 0, 2, 3]]


def test_items_without_a_preference_are_last_by_popularity_with_score_zero() -> None:
    seen = pairs((0, 0), (1, 4), (2, 4), (2, 3), (3, 2), (3, 3), (3, 4), users=4)
    best = top_k(Fixed([[9, 1, -3, 0, 0]] * 4), seen, np.array([0]), 4)
    assert best.item_index.tolist() == [[1, 4, 3, 2]]
    assert best.score.tolist() == [[1, 0, 0, 0]]


def test_negative_scores_are_preferences_of_signed_models_and_zero_is_none() -> None:
    best = top_k(Signed([[-2, -1, 0, -3, 0]]), pairs((0, 4)), np.array([0]), 4)
    assert best.item_index.tolist() == [[1, 0, 3, 2]]
    assert best.score.tolist() == [[-1, -2, -3, 0]]


@settings(max_examples=num_examples(25), deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_rounding_errors_change_no_list(seed: int, signed: bool) -> None:
    """Scores with rounding errors in the place of zeros give the same lists as exact scores."""
    rng = np.random.default_rng(seed)
    users, items = 8, 12
    scores = rng.integers(-3 if signed else 0, 4, (users, items)) * 10.0 ** rng.integers(-9, 9, (users, 1))
    seen = rng.random((users, items)) < 0.4
    seen &= ~(seen.all(axis=1, keepdims=True))
    exact = scores.astype(np.float32)
    largest = np.abs(exact).max(axis=1, keepdims=True)
    noise = np.where(exact == 0, largest * rng.choice([-3e-7, -6e-17, 0.0, 6e-17, 3e-7], scores.shape), 0.0)
    pairs_seen = pairs(*zip(*map(np.ndarray.tolist, np.nonzero(seen)), strict=True), users=users, items=items)
    model = Signed if signed else Fixed
    wanted = top_k(model(exact.tolist()), pairs_seen, np.arange(users), items)
    found = top_k(model((exact + noise).tolist()), pairs_seen, np.arange(users), items)
    np.testing.assert_array_equal(found.item_index, wanted.item_index)
    np.testing.assert_array_equal(found.score, wanted.score)


def test_rounding_errors_are_relative_to_the_scores_of_seen_items_too() -> None:
    seen = pairs((0, 0), (1, 3), (2, 3), (2, 2), (3, 1), users=4)
    best = top_k(Fixed([[0.7, 6e-17, 0, 0, 3e-8]] * 4), seen, np.array([0]), 4)
    assert best.item_index.tolist() == [[3, 1, 2, 4]], "the most popular first"
    assert best.score.tolist() == [[0, 0, 0, 0]]


def test_a_row_is_short_only_if_too_few_items_are_unseen() -> None:
    best = top_k(Fixed([[1, 1, 1, 1, 1]]), pairs((0, 0), (0, 1), (0, 2)), np.array([0]), 4)
    assert best.item_index.tolist() == [[3, 4, -1, -1]]
    assert best.score.tolist() == [[1, 1, -np.inf, -np.inf]]


def test_k_above_the_number_of_items_is_no_error() -> None:
    best = top_k(Fixed([[1, 2]]), pairs(items=2), np.array([0]), 10)
    assert best.item_index[0, :3].tolist() == [1, 0, -1]


def test_nan_and_infinite_scores_are_no_preferences() -> None:
    best = top_k(Fixed([[float("nan"), 2, float("inf"), 1, 0]]), pairs((0, 4)), np.array([0]), 3)
    assert best.item_index.tolist() == [[1, 3, 0]]


def test_batches_fit_the_memory_budget_and_do_not_change_the_results() -> None:
    rng = np.random.default_rng(0)
    model = Fixed(rng.integers(0, 4, (30, 20)).tolist())
    seen = pairs(*((u, u % 20) for u in range(30)), users=30, items=20)
    whole = top_k(model, seen, np.arange(30), 5)
    assert model.largest_batch == 30
    model.largest_batch = 0
    reported: list[tuple[int, int]] = []
    taken = 30 * 5 * BYTES_PER_RESULT + 20 * BYTES_PER_ITEM
    budget = taken + int(7.5 * 20 * BYTES_PER_SCORE / (1 - RESERVE))
    small = top_k(model, seen.matrix(), np.arange(30), 5, budget, lambda done, total: reported.append((done, total)))
    assert model.largest_batch == 7
    assert reported == [(7, 30), (14, 30), (21, 30), (28, 30), (30, 30)]
    np.testing.assert_array_equal(small.item_index, whole.item_index)
    np.testing.assert_array_equal(small.score, whole.score)


def test_batch_sizes() -> None:
    five = int(5.5 * 100 * BYTES_PER_SCORE / (1 - RESERVE))
    assert fit_batch_size(100, five) == 5
    assert fit_batch_size(100, -five) == 1
    assert fit_batch_size(10**9, 1) == 1
    assert fit_batch_size(1, 1 << 40) == MAX_BATCH_SIZE


@settings(max_examples=num_examples(60), deadline=None)
@given(st.data())
def test_top_k_equals_a_full_sort(data: st.DataObject) -> None:
    items = data.draw(st.integers(1, 9))
    scores = data.draw(st.lists(st.integers(1, 3), min_size=items, max_size=items))
    seen = sorted(data.draw(st.sets(st.integers(0, items - 1))))
    k = data.draw(st.integers(1, 10))
    best = top_k(Fixed([[float(s) for s in scores]]), pairs(*((0, i) for i in seen), items=items), np.array([0]), k)
    expected = sorted((i for i in range(items) if i not in seen), key=lambda i: (-scores[i], i))[:k]
    assert best.item_index[0].tolist() == expected + [-1] * (k - len(expected))


@settings(max_examples=num_examples(40), deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(400, 700), st.integers(2, 2000))
def test_grouped_topk_equals_a_full_sort_of_a_long_row(seed: int, k: int, items: int, different: int) -> None:
    scores = np.random.default_rng(seed).integers(1, different, size=(3, items)).astype(np.float32)
    scores[0, 5:] = -np.inf  # fewer known items than places
    values, positions = grouped_topk(torch.from_numpy(scores), k)
    np.testing.assert_array_equal(values, -np.sort(-scores, axis=1)[:, :k])
    np.testing.assert_array_equal(np.take_along_axis(scores, positions.numpy(), 1), values)
    assert all(len(set(row)) == k for row in positions.tolist())


def test_nan_scores_are_no_preferences_in_a_long_row_too() -> None:
    scores = [float(i) for i in range(600)]
    scores[7] = scores[599] = float("nan")
    best = top_k(Fixed([scores]), pairs((0, 598), items=600), np.array([0]), 3)
    assert best.item_index.tolist() == [[597, 596, 595]]


def test_equal_scores_of_a_long_row_are_in_the_order_of_positions() -> None:
    best = top_k(Fixed([[1.0] * 300 + [2.0] + [1.0] * 300]), pairs((0, 0), items=601), np.array([0]), 4)
    assert best.item_index.tolist() == [[300, 1, 2, 3]]


def test_batches_are_small_if_rows_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.ranking.topk.MAX_SCORE_BYTES", 9 * 20 * 4)
    monkeypatch.setattr("graphrec.ranking.topk.MIN_BATCH_SIZE", 4)
    model = Fixed([[1.0] * 20] * 30)
    top_k(model, pairs(users=30, items=20), np.arange(30), 2)
    assert model.largest_batch == 9


def test_the_table_has_ids_and_ranks_in_the_order_of_user_index() -> None:
    seen = pairs((0, 0), (1, 2), users=2, items=3)
    graph = graph_of(seen)
    model = Fixed([[0.5, 2, 1], [4, 0, 7]])
    run = describe("fixed", model, graph.target, {}, 0.0)
    found = recommend(TrainedRun(run, model, graph.users, graph.items, seen), np.array([1, 0]), k=2)
    assert (found.model, found.run) == ("fixed", run.id)
    assert list(found.frame.columns) == ["user_id", "item_id", "score", "rank"]
    assert found.frame.to_numpy().tolist() == [
        ["u1", "i0", 4, 1],
        ["u1", "i1", 0, 2],
        ["u0", "i1", 2, 1],
        ["u0", "i2", 1, 2],
    ]
    assert [str(kind) for kind in found.frame.dtypes] == ["str", "str", "float32", "int64"]


def test_every_user_gets_k_items_by_default() -> None:
    graph, train, _ = checkerboard()
    model = Fixed([[0.0] * 21] * 21)
    run = describe("fixed", model, graph.target, {}, 0.0)
    found = recommend(TrainedRun(run, model, graph.users, graph.items, train), k=6)
    assert found.frame.groupby("user_id").size().tolist() == [6] * 21
