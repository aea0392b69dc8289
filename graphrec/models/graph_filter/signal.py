"""The signal of users in graph_filter: own behaviour, that of friends, and that of users with the same attributes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from graphrec.errors import DataError, UnknownNameError
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, empty_csr, in_32_bits, pack, unpack
from graphrec.linalg.sparse import scale_columns, topk_gram
from graphrec.models.recency import find_other_pairs, weigh_by_age
from graphrec.relations import Relations
from graphrec.vocabulary import IndexArray

#: Maximum number of items in the profile of an attribute value: the most frequent ones.
PROFILE_ITEMS = 200

#: Maximum number of items that a relation adds to a user's signal: those of largest weight, the rarer first if tied.
RELATION_ITEMS = 60

#: Exponent of the item degree that breaks such ties in favour of rarer items.
RARITY_EXPONENT = 0.1

#: Maximum weight of a relation; float32 holds its products with counts.
MAX_WEIGHT = 1e9


@dataclass(frozen=True, eq=False)
class UserRows:
    """One user's rows of a Signal.

    behaviour, other_pairs: the user's rows of these matrices, [1, num_items].
    related: by social relation and user attribute, the user's row [1, num_users] or [1, num_values].
    relation_signals: by the same relations, its part of the signal, [1, num_items].
    in_profiles: whether the profiles of the user's attribute values contain the user's own behaviour.
    """

    behaviour: sparse.csr_array
    related: Mapping[str, sparse.csr_array]
    relation_signals: Mapping[str, sparse.csr_array]
    other_pairs: sparse.csr_array
    in_profiles: bool = True


@dataclass(frozen=True, eq=False)
class Signal:
    """The signal of users: B + Σ_s w_s · (mean B of the friends in s) + Σ_a w_a · (mean profile of the values of a).

    s are the social relations with weights w_s, a the user attributes with weights w_a.

    behaviour: B, the weighted sum of behaviours, [num_users, num_items].
    other_pairs: the pairs of B that are not in the target behaviour, [num_users, num_items].
    social: by relation, with rows that sum to w_s, [num_users, num_users].
    values: by user attribute, with rows that sum to w_a, [num_users, num_values].
    profiles: by attribute, the mean behaviour of the users of each value, cut to PROFILE_ITEMS items, [num_values,
        num_items].
    relation_signals: by relation, its part of the signal, cut to RELATION_ITEMS items, [num_users, num_items].
    now: Unix seconds of the last event, from which half-lives count.
    folded_in: the rows of one more user, at the position num_users, whose behaviour no profile and no friend has.
    """

    behaviour: sparse.csr_array = field(default_factory=empty_csr)
    other_pairs: sparse.csr_array = field(default_factory=empty_csr)
    social: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    values: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    profiles: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    relation_signals: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    now: int = 0
    folded_in: UserRows | None = None

    def rows_of(self, user_index: int) -> UserRows:
        """The rows of a user in training, or of the one that was folded in."""
        if self.folded_in is not None and user_index == self.behaviour.shape[0]:
            return self.folded_in
        related = {name: matrix[[user_index]] for name, matrix in {**self.social, **self.values}.items()}
        signals = {name: self.relation_signals[name][[user_index]] for name in related}
        return UserRows(self.behaviour[[user_index]], related, signals, self.other_pairs[[user_index]])

    def with_user(
        self, behaviour: sparse.csr_array, related: Mapping[str, sparse.csr_array], other_pairs: sparse.csr_array
    ) -> "Signal":
        """The signal with a user who is folded in; `related` has the rows of `scale_relations`."""
        signals = {name: self.relation_signal(rows, name) for name, rows in related.items()}
        return replace(self, folded_in=UserRows(behaviour, related, signals, other_pairs, False))

    def for_users(self, user_index: IndexArray) -> sparse.csr_array:
        """The signal [batch, num_items] of users in training."""
        signal = self.behaviour[user_index]
        for rows in self.relation_signals.values():
            signal = sparse.csr_array(signal + rows[user_index])
        return signal

    def combine(self, behaviour: sparse.csr_array, related: Mapping[str, sparse.csr_array]) -> sparse.csr_array:
        """The signal [batch, num_items] of any users, from their behaviour [batch, num_items] and rows of relations."""
        signal = behaviour
        for name, rows in related.items():
            if rows.nnz:
                signal = sparse.csr_array(signal + self.relation_signal(rows, name))
        return signal

    def relation_signal(self, rows: sparse.csr_array, name: str) -> sparse.csr_array:
        """The part of the signal [batch, num_items] that rows of a relation add, cut to RELATION_ITEMS items."""
        behaviour = self.behaviour if name in self.social else self.profiles[name]
        rarity = self._rarity[name]
        used, index = np.unique(rows.indices, return_inverse=True)  # a new user needs a few rows only
        selected = sparse.csr_array((rows.data, index, rows.indptr), shape=(rows.shape[0], len(used)))
        added = topk_gram(sparse.csr_array(selected.T), scale_columns(behaviour[used], rarity), RELATION_ITEMS)
        return scale_columns(added, 1.0 / rarity)

    def scale_relations(self, related: Mapping[str, sparse.csr_array]) -> dict[str, sparse.csr_array]:
        """The rows for `combine`: those of relations that the model uses, scaled to sum to the relation's weight."""
        weights = self._relation_weights
        return {name: scale_rows(rows, weights[name]) for name, rows in related.items() if name in weights}

    @cached_property
    def _rarity(self) -> dict[str, npt.NDArray[np.float64]]:
        """By relation, the factor [num_items] that prefers rarer items; the same for all users who are folded in."""
        of_behaviour = _rarity_of(self.behaviour) if self.social else np.ones(0)
        social = dict.fromkeys(self.social, of_behaviour)
        return social | {name: _rarity_of(profiles) for name, profiles in self.profiles.items()}

    @cached_property
    def _relation_weights(self) -> dict[str, float]:
        """The weights w_s and w_a of the relations that have any edges."""
        known = {**self.social, **self.values}
        return {name: float(matrix.sum(axis=1).max()) for name, matrix in known.items() if matrix.nnz}

    def state(self) -> State:
        """All matrices as tensors."""
        state = pack("behaviour", self.behaviour) | pack("beside", self.other_pairs) | {"now": torch.tensor(self.now)}
        for kind, matrices in self._kinds().items():
            for name, matrix in matrices.items():
                state |= pack(f"{kind}/{name}", matrix)
        return state

    def _kinds(self) -> dict[str, Mapping[str, sparse.csr_array]]:
        """The matrices by the prefix of their keys in a state."""
        return {
            "social": self.social,
            "values": self.values,
            "profiles": self.profiles,
            "around": self.relation_signals,
        }

    @classmethod
    def from_state(cls, state: State) -> "Signal":
        """The signal of a `state`."""
        kinds = {
            kind: {name: unpack(f"{kind}/{name}", state) for name in list_names(state, kind)} for kind in cls()._kinds()
        }
        now = int(state["now"]) if "now" in state else 0  # runs saved by versions before 0.1 have none
        social, values, profiles, relation_signals = kinds.values()
        behaviour, other_pairs = unpack("behaviour", state), unpack("beside", state)
        return cls(behaviour, other_pairs, social, values, profiles, relation_signals, now)


def _rarity_of(behaviour: sparse.csr_array) -> npt.NDArray[np.float64]:
    """degree ** -RARITY_EXPONENT of each item [num_items]."""
    degree = np.maximum(np.bincount(behaviour.indices, minlength=behaviour.shape[1]), 1)
    rarity: npt.NDArray[np.float64] = degree**-RARITY_EXPONENT
    return rarity


def list_names(state: State, kind: str) -> list[str]:
    """The names of the matrices of a kind in a state, in their order."""
    shapes = [key for key in state if key.startswith(f"{kind}/") and key.endswith(".shape")]
    return [key.split("/", 1)[1].removesuffix(".shape") for key in shapes]


def find_last_event(target: Interactions, others: Mapping[str, Interactions], weights: Mapping[str, float]) -> int:
    """Unix seconds of the newest event of the behaviours with a positive weight; 0 if they have no times."""
    used = [target, *(part for name, part in others.items() if weights[name] > 0)]
    return max((int(part.time.max()) for part in used if part.time is not None and len(part)), default=0)


def combine_behaviours(
    target: Interactions, others: Mapping[str, Interactions], weights: Mapping[str, float], half_life: float, now: int
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """B = Σ_b w_b ½^(age/half-life) B_b, and the pairs of other behaviours that are not in the target behaviour.

    Both are [num_users, num_items] float32; the target has w_b = 1. Ages in days are counted from `now`; without times,
    or with a half-life of 0, events do not decay.
    """
    used = {name: part for name, part in others.items() if weights[name] > 0 and len(part)}
    total = weigh_by_age(target, half_life, now)
    for name, part in used.items():
        total = sparse.csr_array(total + weigh_by_age(part, half_life, now) * np.float32(weights[name]))
    return in_32_bits(total), in_32_bits(find_other_pairs(target, used.values()))


def build_signal(
    parts: tuple[sparse.csr_array, sparse.csr_array], relations: Relations, weights: Mapping[str, float]
) -> Signal:
    """The Signal of `parts`, the result of `combine_behaviours`, and of the relations with a positive weight."""
    behaviour, other_pairs = parts
    social = {name: scale_rows(m, weights[name]) for name, m in relations.social.items() if weights[name] > 0}
    attributes = {name: m for name, m in relations.user_attributes.items() if weights[f"user {name}"] > 0}
    profiles = {}
    for name, matrix in attributes.items():
        num_users = np.maximum(np.bincount(matrix.indices, minlength=matrix.shape[1]), 1)
        ones = sparse.csr_array((np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
        profiles[name] = topk_gram(scale_columns(ones, 1.0 / num_users), behaviour, PROFILE_ITEMS)
    values = {name: scale_rows(m, weights[f"user {name}"]) for name, m in attributes.items()}
    signal = Signal(behaviour, other_pairs, social, values, profiles)
    relation_signals = {name: signal.relation_signal(rows, name) for name, rows in {**social, **values}.items()}
    return replace(signal, relation_signals=relation_signals)


def scale_rows(matrix: sparse.csr_array, weight: float) -> sparse.csr_array:
    """The rows of a relation, scaled to sum to a weight, float32."""
    sums = np.asarray(matrix.sum(axis=1), dtype=np.float32)
    factor = np.repeat(np.float32(weight) / np.where(sums > 0, sums, 1.0), np.diff(matrix.indptr))
    data = (matrix.data * factor).astype(np.float32)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def relation_weights(relations: Relations, defaults: Mapping[str, float], weights: str) -> dict[str, float]:
    """The weight of each relation by name: from the text `NAME=WEIGHT NAME=WEIGHT …`, else the default of its kind.

    User attributes have the key `user NAME`, since a tag may describe both users and items; the text sets both.

    Raises:
        UnknownNameError: the text names a relation that the graph does not have.
        DataError: the text has another form, or a weight is not from 0 to MAX_WEIGHT.
    """
    kinds = {
        "behaviour": relations.behaviours,
        "social": relations.social,
        "user_attribute": relations.user_attributes,
        "attribute": relations.item_attributes,
        "item_relation": relations.item_items,
    }
    prefix = {"user_attribute": "user "}
    result = {prefix.get(kind, "") + name: defaults[kind] for kind, names in kinds.items() for name in names}
    for part in weights.replace(",", " ").split():
        name, _, text = part.partition("=")
        if name not in relations.names():
            raise UnknownNameError("relation", name, relations.names())
        try:
            value = float(text)
        except ValueError as error:
            raise DataError(f"graph_filter: weights takes NAME=WEIGHT with a number, not {part!r}") from error
        if not 0 <= value <= MAX_WEIGHT:
            raise DataError(f"graph_filter: a weight is a number from 0 to {MAX_WEIGHT:g}, not {part!r}")
        result |= {key: value for key in (name, f"user {name}") if key in result}
    return result
