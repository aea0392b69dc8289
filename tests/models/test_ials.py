"""ials: each half of an epoch against one dense system for each user, and the loss that it lowers."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.linalg.ridge import Basis, solve
from graphrec.models.ials import IALS, IALSConfig, compute_spectral_items
from graphrec.testing import ModelContract, graph_of

NUM_USERS, NUM_ITEMS = 120, 60
CONFIG = IALSConfig(8, unobserved_weight=0.1, regularisation=0.02, frequency_exponent=0.7, epochs=3, warm_start=False)

Matrix = npt.NDArray[np.float64]


class TestIALS(ModelContract):
    name = "ials"
    config: ClassVar[dict[str, object]] = {"factors": 8, "unobserved_weight": 0.1, "regularisation": 0.01}


class TestIALSFromNoise(ModelContract):
    name = "ials"
    config: ClassVar[dict[str, object]] = {**TestIALS.config, "warm_start": False, "epochs": 8}


@pytest.fixture(scope="module")
def pairs() -> Interactions:
    """Histories of 0 to 57 items, so some are shorter and some longer than the vectors; the last item has no users."""
    rng = np.random.default_rng(3)
    matrix = rng.random((NUM_USERS, NUM_ITEMS)) < rng.random((NUM_USERS, 1)) ** 3
    matrix[-1], matrix[:, -1] = False, False
    user, item = np.nonzero(matrix)
    return Interactions(user.astype(np.int64), item.astype(np.int64), NUM_USERS, NUM_ITEMS)


def fitted(pairs: Interactions, config: IALSConfig = CONFIG, device: str = "cpu") -> IALS:
    model = IALS(config, device)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    return model


def solved_one_by_one(r: Matrix, others: Matrix, config: IALSConfig) -> Matrix:
    """(Σ_{i in I_u} h_i h_iᵀ + α₀ HᵀH + λ (|I_u| + α₀|I|)^ν)⁻¹ Σ_{i in I_u} h_i for each row of r."""
    solutions = np.zeros((len(r), others.shape[1]))
    for row, chosen in enumerate(r > 0):
        penalty = config.regularisation * (chosen.sum() + config.unobserved_weight * len(others)) ** (
            config.frequency_exponent
        )
        mine = others[chosen]
        system = mine.T @ mine + config.unobserved_weight * others.T @ others + penalty * np.eye(others.shape[1])
        solutions[row] = np.linalg.solve(system, mine.sum(0))
    return solutions


def loss(r: Matrix, users: Matrix, items: Matrix, config: IALSConfig) -> float:
    """The formula of docs/methods.md."""
    predicted = users @ items.T
    total = (r * (predicted - 1) ** 2).sum() + config.unobserved_weight * (predicted**2).sum()
    for side, degree, others in ((users, r.sum(1), len(items)), (items, r.sum(0), len(users))):
        weight = (degree + config.unobserved_weight * others) ** config.frequency_exponent
        total += config.regularisation * (weight * (side**2).sum(1)).sum()
    return float(total)


@pytest.mark.parametrize(("batch", "threads"), [(1, 2), (500, 1), (500, 2), (1 << 19, 1)])
def test_half_an_epoch_is_one_dense_system_for_each_user(
    pairs: Interactions, batch: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(threads)  # the fixture of this folder gives them back
    monkeypatch.setattr("graphrec.linalg.ridge.BATCH", {"cpu": batch})
    model = fitted(pairs)
    r = pairs.matrix().toarray().astype(np.float64)
    items = model.embeddings().items.double().numpy()
    expected = solved_one_by_one(r, items, CONFIG)
    np.testing.assert_allclose(model.embeddings().users, expected, atol=1e-5)
    np.testing.assert_allclose(model.score(np.arange(NUM_USERS)), expected @ items.T, atol=1e-5)


def test_two_epochs_follow_the_dense_ones(pairs: Interactions) -> None:
    """From the same random users: items, users, items, users; the basis changes, the scores do not."""
    config = replace(CONFIG, epochs=2, init_std=0.3)
    r = pairs.matrix().toarray().astype(np.float64)
    start = np.random.default_rng(0).standard_normal((NUM_USERS, 8), dtype=np.float32)
    users = 0.3 / 8**0.5 * start.astype(np.float64)
    users[r.sum(1) == 0] = 0.0
    for _ in range(2):
        items = solved_one_by_one(r.T, users, config)
        users = solved_one_by_one(r, items, config)
    np.testing.assert_allclose(fitted(pairs, config).score(np.arange(NUM_USERS)), users @ items.T, atol=1e-5)


def test_a_warm_start_is_the_scaled_singular_vectors(pairs: Interactions) -> None:
    r = pairs.matrix().toarray().astype(np.float64)
    users, items = (np.maximum(r.sum(axis), 1) for axis in (1, 0))
    _, _, vt = np.linalg.svd(np.diag(users**-0.35) @ r @ np.diag(items**-0.5))
    expected = np.diag(items**0.5) @ vt[:8].T
    expected *= 0.5 / np.linalg.norm(expected, axis=1)[:-1].mean()
    start = compute_spectral_items(pairs.matrix(), 8, 0.1, np.random.default_rng(0)).double().numpy()
    np.testing.assert_allclose(start @ start.T, expected @ expected.T, atol=1e-5)  # up to signs of the columns
    assert not start[-1].any()


def test_a_warm_start_solves_for_users_then_items_then_users(pairs: Interactions) -> None:
    config = replace(CONFIG, epochs=1, warm_start=True)
    r = pairs.matrix().toarray().astype(np.float64)
    start = compute_spectral_items(pairs.matrix(), 8, 0.1, np.random.default_rng(0)).double().numpy()
    items = solved_one_by_one(r.T, solved_one_by_one(r, start, config), config)
    expected = solved_one_by_one(r, items, config) @ items.T
    np.testing.assert_allclose(fitted(pairs, config).score(np.arange(NUM_USERS)), expected, atol=1e-5)


def test_columns_beyond_the_rank_begin_as_noise() -> None:
    block = np.kron(np.eye(2, dtype=np.float32), np.ones((4, 3), dtype=np.float32))
    start = compute_spectral_items(sparse.csr_array(block), 5, 0.1, np.random.default_rng(0))
    assert start.shape == (6, 5)
    assert bool((start[:, 2:] != 0).all())
    assert float(start[:, 2:].abs().max()) < 0.2


def test_every_epoch_lowers_the_loss(pairs: Interactions) -> None:
    r = pairs.matrix().toarray().astype(np.float64)
    losses = []
    for epochs in (1, 2, 4, 8):
        vectors = fitted(pairs, replace(CONFIG, epochs=epochs)).embeddings()
        losses.append(loss(r, vectors.users.double().numpy(), vectors.items.double().numpy(), CONFIG))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.99 * losses[0]


def test_a_user_with_one_item_by_hand() -> None:
    """One vector h = 2, α = ½, penalty 1: x = h / (h² + α h² + 1) = 2/7; a row without choices gets 0."""
    basis = Basis.of(torch.tensor([[2.0]]))
    history = sparse.csr_array(np.array([[1.0], [0.0]], dtype=np.float32))
    solution = solve(basis, history, 0.5, torch.ones(2))
    torch.testing.assert_close((solution @ basis.vectors.T), torch.tensor([[4 / 7], [0.0]]))


def test_the_basis_keeps_dot_products_and_makes_the_gram_matrix_diagonal() -> None:
    vectors = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    basis = Basis.of(vectors)
    torch.testing.assert_close(basis.vectors @ basis.vectors.T, vectors @ vectors.T, atol=1e-5, rtol=0)
    torch.testing.assert_close(basis.vectors.T @ basis.vectors, torch.diag(basis.eigenvalues), atol=1e-4, rtol=0)
    assert not basis.table[-1].any()


def test_a_penalty_too_small_for_float32_is_solved_in_float64() -> None:
    """Twelve almost equal vectors in three dimensions and no penalty to speak of: still near the least squares."""
    vectors = torch.full((12, 3), 1000.0)
    vectors[:, 0] += torch.arange(12) * 1e-4
    history = sparse.csr_array(np.ones((1, 12), dtype=np.float32))
    solution = solve(Basis.of(vectors), history, 0.0, torch.tensor([1e-9]))
    assert bool(solution.isfinite().all())


def test_a_new_user_is_answered_by_one_solution(pairs: Interactions) -> None:
    model = fitted(pairs)
    history = np.zeros((1, NUM_ITEMS))
    history[0, [3, 8, 40]] = 1
    items = model.embeddings().items.double().numpy()
    expected = solved_one_by_one(history, items, CONFIG) @ items.T
    np.testing.assert_allclose(model.fold_in(sparse.csr_array(history, dtype=np.float32)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"factors": 0}, "factors and epochs are at least 1"),
        ({"regularisation": 0.0}, "regularisation and init_std must be above 0"),
        ({"unobserved_weight": -0.1}, "unobserved_weight and frequency_exponent must not be negative"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        IALSConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_scores(pairs: Interactions) -> None:
    scores = fitted(pairs, device="cuda").score(np.arange(NUM_USERS))
    assert scores.device.type == "cuda"
    torch.testing.assert_close(scores.cpu(), fitted(pairs).score(np.arange(NUM_USERS)), atol=1e-4, rtol=0)
