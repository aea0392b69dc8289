"""The highest scores of each row, with a deterministic order of equal scores."""

import torch
from torch import Tensor

#: Number of columns per group: the highest scores are searched only in the groups with the highest maxima.
STRIDE = 16


def ordered_topk(scores: Tensor, k: int, order: Tensor | None = None) -> Tensor:
    """Positions [batch, k] of the highest scores [batch, n]; equal scores by `order` ([n] or [batch, n], each row with
    distinct values), None: by position."""
    values, positions = grouped_topk(scores, min(k + 1, scores.shape[1]))
    if values.isnan().any():  # topk puts NaN first
        return ordered_topk(scores.nan_to_num_(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf), k, order)
    if values.shape[1] > k:
        last = values[:, k - 1]
        tied = ((values[:, k] == last) & last.isfinite() & (last != 0)).nonzero().squeeze(1)
        positions = positions[:, :k]
        if len(tied):  # topk breaks ties at the last place arbitrarily
            ranks = order if order is None or order.dim() == 1 else order[tied]
            positions[tied] = _break_ties(scores[tied], last[tied, None], k, ranks)
    positions = _sort_by_rank(positions, order)
    by_score = scores.gather(1, positions).sort(dim=1, descending=True, stable=True).indices
    return positions.gather(1, by_score)


def grouped_topk(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Values and positions [batch, k] of the highest scores [batch, n]; ties at the last place are broken arbitrarily.

    Columns c, c + m, c + 2 m, … are one group. The k groups with the highest maxima contain k highest scores: a score
    in another group is at most the maximum of its group, and so at most each of these k maxima. Three times as fast as
    `torch.topk` on the CPU.
    """
    batch, n = scores.shape
    m = n // STRIDE  # number of groups; the columns from STRIDE · m on are searched in any case
    if scores.device.type != "cpu" or m < 4 * k:
        top = scores.topk(k)
        return top.values, top.indices
    maxima = scores[:, : STRIDE * m].view(batch, STRIDE, m).amax(dim=1)  # [batch, m]
    group = maxima.topk(k).indices  # [batch, k]
    inside = (group[:, None, :] + m * torch.arange(STRIDE)[:, None]).view(batch, -1)
    positions = torch.cat([inside, torch.arange(STRIDE * m, n).expand(batch, -1)], dim=1)
    values, at = scores.gather(1, positions).topk(k)
    return values, positions.gather(1, at)


def _sort_by_rank(positions: Tensor, order: Tensor | None) -> Tensor:
    """Positions [batch, k], each row sorted by `order`."""
    if order is None:
        return positions.sort(dim=1).values
    ranks = order[positions] if order.dim() == 1 else order.gather(1, positions)
    return positions.gather(1, ranks.argsort(dim=1))


def _break_ties(scores: Tensor, last: Tensor, k: int, order: Tensor | None) -> Tensor:
    """Positions [batch, k] of all scores above `last` [batch, 1] and, by `order`, of the first ones equal to it."""
    if order is not None:
        by_rank = order.argsort(dim=-1).expand(scores.shape)
        ranks = _break_ties(scores.gather(1, by_rank), last, k, None)
        return by_rank.gather(1, ranks)
    above, equal = scores > last, scores == last
    room = k - above.sum(dim=1, keepdim=True, dtype=torch.int32)
    chosen = above | (equal & (equal.cumsum(dim=1, dtype=torch.int32) <= room))
    return chosen.nonzero()[:, 1].view(-1, k)
