"""LightGCN against dense matrices: propagation, its gradient, one step by hand, and what a new user gets."""

import numpy as np
import pytest
import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models.lightgcn import LightGCN, LightGCNConfig, batches
from graphrec.models.propagation import Adjacency, layers, propagate
from graphrec.testing import checkerboard, graph_of

CPU = torch.device("cpu")
PAIRS = Interactions(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 3]), 4, 5)  # user 3 and item 4 have none


def dense_adjacency(pairs: Interactions) -> Tensor:
    r = torch.from_numpy(pairs.matrix().toarray()).double()
    n = pairs.num_users + pairs.num_items
    adjacency = torch.zeros(n, n, dtype=torch.float64)
    adjacency[: pairs.num_users, pairs.num_users :] = r
    adjacency[pairs.num_users :, : pairs.num_users] = r.T
    degree = adjacency.sum(1).clamp(min=1)
    return adjacency / (degree[:, None] * degree[None, :]).sqrt()


@pytest.mark.parametrize("num_layers", [0, 1, 2, 3])
def test_propagation_and_gradient_equal_the_dense_ones(num_layers: int) -> None:
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    rows = np.array([0, 2, 5, 8])
    adjacency = Adjacency.of(PAIRS.matrix(), CPU)
    mine = propagate(x, adjacency, num_layers, rows)
    weight = torch.arange(12.0).view(4, 3)
    (gradient,) = torch.autograd.grad((mine * weight).sum(), x)

    power, total = torch.eye(9, dtype=torch.float64), torch.eye(9, dtype=torch.float64)
    for _ in range(num_layers):
        power = power @ dense_adjacency(PAIRS)
        total = total + power
    smoothing = (total / (num_layers + 1))[torch.from_numpy(rows)]  # [rows, n]
    torch.testing.assert_close(mine.double(), smoothing @ x.double(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(gradient.double(), smoothing.T @ weight.double(), atol=1e-5, rtol=1e-5)


def test_layers_are_powers_of_the_adjacency() -> None:
    x = torch.eye(9)
    found = layers(x, Adjacency.of(PAIRS.matrix(), CPU), 2)
    dense = dense_adjacency(PAIRS)
    torch.testing.assert_close(found[2].double(), dense @ dense, atol=1e-6, rtol=1e-5)


def test_the_loss_is_bpr_plus_decay_of_layer_zero() -> None:
    config = LightGCNConfig(num_layers=1, weight_decay=0.5)
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(1))
    batch = (np.array([0, 2]), np.array([1, 3]), np.array([2, 1]))
    mine = LightGCN(config).loss(x, Adjacency.of(PAIRS.matrix(), CPU), batch, PAIRS.num_users)
    smooth = (x.double() + dense_adjacency(PAIRS) @ x.double()) / 2
    margin = torch.stack([smooth[0] @ (smooth[4 + 1] - smooth[4 + 2]), smooth[2] @ (smooth[4 + 3] - smooth[4 + 1])])
    decay = sum(x[node].double().square().sum() for node in (0, 2, 4 + 1, 4 + 3, 4 + 2, 4 + 1)) / (2 * 2)
    torch.testing.assert_close(mine.double(), -margin.sigmoid().log().mean() + 0.5 * decay)


def test_scores_are_products_of_the_vectors_and_nothing_is_known_about_lonely_nodes() -> None:
    model = LightGCN(LightGCNConfig(epochs=2, embedding_dim=4))
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    vectors = model.embeddings()
    scores = model.score(np.arange(4))
    torch.testing.assert_close(scores, vectors.users @ vectors.items.T)
    assert not scores[3].any()
    assert not scores[:, 4].any()


def test_a_new_user_is_smoothed_from_the_items_of_their_history() -> None:
    """With layer 0 of all users at zero, training users and new users are the same."""
    model = LightGCN(LightGCNConfig(num_layers=2, embedding_dim=3, epochs=1))
    adjacency = Adjacency.of(PAIRS.matrix(), CPU)
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(2))
    model._smooth(x, adjacency, PAIRS.matrix())
    found = layers(x, adjacency, 2)
    layer_zero_of_users = found[0][:4] / 3
    new = model.fold_in(PAIRS.matrix())
    expected = (model.users - layer_zero_of_users * torch.tensor([1, 1, 1, 0])[:, None]) @ model.items.T
    torch.testing.assert_close(new, expected, atol=1e-6, rtol=1e-4)


def test_an_epoch_has_each_interaction_once_with_a_real_negative() -> None:
    _, train, _ = checkerboard()
    matrix = train.matrix()
    found = list(batches(matrix, 32, np.random.default_rng(0)))
    assert {len(user) for user, _, _ in found[:-1]} == {32}
    user, positive, negative = (np.concatenate(part) for part in zip(*found, strict=True))
    assert sorted(zip(user, positive, strict=True)) == sorted(zip(train.user_index, train.item_index, strict=True))
    assert not matrix[user, negative].any()


def test_patience_stops_before_the_last_epoch() -> None:
    graph, train, _ = checkerboard()
    seen: list[int] = []
    config = LightGCNConfig(epochs=500, patience=1, embedding_dim=8, learning_rate=0.05)
    LightGCN(config).fit(graph, train, np.random.default_rng(0), lambda done, _: seen.append(done))
    assert seen[-1] < 500
    assert seen == list(range(1, len(seen) + 1))


def test_nothing_to_learn_from_is_an_error() -> None:
    none = Interactions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 2, 2)
    with pytest.raises(DataError, match="no interactions to learn from"):
        LightGCN(LightGCNConfig()).fit(graph_of(none), none, np.random.default_rng(0))
    with pytest.raises(DataError, match="batch_size and epochs are at least 1"):
        LightGCNConfig(epochs=0)
