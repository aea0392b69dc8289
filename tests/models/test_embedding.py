"""What every trained embedding model shares, shown on LightGCN: losses, warm start, checkpoints, devices."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models.embedding import TrainingData, compute_l2_penalty
from graphrec.models.lightgcn import LightGCN, LightGCNConfig
from graphrec.models.spectral_init import compute_spectral_init
from graphrec.ranking.topk import top_k
from graphrec.testing import checkerboard, graph_of
from graphrec.training.batches import PairBatch, UserBatch
from graphrec.training.checkpoints import Checkpoints
from graphrec.training.objectives import Encode
from graphrec.training.softmax import catalogue_softmax_loss
from graphrec.vocabulary import IndexArray

Settings = dict[str, Any]  # settings of many types

SMALL: Settings = {"embedding_dim": 16, "learning_rate": 0.05, "epochs": 12, "final_rate": 1.0, "popularity": 0.0}


def fitted(settings: Settings, seed: int = 0, checkpoints: Checkpoints | None = None) -> LightGCN:
    graph, train, _ = checkerboard()
    model = LightGCN(LightGCNConfig(**{**SMALL, **settings}))
    model.checkpoints = checkpoints
    model.fit(graph, train, np.random.default_rng(seed))
    return model


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "bpr", "negatives": "uniform", "num_negatives": 2},
        {"loss": "mse", "negatives": "uniform", "num_negatives": 5, "embedding_dim": 2, "epochs": 40},
        {"loss": "softmax", "negatives": "all"},
        {"loss": "softmax", "negatives": "all", "cosine": False, "temperature": 1.0},
        {"loss": "softmax", "negatives": "popular", "num_negatives": 15},
        {"loss": "softmax", "negatives": "batch"},
        {"loss": "softmax", "negatives": "uniform", "num_negatives": 10, "popularity": 0.5},
        {"loss": "softmax", "negatives": "all", "positive_temperature": 0.1},
        {"loss": "softmax", "negatives": "popular", "num_negatives": 15, "positive_temperature": 0.1},
        {"loss": "softmax", "negatives": "batch", "temperature": 0.3, "positive_temperature": 0.33},
        {
            "loss": "softmax",
            "negatives": "uniform",
            "num_negatives": 10,
            "temperature": 0.3,
            "positive_temperature": 0.33,
        },
    ],
    ids=lambda settings: "-".join(str(value) for value in settings.values()),
)
def test_every_loss_finds_what_was_withheld(settings: Settings, warm_start: bool) -> None:
    _, train, withheld = checkerboard()
    model = fitted({"warm_start": warm_start, "cosine": settings["loss"] == "softmax", **settings})
    best = top_k(model, train, withheld.user_index, 1).item_index[:, 0]
    np.testing.assert_array_equal(best, withheld.item_index)


def test_popularity_adds_the_log_of_the_degree_and_nothing_else_changes() -> None:
    """Cosines are the scores of the vectors without their last column; the rest is τ β log(degree / mean degree)."""
    model = fitted({"negatives": "all", "popularity": 0.5, "temperature": 0.2})
    _, train, _ = checkerboard()
    cosines = model.users[:, :-1] @ model.items[:, :-1].T
    degree = train.item_degree()
    expected = 0.2 * 0.5 * np.log(degree[:20] * (21 / len(train)))
    added = (model.score(np.arange(20)) - cosines[:20])[:, :20]
    np.testing.assert_allclose(added, np.tile(expected, (20, 1)), atol=1e-6)
    assert float(model.score(np.array([20])).abs().max()) == 0.0
    assert float(model.score(np.arange(20))[:, 20].abs().max()) == 0.0
    torch.testing.assert_close(model.items[:20, :-1].norm(dim=1), torch.ones(20))


def test_a_warm_start_is_the_best_approximation_of_its_rank() -> None:
    """Of N, by the response of graph_filter: users · itemsᵀ = U Σ g Vᵀ, against a dense decomposition."""
    rng = np.random.default_rng(0)
    user_index, item_index = np.nonzero(rng.random((12, 9)) < 0.6)
    pairs = Interactions(user_index, item_index, 12, 9)
    found = compute_spectral_init(pairs.matrix(), 4, 0.1, rng).double()
    r = pairs.matrix().toarray().astype(np.float64)
    n = np.maximum(r.sum(1), 1)[:, None] ** -0.35 * r * np.maximum(r.sum(0), 1) ** -0.5
    u, s, vt = np.linalg.svd(n)
    expected = (u[:, :4] * (s * (1.2 - (s / s[0]) ** 2))[:4]) @ vt[:4]
    products = (found[:12] @ found[12:].T).numpy()
    np.testing.assert_allclose(products / np.linalg.norm(products), expected / np.linalg.norm(expected), atol=1e-5)
    assert float(found[:12].square().mean().sqrt()) == pytest.approx(0.1, rel=1e-5)
    equal = compute_spectral_init(pairs.matrix(), 4, 0.1, rng, equal=True)
    torch.testing.assert_close(equal.norm(dim=1), torch.full((21,), 0.2))


def test_more_columns_than_the_matrix_has_directions_and_lonely_nodes_start_at_random() -> None:
    _, train, _ = checkerboard(6)
    found = compute_spectral_init(train.matrix(), 16, 0.1, np.random.default_rng(0))
    assert found.shape == (14, 16)
    assert bool(found.isfinite().all())
    assert float(found[6].norm()) > 0.1  # the user without interactions
    assert 0 < float(found[:6, 8:].abs().max()) < 0.01


def test_patience_stops_before_the_last_epoch() -> None:
    graph, train, _ = checkerboard()
    seen: list[int] = []
    config = LightGCNConfig(epochs=500, patience=1, embedding_dim=8, learning_rate=0.05)
    LightGCN(config).fit(graph, train, np.random.default_rng(0), lambda done, _: seen.append(done))
    assert seen[-1] < 500
    assert seen == list(range(1, len(seen) + 1))


class Recorder(LightGCN):
    """LightGCN that records what it is trained on, and whose recall is best at the second measurement."""

    def __init__(self, config: LightGCNConfig) -> None:
        super().__init__(config)
        self.trained_on: list[int] = []
        self.recalls = iter([0.1, 0.9, 0.5])

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        self.trained_on.append(training.matrix.nnz)
        return super().build_encoder(training, x)

    def _recall(self, encode: Encode, training: TrainingData) -> float:  # noqa: ARG002  # as given
        return next(self.recalls)


def test_early_stopping_refits_to_all_interactions_until_the_best_epoch() -> None:
    graph, train, _ = checkerboard()
    model = Recorder(LightGCNConfig(epochs=40, patience=1, embedding_dim=8))
    rng, told = np.random.default_rng(3), []
    model.fit(graph, train, rng, lambda done, total: told.append((done, total)))
    assert model.trained_on[0] < len(train) == model.trained_on[1]
    assert model.config == LightGCNConfig(epochs=40, stop_epoch=10, embedding_dim=8)
    assert len(model.losses) == 10
    assert told == [*((n, 40) for n in range(1, 16)), *((n, 25) for n in range(16, 26))]
    again = Recorder(LightGCNConfig(epochs=40, patience=1, embedding_dim=8))
    again.fit(graph, train, np.random.default_rng(3))
    assert torch.equal(model.users, again.users)


def test_a_refit_that_was_interrupted_resumes(tmp_path: Path) -> None:
    graph, train, _ = checkerboard()

    def fit(path: Path, interrupted: bool) -> LightGCN:
        model = LightGCN(LightGCNConfig(embedding_dim=8, epochs=30, patience=1))
        model.keep_checkpoints(Checkpoints(path))

        def progress(done: int, total: int) -> None:
            if interrupted and total != 30 and total - done == 1:  # the last epoch but one of the refit
                raise KeyboardInterrupt

        model.fit(graph, train, np.random.default_rng(8), progress)
        return model

    whole = fit(tmp_path / "whole.pt", interrupted=False)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "cut.pt", interrupted=True)
    resumed = fit(tmp_path / "cut.pt", interrupted=False)
    assert resumed.config == whole.config
    assert torch.equal(resumed.users, whole.users)


def test_training_until_an_epoch_is_the_start_of_the_whole_training() -> None:
    graph, train, _ = checkerboard()
    whole, part = (LightGCN(LightGCNConfig(epochs=12, stop_epoch=n, embedding_dim=8)) for n in (0, 5))
    for model in (whole, part):
        model.fit(graph, train, np.random.default_rng(3))
    assert part.losses == whole.losses[:5]
    with pytest.raises(DataError, match="lightgcn: stop_epoch is at least 0 and at most epochs"):
        LightGCNConfig(epochs=12, stop_epoch=13)


def test_a_sampled_softmax_reads_only_the_nodes_of_its_batch() -> None:
    """Its value and gradient are those with the vectors of all nodes."""
    _, train, _ = checkerboard(8)
    matrix = train.matrix()
    objective = LightGCNConfig(num_negatives=3, popularity=0.5).objective
    batch = next(objective.batches(matrix, 10, np.random.default_rng(1)))
    assert isinstance(batch, UserBatch)
    x = torch.randn(18, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    asked: list[IndexArray | None] = []

    def encode(rows: IndexArray | None) -> Tensor:
        asked.append(rows)
        return x if rows is None else x[torch.from_numpy(rows)]

    value = objective.value(encode, batch, matrix)
    assert batch.sample is not None
    nodes = {*batch.user, *(9 + batch.history.indices), *(9 + batch.sample.item_index)}
    assert [set(rows.tolist()) for rows in asked if rows is not None] == [nodes]
    vectors = objective.vectors(lambda _: x, None, matrix)
    expected = catalogue_softmax_loss(
        vectors[torch.from_numpy(batch.user)], vectors[9:], batch.history, 0.12, batch.sample
    )
    torch.testing.assert_close(value, expected)
    gradients = [torch.autograd.grad(each, x)[0] for each in (value, expected)]
    torch.testing.assert_close(*gradients)


def test_nothing_to_learn_from_is_an_error() -> None:
    none = Interactions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 2, 2)
    with pytest.raises(DataError, match="lightgcn: there are no interactions to learn from"):
        LightGCN(LightGCNConfig()).fit(graph_of(none), none, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "hinge"}, "lightgcn: loss is one of bpr, softmax, mse, not 'hinge'"),
        ({"negatives": "hard"}, "negatives is one of all, popular, batch, uniform, not 'hard'"),
        ({"temperature": 0.0}, "temperature, learning_rate and init_std are above 0"),
        ({"positive_temperature": -0.1}, "lightgcn: positive_temperature is above 0, or 0 for the same as temperature"),
        ({"positive_temperature": 0.2, "cosine": False}, "positive_temperature is for a softmax of cosines; leave it"),
        (
            {"positive_temperature": 0.2, "loss": "bpr", "num_negatives": 1},
            "positive_temperature is for a softmax of cosines; leave it out, or set loss=softmax and cosine=true",
        ),
        ({"loss": "bpr", "num_negatives": 2048}, "with bpr num_negatives is per interaction, so at most 100"),
        ({"loss": "bpr", "negatives": "uniform", "num_negatives": 0}, "num_negatives is at least 1 for bpr"),
    ],
)
def test_impossible_settings_are_refused(settings: Settings, message: str) -> None:
    with pytest.raises(DataError, match=message):
        LightGCNConfig(**settings)


class PowerCut(BaseException):
    """Ends a training as nothing else does, since nothing catches it."""


def train_with(checkpoint: Path, death: int | None = None, kills: bool = False) -> LightGCN:
    """A model with random batches and an early stop, whose training ends after the epoch `death`: with a PowerCut, or
    the process kills itself."""
    graph, train, _ = checkerboard()
    model = LightGCN(LightGCNConfig(embedding_dim=8, epochs=20, patience=2))
    model.checkpoints = Checkpoints(checkpoint, every=2)

    def progress(done: int, _total: int) -> None:
        if done == death and kills:
            os.kill(os.getpid(), signal.SIGKILL)
        if done == death:
            raise PowerCut

    model.fit(graph, train, np.random.default_rng(8), progress)
    return model


@pytest.mark.parametrize("kills", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_training_that_was_cut_off_goes_on_to_the_identical_result(tmp_path: Path, kills: bool) -> None:
    """After epoch 7, when the checkpoint is of epoch 6; by SIGKILL in a process of its own."""
    whole = train_with(tmp_path / "whole.pt").state()
    if kills:
        kill_in_training(tmp_path / "cut.pt")
    else:
        with pytest.raises(PowerCut):
            train_with(tmp_path / "cut.pt", 7)
    assert len(torch.load(tmp_path / "cut.pt", weights_only=True)["history"]) == 6
    resumed = train_with(tmp_path / "cut.pt").state()
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name


def kill_in_training(checkpoint: Path) -> None:
    """Train in another process, which is killed after epoch 7."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from pathlib import Path; import torch; "
        "torch.set_num_threads(1); from test_embedding import train_with; train_with(Path(sys.argv[1]), 7, True)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(checkpoint)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(("settings", "seed"), [({}, 1), ({"learning_rate": 0.01}, 0)])
def test_a_checkpoint_of_another_seed_or_config_is_refused(tmp_path: Path, settings: Settings, seed: int) -> None:
    checkpoints = Checkpoints(tmp_path / "a.pt")
    fitted({}, checkpoints=checkpoints)
    with pytest.raises(DataError, match="is of another training"):
        fitted(settings, seed, checkpoints)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that CUDA can use")
def test_it_trains_and_scores_on_a_gpu() -> None:
    graph, train, withheld = checkerboard()
    for settings in (
        {"loss": "bpr", "negatives": "uniform", "num_negatives": 1},
        {"loss": "softmax", "negatives": "all"},
    ):
        model = LightGCN(LightGCNConfig(**{**SMALL, **settings}), "cuda")
        model.fit(graph, train, np.random.default_rng(0))
        scores = model.score(withheld.user_index)
        assert scores.device.type == "cuda"
        assert {value.device.type for value in model.state().values()} == {"cpu"}
        scores = scores.cpu()
        scores[torch.from_numpy(train.matrix()[withheld.user_index].toarray() > 0)] = -torch.inf
        np.testing.assert_array_equal(scores.argmax(1), withheld.item_index)


def test_the_decay_of_a_batch_of_users_is_that_of_its_interactions() -> None:
    """Whole histories and the same interactions as pairs have the same squared parameters."""
    graph, train, _ = checkerboard(6)
    none = train.take(np.zeros(len(train), dtype=bool))
    training = TrainingData(graph, train, train.matrix(), none, torch.device("cpu"))
    model = LightGCN(LightGCNConfig(loss="softmax", negatives="all"))
    users = next(model.batches(training, np.random.default_rng(0)))
    rows = np.isin(train.user_index, users.user)
    pairs = PairBatch(train.user_index[rows], train.item_index[rows], np.empty((int(rows.sum()), 0), dtype=np.int64))
    x = torch.randn(14, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(compute_l2_penalty(x, users, 7), compute_l2_penalty(x, pairs, 7))
