"""Matrix factorisation: one step by hand for rankings, and for ratings each part of a sweep against dense algebra."""

import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError, GraphrecError
from graphrec.interactions import Interactions
from graphrec.linalg.autograd import Product
from graphrec.models.base import Model
from graphrec.models.embedding import TrainingData
from graphrec.models.mf.gibbs import GibbsConfig, Noise, Side, solve_ridge
from graphrec.models.mf.model import MF, MFConfig, build_rating_matrix, solve_users
from graphrec.relations import Relations
from graphrec.testing import ModelContract, checkerboard, graph_of
from graphrec.training.batches import RatingBatch
from graphrec.training.checkpoints import Checkpoints

CPU = torch.device("cpu")
RATING: dict[str, Any] = {"loss": "mse", "embedding_dim": 3, "draws": 20, "burn_in": 20}


class TestMF(ModelContract):
    name = "mf"
    config: ClassVar[dict[str, object]] = {"epochs": 10, "embedding_dim": 16, "learning_rate": 0.05}
    exact_fold_in = False


class TestMFByPairs(ModelContract):
    name = "mf"
    config: ClassVar[dict[str, object]] = {
        "loss": "bpr",
        "negatives": "uniform",
        "cosine": False,
        "epochs": 20,
        "embedding_dim": 16,
        "learning_rate": 0.05,
        "weight_decay": 0.1,  # without it, an item that was drawn as a negative is learned by heart
    }
    exact_fold_in = False


def rated_checkerboard(size: int = 20) -> tuple[Interactions, Interactions]:
    """Ratings of all items: 5 where the parities of user and item agree, else 1, but for the diagonal and the places
    right of it; then the diagonal. One user and one item more have no ratings."""
    user, item = np.divmod(np.arange(size * size), size)
    held = (item == user) | (item == (user + 1) % size)
    rating = np.where((user + item) % 2 == 0, 5.0, 1.0).astype(np.float32)
    train = Interactions(user[~held], item[~held], size + 1, size + 1, rating[~held])
    diagonal = user == item
    return train, Interactions(user[diagonal], item[diagonal], size + 1, size + 1, rating[diagonal])


class TestMFOfRatings(ModelContract):
    """The contract on ratings, where a user is not offered the item that they would rate with 1."""

    name = "mf"
    config: ClassVar[dict[str, object]] = {**RATING, "noise_freedom": 0.0}

    def fitted(self, seed: int = 0) -> tuple[Model[Any], Interactions, Interactions]:
        train, withheld = rated_checkerboard()
        model = MF(MFConfig(**self.config))  # type: ignore[arg-type]  # the contract's config is a plain mapping
        model.fit(graph_of(train), train, np.random.default_rng(seed))
        return model, train, withheld

    def test_users_and_items_without_interactions_are_harmless(self) -> None:
        """An unknown user gets what items are rated on average, not zeros, which would be the worst rating of all."""
        model, train, _ = self.shared()
        scores = model.score(np.arange(train.num_users))
        assert bool(scores.isfinite().all())
        torch.testing.assert_close(scores[-1], torch.full_like(scores[-1], 3.0), atol=0.5, rtol=0.0)
        torch.testing.assert_close(scores[:, -1], torch.full_like(scores[:, -1], 3.0), atol=0.5, rtol=0.0)

    def test_unseen_users_are_answered_like_seen_ones(self) -> None:
        """Exactly, where all users have the same noise."""
        model, train, _ = self.shared()
        torch.testing.assert_close(
            model.fold_in(build_rating_matrix(train)), model.score(np.arange(train.num_users)), atol=1e-4, rtol=1e-4
        )

    def test_every_candidate_can_be_fitted(self) -> None:
        """Those for ratings keep what was set, and the first is the one that is right for most."""
        candidates = MF.rating_candidates(MFConfig(draws=3))
        assert candidates[0] == MFConfig(draws=3, loss="mse", embedding_dim=12)
        assert {(config.loss, config.draws) for config in candidates} == {("mse", 3)}
        assert len(set(candidates)) == len(candidates)


def test_the_candidates_have_plain_and_bilateral_softmax_losses() -> None:
    candidates = MF.candidates(graph_of(Interactions(np.array([0]), np.array([0]), 1, 1)))
    assert candidates[0] == MFConfig()
    assert {config.positive_temperature > 0 for config in candidates} == {False, True}
    assert len(set(candidates)) == len(candidates) == 5


class Begun(MF):
    """MF that begins with given vectors."""

    first = torch.tensor([[0.3, -0.2], [0.5, 0.1], [-0.4, 0.7]])  # the user, the chosen item, the other item

    def initial_parameters(self, training: TrainingData, rng: np.random.Generator) -> Tensor:  # noqa: ARG002  # nothing is drawn
        return self.first.clone()


def test_one_step_of_bpr_by_hand() -> None:
    """One user, one of two items chosen: the only negative is the other; Adam's first step is rate · sign."""
    pair = Interactions(np.array([0]), np.array([0]), 1, 2)
    config = MFConfig(
        embedding_dim=2, loss="bpr", negatives="uniform", cosine=False, learning_rate=0.05, weight_decay=0.1, epochs=1
    )
    model = Begun(config)
    model.fit(graph_of(pair), pair, np.random.default_rng(0))
    user, item, other = Begun.first
    slope = -float(torch.sigmoid(-user @ (item - other)))  # d/ds of −log σ(s)
    gradient = torch.stack([slope * (item - other), slope * user, -slope * user]) + 0.1 * Begun.first
    expected = Begun.first - 0.05 * gradient.sign()
    torch.testing.assert_close(model.users[0], expected[0], atol=1e-5, rtol=0.0)
    torch.testing.assert_close(model.items[0], expected[1], atol=1e-5, rtol=0.0)
    assert not model.items[1].any()  # nobody chose it


def test_the_softmax_is_over_all_items_and_by_cosines() -> None:
    pairs = Interactions(np.array([0, 0, 1]), np.array([0, 2, 1]), 2, 3)
    model = MF(MFConfig(embedding_dim=4, temperature=0.3, weight_decay=0.0))
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    training = TrainingData(graph_of(pairs), pairs, pairs.matrix(), pairs.take(np.array([], dtype=np.int64)), CPU)
    encode = model.build_encoder(training, x)
    (batch,) = [batch for batch in model.batches(training, np.random.default_rng(0)) if len(batch.user) == 1][:1]
    unit = x.double() / x.double().norm(dim=1, keepdim=True)
    logits = (unit[:2] @ unit[2:].T / 0.3).log_softmax(1)
    chosen = pairs.matrix().toarray()[batch.user[0]] > 0
    expected = -logits[batch.user[0], torch.from_numpy(chosen)].mean()
    torch.testing.assert_close(
        model.loss(x, encode, batch, training, np.random.default_rng(0)).double(), expected, atol=1e-5, rtol=1e-5
    )


def a_side(implicit: bool = True, ratings: sparse.csr_array | None = None, freedom: float = 0.0) -> Side:
    if ratings is None:
        ratings = sparse.csr_array(np.array([[1.5, 0, -0.5], [0, 2, 0], [0, 0, 0], [0.5, -1, 1]], dtype=np.float32))
    return Side(ratings, GibbsConfig(2, 5, 5, implicit, freedom), Noise(np.random.default_rng(3), CPU))


def test_a_vector_has_its_conditional_distribution() -> None:
    """Mean and precision of each user of four, one without ratings, against the formula written out."""
    side = a_side()
    generator = torch.Generator().manual_seed(1)
    side.loadings = torch.randn(3, 2, generator=generator)
    side.centre = torch.tensor([0.3, -0.1])
    side.precision = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    other, own_noise, other_noise = torch.randn(3, 2, generator=generator), torch.rand(4) + 0.5, torch.rand(3) + 0.5
    mean, factors = side.compute_conditional(other, own_noise, other_noise)
    ratings = side.ratings.to_dense()
    for user in range(4):
        rated = ratings[user] != 0
        prior = side.centre + (side.loadings[rated].sum(0) / rated.sum() ** 0.5 if rated.any() else 0.0)
        noise = own_noise[user] * other_noise[rated]
        precision = side.precision + (other[rated] * noise[:, None]).T @ other[rated]
        right = side.precision @ prior + (other[rated] * noise[:, None]).T @ ratings[user, rated]
        lower = factors[user].tril()
        torch.testing.assert_close(lower @ lower.T, precision)
        torch.testing.assert_close(mean[user], torch.linalg.solve(precision, right))


def test_drawn_vectors_scatter_as_their_conditional_says() -> None:
    ratings = sparse.csr_array(np.tile(np.array([[1.0, -2.0, 0.5]], dtype=np.float32), (20_000, 1)))
    side = a_side(implicit=False, ratings=ratings)
    other = torch.tensor([[1.0, 0.0], [0.5, 1.0], [-1.0, 0.3]])
    ones = torch.ones(20_000), torch.ones(3)
    mean = side.draw(other, *ones)
    covariance = torch.linalg.inv(torch.eye(2) + other.T @ other)
    torch.testing.assert_close(side.vectors.mean(0), mean[0], atol=0.02, rtol=0.0)
    torch.testing.assert_close(side.vectors.T.cov(), covariance, atol=0.02, rtol=0.0)


def test_the_prior_follows_the_vectors() -> None:
    """Of many vectors around (2, −1) with deviations 0.5 and 2, centre and precision are drawn near the truth."""
    side = a_side(implicit=False, ratings=sparse.csr_array(np.zeros((20_000, 3), dtype=np.float32)))
    deviation = torch.tensor([0.5, 2.0])
    side.vectors = torch.tensor([2.0, -1.0]) + deviation * torch.randn(
        20_000, 2, generator=torch.Generator().manual_seed(0)
    )
    side.draw_prior()
    torch.testing.assert_close(side.centre, torch.tensor([2.0, -1.0]), atol=0.1, rtol=0.0)
    torch.testing.assert_close(side.precision, torch.diag(deviation**-2), atol=0.1, rtol=0.05)


def test_loadings_find_what_the_link_explains() -> None:
    """Vectors that are link · B and little noise give loadings near B."""
    rng = np.random.default_rng(0)
    side = a_side(ratings=sparse.csr_array(np.where(rng.random((4000, 5)) < 0.4, np.float32(1), np.float32(0))))
    assert side.link is not None
    truth = torch.tensor([[1.0, 0.0], [-1.0, 2.0], [0.0, 0.5], [2.0, 1.0], [-0.5, -1.0]])
    side.vectors = side.link @ truth + 0.05 * torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    for _ in range(10):
        side.draw_prior()
    torch.testing.assert_close(side.loadings, truth, atol=0.25, rtol=0.0)  # the centre takes a part
    torch.testing.assert_close(side.prior_mean(), side.vectors, atol=0.4, rtol=0.0)


def test_the_ridge_solution_is_the_dense_one() -> None:
    rng = np.random.default_rng(0)
    link = rng.normal(size=(30, 6)).astype(np.float32)
    right = torch.from_numpy(rng.normal(size=(6, 2)).astype(np.float32))
    mine = solve_ridge(Product.of(sparse.csr_array(link), CPU), 0.5, right, torch.zeros(6, 2))
    dense = torch.from_numpy(link)
    torch.testing.assert_close(
        mine, torch.linalg.solve(dense.T @ dense + 0.5 * torch.eye(6), right), atol=1e-3, rtol=2e-2
    )


def test_a_wishart_matrix_has_its_mean() -> None:
    noise = Noise(np.random.default_rng(0), CPU)
    scale = np.array([[1.0, 0.3], [0.3, 0.5]])
    mean = np.mean([noise.wishart(6.0, scale) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(mean, 6 * scale, rtol=0.05)


@pytest.mark.parametrize("noise_freedom", [0.0, 10.0])
def test_ratings_of_low_rank_are_foretold_almost_to_their_noise(noise_freedom: float) -> None:
    """Biases and two factors, noise of 0.3: with 40 % of all pairs known, the others are missed by little more."""
    rng = np.random.default_rng(0)
    users, items = rng.normal(size=(120, 2)), rng.normal(size=(80, 2))
    clean = 3 + 0.5 * rng.normal(size=(120, 1)) + 0.5 * rng.normal(size=(1, 80)) + 0.5 * users @ items.T
    noisy = (clean + 0.3 * rng.normal(size=clean.shape)).astype(np.float32)
    known = rng.random(clean.shape) < 0.4
    user, item = np.divmod(np.flatnonzero(known), 80)
    train = Interactions(user, item, 120, 80, noisy[known])
    model = MF(MFConfig(**{**RATING, "embedding_dim": 4, "noise_freedom": noise_freedom}))
    model.fit(graph_of(train), train, rng)
    error = (model.score(np.arange(120)).numpy() - noisy)[~known]
    assert 0.3 < np.sqrt(np.mean(error**2)) < 0.36
    vectors = model.embeddings()
    products = vectors.users @ vectors.items.T + float(train.weight.mean())  # type: ignore[union-attr]
    torch.testing.assert_close(products.clamp(*_range(train)), model.score(np.arange(120)), atol=1e-4, rtol=1e-4)
    folded = model.fold_in(build_rating_matrix(train)) - model.score(np.arange(120))
    assert float(folded.abs().mean()) < (0.05 if noise_freedom else 1e-4)
    newcomers = model.fold_in_users(train, Relations())  # by the ratings, not by who rated what
    torch.testing.assert_close(newcomers, model.fold_in(build_rating_matrix(train)))


def _range(ratings: Interactions) -> tuple[float, float]:
    assert ratings.weight is not None
    return float(ratings.weight.min()), float(ratings.weight.max())


def test_predictions_stay_in_the_range_of_the_ratings() -> None:
    train, _ = rated_checkerboard()
    model = MF(MFConfig(**RATING))
    model.fit(graph_of(train), train, np.random.default_rng(0))
    scores = model.score(np.arange(21))
    assert float(scores.min()) >= 1.0
    assert float(scores.max()) <= 5.0


def test_repeated_ratings_are_averaged_and_a_zero_is_a_rating() -> None:
    ratings = build_rating_matrix(
        Interactions(np.array([0, 0, 1]), np.array([1, 1, 0]), 2, 2, np.array([2.0, 5.0, 0.0], dtype=np.float32))
    )
    assert ratings.nnz == 2
    np.testing.assert_array_equal(ratings.toarray(), [[0.0, 3.5], [0.0, 0.0]])


def test_progress_tells_every_sweep() -> None:
    train, _ = rated_checkerboard()
    told: list[tuple[int, int]] = []
    model = MF(MFConfig(loss="mse", embedding_dim=2, draws=3, burn_in=2))
    model.fit(graph_of(train), train, np.random.default_rng(0), lambda done, total: told.append((done, total)))
    assert told == [(sweep, 8) for sweep in range(1, 9)]


def test_what_cannot_be_rated_is_an_error() -> None:
    graph, train, _ = checkerboard()
    with pytest.raises(DataError, match="mse predicts ratings, but these interactions have none"):
        MF(MFConfig(loss="mse")).fit(graph, train, np.random.default_rng(0))
    rated = Interactions(np.array([0, 1]), np.array([0, 1]), 2, 2, np.array([np.nan, 1.0], dtype=np.float32))
    with pytest.raises(DataError, match="1 of 2 interactions have no rating"):
        MF(MFConfig(loss="mse")).fit(graph_of(rated), rated, np.random.default_rng(0))


def test_impossible_settings_are_refused(tmp_path: Any) -> None:  # a Path
    with pytest.raises(DataError, match="draws, burn_in and noise_freedom are at least 0"):
        MFConfig(draws=-1)
    with pytest.raises(DataError, match="patience is for rankings"):
        MFConfig(loss="mse", draws=0, patience=2)
    train, _ = rated_checkerboard()
    model = MF(MFConfig(**RATING))
    model.checkpoints = Checkpoints(tmp_path / "checkpoint")
    with pytest.raises(GraphrecError, match="without checkpoints"):
        model.fit(graph_of(train), train, np.random.default_rng(0))


def hundred_by_hundred() -> Interactions:
    """100 users and 100 items, all rated at random from 1 to 5."""
    user, item = np.divmod(np.arange(10_000), 100)
    rating = np.random.default_rng(0).integers(1, 6, 10_000).astype(np.float32)
    return Interactions(user, item, 100, 100, rating)


DESCENT: dict[str, Any] = {"loss": "mse", "draws": 0, "embedding_dim": 50}


def test_the_gradient_of_squared_errors_is_the_formula() -> None:
    """−2 (r − x · y) y + λ x in x and −2 (r − x · y) x + λ y in y, the mean over the ratings of a batch, in float64."""
    pairs = hundred_by_hundred()
    model = MF(MFConfig(**DESCENT, weight_decay=0.3, batch_size=500))
    training = TrainingData(graph_of(pairs), pairs, pairs.matrix(), pairs.take(np.array([], dtype=np.int64)), CPU)
    x = model.initial_parameters(training, np.random.default_rng(1)).double().requires_grad_()
    batch = next(model.batches(training, np.random.default_rng(2)))
    model.loss(x, model.build_encoder(training, x), batch, training, np.random.default_rng(0)).backward()  # type: ignore[no-untyped-call]  # untyped in torch
    assert isinstance(batch, RatingBatch)
    assert pairs.weight is not None
    vectors, expected = x.detach(), torch.zeros_like(x)
    for user, item, rating in zip(batch.user, batch.positive, batch.rating, strict=True):
        assert rating == pairs.weight[100 * user + item]
        error = rating - vectors[user] @ vectors[100 + item]
        expected[user] += (-2 * error * vectors[100 + item] + 0.3 * vectors[user]) / len(batch.user)
        expected[100 + item] += (-2 * error * vectors[user] + 0.3 * vectors[100 + item]) / len(batch.user)
    assert x.grad is not None
    torch.testing.assert_close(x.grad, expected)


def test_the_documented_small_case_comes_near_the_best_matrix_of_rank_50() -> None:
    """The example of docs/models.md has the errors that the page says: ours, and the least of any of its rank."""
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    example = re.search(r"^## mf\n.*?^```python\n(.*?)^```\n\n`error` is ([\d.]+); `best` ([\d.]+)", page, re.M | re.S)
    assert example is not None
    variables: dict[str, Any] = {}
    exec(example[1], variables)  # the page's own code
    assert variables["best"] == pytest.approx(float(example[3]), abs=6e-4)
    assert variables["best"] < variables["error"] < 1.03 * variables["best"]
    assert variables["error"] == pytest.approx(float(example[2]), rel=0.01)
    model, ratings = variables["model"], variables["ratings"]
    assert model.losses[0] > model.losses[-1]
    refitted = model.fold_in_users(ratings, Relations()).numpy().ravel()  # users that are best for the same items
    assert variables["best"] < np.sqrt(np.mean((refitted - variables["rating"]) ** 2)) < variables["error"] + 1e-3
    assert model.explain_history(ratings.matrix()[[0]], 0, 0).amount is None


def test_a_new_user_has_the_vector_that_minimises_the_loss_for_given_items() -> None:
    """With the same regularisation as in training, so that users of a finished training keep their scores."""
    ratings = sparse.csr_array(np.array([[4.0, 0.0, 1.0], [0.0, 0.0, 0.0]], dtype=np.float32))
    items = torch.tensor([[1.0, 0.5], [0.2, 1.0], [-0.3, 0.8]])
    users = solve_users(ratings, items, 0.5)
    rated = items[[0, 2]]
    gradient = -2 * rated.T @ (torch.tensor([4.0, 1.0]) - rated @ users[0]) + 2 * 0.5 * users[0]
    torch.testing.assert_close(gradient, torch.zeros(2), atol=1e-5, rtol=0.0)
    assert not users[1].any()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("settings", [{"epochs": 2, "embedding_dim": 8}, RATING, {**DESCENT, "epochs": 2}])
def test_cuda(settings: dict[str, Any]) -> None:
    train, _ = rated_checkerboard()
    model = MF(MFConfig(**settings), "cuda")
    model.fit(graph_of(train), train, np.random.default_rng(0))
    scores = model.score(np.arange(21))
    assert scores.device.type == "cuda"
    assert bool(scores.isfinite().all())
    other = MF(MFConfig(**settings))
    other.restore(model.state())
    torch.testing.assert_close(other.score(np.arange(21)), scores.cpu(), atol=1e-4, rtol=1e-4)
