"""Negatives and the batches of an epoch."""

import numpy as np
import pytest
from scipy import sparse

from graphrec.testing import checkerboard
from graphrec.training.batches import cap_batch_size, pair_batches, user_batches
from graphrec.training.sampling import Positives, uniform_negatives


def test_negatives_are_uniform_among_the_items_not_chosen() -> None:
    chosen = np.zeros((2, 6), dtype=np.float32)
    chosen[0, [0, 1, 2]] = 1
    chosen[1, [5]] = 1
    user = np.repeat([0, 1], 20_000)
    negative = uniform_negatives(user, Positives.of(sparse.csr_array(chosen)), np.random.default_rng(0))
    shares = [np.bincount(negative[user == u], minlength=6) / 20_000 for u in (0, 1)]
    np.testing.assert_allclose(shares[0], [0, 0, 0, 1 / 3, 1 / 3, 1 / 3], atol=0.02)
    np.testing.assert_allclose(shares[1], [0.2] * 5 + [0], atol=0.02)


def test_a_user_who_chose_everything_does_not_hang() -> None:
    everything = Positives.of(sparse.csr_array(np.ones((1, 3), dtype=np.float32)))
    assert uniform_negatives(np.zeros(4, dtype=np.int64), everything, np.random.default_rng(0)).shape == (4,)


def test_the_same_rng_draws_the_same_negatives() -> None:
    positives = Positives.of(sparse.csr_array(np.eye(5, dtype=np.float32)))
    user = np.arange(5)
    first, second = (uniform_negatives(user, positives, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_an_epoch_has_each_interaction_once_with_real_negatives() -> None:
    _, train, _ = checkerboard()
    matrix = train.matrix()
    found = list(pair_batches(matrix, 8, 3, False, np.random.default_rng(0)))
    assert {len(batch.user) for batch in found[:-1]} == {8}
    user, positive = (np.concatenate([getattr(batch, name) for batch in found]) for name in ("user", "positive"))
    assert sorted(zip(user, positive, strict=True)) == sorted(zip(train.user_index, train.item_index, strict=True))
    negative = np.concatenate([batch.negative for batch in found])
    assert negative.shape == (len(train), 3)
    assert not matrix[np.repeat(user, 3), negative.ravel()].any()


def test_shared_negatives_are_drawn_once_for_a_batch_from_all_items() -> None:
    matrix = sparse.csr_array(np.ones((4, 6), dtype=np.float32))
    found = list(pair_batches(matrix, 2, 500, True, np.random.default_rng(0)))
    assert {batch.negative.shape for batch in found} == {(500,)}
    assert set(found[0].negative.tolist()) == set(range(6))


def test_an_epoch_of_users_has_each_active_user_once_with_all_they_chose() -> None:
    _, train, _ = checkerboard()  # the last of 21 users has chosen nothing
    matrix = train.matrix()
    found = list(user_batches(matrix, 18, 0, np.random.default_rng(0)))
    assert {len(batch.user) for batch in found} == {2}  # nine interactions each
    assert sorted(np.concatenate([batch.user for batch in found]).tolist()) == list(range(20))
    for batch in found:
        np.testing.assert_array_equal(batch.history.toarray(), matrix[batch.user].toarray())


def test_a_sample_says_how_often_each_of_its_items_is_expected() -> None:
    """Degrees 4, 1 and 0: items are drawn by the roots, two of three times the first and never the last."""
    matrix = sparse.csr_array(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]], dtype=np.float32))
    sample = next(user_batches(matrix, 100, 3000, np.random.default_rng(0))).sample
    assert sample is not None
    np.testing.assert_allclose(np.bincount(sample.item_index, minlength=3), [2000, 1000, 0], atol=100)
    np.testing.assert_allclose(sample.log_q, np.log([2000, 1000])[sample.item_index], rtol=1e-6)


@pytest.mark.parametrize(("batch_size", "total", "expected"), [(100, 10_000, 100), (1000, 1600, 100), (5, 3, 1)])
def test_few_interactions_still_make_sixteen_steps(batch_size: int, total: int, expected: int) -> None:
    assert cap_batch_size(batch_size, total) == expected
