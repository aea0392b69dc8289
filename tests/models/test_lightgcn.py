"""LightGCN against dense matrices: propagation, its gradient, one step by hand, and what a new user gets."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models import lightgcn
from graphrec.models.embedding import TrainingData
from graphrec.models.lightgcn import LightGCN, LightGCNConfig
from graphrec.models.propagation import Adjacency, compute_layers, propagate
from graphrec.testing import graph_of
from graphrec.training.batches import PairBatch, UserBatch
from graphrec.tuning.halving import is_halved

CPU = torch.device("cpu")
PAIRS = Interactions(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 3]), 4, 5)  # user 3 and item 4 have none


def training_data_of(pairs: Interactions) -> TrainingData:
    none = pairs.take(np.zeros(len(pairs), dtype=bool))
    return TrainingData(graph_of(pairs), pairs, pairs.matrix(), none, CPU)


def dense_adjacency(pairs: Interactions) -> Tensor:
    r = torch.from_numpy(pairs.matrix().toarray()).double()
    n = pairs.num_users + pairs.num_items
    adjacency = torch.zeros(n, n, dtype=torch.float64)
    adjacency[: pairs.num_users, pairs.num_users :] = r
    adjacency[pairs.num_users :, : pairs.num_users] = r.T
    degree = adjacency.sum(1).clamp(min=1)
    return adjacency / (degree[:, None] * degree[None, :]).sqrt()


@pytest.mark.parametrize("num_layers", [0, 1, 2, 3])
@pytest.mark.parametrize("rows", [[0, 2, 5, 8], None])
def test_propagation_and_gradient_equal_the_dense_ones(num_layers: int, rows: list[int] | None) -> None:
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    adjacency = Adjacency.of(PAIRS.matrix(), CPU)
    mine = propagate(x, adjacency, num_layers, None if rows is None else np.array(rows))
    weight = torch.arange(float(mine.numel())).view(-1, 3)
    (gradient,) = torch.autograd.grad((mine * weight).sum(), x)

    power, total = torch.eye(9, dtype=torch.float64), torch.eye(9, dtype=torch.float64)
    for _ in range(num_layers):
        power = power @ dense_adjacency(PAIRS)
        total = total + power
    smoothing = total / (num_layers + 1)  # [n, n]
    smoothing = smoothing if rows is None else smoothing[rows]
    torch.testing.assert_close(mine.double(), smoothing @ x.double(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(gradient.double(), smoothing.T @ weight.double(), atol=1e-5, rtol=1e-5)


def test_layers_are_powers_of_the_adjacency() -> None:
    x = torch.eye(9)
    found = compute_layers(x, Adjacency.of(PAIRS.matrix(), CPU), 2)
    dense = dense_adjacency(PAIRS)
    torch.testing.assert_close(found[2].double(), dense @ dense, atol=1e-6, rtol=1e-5)


def test_the_loss_is_bpr_plus_decay_of_layer_zero() -> None:
    config = LightGCNConfig(num_layers=1, weight_decay=0.5, loss="bpr", num_negatives=1, cosine=False, popularity=0.0)
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(1))
    batch = PairBatch(np.array([0, 2]), np.array([1, 3]), np.array([[2], [1]]))
    model, training = LightGCN(config), training_data_of(PAIRS)
    mine = model.loss(x, model.build_encoder(training, x), batch, training, np.random.default_rng(0))
    smooth = (x.double() + dense_adjacency(PAIRS) @ x.double()) / 2
    margin = torch.stack([smooth[0] @ (smooth[4 + 1] - smooth[4 + 2]), smooth[2] @ (smooth[4 + 3] - smooth[4 + 1])])
    decay = sum(x[node].double().square().sum() for node in (0, 2, 4 + 1, 4 + 3, 4 + 2, 4 + 1)) / (2 * 2)
    torch.testing.assert_close(mine.double(), -margin.sigmoid().log().mean() + 0.5 * decay)


def test_one_step_of_the_softmax_over_all_items_is_the_dense_one() -> None:
    """Adam's first step: the learning rate against the sign of the gradient, which autograd finds on dense matrices."""
    config = LightGCNConfig(
        num_layers=1, weight_decay=0.3, temperature=0.2, embedding_dim=3, epochs=1, warm_start=False,
        loss="softmax", negatives="all", cosine=True, learning_rate=0.01, popularity=0.0,
    )  # fmt: skip
    model, training = LightGCN(config), training_data_of(PAIRS)
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(3), requires_grad=True)
    batch = UserBatch(np.array([2, 0]), PAIRS.matrix()[[2, 0]])
    loss = model.loss(x, model.build_encoder(training, x), batch, training, np.random.default_rng(0))
    (gradient,) = torch.autograd.grad(loss, x)

    y = x.detach().double().requires_grad_()
    smooth = (y + dense_adjacency(PAIRS) @ y) / 2
    unit = smooth / smooth.norm(dim=1, keepdim=True).clamp(min=1e-6)
    log_shares = (unit[:4] @ unit[4:].T / 0.2).log_softmax(1)
    pairs = [(2, 0), (2, 2), (2, 3), (0, 0), (0, 1)]
    squares = sum(y[user].square().sum() + y[4 + item].square().sum() for user, item in pairs) / (2 * 5)
    expected = -sum(log_shares[pair] for pair in pairs) / 5 + 0.3 * squares
    (dense,) = torch.autograd.grad(expected, y)
    torch.testing.assert_close(loss.double(), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradient.double(), dense, atol=1e-5, rtol=1e-5)


def test_one_fitted_epoch_is_steps_of_adam_on_the_dense_loss() -> None:
    """One interaction a step would be sixteen steps at most; two users with one interaction each are two steps."""
    pairs = Interactions(np.array([0, 1]), np.array([0, 1]), 2, 2)
    config = LightGCNConfig(
        num_layers=1, weight_decay=0.0, loss="bpr", negatives="uniform", num_negatives=1, embedding_dim=2, epochs=1,
        warm_start=False, cosine=False, learning_rate=0.1, init_std=1.0, final_rate=1.0, popularity=0.0,
    )  # fmt: skip
    model = LightGCN(config)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(4))

    rng = np.random.default_rng(4)
    rng.random(2)  # the draw of the hold-out
    x = torch.from_numpy(rng.normal(0.0, 1.0, (4, 2)).astype(np.float32)).requires_grad_()
    optimizer = torch.optim.Adam([x], lr=0.1)
    for user in rng.permutation(2):  # each has one item, so the other is the negative
        optimizer.zero_grad()
        smooth = (x + dense_adjacency(pairs).float() @ x) / 2
        loss = -(smooth[user] @ (smooth[2 + user] - smooth[3 - user])).sigmoid().log()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    smooth = ((x + dense_adjacency(pairs).float() @ x) / 2).detach()
    torch.testing.assert_close(model.users, smooth[:2], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model.items, smooth[2:], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("cosine", [False, True])
def test_scores_are_products_of_the_vectors_and_nothing_is_known_about_lonely_nodes(cosine: bool) -> None:
    model = LightGCN(LightGCNConfig(epochs=2, embedding_dim=4, cosine=cosine, popularity=0.0))
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    vectors = model.embeddings()
    scores = model.score(np.arange(4))
    torch.testing.assert_close(scores, vectors.users @ vectors.items.T)
    assert not scores[3].any()
    assert not scores[:, 4].any()
    if cosine:
        torch.testing.assert_close(vectors.users.norm(dim=1), torch.tensor([1.0, 1.0, 1.0, 0.0]))


def test_a_new_user_is_smoothed_from_the_items_of_their_history() -> None:
    """With layer 0 of all users at zero, training users and new users are the same."""
    model, training = LightGCN(LightGCNConfig(num_layers=2, cosine=False, popularity=0.0)), training_data_of(PAIRS)
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(2))
    model.finish(x, model.build_encoder(training, x), training)
    layer_zero_of_users = x[:4] / 3
    new = model.fold_in(PAIRS.matrix())
    expected = (model.users - layer_zero_of_users * torch.tensor([1, 1, 1, 0])[:, None]) @ model.items.T
    torch.testing.assert_close(new, expected, atol=1e-6, rtol=1e-4)


def test_a_new_user_of_cosines_has_the_bonus_of_popular_items_and_one_without_history_knows_nothing() -> None:
    model, training = LightGCN(LightGCNConfig(num_layers=1, popularity=0.5, temperature=0.2)), training_data_of(PAIRS)
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(2))
    model.finish(x, model.build_encoder(training, x), training)
    scores = model.fold_in(PAIRS.matrix())
    sent = dense_adjacency(PAIRS)[:4, 4:].float() @ x[4:]
    unit = torch.nn.functional.normalize(sent, dim=1) @ model.items[:, :2].T
    bonus = 0.1 * torch.log(torch.tensor([2, 2, 1, 1, 1]) * 5 / 6)  # six interactions with five items
    expected = (unit + bonus)[:3]
    expected[:, 4] = 0.0
    torch.testing.assert_close(scores[:3], expected, atol=1e-6, rtol=1e-5)
    assert not scores[3].any()


def test_a_search_is_for_small_graphs_only() -> None:
    names = {"temperature", "popularity", "popularity_share", "learning_rate", "epochs"}
    assert set(LightGCN.space(graph_of(PAIRS))) == names


def test_many_interactions_have_candidates_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is the default for the graph, and the others differ from it in one setting each."""
    graph = graph_of(PAIRS)
    assert LightGCN.candidates(graph) == [LightGCNConfig()]
    monkeypatch.setattr(lightgcn, "MAX_SEARCHED", 5)
    default, *others = LightGCN.candidates(graph)
    assert LightGCN.space(graph) == {}
    for config in others:
        assert sum(value != asdict(default)[name] for name, value in asdict(config).items()) == 1
    assert len({*others, default}) == 10
    assert is_halved(LightGCN, [default, *others])


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(DataError, match="lightgcn: num_layers is at least 0"):
        LightGCNConfig(num_layers=-1)
    with pytest.raises(DataError, match="lightgcn: popularity is at least 0"):
        LightGCNConfig(popularity=-0.5)
    with pytest.raises(DataError, match="lightgcn: popularity_share is at least 0"):
        LightGCNConfig(popularity_share=-0.5)
    with pytest.raises(DataError, match="lightgcn: embedding_dim, batch_size and epochs are at least 1"):
        LightGCNConfig(epochs=0)


def test_predictions_keep_a_share_of_the_popularity_term() -> None:
    """The share scales the column of popularity, and a variant with another share is a fit with it."""
    config = LightGCNConfig(embedding_dim=4, epochs=3, popularity=0.5)
    fits = []
    for share in (1.0, 0.6):
        fits.append(LightGCN(replace(config, popularity_share=share)))
        fits[-1].fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    whole, part = fits
    torch.testing.assert_close(part.items[:, -1], 0.6 * whole.items[:, -1])
    assert torch.equal(part.items[:, :-1], whole.items[:, :-1])
    assert float(whole.items[:, -1].abs().max()) > 0
    for base, share, expected in ((whole, 0.6, part), (part, 1.0, whole)):
        variant = base.variant(replace(config, popularity_share=share))
        assert variant is not None
        torch.testing.assert_close(variant.score(np.arange(2)), expected.score(np.arange(2)))
    assert whole.variant(replace(config, popularity=0.4)) is None
    assert LightGCN(replace(config, popularity_share=0.0)).variant(config) is None
