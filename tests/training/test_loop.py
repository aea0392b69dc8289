"""The training loop, losses and sampling, by hand."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.training.loop import Stopping, train
from graphrec.training.losses import bpr_loss
from graphrec.training.sampling import Positives, uniform_negatives


def test_bpr_by_hand() -> None:
    loss = bpr_loss(torch.tensor([2.0, 0.0]), torch.tensor([1.0, 3.0]))
    expected = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(3))) / 2
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_bpr_with_many_negatives_keeps_users_apart() -> None:
    """Row 0 has two easy negatives, row 1 two hard ones; mixing rows would change the sum."""
    loss = bpr_loss(torch.tensor([5.0, -5.0]), torch.tensor([[0.0, 1.0], [0.0, 1.0]]))
    margins = [5, 4, -5, -6]
    assert float(loss) == pytest.approx(sum(math.log(1 + math.exp(-m)) for m in margins) / 4, rel=1e-5)


def test_bpr_does_not_overflow() -> None:
    assert float(bpr_loss(torch.tensor([-1000.0]), torch.tensor([1000.0]))) == 2000.0


def test_two_steps_of_gradient_descent_by_hand() -> None:
    """Loss (x − b)²/2 with rate 0.1: x ← x − 0.1 (x − b). A loop that forgets zero_grad ends elsewhere."""
    x = torch.tensor(1.0, requires_grad=True)
    losses = train([x], torch.optim.SGD([x], lr=0.1), lambda: [3.0, 2.0], lambda b: (x - b) ** 2 / 2, epochs=1)
    assert float(x.detach()) == pytest.approx(1.0 + 0.1 * 2.0 + 0.1 * (2.0 - 1.2))
    assert losses == [pytest.approx((2.0 + 0.32) / 2)]


def test_one_step_of_adam_by_hand() -> None:
    """The first step of Adam is the learning rate against the sign of the gradient."""
    x = torch.tensor([1.0, -1.0], requires_grad=True)
    train([x], torch.optim.Adam([x], lr=0.05), lambda: [0], lambda _: (x * torch.tensor([3.0, -7.0])).sum(), epochs=1)
    np.testing.assert_allclose(x.detach(), [0.95, -0.95], rtol=1e-6)


def test_progress_tells_every_epoch() -> None:
    told: list[tuple[int, int]] = []
    x = torch.tensor(1.0, requires_grad=True)
    train(
        [x],
        torch.optim.SGD([x], lr=0.1),
        lambda: [0],
        lambda _: x**2,
        3,
        lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_early_stop_puts_the_best_parameters_back() -> None:
    x = torch.tensor(0.0, requires_grad=True)
    values: Iterator[float] = iter([0.1, 0.9, 0.5, 0.4, 0.3])
    stopping = Stopping(lambda: next(values), every=1, patience=2)
    losses = train([x], torch.optim.SGD([x], lr=1.0), lambda: [0], lambda _: -x, epochs=10, stopping=stopping)
    assert len(losses) == 4  # the best is the second, and two measures after it are worse
    assert float(x.detach()) == 2.0


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
