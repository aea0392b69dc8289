"""The strongest reason of each of many scores of graph_filter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.models.attribution import HISTORY, TopReasons
from graphrec.models.graph_filter.scoring import FilterScores
from graphrec.models.graph_filter.signal import Signal, UserRows
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class TopReasonFinder:
    """Finds the strongest reasons of a user's scores; holds what all users share.

    signal, scores: the signal and the scores of the model.
    vectors: D^q V, [num_items, k].
    response: g(λ), [k].
    num_users: number of users of each value, [num_values] by user attribute.
    """

    signal: Signal
    scores: FilterScores
    vectors: FloatArray
    response: FloatArray
    num_users: Mapping[str, IndexArray]

    @classmethod
    def of(cls, signal: Signal, scores: FilterScores) -> "TopReasonFinder":
        """The finder of a fitted model."""
        num_users = {name: np.bincount(m.indices, minlength=m.shape[1]) for name, m in signal.values.items()}
        response = scores.response().float().cpu().numpy()
        return cls(signal, scores, scores.vectors.cpu().numpy(), response, num_users)

    def find(self, user_index: int, items: IndexArray) -> TopReasons:
        """The node with the largest sum of contributions (as in `find_contributions`) to each of m items of a user."""
        user = self.signal.rows_of(user_index)
        history = user.behaviour
        relation, node, rows = [], [], []
        for name, related_nodes, carried, own_part in self._related(user):
            history = history + own_part
            relation += [name] * len(related_nodes)
            node.append(related_nodes)
            rows.append(carried)
        history = sparse.csr_array(history)
        relation, node, rows = (
            [HISTORY] * history.nnz + relation,
            [history.indices.astype(np.int64), *node],
            [_diagonal(history), *rows],
        )
        carried = sparse.csr_array(sparse.vstack(rows, format="csr"))
        source_items = np.unique(carried.indices).astype(np.int64)
        if not len(source_items):
            return TopReasons(("",) * len(items), np.full(len(items), -1, dtype=np.int64))
        influence = self._compute_influence(source_items, items).astype(np.float64)
        amount = sparse.csr_array(carried[:, source_items]).astype(np.float64) @ influence  # [n, m]
        best = amount.argmax(axis=0)
        is_positive = amount[best, np.arange(len(items))] > 0
        pairs = zip(best.tolist(), is_positive.tolist(), strict=True)
        names = tuple(relation[row] if positive else "" for row, positive in pairs)
        return TopReasons(names, np.where(is_positive, np.concatenate(node)[best], -1))

    def _related(self, user: UserRows) -> Iterator[tuple[str, IndexArray, sparse.csr_array, sparse.csr_array]]:
        """For each relation: its name, the friends or values [n], the signal from each [n, num_items], and the part of
        it that comes from the user's own behaviour [1, num_items] and counts as history."""
        num_items = self.signal.behaviour.shape[1]
        for name, related in user.related.items():
            items = user.relation_signals[name].indices
            if not related.nnz or not len(items):
                continue
            source = self.signal.behaviour if name in self.signal.social else self.signal.profiles[name]
            dense = source[related.indices][:, items].toarray()
            carried = dense * related.data[:, None]
            own_part = np.zeros(len(items))
            if name in self.signal.values and user.in_profiles:
                users = np.maximum(self.num_users[name][related.indices], 1)[:, None]
                own_signal = (dense != 0) * user.behaviour[:, items].toarray() * (related.data[:, None] / users)
                carried, own_part = carried - own_signal, own_signal.sum(axis=0)
            rows = np.arange(related.nnz + 1) * len(items)
            columns = np.tile(items, related.nnz)
            yield (
                name,
                related.indices.astype(np.int64),
                sparse.csr_array((carried.ravel(), columns, rows), shape=(related.nnz, num_items)),
                sparse.csr_array((own_part, items, [0, len(items)]), shape=(1, num_items)),
            )

    def _compute_influence(self, source_items: IndexArray, items: IndexArray) -> FloatArray:
        """The contribution of one unit of signal on n items to each of m scores, [n, m]."""
        c, paths = self.scores.config, self.scores.paths
        degree = self.scores.degree[source_items][:, None]
        left = self.vectors[source_items] * degree ** np.float32(-c.target_exponent)
        influence: FloatArray = left @ (self.vectors[items] * self.response).T
        starts = paths.indptr[source_items].astype(np.int64)
        lengths = paths.indptr[source_items + 1] - starts
        entries = np.arange(int(lengths.sum())) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        place = np.full(paths.shape[1], -1, dtype=np.int64)
        place[items] = np.arange(len(items))
        columns = place[paths.indices[entries]]
        is_target = columns >= 0
        row = np.repeat(np.arange(len(source_items)), lengths)[is_target]
        influence[row, columns[is_target]] += np.float32(c.path_weight) * paths.data[entries[is_target]]
        return influence * degree ** np.float32(-c.source_exponent)


def _diagonal(row: sparse.csr_array) -> sparse.csr_array:
    """A row with n entries as n rows with one entry each, [n, columns]."""
    return sparse.csr_array((row.data, row.indices, np.arange(row.nnz + 1)), shape=(row.nnz, row.shape[1]))
