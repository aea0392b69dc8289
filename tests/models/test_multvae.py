"""Mult-VAE: the contract, its loss by hand, annealing, checkpoints and fold-in."""

import copy
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.multvae import HistoryBatch, MultVAE, MultVAEConfig, scale_to_length_one
from graphrec.testing import ModelContract, checkerboard, graph_of
from graphrec.training.checkpoints import Checkpoints

SMALL: dict[str, object] = {"hidden_dim": 24, "latent_dim": 8, "epochs": 25, "learning_rate": 0.02}


class TestMultVAE(ModelContract):
    name = "multvae"
    config: ClassVar[dict[str, object]] = SMALL


def fitted(**settings: object) -> MultVAE:
    graph, train, _ = checkerboard()
    model = make("multvae", **{**SMALL, "epochs": 3, **settings})
    assert isinstance(model, MultVAE)
    model.fit(graph, train, np.random.default_rng(0))
    return model


@pytest.mark.parametrize("by_history", [False, True])
def test_the_loss_by_hand(by_history: bool) -> None:
    """Two users with three items and one: −Σ log softmax of their items plus β KL, by dense matrices in float64."""
    pairs = Interactions(np.array([0, 0, 0, 1]), np.array([0, 2, 3, 1]), 2, 5)
    config = MultVAEConfig(hidden_dim=4, latent_dim=3, kl_weight=0.7, kl_by_history=by_history, annealing=0.0, epochs=2)
    model = MultVAE(config)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(3))
    network = model.fitted_network
    exact = copy.deepcopy(network).double()
    for batch in model.batches(pairs.matrix(), np.random.default_rng(1)):
        dense = torch.from_numpy(batch.dropped.toarray()).double()
        hidden = torch.tanh(dense @ exact.inputs + exact.input_bias)
        mean, log_variance = exact.encoder(hidden).chunk(2, dim=1)
        latent = mean + (log_variance / 2).exp() * torch.from_numpy(batch.noise)
        logits = torch.tanh(exact.decoder(latent)) @ exact.outputs.T + exact.output_bias
        history = torch.from_numpy(batch.history.toarray()).double()
        likelihood = -(history * logits.log_softmax(1)).sum(1)
        divergence = (mean**2 + log_variance.exp() - 1 - log_variance).sum(1) / 2
        weight = history.sum(1) / history.sum(1).mean() if by_history else torch.ones(len(history))
        expected = (likelihood + 0.7 * weight * divergence).mean()
        torch.testing.assert_close(model.loss(batch).double(), expected, atol=1e-5, rtol=1e-5)


def test_dropout_is_on_histories_of_length_one() -> None:
    model = fitted(dropout=0.5)
    for batch in model.batches(model.history, np.random.default_rng(0)):
        whole = scale_to_length_one(batch.history)
        np.testing.assert_allclose(whole.multiply(whole).sum(axis=1), 1.0, rtol=1e-6)
        kept = batch.dropped.data > 0
        np.testing.assert_allclose(batch.dropped.data[kept], 2 * whole.data[kept], rtol=1e-6)
        assert 0 < kept.sum() < len(kept)


def test_the_weight_of_the_divergence_rises_to_its_end() -> None:
    """Two batches of two users an epoch, over half of four epochs: 0, ¼, ½, ¾, 1, 1, …"""
    model = fitted(annealing=0.5, epochs=4, batch_size=10)
    network, noise = model.fitted_network, np.zeros((20, 8), dtype=np.float32)
    (history,) = [batch.history for batch in model.batches(model.history, np.random.default_rng(0))][:1]
    num_steps = len(list(model.batches(model.history, np.random.default_rng(0)))) * 2
    batch = HistoryBatch(history, scale_to_length_one(history), noise[: history.shape[0]])
    network.steps.zero_()
    losses = [model.loss(batch).item() for _ in range(num_steps + 3)]
    steps = np.diff(losses)
    np.testing.assert_allclose(steps[: num_steps - 1], steps[0], rtol=1e-2)
    np.testing.assert_allclose(steps[num_steps:], 0.0, atol=1e-5)
    assert steps[0] > 0


def test_any_history_is_scored_as_in_training() -> None:
    """Row by row, without the items of others, and none for an empty one."""
    model = fitted()
    history = sparse.csr_array(([1.0, 1.0, 1.0], ([0, 0, 2], [2, 6, 3])), shape=(3, 21))
    together = model.fold_in(history)
    for row in range(3):
        torch.testing.assert_close(model.fold_in(history[[row]])[0], together[row], rtol=1e-4, atol=1e-5)
    assert not together[1].any()
    vectors = model.embeddings()
    torch.testing.assert_close(vectors.users @ vectors.items.T, model.score(np.arange(21)), rtol=1e-4, atol=1e-5)
    assert model.similarity_vectors().shape == (21, 24)


class Killed(Exception):
    """Ends a training between two epochs."""


@pytest.mark.parametrize("patience", [0, 2])
def test_a_killed_training_resumes_to_the_identical_result(patience: int, tmp_path: Path) -> None:
    """With the steps of the annealing, which are part of the checkpoint."""
    graph, train, _ = checkerboard()

    def run(path: Path, death: int | None = None) -> MultVAE:
        model = make("multvae", **{**SMALL, "epochs": 12, "patience": patience})
        assert isinstance(model, MultVAE)
        model.keep_checkpoints(Checkpoints(path))

        def progress(done: int, _total: int) -> None:
            if done == death:
                raise Killed

        model.fit(graph, train, np.random.default_rng(8), progress)
        return model

    whole = run(tmp_path / "whole.pt")
    with pytest.raises(Killed):
        run(tmp_path / "cut.pt", 4)
    resumed = run(tmp_path / "cut.pt")
    assert torch.equal(resumed.fitted_network.steps, whole.fitted_network.steps)
    for key, value in whole.state().items():
        assert torch.equal(resumed.state()[key], value), key
    assert bool(whole.config.stop_epoch) == bool(patience)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent_dim": 0}, "hidden_dim and latent_dim are at least 1"),
        ({"dropout": 1.0}, "dropout is at least 0 and below 1"),
        ({"annealing": 1.5}, "annealing from 0 to 1"),
        ({"learning_rate": 0.0}, "learning_rate is above 0"),
        ({"batch_size": 0}, "batch_size and epochs are at least 1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make("multvae", **settings)


def test_nothing_to_learn_from_is_an_error() -> None:
    nothing = Interactions(np.array([], dtype=np.int64), np.array([], dtype=np.int64), 2, 2)
    with pytest.raises(DataError, match="multvae: there are no interactions"):
        make("multvae").fit(graph_of(nothing), nothing, np.random.default_rng(0))
