"""Exact top-k with norm bounds: items whose Cauchy–Schwarz bound cannot reach the k-th score are never multiplied."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import local
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.sparse import dense_product
from graphrec.linalg.threads import one_thread
from graphrec.models.base import ROUNDING_ERROR, FactoredScores
from graphrec.ranking.query import BYTES_PER_RESULT, TopKBlock, TopKQuery
from graphrec.ranking.row_topk import grouped_topk, ordered_topk
from graphrec.vocabulary import IndexArray

#: Minimum elements of the item vectors, and minimum users, of a pruned search; for fewer the bounds cost more than they
#: save.
MIN_VECTOR_ELEMENTS, MIN_USERS = 1 << 22, 2048

#: Batch size in users and tile size in items of a shared matrix product; MKL is a quarter slower on all items at once.
PRODUCT_USERS, PRODUCT_ITEMS = 256, 512

#: Minimum users per shared matrix product; smaller products cost more than they save.
MIN_PRODUCT_USERS = 32

#: Batch size in users of the search, small enough that their scores stay in the processor's cache.
CACHED_USERS = 64

#: Candidates scored exactly first to obtain the pruning threshold: CANDIDATE_FACTOR · k, at least MIN_CANDIDATES.
CANDIDATE_FACTOR, MIN_CANDIDATES = 2.4, 48

#: Bytes per item besides its vector, per path, and per user; per user and item of a batch (score, bound, search); and
#: per thread, whatever the sizes.
BYTES_PER_ITEM, BYTES_PER_PATH, BYTES_PER_USER, BYTES_PER_SCORE = 48, 4, 40, 16
BYTES_PER_THREAD = 24 << 20

#: Relative safety margin of the threshold, greater than the rounding error of a score and its bound.
SLACK = 1e-5


@dataclass(frozen=True, eq=False)
class _SortedItems:
    """The items by descending vector norm, those that may not be recommended last.

    items [num_items]: their positions; rank [num_items]: the inverse permutation; norm [num_allowed]; vectors
    [num_allowed, dim]; paths [num_items, num_items]: columns in this order; order [num_items]: rank among equal scores;
    max_norm, max_path: the largest norm and the largest absolute path of all items.
    """

    items: Tensor
    rank: IndexArray
    norm: Tensor
    vectors: Tensor
    paths: sparse.csr_array
    order: Tensor
    max_norm: float
    max_path: float

    @classmethod
    def build(cls, factored: FactoredScores, query: TopKQuery) -> Self:
        """The items of a query, sorted by the norms of their vectors."""
        norm = torch.linalg.vector_norm(factored.vectors, dim=1)
        max_norm = float(norm.max()) if len(norm) else 0.0
        norm[query.forbidden] = -1.0
        items = norm.argsort(descending=True, stable=True)
        allowed = items[: len(items) - len(query.forbidden)]
        rank = torch.empty_like(items)
        rank[items] = torch.arange(len(items))
        paths = factored.paths
        columns = rank.numpy().astype(paths.indices.dtype)[paths.indices]
        return cls(
            items,
            rank.numpy(),
            norm[allowed],
            torch.index_select(factored.vectors, 0, allowed, out=_allocate(len(allowed), factored.vectors.shape[1])),
            sparse.csr_array((paths.data, columns, paths.indptr), shape=paths.shape),
            items if query.order is None else query.order[items],
            max_norm,
            float(np.abs(paths.data).max(initial=0.0)),
        )

    def score_paths(self, signals: sparse.csr_array, history: sparse.csr_array, memory: Tensor) -> Tensor:
        """Scores by paths alone [batch, num_items], with -inf for the history and for forbidden items."""
        scores = dense_product(signals, self.paths, out=memory[: signals.shape[0]])
        rows = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
        scores[torch.from_numpy(rows), torch.from_numpy(self.rank[history.indices])] = -torch.inf
        scores[:, len(self.norm) :] = -torch.inf
        return scores


@dataclass(frozen=True, eq=False)
class _Bounds:
    """Bounds of each user [n]: the length of its vector, the threshold (a score that k items reach), and the number of
    items, by norm, that can reach the threshold without paths."""

    length: Tensor
    threshold: Tensor
    num_reaching: Tensor

    def select(self, users: Tensor | slice) -> Self:
        """The bounds of some users."""
        return type(self)(self.length[users], self.threshold[users], self.num_reaching[users])


def shared_batch_size(factored: FactoredScores, num_users: int, query: TopKQuery, memory: int) -> int:
    """The number of users per thread that can share a matrix product in `memory` bytes; 0 if pruning does not pay."""
    num_items, dim = factored.vectors.shape
    if factored.vectors.numel() < MIN_VECTOR_ELEMENTS or num_users < MIN_USERS:
        return 0
    if num_items - len(query.forbidden) < query.width:
        return 0
    workers, candidates = torch.get_num_threads(), max(int(CANDIDATE_FACTOR * query.width), MIN_CANDIDATES)
    shared_bytes = num_items * (4 * dim + BYTES_PER_ITEM) + factored.paths.nnz * BYTES_PER_PATH
    shared_bytes += num_users * (BYTES_PER_USER + query.width * BYTES_PER_RESULT)
    thread_bytes = CACHED_USERS * (BYTES_PER_SCORE * num_items + 4 * dim * candidates) + BYTES_PER_THREAD
    size = (memory - shared_bytes - workers * thread_bytes) // (4 * num_items * workers)
    return min(size, PRODUCT_USERS) if size >= MIN_PRODUCT_USERS else 0


def pruned_top_k(
    factored: FactoredScores, matrix: sparse.csr_array, user_index: IndexArray, query: TopKQuery, size: int
) -> Iterator[TopKBlock]:
    """The k best unseen items of users, equal to those from all scores; `size` users share a matrix product.

    The score of an item that no path leads to is at most the product of two norms (Cauchy–Schwarz). So a user's items
    are multiplied by descending norm only as far as this bound reaches the k-th best score of those that paths lead to
    (the bound of LEMP, Teflioudi et al., SIGMOD 2015); users with similar limits share a matrix product. An item
    further behind is multiplied alone if its path score and norm together can reach the threshold.

    Each thread searches a separate group of users, which needs four fifths of the time of sharing one product among all
    threads.
    """
    num_users, k = len(user_index), query.width
    bounds = _Bounds(torch.empty(num_users), torch.empty(num_users), torch.empty(num_users, dtype=torch.long))
    item_index = torch.empty(num_users, k, dtype=torch.long)
    results = TopKBlock(np.arange(num_users), item_index, torch.empty(num_users, k), torch.empty(num_users))
    search = _PrunedSearch(_SortedItems.build(factored, query), factored, matrix, user_index, k, bounds, results)
    workers = torch.get_num_threads()
    with one_thread(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for _ in pool.map(search.compute_bounds, torch.split(torch.arange(num_users), CACHED_USERS)):
            pass
        groups = torch.split(bounds.num_reaching.argsort(stable=True), size)
        for group, _ in zip(groups, pool.map(search.run, groups), strict=True):
            yield TopKBlock(group.numpy(), results.item_index[group], results.score[group], results.largest[group])


@dataclass(frozen=True, eq=False)
class _PrunedSearch:
    """The inputs of a pruned search, its results, and reused memory for each thread.

    Memory is reused because allocating it costs as much as filling it, and because small results between larger arrays
    would keep the C library from returning the memory of those to the system.
    """

    catalogue: _SortedItems
    factored: FactoredScores
    matrix: sparse.csr_array
    user_index: IndexArray
    k: int
    bounds: _Bounds
    results: TopKBlock
    memory: local = field(default_factory=local)

    def compute_bounds(self, rows: Tensor) -> None:
        """Compute the bounds of some users, given as rows of `user_index`, from exact scores of the best by paths."""
        users, catalogue = self.user_index[rows.numpy()], self.catalogue
        user_vectors, signals = self.factored.user_factors(users)
        num_candidates = min(max(int(CANDIDATE_FACTOR * self.k), MIN_CANDIDATES), len(catalogue.norm))
        scores = catalogue.score_paths(signals, self.matrix[users], self._scores())
        value, at = grouped_topk(scores, num_candidates)
        at = at.clamp(max=len(catalogue.norm) - 1)  # forbidden items have the score -inf, but no vector
        exact = value + torch.einsum("bk,bmk->bm", user_vectors, self._vectors(at.view(-1)).view(*at.shape, -1))
        threshold = exact.topk(min(self.k, num_candidates)).values[:, -1] * (1 - SLACK)
        length = torch.linalg.vector_norm(user_vectors, dim=1)
        # a score of 0 is no preference, so it may not prune any item
        least_norm = torch.where(threshold > 0, threshold / length, -torch.inf)
        self.bounds.length[rows], self.bounds.threshold[rows] = length, threshold
        self.bounds.num_reaching[rows] = torch.searchsorted(-catalogue.norm, -least_norm, right=True)

    def run(self, rows: Tensor) -> None:
        """Find the best items of some users, given as rows of `user_index`, whose limits are similar."""
        users, catalogue, bounds = self.user_index[rows.numpy()], self.catalogue, self.bounds.select(rows)
        user_vectors, signals = self.factored.user_factors(users)
        history = self.matrix[users]
        product = self._product(user_vectors, int(bounds.num_reaching.max()))
        for start in range(0, len(rows), CACHED_USERS):
            some = slice(start, start + CACHED_USERS)
            scores = catalogue.score_paths(signals[some], history[some], self._scores())
            scores[:, : product.shape[1]].add_(product[some])
            self._add_late_products(scores, product.shape[1], user_vectors[some], bounds.select(some))
            chosen = ordered_topk(scores, self.k, catalogue.order)
            values = scores.gather(1, chosen)
            self.results.item_index[rows[some]] = catalogue.items[chosen]
            self.results.score[rows[some]] = values
            length = bounds.length[some]
            self.results.largest[rows[some]] = self._largest_score(values, user_vectors[some], signals[some], length)

    def _largest_score(self, values: Tensor, user_vectors: Tensor, signals: sparse.csr_array, length: Tensor) -> Tensor:
        """The largest absolute score [batch] of each user, by which rounding errors are recognised.

        The maximum of `values` [batch, k] is used, unless norms and paths allow an item a score so large that one of
        the values may be a rounding error. For these few users the scores of all items are computed.
        """
        catalogue = self.catalogue
        largest = values.masked_fill(~values.isfinite(), 0.0).amax(dim=1).clamp_(min=0.0)
        least = values.masked_fill(values <= 0, torch.inf).amin(dim=1)
        by_paths = torch.from_numpy(abs(signals).sum(axis=1).astype(np.float32)) * catalogue.max_path
        rows = ((least <= ROUNDING_ERROR * (length * catalogue.max_norm + by_paths)) & least.isfinite()).nonzero()
        for row in rows.squeeze(1).tolist():
            scores = dense_product(signals[[row]], self.factored.paths)[0].add_(
                self.factored.vectors @ user_vectors[row]
            )
            largest[row] = scores.abs().max()
        return largest

    def _product(self, user_vectors: Tensor, limit: int) -> Tensor:
        """The inner products [batch, limit] of user vectors [batch, dim] with the first `limit` items."""
        products = self._array("products", len(user_vectors) * limit).view(len(user_vectors), limit)
        for start in range(0, limit, PRODUCT_ITEMS):
            tile = slice(start, min(start + PRODUCT_ITEMS, limit))
            torch.mm(user_vectors, self.catalogue.vectors[tile].T, out=products[:, tile])
        return products

    def _add_late_products(self, scores: Tensor, limit: int, user_vectors: Tensor, bounds: _Bounds) -> None:
        """Add to `scores` [batch, num_items] the inner products of items behind `limit` that can reach the threshold.

        The other items behind `limit` keep their path scores, which are below it.
        """
        catalogue = self.catalogue
        by_paths = scores[:, limit : len(catalogue.norm)]
        upper = self._array("upper", by_paths.numel()).view(by_paths.shape)  # bounds of the scores
        torch.addr(by_paths, bounds.length, catalogue.norm[limit:], out=upper)
        reaching = np.flatnonzero(upper.ge(bounds.threshold[:, None]).numpy())  # four times as fast as torch's nonzero
        row, column = (torch.from_numpy(index) for index in np.divmod(reaching, max(by_paths.shape[1], 1)))
        for start in range(0, len(row), PRODUCT_ITEMS):
            at = row[start : start + PRODUCT_ITEMS], column[start : start + PRODUCT_ITEMS]
            by_paths[at] += self._vectors(limit + at[1]).mul_(user_vectors.index_select(0, at[0])).sum(dim=1)

    def _scores(self) -> Tensor:
        num_items = len(self.catalogue.items)
        return self._array("scores", CACHED_USERS * num_items).view(CACHED_USERS, num_items)

    def _vectors(self, ranks: Tensor) -> Tensor:
        """The vectors [n, dim] of items by rank [n]; `index_select` is five times as fast as indexing."""
        dim = self.catalogue.vectors.shape[1]
        memory = self._array("vectors", len(ranks) * dim).view(len(ranks), dim)
        return torch.index_select(self.catalogue.vectors, 0, ranks, out=memory)

    def _array(self, name: str, size: int) -> Tensor:
        """Memory of this thread for `size` float32 numbers, reused from call to call."""
        array: Tensor | None = getattr(self.memory, name, None)
        if array is None or len(array) < size:
            array = _allocate(size)
            setattr(self.memory, name, array)
        return array[:size]


def _allocate(*shape: int) -> Tensor:
    """Uninitialised float32 memory in pages of 2 MiB, which numpy requests from Linux and torch does not."""
    return torch.from_numpy(np.empty(shape, dtype=np.float32))
