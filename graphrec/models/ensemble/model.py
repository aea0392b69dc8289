"""A blend of the scores or ranks of several models, with weights learned on validation interactions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import FloatArray, Interactions
from graphrec.linalg.csr import State, empty_csr, pack, unpack
from graphrec.models import make
from graphrec.models.attribution import HistoryAttribution
from graphrec.models.base import Model
from graphrec.models.ensemble.blending import BLENDS, BlendData, PopularityShift, grouped_weights, normalise_scores
from graphrec.models.ensemble.members import parse_members
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.splitting import at_random, by_time
from graphrec.splitting.coherent import coherent_holdout
from graphrec.train_view import restrict
from graphrec.vocabulary import IndexArray

#: How the interactions that weights are learned on are held out.
VALIDATIONS = ("random", "coherent")

#: Share of the interactions that `random` holds out.
VALIDATION_SHARE = 0.1

#: Maximum number of validation users, and of candidates of each member for each of them.
USERS, CANDIDATES = 4000, 200

#: Memory budget in bytes for the scores of all members while weights are learned.
SCORES_BYTES = 1 << 28


@dataclass(frozen=True)
class EnsembleConfig:
    """Settings of ensemble.

    members: the models and their settings, such as `graph_filter(rank=64), ials`.
    blend: score (standardised for each user) or rank (reciprocal).
    weights: weights of the members, such as `0.7 0.3`; empty: learned.
    validation: the interactions that weights are learned on. `random`: a tenth of them, the last by time; without times
        a random tenth, whose weights must be good for its popular items as well as for all. `coherent`: a topically
        coherent fifth of each history, for users who move on to new topics; a random part favours neighbour models.
    groups: number of groups of users by their number of interactions, each with learned weights of its own.
    """

    members: str = "graph_filter, ials, rp3beta"
    blend: str = "score"
    weights: str = ""
    validation: str = "random"
    groups: int = 1

    def __post_init__(self) -> None:
        members = parse_members(self.members)
        if self.blend not in BLENDS:
            raise DataError(f"ensemble: blend is one of {', '.join(BLENDS)}, not {self.blend!r}")
        if self.validation not in VALIDATIONS:
            raise DataError(f"ensemble: validation is one of {', '.join(VALIDATIONS)}, not {self.validation!r}")
        if self.groups < 1:
            raise DataError("ensemble: groups is at least 1")
        given = self.given_weights
        if given and len(given) != len(members):
            raise DataError(f"ensemble: there are {len(members)} members, but {len(given)} weights")
        if given and (min(given) < 0 or not any(given)):
            raise DataError("ensemble: weights must not be negative, and at least one must be positive")
        if given and self.groups > 1:
            raise DataError("ensemble: the weights of groups are learned; leave out either weights or groups")

    @property
    def given_weights(self) -> list[float]:
        """The given weights; empty if they are to be learned. Raises DataError if the text is not numbers."""
        try:
            return [float(word) for word in self.weights.split()]
        except ValueError as error:
            raise DataError(f"ensemble: weights takes numbers such as `0.7 0.3`, not {self.weights!r}") from error


@dataclass(frozen=True, eq=False)
class HoldOut:
    """The interactions in two parts, to learn weights with.

    train: what the members are fitted to.
    validation: what the weights are learned on.
    cut: the time that divides the two; None if no time does.
    is_random: whether the validation part was drawn at random.
    """

    train: Interactions
    validation: Interactions
    cut: int | None = None
    is_random: bool = False


class Ensemble(Model[EnsembleConfig]):
    """score(u, ·) = Σ_m w_m s_m(u, ·) / σ_m(u) over the members m with weights w_m and scores s_m.

    σ_m(u) is the standard deviation of a member's scores over the items that are not in the user's history. With ranks,
    the sum of w_m / (60 + rank_m) as in reciprocal rank fusion (Cormack et al., SIGIR 2009). A score is zero if no
    member knows anything about the user and item.

    The members are fitted to a part of the interactions, the weights are those of the best NDCG@20 on the rest, and
    then all members are fitted to everything. If the validation part is random, the weights maximise the smaller of two
    gains over equal weights: that of the NDCG, and that of the NDCG with each item weighted by √(item degree).
    """

    config_class = EnsembleConfig
    reads_relations = True
    has_signed_scores = True
    trials = 0

    def __init__(self, config: EnsembleConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.members = self._unfitted()
        self.weights = torch.empty(0, 0)  # [groups, num_members]
        self.limits = torch.empty(0)  # [groups - 1], the smallest degree of the second, third, … group
        self.history = empty_csr()  # [num_users, num_items]

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Learn the weights on validation interactions, then fit all members to all interactions."""
        seeds = [int(seed) for seed in rng.integers(1 << 62, size=len(self.members))]
        given = self.config.given_weights
        self.weights = torch.tensor([given or [1.0] * len(seeds)], device=self.device)
        self.weights /= self.weights.sum()
        self.limits = torch.empty(0, device=self.device)
        parts = None if given else hold_out(interactions, self.config.validation, rng)
        steps = _Steps(progress, len(seeds) * (1 if parts is None else 2))
        if parts is not None:
            graph_before = restrict(graph, parts.train, parts.cut, parts.validation)
            members = self._fitted(graph_before, parts.train, seeds, steps)
            blend_data = self._blend_data(members, parts, rng)
            self.weights, self.limits = grouped_weights(blend_data, self.config.groups)
            del members, blend_data  # frees their memory before the next fits
        self.members = self._fitted(graph, interactions, seeds, steps)
        self.history = interactions.matrix()

    def score(self, user_index: IndexArray) -> Tensor:
        """The blended scores [batch, num_items] float32."""
        return self._blended(lambda member: member.score(user_index), self.history[user_index])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """The blended `fold_in` scores [batch, num_items] float32 of all members, row by row for histories.

        Raises GraphrecError if a member cannot fold in users.
        """
        return self._blended(lambda member: member.fold_in(history), history)

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """The blended `fold_in_users` scores [batch, num_items] float32 of all members.

        Raises GraphrecError if a member cannot fold in users.
        """
        return self._blended(lambda member: member.fold_in_users(target, relations), target.matrix())

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The contributions of all members, each scaled by its weight and by its blended score over its own score.

        Exact if the blend is by score and the members' attributions are exact.
        """
        users, total, exact = np.array([user_index]), np.zeros(history.nnz), self.config.blend == "score"
        for member, weight in zip(self.members, self.member_weights(history)[0].tolist(), strict=True):
            if weight <= 0:
                continue
            scores = member.score(users)
            plain = float(scores[0, item_index])
            normalised = normalise_scores(scores, self.history[users], member.has_signed_scores, self.config.blend)
            blended = float(normalised[0, item_index])
            found = member.explain_history(history, user_index, item_index)
            if found.amount is None:
                exact = False
            elif plain:
                total += found.amount * (weight * blended / plain)
                exact &= found.exact
        return HistoryAttribution(total, exact)

    def state(self) -> State:
        """The weights, the training histories, and the states of all members, with the member's number as prefix."""
        nested = {
            f"{number}/{name}": value
            for number, member in enumerate(self.members)
            for name, value in member.state().items()
        }
        own = {"weights": self.weights.cpu(), "limits": self.limits.cpu(), **pack("history", self.history)}
        return {**own, **nested}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
        self.weights, self.limits = (state[name].to(self.device) for name in ("weights", "limits"))
        self.history = unpack("history", state)
        self.members = self._unfitted()
        for number, member in enumerate(self.members):
            prefix = f"{number}/"
            own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
            member.restore(own)

    def _unfitted(self) -> list[Model[Any]]:
        return [make(m.name, self.device, **m.settings) for m in parse_members(self.config.members)]

    def _fitted(
        self, graph: HeteroGraph, interactions: Interactions, seeds: list[int], steps: "_Steps"
    ) -> list[Model[Any]]:
        members = self._unfitted()
        for member, seed in zip(members, seeds, strict=True):
            member.fit(graph, interactions, np.random.default_rng(seed))
            member.forget_variants()
            steps.done()
        return members

    def member_weights(self, history: sparse.csr_array) -> Tensor:
        """The weights [batch, num_members] of users with histories [batch, num_items], by their group."""
        degree = torch.from_numpy(np.diff(history.indptr).astype(np.float32)).to(self.device)
        return self.weights[torch.bucketize(degree, self.limits, right=True)]

    def _blended(self, scores_of: Callable[[Model[Any]], Tensor], history: sparse.csr_array) -> Tensor:
        weights = self.member_weights(history)
        total = torch.zeros(history.shape, device=self.device)
        for number, member in enumerate(self.members):
            weight = weights[:, number, None]
            if bool((weight > 0).any()):
                part = normalise_scores(scores_of(member), history, member.has_signed_scores, self.config.blend)
                total.addcmul_(part, weight)
        return total

    def _blend_data(self, members: list[Model[Any]], parts: HoldOut, rng: np.random.Generator) -> BlendData:
        """The data to learn weights from: candidates of validation users, in chunks that fit SCORES_BYTES."""
        train, validation = parts.train.matrix(), parts.validation.matrix()
        users = np.sort(rng.permutation(_users_in_both(train, validation))[:USERS])
        size = max(SCORES_BYTES // (len(members) * parts.train.num_items * 8), 1)
        item_weight = np.sqrt(np.maximum(parts.train.item_degree(), 1)).astype(np.float32) if parts.is_random else None
        blocks = [users[first : first + size] for first in range(0, len(users), size)]
        return BlendData.joined([self._candidates(members, block, train, validation, item_weight) for block in blocks])

    def _candidates(
        self,
        members: list[Model[Any]],
        users: IndexArray,
        train: sparse.csr_array,
        validation: sparse.csr_array,
        item_weight: FloatArray | None,
    ) -> BlendData:
        """The best new items of each member for some users, with every member's normalised scores of them."""
        history = train[users]
        parts, best = [], []
        new = torch.from_numpy(history.toarray() == 0).to(self.device)
        for member in members:
            part = normalise_scores(member.score(users), history, member.has_signed_scores, self.config.blend)
            shown = part.masked_fill(~new | (part == 0), -torch.inf)
            best.append(shown.topk(min(CANDIDATES, part.shape[1])).indices)
            parts.append(part)
        index = torch.cat(best, dim=1).sort(dim=1).values  # [batch, num_candidates]
        first = torch.ones_like(index, dtype=torch.bool)
        first[:, 1:] = index[:, 1:] != index[:, :-1]
        relevant = torch.from_numpy(validation[users].toarray()).to(self.device)
        num_relevant, degree = (
            torch.from_numpy(np.diff(m.indptr)).to(self.device) for m in (validation[users], history)
        )
        shift = None
        if item_weight is not None:
            shift = PopularityShift.of(relevant, torch.from_numpy(item_weight).to(self.device), index)
        return BlendData(
            torch.stack([part.gather(1, index) for part in parts], dim=1),
            relevant.gather(1, index),
            first & new.gather(1, index),
            num_relevant.long(),
            degree,
            shift,
        )


class _Steps:
    """Reports each fitted member to a progress callback."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.count, self.total = progress, 0, total

    def done(self) -> None:
        """Report one more fit."""
        self.count += 1
        if self.progress is not None:
            self.progress(self.count, self.total)


def hold_out(interactions: Interactions, validation: str, rng: np.random.Generator) -> HoldOut | None:
    """The HoldOut that `EnsembleConfig.validation` describes; None if no user has items in both parts, as in a graph of
    few interactions."""
    if len(interactions) < 3:
        return None
    if validation == "coherent":
        mask = coherent_holdout(interactions, rng)
        parts = HoldOut(interactions.take(~mask), interactions.take(mask))
    elif interactions.time is None:
        split = at_random(interactions, rng, validation=0.0, test=VALIDATION_SHARE)
        parts = HoldOut(split.train, split.test, is_random=True)
    else:
        split = by_time(interactions, rng, validation=0.0, test=VALIDATION_SHARE)
        parts = HoldOut(split.train, split.test, cut=split.cut)
    return parts if len(_users_in_both(parts.train.matrix(), parts.validation.matrix())) else None


def _users_in_both(train: sparse.csr_array, validation: sparse.csr_array) -> IndexArray:
    return np.flatnonzero((np.diff(train.indptr) > 0) & (np.diff(validation.indptr) > 0))
