"""One user of the live graph in the words of a run: rows over its users, items and attribute values."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.behaviours import behaviour_type
from graphrec.interactions import Interactions
from graphrec.relations import TRUST, Origin, Relations
from graphrec.runs import TrainedRun
from graphrec.schema import UNDIRECTED, USER
from graphrec.serving.user_context import UserContext, UserEdge
from graphrec.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class FoldInInput:
    """What a model is told of a user: the target behaviour and the relations, as a batch of one.

    strange: how many items of the target behaviour the run does not know; friends, values: how many of the user's
    friends and attribute values it knows.
    """

    target: Interactions
    around: Relations
    strange: int
    friends: int
    values: int

    def __len__(self) -> int:
        """How many interactions of all behaviours the run knows."""
        return len(self.target) + sum(len(part) for part in self.around.behaviours.values())


def newcomer(life: UserContext, trained: TrainedRun) -> FoldInInput:
    """A user as the relations of the run's training graph would have them."""
    rows: dict[str, dict[str, sparse.csr_array]] = {"social": {}, "user_attributes": {}}
    behaviours: dict[str, Interactions] = {}
    nothing = sparse.csr_array(np.zeros((0, 0), dtype=np.float32))
    empty: dict[str, dict[str, sparse.csr_array]] = {"item_attributes": {}, "item_items": {}}
    for origin in trained.origins:
        if origin.kind == "behaviours":
            behaviours[origin.name] = _interactions(life.did(origin.triple[1]), trained.items)
        elif origin.kind in empty:
            empty[origin.kind][origin.name] = nothing
        else:
            ends = trained.users if origin.values is None else origin.values
            rows[origin.kind][origin.name] = _row(_pairs(life, origin), ends)
    did = life.did(trained.run.relation)
    target = _interactions(did, trained.items)
    around = Relations(behaviours=behaviours, **rows, **empty)
    strange = len({tie.id for tie in did}) - len(np.unique(target.item_index))
    friends, values = (sum(int(row.nnz) for row in rows[kind].values()) for kind in ("social", "user_attributes"))
    return FoldInInput(target, around, strange, friends, values)


def _pairs(life: UserContext, origin: Origin) -> Iterable[tuple[str, float]]:
    """The ids at the other ends of a relation, with the weights of its edges."""
    source, relation, target = origin.triple
    ties = [tie for tie in life.ties if tie.relation == relation]
    if origin.text:
        return [(str(tie.properties[origin.text]), 1.0) for tie in ties if tie.properties.get(origin.text) is not None]
    if origin.kind == "social":
        both = relation in UNDIRECTED
        return {t.id: t.number(TRUST, 1.0) for t in ties if t.label == target and (t.outgoing or both)}.items()
    forward = source == USER
    other = target if forward else source
    return {tie.id: 1.0 for tie in ties if tie.outgoing == forward and tie.label == other}.items()


def _row(pairs: Iterable[tuple[str, float]], ends: Vocabulary) -> sparse.csr_array:
    """A row [1, len(ends)] float32 of the pairs whose ids are known; texts count as often as they stand there."""
    ids, weights = [pair[0] for pair in pairs], np.array([pair[1] for pair in pairs], dtype=np.float32)
    column = ends.places(ids)
    kept = (column >= 0) & (weights > 0)
    row = np.zeros(int(kept.sum()), dtype=np.int64)
    found = sparse.csr_array((weights[kept], (row, column[kept])), shape=(1, len(ends)))
    found.sum_duplicates()
    return found


def _interactions(ties: list[UserEdge], items: Vocabulary) -> Interactions:
    """The behaviour of one user over the items that a run knows, with times and weights where all edges have them."""
    item = items.places([tie.id for tie in ties])
    kept = np.flatnonzero(item >= 0)
    known = [ties[row] for row in kept]
    times = [tie.properties.get("timestamp") for tie in known]
    names = behaviour_type(ties[0].relation).weight_properties if ties else ()
    name = next((name for name in names if any(tie.properties.get(name) is not None for tie in known)), None)
    weight = None if name is None else np.array([tie.number([name], np.nan) for tie in known], dtype=np.float32)
    time = None if not known or None in times else np.array([int(t) for t in times if t is not None], dtype=np.int64)
    return Interactions(np.zeros(len(kept), dtype=np.int64), item[kept], 1, len(items), weight, time)
