"""slim: the conditions of its minimum, checked on dense matrices, and what it refuses."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.linalg.elastic_net import solve
from graphrec.models.slim import SLIM, SLIMConfig
from graphrec.testing import ModelContract, graph_of

NUM_USERS, NUM_ITEMS = 60, 30


class TestSLIM(ModelContract):
    name = "slim"
    config: ClassVar[dict[str, object]] = {"regularisation": 1.0, "sparsity": 0.1}


@pytest.fixture(scope="module")
def pairs() -> Interactions:
    """A random set of interactions in which the last user and the last item have none."""
    matrix = np.random.default_rng(3).random((NUM_USERS, NUM_ITEMS)) < 0.25
    matrix[-1], matrix[:, -1] = False, False
    user, item = np.nonzero(matrix)
    return Interactions(user.astype(np.int64), item.astype(np.int64), NUM_USERS, NUM_ITEMS)


def fitted(pairs: Interactions, config: SLIMConfig, device: str = "cpu") -> SLIM:
    model = SLIM(config, device)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    return model


@pytest.mark.parametrize(
    ("config", "batch"),
    [
        (SLIMConfig(0.5, 3.0, 0), 1),
        (SLIMConfig(0.0, 10.0, 0), 4000),
        (SLIMConfig(2.0, 1.0, 0), 1 << 23),
        (SLIMConfig(0.5, 3.0, 0), 1 << 23),
    ],
)
def test_coefficients_fulfil_the_conditions_of_the_minimum(
    pairs: Interactions, config: SLIMConfig, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Karush, Kuhn and Tucker: the derivative is 0 where a coefficient is positive, and not negative where it is 0."""
    monkeypatch.setattr("graphrec.models.slim.BATCH", batch)
    monkeypatch.setattr("graphrec.linalg.elastic_net.TOLERANCE", 1e-6)
    w = fitted(pairs, config).weights.toarray().astype(np.float64)
    r = pairs.matrix().toarray().astype(np.float64)
    derivative = r.T @ (r @ w - r) + config.regularisation * w + config.sparsity
    np.fill_diagonal(derivative, 0.0)
    assert (w >= 0).all()
    assert 0.05 < (w > 0).mean() < 0.95
    np.testing.assert_allclose(derivative[w > 0], 0.0, atol=1e-4)
    assert derivative.min() > -1e-4
    assert not w.diagonal().any()


def test_more_sparsity_leaves_fewer_coefficients(pairs: Interactions) -> None:
    counts = [fitted(pairs, SLIMConfig(sparsity, 1.0, 0)).weights.nnz for sparsity in (0.1, 1.0, 4.0, 100.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 0


def test_only_the_nearest_items_get_coefficients(pairs: Interactions) -> None:
    """With three candidates a column solves the problem of those three items alone."""
    config = SLIMConfig(0.1, 2.0, 3)
    w = fitted(pairs, config).weights.toarray()
    assert (w > 0).sum(0).max() <= 3
    r = pairs.matrix().toarray().astype(np.float64)
    g = r.T @ r
    cosine = g / np.sqrt(np.maximum(np.outer(np.diag(g), np.diag(g)), 1))
    np.fill_diagonal(cosine, 0.0)
    for item in range(NUM_ITEMS - 1):
        nearest = np.argsort(-cosine[item], kind="stable")[:3]
        system, target = g[np.ix_(nearest, nearest)] + 2.0 * np.eye(3), g[nearest, item] - 0.1
        expected = np.linalg.solve(system, target)
        if (expected > 0).all():  # else some are cut off at zero, which the conditions above hold
            np.testing.assert_allclose(w[nearest, item], expected, atol=1e-3)


def test_one_coordinate_by_hand() -> None:
    """½·3x² − 2x + 0.5x + ½·1·x² is least at x = 1.5 / 4; a target below λ₁ or of -inf stays at 0."""
    gram = torch.tensor([[[3.0]], [[3.0]], [[3.0]]]).view(1, 3, 1)
    solution = solve(gram, torch.tensor([[2.0], [0.4], [-torch.inf]]), 0.5, 1.0)
    torch.testing.assert_close(solution, torch.tensor([[1.5 / 4], [0.0], [0.0]]))


def test_too_many_items_are_refused() -> None:
    many = Interactions(np.array([0]), np.array([0]), 1, 44_722)
    with pytest.raises(DataError, match=r"slim needs a dense matrix .* 44,722 × 44,722 \(4.0 GB\).* at most 44,721"):
        fitted(many, SLIMConfig())


def popular(users: int, items: int = 3) -> Interactions:
    """Item 0 that all users have, item 1 that seven of eight have, and item 2 that every eighth has."""
    user = np.concatenate([np.arange(users), np.arange(users * 7 // 8), np.arange(0, users, 8)])
    item = np.repeat([0, 1, 2], [users, users * 7 // 8, users // 8])
    return Interactions(user, item, users, items)


def test_an_item_may_have_more_users_than_small_numbers_count() -> None:
    """Ten times the users and ten times the penalties: the same coefficients."""
    few, many = (fitted(popular(4000 * n), SLIMConfig(float(n), 10.0 * n)).weights for n in (1, 10))
    assert few.nnz == 6
    np.testing.assert_allclose(many.toarray(), few.toarray(), atol=2e-3)  # the descent ends at 1e-4 a step
    with pytest.raises(DataError, match=r"31,623 × 31,623 \(4.0 GB\).* at most 31,622"):
        fitted(popular(40_000, items=31_623), SLIMConfig())


def test_a_graph_without_pairs_of_items_gives_no_coefficients() -> None:
    single = Interactions(np.array([0, 1]), np.array([0, 1]), 2, 2)
    assert fitted(single, SLIMConfig()).weights.nnz == 0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"sparsity": -1.0}, "sparsity and neighbours must not be negative"),
        ({"regularisation": 0.0}, "regularisation must be above 0"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        SLIMConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_scores(pairs: Interactions) -> None:
    scores = fitted(pairs, SLIMConfig(0.5, 3.0), "cuda").score(np.arange(NUM_USERS))
    assert scores.device.type == "cuda"
    expected = fitted(pairs, SLIMConfig(0.5, 3.0)).score(np.arange(NUM_USERS))
    torch.testing.assert_close(scores.cpu(), expected, atol=1e-4, rtol=0)
