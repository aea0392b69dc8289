"""user_knn: similarities and scores against their formulas on dense matrices, new users, and what a user keeps."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models import MODELS
from graphrec.models.user_knn import UserKNN, UserKNNConfig
from graphrec.testing import ModelContract, graph_of

#: u0: i0 i1; u1: i0 i1 i2; u2: i0 i3; u3 and i4: nothing
PAIRS = Interactions(np.array([0, 0, 1, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 2, 0, 3]), 4, 5)


registered = pytest.mark.skipif("user_knn" not in MODELS, reason="the registry of models has no user_knn")


@registered
class TestUserKNN(ModelContract):
    name = "user_knn"


@registered
class TestUserKNNOfFew(ModelContract):
    name = "user_knn"
    config: ClassVar[dict[str, object]] = {"neighbours": 12, "popularity_damping": 0.2, "asymmetry": 0.3}


def fitted(config: UserKNNConfig, device: str = "cpu") -> UserKNN:
    model = UserKNN(config, device)
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    return model


def by_formula(config: UserKNNConfig) -> npt.NDArray[np.float64]:
    r = PAIRS.matrix().toarray().astype(np.float64)
    degree = np.maximum(r.sum(0), 1)
    common = r @ np.diag(degree**-config.damping) @ r.T
    size = np.maximum(np.diag(common), 1e-12)
    similarity = common / np.outer(size ** (1 - config.asymmetry), size**config.asymmetry)
    found: npt.NDArray[np.float64] = (similarity**config.amplification @ r) * degree**-config.popularity_damping
    return found


@pytest.mark.parametrize(
    "config",
    [
        UserKNNConfig(0, damping=0.0, amplification=1.0),
        UserKNNConfig(0, damping=0.7, asymmetry=0.2, amplification=2.0, popularity_damping=0.4),
        UserKNNConfig(0),
    ],
)
def test_scores_follow_their_formula(config: UserKNNConfig) -> None:
    scores = fitted(config).score(np.array([3, 0, 1, 2])).numpy()
    np.testing.assert_allclose(scores, by_formula(config)[[3, 0, 1, 2]], rtol=1e-5, atol=1e-7)


def test_a_score_by_hand() -> None:
    """u0 and u1 share two of 2 and 3 items, u0 and u2 one of 2 and 2: cosines 2/√6 and 1/2, squared 2/3 and 1/4."""
    scores = fitted(UserKNNConfig(0, damping=0.0, amplification=2.0)).score(np.array([0]))
    torch.testing.assert_close(scores, torch.tensor([[1 + 2 / 3 + 1 / 4, 1 + 2 / 3, 2 / 3, 1 / 4, 0.0]]))


def test_only_the_nearest_users_count() -> None:
    """Of two neighbours the first is the user, the second u1; what u2 alone chose is unknown."""
    model = fitted(UserKNNConfig(2, damping=0.0, amplification=2.0))
    torch.testing.assert_close(model.score(np.array([0])), torch.tensor([[5 / 3, 5 / 3, 2 / 3, 0.0, 0.0]]))
    assert np.diff(model.similar.indptr).tolist() == [2, 2, 2, 0]


def test_a_new_user_is_served_by_those_who_are_near() -> None:
    """i2 alone is chosen by u1, whose other items follow with the cosine 1/√3; other histories are like none."""
    model = fitted(UserKNNConfig(0, damping=0.0, amplification=1.0))
    history = sparse.csr_array(np.array([[0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], dtype=np.float32))
    near = 1 / 3**0.5
    expected = torch.tensor([[near, near, near, 0.0, 0.0], [0.0] * 5, [0.0] * 5])
    torch.testing.assert_close(model.fold_in(history), expected)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"neighbours": -1}, "neighbours must not be negative"),
        ({"asymmetry": 1.2}, "asymmetry must be between 0 and 1"),
        ({"amplification": 0.0}, "amplification must be above 0"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        UserKNNConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_scores() -> None:
    scores = [fitted(UserKNNConfig(), device).score(np.arange(4)) for device in ("cpu", "cuda")]
    assert scores[1].device.type == "cuda"
    torch.testing.assert_close(scores[1].cpu(), scores[0])
