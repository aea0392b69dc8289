"""Normalise the scores of several models to blend them, and learn weights of the blend on validation interactions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.models.base import ROUNDING_ERROR

BLENDS = ("score", "rank")

#: Offset of ranks, so that the first places of one member do not decide alone (Cormack et al., SIGIR 2009).
RANK_OFFSET = 60

#: Maximum rank that counts in a blend of ranks.
DEPTH = 1000

#: Cut-off of the NDCG that weights maximise.
CUT_OFF = 20

#: Factors that the search multiplies a weight by, first coarse, then fine; and the shares of the largest weight from
#: which a weight of zero starts again.
FACTORS = ((0.0, 0.4, 0.7, 1.4, 2.5), (0.85, 1.18))
REVIVALS = (0.1, 0.4)

#: Maximum number of rounds over all members in each of the two searches.
ROUNDS = 6

#: Batch size of users whose scores are standardised, chosen to fit the processor's cache.
CACHED = 32


def normalise_scores(scores: Tensor, history: sparse.csr_array, signed: bool, blend: str) -> Tensor:
    """The normalised scores [batch, num_items] of one member of a blend; `scores` are overwritten.

    score: the scores divided by their standard deviation over the items that are not in the user's history. The mean is
    not subtracted: it moves all items of a user alike, and a zero keeps its meaning that nothing is known.
    rank: 1/(60 + rank) among the known items that are not in the history; items of the history get 0.

    Args:
        scores: the member's scores, [batch, num_items].
        history: the histories of the same users, [batch, num_items].
        signed: whether negative scores are preferences (`Model.has_signed_scores`).
        blend: `score` or `rank`.
    """
    size = CACHED if scores.device.type == "cpu" else max(len(scores), 1)
    for start in range(0, len(scores), size):
        _prepare(scores[start : start + size], history[start : start + size], signed, blend == "score")
    return scores if blend == "score" else _reciprocal_ranks(scores)


def _prepare(scores: Tensor, history: sparse.csr_array, signed: bool, divide: bool) -> None:
    """Clean scores [batch, num_items] in place: NaN and infinities become 0, and without a sign negative scores too.

    With `divide`, scores are divided by their spread unless it is a rounding error; without, the scores of the history
    and rounding errors become 0.
    """
    scores.nan_to_num_(0.0, 0.0, 0.0)
    if not signed:
        scores.clamp_(min=0.0)
    error = ROUNDING_ERROR * torch.maximum(scores.amax(dim=1, keepdim=True), -scores.amin(dim=1, keepdim=True))
    if not divide:
        scores.masked_fill_(scores.abs() <= error, 0.0)
    rows = torch.from_numpy(np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))).to(scores.device)
    columns = torch.from_numpy(history.indices.astype(np.int64)).to(scores.device)
    own = scores[rows, columns]
    scores[rows, columns] = 0.0
    if divide:
        spread = _spread(scores)
        scores[rows, columns] = own
        scores.div_(torch.where(spread > error, spread, torch.ones_like(spread)))


def _spread(scores: Tensor) -> Tensor:
    """The standard deviation of each row, [batch, 1], in a fifth of the time of torch.std."""
    centred = scores - scores.mean(dim=1, keepdim=True)
    spread: Tensor = torch.linalg.vector_norm(centred, dim=1, keepdim=True).div_(scores.shape[1] ** 0.5)
    return spread


def _reciprocal_ranks(scores: Tensor) -> Tensor:
    best = scores.masked_fill(scores == 0, -torch.inf).topk(min(DEPTH, scores.shape[1]))
    rank = torch.arange(1, best.values.shape[1] + 1, device=scores.device)
    parts = (1.0 / (RANK_OFFSET + rank)).expand(best.values.shape) * best.values.isfinite()
    return torch.zeros_like(scores).scatter_(1, best.indices, parts)


@dataclass(frozen=True, eq=False)
class PopularityShift:
    """Validation items weighted by popularity, as a second criterion for weights.

    gain: weight of the candidates that are validation items, else 0, [num_users, num_candidates].
    ideal: maximum of Σ weight / log₂(rank + 1) over the first CUT_OFF places, [num_users].
    """

    gain: Tensor
    ideal: Tensor

    @classmethod
    def of(cls, relevant: Tensor, item_weight: Tensor, index: Tensor) -> Self:
        """The shift of validation items.

        Args:
            relevant: 1 for validation items, else 0, [num_users, num_items].
            item_weight: weight of each item, [num_items].
            index: positions of the candidates, [num_users, num_candidates].
        """
        gain = relevant * item_weight
        best = gain.topk(min(CUT_OFF, gain.shape[1])).values
        return cls(gain.gather(1, index), best @ _discount(best))


@dataclass(frozen=True, eq=False)
class BlendData:
    """The data that weights are learned from: candidates of validation users with the normalised scores of all members.

    parts: normalised scores, [num_users, num_members, num_candidates].
    relevant: 1 for validation items, else 0, [num_users, num_candidates].
    usable: False for items of the history and for repeated candidates, [num_users, num_candidates].
    num_relevant: number of validation items, candidates or not, [num_users].
    degree: number of training interactions, [num_users].
    shift: validation items weighted by popularity, if weights must be good for those too.
    """

    parts: Tensor
    relevant: Tensor
    usable: Tensor
    num_relevant: Tensor
    degree: Tensor
    shift: PopularityShift | None = None

    def of(self, users: Tensor) -> "BlendData":
        """The rows of some users."""
        shift = None if self.shift is None else PopularityShift(self.shift.gain[users], self.shift.ideal[users])
        return self._with(lambda values: values(self)[users], shift)

    @classmethod
    def joined(cls, parts: "Sequence[BlendData]") -> "BlendData":
        """The users of several BlendData with the same members, in order."""
        shifts = [part.shift for part in parts if part.shift is not None]
        shift = (
            PopularityShift(torch.cat([s.gain for s in shifts]), torch.cat([s.ideal for s in shifts]))
            if shifts
            else None
        )
        return cls._with(lambda values: torch.cat([values(part) for part in parts]), shift)

    @classmethod
    def _with(
        cls, made: "Callable[[Callable[[BlendData], Tensor]], Tensor]", shift: PopularityShift | None
    ) -> "BlendData":
        return cls(
            parts=made(lambda data: data.parts),
            relevant=made(lambda data: data.relevant),
            usable=made(lambda data: data.usable),
            num_relevant=made(lambda data: data.num_relevant),
            degree=made(lambda data: data.degree),
            shift=shift,
        )

    def ndcg(self, weights: Tensor) -> float:
        """The mean NDCG@20 of the candidates blended by weights [num_members]."""
        return self.qualities(weights)[0]

    def qualities(self, weights: Tensor) -> list[float]:
        """The mean NDCG@20 of the candidates blended by weights [num_members], and with a shift also that of the
        weighted validation items."""
        blended = torch.einsum("m,umc->uc", weights, self.parts)
        blended = blended.masked_fill(~self.usable | (blended == 0), -torch.inf)
        best = blended.topk(min(CUT_OFF, blended.shape[1]))
        discount, found = _discount(best.values), best.values.isfinite()
        ideal = _discount(best.values, CUT_OFF).cumsum(0)[self.num_relevant.clamp(max=CUT_OFF) - 1]
        measures = [(self.relevant, ideal)]
        if self.shift is not None:
            measures.append((self.shift.gain, self.shift.ideal))
        return [float(((gain.gather(1, best.indices) * found) @ discount / most).mean()) for gain, most in measures]


def _discount(ranked: Tensor, length: int | None = None) -> Tensor:
    """1 / log₂(rank + 1), [length], for ranked items [num_users, length]."""
    return 1.0 / torch.arange(2, (length or ranked.shape[1]) + 2, device=ranked.device).log2()


def learn_weights(data: BlendData, start: Tensor | None = None) -> Tensor:
    """Weights [num_members], non-negative with sum 1, of the best NDCG@20 that a coordinate search finds.

    The search starts from the best of equal weights and single members, or from `start`. With a popularity shift, it
    maximises the smaller of two relative gains over equal weights (or `start`), of the NDCG and of the NDCG of weighted
    items, so that the weights do not depend on how the validation part differs from future interactions.
    """
    members = data.parts.shape[1]
    singles = torch.eye(members, device=data.parts.device)
    starts = [singles.mean(0), *singles] if start is None else [start]
    reference = [max(quality, 1e-9) for quality in data.qualities(starts[0])]

    def relative_quality(weights: Tensor) -> float:
        return min(found / least for found, least in zip(data.qualities(weights), reference, strict=True))

    best = max((relative_quality(weights), -place) for place, weights in enumerate(starts))
    weights, quality = starts[-best[1]], best[0]
    for factors in FACTORS if members > 1 else ():
        for _ in range(ROUNDS):
            before = quality
            for member in range(members):
                weights, quality = _search_weight(relative_quality, weights, quality, member, factors)
            if quality == before:
                break
    return weights / weights.sum()


def _search_weight(
    measure: Callable[[Tensor], float], weights: Tensor, quality: float, member: int, factors: tuple[float, ...]
) -> tuple[Tensor, float]:
    """The weights and their quality after changing the weight of one member to the best value tried."""
    own = float(weights[member])
    values = [own * factor for factor in factors] if own else [share * float(weights.max()) for share in REVIVALS]
    for value in values:
        tried = weights.clone()
        tried[member] = value
        if float(tried.sum()) > 0 and (found := measure(tried)) > quality:
            weights, quality = tried, found
    return weights, quality


def grouped_weights(data: BlendData, groups: int) -> tuple[Tensor, Tensor]:
    """Weights [groups, num_members], and the smallest degrees [groups − 1] of the second, third, … group.

    The groups are quantiles of the degrees of the validation users. The search of each group starts from the weights of
    all users; its result is averaged with them, because a group has fewer users to learn from.
    """
    common = learn_weights(data)
    if groups == 1:
        return common[None], common.new_empty(0)
    share = torch.arange(1, groups, device=common.device) / groups
    limits = data.degree.float().quantile(share).ceil()
    group = torch.bucketize(data.degree.float(), limits, right=True)
    found = []
    for number in range(groups):
        users = (group == number).nonzero().squeeze(1)
        own = learn_weights(data.of(users), common) if len(users) else common
        found.append((own + common) / 2)
    return torch.stack(found), limits
