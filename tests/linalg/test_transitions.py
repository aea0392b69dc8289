"""Sums over pairs of events equal those over dense arrays."""

import numpy as np
import pytest

from graphrec.errors import GraphrecError
from graphrec.linalg.events import Events
from graphrec.linalg.memories import regress_next_items, sum_products, sum_targets
from graphrec.linalg.transitions import PairWeights, sum_transitions

NUM_ITEMS = 7
HISTORIES = [[0, 1, 2], [3], [], [1, 4, 1, 0, 6, 5], [2, 2, 0]]
DAYS = [[0.0, 1.0, 4.0], [2.0], [], [0.0, 0.0, 3.0, 5.0, 6.0, 9.0], [1.0, 2.0, 2.0]]
WEIGHTS = [[1.0, 0.5, 1.0], [1.0], [], [0.3, 1.0, 1.0, 1.0, 0.3, 1.0], [1.0, 1.0, 1.0]]


def build_events() -> Events:
    indptr = np.cumsum([0, *map(len, HISTORIES)]).astype(np.int64)
    items = np.concatenate(HISTORIES).astype(np.int32)
    times = np.concatenate(DAYS) * 86_400.0
    return Events.of(indptr, items, NUM_ITEMS, np.concatenate(WEIGHTS).astype(np.float32), times)


@pytest.mark.parametrize("half_life", [0.0, 2.0])
def test_transitions_are_sums_over_ordered_pairs(half_life: float) -> None:
    pairs = PairWeights(decay=0.8, backward=0.3, window=3, half_life=half_life)
    columns = np.arange(1, NUM_ITEMS + 1, dtype=np.float32)
    expected = np.zeros((NUM_ITEMS, NUM_ITEMS))
    for items, days, weights in zip(HISTORIES, DAYS, WEIGHTS, strict=True):
        for p in range(len(items)):
            for q in range(p + 1, min(len(items), p + 4)):
                value = 0.8 ** (q - p - 1) * weights[p] * weights[q]
                value *= 0.5 ** ((days[q] - days[p]) / half_life) if half_life else 1.0
                expected[items[p], items[q]] += value
                expected[items[q], items[p]] += 0.3 * value
    found = sum_transitions(build_events(), pairs, columns, NUM_ITEMS)
    np.testing.assert_allclose(found.toarray(), expected * columns, rtol=1e-5)


def test_each_row_keeps_its_largest_entries() -> None:
    pairs, ones = PairWeights(0.8, 0.3, 3), np.ones(NUM_ITEMS, dtype=np.float32)
    full, cut = (sum_transitions(build_events(), pairs, ones, k).toarray() for k in (NUM_ITEMS, 2))
    for row, kept in zip(full, cut, strict=True):
        np.testing.assert_array_equal(np.sort(kept)[-2:], np.sort(row)[-2:])
        assert set(np.flatnonzero(kept)) <= set(np.flatnonzero(row))
        assert np.count_nonzero(kept) == min(2, np.count_nonzero(row))


MEMORIES, SIGMA = (0.0, 0.3, 0.9, 1.0), 0.3


def build_dense() -> tuple[np.ndarray[tuple[int, int]], np.ndarray[tuple[int, int]]]:
    """x_t [times, memories · num_items] and y_t [times, num_items] of all times that have a next event."""
    inputs, targets = [], []
    for items in HISTORIES:
        for t in range(len(items) - 1):
            x, y = np.zeros((len(MEMORIES), NUM_ITEMS)), np.zeros(NUM_ITEMS)
            for p in range(t + 1):
                x[:, items[p]] += np.array(MEMORIES) ** (t - p)
            for q in range(t + 1, len(items)):
                y[items[q]] += SIGMA ** (q - t - 1)
            inputs.append(x.ravel())
            targets.append(y)
    return np.array(inputs), np.array(targets)


def test_sums_over_pairs_equal_those_over_times() -> None:
    inputs, targets = build_dense()
    events = build_events()
    np.testing.assert_allclose(sum_products(events, MEMORIES), inputs.T @ inputs, rtol=1e-5, atol=1e-6)
    found = sum_targets(events, MEMORIES, SIGMA).reshape(-1, NUM_ITEMS)
    np.testing.assert_allclose(found, inputs.T @ targets, rtol=1e-5, atol=1e-6)


def test_the_regression_solves_the_normal_equations() -> None:
    inputs, targets = build_dense()
    penalty = np.linspace(1.0, 2.0, inputs.shape[1]).astype(np.float32)
    expected = np.linalg.solve(inputs.T @ inputs + np.diag(penalty), inputs.T @ targets)
    found = regress_next_items(build_events(), MEMORIES, SIGMA, penalty, "give a larger one")
    np.testing.assert_allclose(found.reshape(-1, NUM_ITEMS), expected, atol=1e-4)


def test_a_singular_regression_says_what_to_do() -> None:
    with pytest.raises(GraphrecError, match="give a larger one"):
        regress_next_items(build_events(), MEMORIES, SIGMA, np.zeros(4 * NUM_ITEMS, np.float32), "give a larger one")


def test_memory_is_for_the_pairs_of_events_and_not_for_all_pairs_of_items() -> None:
    """All pairs of a million items would need 8 TB."""
    num_items = 1_000_000
    events = Events.of(np.array([0, 2]), np.array([0, 999_999], dtype=np.int32), num_items)
    found = sum_transitions(events, PairWeights(0.5, 1.0, 3), np.ones(num_items, dtype=np.float32), num_items)
    assert found.nonzero()[0].tolist() == [0, 999_999]
    assert found.data.tolist() == [1.0, 1.0]
