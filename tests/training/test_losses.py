"""Each loss against numbers computed by hand, on rows that would differ if users were mixed."""

import math

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.training.losses import (
    bpr_loss,
    in_batch_softmax_loss,
    info_nce_loss,
    mse_loss,
    multinomial_loss,
    sampled_softmax_loss,
)
from graphrec.training.softmax import catalogue_softmax_loss

E = math.exp


def test_bpr_by_hand() -> None:
    loss = bpr_loss(torch.tensor([2.0, 0.0]), torch.tensor([1.0, 3.0]))
    expected = (math.log(1 + E(-1)) + math.log(1 + E(3))) / 2
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_bpr_with_many_negatives_keeps_users_apart() -> None:
    """Row 0 has two easy negatives, row 1 two hard ones; mixing rows would change the sum."""
    loss = bpr_loss(torch.tensor([5.0, -5.0]), torch.tensor([[0.0, 1.0], [0.0, 1.0]]))
    margins = [5, 4, -5, -6]
    assert float(loss) == pytest.approx(sum(math.log(1 + E(-m)) for m in margins) / 4, rel=1e-5)


def test_bpr_does_not_overflow() -> None:
    assert float(bpr_loss(torch.tensor([-1000.0]), torch.tensor([1000.0]))) == 2000.0


def test_squared_errors_by_hand() -> None:
    assert float(mse_loss(torch.tensor([3.0, 1.0]), torch.tensor([4.0, 3.0]))) == pytest.approx((1 + 4) / 2)


def test_sampled_softmax_by_hand() -> None:
    """Temperature ½: row 0 has the logits 2 | 0, 4 and row 1 the logits 6 | 2, 2."""
    loss = sampled_softmax_loss(torch.tensor([1.0, 3.0]), torch.tensor([[0.0, 2.0], [1.0, 1.0]]), 0.5)
    first = math.log(E(2) + E(0) + E(4)) - 2
    second = math.log(E(6) + 2 * E(2)) - 6
    assert float(loss) == pytest.approx((first + second) / 2, rel=1e-6)


def test_sampled_softmax_leaves_hits_out_and_counts_a_negative_for_those_it_stands_for() -> None:
    """The second negative is drawn with probability ⅕, so it stands for five items; the first one of row 1 is a hit."""
    log_q = torch.tensor([0.0, math.log(1 / 5)])
    hits = torch.tensor([[False, False], [True, False]])
    loss = sampled_softmax_loss(torch.tensor([1.0, 3.0]), torch.tensor([[0.0, 2.0], [9.0, 1.0]]), 1.0, log_q, hits)
    first = math.log(E(1) + E(0) + 5 * E(2)) - 1
    second = math.log(E(3) + 5 * E(1)) - 3
    assert float(loss) == pytest.approx((first + second) / 2, rel=1e-6)


def test_a_corrected_sample_estimates_the_whole_catalogue() -> None:
    """Negatives drawn with the shares q and corrected by log(n q) give, on average, the sum over all items."""
    scores, rng = np.array([0.5, -1.0, 2.0, 0.0]), np.random.default_rng(0)
    q = np.array([0.4, 0.3, 0.2, 0.1])
    drawn = rng.choice(4, size=200_000, p=q)
    log_q = torch.from_numpy(np.log(len(drawn) * q[drawn]))
    loss = sampled_softmax_loss(torch.tensor([1.0]).double(), torch.from_numpy(scores[drawn])[None], 1.0, log_q)
    assert float(loss) == pytest.approx(math.log(E(1) + np.exp(scores).sum()) - 1, rel=1e-3)


def test_in_batch_softmax_masks_other_rows_of_the_same_item() -> None:
    """Rows 0 and 2 have one item: it is no negative of either. Row 1 sees it twice."""
    users = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    items = torch.tensor([[1.0, 1.0], [0.0, 3.0], [1.0, 1.0]])
    loss = in_batch_softmax_loss(users, items, torch.tensor([7, 4, 7]), 1.0)
    rows = [math.log(E(1) + E(0)) - 1, math.log(E(3) + 2 * E(1)) - 3, math.log(E(2) + E(0)) - 2]
    assert float(loss) == pytest.approx(sum(rows) / 3, rel=1e-6)


def test_in_batch_softmax_corrects_negatives_by_how_often_they_are_in_a_batch() -> None:
    """An item that is in two batches of three on average counts one and a half times."""
    users, items = torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [3.0]])
    log_q = torch.tensor([math.log(2 / 3), math.log(1 / 4)])
    loss = in_batch_softmax_loss(users, items, torch.tensor([0, 1]), 1.0, log_q)
    rows = [math.log(E(1) + 4 * E(3)) - 1, math.log(E(6) + 1.5 * E(2)) - 6]
    assert float(loss) == pytest.approx(sum(rows) / 2, rel=1e-6)


def test_info_nce_by_hand() -> None:
    """Cosines: lengths do not matter. Row 0 agrees with its view, row 1 is at 45° to both."""
    first, second = torch.tensor([[2.0, 0.0], [3.0, 3.0]]), torch.tensor([[5.0, 0.0], [0.0, 0.1]])
    c = 1 / math.sqrt(2)
    rows = [math.log(E(1 / 0.5) + E(0)) - 1 / 0.5, math.log(2 * E(c / 0.5)) - c / 0.5]
    assert float(info_nce_loss(first, second, 0.5)) == pytest.approx(sum(rows) / 2, rel=1e-6)


def test_the_softmax_over_a_catalogue_by_hand() -> None:
    """User 0 chose items 0 and 2, user 1 item 1: three interactions, temperature ½."""
    users, items = torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [0.0], [2.0]])
    history = sparse.csr_array(np.array([[1, 0, 1], [0, 1, 0]], dtype=np.float32))
    z = [math.log(E(2) + E(0) + E(4)), math.log(E(-2) + E(0) + E(-4))]
    expected = ((z[0] - 2) + (z[0] - 4) + (z[1] - 0)) / 3
    assert float(catalogue_softmax_loss(users, items, history, 0.5)) == pytest.approx(expected, rel=1e-6)


def test_the_gradient_of_the_softmax_over_a_catalogue_is_the_dense_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In chunks of two users, with the last one smaller, and interactions of different weight."""
    monkeypatch.setattr("graphrec.training.softmax.CHUNK_SCORES", {"cpu": 14})
    generator = torch.Generator().manual_seed(0)
    users, items = (torch.randn(n, 4, generator=generator).requires_grad_() for n in (5, 7))
    history = np.random.default_rng(1).integers(0, 3, (5, 7)).astype(np.float32)
    loss = catalogue_softmax_loss(users, items, sparse.csr_array(history), 0.3)
    (2 * loss).backward()  # type: ignore[no-untyped-call]

    dense = [x.detach().double().requires_grad_() for x in (users, items)]
    shares = (dense[0] @ dense[1].T / 0.3).log_softmax(1)
    expected = -(shares * torch.from_numpy(history)).sum() / history.sum()
    gradients = torch.autograd.grad(2 * expected, dense)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-5)
    for mine, theirs in zip((users, items), gradients, strict=True):
        assert mine.grad is not None
        torch.testing.assert_close(mine.grad.double(), theirs, rtol=1e-4, atol=1e-5)


def test_the_softmax_over_a_catalogue_does_not_overflow() -> None:
    users, items = torch.tensor([[100.0]]), torch.tensor([[10.0], [-10.0]])
    history = sparse.csr_array(np.array([[0, 1]], dtype=np.float32))
    assert float(catalogue_softmax_loss(users, items, history, 1.0)) == pytest.approx(2000.0)


def test_the_multinomial_likelihood_by_hand() -> None:
    """Users with items 0 and 2, and with item 1 of three: the sum over items, the mean over users."""
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    history = sparse.csr_array(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=np.float32))
    totals = [math.log(E(1) + E(2) + E(0.5)), math.log(1 + E(-1) + E(3))]
    expected = (2 * totals[0] - 1.5 + totals[1] + 1.0) / 2
    assert float(multinomial_loss(logits, history)) == pytest.approx(expected, rel=1e-6)
