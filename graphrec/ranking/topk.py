"""Top-k search: the k best unseen items of each user, in batches of users that fit a memory budget."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from graphrec.arguments import count
from graphrec.interactions import FloatArray, Interactions
from graphrec.linalg.csr import empty_csr
from graphrec.models.base import ROUNDING_ERROR, ApproximateScores
from graphrec.progress import Progress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.options import TopKOptions, rank_by_id
from graphrec.ranking.pruned_topk import pruned_top_k, shared_batch_size
from graphrec.ranking.query import BYTES_PER_RESULT, TopKBlock, TopKQuery
from graphrec.ranking.row_topk import grouped_topk, ordered_topk
from graphrec.ranking.scorer import Scorer
from graphrec.runs import TrainedRun
from graphrec.vocabulary import IndexArray

__all__ = [
    "MEMORY_BUDGET",
    "Recommendations",
    "TopK",
    "TopKOptions",
    "fit_batch_size",
    "recommend",
    "search_top_k",
    "top_k",
]

#: Peak bytes per user and item: the score, a sparse product of full rows with its positions (40 bytes, as in
#: graph_filter), and the masks of the search.
BYTES_PER_SCORE = 56

#: Bytes per interaction while the interaction matrix is built, and per item.
BYTES_PER_PAIR, BYTES_PER_ITEM = 40, 64

#: Share of the budget that is left to allocators and to the buffers of matrix products.
RESERVE = 0.2

#: Maximum and minimum batch size: more users at once do not make matrix products faster, fewer make them slower.
MAX_BATCH_SIZE, MIN_BATCH_SIZE = 512, 128

#: Maximum bytes of a batch's scores, if that allows the minimum batch size: the C library maps arrays above 32 MiB anew
#: for every batch, and the kernel fills their pages with zeros, which costs as much time as the search.
MAX_SCORE_BYTES = 31 << 20

#: Candidates that are rescored besides k: the rounding of bfloat16 moves an item by a few ranks.
SPARE_CANDIDATES = 20


@dataclass(frozen=True)
class Recommendations:
    """A table user_id, item_id, score, rank (from 1), with each user's items best first; the model and the run's id."""

    frame: pd.DataFrame
    model: str
    run: str


@dataclass(frozen=True, eq=False)
class TopK:
    """Positions [num_users, k] int64 and scores [num_users, k] float32, best first; -1 and -inf after the last item."""

    item_index: IndexArray
    score: FloatArray


def recommend(
    trained: TrainedRun,
    user_index: IndexArray | None = None,
    k: int = 10,
    memory_budget: int | None = None,
    progress: Progress | None = None,
    options: TopKOptions | None = None,
) -> Recommendations:
    """The k best unseen items of some users (None: all), in the order of `user_index`; equal scores by id.

    `memory_budget` overrides that of `options`. A `k` above the number of items returns all items. Raises DataError if
    `k` is not an integer of at least 1, or the options name items that do not exist.
    """
    k = min(count(k), max(len(trained.items), 1))
    users = np.arange(len(trained.users)) if user_index is None else user_index
    options = options or TopKOptions()
    if memory_budget is not None:
        options = replace(options, memory_budget=memory_budget)
    if options.order is None:
        options = replace(options, order=rank_by_id(trained.items))
    best = search_top_k(trained.model, trained.seen, users, k, options, progress)
    has_item = best.item_index >= 0
    row, column = np.nonzero(has_item)
    frame = pd.DataFrame(
        {
            "user_id": trained.users.ids[users[row]].to_numpy(),
            "item_id": trained.items.ids[best.item_index[has_item]].to_numpy(),
            "score": best.score[has_item],
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
    """The k best unseen items of each user; equal scores by position."""
    return search_top_k(model, seen, user_index, k, TopKOptions(memory_budget=memory_budget), progress)


def search_top_k(
    model: Scorer,
    seen: Interactions | sparse.csr_array,
    user_index: IndexArray,
    k: int,
    options: TopKOptions,
    progress: Progress | None = None,
) -> TopK:
    """The k best unseen items of each user under `options`; also seen ones with `allow_seen`.

    An item without a preference (its score is zero or a rounding error; for models without signed scores also below
    zero) ranks after all others: these are filled in by popularity, with score 0. A row has fewer than k items only if
    fewer may be recommended. Raises DataError if `k` is not an integer of at least 1, or the options name items that do
    not exist.
    """
    k = count(k)
    matrix = seen.matrix() if isinstance(seen, Interactions) else seen
    num_users, num_items = len(user_index), int(matrix.shape[1])
    query = TopKQuery.build(model, matrix, k, options)
    masked = empty_csr(*matrix.shape) if options.allow_seen else matrix
    item_index = np.full((num_users, k), -1, dtype=np.int64)
    score = np.full((num_users, k), -np.inf, dtype=np.float32)
    num_pairs = matrix.nnz if isinstance(seen, Interactions) else 0
    used_bytes = num_pairs * BYTES_PER_PAIR + num_users * k * BYTES_PER_RESULT + num_items * BYTES_PER_ITEM
    done = 0
    for block in _search_blocks(model, masked, user_index, query, options.memory_budget - used_bytes):
        values, positions = _drop_rounding_errors(block, model.has_signed_scores)
        _fill_with_popular(values, positions, masked[user_index[block.rows]], query.by_popularity)
        item_index[block.rows, : query.width] = positions
        score[block.rows, : query.width] = values
        done += len(block.rows)
        if progress is not None:
            progress(done, num_users)
    return TopK(item_index, score)


def fit_batch_size(num_items: int, memory: int) -> int:
    """The number of users whose scores fit into `memory` bytes at once; at least one."""
    available = max(memory, 0) * (1 - RESERVE)
    return int(np.clip(available // max(num_items * BYTES_PER_SCORE, 1), 1, MAX_BATCH_SIZE))


def _search_blocks(
    model: Scorer, matrix: sparse.csr_array, user_index: IndexArray, query: TopKQuery, memory: int
) -> Iterator[TopKBlock]:
    """The results of all users, some at a time; with norm bounds if the model, the query and the memory allow it."""
    factored = model.factored_scores() if query.exact else None
    size = 0 if factored is None else shared_batch_size(factored, len(user_index), query, memory)
    if factored is not None and size:
        yield from pruned_top_k(factored, matrix, user_index, query, size)
        return
    done = 0
    for batch in _score_batches(model, user_index, fit_batch_size(query.num_items, memory), query):
        rows = np.arange(done, done + len(batch.scores))
        results = _search_batch(batch, matrix[user_index[rows]], model.has_signed_scores, query)
        del batch  # frees its memory before the next batch is computed
        yield TopKBlock(rows, *results)
        done += len(rows)


def _score_batches(model: Scorer, user_index: IndexArray, size: int, query: TopKQuery) -> Iterator[ApproximateScores]:
    """The scores of the users in order, at most `size` at a time; approximate if the model and the query allow it."""
    approximate = None if query.exact else model.approximate_scores(user_index, size)
    if approximate is not None:
        yield from approximate
        return
    size = min(size, max(MAX_SCORE_BYTES // (4 * max(query.num_items, 1)), MIN_BATCH_SIZE))
    for start in range(0, len(user_index), size):
        yield ApproximateScores(model.score(user_index[start : start + size]))


def _search_batch(
    batch: ApproximateScores, history: sparse.csr_array, has_signed_scores: bool, query: TopKQuery
) -> tuple[Tensor, Tensor, Tensor]:
    """Positions and scores [batch, width] of the best, and the largest absolute score [batch] over all items."""
    scores, largest = _mask_scores(batch.scores, history, has_signed_scores, query)
    if batch.exact is None:
        positions = ordered_topk(scores, query.width, query.order)
        values = scores.gather(1, positions)
        if has_signed_scores:
            error = ROUNDING_ERROR * largest
            rows = (values.abs() <= error[:, None]).any(dim=1).nonzero().squeeze(1)
            if len(rows):  # a rounding error above zero would rank before negative scores, which are preferences
                again = scores[rows]
                again.masked_fill_(again.abs() <= error[rows, None], -torch.inf)
                positions[rows] = ordered_topk(again, query.width, query.order)
                values[rows] = again.gather(1, positions[rows])
    else:
        num_candidates = min(query.width + SPARE_CANDIDATES, scores.shape[1])
        candidates = grouped_topk(scores, num_candidates)[1].sort(dim=1).values
        exact = _mask_like(batch.exact(candidates), scores.gather(1, candidates))
        at = ordered_topk(exact, query.width, None if query.order is None else query.order[candidates])
        positions, values = candidates.gather(1, at), exact.gather(1, at)
    return positions, values, largest


def _drop_rounding_errors(block: TopKBlock, has_signed_scores: bool) -> tuple[FloatArray, IndexArray]:
    """Values and positions [batch, width], best first; -inf and -1 replace scores that are no preferences."""
    size = block.score.abs() if has_signed_scores else block.score
    is_preference = block.score.isfinite() & (size > ROUNDING_ERROR * block.largest[:, None])
    return (
        block.score.masked_fill(~is_preference, -torch.inf).cpu().numpy(),
        block.item_index.masked_fill(~is_preference, -1).cpu().numpy(),
    )


def _mask_scores(
    scores: Tensor, history: sparse.csr_array, has_signed_scores: bool, query: TopKQuery
) -> tuple[Tensor, Tensor]:
    """The scores [batch, num_items] with -inf for seen and forbidden items, and for zeros if scores are signed; and the
    largest absolute score [batch] over all items."""
    rows = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
    row, column = (torch.from_numpy(index.astype(np.int64)).to(scores.device) for index in (rows, history.indices))
    if scores.shape[1]:
        largest = torch.maximum(scores.amax(dim=1), -scores.amin(dim=1))
        if not largest.isfinite().all():
            largest = scores.abs().masked_fill_(~scores.isfinite(), 0.0).amax(dim=1)
    else:
        largest = scores.new_zeros(len(scores))
    if has_signed_scores:
        scores.masked_fill_(scores == 0, -torch.inf)
    scores[row, column] = -torch.inf
    if len(query.forbidden):
        scores.index_fill_(1, query.forbidden.to(scores.device), -torch.inf)
    return scores, largest


def _mask_like(scores: Tensor, masked: Tensor) -> Tensor:
    return scores.masked_fill(masked == -torch.inf, -torch.inf)


def _fill_with_popular(
    values: FloatArray, positions: IndexArray, history: sparse.csr_array, by_popularity: IndexArray
) -> None:
    """Fill the free places (position -1) of each row with the most popular unseen items, with score 0."""
    for row in np.flatnonzero((positions < 0).any(axis=1)):
        free = np.flatnonzero(positions[row] < 0)
        seen = history.indices[history.indptr[row] : history.indptr[row + 1]]
        excluded = np.concatenate([seen, positions[row]])
        popular = by_popularity[: len(excluded) + len(free)]
        fill = popular[~np.isin(popular, excluded)][: len(free)]
        positions[row, free[: len(fill)]] = fill
        values[row, free[: len(fill)]] = 0.0
