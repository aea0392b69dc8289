"""XSimGCL keeps the contract, and its layers, noise and loss are those of dense matrices."""

from dataclasses import asdict, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models import xsimgcl
from graphrec.models.embedding import TrainingData
from graphrec.models.xsimgcl import XSimGCL, XSimGCLConfig
from graphrec.testing import ModelContract, graph_of
from graphrec.training.batches import PairBatch

PAIRS = Interactions(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 3]), 4, 5)  # user 3 and item 4 have none


def training_data_of(pairs: Interactions) -> TrainingData:
    none = pairs.take(np.zeros(len(pairs), dtype=bool))
    return TrainingData(graph_of(pairs), pairs, pairs.matrix(), none, torch.device("cpu"))


def dense_adjacency(pairs: Interactions) -> Tensor:
    r = torch.from_numpy(pairs.matrix().toarray()).double()
    rows, columns = (r.sum(axis).clamp(min=1) for axis in (1, 0))
    half = r / (rows[:, None] * columns[None, :]).sqrt()
    users, items = r.shape
    return torch.cat(
        [torch.cat([torch.zeros(users, users), half], 1), torch.cat([half.T, torch.zeros(items, items)], 1)]
    )


class TestXSimGCL(ModelContract):
    name = "xsimgcl"
    config: ClassVar[dict[str, object]] = {"epochs": 12, "embedding_dim": 16, "learning_rate": 0.05, "batch_size": 128}
    exact_fold_in = False


def test_vectors_are_the_mean_of_the_layers_without_the_embeddings() -> None:
    model, training = XSimGCL(XSimGCLConfig(num_layers=2)), training_data_of(PAIRS)
    x = torch.eye(9)
    a = dense_adjacency(PAIRS)
    torch.testing.assert_close(model.build_encoder(training, x)(None).double(), (a + a @ a) / 2)
    rows = np.array([7, 1])
    torch.testing.assert_close(model.build_encoder(training, x)(rows).double(), ((a + a @ a) / 2)[[7, 1]])


def test_noise_has_the_length_epsilon_and_the_sign_of_the_vector() -> None:
    """One layer: what is added to Ãx has length ε in every row and never points to the other side of an axis."""
    config = XSimGCLConfig(num_layers=1, noise=0.3)
    x = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    training = training_data_of(PAIRS)
    final, view = XSimGCL(config).compute_views(x, training.adjacency, torch.Generator().manual_seed(1))
    clean = dense_adjacency(PAIRS).float() @ x
    added = (final - clean)[clean.abs().sum(1) > 0]
    torch.testing.assert_close(added.norm(dim=1), torch.full((len(added),), 0.3))
    assert bool((added * clean[clean.abs().sum(1) > 0] >= 0).all())
    assert torch.equal(final, view)


def test_one_step_is_the_dense_one_without_noise() -> None:
    """BPR plus λ · InfoNCE over distinct users and items plus L2, and its gradient."""
    config = XSimGCLConfig(num_layers=2, noise=0.0, contrast=0.7, contrast_layer=1, weight_decay=0.2, loss="bpr")
    model, training = XSimGCL(config), training_data_of(PAIRS)
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(5), requires_grad=True)
    batch = PairBatch(np.array([0, 2, 0]), np.array([1, 3, 0]), np.array([[2], [1], [3]]))
    loss = model.loss(x, model.build_encoder(training, x), batch, training, np.random.default_rng(0))
    (gradient,) = torch.autograd.grad(loss, x)

    y, a = x.detach().double().requires_grad_(), dense_adjacency(PAIRS)
    view, final = a @ y, (a @ y + a @ a @ y) / 2
    margins = [final[u] @ (final[4 + i] - final[4 + j]) for u, i, j in ((0, 1, 2), (2, 3, 1), (0, 0, 3))]
    expected = -torch.stack(margins).sigmoid().log().mean()
    for nodes in ([0, 2], [4, 5, 7]):
        cosines = F.normalize(final[nodes], dim=1) @ F.normalize(view[nodes], dim=1).T / 0.15
        expected = expected - 0.7 * cosines.log_softmax(1).diagonal().mean()
    nodes = [0, 2, 0, 4 + 1, 4 + 3, 4 + 0, 4 + 2, 4 + 1, 4 + 3]
    expected = expected + 0.2 * y[nodes].square().sum() / (2 * 3)
    (dense,) = torch.autograd.grad(expected, y)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient.double(), dense, rtol=1e-4, atol=1e-5)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(DataError, match="xsimgcl: contrast_layer is between 1 and num_layers"):
        XSimGCLConfig(num_layers=2, contrast_layer=3)
    with pytest.raises(DataError, match="xsimgcl: noise and contrast are at least 0"):
        XSimGCLConfig(noise=-0.1)


def test_the_candidates_are_the_default_and_a_softmax_with_changes() -> None:
    default, softmax, *others = XSimGCL.candidates(graph_of(PAIRS))
    assert default == XSimGCLConfig()
    assert (softmax.loss, softmax.warm_start) == ("softmax", True)
    for config in others:
        assert sum(value != asdict(softmax)[name] for name, value in asdict(config).items()) == 1
    assert len({default, softmax, *others}) == 7


def test_a_search_is_for_small_graphs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"contrast", "contrast_temperature", "noise", "temperature", "learning_rate", "epochs"}
    assert set(XSimGCL.space(graph_of(PAIRS))) == names
    monkeypatch.setattr(xsimgcl, "MAX_SEARCHED", 5)
    assert XSimGCL.space(graph_of(PAIRS)) == {}


def test_the_candidate_with_a_softmax_trains_on_a_few_interactions() -> None:
    softmax = XSimGCL.candidates(graph_of(PAIRS))[1]
    model = XSimGCL(replace(softmax, embedding_dim=2, epochs=30))
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    scores = model.score(np.arange(3))
    assert torch.isfinite(scores).all()
    known = torch.from_numpy(PAIRS.matrix().toarray()[:3] > 0)
    assert scores[known].mean() > scores[~known].mean()
