"""diffnet: the contract among friends, a step against its formula, training by hand, and who is answered."""

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.autograd import Product, normalise_sums
from graphrec.models import make
from graphrec.models.diffnet import DiffNet, DiffNetConfig, build_social_matrix, build_step_matrix, propagate_steps
from graphrec.models.embedding import TrainingData
from graphrec.testing import ModelContract, checkerboard, graph_of

CPU = torch.device("cpu")
Array = npt.NDArray[np.float64]


def befriend(graph: HeteroGraph, pairs: list[tuple[int, int]], relation: str = "FRIEND") -> HeteroGraph:
    """The graph with social edges; it is changed."""
    graph.data["User", relation, "User"].edge_index = torch.tensor(pairs).T
    graph.data["User", f"rev_{relation}", "User"].edge_index = torch.tensor(pairs).T.flip(0)
    return graph


class TestDiffNet(ModelContract):
    """On a checkerboard where each user has a friend of the same kind; the last one has none."""

    name = "diffnet"
    config: ClassVar[dict[str, object]] = {"epochs": 8, "embedding_dim": 8, "learning_rate": 0.02, "batch_size": 64}
    exact_fold_in = False

    @pytest.fixture(autouse=True)
    def friends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The contract's own graph with friends, since this model refuses one without."""

        def among_friends() -> tuple[HeteroGraph, Interactions, Interactions]:
            graph, train, withheld = checkerboard()
            return befriend(graph, [(user, user + 2) for user in range(18)]), train, withheld

        monkeypatch.setattr("graphrec.testing.checkerboard", among_friends)


#: Users 0 and 1 have an item in common, user 2 has other items, user 3 has no items, user 4 has nothing at all.
PAIRS = Interactions(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 0]), 5, 4)
FRIENDS = [(0, 1), (0, 2), (2, 3)]


def friends_of(pairs: Interactions) -> HeteroGraph:
    return befriend(graph_of(pairs), FRIENDS)


def normalised_by_hand(matrix: Array) -> Array:
    rows, columns = matrix.sum(1), matrix.sum(0)
    scale = np.outer(np.where(rows > 0, rows, 1), np.where(columns > 0, columns, 1))
    found: Array = matrix / np.sqrt(scale)
    return found


def tie_weights(power: float) -> Array:
    """Cosines: 0–1 share one of 2 and 1 items, 0–2 one of 2 and 2, 2–3 none; plus 0.01."""
    weight = np.zeros((5, 5))
    for (u, v), cosine in zip(FRIENDS, (1 / math.sqrt(2), 1 / 2, 0.0), strict=True):
        weight[u, v] = weight[v, u] = (cosine + 0.01) ** power
    return weight


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_ties_count_by_what_both_users_chose(power: float) -> None:
    found = build_social_matrix(friends_of(PAIRS), PAIRS.matrix(), power)
    np.testing.assert_allclose(found.toarray(), normalised_by_hand(tie_weights(power)), rtol=1e-5)


def test_several_social_relations_are_averaged_and_nobody_is_their_own_friend() -> None:
    """FOLLOWS is read one way: user 1 follows 2, and itself, which counts for nothing."""
    graph = befriend(friends_of(PAIRS), [(1, 2), (1, 1)], "FOLLOWS")
    follows = np.zeros((5, 5))
    follows[1, 2] = 1.0
    expected = (normalised_by_hand(tie_weights(0.0)) + normalised_by_hand(follows)) / 2
    np.testing.assert_allclose(build_social_matrix(graph, PAIRS.matrix(), 0.0).toarray(), expected, rtol=1e-5)


def dense_step(share: float) -> Array:
    social, smooth = normalised_by_hand(tie_weights(1.0)), normalised_by_hand(PAIRS.matrix().toarray().astype(float))
    shares = np.diag([share, share, share, 1.0, 1.0])  # user 3 has friends alone, user 4 has nothing either way
    upper = np.hstack([shares @ social, (np.eye(5) - shares) @ smooth])
    return np.vstack([upper, np.hstack([smooth.T, np.zeros((4, 4))])])


@pytest.mark.parametrize("num_layers", [0, 1, 3])
def test_vectors_spread_as_the_formula_says(num_layers: int) -> None:
    model = DiffNet(DiffNetConfig(num_layers=num_layers, social_share=0.4, embedding_dim=3))
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    found = model.build_encoder(training(), x)(None)
    own = np.diag([1, 1, 1, 0, 0, 1, 1, 1, 0.0]) @ x.numpy()  # without interactions, no vector of one's own
    steps = [np.linalg.matrix_power(dense_step(0.4), k) @ own for k in range(num_layers + 1)]
    np.testing.assert_allclose(found.numpy(), np.mean(steps, axis=0), atol=1e-5)
    rows = np.array([7, 0])
    torch.testing.assert_close(model.build_encoder(training(), x)(rows), found[torch.from_numpy(rows)])


def training() -> TrainingData:
    none = PAIRS.take(np.empty(0, dtype=np.int64))
    return TrainingData(friends_of(PAIRS), PAIRS, PAIRS.matrix(), none, CPU)


def test_the_gradient_of_a_step_is_the_transposed_step() -> None:
    social = build_social_matrix(friends_of(PAIRS), PAIRS.matrix(), 1.0)
    step = Product.of(build_step_matrix(PAIRS.matrix(), social, 0.4), CPU)
    x = torch.randn(9, 2, requires_grad=True)
    weight = torch.arange(18.0).view(9, 2)
    (gradient,) = torch.autograd.grad((propagate_steps(x, step, 2)[-1] * weight).sum(), x)
    expected = np.linalg.matrix_power(dense_step(0.4), 2).T @ weight.numpy()
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-4, atol=1e-4)


def test_one_step_of_training_by_hand() -> None:
    """User 0 chose item 0 and has user 1 for a friend; item 1 is the only negative, and 0 since nobody chose it.

    z_u = (x_u + 0.7 x_i) / 2 and z_i = (x_i + x_u) / 2, so bpr is softplus(−z_u · z_i); Adam's first step is the
    learning rate against the sign of the gradient. User 1, who chose nothing, gets x_u / 2 from user 0.
    """
    pairs = Interactions(np.array([0]), np.array([0]), 2, 2)
    config = DiffNetConfig(
        loss="bpr",
        cosine=False,
        warm_start=False,
        num_layers=1,
        epochs=1,
        embedding_dim=2,
        learning_rate=0.1,
        social_share=0.3,
    )
    model = DiffNet(config)
    model.fit(befriend(graph_of(pairs), [(0, 1)]), pairs, np.random.default_rng(4))

    rng = np.random.default_rng(4)
    rng.random(1)  # drawn for the part that is held out
    u, _, i, _ = rng.normal(0.0, 0.1, (4, 2))
    zu, zi = (u + 0.7 * i) / 2, (i + u) / 2
    slope = -1 / (1 + math.exp(zu @ zi))
    gradients = slope * (zi + zu) / 2, slope * (0.7 * zi + zu) / 2
    u, i = u - 0.1 * np.sign(gradients[0]), i - 0.1 * np.sign(gradients[1])
    np.testing.assert_allclose(model.users.numpy(), [(u + 0.7 * i) / 2, u / 2], atol=1e-4)
    np.testing.assert_allclose(model.items.numpy(), [(i + u) / 2, [0, 0]], atol=1e-4)


def test_a_user_with_friends_alone_gets_what_friends_like_and_one_with_nothing_gets_nothing() -> None:
    graph, train, _ = checkerboard()
    less = train.take(train.user_index != 4)  # user 4 is of the even kind
    model = DiffNet(DiffNetConfig(epochs=8, embedding_dim=8, learning_rate=0.02))
    model.fit(befriend(graph, [(user, user + 2) for user in range(18)]), less, np.random.default_rng(0))
    scores = model.score(np.array([4, 20]))
    assert float(scores[0, 0:20:2].min()) > float(scores[0, 1:20:2].max())
    assert not scores[1].any()


def test_a_new_user_is_smoothed_like_one_without_friends() -> None:
    """With their own vector at zero, users in training who have no friends and new users are the same."""
    model = DiffNet(DiffNetConfig(embedding_dim=3, num_layers=2, cosine=False, epochs=1, warm_start=False))
    graph = befriend(graph_of(PAIRS), [(3, 4)])
    none = PAIRS.take(np.empty(0, dtype=np.int64))
    alone = TrainingData(graph, PAIRS, PAIRS.matrix(), none, CPU)
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(2))
    model.finish(x, model.build_encoder(alone, x), alone)
    expected = (model.users - x[:5] / 3 * torch.tensor([1, 1, 1, 0, 0])[:, None]) @ model.items.T
    torch.testing.assert_close(model.fold_in(PAIRS.matrix()), expected, atol=1e-6, rtol=1e-4)


def test_friends_change_the_scores() -> None:
    scores = []
    for share in (0.0, 0.5):
        model = DiffNet(DiffNetConfig(epochs=2, embedding_dim=4, social_share=share))
        model.fit(friends_of(PAIRS), PAIRS, np.random.default_rng(0))
        scores.append(model.score(np.arange(3)))
    assert float((scores[0] - scores[1]).abs().max()) > 0.01


def test_a_graph_without_friends_is_refused() -> None:
    with pytest.raises(DataError, match=r"no edges between users, .* load friends, trust or followers"):
        DiffNet(DiffNetConfig()).fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))


def test_impossible_settings_and_nothing_to_learn_from_are_errors() -> None:
    for settings in ({"num_layers": -1}, {"social_share": 1.5}, {"homophily": -0.1}):
        with pytest.raises(DataError, match="social_share is between 0 and 1"):
            make("diffnet", **settings)
    none = PAIRS.take(np.empty(0, dtype=np.int64))
    with pytest.raises(DataError, match="diffnet: there are no interactions"):
        DiffNet(DiffNetConfig()).fit(friends_of(none), none, np.random.default_rng(0))


def test_normalised_rows_are_means() -> None:
    np.testing.assert_allclose(normalise_sums(PAIRS.matrix(), 1.0, 0.0).sum(axis=1), [1, 1, 1, 0, 0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_it_runs_on_a_gpu() -> None:
    model = DiffNet(DiffNetConfig(epochs=2, embedding_dim=4), "cuda")
    model.fit(friends_of(PAIRS), PAIRS, np.random.default_rng(0))
    assert model.score(np.arange(4)).device.type == "cuda"
    assert bool(model.fold_in(PAIRS.matrix()).isfinite().all())
