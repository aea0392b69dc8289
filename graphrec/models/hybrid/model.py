"""Two stages: several models propose candidates, and gradient-boosted trees rank them."""

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
from graphrec.linalg.csr import State
from graphrec.models.attribution import HistoryAttribution, InputContributions
from graphrec.models.base import Model
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
from graphrec.models.hybrid.candidates import MAX_RANK, Candidates, find_candidates, reciprocal_ranks
from graphrec.models.hybrid.inputs import GraphInputs, UserRows, describe_group
from graphrec.models.hybrid.trees import (
    OBJECTIVES,
    RankingData,
    Trees,
    TreeSettings,
    Values,
    choose_settings,
    require_lightgbm,
)
from graphrec.models.recency import has_days
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.train_view import restrict
from graphrec.vocabulary import IndexArray

#: Maximum number of validation users, and of candidates of all of them.
USERS, ROWS = 4000, 2_000_000

#: Number of users below which the latest tenth of all interactions is too small a part to learn from.
MIN_USERS = 100

#: Default members for behaviour with times.
MEMBERS_WITH_TIMES = "sequence_filter, graph_filter, item_knn, ials"

#: Batch size in users whose candidates are collected at once.
BATCH = 256


@dataclass(frozen=True)
class HybridConfig:
    """Settings of hybrid.

    members: the models and their settings, such as `graph_filter(rank=64), ials`; the default for a graph whose
        behaviour has times is `sequence_filter, graph_filter, item_knn, ials`.
    candidates: number of new items that each member proposes for a user.
    validation: the interactions that trees are learned on, as in ensemble. `auto`: `latest` if it has enough users,
        else `newest`; `random` without times.
    objective: binary, lambdarank (five to ten times as slow), or auto for the better one in a cross-validation.
    trees: maximum number of trees; the number is chosen in a cross-validation.
    leaves: maximum number of leaves of a tree.
    min_leaf: minimum number of candidates in a leaf.
    learning_rate: factor of each tree.
    """

    members: str = "graph_filter, ials, rp3beta"
    candidates: int = 100
    validation: str = "auto"
    objective: str = "binary"
    trees: int = 200
    leaves: int = 7
    min_leaf: int = 100
    learning_rate: float = 0.07

    def __post_init__(self) -> None:
        parse_members(self.members)
        if self.validation not in VALIDATIONS:
            raise DataError(f"hybrid: validation is one of {', '.join(VALIDATIONS)}, not {self.validation!r}")
        if self.objective not in ("auto", *OBJECTIVES):
            raise DataError(f"hybrid: objective is one of auto, {', '.join(OBJECTIVES)}, not {self.objective!r}")
        if self.candidates < 1 or self.trees < 1 or self.min_leaf < 1 or self.leaves < 2:
            raise DataError("hybrid: candidates, trees and min_leaf are at least 1, and leaves at least 2")
        if self.learning_rate <= 0:
            raise DataError("hybrid: learning_rate must be positive")


class Hybrid(Model[HybridConfig]):
    """score(u, i) = Σ_t tree_t(x(u, i)) − mean for the candidates i of user u, the best new items of each member.

    The inputs x(u, i) are the members' scores and ranks, and what `GraphInputs` computes from the graph: popularity,
    times, shared attributes and paths. Items that are no candidates have lower scores than all candidates, in the order
    of Σ_m 61 / (60 + rank_m). The score is zero for the user's history, and where no member has information.

    To learn the trees, members are fitted to a part of the interactions, and the trees rank their candidates by the
    rest; then all members are fitted to all interactions. If the trees are not better than the members' ranks with
    equal weights by more than one standard error in a cross-validation over the validation users, they are not used:
    the score is then the mean of 61 / (60 + rank_m).
    """

    config_class = HybridConfig
    reads_relations = True
    has_signed_scores = True
    trials = 0

    def __init__(self, config: HybridConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.members = make_members(config.members, self.device)
        self.inputs = GraphInputs()
        self.trees: Trees | None = None
        # what is known of the user of `with_user`, and the members' scores [1, num_items]
        self._folded_in: tuple[UserRows, list[Tensor]] | None = None

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Learn the trees on validation interactions, then fit all members to all interactions.

        Raises GraphrecError if LightGBM is not installed.
        """
        require_lightgbm()
        # So that `restore` makes the same members.
        self.config = replace(self.config, members=resolve_members(self.config.members, graph))
        seeds = [int(seed) for seed in rng.integers(1 << 62, size=len(self.members))]
        parts = self._hold_out(interactions, rng)
        steps = FitCounter(progress, len(seeds) * (1 if parts is None else 2))
        self.trees = None
        if parts is not None:
            train_graph = restrict(graph, parts.train, parts.cut, parts.validation)
            self._fit_members(train_graph, parts.train, seeds, steps)
            self.trees = self._learn_trees(parts, rng)
        self._fit_members(graph, interactions, seeds, steps)

    def _fit_members(self, graph: HeteroGraph, interactions: Interactions, seeds: list[int], steps: FitCounter) -> None:
        members = make_members(self.config.members, self.device)
        self.members = fit_members(members, graph, interactions, seeds, steps)
        self.inputs = GraphInputs.build(graph, interactions)

    def _hold_out(self, interactions: Interactions, rng: np.random.Generator) -> HoldOut | None:
        """The parts that `validation` names; `auto` avoids a latest tenth of few users."""
        parts = hold_out(interactions, self.config.validation, rng)
        if self.config.validation != "auto" or interactions.time is None:
            return parts
        if parts is None or len(find_common_users(parts.train.matrix(), parts.validation.matrix())) < MIN_USERS:
            return hold_out(interactions, "newest", rng)
        return parts

    def _learn_trees(self, parts: HoldOut, rng: np.random.Generator) -> Trees | None:
        """The trees of the settings that a cross-validation chooses; None if they gain too little."""
        data, fused = self._collect(parts, rng)
        c = self.config
        objectives = OBJECTIVES if c.objective == "auto" else (c.objective,)
        tried = [TreeSettings(name, c.trees, c.leaves, c.min_leaf, c.learning_rate) for name in objectives]
        choice = choose_settings(data, tried, fused, rng)
        if choice is None or choice.gain <= choice.error:
            return None
        return Trees.fit(data, choice.settings, int(rng.integers(1 << 31)))

    def _collect(self, parts: HoldOut, rng: np.random.Generator) -> tuple[RankingData, Values]:
        """The candidates of the validation users, and their scores without trees [n]."""
        train, validation = parts.train.matrix(), parts.validation.matrix()
        validation = sparse.csr_array(validation - validation.multiply(train))
        validation.eliminate_zeros()
        limit = min(USERS, max(ROWS // (len(self.members) * self.config.candidates), 1))
        users = np.sort(rng.permutation(find_common_users(train, validation))[:limit])
        values, relevant, row, fused = [], [], [], []
        for start in range(0, len(users), BATCH):
            batch = users[start : start + BATCH]
            rows = self.inputs.training_rows(batch)
            found = self._find_candidates(lambda member, batch=batch: member.score(batch), rows)  # type: ignore[misc]
            values.append(self._compute_inputs(found, rows))
            relevant.append(validation[batch].toarray()[found.row, found.item])
            row.append(found.row + start)
            fused.append(found.fused[found.row, found.item].cpu().numpy())
        num_relevant = np.diff(validation[users].indptr).astype(np.int64)
        data = RankingData(np.concatenate(values), np.concatenate(relevant), np.concatenate(row), num_relevant)
        return data, np.concatenate(fused)

    def score(self, user_index: IndexArray) -> Tensor:
        """The scores [batch, num_items] float32, of candidates by the trees."""
        return self._score(lambda member: member.score(user_index), self.inputs.training_rows(user_index))

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """The scores [batch, num_items] float32 of histories [batch, num_items], whose users have no relations and were
        active at the end of the training interactions.

        Raises GraphrecError if a member cannot fold in users.
        """
        return self._score(lambda member: member.fold_in(history), self.inputs.history_rows(history))

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """The scores [batch, num_items] float32 of users by all that is known of them.

        Raises GraphrecError if a member cannot fold in users.
        """
        rows = self.inputs.new_rows(target, relations)
        return self._score(lambda member: member.fold_in_users(target, relations), rows)

    def _score(self, scores_of: Callable[[Model[Any]], Tensor], rows: UserRows) -> Tensor:
        found = self._find_candidates(scores_of, rows)
        if self.trees is None:
            return found.fused
        scores = torch.where(found.fused > 0, found.fused + self._offset(), 0.0)
        by_trees = self.trees.score(self._compute_inputs(found, rows)).astype(np.float32)
        scores[found.row, found.item] = torch.from_numpy(by_trees).to(self.device)
        return scores

    def _offset(self) -> float:
        """The score of an item that is no candidate without its ranks, which add at most 1: below all candidates."""
        assert self.trees is not None
        return self.trees.lowest - 2.0

    def _find_candidates(self, scores_of: Callable[[Model[Any]], Tensor], rows: UserRows) -> Candidates:
        return find_candidates(self.members, scores_of, rows.history, self.config.candidates)

    def _compute_inputs(self, found: Candidates, rows: UserRows) -> Values:
        """The inputs [n, num_inputs] of candidates: scores and ranks of the members, then those from the graph."""
        return np.column_stack([found.scores, found.ranks, self.inputs.compute(rows, found.row, found.item)])

    # Explanations

    def with_user(self, target: Interactions, relations: Relations) -> Self:
        """The model with one more user; raises GraphrecError if a member cannot fold in users."""
        extended = copy(self)
        scores = [member.fold_in_users(target, relations) for member in self.members]
        extended._folded_in = self.inputs.new_rows(target, relations), scores
        extended.members = [member.with_user(target, relations) for member in self.members]
        return extended

    def _score_by_members(self, user_index: int) -> tuple[UserRows, list[Tensor]]:
        """What is known of a user, and the members' scores [1, num_items]."""
        if self._folded_in is not None and user_index == self.inputs.history.shape[0]:
            rows, scores = self._folded_in
            return rows, [each.clone() for each in scores]
        users = np.array([user_index])
        return self.inputs.training_rows(users), [member.score(users) for member in self.members]

    def explain_inputs(self, user_index: int, item_index: int) -> InputContributions:
        """The score as a sum over the inputs: Shapley values of the trees, or the ranks of the members without trees.

        An item that is no candidate has the amounts of its ranks, and a negative one for not being a candidate.
        """
        rows, scores = self._score_by_members(user_index)
        remaining = iter(scores)
        found = find_candidates(self.members, lambda _: next(remaining), rows.history, MAX_RANK)
        place = np.flatnonzero(found.item == item_index)
        if not len(place):
            return InputContributions((), (), np.empty(0))
        one = Candidates(found.row[place], found.item[place], found.scores[place], found.ranks[place], found.fused)
        ranks = one.ranks[0]
        places = [
            f"place {rank:.0f} of {label}" if rank <= MAX_RANK else f"no place of {label}"
            for rank, label in zip(ranks.tolist(), self._label_members(), strict=True)
        ]
        if self.trees is None or ranks.min() > self.config.candidates:
            amounts = np.where(ranks <= MAX_RANK, reciprocal_ranks(ranks), 0.0) / len(ranks)
            names = [f"rank {rank:.0f}" for rank in ranks.tolist()]
            if self.trees is not None:
                places.append(f"no place among the first {self.config.candidates:,} of any model")
                names, amounts = [*names, "no candidate"], np.append(amounts, self._offset())
            return InputContributions(tuple(places), tuple(names), amounts.astype(np.float64))
        values = self._compute_inputs(one, rows)
        graph_inputs = self.inputs.inputs
        names = ["score"] * len(ranks) + ["rank"] * len(ranks) + [each.name for each in graph_inputs]
        groups = [*places, *places, *(describe_group(each.group) for each in graph_inputs)]
        with_values = [f"{name} {value:.4g}" for name, value in zip(names, values[0].tolist(), strict=True)]
        return InputContributions(tuple(groups), tuple(with_values), self.trees.explain(values)[0])

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The members' contributions, each scaled to what the member's score and rank contribute to the score.

        Never exact, because other inputs contribute too.
        """
        inputs, (_, scores) = self.explain_inputs(user_index, item_index), self._score_by_members(user_index)
        groups, total = np.array(inputs.group), np.zeros(history.nnz)
        # the first groups are the members' places
        for member, member_scores, place in zip(self.members, scores, inputs.group, strict=False):
            share, score = float(inputs.amount[groups == place].sum()), float(member_scores[0, item_index])
            amount = member.explain_history(history, user_index, item_index).amount if share and score else None
            if amount is not None:
                total += amount * (share / score)
        return HistoryAttribution(total, exact=False)

    def _label_members(self) -> list[str]:
        """The names of the members' models, numbered where several have the same."""
        names = [member.name for member in parse_members(self.config.members)]
        return [
            f"{name} {names[: place + 1].count(name)}" if names.count(name) > 1 else name
            for place, name in enumerate(names)
        ]

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[HybridConfig]:
        """The default; with times, one of the members reads the order of events."""
        return [HybridConfig(members=MEMBERS_WITH_TIMES) if has_days(graph) else HybridConfig()]

    # Saving

    def state(self) -> State:
        """The trees, the matrices of the inputs, and the states of all members with the member's number as prefix."""
        trees = {} if self.trees is None else {"trees": self.trees.state()}
        inputs = {f"inputs/{name}": value for name, value in self.inputs.state().items()}
        return {**trees, **inputs, **pack_members(self.members)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore trees, inputs and members. Raises GraphrecError if LightGBM is not installed."""
        self.trees = Trees.restore(state["trees"]) if "trees" in state else None
        prefix = "inputs/"
        self.inputs = GraphInputs.restore(
            {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        )
        self.members = restore_members(self.config.members, self.device, state)
