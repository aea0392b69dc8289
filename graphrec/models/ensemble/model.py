"""A blend of the scores or ranks of several models, with weights learned on validation interactions."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, append_row, empty_csr, pack, unpack
from graphrec.models.attribution import HistoryAttribution
from graphrec.models.base import Model
from graphrec.models.ensemble.blending import (
    BLENDS,
    BlendData,
    gain_over_equal_weights,
    learn_group_weights,
    normalise_scores,
)
from graphrec.models.ensemble.fitting import (
    FitCounter,
    fit_members,
    make_members,
    pack_members,
    resolve_members,
    restore_members,
)
from graphrec.models.ensemble.hold_out import VALIDATIONS, HoldOut, find_common_users, hold_out
from graphrec.models.ensemble.members import parse_members
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.train_view import restrict
from graphrec.vocabulary import IndexArray

#: Maximum number of validation users, and of candidates of each member for each of them.
USERS, CANDIDATES = 4000, 200

#: Memory budget in bytes for the scores of all members while weights are learned.
SCORES_BYTES = 1 << 28


@dataclass(frozen=True)
class EnsembleConfig:
    """Settings of ensemble.

    members: the models and their settings, such as `graph_filter(rank=64), ials`.
    blend: score (scores divided by their standard deviation per user) or rank (reciprocal ranks).
    weights: weights of the members, such as `0.7 0.3`, none negative and at least one positive; empty if they are
        learned. If learned weights are no better than equal ones, `blend` becomes rank and the weights are equal.
    validation: the interactions that weights are learned on. `latest`: the latest tenth of all. `newest`: the newest
        fifth of each history, and its last interaction. `last`: the last interaction of each user. `random`: a random
        tenth, and a random interaction of each user. `coherent`: a topically coherent fifth of each history, for users
        who move on to new topics; a random part favours neighbour models. `auto`: `latest`, or `random` without times.
    groups: number of groups of users by their number of interactions, at least 1; each group has learned weights.
    """

    members: str = "graph_filter, ials, rp3beta"
    blend: str = "score"
    weights: str = ""
    validation: str = "auto"
    groups: int = 1

    def __post_init__(self) -> None:
        members = parse_members(self.members)
        if self.blend not in BLENDS:
            raise DataError(f"ensemble: blend is one of {', '.join(BLENDS)}, not {self.blend!r}")
        if self.validation not in VALIDATIONS:
            raise DataError(f"ensemble: validation is one of {', '.join(VALIDATIONS)}, not {self.validation!r}")
        if self.groups < 1:
            raise DataError("ensemble: groups is at least 1")
        weights = self.given_weights
        if weights and len(weights) != len(members):
            raise DataError(f"ensemble: there are {len(members)} members, but {len(weights)} weights")
        if weights and (min(weights) < 0 or not any(weights)):
            raise DataError("ensemble: weights must not be negative, and at least one must be positive")
        if weights and self.groups > 1:
            raise DataError("ensemble: the weights of groups are learned; leave out either weights or groups")

    @property
    def given_weights(self) -> list[float]:
        """The given weights; empty if they are to be learned. Raises DataError if the text is not numbers."""
        try:
            return [float(word) for word in self.weights.split()]
        except ValueError as error:
            raise DataError(f"ensemble: weights takes numbers such as `0.7 0.3`, not {self.weights!r}") from error


class Ensemble(Model[EnsembleConfig]):
    """score(u, ·) = Σ_m w_m s_m(u, ·) / σ_m(u) over the members m with weights w_m and scores s_m.

    σ_m(u) is the standard deviation of s_m(u, ·) over the items that are not in the user's history. With blend=rank,
    the score is Σ_m w_m / (60 + rank_m), reciprocal rank fusion (Cormack et al., SIGIR 2009). A score is zero if no
    member has information on the user and item.

    To learn the weights, members are fitted to a part of the interactions, and the weights maximise NDCG@20 on the
    rest; then all members are fitted to all interactions. Weights that cannot be distinguished from equal ones are not
    used: the ranks are averaged instead.
    """

    config_class = EnsembleConfig
    reads_relations = True
    has_signed_scores = True
    trials = 0

    def __init__(self, config: EnsembleConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.members = make_members(config.members, self.device)
        self.weights = torch.empty(0, 0)  # [groups, num_members]
        self.limits = torch.empty(0)  # [groups - 1], the smallest degree of the second, third, … group
        self.history = empty_csr()  # [num_users, num_items]
        self._folded_in: list[Tensor] = []  # the members' scores [1, num_items] for the user of `with_user`

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Learn the weights on validation interactions, then fit all members to all interactions.

        If learned weights are not better than equal ones by more than one standard error in a cross-validation over the
        validation users, the ranks of the members have equal weights.
        """
        # So that `restore` makes the same members.
        self.config = replace(self.config, members=resolve_members(self.config.members, graph))
        seeds = [int(seed) for seed in rng.integers(1 << 62, size=len(self.members))]
        given_weights = self.config.given_weights
        self.weights = torch.tensor([given_weights or [1.0] * len(seeds)], device=self.device)
        self.weights /= self.weights.sum()
        self.limits = torch.empty(0, device=self.device)
        parts = None if given_weights else hold_out(interactions, self.config.validation, rng)
        steps = FitCounter(progress, len(seeds) * (1 if parts is None else 2))
        if parts is not None:
            train_graph = restrict(graph, parts.train, parts.cut, parts.validation)
            members = fit_members(
                make_members(self.config.members, self.device), train_graph, parts.train, seeds, steps
            )
            blend_data = self._collect_blend_data(members, parts, rng)
            gain, error = gain_over_equal_weights(blend_data, self.config.groups, rng)
            if gain > error:
                self.weights, self.limits = learn_group_weights(blend_data, self.config.groups)
            else:
                self.config = replace(self.config, blend="rank")
            del members, blend_data  # frees their memory before the next fits
        self.members = fit_members(make_members(self.config.members, self.device), graph, interactions, seeds, steps)
        self.history = interactions.matrix()

    def score(self, user_index: IndexArray) -> Tensor:
        """The blended scores [batch, num_items] float32."""
        return self._blend(lambda member: member.score(user_index), self.history[user_index])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """The blended `fold_in` scores [batch, num_items] float32 of all members for histories [batch, num_items].

        Raises GraphrecError if a member cannot fold in users.
        """
        return self._blend(lambda member: member.fold_in(history), history)

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """The blended `fold_in_users` scores [batch, num_items] float32 of all members.

        Raises GraphrecError if a member cannot fold in users.
        """
        return self._blend(lambda member: member.fold_in_users(target, relations), target.matrix())

    def with_user(self, target: Interactions, relations: Relations) -> Self:
        """The ensemble whose members have one more user; raises GraphrecError if a member cannot fold in users."""
        extended = copy(self)
        extended._folded_in = [member.fold_in_users(target, relations) for member in self.members]
        extended.members = [member.with_user(target, relations) for member in self.members]
        extended.history = append_row(self.history, target.matrix())
        return extended

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The sum of the members' contributions, each multiplied by the member's weight and by the ratio of its
        normalised score to its score.

        Exact if the blend is by score and the members' attributions are exact.
        """
        users, total, exact = np.array([user_index]), np.zeros(history.nnz), self.config.blend == "score"
        is_folded_in = bool(self._folded_in) and user_index == self.history.shape[0] - 1
        for number, weight in enumerate(self.member_weights(history)[0].tolist()):
            if weight <= 0:
                continue
            member = self.members[number]
            scores = self._folded_in[number].clone() if is_folded_in else member.score(users)
            score = float(scores[0, item_index])
            scores = normalise_scores(scores, self.history[users], member.has_signed_scores, self.config.blend)
            normalised = float(scores[0, item_index])
            attribution = member.explain_history(history, user_index, item_index)
            if attribution.amount is None:
                exact = False
            elif score:
                total += attribution.amount * (weight * normalised / score)
                exact &= attribution.exact
        return HistoryAttribution(total, exact)

    def state(self) -> State:
        """The weights, the training histories, and the states of all members with the member's number as prefix."""
        blend_state = {"weights": self.weights.cpu(), "limits": self.limits.cpu(), **pack("history", self.history)}
        return {**blend_state, **pack_members(self.members)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore weights, histories and members."""
        self.weights, self.limits = (state[name].to(self.device) for name in ("weights", "limits"))
        self.history = unpack("history", state)
        self.members = restore_members(self.config.members, self.device, state)

    def member_weights(self, history: sparse.csr_array) -> Tensor:
        """The weights [batch, num_members] of the groups of users with histories [batch, num_items]."""
        degree = torch.from_numpy(np.diff(history.indptr).astype(np.float32)).to(self.device)
        return self.weights[torch.bucketize(degree, self.limits, right=True)]

    def _blend(self, scores_of: Callable[[Model[Any]], Tensor], history: sparse.csr_array) -> Tensor:
        weights = self.member_weights(history)
        total = torch.zeros(history.shape, device=self.device)
        for number, member in enumerate(self.members):
            weight = weights[:, number, None]
            if bool((weight > 0).any()):
                part = normalise_scores(scores_of(member), history, member.has_signed_scores, self.config.blend)
                total.addcmul_(part, weight)
        return total

    def _collect_blend_data(self, members: list[Model[Any]], parts: HoldOut, rng: np.random.Generator) -> BlendData:
        """The data that weights are learned from, computed for batches of users whose scores fit SCORES_BYTES."""
        train, validation = parts.train.matrix(), parts.validation.matrix()
        users = np.sort(rng.permutation(find_common_users(train, validation))[:USERS])
        size = max(SCORES_BYTES // (len(members) * parts.train.num_items * 8), 1)
        batches = [users[first : first + size] for first in range(0, len(users), size)]
        return BlendData.concat([self._collect_candidates(members, batch, train, validation) for batch in batches])

    def _collect_candidates(
        self,
        members: list[Model[Any]],
        users: IndexArray,
        train: sparse.csr_array,
        validation: sparse.csr_array,
    ) -> BlendData:
        """The best new items of each member for some users, with the normalised scores of all members."""
        history = train[users]
        all_scores, best = [], []
        new = torch.from_numpy(history.toarray() == 0).to(self.device)
        for member in members:
            scores = normalise_scores(member.score(users), history, member.has_signed_scores, self.config.blend)
            candidates = scores.masked_fill(~new | (scores == 0), -torch.inf)
            best.append(candidates.topk(min(CANDIDATES, scores.shape[1])).indices)
            all_scores.append(scores)
        index = torch.cat(best, dim=1).sort(dim=1).values  # [batch, num_candidates]
        first = torch.ones_like(index, dtype=torch.bool)
        first[:, 1:] = index[:, 1:] != index[:, :-1]
        relevant = torch.from_numpy(validation[users].toarray()).to(self.device)
        num_relevant, degree = (
            torch.from_numpy(np.diff(m.indptr)).to(self.device) for m in (validation[users], history)
        )
        return BlendData(
            torch.stack([scores.gather(1, index) for scores in all_scores], dim=1),
            relevant.gather(1, index),
            first & new.gather(1, index),
            num_relevant.long(),
            degree,
        )
