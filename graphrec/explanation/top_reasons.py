"""The strongest reason of every recommendation, as a column of their table."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.errors import GraphrecError
from graphrec.explanation.labels import Labels
from graphrec.models.base import Progress
from graphrec.models.graph_filter.contributions import HISTORY
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.models.graph_filter.top_reason import Reasoning
from graphrec.models.popularity import Popularity
from graphrec.ranking.topk import Recommendations
from graphrec.runs import TrainedRun
from graphrec.vocabulary import IndexArray

#: Numbers in the scores of one-item histories that are made at one time.
NUMBERS = 1 << 25

Texts = npt.NDArray[np.object_]


def with_reasons(
    trained: TrainedRun, recommendations: Recommendations, progress: Progress | None = None
) -> Recommendations:
    """The recommendations with the columns `because`, the id of the node that speaks most for the item, and
    `because_label`, its label; both are None where nothing does, as for popularity.

    For graph_filter that is the item of the history, the friend or the value of an attribute whose contributions to the
    score have the greatest sum, exactly. For other models it is the item of the history that would alone give the item
    its highest score: exact where the score is a sum over the history, else an approximation. Of a value that is the
    text of a property (a tag) the label is the name of the property. Rows of one user should follow each other.
    """
    frame = recommendations.frame
    users, items = trained.users.index(frame["user_id"]), trained.items.index(frame["item_id"])
    if isinstance(trained.model, GraphFilter):
        found = _of_filter(trained, trained.model, users, items, progress)
    elif isinstance(trained.model, Popularity):
        found = np.full((len(frame), 2), None, dtype=object)
    else:
        found = _of_histories(trained, users, items, progress)
    columns: Mapping[str, Texts] = {"because": found[:, 0], "because_label": found[:, 1]}
    return replace(recommendations, frame=frame.assign(**columns))


def _of_filter(
    trained: TrainedRun, model: GraphFilter, users: IndexArray, items: IndexArray, progress: Progress | None
) -> Texts:
    """Ids and labels [n, 2], user by user: rows of one user that follow each other are done at one time."""
    names, reasoning = Labels.of(trained), Reasoning.of(model.signal, model.scores)
    found = np.full((len(users), 2), None, dtype=object)
    cuts = np.flatnonzero(np.diff(users, prepend=-1, append=-1))
    for start, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        best = reasoning.strongest(int(users[start]), items[start:end])
        for row, relation, node in zip(range(start, end), best.relation, best.node.tolist(), strict=True):
            if relation:
                found[row] = _named(names, relation, node)
        if progress is not None:
            progress(end, len(users))
    return found


def _named(names: Labels, relation: str, node: int) -> tuple[str | None, str | None]:
    if relation == HISTORY:
        known = names.item(node)
    elif not names.has(kind := names.kind(relation), relation):
        return None, None
    else:
        known = names.user(node) if kind == "social" else names.value(kind, relation, node)
    return known.id, known.label


def _of_histories(trained: TrainedRun, users: IndexArray, items: IndexArray, progress: Progress | None) -> Texts:
    """Ids and labels [n, 2], by one-item histories: those of some items at one time, for all who have one of them."""
    label, seen = trained.run.target[2], trained.seen.matrix()
    having = sparse.csc_array(seen)
    order = np.argsort(users, kind="stable")
    first, last = (np.searchsorted(users[order], np.arange(len(trained.users)), side) for side in ("left", "right"))
    best, node = np.zeros(len(users)), np.full(len(users), -1, dtype=np.int64)
    step = max(NUMBERS // max(len(trained.items), 1), 1)
    for start in range(0, len(trained.items), step):
        some = np.arange(start, min(start + step, len(trained.items)))
        try:
            scores = trained.model.fold_in(_alone(some, len(trained.items))).cpu().numpy()
        except GraphrecError:
            break  # the model answers for nobody but the users in training
        part = having[:, some]
        owner = np.repeat(np.arange(len(some)), np.diff(part.indptr))
        counts = last[part.indices] - first[part.indices]
        rows = order[np.repeat(first[part.indices] - np.cumsum(counts) + counts, counts) + np.arange(int(counts.sum()))]
        owner = np.repeat(owner, counts)
        value = scores[owner, items[rows]]
        by_value = np.argsort(value, kind="stable")  # of several assignments to one row the last stays
        rows, owner, value = rows[by_value], owner[by_value], value[by_value]
        better = value > best[rows]
        best[rows[better]], node[rows[better]] = value[better], some[owner[better]]
        if progress is not None:
            progress(int(some[-1]) + 1, len(trained.items))
    found = np.full((len(users), 2), None, dtype=object)
    there = node >= 0
    found[there, 0] = trained.items.ids[node[there]].to_numpy()
    found[there, 1] = label
    return found


def _alone(items: IndexArray, num_items: int) -> sparse.csr_array:
    """A history [n, num_items] of each item alone."""
    ones = np.ones(len(items), dtype=np.float32)
    return sparse.csr_array((ones, (np.arange(len(items)), items)), shape=(len(items), num_items))
