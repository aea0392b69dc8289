"""The inputs of the second stage that come from the graph: popularity, times, attributes, and paths to an item."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, empty_csr, pack, unpack
from graphrec.models.recency import DAY
from graphrec.relations import Relations, build_relations
from graphrec.vocabulary import IndexArray

Values = npt.NDArray[np.float32]
Positions = npt.NDArray[np.float64]

#: Window of recent interactions, as a share of all interactions in the order of time.
WINDOW = 0.1

#: Batch size in users whose paths are multiplied at once: the dense product has so many rows.
BATCH = 128

#: Names of the groups of inputs that are no relation of the graph.
POPULARITY, TIME, ACTIVITY, PATHS = "popularity", "time", "activity", "paths"

#: Kinds of relations whose inputs are computed from rows of users, and from matrices of items.
USER_KINDS = ("behaviours", "social", "user_attributes")
ITEM_KINDS = ("item_attributes", "item_items")


@dataclass(frozen=True)
class Input:
    """An input of the second stage: its name, and the group that explanations add it up in."""

    name: str
    group: str


@dataclass(frozen=True, eq=False)
class UserRows:
    """What is known of some users.

    history: their items of the target behaviour, [batch, num_items].
    last: place of their last interaction among all training interactions in the order of time, from 0 to 1, [batch];
        None without times.
    relations: their rows of behaviours [batch, num_items], social relations [batch, num_users] and user attributes
        [batch, num_values], by kind and name, as `collect_matrices` returns them.
    """

    history: sparse.csr_array
    last: Positions | None
    relations: Mapping[tuple[str, str], sparse.csr_array]


@dataclass(frozen=True, eq=False)
class GraphInputs:
    """The inputs from the graph, as matrices of one fit.

    history: the training interactions as 0/1, [num_users, num_items].
    times: all times in ascending order, [num_interactions]; empty without times.
    events: item · (num_interactions + 1) + place of each interaction in the order of time, ascending.
    last: as in `UserRows`, of all training users; empty without times.
    relations: matrices of the relations by kind and name, as `collect_matrices` returns them.
    by_item: the transpose of `history`, [num_items, num_users].
    """

    history: sparse.csr_array = field(default_factory=empty_csr)
    times: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    events: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    last: Positions = field(default_factory=lambda: np.empty(0))
    relations: Mapping[tuple[str, str], sparse.csr_array] = field(default_factory=dict)
    by_item: sparse.csr_array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_item", self.history.T.tocsr())  # a frozen dataclass has no other way

    @classmethod
    def build(cls, graph: HeteroGraph, interactions: Interactions) -> "GraphInputs":
        """The inputs of a graph that has what a model may see, and of its training interactions."""
        matrices = collect_matrices(build_relations(graph))
        history, time = interactions.matrix(), interactions.time
        if time is None or not len(time) or float(time.max()) - float(time.min()) < DAY:
            return cls(history, relations=matrices)
        order = np.sort(time)
        place = np.searchsorted(order, time)
        events = np.sort(interactions.item_index * (len(time) + 1) + place)
        return cls(history, order, events, _last_places(interactions, order), matrices)

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs in the order of the columns of `compute`."""
        found = [Input("interactions of the item", POPULARITY), Input("interactions of the user", ACTIVITY)]
        if len(self.times):
            found += [
                Input("recent interactions of the item", POPULARITY),
                Input("interactions of the item before the user's last one", POPULARITY),
                Input("time of the user's last interaction", ACTIVITY),
                Input("first interaction of the item", TIME),
                Input("last interaction of the item", TIME),
            ]
        found.append(Input("paths over users with common items", PATHS))
        found += [Input(name, name) for _, name in self.relations]
        return (*found, Input("distance", PATHS))

    def training_rows(self, user_index: IndexArray) -> UserRows:
        """What is known of users in training [batch]."""
        relations = {key: matrix[user_index] for key, matrix in self._user_relations()}
        return UserRows(self.history[user_index], self.last[user_index] if len(self.times) else None, relations)

    def history_rows(self, history: sparse.csr_array) -> UserRows:
        """What is known of users by their histories [batch, num_items] alone: they have no relations, and were last
        active at the end of the training interactions."""
        relations = {key: empty_csr(history.shape[0], matrix.shape[1]) for key, matrix in self._user_relations()}
        return UserRows(history, np.ones(history.shape[0]) if len(self.times) else None, relations)

    def new_rows(self, target: Interactions, relations: Relations) -> UserRows:
        """What is known of users who were not in training, by their interactions and relations."""
        rows, matrices = self.history_rows(target.matrix()), collect_matrices(relations)
        found = {key: matrices.get(key, empty) for key, empty in rows.relations.items()}
        return UserRows(rows.history, _last_places(target, self.times) if len(self.times) else None, found)

    def _user_relations(self) -> list[tuple[tuple[str, str], sparse.csr_array]]:
        return [(key, matrix) for key, matrix in self.relations.items() if key[0] in USER_KINDS]

    def compute(self, rows: UserRows, row: IndexArray, item: IndexArray) -> Values:
        """The inputs [n, num_inputs] of pairs of a row of `rows` [n] and an item [n]; `row` ascends."""
        degree = np.diff(rows.history.indptr).astype(np.float32)
        counts = np.diff(self.by_item.indptr).astype(np.float32)
        columns = [(counts / max(float(counts.mean()), 1e-9))[item], degree[row]]
        if len(self.times):
            columns += self._time_columns(rows, row, item)
        bounds = np.searchsorted(row, np.arange(0, rows.history.shape[0] + BATCH, BATCH))
        parts = [
            self._path_columns(rows, start * BATCH, row[first:end] - start * BATCH, item[first:end])
            for start, (first, end) in enumerate(pairwise(bounds.tolist()))
        ]
        paths = np.concatenate(parts) if parts else np.empty((0, len(self.relations) + 1), dtype=np.float32)
        lengths = [_PATH_LENGTHS["users"], *(_PATH_LENGTHS[kind] for kind, _ in self.relations)]
        distance = np.where(paths > 0, np.array(lengths, dtype=np.float32), _FAR).min(axis=1)
        return np.column_stack([*columns, paths, distance]).astype(np.float32)

    def _time_columns(self, rows: UserRows, row: IndexArray, item: IndexArray) -> list[Values]:
        """Recent interactions now and before the user's last one, that one, and the item's first and last one; places
        of the item are relative to the user's last interaction."""
        assert rows.last is not None
        total, num_items = len(self.times), self.history.shape[1]
        mean = WINDOW * total / num_items
        starts = np.searchsorted(self.events, np.arange(num_items + 1) * (total + 1))
        has_events = starts[1:] > starts[:-1]
        first, last = np.full(num_items, np.nan), np.full(num_items, np.nan)
        first[has_events] = self.events[starts[:-1][has_events]] % (total + 1) / total
        last[has_events] = self.events[starts[1:][has_events] - 1] % (total + 1) / total
        now = rows.last[row]

        def count(end: Positions) -> Values:
            place = np.rint(end * total).astype(np.int64)
            before = [
                np.searchsorted(self.events, item * (total + 1) + np.maximum(each, 0))
                for each in (place, place - int(WINDOW * total))
            ]
            return ((before[0] - before[1]) / mean).astype(np.float32)

        return [
            count(np.ones(len(item))),
            count(now),
            now.astype(np.float32),
            (first[item] - now).astype(np.float32),
            (last[item] - now).astype(np.float32),
        ]

    def _path_columns(self, rows: UserRows, start: int, row: IndexArray, item: IndexArray) -> Values:
        """For BATCH users from `start` on: the paths over common users, and a column for each relation, [n, m]."""
        history = rows.history[start : start + BATCH]
        num_own = np.maximum(np.diff(history.indptr), 1).astype(np.float32)[row]
        found = [_pick((history @ self.by_item) @ self.history, row, item)]
        for (kind, name), matrix in self.relations.items():
            if kind == "item_attributes":
                column = _pick(_scale_rows(history @ matrix) @ matrix.T, row, item)
            elif kind == "item_items":
                column = _pick(history @ matrix, row, item) / num_own
            else:
                mine = rows.relations[kind, name][start : start + BATCH]
                if kind == "behaviours":
                    column = _pick(mine, row, item)
                elif kind == "social":
                    column = _pick(mine @ self.history, row, item)
                else:
                    alike = mine @ matrix.T
                    total = np.asarray(alike.sum(axis=1)).ravel()[row]
                    column = _pick(alike @ self.history, row, item) / np.maximum(total, 1e-9)
            found.append(column.astype(np.float32))
        return np.column_stack(found)

    def state(self) -> State:
        """The matrices as tensors; relations are numbered, and their kinds and names are texts in bytes."""
        state = pack("history", self.history)
        for number, ((kind, name), matrix) in enumerate(self.relations.items()):
            state |= pack(f"relation{number}", matrix)
            state[f"relation{number}.name"] = encode_text(f"{kind} {name}")
        for name in ("times", "events", "last"):
            state[name] = torch.from_numpy(getattr(self, name))
        return state

    @classmethod
    def restore(cls, state: Mapping[str, Tensor]) -> "GraphInputs":
        """The inputs of a state."""
        relations = {}
        for number in range(sum(key.startswith("relation") and key.endswith(".name") for key in state)):
            kind, _, name = decode_text(state[f"relation{number}.name"]).partition(" ")
            relations[kind, name] = unpack(f"relation{number}", state)
        times, events, last = (state[name].numpy() for name in ("times", "events", "last"))
        return cls(unpack("history", state), times, events, last, relations)


#: Number of steps of the paths that each kind of relation counts, and the distance of items without any.
_PATH_LENGTHS = {"behaviours": 1, "social": 2, "item_items": 2, "item_attributes": 3, "user_attributes": 3, "users": 3}
_FAR = 5.0


def collect_matrices(relations: Relations) -> dict[tuple[str, str], sparse.csr_array]:
    """The matrices of all relations by kind and name: behaviours as 0/1, rows of attributes with length 1."""
    found: dict[tuple[str, str], sparse.csr_array] = {}
    for kind in (*USER_KINDS, *ITEM_KINDS):
        for name, relation in getattr(relations, kind).items():
            matrix = relation.matrix() if isinstance(relation, Interactions) else relation
            found[kind, name] = _scale_rows(matrix) if kind.endswith("attributes") else matrix
    return found


def describe_group(group: str) -> str:
    """A group of inputs in words that a sentence to the user can use."""
    words = {
        POPULARITY: "its popularity",
        TIME: "the time of its interactions",
        ACTIVITY: "your activity",
        PATHS: "its distance from your items",
    }
    return words.get(group, f"the relation {group}")


def encode_text(text: str) -> Tensor:
    """The bytes of a text, as a state can keep them."""
    return torch.from_numpy(np.frombuffer(text.encode(), dtype=np.uint8).copy())


def decode_text(tensor: Tensor) -> str:
    """The text of `encode_text`."""
    return tensor.numpy().tobytes().decode()


def _last_places(interactions: Interactions, order: IndexArray) -> Positions:
    """The place of each user's last interaction in an order of times, from 0 to 1; 1 without times or interactions."""
    last = np.ones(interactions.num_users)
    if interactions.time is not None and len(interactions):
        latest = np.full(interactions.num_users, np.iinfo(np.int64).min)
        np.maximum.at(latest, interactions.user_index, interactions.time)
        known = interactions.user_degree() > 0
        last[known] = np.searchsorted(order, latest[known], side="right") / len(order)
    return last


def _scale_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix with rows of length 1, or 0."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1.0 / np.where(length > 0, length, 1.0)) @ matrix)


def _pick(matrix: sparse.csr_array, row: IndexArray, column: IndexArray) -> Values:
    """The entries of a sparse matrix at rows [n] and columns [n]."""
    return np.asarray(matrix.toarray()[row, column], dtype=np.float32)
