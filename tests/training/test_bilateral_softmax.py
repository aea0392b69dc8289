"""The bilateral softmax loss for each kind of negatives, against its formula and the gradient of that by autograd."""

import math

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import Tensor

from graphrec.training.batches import PairBatch, UserBatch
from graphrec.training.losses import in_batch_softmax_loss, sampled_softmax_loss
from graphrec.training.objectives import NEGATIVES, Batch, Objective
from graphrec.training.softmax import Sample, catalogue_softmax_loss

NUM_USERS, NUM_ITEMS, TEMPERATURE = 9, 7, 0.3


def interactions() -> sparse.csr_array:
    """A matrix [9, 7] in which items differ in degree, user 0 has one item and user 8 has all."""
    dense = np.random.default_rng(4).random((NUM_USERS, NUM_ITEMS)) < np.linspace(0.9, 0.2, NUM_ITEMS)
    dense[0], dense[8] = np.arange(NUM_ITEMS) == 2, True
    return sparse.csr_array(dense.astype(np.float32))


def vectors() -> Tensor:
    """Vectors of different length of users and items, [16, 4] float64."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(NUM_USERS + NUM_ITEMS, 4, generator=generator, dtype=torch.float64).requires_grad_()


def objective(negatives: str, positive_temperature: float, correction: bool = True) -> Objective:
    return Objective("softmax", negatives, 5, TEMPERATURE, positive_temperature, cosine=True, correction=correction)


@pytest.fixture(autouse=True)
def _one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """An epoch of a few interactions is one batch instead of sixteen."""
    monkeypatch.setattr("graphrec.training.batches.MIN_STEPS", 1)


def only_batch(negatives: str, matrix: sparse.csr_array) -> Batch:
    (batch,) = objective(negatives, 0.0).batches(matrix, 1000, np.random.default_rng(1))
    return batch


def value(x: Tensor, chosen: Objective, batch: Batch, matrix: sparse.csr_array) -> Tensor:
    return chosen.value(lambda rows: x if rows is None else x[torch.from_numpy(rows)], batch, matrix)


def direct(x: Tensor, chosen: Objective, batch: Batch, matrix: sparse.csr_array) -> Tensor:
    """The mean of −s⁺/τ⁺ + log(sum), one interaction and one negative at a time."""
    unit = x / x.norm(dim=1, keepdim=True)
    scores, terms = unit[:NUM_USERS] @ unit[NUM_USERS:].T, []
    degree, positive_temperature = np.asarray(matrix.sum(axis=0)), chosen.positive_temperature or TEMPERATURE
    if isinstance(batch, PairBatch):
        pairs = list(zip(batch.user.tolist(), batch.positive.tolist(), strict=True))
    else:
        pairs = [(int(user), item) for user in batch.user for item in np.flatnonzero(matrix[[user]].toarray()[0])]
    for user, item in pairs:
        e = (scores[user] / TEMPERATURE).exp()  # [NUM_ITEMS]
        if isinstance(batch, UserBatch) and batch.sample is None:
            total = e.sum()
        elif isinstance(batch, UserBatch):
            assert batch.sample is not None
            shares = np.sqrt(degree) / np.sqrt(degree).sum()
            drawn = batch.sample.item_index
            total = torch.stack([e[j] / (len(drawn) * shares[j]) for j in drawn]).sum()
        elif chosen.negatives == "batch":
            weights = matrix.nnz / (degree * len(pairs)) if chosen.correction else np.ones(NUM_ITEMS)
            total = e[item] + sum(e[j] * weights[j] for _, j in pairs if j != item)
        else:
            weight = NUM_ITEMS / len(batch.negative) if chosen.correction else 1.0
            total = e[item] + sum(e[j] * weight for j in batch.negative if not matrix[user, j])
        terms.append(total.log() - scores[user, item] / positive_temperature)
    return torch.stack(terms).mean()


@pytest.mark.parametrize("positive_temperature", [0.0, 0.2, 0.45])
@pytest.mark.parametrize(
    ("negatives", "correction"), [*((negatives, True) for negatives in NEGATIVES), ("batch", False), ("uniform", False)]
)
def test_the_loss_and_its_gradient_are_those_of_the_formula(
    negatives: str, correction: bool, positive_temperature: float
) -> None:
    matrix = interactions()
    chosen, batch, x = objective(negatives, positive_temperature, correction), only_batch(negatives, matrix), vectors()
    found, expected = value(x, chosen, batch, matrix), direct(x, chosen, batch, matrix)
    # samples and frequencies are float32
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
    gradients = [torch.autograd.grad(loss, x)[0] for loss in (found, expected)]
    assert float(gradients[1].abs().max()) > 0.1
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("sampled", [False, True])
def test_the_gradient_over_a_catalogue_is_numerically_right(sampled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By finite differences in float64, in chunks of two users, with interactions of different weight."""
    monkeypatch.setattr("graphrec.training.softmax.CHUNK_SCORES", {"cpu": 14})
    x, rng = vectors(), np.random.default_rng(2)
    history = sparse.csr_array(rng.integers(0, 3, (NUM_USERS, NUM_ITEMS)).astype(np.float32))
    drawn = rng.integers(NUM_ITEMS, size=6)
    sample = Sample(drawn, np.log(rng.random(6)).astype(np.float32)) if sampled else None

    def loss(x: Tensor) -> Tensor:
        return catalogue_softmax_loss(x[:NUM_USERS], x[NUM_USERS:], history, 0.7, sample, 1.1)

    assert torch.autograd.gradcheck(loss, (x,))


@pytest.mark.parametrize("negatives", NEGATIVES)
def test_equal_temperatures_are_the_plain_softmax(negatives: str) -> None:
    matrix, x = interactions(), vectors()
    batch = only_batch(negatives, matrix)
    plain, equal, other = (value(x, objective(negatives, t), batch, matrix) for t in (0.0, TEMPERATURE, 0.4))
    gradients = [torch.autograd.grad(loss, x)[0] for loss in (plain, equal)]
    torch.testing.assert_close(equal, plain, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)
    assert abs((other - plain).item()) > 1e-3


def test_the_loss_is_a_softmax_with_a_power_of_the_sum() -> None:
    """The authors' form: t · loss = −log(e^{s⁺/τ} / (Σ e^{s/τ})^t) with t = τ⁺/τ, here 1.2."""
    loss = sampled_softmax_loss(torch.tensor([0.8]), torch.tensor([[0.1, -0.4]]), 0.5, positive_temperature=0.6)
    total = math.exp(0.8 / 0.5) + math.exp(0.1 / 0.5) + math.exp(-0.4 / 0.5)
    assert 1.2 * float(loss) == pytest.approx(-math.log(math.exp(0.8 / 0.5) / total**1.2), rel=1e-6)


def test_losses_without_a_second_temperature_are_bitwise_those_without_the_setting() -> None:
    """In float32, value and gradient, against the plain formula in the order of operations of the plain loss."""
    generator = torch.Generator().manual_seed(3)
    users, items = (torch.randn(40, 8, generator=generator).requires_grad_() for _ in range(2))
    positive, scores = (users * items).sum(-1), users @ items.T
    item_index = torch.arange(40) % 11

    logits = torch.cat([(positive / 0.13).unsqueeze(-1), scores / 0.13], dim=-1)
    positive_logit = logits[:, 0]
    expected = [(torch.logsumexp(logits, dim=-1) - positive_logit).mean()]
    logits = users @ items.T / 0.13
    positive_logit = logits.diagonal()
    masked = logits.masked_fill(item_index.unsqueeze(0) == item_index.unsqueeze(1), -math.inf)
    masked = torch.cat([positive_logit.unsqueeze(-1), masked], dim=-1)
    expected.append((torch.logsumexp(masked, dim=-1) - positive_logit).mean())

    found = [sampled_softmax_loss(positive, scores, 0.13), in_batch_softmax_loss(users, items, item_index, 0.13)]
    for mine, plain in zip(found, expected, strict=True):
        assert torch.equal(mine, plain)
        gradients = [torch.autograd.grad(loss, (users, items), retain_graph=True) for loss in (mine, plain)]
        assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))

    history = sparse.csr_array((np.random.default_rng(5).random((40, 40)) < 0.2).astype(np.float32))
    found = [catalogue_softmax_loss(users, items, history, 0.13, None, each) for each in (0.0, 0.13)]
    assert torch.equal(*found)
