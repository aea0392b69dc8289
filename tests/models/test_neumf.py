"""NeuMF: the contract of all three parts, both losses by hand, scores of all pairs, and new users."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.neumf import NeuMF
from graphrec.testing import ModelContract, graph_of

SMALL: dict[str, object] = {
    "embedding_dim": 8,
    "layers": "16 8",
    "epochs": 20,
    "learning_rate": 0.02,
    "init_std": 0.3,
    "weight_decay": 0.01,
}


class TestNeuMF(ModelContract):
    name = "neumf"
    config: ClassVar[dict[str, object]] = SMALL
    exact_fold_in = False


class TestGMF(ModelContract):
    name = "neumf"
    config: ClassVar[dict[str, object]] = {**SMALL, "part": "gmf"}
    exact_fold_in = False


class TestMLP(ModelContract):
    name = "neumf"
    config: ClassVar[dict[str, object]] = {**SMALL, "part": "mlp"}
    exact_fold_in = False


def small(**settings: object) -> tuple[NeuMF, Interactions]:
    """A model of three users and four items after two epochs."""
    pairs = Interactions(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 3]), 3, 4)
    model = make("neumf", **{**SMALL, "epochs": 2, "weight_decay": 0.0, **settings})
    assert isinstance(model, NeuMF)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    return model, pairs


def score_by_hand(model: NeuMF, user: int, item: int) -> torch.Tensor:
    """w · [p ∘ q; MLP([p'; q'])] + b of one pair, in float64."""
    network, k = model.fitted_network, model.config.product_dim
    p, q = network.users[user].double(), network.items[item].double()
    parts = [p[:k] * q[:k]]
    if model.config.perceptron_dim:
        x = torch.cat([p[k:], q[k:]])
        for layer in network.hidden:
            assert isinstance(layer, torch.nn.Linear)
            x = torch.relu(layer.weight.double() @ x + layer.bias.double())
        parts.append(x)
    return (network.output.weight.double() @ torch.cat(parts) + network.output.bias.double())[0]


@pytest.mark.parametrize("settings", [{}, {"part": "gmf"}, {"part": "mlp"}, {"layers": "16 8 4"}, {"layers": "6"}])
def test_scores_are_those_of_the_formula(settings: dict[str, object]) -> None:
    """For rows, for pairs and for a few users at a time."""
    model, _ = small(**settings)
    expected = torch.stack([torch.stack([score_by_hand(model, user, item) for item in range(4)]) for user in range(3)])
    torch.testing.assert_close(model.score(np.arange(3)).double(), expected.detach(), atol=1e-5, rtol=1e-5)
    pairs = model.score_pairs(np.arange(3), np.array([[3, 0], [1, 1], [2, 3]]))
    torch.testing.assert_close(pairs.double(), expected.detach().gather(1, torch.tensor([[3, 0], [1, 1], [2, 3]])))


def test_blocks_of_users_have_the_scores_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = small()
    together = model.score(np.arange(3))
    monkeypatch.setattr("graphrec.models.neumf.BLOCK", 1)
    torch.testing.assert_close(model.score(np.arange(3)), together)


@pytest.mark.parametrize("loss", ["log", "squared"])
def test_the_losses_by_hand(loss: str) -> None:
    """Σ over interactions and their negatives, plus the decay of the vectors, per interaction."""
    model, pairs = small(loss=loss, num_negatives=2, weight_decay=0.1)
    network = model.fitted_network
    for batch in model.batches(pairs.matrix(), np.random.default_rng(1)):
        assert not pairs.matrix().toarray()[batch.user[:, None], batch.negative].any()
        total = torch.zeros((), dtype=torch.float64)
        for user, positive, negatives in zip(batch.user, batch.positive, batch.negative, strict=True):
            for item, target in ((positive, 1.0), *((negative, 0.0) for negative in negatives)):
                probability = torch.sigmoid(score_by_hand(model, user, item))
                error = (target - probability).abs()
                total = total + (-(1 - error).log() if loss == "log" else error.square())
                total = total + 0.05 * network.items[item].double().square().sum()
            total = total + 0.05 * network.users[user].double().square().sum()
        torch.testing.assert_close(model.loss(batch).double(), total / len(batch.user), atol=1e-5, rtol=1e-5)


def test_vectors_of_the_product_begin_as_a_dot_product() -> None:
    model, _ = small()
    network = model.build_network(3, 4)
    model.initialise(network, np.random.default_rng(0))
    assert network.output.weight[0, :8].tolist() == [1.0] * 8
    assert bool(network.output.weight[0, 8:].any())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"part": "cnn"}, "part is one of neumf, gmf, mlp, not 'cnn'"),
        ({"loss": "bpr"}, "loss is one of log, squared, not 'bpr'"),
        ({"layers": "8 four"}, "layers are whole numbers separated by spaces, not '8 four'"),
        ({"layers": "7 4"}, "the first is even, not '7 4'"),
        ({"layers": ""}, "the first is even, not ''"),
        ({"num_negatives": 0}, "embedding_dim and num_negatives are at least 1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make("neumf", **settings)
