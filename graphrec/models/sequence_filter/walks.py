"""A score of sequence_filter as an exact sum over walks from the history through other users, values and relations."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from graphrec.linalg.events import DAY
from graphrec.linalg.transitions import PairWeights
from graphrec.models.attribution import HISTORY, USERS, Amounts, EventOrder, WalkEnds, Walks, WalkStarts
from graphrec.models.sequence_filter.contributions import find_origins
from graphrec.models.sequence_filter.history import UserSignal, WeightedHistories
from graphrec.models.sequence_filter.kernel import SequenceKernel
from graphrec.models.sequence_filter.scoring import average
from graphrec.vocabulary import IndexArray


def find_walks(
    signal: UserSignal,
    kernel: SequenceKernel,
    pairs: PairWeights,
    decays: Sequence[float],
    user_index: int,
    item_index: int,
) -> Walks:
    """The Walks of a user to an item. A walk end is a user with a transition from the history item to the target, an
    attribute value of both, or an item-item relation; the transitions of similar items are `longer`."""
    starts = _build_starts(signal, decays, user_index)
    items = np.unique(starts.carried.indices).astype(np.int64)
    carried = sparse.csr_array(starts.carried[:, items]).astype(np.float64)
    column = kernel.transitions[:, [item_index]].toarray().ravel().astype(np.float64)
    users, amounts, followers = _share_transitions(signal.own, pairs, items, item_index, column[items])
    via, value, parts = [USERS] * len(users), [users], [amounts]
    for name, similarity in kernel.similarities.items():
        link = similarity.matrix[:, [item_index]].toarray().ravel()[items].astype(np.float64)
        if similarity.factor is None:
            via, values, shares = [*via, name], np.array([-1]), sparse.csr_array(link[None])
        else:
            values, shares = _share_similarity(similarity.factor, items, item_index, link)
            via = [*via, *[name] * len(values)]
        value.append(values)
        parts.append(shares)
    longer = (kernel.onward[items] @ column).astype(np.float64) if kernel.onward.nnz else np.zeros(len(items))
    amount = sparse.csr_array(sparse.vstack(parts, format="csr"))
    ends = WalkEnds(tuple(via), np.concatenate(value).astype(np.int64), amount)
    starts = WalkStarts(starts.relation, starts.node, starts.person, carried)
    history, _ = signal.rows_of(user_index)
    order = EventOrder(_count_steps(history, items), followers) if history.in_order else None
    return Walks(user_index, item_index, items, starts, ends, longer, order)


def _count_steps(own: WeightedHistories, items: IndexArray) -> IndexArray:
    """The number of events from one user's last event of each of m items to the end of the history, 0 without one."""
    back = own.histories.row(0)[::-1]
    last, steps = np.unique(back, return_index=True)  # the first in reverse
    place = np.minimum(np.searchsorted(last, items), max(len(last) - 1, 0))
    return np.where(last[place] == items, steps[place] + 1, 0) if len(last) else np.zeros(len(items), dtype=np.int64)


def _build_starts(signal: UserSignal, decays: Sequence[float], user_index: int) -> WalkStarts:
    """The user's own history as the first start, then each friend."""
    relation, node, signals = find_origins(signal, decays, user_index)
    mean = average(signals)
    num_own = relation.count(HISTORY)
    own = sparse.csr_array(mean[:num_own].sum(axis=0)[None])
    friends = node[num_own:]
    return WalkStarts(
        (HISTORY, *relation[num_own:]),
        np.concatenate([[-1], friends]).astype(np.int64),
        np.concatenate([[user_index], friends]).astype(np.int64),
        sparse.csr_array(sparse.vstack([own, mean[num_own:]], format="csr")),
    )


def _share_transitions(
    own: WeightedHistories, pairs: PairWeights, items: IndexArray, item_index: int, totals: Amounts
) -> tuple[IndexArray, sparse.csr_array, IndexArray]:
    """The users [n] who made a transition between one of m items and the target, their shares [n, m] of the entries of
    M at the target, `totals` [m], and the number of users who went from each item to the target, [m]."""
    histories = own.histories
    events = np.flatnonzero(histories.items == item_index)
    owner = np.searchsorted(histories.indptr, events, side="right") - 1
    place = np.full(histories.num_items, -1, dtype=np.int64)
    place[items] = np.arange(len(items))
    forward = pairs.forward_weights().astype(np.float64)
    no_pairs = np.empty(0, dtype=np.int64)
    users, columns, followed, values = [no_pairs], [no_pairs], [no_pairs], [np.empty(0)]
    for gap, weight in enumerate(forward, start=1):
        later = events + gap
        for other, factor in ((events - gap, weight), (later, weight * pairs.backward)):
            inside = (other >= histories.indptr[owner]) & (other < histories.indptr[owner + 1])
            found = place[histories.items[other[inside]]]
            known = found >= 0
            target, source, user = events[inside][known], other[inside][known], owner[inside][known]
            value = factor * own.strengths[target].astype(np.float64) * own.strengths[source]
            if pairs.rate and histories.times is not None:
                value *= np.exp(-pairs.rate * np.abs(histories.times[target] - histories.times[source]) / DAY)
            if other is not later:
                followed.append(user * len(items) + found[known])
            users.append(user)
            columns.append(found[known])
            values.append(value)
    rows, index = np.unique(np.concatenate(users), return_inverse=True)
    entries = (np.concatenate(values), (index, np.concatenate(columns)))
    shares = sparse.csr_array(entries, shape=(len(rows), len(items)))
    went = np.unique(np.concatenate(followed)) % max(len(items), 1)
    return rows, _scale_columns_to(shares, totals), np.bincount(went, minlength=len(items)).astype(np.int64)


def _share_similarity(
    factor: sparse.csr_array, items: IndexArray, item_index: int, totals: Amounts
) -> tuple[IndexArray, sparse.csr_array]:
    """The values [n] of the target, and the shares [n, m] of each in the similarity `totals` [m] of m items to it."""
    row = factor[[item_index]]
    values = row.indices.astype(np.int64)
    shares = sparse.csr_array(factor[items][:, values].T).astype(np.float64)
    return values, _scale_columns_to(sparse.csr_array(sparse.diags_array(row.data.astype(np.float64)) @ shares), totals)


def _scale_columns_to(shares: sparse.csr_array, totals: Amounts) -> sparse.csr_array:
    """Non-negative shares [n, m] with their columns scaled to sum to `totals` [m]."""
    sums = np.asarray(shares.sum(axis=0), dtype=np.float64)
    ratio = np.divide(totals, sums, out=np.zeros_like(totals), where=sums > 0)
    scaled = sparse.csr_array(shares @ sparse.diags_array(ratio))
    scaled.eliminate_zeros()
    return scaled
