"""Search with norm bounds: the results equal those of a full sort."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from torch import Tensor

from graphrec.interactions import Interactions
from graphrec.models.base import FactoredScores
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.ranking import pruned_topk
from graphrec.ranking.options import TopKOptions
from graphrec.ranking.query import TopKBlock, TopKQuery
from graphrec.ranking.topk import TopK, search_top_k
from graphrec.testing import graph_of
from graphrec.vocabulary import IndexArray
from tests.sizes import num_examples

from .fixed import pairs

#: Limits under which a few users and items are searched with norm bounds, in small batches.
SMALL = {
    "MIN_VECTOR_ELEMENTS": 0,
    "MIN_USERS": 1,
    "PRODUCT_USERS": 4,
    "PRODUCT_ITEMS": 3,
    "MIN_PRODUCT_USERS": 1,
    "CACHED_USERS": 3,
}
FEW = {**SMALL, "CANDIDATE_FACTOR": 1, "MIN_CANDIDATES": 1, "BYTES_PER_THREAD": 0}


class Whole:
    """A model of integers: scores are exact for any order of additions, and often equal."""

    has_signed_scores = False
    device = torch.device("cpu")

    def __init__(self, left: Tensor, vectors: Tensor, signals: sparse.csr_array, paths: sparse.csr_array) -> None:
        self.parts = left, vectors, signals, paths
        self.scored = 0

    def score(self, user_index: IndexArray) -> Tensor:
        left, vectors, signals, paths = self.parts
        self.scored += len(user_index)
        return left[torch.from_numpy(user_index)] @ vectors.T + torch.from_numpy(
            (signals[user_index] @ paths).toarray()
        )

    def approximate_scores(self, user_index: IndexArray, size: int) -> None:  # noqa: ARG002  # a Scorer's
        return None

    def factored_scores(self) -> FactoredScores:
        left, vectors, signals, paths = self.parts
        return FactoredScores(vectors, paths, lambda users: (left[torch.from_numpy(users)], signals[users]))


def whole(seed: int, users: int, items: int, largest: int = 4) -> Whole:
    """Few large item vectors and many small ones, some of them 0, and a few paths."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-largest, largest + 1, size=(items, 3)) * (rng.random((items, 1)) < 0.3)
    left = rng.integers(-3, 4, size=(users, 3)) * rng.integers(0, 4, size=(users, 1))
    signals, paths = (
        sparse.csr_array(rng.integers(1, 4, size=shape) * (rng.random(shape) < share)).astype(np.float32)
        for shape, share in (((users, items), 0.2), ((items, items), 0.1))
    )
    return Whole(torch.from_numpy(left).float(), torch.from_numpy(vectors).float(), signals, paths)


def csr(shape: tuple[int, int], **entries: float) -> sparse.csr_array:
    """A matrix of entries such as `at_0_1=20`."""
    found = np.zeros(shape, dtype=np.float32)
    for name, value in entries.items():
        row, column = name.removeprefix("at_").split("_")
        found[int(row), int(column)] = value
    return sparse.csr_array(found)


def histories(seed: int, users: int, items: int) -> sparse.csr_array:
    """Random histories; some are empty, one has all items."""
    rng = np.random.default_rng(seed + 1)
    seen = rng.random((users, items)) < rng.choice([0.0, 0.2, 0.6], size=(users, 1))
    seen[0] = True
    return sparse.csr_array(seen.astype(np.float32))


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, int]], None]:
    """Sets limits of the search for one test."""

    def change(values: dict[str, int]) -> None:
        for name, value in values.items():
            monkeypatch.setattr(pruned_topk, name, value)

    return change


def both(model: Whole, seen: sparse.csr_array, k: int, options: TopKOptions) -> tuple[TopK, TopK]:
    """The results from all scores, and with norm bounds."""
    users = np.arange(seen.shape[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruned_topk, "MIN_USERS", 1 << 60)
        plain = search_top_k(model, seen, users, k, options)
    assert model.scored == len(users)
    model.scored = 0
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setattr(pruned_topk, name, value)
        found = search_top_k(model, seen, users, k, options)
    assert model.scored == 0
    return plain, found


@settings(max_examples=num_examples(80), deadline=None)
@given(st.integers(0, 1 << 30), st.integers(1, 30), st.integers(2, 90), st.integers(1, 6), st.booleans())
def test_results_equal_a_full_sort(seed: int, users: int, items: int, k: int, shuffled: bool) -> None:
    rng = np.random.default_rng(seed + 2)
    few = rng.permutation(items)[: rng.integers(0, max(items - k, 0) + 1)]  # at least k are left
    order = rng.permutation(items) if shuffled else None
    k = min(k, items - len(few))
    plain, found = both(
        whole(seed, users, items), histories(seed, users, items), k, TopKOptions(excluded=few, order=order)
    )
    np.testing.assert_array_equal(found.item_index, plain.item_index)
    np.testing.assert_array_equal(found.score, plain.score)


def test_an_item_with_a_high_path_score_is_found_behind_the_norm_limit() -> None:
    """Item 9 has a tiny vector, but a path makes it one of the best. The path of item 8 is too weak."""
    vectors = torch.tensor([[9.0 - i] for i in range(8)] + [[1.0], [1.0]])
    paths = csr((10, 10), at_0_1=20, at_0_8=1, at_0_9=26)
    model = Whole(torch.ones(1, 1), vectors, csr((1, 10), at_0_0=1), paths)
    plain, found = both(model, csr((1, 10)), 2, TopKOptions())
    assert found.item_index.tolist() == plain.item_index.tolist() == [[1, 9]]
    assert found.score.tolist() == [[28.0, 27.0]]


def test_rounding_errors_are_no_preferences(limits: Callable[[dict[str, int]], None]) -> None:
    """The seen item 0 has a large score; the scores of the others are rounding errors."""
    limits(FEW)
    vectors = torch.tensor([[1.0, 0.0], [1.0, -1.0], [6e-17, 0.0], [3e-8, 0.0], [0.0, 0.0]])
    model = Whole(torch.tensor([[1.0, 1.0]]), vectors, csr((1, 5)), csr((5, 5)))
    seen = csr((1, 5), at_0_0=1)
    best = search_top_k(model, seen, np.arange(1), 4, TopKOptions())
    assert model.scored == 0
    assert best.score.tolist() == [[0, 0, 0, 0]]
    assert best.item_index.tolist() == [[1, 2, 3, 4]], "by popularity, then by position"


def test_items_below_the_bound_are_not_multiplied(limits: Callable[[dict[str, int]], None]) -> None:
    """For one of two users no norm reaches the threshold, for the other most do."""
    limits(FEW)
    vectors = torch.tensor([[float(i)] for i in range(100)])  # the norm of item i is i
    model = Whole(torch.ones(2, 1), vectors, csr((2, 100), at_0_0=1), csr((100, 100), at_0_98=5, at_0_97=5))
    nothing = csr((2, 100))
    query = TopKQuery.build(model, nothing, 2, TopKOptions())
    catalogue = pruned_topk._SortedItems.build(model.factored_scores(), query)
    assert catalogue.items[:3].tolist() == [99, 98, 97]
    bounds = pruned_topk._Bounds(torch.empty(2), torch.empty(2), torch.empty(2, dtype=torch.long))
    found = TopKBlock(np.arange(2), torch.empty(2, 2, dtype=torch.long), torch.empty(2, 2), torch.empty(2))
    search = pruned_topk._PrunedSearch(catalogue, model.factored_scores(), nothing, np.arange(2), 2, bounds, found)
    limits({"MIN_CANDIDATES": 2})
    search.compute_bounds(torch.arange(2))
    torch.testing.assert_close(bounds.threshold[0], torch.tensor(102.0), rtol=1e-4, atol=0)  # 97 + 5
    assert bounds.num_reaching[0] == 0  # no norm reaches 102
    assert bounds.num_reaching[1] > 50
    search.run(torch.tensor([0]))
    assert search.memory.products.numel() == 0
    assert found.item_index[0].tolist() == [98, 97]


def test_norm_bounds_are_not_used_if_they_do_not_pay(limits: Callable[[dict[str, int]], None]) -> None:
    model = whole(0, 6, 50)
    seen = histories(0, 6, 50)
    query = TopKQuery.build(model, seen, 5, TopKOptions())
    plenty = 1 << 30
    assert pruned_topk.shared_batch_size(model.factored_scores(), 1 << 20, query, plenty) == 0  # few numbers
    limits({"MIN_VECTOR_ELEMENTS": 0})
    assert pruned_topk.shared_batch_size(model.factored_scores(), 1 << 20, query, plenty) == pruned_topk.PRODUCT_USERS
    assert pruned_topk.shared_batch_size(model.factored_scores(), pruned_topk.MIN_USERS - 1, query, plenty) == 0
    assert pruned_topk.shared_batch_size(model.factored_scores(), 1 << 20, query, 1 << 20) == 0  # no room
    fewer_than_k = TopKQuery.build(model, seen, 5, TopKOptions(candidates=np.arange(4)))
    assert pruned_topk.shared_batch_size(model.factored_scores(), 1 << 20, fewer_than_k, plenty) == 0


@pytest.fixture
def fitted() -> tuple[GraphFilter, Interactions]:
    """A small graph_filter; user 0 has only viewed item 5."""
    rng = np.random.default_rng(3)
    user, item = np.nonzero(rng.random((40, 60)) < 0.15)
    found = pairs(*zip(user.tolist(), item.tolist(), strict=True), users=40, items=60)
    model = GraphFilter(GraphFilter.config_class(rank=12, rank_share=1.0, neighbours=9))
    model.fit(graph_of(found), found, np.random.default_rng(0))
    return model, found


def test_factored_scores_of_graph_filter_are_its_scores(fitted: tuple[GraphFilter, Interactions]) -> None:
    model, _ = fitted
    parts = model.factored_scores()
    assert parts is not None
    users = np.array([3, 0, 39])
    left, signals = parts.user_factors(users)
    scores = left @ parts.vectors.T + torch.from_numpy((signals @ parts.paths).toarray())
    torch.testing.assert_close(scores, model.score(users))


def test_graph_filter_with_norm_bounds(
    fitted: tuple[GraphFilter, Interactions], limits: Callable[[dict[str, int]], None]
) -> None:
    """The same items, and the number of threads is restored."""
    model, seen = fitted
    users, threads = np.random.default_rng(1).permutation(40), torch.get_num_threads()
    plain = search_top_k(model, seen, users, 5, TopKOptions())
    limits(SMALL)
    reported: list[tuple[int, int]] = []
    found = search_top_k(model, seen, users, 5, TopKOptions(), lambda done, total: reported.append((done, total)))
    np.testing.assert_array_equal(found.item_index, plain.item_index)
    np.testing.assert_allclose(found.score, plain.score, rtol=1e-5)
    assert reported[-1] == (40, 40)
    assert len(reported) == 10  # four users share a product
    assert torch.get_num_threads() == threads


def test_revisited_scores_have_no_factors(fitted: tuple[GraphFilter, Interactions]) -> None:
    model, _ = fitted
    other = model.variant(GraphFilter.config_class(rank=12, rank_share=1.0, neighbours=9, revisit=0.0))
    assert other is not None
    assert other.factored_scores() is not None  # nothing was viewed and not bought
    other.signal = replace(other.signal, other_pairs=csr((40, 60), at_0_5=1))
    assert other.factored_scores() is None
