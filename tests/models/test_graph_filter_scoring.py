"""Rough and exact scores of graph_filter, for parts of users, and one history against many."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import Interactions
from graphrec.linalg.csr import in_32_bits
from graphrec.linalg.sparse import dense_product
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.ranking.options import TopKOptions
from graphrec.ranking.topk import search_top_k
from graphrec.testing import graph_of

EVERYONE = np.arange(50)


@pytest.fixture
def pairs() -> Interactions:
    """Random interactions of 50 users with 90 items; the last user has none."""
    matrix = np.random.default_rng(5).random((50, 90)) < 0.15
    matrix[-1] = False
    user, item = np.nonzero(matrix)
    return Interactions(user.astype(np.int64), item.astype(np.int64), 50, 90)


@pytest.fixture
def rough(pairs: Interactions, monkeypatch: pytest.MonkeyPatch) -> GraphFilter:
    """A model that screens, 16 users at a time of 24 that are multiplied."""
    monkeypatch.setattr("graphrec.models.graph_filter.model.APPROXIMATE_FROM", 0)
    monkeypatch.setattr("torch.ops.mkldnn._is_mkldnn_bf16_supported", lambda: True)  # slowly, it does everywhere
    monkeypatch.setattr("graphrec.models.graph_filter.scoring.PRODUCT_BATCH", 24)
    monkeypatch.setattr("graphrec.models.graph_filter.scoring.SEARCH_BATCH", 16)
    monkeypatch.setattr("graphrec.models.graph_filter.scoring.GATHER_BATCH", 3)
    model = GraphFilter(GraphFilterConfig(rank=20, rank_share=1.0, neighbours=9))
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    return model


def test_screens_cover_the_users_in_order_and_are_near_the_scores(rough: GraphFilter) -> None:
    scores = rough.score(EVERYONE)
    screens = rough.approximate_scores(EVERYONE, 1000)
    assert screens is not None
    done: list[int] = []
    for screen in screens:
        users = slice(sum(done), sum(done) + len(screen.scores))
        torch.testing.assert_close(screen.scores, scores[users], atol=0.02, rtol=0.02)
        assert (screen.scores - scores[users]).abs().max() > 1e-5  # they are rough
        done.append(len(screen.scores))
    assert done == [16, 8, 16, 8, 2]


def test_exact_scores_of_a_screen_are_those_of_score(rough: GraphFilter) -> None:
    items = torch.from_numpy(np.random.default_rng(0).integers(90, size=(50, 7)))
    scores = rough.score(EVERYONE).gather(1, items)
    screens = rough.approximate_scores(EVERYONE, 10)
    assert screens is not None
    found = []
    for start, screen in zip(range(0, 50, 10), screens, strict=True):
        assert screen.exact is not None
        found.append(screen.exact(items[start : start + 10]))
    torch.testing.assert_close(torch.cat(found), scores, atol=1e-5, rtol=1e-5)


def best(scores: Tensor, seen: sparse.csr_array, k: int) -> list[list[int]]:
    """The positions of the k highest scores of unseen items."""
    masked = scores.masked_fill(torch.from_numpy(seen.toarray() > 0), -torch.inf)
    found: list[list[int]] = masked.topk(k).indices.tolist()
    return found


def test_the_best_by_screens_are_the_best_by_scores(rough: GraphFilter, pairs: Interactions) -> None:
    found = search_top_k(rough, pairs, EVERYONE[:-1], 5, TopKOptions(precision="bfloat16"))
    assert found.item_index.tolist() == best(rough.score(EVERYONE[:-1]), pairs.matrix()[:-1], 5)


def test_one_history_is_answered_as_many_are(rough: GraphFilter, pairs: Interactions) -> None:
    histories = pairs.matrix()
    together = rough.fold_in(histories)
    for user in EVERYONE:
        torch.testing.assert_close(rough.fold_in(histories[[user]]), together[[user]], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together, rough.score(EVERYONE), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mkl", [True, False])
def test_a_product_goes_into_dense_rows_with_and_without_mkl(mkl: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not mkl:
        monkeypatch.setattr("torch.backends.mkl.is_available", lambda: False)
    left = sparse.csr_array(np.array([[1, 2], [0, 0]], dtype=np.float32))
    right = sparse.csr_array(np.array([[0, 1, 0], [3, 0, 0]], dtype=np.float32))
    memory = torch.full((2, 3), torch.nan)
    found = dense_product(left, right, 0.5, memory)
    assert found.tolist() == [[3, 0.5, 0], [0, 0, 0]]
    assert found.data_ptr() == memory.data_ptr()
    assert dense_product(left, right).tolist() == [[6, 1, 0], [0, 0, 0]]


def test_positions_are_32_bits_wide_where_they_can_be() -> None:
    wide = sparse.csr_array((np.ones(1, dtype=np.float32), np.array([1]), np.array([0, 1])), shape=(1, 2))
    assert wide.indices.dtype == np.int64
    narrow = in_32_bits(wide)
    assert narrow.indices.dtype == narrow.indptr.dtype == np.int32
    too_wide = sparse.csr_array((np.ones(1, dtype=np.float32), np.array([1]), np.array([0, 1])), shape=(1, 1 << 31))
    assert in_32_bits(too_wide).indices.dtype == np.int64
