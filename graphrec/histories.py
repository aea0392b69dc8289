"""Histories: the events of each user in the order of time, as CSR arrays that all sequence models share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from graphrec.behaviours import behaviour_type
from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.relations import build_relations
from graphrec.vocabulary import IndexArray

ItemArray = npt.NDArray[np.int32]
TimeArray = npt.NDArray[np.int64] | npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Histories:
    """The events of all users, oldest first within a user. A user may have the same item several times.

    indptr: [num_users + 1] int64; the events of user u are those at indptr[u] … indptr[u + 1] - 1.
    items: positions of the items [num_events] int32.
    num_items: number of items.
    times: [num_events] Unix seconds, ascending within a user; None if only the order is known.
    behaviours: [num_events] int8, positions in `behaviour_names`; None if all events are of the target behaviour.
    behaviour_names: names of the behaviours, as in `graphrec.relations.Relations`.
    """

    indptr: IndexArray
    items: ItemArray
    num_items: int
    times: TimeArray | None = None
    behaviours: CodeArray | None = None
    behaviour_names: tuple[str, ...] = ()

    @property
    def num_users(self) -> int:
        """The number of users, with and without events."""
        return len(self.indptr) - 1

    @property
    def num_events(self) -> int:
        """The number of events of all users."""
        return len(self.items)

    @property
    def lengths(self) -> IndexArray:
        """The number of events of each user [num_users]."""
        return np.diff(self.indptr)

    @property
    def users(self) -> IndexArray:
        """The user of each event [num_events]."""
        return np.repeat(np.arange(self.num_users), self.lengths)

    def events(self, user_index: int) -> slice:
        """The positions of a user's events: `histories.times[histories.events(user)]`."""
        return slice(int(self.indptr[user_index]), int(self.indptr[user_index + 1]))

    def row(self, user_index: int) -> ItemArray:
        """The items of a user [n], oldest first."""
        return self.items[self.events(user_index)]

    def last(self, n: int) -> "Histories":
        """The last n events of each user; all events of a user who has fewer."""
        return self._slice(np.maximum(self.indptr[:-1], self.indptr[1:] - n), self.indptr[1:])

    def without_last(self, n: int = 1) -> "Histories":
        """All but the last n events of each user, who remains, possibly without events."""
        return self._slice(self.indptr[:-1], np.maximum(self.indptr[:-1], self.indptr[1:] - n))

    def take(self, users: IndexArray) -> "Histories":
        """The histories of some users [batch], who become users 0, 1, … in this order."""
        return self._slice(self.indptr[users], self.indptr[users + 1])

    def matrix(self) -> sparse.csr_array:
        """The matrix [num_users, num_items] float32, 1 if the user has any event with the item."""
        ones = np.ones(self.num_events, dtype=np.float32)
        shape = (self.num_users, self.num_items)
        matrix = sparse.csr_array((ones, self.items, self.indptr), shape=shape, copy=True)
        matrix.sum_duplicates()  # changes indices and indptr in place
        matrix.data[:] = 1.0
        return matrix

    def _slice(self, starts: IndexArray, ends: IndexArray) -> "Histories":
        """The histories [n] whose events are at starts[n] … ends[n] - 1."""
        lengths = ends - starts
        indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        rows = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
        times, behaviours = (None if column is None else column[rows] for column in (self.times, self.behaviours))
        return Histories(indptr, self.items[rows], self.num_items, times, behaviours, self.behaviour_names)


def build_histories(interactions: Interactions, in_order: bool = False) -> Histories:
    """The histories of interactions, ordered by time; interactions at the same time keep the given order.

    Args:
        interactions: rows in any order.
        in_order: whether the given order of a user's rows is that of the events. Required without times.

    Raises:
        DataError: there are no times, and the given order is not that of the events.
    """
    if interactions.time is None and not in_order:
        raise DataError(
            "the interactions have no times, so the order of a user's events is unknown; load the times of the "
            "behaviour, or say that the given order is that of the events"
        )
    order = _sort(interactions.user_index, None if in_order else interactions.time)
    times = None if interactions.time is None else interactions.time[order]
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(interactions.user_degree())])
    return Histories(indptr, interactions.item_index[order].astype(np.int32), interactions.num_items, times)


def merge_behaviours(behaviours: Mapping[str, Interactions]) -> Histories:
    """The histories of several behaviours with times, over the same users and items.

    Events at the same time keep the order of the mapping, whose names become `behaviour_names`.

    Raises:
        DataError: a behaviour has no times.
    """
    parts = list(behaviours.values())
    untimed = [name for name, part in behaviours.items() if part.time is None]
    if untimed:
        raise DataError(f"the behaviours {', '.join(untimed)} have no times, so their place in a history is unknown")
    user_index = np.concatenate([part.user_index for part in parts])
    times = np.concatenate([part.time for part in parts if part.time is not None])
    order = _sort(user_index, times)
    degrees = np.bincount(user_index, minlength=parts[0].num_users)
    codes = np.repeat(np.arange(len(parts), dtype=np.int8), [len(part) for part in parts])
    return Histories(
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(degrees)]),
        np.concatenate([part.item_index for part in parts])[order].astype(np.int32),
        parts[0].num_items,
        times[order],
        codes[order],
        tuple(behaviours),
    )


def build_typed_histories(graph: HeteroGraph, interactions: Interactions) -> Histories:
    """The histories of all behaviours of a graph that have times, with `interactions` as the target behaviour.

    Of events at the same time the stronger behaviour is later: a view comes before the purchase.

    Raises:
        DataError: the target behaviour has no times.
    """
    others = build_relations(graph).behaviours
    timed = {name: part for name, part in others.items() if part.time is not None and len(part)}
    timed[graph.target[1]] = interactions
    by_strength = sorted(timed, key=lambda name: behaviour_type(name).strength or 0)
    return merge_behaviours({name: timed[name] for name in by_strength})


def add_histories(graph: HeteroGraph) -> None:
    """Add the histories of all behaviours with times to `graph.data` as `histories`, a mapping of tensors with the
    names and shapes of `Histories`; nothing is added if the target behaviour has no times.

    They have every interaction of the graph, also those that a later split of the edges holds out.
    """
    target = interactions(graph)
    if target.time is None:
        return
    found = build_typed_histories(graph, target)
    assert found.times is not None
    assert found.behaviours is not None
    graph.data.histories = {
        "indptr": torch.from_numpy(found.indptr),
        "items": torch.from_numpy(found.items),
        "times": torch.from_numpy(found.times),
        "behaviours": torch.from_numpy(found.behaviours),
        "behaviour_names": list(found.behaviour_names),
    }


def read_histories(graph: HeteroGraph) -> Histories:
    """The histories that `add_histories` added, or that an exported file has; the arrays are those of the tensors.

    Raises:
        DataError: the graph has no histories.
    """
    if "histories" not in graph.data:
        raise DataError(
            "the exported graph has no histories, because its target behaviour has no times; load the times"
        )
    stored = graph.data.histories
    indptr, items, times, behaviours = (stored[name].numpy() for name in ("indptr", "items", "times", "behaviours"))
    return Histories(indptr, items, len(graph.items), times, behaviours, tuple(stored["behaviour_names"]))


def _sort(user_index: IndexArray, times: TimeArray | None) -> IndexArray:
    """The order of events [n] by user, then by time if there are times; ties keep the given order."""
    if times is None:
        return np.argsort(user_index, kind="stable")
    return np.lexsort((times, user_index))
