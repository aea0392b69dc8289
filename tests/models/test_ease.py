"""ease against its closed form on dense matrices, in one buffer, and what it refuses."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch

from graphrec.errors import DataError, GraphrecError
from graphrec.interactions import Interactions
from graphrec.linalg.item_regression import compute_gram, invert
from graphrec.models.ease import EASE, EASEConfig
from graphrec.testing import ModelContract, graph_of

NUM_USERS, NUM_ITEMS = 60, 30


class TestEASE(ModelContract):
    name = "ease"
    config: ClassVar[dict[str, object]] = {"regularisation": 1.0, "dropout": 0.0}


class TestEASEWithDropout(ModelContract):
    name = "ease"
    config: ClassVar[dict[str, object]] = {"regularisation": 1.0, "dropout": 0.4}


@pytest.fixture(scope="module")
def pairs() -> Interactions:
    """A random set of interactions in which the last user and the last item have none."""
    matrix = np.random.default_rng(3).random((NUM_USERS, NUM_ITEMS)) < 0.25
    matrix[-1], matrix[:, -1] = False, False
    user, item = np.nonzero(matrix)
    return Interactions(user.astype(np.int64), item.astype(np.int64), NUM_USERS, NUM_ITEMS)


def fitted(pairs: Interactions, config: EASEConfig, device: str = "cpu") -> EASE:
    model = EASE(config, device)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    return model


def by_formula(pairs: Interactions, config: EASEConfig) -> npt.NDArray[np.float64]:
    r = pairs.matrix().toarray().astype(np.float64)
    g = r.T @ r
    share = config.dropout / (1 - config.dropout)
    p = np.linalg.inv(g + config.regularisation * np.eye(NUM_ITEMS) + share * np.diag(np.diag(g)))
    b: npt.NDArray[np.float64] = np.eye(NUM_ITEMS) - p / np.diag(p)
    return b


@pytest.mark.parametrize("config", [EASEConfig(0.5, 0.0), EASEConfig(200.0, 0.0), EASEConfig(3.0, 0.6)])
@pytest.mark.parametrize("block", [7, 512])
def test_coefficients_are_the_closed_form(
    pairs: Interactions, config: EASEConfig, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphrec.linalg.item_regression.BLOCK", block)  # 30 items are 4⅓ blocks of 7
    model = fitted(pairs, config)
    expected = by_formula(pairs, config)
    np.testing.assert_allclose(model.weights.numpy(), expected, atol=1e-6)
    assert (model.weights.diagonal() == 0).all()
    np.testing.assert_allclose(model.score(np.arange(NUM_USERS)), pairs.matrix().toarray() @ expected, atol=1e-5)


@pytest.mark.parametrize("config", [EASEConfig(0.5, 0.0), EASEConfig(200.0, 0.0), EASEConfig(3.0, 0.6)])
@pytest.mark.parametrize("block", [7, 2048])
def test_few_users_give_the_same_closed_form(
    pairs: Interactions, config: EASEConfig, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 12 users, one of them without interactions, the way over the users is taken, and B is never built."""
    monkeypatch.setattr("graphrec.linalg.woodbury.BLOCK", block)
    some = pairs.take(pairs.user_index < 11)
    few = Interactions(some.user_index, some.item_index, 12, NUM_ITEMS)
    model = fitted(few, config)
    assert model.weights.numel() == 0
    expected = few.matrix().toarray() @ by_formula(few, config)
    np.testing.assert_allclose(model.score(np.arange(12)), expected, atol=1e-5)
    again = EASE(config)
    again.restore(model.state())
    assert again.score(np.arange(12)).equal(model.score(np.arange(12)))


def test_many_items_are_no_trouble_with_few_users() -> None:
    rng = np.random.default_rng(0)
    pairs = Interactions(rng.integers(0, 20, 2000), rng.integers(0, 60_000, 2000), 20, 60_000)
    assert fitted(pairs, EASEConfig()).score(np.arange(2)).shape == (2, 60_000)


def test_each_coefficient_is_the_best_given_the_others(pairs: Interactions) -> None:
    """The columns minimise ‖R − RB‖² + λ‖B‖² with a zero diagonal: all other derivatives vanish."""
    b = fitted(pairs, EASEConfig(5.0, 0.0)).weights.double().numpy()
    r = pairs.matrix().toarray().astype(np.float64)
    derivative = r.T @ (r @ b - r) + 5.0 * b
    np.fill_diagonal(derivative, 0.0)
    np.testing.assert_allclose(derivative, 0.0, atol=1e-4)


def test_two_items_by_hand() -> None:
    """G = (2 1; 1 1), λ = 1: b from i0 to i1 minimises (1 − b)² + b² + b² over the two users of i0, so b = ⅓."""
    two = Interactions(np.array([0, 0, 1]), np.array([0, 1, 0]), 2, 2)
    np.testing.assert_allclose(fitted(two, EASEConfig(1.0, 0.0)).weights, [[0, 1 / 3], [1 / 2, 0]], rtol=1e-6)


def test_the_inverse_takes_the_memory_of_the_matrix(pairs: Interactions) -> None:
    buffer = compute_gram(pairs.matrix())
    buffer.flat[:: NUM_ITEMS + 1] += 2.0
    expected = np.linalg.inv(buffer.astype(np.float64))
    inverse = invert(buffer, "")
    assert np.shares_memory(inverse, buffer)
    np.testing.assert_allclose(inverse, expected, atol=1e-6)
    np.testing.assert_array_equal(inverse, inverse.T)


def test_a_matrix_that_cannot_be_inverted_is_refused() -> None:
    singular = np.ones((3, 3), dtype=np.float32)
    with pytest.raises(GraphrecError, match=r"cannot be inverted \(item 2 depends on others\); use a larger penalty"):
        invert(singular, "use a larger penalty")


def test_too_many_items_are_refused_before_any_memory_is_taken() -> None:
    many = Interactions(np.arange(30_000), np.zeros(30_000, dtype=np.int64), 30_000, 40_981)
    with pytest.raises(
        DataError, match=r"40,981 × 40,981 \(6.7 GB\).* at most 25,000 items; use graph_filter without a ridge or ials"
    ):
        fitted(many, EASEConfig())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"regularisation": 0.0}, "regularisation must be above 0"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        EASEConfig(**setting)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_scores(pairs: Interactions) -> None:
    scores = fitted(pairs, EASEConfig(5.0, 0.0), "cuda").score(np.arange(NUM_USERS))
    assert scores.device.type == "cuda"
    torch.testing.assert_close(
        scores.cpu(), fitted(pairs, EASEConfig(5.0, 0.0)).score(np.arange(NUM_USERS)), atol=1e-5, rtol=0
    )
