"""Encodes a live user in a run's vocabularies: the sparse rows that `fold_in_users` expects."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy import sparse

from graphrec.behaviours import behaviour_type
from graphrec.interactions import Interactions
from graphrec.linalg.csr import empty_csr
from graphrec.relations import TRUST, Origin, Relations
from graphrec.runs import TrainedRun
from graphrec.schema import UNDIRECTED, USER
from graphrec.serving.user_context import UserContext, UserEdge
from graphrec.vocabulary import Vocabulary

#: A time after all events, in milliseconds since 1970.
END_OF_TIME = 2**53


@dataclass(frozen=True, eq=False)
class FoldInInput:
    """A user as a batch of one: the target behaviour and the user's rows of all relations.

    num_unknown_items: items of the target behaviour that the run does not know; num_friends, num_attributes: friends
    and attribute values of the user that it knows.
    """

    target: Interactions
    relations: Relations
    num_unknown_items: int
    num_friends: int
    num_attributes: int

    def __len__(self) -> int:
        """The number of interactions by all behaviours that the run knows."""
        return len(self.target) + sum(len(part) for part in self.relations.behaviours.values())


def changed_from(trained: TrainedRun) -> int:
    """The milliseconds since 1970 after which events of any behaviour change a user's scores: the begin of the last
    fit, or the end of time if the model reads the target behaviour only, whose items are compared."""
    if not trained.model.reads_relations:
        return END_OF_TIME
    return int(1000 * (datetime.fromisoformat(trained.run.created_at).timestamp() - trained.run.seconds))


def encode_user(user: UserContext, trained: TrainedRun) -> FoldInInput:
    """A user's rows of the relations of the run's training graph."""
    rows: dict[str, dict[str, sparse.csr_array]] = {"social": {}, "user_attributes": {}}
    behaviours: dict[str, Interactions] = {}
    nothing = empty_csr()
    empty: dict[str, dict[str, sparse.csr_array]] = {"item_attributes": {}, "item_items": {}}
    for origin in trained.origins:
        if origin.kind == "behaviours":
            behaviours[origin.name] = _encode_interactions(user.behaviour(origin.triple[1]), trained.items)
        elif origin.kind in empty:
            empty[origin.kind][origin.name] = nothing
        else:
            ends = trained.users if origin.values is None else origin.values
            rows[origin.kind][origin.name] = _encode_row(_find_neighbours(user, origin), ends)
    behaviour = user.behaviour(trained.run.relation)
    target = _encode_interactions(behaviour, trained.items)
    relations = Relations(behaviours=behaviours, **rows, **empty)
    num_unknown_items = len({edge.id for edge in behaviour}) - len(np.unique(target.item_index))
    friends, values = (sum(int(row.nnz) for row in rows[kind].values()) for kind in ("social", "user_attributes"))
    return FoldInInput(target, relations, num_unknown_items, friends, values)


def _find_neighbours(user: UserContext, origin: Origin) -> Iterable[tuple[str, float]]:
    """The ids of the user's neighbours by a relation (or the texts of its edges), with the edge weights."""
    source, relation, target = origin.triple
    edges = [edge for edge in user.edges if edge.relation == relation]
    if origin.text:
        return [
            (str(edge.properties[origin.text]), 1.0) for edge in edges if edge.properties.get(origin.text) is not None
        ]
    if origin.kind == "social":
        both = relation in UNDIRECTED
        return {e.id: e.number(TRUST, 1.0) for e in edges if e.label == target and (e.outgoing or both)}.items()
    forward = source == USER
    other = target if forward else source
    return {edge.id: 1.0 for edge in edges if edge.outgoing == forward and edge.label == other}.items()


def _encode_row(pairs: Iterable[tuple[str, float]], ends: Vocabulary) -> sparse.csr_array:
    """A row [1, len(ends)] float32 of (id, weight) pairs, without unknown ids; weights of a repeated id are added."""
    ids, weights = [pair[0] for pair in pairs], np.array([pair[1] for pair in pairs], dtype=np.float32)
    column = ends.find_few(ids)
    kept = (column >= 0) & (weights > 0)
    row = np.zeros(int(kept.sum()), dtype=np.int64)
    encoded = sparse.csr_array((weights[kept], (row, column[kept])), shape=(1, len(ends)))
    encoded.sum_duplicates()
    return encoded


def _encode_interactions(edges: list[UserEdge], items: Vocabulary) -> Interactions:
    """One user's interactions with the items that a run knows; with times and weights if all edges have them."""
    item = items.find_few(edge.id for edge in edges)
    kept = np.flatnonzero(item >= 0)
    known = [edges[row] for row in kept]
    times = [edge.properties.get("timestamp") for edge in known]
    names = behaviour_type(edges[0].relation).weight_properties if edges else ()
    name = next((name for name in names if any(edge.properties.get(name) is not None for edge in known)), None)
    weight = None if name is None else np.array([edge.number([name], np.nan) for edge in known], dtype=np.float32)
    time = None if not known or None in times else np.array([int(t) for t in times if t is not None], dtype=np.int64)
    return Interactions(np.zeros(len(kept), dtype=np.int64), item[kept], 1, len(items), weight, time)
