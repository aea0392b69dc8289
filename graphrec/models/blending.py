"""How the scores of several models become one, and weights for them that are learned on held-out interactions."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

BLENDS = ("score", "rank")

#: Added to ranks, so that the first places of one member do not decide alone (Cormack et al., SIGIR 2009).
RANK_OFFSET = 60

#: Items beyond this rank get nothing in a blend of ranks.
DEPTH = 1000

#: Weights are learned for this cut-off.
CUT_OFF = 20

#: A weight is multiplied by these, coarsely first; a weight of zero starts again from these shares of the largest.
FACTORS = ((0.0, 0.4, 0.7, 1.4, 2.5), (0.85, 1.18))
REVIVALS = (0.1, 0.4)

#: Rounds over all members in each of the searches above.
ROUNDS = 6

#: A spread below this share of the largest score is rounding, not a preference.
FLAT = 1e-6


def contribution(scores: Tensor, history: sparse.csr_array, signed: bool, blend: str) -> Tensor:
    """What one member adds to a blend [batch, num_items], from its scores, which are overwritten.

    score: the scores divided by their standard deviation over the items that are not in the user's history. The mean
    is not taken off: it moves all items of a user alike, and a zero keeps its meaning, that nothing is known.
    rank: 1/(60 + rank) among the items that are known and not in the history; those in the history get 0.
    """
    scores = scores.nan_to_num_(0.0, 0.0, 0.0)
    if not signed:
        scores.clamp_(min=0.0)
    rows = torch.from_numpy(np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))).to(scores.device)
    columns = torch.from_numpy(history.indices.astype(np.int64)).to(scores.device)
    own = scores[rows, columns]
    scores[rows, columns] = 0.0
    if blend == "rank":
        return _reciprocal_ranks(scores)
    spread = scores.std(dim=1, correction=0, keepdim=True)
    largest = torch.maximum(scores.amax(dim=1, keepdim=True), -scores.amin(dim=1, keepdim=True))
    scores[rows, columns] = own
    return scores.div_(torch.where(spread > FLAT * largest, spread, torch.ones_like(spread)))


def _reciprocal_ranks(scores: Tensor) -> Tensor:
    best = scores.masked_fill(scores == 0, -torch.inf).topk(min(DEPTH, scores.shape[1]))
    rank = torch.arange(1, best.values.shape[1] + 1, device=scores.device)
    parts = (1.0 / (RANK_OFFSET + rank)).expand(best.values.shape) * best.values.isfinite()
    return torch.zeros_like(scores).scatter_(1, best.indices, parts)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What weights are learned from: for each user some candidates, each member's part in them, and what was held out.

    parts [num_users, num_members, num_candidates]; relevant [num_users, num_candidates] 1 for held-out items, else 0;
    usable [num_users, num_candidates]: false for the history and for repeats; wanted [num_users]: held-out items,
    candidates or not; degree [num_users]: of the users in what the members were fitted to.
    """

    parts: Tensor
    relevant: Tensor
    usable: Tensor
    wanted: Tensor
    degree: Tensor

    def of(self, users: Tensor) -> "HeldOut":
        """The rows of some users."""
        fields = (self.parts, self.relevant, self.usable, self.wanted, self.degree)
        return HeldOut(*(values[users] for values in fields))

    def ndcg(self, weights: Tensor) -> float:
        """The mean NDCG@20 of the candidates blended by weights [num_members]."""
        blended = torch.einsum("m,umc->uc", weights, self.parts)
        blended = blended.masked_fill(~self.usable | (blended == 0), -torch.inf)
        best = blended.topk(min(CUT_OFF, blended.shape[1]))
        hits = self.relevant.gather(1, best.indices) * best.values.isfinite()
        discount = 1.0 / torch.arange(2, CUT_OFF + 2, device=weights.device).log2()
        ideal = discount.cumsum(0)[self.wanted.clamp(max=CUT_OFF) - 1]
        return float(((hits @ discount[: hits.shape[1]]) / ideal).mean())


def learn_weights(held: HeldOut, start: Tensor | None = None) -> Tensor:
    """Weights [num_members], none negative, with sum 1, of the best NDCG@20 that a search by coordinates finds.

    It begins at the best of equal weights and single members, or at `start`.
    """
    members = held.parts.shape[1]
    singles = torch.eye(members, device=held.parts.device)
    starts = [singles.mean(0), *singles] if start is None else [start]
    best = max((held.ndcg(weights), -place) for place, weights in enumerate(starts))
    weights, quality = starts[-best[1]], best[0]
    for factors in FACTORS if members > 1 else ():
        for _ in range(ROUNDS):
            before = quality
            for member in range(members):
                weights, quality = _along(held, weights, quality, member, factors)
            if quality == before:
                break
    return weights / weights.sum()


def _along(
    held: HeldOut, weights: Tensor, quality: float, member: int, factors: tuple[float, ...]
) -> tuple[Tensor, float]:
    """The weights and their quality after the weight of one member was changed to the best value tried."""
    own = float(weights[member])
    values = [own * factor for factor in factors] if own else [share * float(weights.max()) for share in REVIVALS]
    for value in values:
        tried = weights.clone()
        tried[member] = value
        if float(tried.sum()) > 0 and (found := held.ndcg(tried)) > quality:
            weights, quality = tried, found
    return weights, quality


def grouped_weights(held: HeldOut, groups: int) -> tuple[Tensor, Tensor]:
    """Weights [groups, num_members], and the degrees [groups − 1] from which the second, third, … group begins.

    The groups are quantiles of the held-out users' degrees; each starts from the weights of all, and those of a group
    are kept half way to them, because a group has fewer users to learn from.
    """
    common = learn_weights(held)
    if groups == 1:
        return common[None], common.new_empty(0)
    share = torch.arange(1, groups, device=common.device) / groups
    limits = held.degree.float().quantile(share).ceil()
    group = torch.bucketize(held.degree.float(), limits, right=True)
    found = []
    for number in range(groups):
        users = (group == number).nonzero().squeeze(1)
        own = learn_weights(held.of(users), common) if len(users) else common
        found.append((own + common) / 2)
    return torch.stack(found), limits
