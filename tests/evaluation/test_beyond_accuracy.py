"""What lists are like besides accurate, by hand and against loops over users."""

import itertools
import math

import numpy as np
import pytest
from scipy import sparse

from graphrec.evaluation import list_similarity
from graphrec.evaluation.beyond_accuracy import (
    beyond_accuracy,
    catalogue_stats,
    coverage,
    diversity,
    gini,
    information,
    novelty,
    personalisation,
    tail,
    tail_share,
)
from graphrec.evaluation.calibration import calibration, normalise_rows
from graphrec.evaluation.list_similarity import _sum_by_length, _sum_pairs, sum_cosines, unit_rows

LISTS = np.array([[0, 1, 2], [1, 0, -1], [3, -1, -1], [-1, -1, -1]])


def rows(*values: list[float]) -> sparse.csr_array:
    return sparse.csr_array(np.array(values, dtype=np.float64))


def test_coverage_is_the_share_of_all_items_shown() -> None:
    assert coverage(LISTS, 8, 1) == pytest.approx(3 / 8)
    assert coverage(LISTS, 8, 3) == coverage(LISTS, 8, 99) == pytest.approx(4 / 8)


def test_gini_by_hand_and_at_its_ends() -> None:
    """Of five items two are shown twice, two once, one never: Σ (2i − 6) x = -2·1 + 0·1 + 2·2 + 4·2 = 10, of 5 · 6."""
    assert gini(LISTS, 5, 3) == pytest.approx(10 / 30)
    assert gini(np.array([[0, 1], [2, 3]]), 4, 2) == 0
    assert gini(np.array([[2], [2]]), 4, 1) == pytest.approx(3 / 4)
    assert math.isnan(gini(LISTS[3:], 5, 3))


def test_personalisation_equals_a_loop_over_pairs() -> None:
    rng = np.random.default_rng(0)
    lists = np.array([rng.permutation(9)[:6] for _ in range(20)])
    lists[3, 4:] = -1
    lists[7] = -1
    sets = [set(items[items >= 0].tolist()) for items in lists[:, :5]]
    cosines = [len(a & b) / math.sqrt(len(a) * len(b)) for a, b in itertools.combinations(filter(None, sets), 2)]
    assert personalisation(lists, 5) == pytest.approx(1 - np.mean(cosines), abs=1e-12)
    assert personalisation(np.array([[0, 1], [0, 1]]), 2) == pytest.approx(0)
    assert personalisation(np.array([[0, 1], [1, 2]]), 2) == pytest.approx(1 / 2)
    assert math.isnan(personalisation(LISTS[2:], 3))


def test_novelty_is_the_mean_of_bits() -> None:
    """Of four users four, two and one had the items: 0, 1 and 2 bits; the one that nobody had counts as the last."""
    bits = information(np.array([4, 2, 1, 0]), 4)
    assert bits.tolist() == [0, 1, 2, 2]
    np.testing.assert_allclose(novelty(LISTS, bits, 3), [1, 0.5, 2, np.nan])
    np.testing.assert_allclose(novelty(LISTS, bits, 2), [0.5, 0.5, 2, np.nan])


def test_the_tail_is_what_the_head_of_80_percent_leaves() -> None:
    """Of ten interactions the head has at least eight: 5 + 2 + 1, the first of the two items with one."""
    assert tail(np.array([1, 5, 0, 2, 1, 1])).tolist() == [False, False, True, False, True, True]
    assert tail(np.array([4, 4, 2])).tolist() == [False, False, True]  # exactly eight is enough
    np.testing.assert_allclose(tail_share(LISTS, np.array([False, True, True, False]), 3), [2 / 3, 1 / 2, 0, np.nan])


def test_diversity_by_hand() -> None:
    """Items 0 and 1 are the same, 2 has half of it, nothing is known of 3: cosines 1, √½ and √½; 1; 0."""
    vectors = unit_rows(rows([2, 0], [1, 0], [1, 1], [0, 0]))
    lists = np.array([[0, 1, 2], [1, 0, -1], [0, 3, -1], [2, -1, -1]])
    found = diversity(lists, vectors, [2, 3])
    np.testing.assert_allclose(found[3], [1 - (1 + math.sqrt(2)) / 3, 0, 1, np.nan], atol=1e-12)
    np.testing.assert_allclose(found[2], [0, 0, 1, np.nan], atol=1e-12)


@pytest.mark.parametrize("at_once", [7, 100_000])
@pytest.mark.parametrize("way", ["chosen", "pairs", "sums"])
def test_sums_of_cosines_equal_a_loop(way: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of adding, and in blocks the numbers are the same."""
    monkeypatch.setattr(list_similarity, "NUMBERS_AT_ONCE", at_once)
    rng, ks = np.random.default_rng(0), (1, 5, 12, 50)
    dense = rng.random((40, 9)) * (rng.random((40, 9)) < 0.4)
    dense[:5] = 0  # of these nothing is known
    vectors = unit_rows(sparse.csr_array(dense))
    lists = np.array([rng.permutation(40)[:12] for _ in range(30)])
    lists[rng.random(lists.shape) < 0.2] = -1
    cosines = vectors.toarray() @ vectors.toarray().T
    if way == "pairs":
        found = _sum_pairs(np.where(lists < 0, 40, lists), vectors, ks)
    elif way == "sums":
        found = {k: _sum_by_length(np.where(lists < 0, 40, lists)[:, :k], vectors) for k in ks}
    else:
        found = sum_cosines(lists, vectors, ks)
    for k in ks:
        wanted = [sum(cosines[pair] for pair in itertools.combinations(i[:k][i[:k] >= 0], 2)) for i in lists]
        np.testing.assert_allclose(found[k], wanted, atol=1e-9)


def test_calibration_by_hand() -> None:
    """A history of three parts A and one part B; a list of A alone, of both, of what nobody has attributes of."""
    attributes = rows([1, 0], [1, 1], [0, 3], [0, 0])
    history = rows([1, 1, 0, 1], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1])
    lists = np.array([[0, -1], [2, 1], [3, -1], [0, 1]])
    found = calibration(lists, history, attributes, [1, 2])
    a, b = 0.99 + 0.01 * 0.75, 0.01 * 0.25
    np.testing.assert_allclose(found[2][0], 0.75 * math.log(0.75 / a) + 0.25 * math.log(0.25 / b))
    a, b = 0.99 * 0.25 + 0.01 * 0.75, 0.99 * 0.75 + 0.01 * 0.25
    np.testing.assert_allclose(found[2][1], 0.75 * math.log(0.75 / a) + 0.25 * math.log(0.25 / b))
    assert np.isnan(found[2][2:]).all()
    a, b = 0.01 * 0.75, 0.99 + 0.01 * 0.25
    np.testing.assert_allclose(found[1][1], 0.75 * math.log(0.75 / a) + 0.25 * math.log(0.25 / b))


def test_calibration_is_0_for_the_history_itself_and_most_for_something_else() -> None:
    attributes, history = rows([1, 1, 0], [0, 1, 0], [0, 0, 1]), rows([1, 1, 0], [1, 1, 0])
    found = calibration(np.array([[1, 0], [2, -1]]), history, attributes, [2])[2]
    np.testing.assert_allclose(found, [0, -math.log(0.01)], atol=1e-12)


def test_calibration_equals_a_loop_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.evaluation.calibration.USERS_AT_ONCE", 7)
    rng = np.random.default_rng(1)
    attributes = (rng.random((20, 6)) < 0.3).astype(np.float64)
    history = (rng.random((30, 20)) < 0.2).astype(np.float64)
    lists = np.array([rng.permutation(20)[:5] for _ in range(30)])
    found = calibration(lists, sparse.csr_array(history), sparse.csr_array(attributes), [5])[5]
    of_items = normalise_rows(sparse.csr_array(attributes)).toarray()
    for user in range(30):
        p, q = history[user] @ of_items, of_items[lists[user]].sum(axis=0)
        if not p.sum() or not q.sum():
            assert np.isnan(found[user])
            continue
        p, q = p / p.sum(), q / q.sum()
        mixed = 0.99 * q + 0.01 * p
        assert found[user] == pytest.approx(sum(p[g] * math.log(p[g] / mixed[g]) for g in range(6) if p[g]), abs=1e-9)


def test_all_of_it_together() -> None:
    """Diversity by who had the items where there are no attributes, and of the users that were asked for."""
    train = rows([1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 1])
    lists = np.array([[0, 1], [2, 3]])
    found = beyond_accuracy(lists, np.array([2, 1]), catalogue_stats(train, rows([0], [0], [0], [0])), [1, 2])
    assert list(found.per_user) == [f"{name}@{k}" for k in (1, 2) for name in ("novelty", "diversity", "tail_share")]
    np.testing.assert_allclose(found.per_user["diversity@2"], [0, 1], atol=1e-12)
    assert found.scalars["coverage@2"] == 1
    assert list(found.scalars)[:3] == ["coverage@1", "gini@1", "personalisation@1"]
    some = beyond_accuracy(lists, np.array([2, 1]), catalogue_stats(train), [1, 2], np.array([True, False]))
    assert some.scalars["coverage@2"] == 2 / train.shape[1]  # of the first list alone
    assert len(some.per_user["diversity@2"]) == 2
    attributes = rows([1, 0], [0, 1], [1, 0], [1, 0])
    described = beyond_accuracy(lists, np.array([2, 1]), catalogue_stats(train, attributes), [2])
    np.testing.assert_allclose(described.per_user["diversity@2"], [1, 0], atol=1e-12)
    assert described.per_user["calibration@2"][0] == pytest.approx(math.log(1 / (0.99 * 0.5 + 0.01)))


def test_inputs_are_left_as_they_are() -> None:
    train = rows([3, 0, 1], [1, 1, 0])
    lists = np.array([[1, 2], [2, -1]])
    before = (train.data.copy(), lists.copy())
    beyond_accuracy(lists, np.array([0, 1]), catalogue_stats(train, train.T.tocsr()), [2])
    assert np.array_equal(train.data, before[0])
    assert np.array_equal(lists, before[1])
