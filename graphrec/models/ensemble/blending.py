"""Normalise the scores of several models for a blend, and learn its weights on validation interactions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.models.base import ROUNDING_ERROR

BLENDS = ("score", "rank")

#: Constant added to ranks, so that the first ranks of one member do not dominate (Cormack et al., SIGIR 2009).
RANK_OFFSET = 60

#: Maximum rank that counts in a blend of ranks.
MAX_RANK = 1000

#: Cut-off of the NDCG that weights maximise.
CUT_OFF = 20

#: Factors that the search multiplies a weight by: first coarse, then fine.
FACTORS = ((0.0, 0.4, 0.7, 1.4, 2.5), (0.85, 1.18))

#: Values that the search tries for a weight of zero, as shares of the largest weight.
RESTARTS = (0.1, 0.4)

#: Maximum number of rounds over all members in each of the two searches.
ROUNDS = 6

#: Batch size in users whose scores are normalised at once, chosen to fit the processor's cache.
BATCH = 32


def normalise_scores(scores: Tensor, history: sparse.csr_array, signed: bool, blend: str) -> Tensor:
    """The normalised scores [batch, num_items] of one member of a blend; `scores` are overwritten.

    score: the scores divided by their standard deviation over the items that are not in the user's history. The mean is
    not subtracted: it would shift all items of a user equally, and zeros would lose their meaning (`Model.score`).
    rank: 1/(60 + rank) among the items with a non-zero score that are not in the history; all other items get 0.

    Args:
        scores: the member's scores, [batch, num_items].
        history: the histories of the same users, [batch, num_items].
        signed: whether scores may be negative (`Model.has_signed_scores`); otherwise negative scores count as 0.
        blend: `score` or `rank`.
    """
    size = BATCH if scores.device.type == "cpu" else max(len(scores), 1)
    for start in range(0, len(scores), size):
        _clean_scores(scores[start : start + size], history[start : start + size], signed, blend == "score")
    return scores if blend == "score" else _reciprocal_ranks(scores)


def _clean_scores(scores: Tensor, history: sparse.csr_array, signed: bool, divide: bool) -> None:
    """Clean scores [batch, num_items] in place: NaN, infinities and, unless `signed`, negative scores become 0.

    With `divide`, scores are then divided by their standard deviation unless it is a rounding error; without, scores of
    the history and rounding errors become 0.
    """
    scores.nan_to_num_(0.0, 0.0, 0.0)
    if not signed:
        scores.clamp_(min=0.0)
    error = ROUNDING_ERROR * torch.maximum(scores.amax(dim=1, keepdim=True), -scores.amin(dim=1, keepdim=True))
    if not divide:
        scores.masked_fill_(scores.abs() <= error, 0.0)
    rows = torch.from_numpy(np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))).to(scores.device)
    columns = torch.from_numpy(history.indices.astype(np.int64)).to(scores.device)
    history_scores = scores[rows, columns]
    scores[rows, columns] = 0.0
    if divide:
        deviation = _standard_deviation(scores)
        scores[rows, columns] = history_scores
        scores.div_(torch.where(deviation > error, deviation, torch.ones_like(deviation)))


def _standard_deviation(scores: Tensor) -> Tensor:
    """The standard deviation of each row, [batch, 1]; five times as fast as torch.std."""
    centred = scores - scores.mean(dim=1, keepdim=True)
    deviation: Tensor = torch.linalg.vector_norm(centred, dim=1, keepdim=True).div_(scores.shape[1] ** 0.5)
    return deviation


def _reciprocal_ranks(scores: Tensor) -> Tensor:
    """1/(RANK_OFFSET + rank) of the non-zero scores of each row up to MAX_RANK, else 0, [batch, num_items]."""
    best = scores.masked_fill(scores == 0, -torch.inf).topk(min(MAX_RANK, scores.shape[1]))
    rank = torch.arange(1, best.values.shape[1] + 1, device=scores.device)
    reciprocal = (1.0 / (RANK_OFFSET + rank)).expand(best.values.shape) * best.values.isfinite()
    return torch.zeros_like(scores).scatter_(1, best.indices, reciprocal)


@dataclass(frozen=True, eq=False)
class BlendData:
    """The data that weights are learned from: candidates of validation users with normalised scores of all members.

    scores: normalised scores, [num_users, num_members, num_candidates].
    relevant: 1 for validation items, else 0, [num_users, num_candidates].
    usable: False for items of the history and for repeated candidates, [num_users, num_candidates].
    num_relevant: number of validation items, candidates or not, [num_users].
    degree: number of training interactions, [num_users].
    """

    scores: Tensor
    relevant: Tensor
    usable: Tensor
    num_relevant: Tensor
    degree: Tensor

    def select(self, users: Tensor) -> "BlendData":
        """The data of some users."""
        return self._build(lambda field: field(self)[users])

    @classmethod
    def concat(cls, parts: "Sequence[BlendData]") -> "BlendData":
        """The users of several BlendData with the same members, in order."""
        return cls._build(lambda field: torch.cat([field(part) for part in parts]))

    @classmethod
    def _build(cls, compute: "Callable[[Callable[[BlendData], Tensor]], Tensor]") -> "BlendData":
        """BlendData whose tensors `compute` returns for the function that reads a field."""
        return cls(
            scores=compute(lambda data: data.scores),
            relevant=compute(lambda data: data.relevant),
            usable=compute(lambda data: data.usable),
            num_relevant=compute(lambda data: data.num_relevant),
            degree=compute(lambda data: data.degree),
        )

    def ndcg(self, weights: Tensor) -> float:
        """The mean NDCG@20 of the candidates blended by weights [num_members]."""
        return float(self.per_user(weights.expand(len(self.scores), -1)).mean())

    def per_user(self, weights: Tensor) -> Tensor:
        """The NDCG@20 of each user [num_users] for blends with the user's weights, [num_users, num_members]."""
        blended = torch.einsum("um,umc->uc", weights, self.scores)
        blended = blended.masked_fill(~self.usable | (blended == 0), -torch.inf)
        best = blended.topk(min(CUT_OFF, blended.shape[1]))
        discount, is_scored = _discount(best.values), best.values.isfinite()
        ideal = _discount(best.values, CUT_OFF).cumsum(0)[self.num_relevant.clamp(max=CUT_OFF) - 1]
        return (self.relevant.gather(1, best.indices) * is_scored) @ discount / ideal


def _discount(ranked: Tensor, length: int | None = None) -> Tensor:
    """1 / log₂(rank + 1), [length], for ranked items [num_users, length]."""
    return 1.0 / torch.arange(2, (length or ranked.shape[1]) + 2, device=ranked.device).log2()


def learn_weights(data: BlendData, start: Tensor | None = None) -> Tensor:
    """Weights [num_members], non-negative with sum 1, that maximise NDCG@20 in a coordinate search.

    The search starts from the best of equal weights and single members, or from `start`.
    """
    num_members = data.scores.shape[1]
    singles = torch.eye(num_members, device=data.scores.device)
    starts = [singles.mean(0), *singles] if start is None else [start]
    best = max((data.ndcg(weights), -index) for index, weights in enumerate(starts))
    weights, quality = starts[-best[1]], best[0]
    for factors in FACTORS if num_members > 1 else ():
        for _ in range(ROUNDS):
            before = quality
            for member in range(num_members):
                weights, quality = _search_weight(data.ndcg, weights, quality, member, factors)
            if quality == before:
                break
    return weights / weights.sum()


def _search_weight(
    evaluate: Callable[[Tensor], float], weights: Tensor, quality: float, member: int, factors: tuple[float, ...]
) -> tuple[Tensor, float]:
    """The weights and their quality after setting the weight of one member to the best value tried."""
    current = float(weights[member])
    values = (
        [current * factor for factor in factors] if current else [share * float(weights.max()) for share in RESTARTS]
    )
    for value in values:
        changed = weights.clone()
        changed[member] = value
        if float(changed.sum()) > 0 and (changed_quality := evaluate(changed)) > quality:
            weights, quality = changed, changed_quality
    return weights, quality


def learn_group_weights(data: BlendData, groups: int) -> tuple[Tensor, Tensor]:
    """Weights [groups, num_members], and the smallest degrees [groups − 1] of the second, third, … group.

    The groups are quantiles of the degrees of the validation users. The search of a group starts from the weights of
    all users, and its result is averaged with them, because a group has fewer users to learn from.
    """
    common = learn_weights(data)
    if groups == 1:
        return common[None], common.new_empty(0)
    quantiles = torch.arange(1, groups, device=common.device) / groups
    limits = data.degree.float().quantile(quantiles).ceil()
    group = torch.bucketize(data.degree.float(), limits, right=True)
    weights = []
    for number in range(groups):
        users = (group == number).nonzero().squeeze(1)
        group_weights = learn_weights(data.select(users), common) if len(users) else common
        weights.append((group_weights + common) / 2)
    return torch.stack(weights), limits


def gain_over_equal_weights(data: BlendData, groups: int, rng: np.random.Generator) -> tuple[float, float]:
    """The mean gain in NDCG@20 of learned weights over equal ones, and its standard error over users.

    Cross-validated: the weights of each half of the users are learned on the other half. For one user the error is
    infinite.
    """
    num_users, num_members = data.scores.shape[0], data.scores.shape[1]
    halves = torch.from_numpy(rng.permutation(num_users)).to(data.scores.device).tensor_split(2)
    if not len(halves[1]):
        return 0.0, float("inf")
    equal = torch.full((num_users, num_members), 1.0 / num_members, device=data.scores.device)
    learned = equal.clone()
    for half, other in (halves, halves[::-1]):
        weights, limits = learn_group_weights(data.select(other), groups)
        learned[half] = weights[torch.bucketize(data.degree[half].float(), limits, right=True)]
    difference = data.per_user(learned) - data.per_user(equal)
    return float(difference.mean()), float(difference.std()) / num_users**0.5
