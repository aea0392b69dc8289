"""Evaluation by the next item: the rank of the one test item of each user among all items."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.evaluation.metrics import Floats
from graphrec.evaluation.protocol import Evaluation
from graphrec.interactions import Interactions
from graphrec.models.base import ROUNDING_ERROR, Model
from graphrec.progress import Progress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.topk import fit_batch_size
from graphrec.vocabulary import IndexArray

#: Cut-offs of published results.
KS = (5, 10, 20)

#: Maximum batch size: scores of more users leave the processor's cache between two passes.
BATCH_SIZE = 64

#: The positions of no items.
EMPTY = np.empty(0, dtype=np.int64)

#: Prefix of metrics among sampled items.
SAMPLED = "sampled_"


def evaluate_next_items(
    model: Model[Any],  # of any config
    train: Interactions,
    test: Interactions,
    mask_seen: bool = True,
    negatives: IndexArray | None = None,
    ks: tuple[int, ...] = KS,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> Evaluation:
    """HR@k, NDCG@k and MRR@k of the test item of each user, whose rank is 1 + items ahead + ½ · items that are equal.

    Items without a preference (score zero, as in top-k search) are after all others, ordered by popularity in `train`.
    So an item with the score of n others is in the middle of them, and an order of the items does not count. With one
    test item HR@k is Recall@k, and NDCG@k is 1 / log₂(rank + 1) up to rank k.

    Args:
        mask_seen: whether the items of a user's history are not ranked; a test item that is among them is a miss.
        negatives: items [len(test), n] of each test interaction, -1 for an empty place: the metrics `sampled_*` rank
            the test item among these only. They say little of the order of models by full rankings (Krichene and
            Rendle, KDD 2020), and are for comparison with published figures of that kind.

    Raises:
        DataError: a user has several test interactions, or no user with training interactions has one.
    """
    if len(np.unique(test.user_index)) < len(test):
        raise DataError(
            "the next item is one test interaction of each user, but some users have several; keep the first of each"
        )
    is_warm = train.user_degree()[test.user_index] > 0
    if not is_warm.any():
        raise DataError(f"none of the {len(test):,} users with a test interaction has any in training")
    warm = test.take(is_warm)
    sampled = None if negatives is None else negatives[is_warm]
    ranks, sampled_ranks = _rank_all(model, train, warm, mask_seen, sampled, memory_budget, progress)
    values = measure_ranks(ranks, ks)
    if sampled is not None:
        values |= {f"{SAMPLED}{name}": value for name, value in measure_ranks(sampled_ranks, ks).items()}
    metrics = {name: float(value.mean()) for name, value in values.items()}
    return Evaluation(metrics, values, warm.user_index, int((~is_warm).sum()))


def measure_ranks(rank: Floats, ks: tuple[int, ...] = KS) -> dict[str, Floats]:
    """HR@k, NDCG@k and MRR@k [n] of ranks [n] from 1, which may be fractions or infinite."""
    values: dict[str, Floats] = {}
    for k in ks:
        hit = (rank <= k).astype(np.float64)
        values |= {f"hit_rate@{k}": hit, f"ndcg@{k}": hit / np.log2(rank + 1), f"mrr@{k}": hit / rank}
    return values


def count_ranks(scores: Tensor, target: Tensor, error: Tensor, popularity: Tensor, has_signed_scores: bool) -> Tensor:
    """The rank [batch] float64 of one item of each row among those ranked: 1 + items ahead + ½ · other equal items.

    Args:
        scores: [batch, n], -inf for items that are not ranked.
        target: [batch] positions of the items.
        error: [batch] size up to which a score is no preference.
        popularity: [batch or 1, n], the order of items without a preference.
        has_signed_scores: whether scores below zero are preferences too.
    """
    mine = scores.gather(1, target[:, None])
    ahead, equal = _count(scores > mine), _count(scores == mine)
    rows = (mine.squeeze(1) <= error).nonzero().squeeze(1)
    if len(rows):  # items without a preference are after all others, those with negative scores included
        scores, mine, error = scores[rows], mine[rows], error[rows, None]
        is_none = ((scores.abs() if has_signed_scores else scores) <= error) & (scores > -torch.inf)
        popularity = popularity.expand(len(target), -1)[rows]
        own = popularity.gather(1, target[rows, None])
        is_lower = is_none.gather(1, target[rows, None]).squeeze(1)
        preferred = _count(scores > -torch.inf) - _count(is_none)
        last = preferred + _count(is_none & (popularity > own))
        ahead[rows] = torch.where(is_lower, last, ahead[rows] - _count(is_none))
        equal[rows] = torch.where(is_lower, _count(is_none & (popularity == own)), equal[rows])
    return 1 + ahead + (equal - 1) / 2


def _count(mask: Tensor) -> Tensor:
    """The number [batch] float64 of true values in each row of a mask [batch, n]."""
    return mask.view(torch.int8).sum(dim=1, dtype=torch.int32).double()


def _rank_all(
    model: Model[Any],
    train: Interactions,
    test: Interactions,
    mask_seen: bool,
    negatives: IndexArray | None,
    memory_budget: int,
    progress: Progress | None,
) -> tuple[Floats, Floats]:
    """The ranks [len(test)] among all items, and among the negatives (empty without any)."""
    matrix = train.matrix()
    popularity = torch.from_numpy(np.bincount(matrix.indices, minlength=train.num_items))[None].to(model.device)
    size = min(fit_batch_size(train.num_items, memory_budget), BATCH_SIZE)
    ranks, sampled = np.empty(len(test)), np.empty(0 if negatives is None else len(test))
    for start in range(0, len(test), size):
        rows = slice(start, start + size)
        users, items = test.user_index[rows], test.item_index[rows]
        target = torch.from_numpy(items).to(model.device)
        scores = model.score(users)
        error = ROUNDING_ERROR * torch.maximum(scores.amax(dim=1), -scores.amin(dim=1))
        if negatives is not None:
            listed = torch.cat([target[:, None], torch.from_numpy(negatives[rows]).to(model.device)], dim=1)
            index = listed.clamp(min=0)
            sample = scores.gather(1, index).masked_fill(listed < 0, -torch.inf)
            counts, first = popularity.expand_as(scores).gather(1, index), torch.zeros_like(target)
            sampled[rows] = count_ranks(sample, first, error, counts, model.has_signed_scores).cpu().numpy()
        row, column = matrix[users].nonzero() if mask_seen else (EMPTY, EMPTY)
        is_target = column == items[row]
        scores[row[~is_target], column[~is_target]] = -torch.inf
        ranks[rows] = count_ranks(scores, target, error, popularity, model.has_signed_scores).cpu().numpy()
        ranks[start + row[is_target]] = np.inf
        if progress is not None:
            progress(min(start + size, len(test)), len(test))
    return ranks, sampled
