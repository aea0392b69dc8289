"""The strongest reason of every recommendation, as columns of their table."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.errors import GraphrecError
from graphrec.explanation.labels import Labels
from graphrec.interactions import Interactions
from graphrec.models.attribution import HISTORY, TopReasons
from graphrec.progress import Progress
from graphrec.ranking.topk import Recommendations
from graphrec.relations import Relations
from graphrec.runs import TrainedRun
from graphrec.vocabulary import IndexArray

#: Batch size in scores: the number of single-item histories per batch times the number of items.
NUMBERS = 1 << 25

Texts = npt.NDArray[np.object_]


def with_reasons(
    trained: TrainedRun, recommendations: Recommendations, progress: Progress | None = None
) -> Recommendations:
    """The recommendations with the columns `because`, the id of the strongest reason, and `because_label`, its label.

    If the model finds its own reasons (`Model.top_reason_finder`), the reason is the history item, friend or attribute
    value with the largest contribution to the score, exactly. For other models it is the history item that alone would
    give the item its highest score: exact if the score is a sum over the history, else an approximation. Both columns
    are None if there is no such reason, as for popularity. The label of a relationship text (a tag) is the name of
    its property. Fastest if the rows of each user are consecutive.
    """
    frame = recommendations.frame
    users, items = trained.users.index(frame["user_id"]), trained.items.index(frame["item_id"])
    texts = ReasonFinder(trained).find(users, items, progress)
    columns: Mapping[str, Texts] = {"because": texts[:, 0], "because_label": texts[:, 1]}
    return replace(recommendations, frame=frame.assign(**columns))


class ReasonFinder:
    """Finds the strongest reasons of scores of a run; values that all users share are computed once."""

    def __init__(self, trained: TrainedRun) -> None:
        self._trained = trained
        self._labels = Labels.of(trained)
        self._by_model = trained.model.top_reason_finder()

    def find(self, users: IndexArray, items: IndexArray, progress: Progress | None = None) -> Texts:
        """Ids and labels [n, 2] of the strongest reasons of the scores of items [n] for users [n], None if there is no
        reason; as in `with_reasons`."""
        if self._by_model is not None:
            return _find_by_model(self._labels, self._by_model, users, items, progress)
        if self._trained.model.is_personal:
            distinct, owners = np.unique(users, return_inverse=True)
            return _find_by_histories(self._trained, self._trained.seen.matrix()[distinct], owners, items, progress)
        return np.full((len(users), 2), None, dtype=object)

    def find_for_fold_in(self, target: Interactions, relations: Relations, items: IndexArray) -> Texts:
        """The same for the scores of items [n] that `Model.fold_in_users` gives one user of the live graph."""
        model = self._trained.model
        by_model = model.with_user(target, relations).top_reason_finder() if self._by_model is not None else None
        if by_model is not None:
            user = np.full(len(items), len(self._trained.users))
            return _find_by_model(self._labels, by_model, user, items, None)
        if model.is_personal:
            return _find_by_histories(self._trained, target.matrix(), np.zeros(len(items), dtype=np.int64), items, None)
        return np.full((len(items), 2), None, dtype=object)


def _find_by_model(
    labels: Labels,
    find_reasons: Callable[[int, IndexArray], TopReasons],
    users: IndexArray,
    items: IndexArray,
    progress: Progress | None,
) -> Texts:
    """Ids and labels [n, 2]; one call for each run of consecutive rows of a user."""
    texts = np.full((len(users), 2), None, dtype=object)
    cuts = np.flatnonzero(np.diff(users, prepend=-1, append=-1))
    for start, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        best = find_reasons(int(users[start]), items[start:end])
        for row, relation, node in zip(range(start, end), best.relation, best.node.tolist(), strict=True):
            if relation:
                texts[row] = _id_and_label(labels, relation, node)
        if progress is not None:
            progress(end, len(users))
    return texts


def _id_and_label(labels: Labels, relation: str, node: int) -> tuple[str | None, str | None]:
    if relation == HISTORY:
        named = labels.item(node)
    elif not labels.has_names(kind := labels.kind(relation), relation):
        return None, None
    else:
        named = labels.user(node) if kind == "social" else labels.value(kind, relation, node)
    return named.id, named.label


def _find_by_histories(
    trained: TrainedRun,
    histories: sparse.csr_array,
    owners: IndexArray,
    items: IndexArray,
    progress: Progress | None,
) -> Texts:
    """Ids and labels [n, 2] from the scores of single-item histories, a batch of the users' items at a time.

    `histories` [num_users, num_items] are those of some users, and `owners` [n] their positions in it.
    """
    label = trained.run.target[2]
    by_item = sparse.csc_array(histories)
    candidates = np.flatnonzero(np.diff(by_item.indptr))
    order = np.argsort(owners, kind="stable")
    first, last = (np.searchsorted(owners[order], np.arange(histories.shape[0]), side) for side in ("left", "right"))
    best, node = np.zeros(len(items)), np.full(len(items), -1, dtype=np.int64)
    step = max(NUMBERS // max(len(trained.items), 1), 1)
    for start in range(0, len(candidates), step):
        batch = candidates[start : start + step]
        try:
            scores = trained.model.fold_in(_single_item_histories(batch, len(trained.items))).cpu().numpy()
        except GraphrecError:
            break  # the model scores users in training only
        # one entry for each recommendation to a user who has an item of the batch
        part = by_item[:, batch]
        owner = np.repeat(np.arange(len(batch)), np.diff(part.indptr))
        counts = last[part.indices] - first[part.indices]
        rows = order[np.repeat(first[part.indices] - np.cumsum(counts) + counts, counts) + np.arange(int(counts.sum()))]
        owner = np.repeat(owner, counts)
        value = scores[owner, items[rows]]
        by_value = np.argsort(value, kind="stable")  # if a row is assigned several times, the last value remains
        rows, owner, value = rows[by_value], owner[by_value], value[by_value]
        better = value > best[rows]
        best[rows[better]], node[rows[better]] = value[better], batch[owner[better]]
        if progress is not None:
            progress(start + len(batch), len(candidates))
    texts = np.full((len(items), 2), None, dtype=object)
    has_reason = node >= 0
    texts[has_reason, 0] = trained.items.ids[node[has_reason]].to_numpy()
    texts[has_reason, 1] = label
    return texts


def _single_item_histories(items: IndexArray, num_items: int) -> sparse.csr_array:
    """For each item a history [n, num_items] that contains that item only."""
    ones = np.ones(len(items), dtype=np.float32)
    return sparse.csr_array((ones, (np.arange(len(items)), items)), shape=(len(items), num_items))
