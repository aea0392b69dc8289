"""How the scores of several models become one, and weights for them that are learned on held-out interactions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.models.base import ROUNDING_ERROR

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

#: Users whose scores are standardised at one time: each of the passes then finds them in the processor's cache.
CACHED = 32


def normalise_scores(scores: Tensor, history: sparse.csr_array, signed: bool, blend: str) -> Tensor:
    """What one member adds to a blend [batch, num_items], from its scores, which are overwritten.

    score: the scores divided by their standard deviation over the items that are not in the user's history. The mean
    is not taken off: it moves all items of a user alike, and a zero keeps its meaning, that nothing is known.
    rank: 1/(60 + rank) among the items that are known and not in the history; those in the history get 0.
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
    """The standard deviation of each row [batch, 1], in a fifth of the time that torch's own function takes."""
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
    """What the held-out items are worth where popular ones count for more: a second opinion about weights.

    gain [num_users, num_candidates]: the worth of held-out candidates, else 0; ideal [num_users]: the most that
    Σ worth / log₂(rank + 1) can be over the first 20 places.
    """

    gain: Tensor
    ideal: Tensor

    @classmethod
    def of(cls, truth: Tensor, worth: Tensor, index: Tensor) -> Self:
        """The shift of held-out items, 0/1 [num_users, num_items], each of them worth so much [num_items], for
        candidates at positions [num_users, num_candidates]."""
        gain = truth * worth
        best = gain.topk(min(CUT_OFF, gain.shape[1])).values
        return cls(gain.gather(1, index), best @ _discount(best))


@dataclass(frozen=True, eq=False)
class BlendData:
    """What weights are learned from: for each user some candidates, each member's part in them, and what was held out.

    parts [num_users, num_members, num_candidates]; relevant [num_users, num_candidates] 1 for held-out items, else 0;
    usable [num_users, num_candidates]: false for the history and for repeats; wanted [num_users]: held-out items,
    candidates or not; degree [num_users]: of the users in what the members were fitted to; shift: the held-out items
    weighted, where weights must be good for those too.
    """

    parts: Tensor
    relevant: Tensor
    usable: Tensor
    wanted: Tensor
    degree: Tensor
    shift: PopularityShift | None = None

    def of(self, users: Tensor) -> "BlendData":
        """The rows of some users."""
        shift = None if self.shift is None else PopularityShift(self.shift.gain[users], self.shift.ideal[users])
        return self._with(lambda values: values(self)[users], shift)

    @classmethod
    def joined(cls, parts: "Sequence[BlendData]") -> "BlendData":
        """All users of several, which have the same members, in their order."""
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
            parts=made(lambda held: held.parts),
            relevant=made(lambda held: held.relevant),
            usable=made(lambda held: held.usable),
            wanted=made(lambda held: held.wanted),
            degree=made(lambda held: held.degree),
            shift=shift,
        )

    def ndcg(self, weights: Tensor) -> float:
        """The mean NDCG@20 of the candidates blended by weights [num_members]."""
        return self.qualities(weights)[0]

    def qualities(self, weights: Tensor) -> list[float]:
        """The mean NDCG@20 of the candidates blended by weights [num_members]; with a shift, then that of the weighted
        items."""
        blended = torch.einsum("m,umc->uc", weights, self.parts)
        blended = blended.masked_fill(~self.usable | (blended == 0), -torch.inf)
        best = blended.topk(min(CUT_OFF, blended.shape[1]))
        discount, found = _discount(best.values), best.values.isfinite()
        ideal = _discount(best.values, CUT_OFF).cumsum(0)[self.wanted.clamp(max=CUT_OFF) - 1]
        measures = [(self.relevant, ideal)]
        if self.shift is not None:
            measures.append((self.shift.gain, self.shift.ideal))
        return [float(((gain.gather(1, best.indices) * found) @ discount / most).mean()) for gain, most in measures]


def _discount(ranked: Tensor, length: int | None = None) -> Tensor:
    """1 / log₂(rank + 1) of the places [length] of ranked items [num_users, length]."""
    return 1.0 / torch.arange(2, (length or ranked.shape[1]) + 2, device=ranked.device).log2()


def learn_weights(held: BlendData, start: Tensor | None = None) -> Tensor:
    """Weights [num_members], none negative, with sum 1, of the best NDCG@20 that a search by coordinates finds.

    It begins at the best of equal weights and single members, or at `start`. With a shift, the best are those whose
    smaller gain over equal weights (or `start`) is largest, of the plain quality and of that of weighted items: what
    is learned from a held-out part that differs from the part to come must not depend on the difference.
    """
    members = held.parts.shape[1]
    singles = torch.eye(members, device=held.parts.device)
    starts = [singles.mean(0), *singles] if start is None else [start]
    reference = [max(quality, 1e-9) for quality in held.qualities(starts[0])]

    def worth(weights: Tensor) -> float:
        return min(found / least for found, least in zip(held.qualities(weights), reference, strict=True))

    best = max((worth(weights), -place) for place, weights in enumerate(starts))
    weights, quality = starts[-best[1]], best[0]
    for factors in FACTORS if members > 1 else ():
        for _ in range(ROUNDS):
            before = quality
            for member in range(members):
                weights, quality = _along(worth, weights, quality, member, factors)
            if quality == before:
                break
    return weights / weights.sum()


def _along(
    worth: Callable[[Tensor], float], weights: Tensor, quality: float, member: int, factors: tuple[float, ...]
) -> tuple[Tensor, float]:
    """The weights and their worth after the weight of one member was changed to the best value tried."""
    own = float(weights[member])
    values = [own * factor for factor in factors] if own else [share * float(weights.max()) for share in REVIVALS]
    for value in values:
        tried = weights.clone()
        tried[member] = value
        if float(tried.sum()) > 0 and (found := worth(tried)) > quality:
            weights, quality = tried, found
    return weights, quality


def grouped_weights(held: BlendData, groups: int) -> tuple[Tensor, Tensor]:
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
