"""UltraGCN against loops over pairs, its constraints against dense matrices, and one step by hand."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models.embedding import TrainingData
from graphrec.models.ultragcn import Constraints, UltraGCN, UltraGCNConfig, constraint_loss
from graphrec.testing import ModelContract, checkerboard, graph_of
from graphrec.training.batches import PairBatch

CPU = torch.device("cpu")
#: User 3 and item 4 have no interactions.
PAIRS = Interactions(np.array([0, 0, 1, 1, 1, 2, 2, 2]), np.array([0, 1, 0, 1, 2, 0, 2, 3]), 4, 5)


class TestUltraGCN(ModelContract):
    name = "ultragcn"
    config: ClassVar[dict[str, object]] = {
        "epochs": 10,
        "embedding_dim": 16,
        "learning_rate": 0.05,
        "num_negatives": 16,
        "negative_weight": 0.15,
    }
    exact_fold_in = False


def test_constraints_equal_the_dense_ones() -> None:
    r = PAIRS.matrix().toarray().astype(np.float64)
    found = Constraints.of(PAIRS.matrix(), 2, CPU)
    d_user, d_item = r.sum(1), r.sum(0)
    for user, item in zip(PAIRS.user_index, PAIRS.item_index, strict=True):
        beta = np.sqrt(d_user[user] + 1) / d_user[user] / np.sqrt(d_item[item] + 1)
        assert float(found.user_factor[user] * found.item_factor[item]) == pytest.approx(beta, rel=1e-6)
    g = r.T @ r
    total = g.sum(1)
    for item in range(4):
        omega = g[item] / (total[item] - g[item, item]) * np.sqrt(total[item] / np.maximum(total, 1))
        omega[item] = 0
        best = np.argsort(-omega, kind="stable")[:2]
        assert set(found.nearest[item].tolist()) == set(best.tolist())
        np.testing.assert_allclose(np.sort(found.omega[item]), np.sort(omega[best]), rtol=1e-5)


def test_an_item_without_enough_neighbours_is_filled_up_with_itself() -> None:
    found = Constraints.of(PAIRS.matrix(), 4, CPU)
    assert found.nearest[4].tolist() == [4] * 4
    assert found.omega[4].tolist() == [0.0] * 4
    assert found.nearest[3].tolist()[2:] == [3, 3]  # only user 2 chose item 3, with items 0 and 2
    assert bool((found.omega[3, :2] > 0).all())
    assert not found.omega[3, 2:].any()


def by_hand(x: Tensor, batch: PairBatch, config: UltraGCNConfig) -> Tensor:
    """The loss of a batch written out, pair by pair."""
    constraints, matrix = Constraints.of(PAIRS.matrix(), config.neighbours, CPU), PAIRS.matrix().toarray()
    users, items = x[:4], x[4:]

    def weight(user: int, item: int) -> Tensor:
        return 1 - config.constraint + config.constraint * constraints.user_factor[user] * constraints.item_factor[item]

    total = torch.zeros((), dtype=x.dtype)
    for user, positive in zip(batch.user, batch.positive, strict=True):
        total = total - weight(user, positive) * logsigmoid(users[user] @ items[positive])
        for negative in batch.negative:
            if not matrix[user, negative]:
                term = weight(user, negative) * logsigmoid(-users[user] @ items[negative])
                total = total - 5 * config.negative_weight * term / len(batch.negative)
        for near, omega in zip(constraints.nearest[positive], constraints.omega[positive], strict=True):
            total = total - config.neighbour_weight * omega * logsigmoid(users[user] @ items[near])
    return total / len(batch.user)


@pytest.mark.parametrize("constraint", [0.0, 0.7, 1.0])
def test_the_loss_and_its_gradient_equal_those_written_out(constraint: float) -> None:
    config = UltraGCNConfig(neighbours=3, constraint=constraint, negative_weight=1.0, neighbour_weight=2.0)
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    batch = PairBatch(np.array([0, 2, 1]), np.array([1, 3, 0]), np.array([2, 0, 4, 4]))
    mine = constraint_loss(x, batch, PAIRS.matrix(), Constraints.of(PAIRS.matrix(), 3, CPU), config)
    dense = by_hand(x, batch, config)
    torch.testing.assert_close(mine, dense)
    torch.testing.assert_close(torch.autograd.grad(mine, x)[0], torch.autograd.grad(dense, x)[0])


class Begun(UltraGCN):
    """UltraGCN that begins with given vectors."""

    first = torch.tensor([[0.3, -0.2], [0.5, 0.1], [-0.4, 0.7]])  # the user, the chosen item, the other item

    def initial_parameters(self, training: TrainingData, rng: np.random.Generator) -> Tensor:  # noqa: ARG002  # nothing is drawn
        return self.first.clone()


def test_one_step_by_hand() -> None:
    """One user, one of two items chosen: β = √2 / 1 / √2 = 1 for both, negatives that are the chosen item count
    nothing, and nothing is similar. Adam's first step is rate · sign of the gradient."""
    pair = Interactions(np.array([0]), np.array([0]), 1, 2)
    config = UltraGCNConfig(
        embedding_dim=2,
        learning_rate=0.05,
        weight_decay=0.01,
        epochs=1,
        num_negatives=64,
        constraint=1.0,
        negative_weight=150.0,
        warm_start=False,
    )
    model = Begun(config)
    model.fit(graph_of(pair), pair, np.random.default_rng(0))
    user, item, other = Begun.first
    pull = -float(torch.sigmoid(-user @ item))
    # the other item has degree 0, taken as 1; about half of the negatives are it, and 0.3 is on the safe side
    push = 2 * 150 * 0.3 * float(torch.sigmoid(user @ other))
    for_user = pull * item + push * other
    assert bool((for_user.sign() == (pull * item + 2 * push * other).sign()).all())
    expected = Begun.first[:2] - 0.05 * torch.stack([for_user, pull * user + 0.01 * item]).sign()
    torch.testing.assert_close(torch.cat([model.users, model.items[:1]]), expected, atol=1e-5, rtol=0.0)
    assert not model.items[1].any()  # nobody chose it


def test_the_same_seed_trains_the_same_after_another_problem() -> None:
    """The constraints belong to the interactions of a fit, not to the model."""
    graph, train, _ = checkerboard()
    config = UltraGCNConfig(epochs=2, embedding_dim=4, num_negatives=8)
    fresh, used = UltraGCN(config), UltraGCN(config)
    used.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(1))
    for model in (fresh, used):
        model.fit(graph, train, np.random.default_rng(0))
    assert torch.equal(fresh.score(np.arange(21)), used.score(np.arange(21)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"neighbours": 0}, "num_negatives and neighbours are at least 1"),
        ({"negative_weight": -1.0}, "negative_weight and neighbour_weight at least 0"),
        ({"constraint": 2.0}, "constraint is between 0 and 1"),
        ({"cosine": True}, "this model has its own loss; leave out loss, negatives, cosine and"),
        ({"positive_temperature": 0.1}, "its own loss; leave out loss, negatives, cosine and positive_temperature"),
        ({"loss": "bpr", "num_negatives": 1}, "its own loss"),
        ({"epochs": 0}, "batch_size and epochs are at least 1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        UltraGCNConfig(**settings)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_cuda() -> None:
    graph, train, _ = checkerboard()
    model = UltraGCN(UltraGCNConfig(epochs=2, embedding_dim=8, num_negatives=8), "cuda")
    model.fit(graph, train, np.random.default_rng(0))
    scores = model.score(np.arange(3))
    assert scores.device.type == "cuda"
    assert bool(scores.isfinite().all())
