"""node2vec: transition probabilities against the formula, windows and loss against PyG, one step by hand."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse
from torch.optim import SparseAdam
from torch_geometric.nn import MetaPath2Vec

from graphrec import hetero
from graphrec.errors import DataError
from graphrec.models.node2vec import Node2VecConfig, draw_batches, node2vec_vectors
from graphrec.models.walks import Walker, cut_windows, skip_gram_loss
from graphrec.testing import ModelContract, checkerboard
from graphrec.training.loop import TrainSchedule, train

Matrix = npt.NDArray[np.float64]

#: A triangle 0 1 2 with a tail 2 3, and weights that differ.
WEIGHTS = np.array([[0, 1, 2, 0], [1, 0, 4, 0], [2, 4, 0, 3], [0, 0, 3, 0]], dtype=np.float32)


class TestNode2Vec(ModelContract):
    name = "node2vec"
    config: ClassVar[dict[str, object]] = {
        "embedding_dim": 16,
        "epochs": 12,
        "learning_rate": 0.05,
        "walk_length": 8,
        "context_size": 4,
    }
    exact_fold_in = False


def transition(node: int, before: int, p: float, q: float) -> Matrix:
    """P(x | v, t) by the formula."""
    bias = np.array([1 / p if x == before else 1.0 if WEIGHTS[before, x] else 1 / q for x in range(4)])
    unnormalised = WEIGHTS[node] * bias
    return np.asarray(unnormalised / unnormalised.sum())


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (4.0, 0.5), (0.25, 2.0)])
@pytest.mark.parametrize(("before", "node"), [(0, 2), (3, 2), (0, 1), (2, 3)])
def test_transition_probabilities(p: float, q: float, before: int, node: int) -> None:
    walker = Walker.of(sparse.csr_array(WEIGHTS), p, q)
    n = 40000
    drawn = walker.draw_neighbours(np.full(n, node), np.full(n, before), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / n, transition(node, before, p, q), atol=0.01)


def test_the_first_step_goes_by_weight() -> None:
    walker = Walker.of(sparse.csr_array(WEIGHTS), 4.0, 0.25)
    walks = walker.walk(np.full(40000, 2), 3, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(walks[:, 1], minlength=4) / 40000, WEIGHTS[2] / 9, atol=0.01)
    by_edge = walks[walks[:, 1] == 1]
    found = np.bincount(by_edge[:, 2], minlength=4) / len(by_edge)
    np.testing.assert_allclose(found, transition(1, 2, 4.0, 0.25), atol=0.015)


def test_walks_follow_edges() -> None:
    walks = Walker.of(sparse.csr_array(WEIGHTS), 0.5, 2.0).walk(np.arange(4), 30, np.random.default_rng(1))
    assert walks[:, 0].tolist() == [0, 1, 2, 3]
    assert bool((WEIGHTS[walks[:, :-1], walks[:, 1:]] > 0).all())


def test_windows_stand_in_the_order_of_positions() -> None:
    assert cut_windows(np.array([[1, 2, 3], [4, 5, 6]]), 2).tolist() == [[1, 2], [4, 5], [2, 3], [5, 6]]


def test_negatives_begin_where_walks_begin_and_are_nodes_with_edges() -> None:
    known = np.array([0, 1, 2, 3])
    config = Node2VecConfig(walk_length=3, context_size=3, walks_per_node=2, num_negatives=3, batch_size=3)
    walker = Walker.of(sparse.csr_array(WEIGHTS), 1.0, 1.0)
    found = list(draw_batches(walker, known, config, np.random.default_rng(0)))
    assert [(len(positive), len(negative)) for positive, negative in found] == [(6, 18), (2, 6)]
    starts = torch.cat([positive[:, 0] for positive, _ in found])
    assert sorted(starts.tolist()) == [0, 0, 1, 1, 2, 2, 3, 3]
    for positive, negative in found:
        assert negative[:, 0].tolist() == positive[:, 0].tolist() * 3


def test_the_loss_is_that_of_pyg() -> None:
    """MetaPath2Vec and Node2Vec of torch_geometric share it; the latter needs an extension to be made."""
    edges = {("n", "to", "n"): torch.tensor([[0, 1], [1, 0]])}
    pyg = MetaPath2Vec(edges, 3, [("n", "to", "n")], 4, 3, num_nodes_dict={"n": 5})
    positive, negative = torch.tensor([[0, 1, 2], [3, 1, 0]]), torch.tensor([[0, 4, 4], [2, 3, 1], [1, 1, 1]])
    expected = pyg.loss(positive, negative)
    torch.testing.assert_close(skip_gram_loss(pyg.embedding.weight, positive, negative), expected)


def test_one_step_by_hand() -> None:
    """Window (0, 1) and random window (0, 2): ∂/∂x₀ = −(1 − σ(x₀x₁)) x₁ + σ(x₀x₂) x₂; Adam steps by −rate·sign."""
    before = np.array([[0.5, -1.0], [2.0, 1.0], [-1.0, 3.0], [7.0, 7.0]])
    near, far = (1 / (1 + np.exp(-before[0] @ before[other])) for other in (1, 2))
    gradient = np.zeros((4, 2))
    gradient[0] = -(1 - near) * before[1] + far * before[2]
    gradient[1] = -(1 - near) * before[0]
    gradient[2] = far * before[0]
    x = torch.tensor(before, dtype=torch.float32, requires_grad=True)
    batch = (torch.tensor([[0, 1]]), torch.tensor([[0, 2]]))
    history = train(
        [x],
        SparseAdam([x], lr=0.1),
        lambda: [batch],
        lambda windows: skip_gram_loss(x, *windows),
        TrainSchedule(epochs=1),
    )
    assert x.grad is not None
    assert x.grad.is_sparse
    np.testing.assert_allclose(x.grad.to_dense(), gradient, rtol=1e-5)
    np.testing.assert_allclose(history, [-np.log(near) - np.log(1 - far)], rtol=1e-5)
    np.testing.assert_allclose(x.detach(), before - 0.1 * np.sign(gradient), atol=1e-5)


def test_vectors_for_others() -> None:
    graph, train_part, _ = checkerboard()
    config = Node2VecConfig(embedding_dim=8, epochs=1)
    vectors = node2vec_vectors(graph, np.random.default_rng(0), config)
    assert {label: tuple(x.shape) for label, x in vectors.items()} == {"User": (21, 8), "Item": (21, 8)}
    assert not vectors["User"][-1].any()
    assert bool(vectors["User"][:-1].any(dim=1).all())
    assert len(hetero.interactions(graph)) == len(train_part)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs are at least 1"),
        ({"context_size": 1}, "context_size is at least 2 and at most walk_length"),
        ({"context_size": 11}, "context_size is at least 2 and at most walk_length"),
        ({"p": 0.0}, "p, q and learning_rate are above 0"),
        ({"relation_weight": -1.0}, "relation_weight is at least 0"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Node2VecConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_trains_too() -> None:
    graph, _, _ = checkerboard()
    config = Node2VecConfig(embedding_dim=8, epochs=2)
    found = [node2vec_vectors(graph, np.random.default_rng(0), config, device)["User"] for device in ("cpu", "cuda")]
    assert found[1].device.type == "cuda"
    torch.testing.assert_close(found[1].cpu(), found[0], atol=1e-3, rtol=0)
