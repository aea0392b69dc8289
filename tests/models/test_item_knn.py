"""item_knn: each similarity against its formula on dense matrices, and what a row keeps."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.linalg.sparse import normalise_rows, scale, top_k_per_row
from graphrec.models.item_knn import ItemKNN, ItemKNNConfig
from graphrec.testing import ModelContract, graph_of

#: u0: i0 i1; u1: i0 i1 i2; u2: i0 i3; u3 and i4: nothing
PAIRS = Interactions(np.array([0, 0, 1, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 2, 0, 3]), 4, 5)


class TestItemKNNByJaccard(ModelContract):
    name = "item_knn"
    config: ClassVar[dict[str, object]] = {"similarity": "jaccard", "damping": 0.5, "normalise": True}


class TestItemKNNByPearson(ModelContract):
    name = "item_knn"
    config: ClassVar[dict[str, object]] = {"similarity": "pearson", "shrinkage": 0.0}


def fitted(config: ItemKNNConfig, device: str = "cpu") -> ItemKNN:
    model = ItemKNN(config, device)
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    return model


def by_formula(config: ItemKNNConfig) -> npt.NDArray[np.float64]:
    r = PAIRS.matrix().toarray().astype(np.float64)
    weight = np.maximum(r.sum(1), 1) ** -config.damping
    common = r.T @ np.diag(weight) @ r
    size = np.diag(common)
    size = np.diag(common)
    mine, theirs, n = size[:, None], size[None, :], weight.sum()
    a, h = config.asymmetry, config.shrinkage
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(mine * (1 - mine / n) * theirs * (1 - theirs / n))
        found: dict[str, npt.NDArray[np.float64]] = {
            "cosine": common / (mine**a * theirs ** (1 - a) + h),
            "jaccard": common / (mine + theirs - common + h),
            "pearson": (common - mine * theirs / n) / (spread + h),
        }
    similarity = np.maximum(np.where(common > 0, found[config.similarity], 0.0), 0.0)
    np.fill_diagonal(similarity, 0.0)
    return similarity


@pytest.mark.parametrize("similarity", ["cosine", "jaccard", "pearson"])
@pytest.mark.parametrize(("shrinkage", "damping", "asymmetry"), [(0.0, 0.0, 0.5), (2.0, 0.7, 0.3), (0.0, 1.0, 0.6)])
def test_similarities_follow_their_formulas(
    similarity: str, shrinkage: float, damping: float, asymmetry: float
) -> None:
    config = ItemKNNConfig(0, shrinkage, similarity, asymmetry, damping)
    model = fitted(config)
    np.testing.assert_allclose(model.weights.toarray(), by_formula(config), rtol=1e-5, atol=1e-7)
    expected = PAIRS.matrix().toarray() @ by_formula(config)
    np.testing.assert_allclose(model.score(np.arange(4)), expected, rtol=1e-5, atol=1e-7)


def test_pearson_by_hand() -> None:
    """i1 and i2 over four users: covariance 1 − 2·1/4, spread √(2·½·1·¾)."""
    weights = fitted(ItemKNNConfig(0, 0.0, "pearson")).weights.toarray()
    np.testing.assert_allclose(weights[1, 2], 0.5 / 0.75**0.5, rtol=1e-6)


def test_an_item_that_everybody_has_is_like_no_other() -> None:
    everybody = Interactions(np.array([0, 0, 1]), np.array([0, 1, 0]), 2, 2)
    model = ItemKNN(ItemKNNConfig(0, 0.0, "pearson"))
    model.fit(graph_of(everybody), everybody, np.random.default_rng(0))
    assert model.weights.nnz == 0


def test_the_similarities_of_an_item_can_sum_to_one() -> None:
    totals = fitted(ItemKNNConfig(2, 0.0, normalise=True)).weights.sum(axis=1)
    np.testing.assert_allclose(totals, [1, 1, 1, 1, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"similarity": "euclid"}, "similarity is one of cosine, jaccard, pearson, not 'euclid'"),
        ({"neighbours": -1}, "neighbours and shrinkage must not be negative"),
        ({"asymmetry": 1.5}, "asymmetry must be between 0 and 1"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ItemKNNConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


def test_of_equal_entries_the_first_columns_stay() -> None:
    rows = sparse.csr_array(
        (
            np.array([2, 2, 3, 2, 1, 1, 1], dtype=np.float32),
            np.array([4, 0, 3, 2, 0, 2, 1]),  # columns in no order, as a product leaves them
            np.array([0, 4, 7]),
        ),
        shape=(2, 5),
    )
    assert top_k_per_row(rows, 2).toarray().tolist() == [[2, 0, 0, 3, 0], [1, 1, 0, 0, 0]]
    assert top_k_per_row(rows, 4).toarray().tolist() == rows.toarray().tolist()


def test_factors_of_rows_and_columns() -> None:
    matrix = sparse.csr_array(np.array([[1, 2], [0, 0], [0, 4]], dtype=np.float32))
    doubled = scale(matrix, rows=np.array([2.0, 5.0, 0.5]), columns=np.array([1.0, 10.0]))
    assert doubled.toarray().tolist() == [[2, 40], [0, 0], [0, 20]]
    assert normalise_rows(matrix).toarray().tolist() == [[np.float32(1 / 3), np.float32(2 / 3)], [0, 0], [0, 1]]
    assert matrix.toarray().tolist() == [[1, 2], [0, 0], [0, 4]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_scores_come_back_on_the_gpu() -> None:
    scores = fitted(ItemKNNConfig(), "cuda").score(np.arange(4))
    assert scores.device.type == "cuda"
    torch.testing.assert_close(scores.cpu(), fitted(ItemKNNConfig()).score(np.arange(4)))
