"""The k best unseen items of each user, in chunks of users that fit a memory budget."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from graphrec.arguments import count
from graphrec.interactions import FloatArray, Interactions
from graphrec.models.base import ROUNDING_ERROR, ApproximateScores, Progress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.options import TopKOptions, rank_by_id
from graphrec.ranking.pruned_topk import bounded, shared_batch_size
from graphrec.ranking.query import BYTES_PER_PLACE, Block, TopKQuery
from graphrec.ranking.row_topk import best, top
from graphrec.ranking.scorer import Scorer
from graphrec.runs import TrainedRun
from graphrec.vocabulary import IndexArray

__all__ = [
    "MEMORY_BUDGET",
    "Recommendations",
    "TopK",
    "TopKOptions",
    "chunk_size",
    "recommend",
    "search_top_k",
    "top_k",
]

#: Bytes for one user and one item at the worst moment: the score, a sparse product of full rows with its positions
#: (40 bytes, as in graph_filter), and the masks of the search.
BYTES_PER_SCORE = 56

#: Bytes for each interaction while its matrix is made, and for each item.
BYTES_PER_PAIR, BYTES_PER_ITEM = 40, 64

#: A share of the budget that is left to allocators and to the buffers of matrix products.
RESERVE = 0.2

#: More users at once do not make the matrix products faster; fewer than the least make them slower.
MAX_CHUNK, LEAST_CHUNK = 512, 128

#: Bytes of a chunk's scores, where that leaves enough users: the C library maps arrays above 32 MiB anew for every
#: chunk, and the kernel fills their pages with zeros, which takes as long as the search.
MAX_BYTES = 31 << 20


@dataclass(frozen=True)
class Recommendations:
    """One table: user_id, item_id, score, rank (from 1), best first, by user; with model and run id."""

    frame: pd.DataFrame
    model: str
    run: str


@dataclass(frozen=True, eq=False)
class TopK:
    """Positions [num_users, k] int64 and scores [num_users, k] float32, best first; -1 and -inf after the last."""

    item_index: IndexArray
    score: FloatArray


def recommend(
    trained: TrainedRun,
    user_index: IndexArray | None = None,
    k: int = 10,
    memory_budget: int | None = None,
    progress: Progress | None = None,
    choice: TopKOptions | None = None,
) -> Recommendations:
    """The k best unseen items of some users (of all: None), in the order of `user_index`; equal scores in that of ids.

    A `memory_budget` is taken in the place of the choice's. A `k` above the number of items gives them all. Raises
    DataError if `k` is no integer from 1 on, or the choice names items that are not there.
    """
    k = min(count(k), max(len(trained.items), 1))
    users = np.arange(len(trained.users)) if user_index is None else user_index
    choice = choice or TopKOptions()
    if memory_budget is not None:
        choice = replace(choice, memory_budget=memory_budget)
    if choice.order is None:
        choice = replace(choice, order=rank_by_id(trained.items))
    found = search_top_k(trained.model, trained.seen, users, k, choice, progress)
    there = found.item_index >= 0
    row, column = np.nonzero(there)
    frame = pd.DataFrame(
        {
            "user_id": trained.users.ids[users[row]].to_numpy(),
            "item_id": trained.items.ids[found.item_index[there]].to_numpy(),
            "score": found.score[there],
            "rank": column + 1,
        }
    ).astype({"user_id": "str", "item_id": "str"})
    return Recommendations(frame, trained.run.model, trained.run.id)


def top_k(
    model: Scorer,
    seen: Interactions | sparse.csr_array,
    user_index: IndexArray,
    k: int,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> TopK:
    """The k best unseen items of each user, whichever they are; equal scores in the order of positions."""
    return search_top_k(model, seen, user_index, k, TopKOptions(memory_budget=memory_budget), progress)


def search_top_k(
    model: Scorer,
    seen: Interactions | sparse.csr_array,
    user_index: IndexArray,
    k: int,
    choice: TopKOptions,
    progress: Progress | None = None,
) -> TopK:
    """The k best unseen items of each user among those of a choice; equal scores in its order.

    Items of which the model knows nothing (a score of zero or within rounding of it, for unsigned models also below)
    come after all others: the most popular first, with score 0. A row is shorter than k only if fewer items are
    unseen. Raises DataError if `k` is no integer from 1 on, or the choice names items that are not there.
    """
    k = count(k)
    matrix = seen.matrix() if isinstance(seen, Interactions) else seen
    num_users, num_items = len(user_index), int(matrix.shape[1])
    search = TopKQuery.of(model, matrix, k, choice)
    item_index = np.full((num_users, k), -1, dtype=np.int64)
    score = np.full((num_users, k), -np.inf, dtype=np.float32)
    pairs = matrix.nnz if isinstance(seen, Interactions) else 0
    taken = pairs * BYTES_PER_PAIR + num_users * k * BYTES_PER_PLACE + num_items * BYTES_PER_ITEM
    done = 0
    for block in _blocks(model, matrix, user_index, search, choice.memory_budget - taken):
        values, positions = _known(block, model.has_signed_scores)
        _fill(values, positions, matrix[user_index[block.place]], search.by_popularity)
        item_index[block.place, : search.width] = positions
        score[block.place, : search.width] = values
        done += len(block.place)
        if progress is not None:
            progress(done, num_users)
    return TopK(item_index, score)


def chunk_size(num_items: int, memory: int) -> int:
    """How many users' scores fit into so many bytes at one time; at least one."""
    left = max(memory, 0) * (1 - RESERVE)
    return int(np.clip(left // max(num_items * BYTES_PER_SCORE, 1), 1, MAX_CHUNK))


def _blocks(
    model: Scorer, matrix: sparse.csr_array, user_index: IndexArray, search: TopKQuery, memory: int
) -> Iterator[Block]:
    """The best of all users, some at a time, in so many bytes; by norms where the model and the search allow it."""
    factored = model.factored_scores() if search.exact else None
    size = 0 if factored is None else shared_batch_size(factored, len(user_index), search, memory)
    if factored is not None and size:
        yield from bounded(factored, matrix, user_index, search, size)
        return
    done = 0
    for screen in _screens(model, user_index, chunk_size(search.num_items, memory), search):
        place = np.arange(done, done + len(screen.scores))
        found = _chunk(screen, matrix[user_index[place]], model.has_signed_scores, search)
        del screen  # or its memory were still taken while the next is made
        yield Block(place, *found)
        done += len(place)


def _screens(model: Scorer, user_index: IndexArray, size: int, search: TopKQuery) -> Iterator[ApproximateScores]:
    """The scores of users in their order, at most `size` at a time, rough where the model and the search allow it."""
    screens = None if search.exact else model.approximate_scores(user_index, size)
    if screens is not None:
        yield from screens
        return
    size = min(size, max(MAX_BYTES // (4 * max(search.num_items, 1)), LEAST_CHUNK))
    for start in range(0, len(user_index), size):
        yield ApproximateScores(model.score(user_index[start : start + size]))


def _chunk(
    screen: ApproximateScores, history: sparse.csr_array, signed: bool, search: TopKQuery
) -> tuple[Tensor, Tensor, Tensor]:
    """Positions and scores [batch, width] of the best, and the largest absolute score [batch] of these and the seen."""
    scores, of_seen = _masked(screen.scores, history, signed, search)
    if screen.exact is None:
        positions = best(scores, search.width, search.order)
        values = scores.gather(1, positions)
        if signed:
            error = ROUNDING_ERROR * _largest(values, of_seen)
            rows = (values.abs() <= error[:, None]).any(dim=1).nonzero().squeeze(1)
            if len(rows):  # a rounding error above zero is ranked before negative scores, which say something
                again = scores[rows]
                again.masked_fill_(again.abs() <= error[rows, None], -torch.inf)
                positions[rows] = best(again, search.width, search.order)
                values[rows] = again.gather(1, positions[rows])
    else:
        # the rounding of bfloat16 moves an item by a few ranks, so more candidates than k are rescored
        candidates = top(scores, min(search.width + 20, scores.shape[1]))[1].sort(dim=1).values
        exact = _masked_like(screen.exact(candidates), scores.gather(1, candidates))
        place = best(exact, search.width, None if search.order is None else search.order[candidates])
        positions, values = candidates.gather(1, place), exact.gather(1, place)
    return positions, values, _largest(values, of_seen)


def _largest(values: Tensor, of_seen: Tensor) -> Tensor:
    """The largest finite absolute value [batch] of scores [batch, width], and of what seen items have [batch]."""
    found = values.abs().masked_fill_(~values.isfinite(), 0.0)
    return of_seen if not found.shape[1] else torch.maximum(of_seen, found.amax(dim=1))


def _known(block: Block, signed: bool) -> tuple[FloatArray, IndexArray]:
    """Values and positions [batch, width], best first; where the model knows nothing more, -inf and -1."""
    size = block.score.abs() if signed else block.score
    known = block.score.isfinite() & (size > ROUNDING_ERROR * block.largest[:, None])
    return (
        block.score.masked_fill(~known, -torch.inf).cpu().numpy(),
        block.item_index.masked_fill(~known, -1).cpu().numpy(),
    )


def _masked(scores: Tensor, history: sparse.csr_array, signed: bool, search: TopKQuery) -> tuple[Tensor, Tensor]:
    """The scores [batch, num_items] with -inf for seen and forbidden items, and for unknown ones of a signed model; and
    the largest absolute score [batch] of the seen items."""
    rows = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
    row, column = (torch.from_numpy(index.astype(np.int64)).to(scores.device) for index in (rows, history.indices))
    size = scores[row, column].abs_()
    size.masked_fill_(~size.isfinite(), 0.0)
    of_seen = scores.new_zeros(len(scores)).scatter_reduce_(0, row, size, "amax")
    if signed:
        scores.masked_fill_(scores == 0, -torch.inf)
    scores[row, column] = -torch.inf
    if len(search.forbidden):
        scores.index_fill_(1, search.forbidden.to(scores.device), -torch.inf)
    return scores, of_seen


def _masked_like(scores: Tensor, masked: Tensor) -> Tensor:
    return scores.masked_fill(masked == -torch.inf, -torch.inf)


def _fill(values: FloatArray, positions: IndexArray, history: sparse.csr_array, by_popularity: IndexArray) -> None:
    """Put the most popular unseen items into the free places (position -1) of each row, with score 0."""
    for row in np.flatnonzero((positions < 0).any(axis=1)):
        free = np.flatnonzero(positions[row] < 0)
        seen = history.indices[history.indptr[row] : history.indptr[row + 1]]
        taken = np.concatenate([seen, positions[row]])
        popular = by_popularity[: len(taken) + len(free)]
        fresh = popular[~np.isin(popular, taken)][: len(free)]
        positions[row, free[: len(fresh)]] = fresh
        values[row, free[: len(fresh)]] = 0.0
