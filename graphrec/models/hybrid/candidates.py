"""The candidates of a second stage: the best new items of each member, with the members' scores and ranks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.models.base import Model
from graphrec.models.ensemble.blending import RANK_OFFSET, normalise_scores
from graphrec.vocabulary import IndexArray

#: Rank of an item for which a member has no score, or that is not among its first MAX_RANK.
MAX_RANK = 1000


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates [n] of some users, ascending by row and then by item.

    row: place of the user in the batch, [n].
    item: position of the item, [n].
    scores: normalised score of each member, [n, num_members].
    ranks: rank from 1 of each member among the user's new items, [n, num_members].
    fused: mean of (1 + RANK_OFFSET) / (rank + RANK_OFFSET) over the members for all items, from 0 to 1, [batch,
        num_items]; 0 for items that no member has a score for, and for the history.
    """

    row: IndexArray
    item: IndexArray
    scores: npt.NDArray[np.float32]
    ranks: npt.NDArray[np.float32]
    fused: Tensor


def find_candidates(
    members: list[Model[Any]],
    scores_of: Callable[[Model[Any]], Tensor],
    history: sparse.csr_array,
    num_candidates: int,
) -> Candidates:
    """The union of the best `num_candidates` new items of each member for users with histories [batch, num_items].

    `scores_of` returns the scores [batch, num_items] of a member, which are overwritten.
    """
    device = members[0].device
    rows = torch.from_numpy(np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))).to(device)
    columns = torch.from_numpy(history.indices.astype(np.int64)).to(device)
    chosen = torch.zeros(history.shape, dtype=torch.bool, device=device)
    fused = torch.zeros(history.shape, device=device)
    all_scores, all_ranks = [], []
    for member in members:
        scores = normalise_scores(scores_of(member), history, member.has_signed_scores, "score")
        scores[rows, columns] = 0.0
        best = scores.masked_fill(scores == 0, -torch.inf).topk(min(MAX_RANK, scores.shape[1]))
        is_scored = best.values.isfinite()
        place = torch.arange(1, best.values.shape[1] + 1, device=device).expand(best.values.shape)
        ranks = torch.full_like(scores, MAX_RANK + 1.0)
        ranks.scatter_(1, best.indices, torch.where(is_scored, place.float(), MAX_RANK + 1.0))
        fused += torch.where(ranks <= MAX_RANK, reciprocal_ranks(ranks), 0.0) / len(members)
        first = best.indices[:, :num_candidates]
        chosen.scatter_(1, first, chosen.gather(1, first) | is_scored[:, :num_candidates])
        all_scores.append(scores)
        all_ranks.append(ranks)
    row, item = chosen.nonzero(as_tuple=True)
    picked = [
        torch.stack([each[row, item] for each in found], dim=1).cpu().numpy() for found in (all_scores, all_ranks)
    ]
    return Candidates(row.cpu().numpy(), item.cpu().numpy(), picked[0], picked[1], fused)


def reciprocal_ranks(ranks: Any) -> Any:  # a tensor or an array
    """(1 + RANK_OFFSET) / (rank + RANK_OFFSET), 1 for the first rank."""
    return (1 + RANK_OFFSET) / (ranks + RANK_OFFSET)
