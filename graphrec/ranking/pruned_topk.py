"""The k best items of each user without most of the work, where norms show that the other items have no chance."""

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
from graphrec.ranking.query import BYTES_PER_PLACE, Block, TopKQuery
from graphrec.ranking.row_topk import best, top
from graphrec.vocabulary import IndexArray

#: From this many numbers in the item vectors and from this many users on, what is left out is more than what it takes
#: to find that out.
LEAST_NUMBERS, LEAST_USERS = 1 << 22, 2048

#: So many users share a product, which is made with so many items at a time: MKL takes a quarter more time for all.
USERS, TILE = 256, 512

#: Of fewer users a product takes longer than it saves.
LEAST_SHARED = 32

#: Users whose scores are made and searched at one time, so that they stay in the cache.
CACHED = 64

#: The best by paths whose exact scores say how good an item must be: so many times k, and at least so many.
WITNESSES, LEAST_WITNESSES = 2.4, 48

#: Bytes of an item beside its vector, of a path, and of a user who waits; of a user and an item whose score is looked
#: at: the score, its bound, and the search; and of each thread, whatever the sizes.
BYTES_PER_ITEM, BYTES_PER_PATH, BYTES_PER_USER, BYTES_PER_SCORE = 48, 4, 40, 16
BYTES_PER_THREAD = 24 << 20

#: Rounding moves a score and its bound by less than this share.
SLACK = 1e-5


@dataclass(frozen=True, eq=False)
class _Catalogue:
    """The items by descending norm, those that may not be recommended last.

    items [num_items]: their positions; place [num_items]: where each stands; norm [num_allowed]; vectors [num_allowed,
    k]; paths [num_items, num_items]: columns in this order; ties [num_items]: their order among equals.
    """

    items: Tensor
    place: IndexArray
    norm: Tensor
    vectors: Tensor
    paths: sparse.csr_array
    ties: Tensor

    @classmethod
    def of(cls, factored: FactoredScores, search: TopKQuery) -> Self:
        """The items of a search by the vectors that their scores are made of."""
        norm = torch.linalg.vector_norm(factored.vectors, dim=1)
        norm[search.forbidden] = -1.0
        items = norm.argsort(descending=True, stable=True)
        allowed = items[: len(items) - len(search.forbidden)]
        place = torch.empty_like(items)
        place[items] = torch.arange(len(items))
        paths = factored.paths
        columns = place.numpy().astype(paths.indices.dtype)[paths.indices]
        return cls(
            items,
            place.numpy(),
            norm[allowed],
            torch.index_select(factored.vectors, 0, allowed, out=_memory(len(allowed), factored.vectors.shape[1])),
            sparse.csr_array((paths.data, columns, paths.indptr), shape=paths.shape),
            items if search.order is None else search.order[items],
        )

    def walked(self, signals: sparse.csr_array, history: sparse.csr_array, memory: Tensor) -> Tensor:
        """What paths give [batch, num_items] to all but the history and what is forbidden, which have -inf."""
        scores = dense_product(signals, self.paths, out=memory[: signals.shape[0]])
        rows = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
        scores[torch.from_numpy(rows), torch.from_numpy(self.place[history.indices])] = -torch.inf
        scores[:, len(self.norm) :] = -torch.inf
        return scores


@dataclass(frozen=True, eq=False)
class _Bounds:
    """What is known of each user [n] before the products are made: how long its vector is, a score that k items reach,
    and how many of the items by norm can reach it without paths."""

    length: Tensor
    reached: Tensor
    limit: Tensor

    def of(self, users: Tensor | slice) -> Self:
        """Those of some users."""
        return type(self)(self.length[users], self.reached[users], self.limit[users])


def shared_batch_size(factored: FactoredScores, num_users: int, search: TopKQuery, memory: int) -> int:
    """How many users of each thread may share a product in so many bytes; 0 where bounds are not worth it."""
    num_items, width = factored.vectors.shape
    if factored.vectors.numel() < LEAST_NUMBERS or num_users < LEAST_USERS:
        return 0
    if num_items - len(search.forbidden) < search.width:
        return 0
    workers, witnesses = torch.get_num_threads(), max(int(WITNESSES * search.width), LEAST_WITNESSES)
    of_all = num_items * (4 * width + BYTES_PER_ITEM) + factored.paths.nnz * BYTES_PER_PATH
    of_all += num_users * (BYTES_PER_USER + search.width * BYTES_PER_PLACE)
    of_each = CACHED * (BYTES_PER_SCORE * num_items + 4 * width * witnesses) + BYTES_PER_THREAD
    size = (memory - of_all - workers * of_each) // (4 * num_items * workers)
    return min(size, USERS) if size >= LEAST_SHARED else 0


def bounded(
    factored: FactoredScores, matrix: sparse.csr_array, user_index: IndexArray, search: TopKQuery, size: int
) -> Iterator[Block]:
    """The best unseen items of users, exactly as from all scores; `size` users share a product.

    An item that no path leads to has a score of at most the product of two norms (Cauchy and Schwarz). So items are
    looked at by descending norm, each user's as far as it can reach the k-th best of those that paths lead to (the
    bound of LEMP, Teflioudi et al., SIGMOD 2015); users who go equally far share a matrix product. What paths lead to
    further behind is scored alone, where path and norm together can reach that.

    Each thread has users of its own, which takes four fifths of the time that all threads at one product take.
    """
    num_users, width = len(user_index), search.width
    bounds = _Bounds(torch.empty(num_users), torch.empty(num_users), torch.empty(num_users, dtype=torch.long))
    place = torch.empty(num_users, width, dtype=torch.long)
    found = Block(np.arange(num_users), place, torch.empty(num_users, width), torch.empty(num_users))
    work = _Work(_Catalogue.of(factored, search), factored, matrix, user_index, width, bounds, found)
    workers = torch.get_num_threads()
    with one_thread(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for _ in pool.map(work.bound, torch.split(torch.arange(num_users), CACHED)):
            pass
        groups = torch.split(bounds.limit.argsort(stable=True), size)
        for group, _ in zip(groups, pool.map(work.search, groups), strict=True):
            yield Block(group.numpy(), found.item_index[group], found.score[group], found.largest[group])


@dataclass(frozen=True, eq=False)
class _Work:
    """What is the same for all users, what is found of each, and memory for each thread.

    To take memory takes as long as to fill it; and a result that is kept in memory of its own would stand between
    larger pieces that come and go, so that the C library never gives those back.
    """

    catalogue: _Catalogue
    factored: FactoredScores
    matrix: sparse.csr_array
    user_index: IndexArray
    k: int
    bounds: _Bounds
    found: Block
    memory: local = field(default_factory=local)

    def bound(self, place: Tensor) -> None:
        """Find the bounds of users, by their places among those asked for, from exact scores of the best by paths."""
        users, catalogue = self.user_index[place.numpy()], self.catalogue
        left, signals = self.factored.sides(users)
        witnesses = min(max(int(WITNESSES * self.k), LEAST_WITNESSES), len(catalogue.norm))
        value, at = top(catalogue.walked(signals, self.matrix[users], self._scores()), witnesses)
        at = at.clamp(max=len(catalogue.norm) - 1)  # what is forbidden has -inf already, but no vector
        exact = value + torch.einsum("bk,bmk->bm", left, self._vectors(at.view(-1)).view(*at.shape, -1))
        reached = exact.topk(min(self.k, witnesses)).values[:, -1] * (1 - SLACK)
        length = torch.linalg.vector_norm(left, dim=1)
        # a score of 0 says that nothing is known of an item, so no item may be left out for it
        least = torch.where(reached > 0, reached / length, -torch.inf)
        self.bounds.length[place], self.bounds.reached[place] = length, reached
        self.bounds.limit[place] = torch.searchsorted(-catalogue.norm, -least, right=True)

    def search(self, group: Tensor) -> None:
        """Find the best of some users, by their places, whose limits are near one another."""
        users, catalogue, bounds = self.user_index[group.numpy()], self.catalogue, self.bounds.of(group)
        left, signals = self.factored.sides(users)
        history = self.matrix[users]
        product = self._product(left, int(bounds.limit.max()))
        for start in range(0, len(group), CACHED):
            some = slice(start, start + CACHED)
            scores = catalogue.walked(signals[some], history[some], self._scores())
            scores[:, : product.shape[1]].add_(product[some])
            self._late(scores, product.shape[1], left[some], bounds.of(some))
            chosen = best(scores, self.k, catalogue.ties)
            values = scores.gather(1, chosen)
            self.found.item_index[group[some]] = catalogue.items[chosen]
            self.found.score[group[some]] = values
            self.found.largest[group[some]] = self._largest(values, left[some], signals[some], bounds.of(some))

    def _largest(self, values: Tensor, left: Tensor, signals: sparse.csr_array, bounds: _Bounds) -> Tensor:
        """The largest absolute score [batch]: the best in `values` [batch, k], but for users with a score that may be a
        rounding error, because norms allow one so much larger. Of these few, all scores are made."""
        catalogue = self.catalogue
        largest = values.masked_fill(~values.isfinite(), 0.0).amax(dim=1).clamp_(min=0.0)
        least = values.masked_fill(values <= 0, torch.inf).amin(dim=1)
        most = bounds.length * catalogue.norm[:1] + largest
        rows = ((least <= ROUNDING_ERROR * most) & least.isfinite()).nonzero().squeeze(1)
        for row in rows.tolist():
            scores = dense_product(signals[[row]], catalogue.paths)[0, : len(catalogue.norm)]
            largest[row] = scores.add_(catalogue.vectors @ left[row]).abs().max()
        return largest

    def _product(self, left: Tensor, limit: int) -> Tensor:
        """The inner products [batch, limit] of users [batch, k] with the first items."""
        found = self._array("products", len(left) * limit).view(len(left), limit)
        for start in range(0, limit, TILE):
            tile = slice(start, min(start + TILE, limit))
            torch.mm(left, self.catalogue.vectors[tile].T, out=found[:, tile])
        return found

    def _late(self, scores: Tensor, limit: int, left: Tensor, bounds: _Bounds) -> None:
        """Make exact in `scores` [batch, num_items] those of items behind the limit that can reach a user's bound; the
        others have what paths give, which does not reach it."""
        catalogue = self.catalogue
        walked = scores[:, limit : len(catalogue.norm)]
        most = self._array("most", walked.numel()).view(walked.shape)
        torch.addr(walked, bounds.length, catalogue.norm[limit:], out=most)
        found = np.flatnonzero(most.ge(bounds.reached[:, None]).numpy())  # in a quarter of the time of torch
        row, column = (torch.from_numpy(index) for index in np.divmod(found, max(walked.shape[1], 1)))
        for start in range(0, len(row), TILE):
            at = row[start : start + TILE], column[start : start + TILE]
            walked[at] += self._vectors(limit + at[1]).mul_(left.index_select(0, at[0])).sum(dim=1)

    def _scores(self) -> Tensor:
        num_items = len(self.catalogue.items)
        return self._array("scores", CACHED * num_items).view(CACHED, num_items)

    def _vectors(self, place: Tensor) -> Tensor:
        """The vectors [n, k] of items at places [n], in a fifth of the time that torch takes to index."""
        width = self.catalogue.vectors.shape[1]
        memory = self._array("vectors", len(place) * width).view(len(place), width)
        return torch.index_select(self.catalogue.vectors, 0, place, out=memory)

    def _array(self, name: str, size: int) -> Tensor:
        """Memory of this thread for so many numbers, used again."""
        found: Tensor | None = getattr(self.memory, name, None)
        if found is None or len(found) < size:
            found = _memory(size)
            setattr(self.memory, name, found)
        return found[:size]


def _memory(*shape: int) -> Tensor:
    """Room for float32 numbers in pages of 2 MiB, which numpy asks Linux for and torch does not."""
    return torch.from_numpy(np.empty(shape, dtype=np.float32))
