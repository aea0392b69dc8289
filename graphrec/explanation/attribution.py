"""What each item of a user's history adds to a score, for any model: exactly where the score is a sum over the history,
else as near as the model lets one say."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from graphrec.errors import GraphrecError
from graphrec.models.base import Model
from graphrec.models.ease import EASE
from graphrec.models.ensemble.blending import contribution
from graphrec.models.ensemble.model import Ensemble
from graphrec.models.graph_filter.contributions import Amounts
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.models.ials import IALS
from graphrec.models.item_weights import ItemWeightsModel
from graphrec.models.mf.model import MF
from graphrec.models.popularity import Popularity
from graphrec.models.user_knn import UserKNN

#: Histories that are scored at one time.
BATCH = 256


@dataclass(frozen=True, eq=False)
class HistoryParts:
    """The part [n] of a score that each item of a history adds, in their order; whether these are parts of the model's
    own sum; None in the place of the amounts where a model cannot say."""

    amount: Amounts | None
    exact: bool


def history_parts(model: Model[Any], history: sparse.csr_array, user_index: int, item_index: int) -> HistoryParts:
    """The parts of the score of one item for a user in training, whose history [1, num_items] is given.

    Exact for models that add up over the history (popularity adds nothing; an item-item matrix; ials given the whole
    history; user_knn by the items in common; graph_filter, whose friends and attributes are beside it; ensembles of
    these by score). For others the score that `fold_in` gives the history is divided in proportion to what each item
    gives alone. That is exact for the mean of vectors, but the score of a user in training comes from a vector that was
    learned. Where it has no sense, because items speak against the target, a part is what is lost when the item is left
    out.
    """
    if isinstance(model, GraphFilter):
        nodes, amounts = model.contributions(user_index, item_index).by_node()
        found = np.zeros(int(history.shape[1]))
        found[nodes] = amounts
        return HistoryParts(found[history.indices], exact=True)
    if isinstance(model, Popularity):
        return HistoryParts(np.zeros(history.nnz), exact=True)
    if isinstance(model, EASE | ItemWeightsModel):
        return HistoryParts(_alone(model, history, item_index), exact=True)
    if isinstance(model, IALS):
        return HistoryParts(model.contributions(history, item_index).cpu().numpy(), exact=True)
    if isinstance(model, UserKNN):
        over = model.contributions(user_index, item_index).sum(axis=0)
        return HistoryParts(np.asarray(over, dtype=np.float64)[history.indices], exact=True)
    if isinstance(model, Ensemble):
        return _of_ensemble(model, history, user_index, item_index)
    if isinstance(model, MF) and model.posterior is not None:
        return HistoryParts(None, exact=False)  # it needs the ratings, which a run does not keep
    try:
        return HistoryParts(_divided(model, history, item_index), exact=False)
    except GraphrecError:  # it answers for nobody but the users in training
        return HistoryParts(None, exact=False)


def _alone(model: Model[Any], history: sparse.csr_array, item_index: int) -> Amounts:
    """What histories of one item each give the target, [n]."""
    items = history.indices
    shape = (len(items), int(history.shape[1]))
    return _scores(model, sparse.csr_array((history.data, (np.arange(len(items)), items)), shape=shape), item_index)


def _divided(model: Model[Any], history: sparse.csr_array, item_index: int) -> Amounts:
    """The score that `fold_in` gives a history, divided among its items."""
    alone = _alone(model, history, item_index)
    whole = float(_scores(model, history, item_index)[0])
    if whole > 0 and alone.sum() > 0.2 * np.abs(alone).sum():
        return np.asarray(alone * (whole / alone.sum()), dtype=np.float64)
    n = len(alone)
    kept = ~np.eye(n, dtype=bool)
    columns = np.broadcast_to(history.indices, (n, n))[kept]
    indptr = np.arange(n + 1) * (n - 1)
    without = sparse.csr_array((np.ones(len(columns), dtype=np.float32), columns, indptr), shape=(n, history.shape[1]))
    return whole - _scores(model, without, item_index)


def _scores(model: Model[Any], histories: sparse.csr_array, item_index: int) -> Amounts:
    """The scores [rows] of one item for histories [rows, num_items]."""
    starts = range(0, histories.shape[0], BATCH)
    parts = [model.fold_in(histories[start : start + BATCH])[:, item_index].double().cpu().numpy() for start in starts]
    return np.concatenate(parts) if parts else np.empty(0)


def _of_ensemble(model: Ensemble, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryParts:
    """The parts of all members, each by the member's weight and by what the blend makes of its scores."""
    users, total, exact = np.array([user_index]), np.zeros(history.nnz), model.config.blend == "score"
    weights = model.member_weights(history)[0].tolist()
    for member, weight in zip(model.members, weights, strict=True):
        if weight <= 0:
            continue
        scores = member.score(users)
        plain = float(scores[0, item_index])
        blended = float(contribution(scores, model.history[users], member.signed, model.config.blend)[0, item_index])
        found = history_parts(member, history, user_index, item_index)
        if found.amount is None:
            exact = False
        elif plain:
            total += found.amount * (weight * blended / plain)
            exact &= found.exact
    return HistoryParts(total, exact)
