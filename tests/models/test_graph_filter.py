"""graph_filter against its formula on dense matrices."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse

from graphrec.interactions import Interactions
from graphrec.linalg.sparse import top_k_per_row, topk_gram
from graphrec.linalg.svd import spectrum
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.ranking.topk import top_k
from graphrec.testing import checkerboard, graph_of

NUM_USERS, NUM_ITEMS = 40, 30


@pytest.fixture(scope="module")
def pairs() -> Interactions:
    """A random set of interactions in which the last user and the last item have none."""
    rng = np.random.default_rng(3)
    matrix = rng.random((NUM_USERS, NUM_ITEMS)) < rng.random(NUM_ITEMS) * 0.4
    matrix[-1], matrix[:, -1] = False, False
    user, item = np.nonzero(matrix)
    return Interactions(user.astype(np.int64), item.astype(np.int64), NUM_USERS, NUM_ITEMS)


def fitted(pairs: Interactions, config: GraphFilterConfig) -> GraphFilter:
    model = GraphFilter(config)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    return model


def by_formula(pairs: Interactions, config: GraphFilterConfig) -> npt.NDArray[np.float64]:
    """r D^{-p} [ w NᵀN/σ₁² + V g(λ) Vᵀ ] D^{q}, written as the formula stands."""
    r = pairs.matrix().toarray().astype(np.float64)
    users, items = (np.maximum(r.sum(axis), 1) for axis in (1, 0))
    items += config.degree_offset
    n = np.diag(users**-config.user_exponent) @ r @ np.diag(items**-config.item_exponent)
    _, sigma, vt = np.linalg.svd(n, full_matrices=False)
    eigenvalues = (sigma / sigma[0]) ** 2
    k = min(config.rank, int((sigma > 1e-6).sum()))
    response = np.maximum(config.plateau - eigenvalues[:k], 0)
    kernel = config.path_weight * n.T @ n / sigma[0] ** 2 + vt[:k].T @ np.diag(response) @ vt[:k]
    scores: npt.NDArray[np.float64] = (
        r @ np.diag(items**-config.source_exponent) @ kernel @ np.diag(items**config.target_exponent)
    )
    return scores


CONFIGS = [
    GraphFilterConfig(rank=8, rank_share=1.0, neighbours=0),
    GraphFilterConfig(0.2, 0.3, 0.6, 0.1, 0.0, rank=5, rank_share=1.0, plateau=0.4, path_weight=0.7, neighbours=0),
    GraphFilterConfig(0.5, 0.5, 0.2, -0.1, rank=0, neighbours=0),
    GraphFilterConfig(rank=1000, rank_share=1.0, path_weight=0.0, neighbours=0),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_scores_follow_the_formula(pairs: Interactions, config: GraphFilterConfig) -> None:
    scores = fitted(pairs, config).score(np.arange(NUM_USERS))
    np.testing.assert_allclose(scores.numpy(), by_formula(pairs, config), atol=2e-5)


def test_vectors_and_paths_add_up_to_the_score(pairs: Interactions) -> None:
    config = GraphFilterConfig(rank=8, rank_share=1.0, path_weight=0.0)
    model = fitted(pairs, config)
    vectors = model.embeddings()
    torch.testing.assert_close(vectors.users @ vectors.items.T, model.score(np.arange(NUM_USERS)), atol=1e-5, rtol=1e-4)


def test_contributions_add_up_to_the_score(pairs: Interactions) -> None:
    model = fitted(pairs, GraphFilterConfig(0.35, 0.5, 0.4, 0.2, rank=8, rank_share=1.0, neighbours=5))
    for user in (0, 7, 21):
        for item in (0, 11, 28):
            found = model.explain_score(user, item)
            history, amounts = found.by_node()
            assert set(history.tolist()) <= set(pairs.item_index[pairs.user_index == user].tolist())
            score = float(model.score(np.array([user]))[0, item])
            assert amounts.sum() == pytest.approx(score, abs=1e-5)
            assert found.amount.sum() == pytest.approx(score, abs=1e-5)


def test_a_user_without_history_has_no_contributions(pairs: Interactions) -> None:
    assert len(fitted(pairs, CONFIGS[0]).explain_score(NUM_USERS - 1, 0)) == 0


def test_a_new_user_with_a_known_history_gets_the_same_scores(pairs: Interactions) -> None:
    model = fitted(pairs, GraphFilterConfig(rank=8, rank_share=1.0))
    history = np.zeros((1, NUM_ITEMS), dtype=np.float32)
    history[0, pairs.item_index[pairs.user_index == 5]] = 1
    torch.testing.assert_close(model.fold_in(sparse.csr_array(history))[0], model.score(np.array([5]))[0])


@pytest.mark.parametrize("target", GraphFilter.candidates(checkerboard()[0]))
def test_a_variant_is_what_a_fit_would_give(pairs: Interactions, target: GraphFilterConfig) -> None:
    alike = GraphFilterConfig(target.user_exponent, target.item_exponent, degree_offset=target.degree_offset)
    base = fitted(pairs, GraphFilter.config_to_share(alike))
    variant = base.variant(target)
    assert variant is not None
    everyone = np.arange(NUM_USERS)
    torch.testing.assert_close(variant.score(everyone), fitted(pairs, target).score(everyone), atol=1e-5, rtol=1e-4)


def test_another_decomposition_is_no_variant(pairs: Interactions) -> None:
    model = fitted(pairs, GraphFilterConfig(rank=4))
    assert model.variant(GraphFilterConfig(user_exponent=0.5, rank=4)) is None
    assert model.variant(GraphFilterConfig(degree_offset=3.0, rank=4)) is None
    assert model.variant(GraphFilterConfig(rank=8)) is None


def test_rough_scores_find_the_same_items_as_exact_ones(pairs: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = fitted(pairs, GraphFilterConfig(rank=8, rank_share=1.0))
    monkeypatch.setattr("graphrec.models.graph_filter.model.APPROXIMATE_FROM", 0)
    rough = GraphFilter(exact.config)
    rough.restore(exact.state())
    if rough.approximate_scores(np.arange(2), 2) is None:
        pytest.skip("this processor does not multiply bfloat16 fast, so there are no rough scores")
    everyone = np.arange(NUM_USERS)
    for k in (1, 5):
        mine, theirs = (top_k(model, pairs, everyone, k) for model in (rough, exact))
        np.testing.assert_array_equal(mine.item_index, theirs.item_index)
        np.testing.assert_allclose(mine.score, theirs.score, atol=1e-5)


def test_the_randomised_spectrum_equals_the_dense_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    low = rng.normal(size=(300, 12)) * np.geomspace(9, 1, 12) @ rng.normal(size=(12, 200))
    matrix = sparse.csr_array((low * (rng.random(low.shape) < 0.5)).astype(np.float32))
    expected_vectors, expected = spectrum(matrix, 6, rng)
    monkeypatch.setattr("graphrec.linalg.svd.DENSE", 0)
    vectors, values = spectrum(matrix, 6, rng)
    torch.testing.assert_close(values, expected, rtol=1e-3, atol=0)
    torch.testing.assert_close((vectors.T @ expected_vectors).abs(), torch.eye(6), atol=2e-2, rtol=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_spectrum_is_the_same_in_strips_and_threads(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    low = np.random.default_rng(1).normal(size=(200, 4)) @ np.random.default_rng(2).normal(size=(4, 150))
    matrix = sparse.csr_array(low.astype(np.float32))
    expected_vectors, expected = spectrum(matrix, 3, np.random.default_rng(0))
    monkeypatch.setattr("graphrec.linalg.svd.DENSE", 0)
    monkeypatch.setattr("graphrec.linalg.svd.STRIP", 10)  # 35 columns in four strips
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        (vectors, values), again = (spectrum(matrix, 3, np.random.default_rng(0)) for _ in range(2))
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=0)
    torch.testing.assert_close((vectors.T @ expected_vectors).abs(), torch.eye(3), atol=1e-3, rtol=0)
    assert torch.equal(vectors, again[0])


def test_a_matrix_of_lower_rank_has_fewer_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    block = np.zeros((60, 50), dtype=np.float32)
    block[:30, :25], block[30:, 25:] = 1, 2
    for dense in (1000, 0):
        monkeypatch.setattr("graphrec.linalg.svd.DENSE", dense)
        vectors, values = spectrum(sparse.csr_array(block), 7, np.random.default_rng(0))
        np.testing.assert_allclose(values, [4 * 30 * 25, 30 * 25], rtol=1e-4)
        torch.testing.assert_close(vectors.T @ vectors, torch.eye(2), atol=1e-4, rtol=0)


def test_each_row_keeps_its_strongest_entries() -> None:
    matrix = sparse.csr_array(np.array([[3, 1, 2, 0], [0, 0, 5, 0], [1, 4, 2, 3]], dtype=np.float32))
    expected = [[3, 0, 2, 0], [0, 0, 5, 0], [0, 4, 0, 3]]
    np.testing.assert_array_equal(top_k_per_row(matrix.copy(), 2).toarray(), expected)
    np.testing.assert_array_equal(top_k_per_row(matrix.copy(), 0).toarray(), matrix.toarray())


def test_the_item_product_is_the_same_in_any_number_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    left, right = (sparse.csr_array((rng.random((9, 7)) < 0.5).astype(np.float32)) for _ in range(2))
    monkeypatch.setattr("graphrec.linalg.sparse.BLOCK", 2)
    np.testing.assert_array_equal(topk_gram(left, right, 0).toarray(), left.toarray().T @ right.toarray())
