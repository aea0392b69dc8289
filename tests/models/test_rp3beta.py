"""rp3beta against its formula on dense matrices."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models.rp3beta import RP3Beta, RP3BetaConfig
from graphrec.testing import ModelContract, graph_of

#: u0: i0 i1; u1: i0 i1 i2; u2: i0 i3; u3 and i4: nothing
PAIRS = Interactions(np.array([0, 0, 1, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 2, 0, 3]), 4, 5)


class TestRP3Beta(ModelContract):
    name = "rp3beta"


class TestRP3BetaNormalised(ModelContract):
    name = "rp3beta"
    config: ClassVar[dict[str, object]] = {"normalise": True, "neighbours": 9, "beta": 0.0}


def fitted(config: RP3BetaConfig, device: str = "cpu") -> RP3Beta:
    model = RP3Beta(config, device)
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    return model


def walks(alpha: float, beta: float) -> npt.NDArray[np.float64]:
    """W of the paper on dense matrices, without the walks that return."""
    r = PAIRS.matrix().toarray().astype(np.float64)
    users, items = np.maximum(r.sum(1), 1), np.maximum(r.sum(0), 1)
    to_user, to_item = np.diag(1 / items) @ r.T, np.diag(1 / users) @ r
    w: npt.NDArray[np.float64] = to_user**alpha * (r.T > 0) @ (to_item**alpha * (r > 0)) @ np.diag(items**-beta)
    np.fill_diagonal(w, 0.0)
    return w


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.6, 0.4), (1.3, -0.2)])
def test_weights_are_the_probabilities_of_walks(alpha: float, beta: float) -> None:
    model = fitted(RP3BetaConfig(alpha, beta, neighbours=0))
    np.testing.assert_allclose(model.weights.toarray(), walks(alpha, beta), rtol=1e-6)
    expected = PAIRS.matrix().toarray() @ walks(alpha, beta)
    np.testing.assert_allclose(model.score(np.arange(4)), expected, rtol=1e-6)


def test_a_walk_by_hand() -> None:
    """From i1 to u0 or u1, ½ each; from u0 to i0 ½, from u1 to i0 or i2 ⅓; i0 has three users."""
    row = fitted(RP3BetaConfig(1.0, 1.0, neighbours=0)).weights.toarray()[1]
    np.testing.assert_allclose(row, [(1 / 4 + 1 / 6) / 3, 0, 1 / 6, 0, 0], rtol=1e-6)


def test_rows_keep_the_most_probable_items_and_sum_to_one() -> None:
    weights = fitted(RP3BetaConfig(1.0, 0.0, neighbours=2, normalise=True)).weights.toarray()
    full = walks(1.0, 0.0)
    np.testing.assert_allclose(weights.sum(1), [1, 1, 1, 1, 0], rtol=1e-6)
    assert (weights > 0).sum(1).tolist() == [2, 2, 2, 1, 0]
    kept = np.array([full[0, 1], full[0, 3]])  # i0 leads to i1 by 5/18, to i3 by 1/6 and to i2 by 1/9
    np.testing.assert_allclose(weights[0, [1, 3]], kept / kept.sum(), rtol=1e-6)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(DataError, match="rp3beta: neighbours must not be negative"):
        RP3BetaConfig(neighbours=-1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_scores_come_back_on_the_gpu() -> None:
    scores = fitted(RP3BetaConfig(), "cuda").score(np.arange(4))
    assert scores.device.type == "cuda"
    torch.testing.assert_close(scores.cpu(), fitted(RP3BetaConfig()).score(np.arange(4)))
