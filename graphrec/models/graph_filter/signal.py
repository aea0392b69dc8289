"""The signal of users in graph_filter: own behaviour, that of friends, and that of users with the same attributes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy import sparse

from graphrec.errors import DataError, UnknownNameError
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, empty_csr, in_32_bits, pack, unpack
from graphrec.linalg.sparse import scale_columns, topk_gram
from graphrec.relations import Relations
from graphrec.vocabulary import IndexArray

#: Number of most frequent items in the profile of an attribute value.
PROFILE = 200

#: Number of items that a relation adds to a user's signal: those with the largest weight, and of ties the rarer.
AROUND = 60

#: Exponent of the item degree that breaks ties between those items in favour of the rarer.
RARER = 0.1

DAY = 86_400.0


@dataclass(frozen=True, eq=False)
class Signal:
    """The signal of users, B + Σ_s w_s · mean B of the friends in s + Σ_a w_a · mean profile of the values of a.

    s are the social relations with weights w_s, a the user attributes with weights w_a.

    behaviour: B, the weighted sum of behaviours, [num_users, num_items].
    beside: the pairs of B that are not in the target behaviour, [num_users, num_items].
    social: by relation, each row normalised to sum to w_s, [num_users, num_users].
    values: by user attribute, each row normalised to sum to w_a, [num_users, num_values].
    profiles: mean behaviour of the users of each value, cut to PROFILE items, [num_values, num_items] by attribute.
    around: the AROUND strongest items that each relation adds to a user's signal, [num_users, num_items] by relation.
    now: Unix seconds of the last event, from which half-lives count.
    """

    behaviour: sparse.csr_array = field(default_factory=empty_csr)
    beside: sparse.csr_array = field(default_factory=empty_csr)
    social: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    values: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    profiles: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    around: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    now: int = 0

    def of(self, user_index: IndexArray) -> sparse.csr_array:
        """The signal [batch, num_items] of users in training."""
        found = self.behaviour[user_index]
        for rows in self.around.values():
            found = sparse.csr_array(found + rows[user_index])
        return found

    def gather(self, own: sparse.csr_array, related: Mapping[str, sparse.csr_array]) -> sparse.csr_array:
        """The signal [batch, num_items] of any users, from own behaviour [batch, num_items] and relation rows."""
        found = own
        for name, rows in related.items():
            if rows.nnz:
                found = sparse.csr_array(found + self.cut(rows, name))
        return found

    def cut(self, rows: sparse.csr_array, name: str) -> sparse.csr_array:
        """The AROUND strongest items [batch, num_items] that rows of a relation add to the signal."""
        carried = self.behaviour if name in self.social else self.profiles[name]
        rarity = np.maximum(np.bincount(carried.indices, minlength=carried.shape[1]), 1) ** -RARER
        used, place = np.unique(rows.indices, return_inverse=True)  # one new user needs a few rows, not a copy of all
        few = sparse.csr_array((rows.data, place, rows.indptr), shape=(rows.shape[0], len(used)))
        found = topk_gram(sparse.csr_array(few.T), scale_columns(carried[used], rarity), AROUND)
        return scale_columns(found, 1.0 / rarity)

    def shared(self, related: Mapping[str, sparse.csr_array]) -> dict[str, sparse.csr_array]:
        """The rows for `gather`: those of relations that the model uses, normalised to sum to the relation's weight."""
        known = {**self.social, **self.values}
        used = {name: known[name] for name in related if name in known}
        weight = {name: float(matrix.sum(axis=1).max()) for name, matrix in used.items() if matrix.nnz}
        return {name: shares(rows, weight[name]) for name, rows in related.items() if name in weight}

    def state(self) -> State:
        """All matrices as tensors."""
        found = pack("behaviour", self.behaviour) | pack("beside", self.beside) | {"now": torch.tensor(self.now)}
        for kind, matrices in self._kinds().items():
            for name, matrix in matrices.items():
                found |= pack(f"{kind}/{name}", matrix)
        return found

    def _kinds(self) -> dict[str, Mapping[str, sparse.csr_array]]:
        return {"social": self.social, "values": self.values, "profiles": self.profiles, "around": self.around}

    @classmethod
    def restored(cls, state: State) -> "Signal":
        """The signal of a `state`."""
        kinds = {
            kind: {name: unpack(f"{kind}/{name}", state) for name in named(state, kind)} for kind in cls()._kinds()
        }
        now = int(state["now"]) if "now" in state else 0  # runs saved by versions before 0.1 have none
        return cls(unpack("behaviour", state), unpack("beside", state), **kinds, now=now)


def named(state: State, kind: str) -> list[str]:
    """The names of the matrices of a kind in a state, in order."""
    shapes = [key for key in state if key.startswith(f"{kind}/") and key.endswith(".shape")]
    return [key.split("/", 1)[1].removesuffix(".shape") for key in shapes]


def last_event(target: Interactions, others: Mapping[str, Interactions], weights: Mapping[str, float]) -> int:
    """Unix seconds of the newest event of the behaviours with a positive weight; 0 if they have no times."""
    used = [target, *(part for name, part in others.items() if weights[name] > 0)]
    return max((int(part.time.max()) for part in used if part.time is not None and len(part)), default=0)


def behaviour_of(
    target: Interactions, others: Mapping[str, Interactions], weights: Mapping[str, float], half_life: float, now: int
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """B = Σ_b w_b decay(t) B_b, and the pairs that other behaviours have and the target does not.

    Both are [num_users, num_items] float32; the weight of the target is 1. decay is ½^(age / half_life in days) before
    `now`, and 1 if half_life is 0 or a behaviour has no times.
    """
    used = {name: part for name, part in others.items() if weights[name] > 0 and len(part)}
    whole = _decayed(target, now, half_life)
    nothing = np.empty(0, dtype=np.int64)
    beside = sparse.csr_array((nothing.astype(np.float32), (nothing, nothing)), shape=whole.shape)
    for name, part in used.items():
        whole = sparse.csr_array(whole + _decayed(part, now, half_life) * np.float32(weights[name]))
        beside = sparse.csr_array(beside.maximum(part.matrix()))
    if used:
        beside = sparse.csr_array(beside - beside.multiply(target.matrix()))
        beside.eliminate_zeros()
    return in_32_bits(whole), in_32_bits(beside)


def build_signal(
    parts: tuple[sparse.csr_array, sparse.csr_array], around: Relations, weights: Mapping[str, float]
) -> Signal:
    """The Signal of a behaviour (as `behaviour_of` returns it) and of the relations with a positive weight."""
    behaviour, beside = parts
    social = {name: shares(m, weights[name]) for name, m in around.social.items() if weights[name] > 0}
    attributes = {name: m for name, m in around.user_attributes.items() if weights[f"user {name}"] > 0}
    profiles = {}
    for name, matrix in attributes.items():
        people = np.maximum(np.bincount(matrix.indices, minlength=matrix.shape[1]), 1)
        ones = sparse.csr_array((np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
        profiles[name] = topk_gram(scale_columns(ones, 1.0 / people), behaviour, PROFILE)
    values = {name: shares(m, weights[f"user {name}"]) for name, m in attributes.items()}
    found = Signal(behaviour, beside, social, values, profiles)
    return replace(found, around={name: found.cut(rows, name) for name, rows in {**social, **values}.items()})


def shares(matrix: sparse.csr_array, weight: float) -> sparse.csr_array:
    """The rows of a relation divided by their sums and multiplied by a weight, float32."""
    sums = np.asarray(matrix.sum(axis=1), dtype=np.float32)
    factor = np.repeat(np.float32(weight) / np.where(sums > 0, sums, 1.0), np.diff(matrix.indptr))
    data = (matrix.data * factor).astype(np.float32)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def relation_weights(around: Relations, defaults: Mapping[str, float], given: str) -> dict[str, float]:
    """The weight of each relation by name: from a text `NAME=WEIGHT NAME=WEIGHT …`, else the default of its kind.

    User attributes have the key `user NAME`, because a tag may describe both users and items; the text sets both.

    Raises:
        UnknownNameError: the text names a relation that the graph does not have.
        DataError: the text has another form.
    """
    kinds = {
        "behaviour": around.behaviours,
        "social": around.social,
        "user_attribute": around.user_attributes,
        "attribute": around.item_attributes,
        "item_relation": around.item_items,
    }
    prefix = {"user_attribute": "user "}
    found = {prefix.get(kind, "") + name: defaults[kind] for kind, names in kinds.items() for name in names}
    for part in given.replace(",", " ").split():
        name, _, text = part.partition("=")
        if name not in around.names():
            raise UnknownNameError("relation", name, around.names())
        try:
            weight = float(text)
        except ValueError as error:
            raise DataError(f"graph_filter: weights takes NAME=WEIGHT with a number, not {part!r}") from error
        found |= {key: weight for key in (name, f"user {name}") if key in found}
    return found


def _decayed(part: Interactions, now: int, half_life: float) -> sparse.csr_array:
    if half_life <= 0 or part.time is None or not len(part):
        return part.matrix()
    last = np.lexsort((part.time, part.item_index, part.user_index))
    key = part.user_index[last] * part.num_items + part.item_index[last]
    last = last[np.append(key[1:] != key[:-1], True)]  # the latest event of each pair
    weight = 0.5 ** ((now - part.time[last]) / (half_life * DAY))
    shape = (part.num_users, part.num_items)
    ends = (part.user_index[last], part.item_index[last])
    return sparse.csr_array((np.maximum(weight, 1e-6).astype(np.float32), ends), shape=shape)
