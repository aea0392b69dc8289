"""The k best unseen items of each user, in chunks of users that fit a memory budget."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray, Interactions
from graphrec.models.base import Model, Progress
from graphrec.runs import TrainedRun
from graphrec.vocabulary import IndexArray

#: Bytes for scores that exist at one time, unless the caller says otherwise.
MEMORY_BUDGET = 1 << 30

#: Score, its rounding in the model, and the masks of the search: bytes for one user and one item.
BYTES_PER_SCORE = 16

#: More users at once do not make the matrix products faster.
MAX_CHUNK = 512


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
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> Recommendations:
    """The k best unseen items of some users (of all: None), in the order of `user_index`."""
    users = np.arange(len(trained.users)) if user_index is None else user_index
    best = top_k(trained.model, trained.seen, users, k, memory_budget, progress)
    there = best.item_index >= 0
    row, column = np.nonzero(there)
    frame = pd.DataFrame(
        {
            "user_id": trained.users.ids[users[row]].to_numpy(),
            "item_id": trained.items.ids[best.item_index[there]].to_numpy(),
            "score": best.score[there],
            "rank": column + 1,
        }
    ).astype({"user_id": "str", "item_id": "str"})
    return Recommendations(frame, trained.run.model, trained.run.id)


def top_k(
    model: Model[Any],
    seen: Interactions | sparse.csr_array,
    user_index: IndexArray,
    k: int,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> TopK:
    """The k best unseen items of each user; equal scores in the order of positions.

    Items of which the model knows nothing (a score of zero, for unsigned models also below) come after all
    others: the most popular first, with score 0. A row is shorter than k only where fewer items are unseen.
    """
    matrix = seen.matrix() if isinstance(seen, Interactions) else seen
    num_items = int(matrix.shape[1])
    width = min(k, num_items)
    by_popularity = np.argsort(-np.bincount(matrix.indices, minlength=num_items), kind="stable")
    item_index = np.full((len(user_index), k), -1, dtype=np.int64)
    score = np.full((len(user_index), k), -np.inf, dtype=np.float32)
    size = chunk_size(num_items, memory_budget)
    for start in range(0, len(user_index), size):
        users = user_index[start : start + size]
        history = matrix[users]
        values, positions = _chunk(model, users, history, width)
        _fill(values, positions, history, by_popularity)
        item_index[start : start + size, :width] = positions
        score[start : start + size, :width] = values
        if progress is not None:
            progress(min(start + size, len(user_index)), len(user_index))
    return TopK(item_index, score)


def chunk_size(num_items: int, memory_budget: int) -> int:
    """How many users' scores fit the budget at one time; at least one."""
    return int(np.clip(memory_budget // max(num_items * BYTES_PER_SCORE, 1), 1, MAX_CHUNK))


def _chunk(model: Model[Any], users: IndexArray, history: sparse.csr_array, k: int) -> tuple[FloatArray, IndexArray]:
    """Values and positions [batch, k], best first; where the model knows nothing more, -inf and -1."""
    rough = model.screen(users)
    if rough is None:
        scores = _masked(model.score(users), history, model.signed)
        positions = _best(scores, k)
        values = scores.gather(1, positions)
    else:
        # the rounding of bfloat16 moves an item by a few ranks, so more candidates than k are rescored
        found = _masked(rough, history, model.signed).topk(min(k + 20, rough.shape[1]))
        candidates = found.indices.sort(dim=1).values
        scores = _masked_like(model.score_pairs(users, candidates.numpy()), rough.gather(1, candidates))
        best = _best(scores, k)
        positions, values = candidates.gather(1, best), scores.gather(1, best)
    known = values.isfinite() if model.signed else values.isfinite() & (values > 0)
    return (
        values.masked_fill(~known, -torch.inf).numpy(),
        positions.masked_fill(~known, -1).numpy(),
    )


def _masked(scores: Tensor, history: sparse.csr_array, signed: bool) -> Tensor:
    """The scores [batch, num_items] with -inf for seen items, and for unknown ones of a signed model."""
    if signed:
        scores.masked_fill_(scores == 0, -torch.inf)
    rows = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
    scores[torch.from_numpy(rows), torch.from_numpy(history.indices.astype(np.int64))] = -torch.inf
    return scores


def _masked_like(scores: Tensor, masked: Tensor) -> Tensor:
    return scores.masked_fill(masked == -torch.inf, -torch.inf)


def _best(scores: Tensor, k: int) -> Tensor:
    """Positions [batch, k] of the highest scores [batch, n], equal ones in the order of positions."""
    values, positions = scores.topk(min(k + 1, scores.shape[1]))
    if values.isnan().any():  # topk puts NaN first
        return _best(scores.nan_to_num_(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf), k)
    if values.shape[1] > k:
        last = values[:, k - 1]
        tied = ((values[:, k] == last) & last.isfinite() & (last != 0)).nonzero().squeeze(1)
        positions = positions[:, :k]
        if len(tied):  # topk takes any of the items that share the last place
            positions[tied] = _first_of_equals(scores[tied], last[tied, None], k)
    positions = positions.sort(dim=1).values
    order = scores.gather(1, positions).sort(dim=1, descending=True, stable=True).indices
    return positions.gather(1, order)


def _first_of_equals(scores: Tensor, last: Tensor, k: int) -> Tensor:
    """Positions [batch, k] of all scores above `last` [batch, 1] and of the first that equal it."""
    above, equal = scores > last, scores == last
    room = k - above.sum(dim=1, keepdim=True, dtype=torch.int32)
    chosen = above | (equal & (equal.cumsum(dim=1, dtype=torch.int32) <= room))
    return chosen.nonzero()[:, 1].view(-1, k)


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
