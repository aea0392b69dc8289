"""CFGAN: the contract by items and by users, both losses by hand, what a step changes, and fold-in."""

import copy
from typing import ClassVar

import numpy as np
import pytest
import torch

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.cfgan import CFGAN, CFGANConfig
from graphrec.testing import ModelContract, graph_of

SMALL: dict[str, object] = {
    "generator_dim": 16,
    "discriminator_dim": 8,
    "epochs": 10,
    "learning_rate": 0.05,
    "discriminator_rate": 0.01,
    "weight_decay": 0.0,
    "generator_steps": 1,
    "discriminator_steps": 1,
    "zero_weight": 0.3,
}


class TestCFGAN(ModelContract):
    name = "cfgan"
    config: ClassVar[dict[str, object]] = SMALL
    exact_fold_in = False


class TestCFGANByUsers(ModelContract):
    name = "cfgan"
    config: ClassVar[dict[str, object]] = {**SMALL, "rows": "users", "noise_dim": 2}


def small(**settings: object) -> tuple[CFGAN, Interactions]:
    """A model of three users and four items after one epoch."""
    pairs = Interactions(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 3]), 3, 4)
    model = make("cfgan", **{**SMALL, "epochs": 1, **settings})
    assert isinstance(model, CFGAN)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    return model, pairs


@pytest.mark.parametrize("rows", ["items", "users"])
@pytest.mark.parametrize("noise_dim", [0, 3])
def test_both_losses_by_hand(rows: str, noise_dim: int) -> None:
    """−log D(x) − log(1 − D(G(z))) and −log D(G(z)) + α Σ G(z)², from probabilities in float64 and dense matrices."""
    model, pairs = small(rows=rows, noise_dim=noise_dim, zero_weight=0.3, zero_share=0.5, mask_share=0.5)
    exact = copy.deepcopy(model.fitted_network).double()

    def discriminate(condition: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        hidden = torch.sigmoid(condition @ exact.condition + vector @ exact.vector + exact.hidden_bias)
        return torch.sigmoid(hidden @ exact.verdict[0] + exact.verdict_bias)

    kinds = set()
    for batch in model.batches(pairs.matrix(), np.random.default_rng(1)):
        condition = torch.from_numpy(batch.rows.toarray()).double()
        hidden = condition @ exact.inputs + torch.from_numpy(batch.noise).double() @ exact.noise + exact.input_bias
        generated = torch.sigmoid(hidden) @ exact.outputs.T + exact.output_bias
        fake = discriminate(condition, generated * torch.from_numpy(batch.visible))
        if batch.zeros is None:
            expected = -discriminate(condition, condition).log() - (1 - fake).log()
        else:
            expected = -fake.log() + 0.3 * (generated.square() * torch.from_numpy(batch.zeros)).sum(1)
        torch.testing.assert_close(model.loss(batch).double(), expected.mean(), atol=1e-6, rtol=1e-5)
        kinds.add(batch.zeros is None)
    assert kinds == {True, False}


def test_masks_are_drawn_from_missing_entries_and_known_ones_are_always_visible() -> None:
    model, pairs = small(zero_share=0.5, mask_share=0.5, generator_steps=20)
    shares: dict[str, list[float]] = {"zeros": [], "visible": []}
    for batch in model.batches(pairs.matrix(), np.random.default_rng(1)):
        known = batch.rows.toarray() > 0
        assert batch.visible[known].all()
        if batch.zeros is not None:
            assert not batch.zeros[known].any()
            shares["zeros"] += batch.zeros[~known].tolist()
            shares["visible"] += batch.visible[~known].tolist()
    for values in shares.values():
        assert 0.4 < np.mean(values) < 0.6


@pytest.mark.parametrize("is_generator", [True, False])
def test_a_step_of_one_network_leaves_the_other_as_it_is(is_generator: bool) -> None:
    model, pairs = small(weight_decay=0.1, discriminator_decay=0.1)
    network = model.fitted_network
    batches = model.batches(pairs.matrix(), np.random.default_rng(1))
    batch = next(batch for batch in batches if (batch.zeros is not None) == is_generator)
    optimizer = model.build_optimizer(network)
    before = copy.deepcopy(network)
    optimizer.zero_grad()
    model.loss(batch).backward()  # type: ignore[no-untyped-call]  # untyped in torch
    optimizer.step()
    changed = [not torch.equal(a, b) for a, b in zip(network.generator(), before.generator(), strict=True) if len(a)]
    assert changed == [is_generator] * len(changed)
    changed = [not torch.equal(a, b) for a, b in zip(network.discriminator(), before.discriminator(), strict=True)]
    assert changed == [not is_generator] * len(changed)


def test_scores_are_generated_entries() -> None:
    """By items, those of the rows of items, turned round."""
    for rows in ("items", "users"):
        model, pairs = small(rows=rows)
        network = model.fitted_network
        dense = torch.from_numpy(pairs.matrix().toarray())
        condition = dense.T if rows == "items" else dense
        generated = torch.sigmoid(condition @ network.inputs + network.input_bias) @ network.outputs.T
        generated = generated + network.output_bias
        expected = generated.T if rows == "items" else generated
        torch.testing.assert_close(model.score(np.arange(3)), expected.detach())
        vectors = model.embeddings()
        torch.testing.assert_close(vectors.users @ vectors.items.T, expected.detach())
        assert model.similarity_vectors().shape == (4, 16)


def test_a_new_user_of_a_model_of_items_is_the_solution_of_least_squares() -> None:
    model, pairs = small()
    history = pairs.matrix()
    items = model.items.double()
    gram = items.T @ items
    ridge = 0.01 * gram.diagonal().mean() * torch.eye(len(gram))
    users = torch.linalg.solve(gram + ridge, items.T @ torch.from_numpy(history.toarray()).double().T).T
    torch.testing.assert_close(model.fold_in(history).double(), users @ items.T, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": "both"}, "rows is one of items, users, not 'both'"),
        ({"generator_dim": 0}, "generator_steps and discriminator_steps are at least 1"),
        ({"noise_dim": -1}, "noise_dim at least 0"),
        ({"discriminator_rate": 0.0}, "discriminator_rate is above 0"),
        ({"mask_share": 1.5}, "zero_share and mask_share are from 0 to 1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make("cfgan", **settings)


def test_the_published_widths_and_shares_are_the_default() -> None:
    """Those of the item-based model with ZR and PM on MovieLens 100K."""
    c = CFGANConfig()
    assert (c.rows, c.generator_dim, c.discriminator_dim, c.zero_share, c.mask_share) == ("items", 400, 125, 0.7, 0.7)
