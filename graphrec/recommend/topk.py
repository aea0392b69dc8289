"""The k best unseen items of each user, in chunks of users that fit a memory budget."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray, Interactions
from graphrec.models.base import Progress, Screen
from graphrec.recommend.choice import Choice, id_order
from graphrec.recommend.memory import MEMORY_BUDGET
from graphrec.recommend.scorer import Scorer
from graphrec.runs import TrainedRun
from graphrec.vocabulary import IndexArray

__all__ = ["MEMORY_BUDGET", "Choice", "Recommendations", "TopK", "chunk_size", "recommend", "top_k", "top_k_of"]

#: Bytes for one user and one item at the worst moment: the score, a sparse product of full rows with its positions
#: (40 bytes, as in graph_filter), and the masks of the search.
BYTES_PER_SCORE = 56

#: Bytes for each interaction while its matrix is made, for each place of the answer, and for each item.
BYTES_PER_PAIR, BYTES_PER_PLACE, BYTES_PER_ITEM = 40, 12, 64

#: A share of the budget that is left to allocators and to the buffers of matrix products.
RESERVE = 0.2

#: More users at once do not make the matrix products faster; fewer than the least make them slower.
MAX_CHUNK, LEAST_CHUNK = 512, 128

#: Bytes of a chunk's scores, where that leaves enough users: the C library maps arrays above 32 MiB anew for every
#: chunk, and the kernel fills their pages with zeros, which takes as long as the search.
MAX_BYTES = 31 << 20

#: The best of a row are looked for in the places of the best of so many parts of it.
STRIDE = 16


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


@dataclass(frozen=True, eq=False)
class _Search:
    """What is the same for all users: places to fill, items left out, the rank among equals, and the last resort."""

    num_items: int
    width: int
    forbidden: Tensor  # [n], positions on the model's device
    order: Tensor | None  # [num_items]
    by_popularity: IndexArray  # the items that may be recommended, the most popular first
    exact: bool


def recommend(
    trained: TrainedRun,
    user_index: IndexArray | None = None,
    k: int = 10,
    memory_budget: int | None = None,
    progress: Progress | None = None,
    choice: Choice | None = None,
) -> Recommendations:
    """The k best unseen items of some users (of all: None), in the order of `user_index`; equal scores in that of ids.

    A `memory_budget` is taken in the place of the choice's. Raises DataError where the choice names items that are not
    there.
    """
    users = np.arange(len(trained.users)) if user_index is None else user_index
    choice = choice or Choice()
    if memory_budget is not None:
        choice = replace(choice, memory_budget=memory_budget)
    if choice.order is None:
        choice = replace(choice, order=id_order(trained.items))
    best = top_k_of(trained.model, trained.seen, users, k, choice, progress)
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
    model: Scorer,
    seen: Interactions | sparse.csr_array,
    user_index: IndexArray,
    k: int,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> TopK:
    """The k best unseen items of each user, whichever they are; equal scores in the order of positions."""
    return top_k_of(model, seen, user_index, k, Choice(memory_budget=memory_budget), progress)


def top_k_of(
    model: Scorer,
    seen: Interactions | sparse.csr_array,
    user_index: IndexArray,
    k: int,
    choice: Choice,
    progress: Progress | None = None,
) -> TopK:
    """The k best unseen items of each user among those of a choice; equal scores in its order.

    Items of which the model knows nothing (a score of zero, for unsigned models also below) come after all
    others: the most popular first, with score 0. A row is shorter than k only where fewer items are unseen.
    Raises DataError where the choice names items that are not there.
    """
    matrix = seen.matrix() if isinstance(seen, Interactions) else seen
    num_users, num_items = len(user_index), int(matrix.shape[1])
    search = _search(model, matrix, k, choice)
    item_index = np.full((num_users, k), -1, dtype=np.int64)
    score = np.full((num_users, k), -np.inf, dtype=np.float32)
    pairs = matrix.nnz if isinstance(seen, Interactions) else 0
    taken = pairs * BYTES_PER_PAIR + num_users * k * BYTES_PER_PLACE + num_items * BYTES_PER_ITEM
    done = 0
    for screen in _screens(model, user_index, chunk_size(num_items, choice.memory_budget, taken), search):
        users = slice(done, done + len(screen.scores))
        history = matrix[user_index[users]]
        values, positions = _chunk(screen, history, model.signed, search)
        del screen  # or its memory were still taken while the next is made
        _fill(values, positions, history, search.by_popularity)
        item_index[users, : search.width] = positions
        score[users, : search.width] = values
        done = users.stop
        if progress is not None:
            progress(done, num_users)
    return TopK(item_index, score)


def chunk_size(num_items: int, memory_budget: int, taken: int = 0) -> int:
    """How many users' scores fit at one time what is left of a budget when `taken` bytes are used; at least one."""
    left = max(memory_budget - taken, 0) * (1 - RESERVE)
    return int(np.clip(left // max(num_items * BYTES_PER_SCORE, 1), 1, MAX_CHUNK))


def _search(model: Scorer, matrix: sparse.csr_array, k: int, choice: Choice) -> _Search:
    num_items = int(matrix.shape[1])
    forbidden = choice.forbidden(num_items)
    order = np.arange(num_items) if choice.order is None else choice.order
    popularity = np.bincount(matrix.indices, minlength=num_items)
    by_popularity = np.lexsort((order, -popularity))
    if len(forbidden):
        by_popularity = by_popularity[~np.isin(by_popularity, forbidden)]
    return _Search(
        num_items,
        min(k, num_items),
        torch.from_numpy(forbidden).to(model.device),
        None if choice.order is None else torch.from_numpy(order).to(model.device),
        by_popularity,
        choice.precision == "float32",
    )


def _screens(model: Scorer, user_index: IndexArray, size: int, search: _Search) -> Iterator[Screen]:
    """The scores of users in their order, at most `size` at a time, rough where the model and the search allow it."""
    screens = None if search.exact else model.screens(user_index, size)
    if screens is not None:
        yield from screens
        return
    size = min(size, max(MAX_BYTES // (4 * max(search.num_items, 1)), LEAST_CHUNK))
    for start in range(0, len(user_index), size):
        yield Screen(model.score(user_index[start : start + size]))


def _chunk(screen: Screen, history: sparse.csr_array, signed: bool, search: _Search) -> tuple[FloatArray, IndexArray]:
    """Values and positions [batch, width], best first; where the model knows nothing more, -inf and -1."""
    scores = _masked(screen.scores, history, signed, search)
    if screen.exact is None:
        positions = _best(scores, search.width, search.order)
        values = scores.gather(1, positions)
    else:
        # the rounding of bfloat16 moves an item by a few ranks, so more candidates than k are rescored
        candidates = _top(scores, min(search.width + 20, scores.shape[1]))[1].sort(dim=1).values
        exact = _masked_like(screen.exact(candidates), scores.gather(1, candidates))
        best = _best(exact, search.width, None if search.order is None else search.order[candidates])
        positions, values = candidates.gather(1, best), exact.gather(1, best)
    known = values.isfinite() if signed else values.isfinite() & (values > 0)
    return (
        values.masked_fill(~known, -torch.inf).cpu().numpy(),
        positions.masked_fill(~known, -1).cpu().numpy(),
    )


def _masked(scores: Tensor, history: sparse.csr_array, signed: bool, search: _Search) -> Tensor:
    """The scores [batch, num_items] with -inf for seen and forbidden items, and for unknown ones of a signed model."""
    if signed:
        scores.masked_fill_(scores == 0, -torch.inf)
    rows = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
    seen = (torch.from_numpy(index.astype(np.int64)).to(scores.device) for index in (rows, history.indices))
    scores[tuple(seen)] = -torch.inf
    if len(search.forbidden):
        scores.index_fill_(1, search.forbidden.to(scores.device), -torch.inf)
    return scores


def _masked_like(scores: Tensor, masked: Tensor) -> Tensor:
    return scores.masked_fill(masked == -torch.inf, -torch.inf)


def _best(scores: Tensor, k: int, order: Tensor | None = None) -> Tensor:
    """Positions [batch, k] of the highest scores [batch, n]; equal ones by `order` ([n] or [batch, n], each row with
    different values), None: by position."""
    values, positions = _top(scores, min(k + 1, scores.shape[1]))
    if values.isnan().any():  # topk puts NaN first
        return _best(scores.nan_to_num_(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf), k, order)
    if values.shape[1] > k:
        last = values[:, k - 1]
        tied = ((values[:, k] == last) & last.isfinite() & (last != 0)).nonzero().squeeze(1)
        positions = positions[:, :k]
        if len(tied):  # topk takes any of the items that share the last place
            ranks = order if order is None or order.dim() == 1 else order[tied]
            positions[tied] = _first_of_equals(scores[tied], last[tied, None], k, ranks)
    positions = _in_order(positions, order)
    best = scores.gather(1, positions).sort(dim=1, descending=True, stable=True).indices
    return positions.gather(1, best)


def _top(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Values and positions [batch, k] of the highest scores [batch, n], any of those that share the last place.

    Columns c, c + m, c + 2 m, … are one group. The k groups with the highest best score hold k highest scores: what is
    elsewhere is no better than the best of its group, and so than the best of each of the k. A third of topk's time.
    """
    batch, n = scores.shape
    m = n // STRIDE  # groups; the columns from STRIDE · m on are looked at in any case
    if scores.device.type != "cpu" or m < 4 * k:
        found = scores.topk(k)
        return found.values, found.indices
    best = scores[:, : STRIDE * m].view(batch, STRIDE, m).amax(dim=1)  # [batch, m]
    group = best.topk(k).indices  # [batch, k]
    inside = (group[:, None, :] + m * torch.arange(STRIDE)[:, None]).view(batch, -1)
    positions = torch.cat([inside, torch.arange(STRIDE * m, n).expand(batch, -1)], dim=1)
    values, place = scores.gather(1, positions).topk(k)
    return values, positions.gather(1, place)


def _in_order(positions: Tensor, order: Tensor | None) -> Tensor:
    """Positions [batch, k] sorted along each row by their ranks."""
    if order is None:
        return positions.sort(dim=1).values
    ranks = order[positions] if order.dim() == 1 else order.gather(1, positions)
    return positions.gather(1, ranks.argsort(dim=1))


def _first_of_equals(scores: Tensor, last: Tensor, k: int, order: Tensor | None) -> Tensor:
    """Positions [batch, k] of all scores above `last` [batch, 1] and of the first that equal it."""
    if order is not None:
        by_rank = order.argsort(dim=-1).expand(scores.shape)
        found = _first_of_equals(scores.gather(1, by_rank), last, k, None)
        return by_rank.gather(1, found)
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
