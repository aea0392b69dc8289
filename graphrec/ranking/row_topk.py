"""The best of each row of scores, equal ones in a given order."""

import torch
from torch import Tensor

#: The best of a row are looked for in the places of the best of so many parts of it.
STRIDE = 16


def best(scores: Tensor, k: int, order: Tensor | None = None) -> Tensor:
    """Positions [batch, k] of the highest scores [batch, n]; equal ones by `order` ([n] or [batch, n], each row with
    different values), None: by position."""
    values, positions = top(scores, min(k + 1, scores.shape[1]))
    if values.isnan().any():  # topk puts NaN first
        return best(scores.nan_to_num_(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf), k, order)
    if values.shape[1] > k:
        last = values[:, k - 1]
        tied = ((values[:, k] == last) & last.isfinite() & (last != 0)).nonzero().squeeze(1)
        positions = positions[:, :k]
        if len(tied):  # topk takes any of the items that share the last place
            ranks = order if order is None or order.dim() == 1 else order[tied]
            positions[tied] = _first_of_equals(scores[tied], last[tied, None], k, ranks)
    positions = _in_order(positions, order)
    by_score = scores.gather(1, positions).sort(dim=1, descending=True, stable=True).indices
    return positions.gather(1, by_score)


def top(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Values and positions [batch, k] of the highest scores [batch, n], any of those that share the last place.

    Columns c, c + m, c + 2 m, … are one group. The k groups with the highest best score hold k highest scores: what is
    elsewhere is no better than the best of its group, and so than the best of each of the k. A third of topk's time.
    """
    batch, n = scores.shape
    m = n // STRIDE  # groups; the columns from STRIDE · m on are looked at in any case
    if scores.device.type != "cpu" or m < 4 * k:
        found = scores.topk(k)
        return found.values, found.indices
    highest = scores[:, : STRIDE * m].view(batch, STRIDE, m).amax(dim=1)  # [batch, m]
    group = highest.topk(k).indices  # [batch, k]
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
