"""The weighted history of users in sequence_filter: own events, and those of friends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy import sparse

from graphrec.behaviours import behaviour_type
from graphrec.histories import Histories, build_histories, merge_behaviours
from graphrec.interactions import FloatArray, Interactions
from graphrec.linalg.csr import State, pack, unpack
from graphrec.linalg.events import DAY
from graphrec.linalg.sequence_kernels import Doubles
from graphrec.models.graph_filter.signal import list_names, scale_rows
from graphrec.vocabulary import IndexArray

#: Name of the target behaviour in histories.
TARGET = ""


@dataclass(frozen=True, eq=False)
class WeightedHistories:
    """Histories whose events have a weight.

    histories: the events of all users.
    strengths: the weight of the behaviour of each event, [num_events].
    in_order: whether the events have an order; otherwise all events of a user have the same, mean weight.
    half_life: in days, counted from the last event of the user; 0 ignores times.
    """

    histories: Histories
    strengths: FloatArray
    in_order: bool
    half_life: float = 0.0

    @classmethod
    def of(
        cls, histories: Histories, in_order: bool, strengths: Mapping[str, float], half_life: float = 0.0
    ) -> "WeightedHistories":
        """Histories with the weight of each behaviour by name."""
        by_event = np.ones(histories.num_events, dtype=np.float32)
        if histories.behaviours is not None:
            by_code = np.array([strengths[name] for name in histories.behaviour_names], dtype=np.float32)
            by_event = by_code[histories.behaviours]
        return cls(histories, by_event, in_order, half_life)

    def last_days(self) -> Doubles:
        """The time of the last event of each user in days, 0 without events or times, [num_users]."""
        histories, last = self.histories, np.zeros(self.histories.num_users)
        if histories.times is not None:
            has_events = histories.lengths > 0
            last[has_events] = histories.times[histories.indptr[1:][has_events] - 1] / DAY
        return last

    def rows(self, decays: Sequence[float]) -> list[sparse.csr_array]:
        """For each memory the weighted history of each user, [num_users, num_items] float32."""
        histories, lengths, weights = self.histories, self.histories.lengths, self.strengths
        if histories.times is not None and self.half_life > 0:
            age = np.repeat(self.last_days(), lengths) - histories.times / DAY
            weights = (weights * 0.5 ** (age / self.half_life)).astype(np.float32)
        shape = (histories.num_users, histories.num_items)
        steps = np.repeat(histories.indptr[1:], lengths) - 1 - np.arange(histories.num_events)
        matrices = []
        for rho in decays:
            powers = rho ** np.arange(int(lengths.max(initial=0)) + 1, dtype=np.float64)
            if not self.in_order:  # the mean over all orders
                powers = np.cumsum(powers) / np.arange(1, len(powers) + 1)
                steps = np.repeat(lengths - 1, lengths)
            data = (powers[steps] * weights).astype(np.float32)
            rows = sparse.csr_array((data, histories.items, histories.indptr), shape=shape, copy=True)
            rows.sum_duplicates()
            matrices.append(rows)
        return matrices

    def take(self, users: IndexArray) -> "WeightedHistories":
        """The histories of some users [batch]."""
        starts, ends = self.histories.indptr[users], self.histories.indptr[users + 1]
        lengths = ends - starts
        events = np.arange(int(lengths.sum())) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        return WeightedHistories(self.histories.take(users), self.strengths[events], self.in_order, self.half_life)


@dataclass(frozen=True, eq=False)
class UserSignal:
    """The weighted histories of all users in training, and their friends.

    own: the histories.
    social: by relation, with rows that sum to its weight, [num_users, num_users].
    now: time of the last event of all users in days, from which the half-lives of friends count.
    folded_in: the history of one more user, at the position num_users, and the user's row of each social relation.
    """

    own: WeightedHistories
    social: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    now: float = 0.0
    folded_in: tuple[WeightedHistories, Mapping[str, sparse.csr_array]] | None = None

    def rows_of(self, user_index: int) -> tuple[WeightedHistories, Mapping[str, sparse.csr_array]]:
        """The history of one user, in training or folded in, and the user's row of each social relation."""
        if self.folded_in is not None and user_index == self.own.histories.num_users:
            return self.folded_in
        users = np.array([user_index])
        return self.own.take(users), {name: sparse.csr_array(matrix[users]) for name, matrix in self.social.items()}

    def with_user(self, own: WeightedHistories, social: Mapping[str, sparse.csr_array]) -> "UserSignal":
        """The signal with a user who is folded in; the rows of `social` [1, num_users] may have any sum."""
        return replace(self.until(own), folded_in=(own, self.scale_friends(social)))

    def until(self, own: WeightedHistories) -> "UserSignal":
        """The signal with a `now` that is not before the last event of other histories."""
        return replace(self, now=max(self.now, float(own.last_days().max(initial=0.0))))

    def scale_friends(self, social: Mapping[str, sparse.csr_array]) -> dict[str, sparse.csr_array]:
        """The rows of social relations [batch, num_users] that the model uses, scaled to sum to their weights."""
        weights = {name: float(matrix.sum(axis=1).max(initial=0.0)) for name, matrix in self.social.items()}
        return {name: scale_rows(social[name], weights[name]) for name in self.social if name in social}

    def for_users(self, users: IndexArray, decays: Sequence[float]) -> list[sparse.csr_array]:
        """For each memory the signal [batch, num_items] of users in training."""
        friends = {name: sparse.csr_array(matrix[users]) for name, matrix in self.social.items()}
        return self.add_friends(self.own.take(users).rows(decays), friends, decays)

    def add_friends(
        self, rows: list[sparse.csr_array], friends: Mapping[str, sparse.csr_array], decays: Sequence[float]
    ) -> list[sparse.csr_array]:
        """The signals [batch, num_items] plus the rows of friends by relation [batch, num_users]."""
        for matrix in friends.values():
            if matrix.nnz:
                used, index = np.unique(matrix.indices, return_inverse=True)
                selected = sparse.csr_array((matrix.data, index, matrix.indptr), shape=(matrix.shape[0], len(used)))
                added = [sparse.csr_array(selected @ part) for part in self.of_friends(used.astype(np.int64), decays)]
                rows = [sparse.csr_array(own + part) for own, part in zip(rows, added, strict=True)]
        return rows

    def of_friends(self, friends: IndexArray, decays: Sequence[float]) -> list[sparse.csr_array]:
        """For each memory the signal [n, num_items] of friends with a weight of 1, who forget from `now` on."""
        taken = self.own.take(friends)
        rows = taken.rows(decays)
        if taken.half_life <= 0:
            return rows
        factor = 0.5 ** ((self.now - taken.last_days()) / taken.half_life)
        return [sparse.csr_array(sparse.diags_array(factor.astype(np.float32)) @ part) for part in rows]

    def state(self) -> State:
        """The arrays of the histories and the social relations as tensors."""
        own = self.own
        state: State = {
            "histories.indptr": torch.from_numpy(own.histories.indptr),
            "histories.items": torch.from_numpy(own.histories.items),
            "histories.strengths": torch.from_numpy(own.strengths),
            "histories.in_order": torch.tensor(own.in_order),
            "histories.num_items": torch.tensor(own.histories.num_items),
            "now": torch.tensor(self.now, dtype=torch.float64),
        }
        if own.histories.times is not None:
            state["histories.times"] = torch.from_numpy(own.histories.times)
        for name, matrix in self.social.items():
            state |= pack(f"social/{name}", matrix)
        return state

    @classmethod
    def from_state(cls, state: State, half_life: float) -> "UserSignal":
        """The signal of a `state`."""
        times = state["histories.times"].numpy() if "histories.times" in state else None
        histories = Histories(
            state["histories.indptr"].numpy(),
            state["histories.items"].numpy(),
            int(state["histories.num_items"]),
            times,
        )
        in_order = bool(state["histories.in_order"])
        own = WeightedHistories(histories, state["histories.strengths"].numpy(), in_order, half_life)
        social = {name: unpack(f"social/{name}", state) for name in list_names(state, "social")}
        return cls(own, social, float(state["now"]))


def gather_histories(
    target: Interactions, behaviours: Mapping[str, Interactions], weights: Mapping[str, float]
) -> tuple[Histories, bool]:
    """The histories of the target behaviour and of those others that have times and a positive weight, 0 by default,
    and whether they have an order. Without times of the target, they have its items only, in the given order."""
    if target.time is None:
        return build_histories(target, in_order=True), False
    weighted = {name: part for name, part in behaviours.items() if weights.get(name, 0.0) > 0}
    used = [name for name, part in weighted.items() if part.time is not None and len(part)]
    if not used:
        return build_histories(target), True
    parts = {name: behaviours[name] for name in sorted(used, key=lambda name: behaviour_type(name).strength or 0)}
    return merge_behaviours({**parts, TARGET: target}), True
