"""The strongest reasons of many scores of graph_filter at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.models.attribution import HISTORY, TopReasons
from graphrec.models.graph_filter.scoring import FilterScores
from graphrec.models.graph_filter.signal import Signal
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class TopReasonFinder:
    """Finds the strongest reasons of a user's scores, with what is the same for all users computed once.

    signal, scores: those of the model.
    vectors: D^q V, [num_items, k].
    response: g(λ), [k].
    people: number of users of each value, [num_values] by user attribute.
    place: scratch array [num_items], -1 outside a call.
    """

    signal: Signal
    scores: FilterScores
    vectors: FloatArray
    response: FloatArray
    people: Mapping[str, IndexArray]
    place: IndexArray

    @classmethod
    def of(cls, signal: Signal, scores: FilterScores) -> "TopReasonFinder":
        """The finder of a fitted model."""
        place = np.full(len(scores.degree), -1, dtype=np.int64)
        people = {name: np.bincount(m.indices, minlength=m.shape[1]) for name, m in signal.values.items()}
        response = scores.response().float().cpu().numpy()
        return cls(signal, scores, scores.vectors.cpu().numpy(), response, people, place)

    def find(self, user_index: int, items: IndexArray) -> TopReasons:
        """The node with the largest sum of contributions (as in `find_contributions`) to each of m items of a user."""
        own = self.signal.behaviour[[user_index]]
        relation, node, rows = [], [], []
        for name, nodes, carried, mine in self._related(user_index, own):
            own = own + mine
            relation += [name] * len(nodes)
            node.append(nodes)
            rows.append(carried)
        own = sparse.csr_array(own)
        relation, node, rows = (
            [HISTORY] * own.nnz + relation,
            [own.indices.astype(np.int64), *node],
            [_diagonal(own), *rows],
        )
        carried = sparse.csr_array(sparse.vstack(rows, format="csr"))
        between = np.unique(carried.indices).astype(np.int64)
        if not len(between):
            return TopReasons(("",) * len(items), np.full(len(items), -1, dtype=np.int64))
        kernel = self._influence(between, items).astype(np.float64)
        amount = sparse.csr_array(carried[:, between]).astype(np.float64) @ kernel  # [n, m]
        best = amount.argmax(axis=0)
        speaks = amount[best, np.arange(len(items))] > 0
        names = tuple(relation[row] if yes else "" for row, yes in zip(best.tolist(), speaks.tolist(), strict=True))
        return TopReasons(names, np.where(speaks, np.concatenate(node)[best], -1))

    def _related(
        self, user_index: int, own: sparse.csr_array
    ) -> Iterator[tuple[str, IndexArray, sparse.csr_array, sparse.csr_array]]:
        """For each relation its name, the friends or values [n], the signal from each [n, num_items], and the part of
        it that is the user's own behaviour [1, num_items], which counts as history."""
        shape = self.signal.behaviour.shape[1]
        for name, matrix in {**self.signal.social, **self.signal.values}.items():
            related = matrix[[user_index]]
            kept = self.signal.around[name][[user_index]].indices
            if not related.nnz or not len(kept):
                continue
            source = self.signal.behaviour if name in self.signal.social else self.signal.profiles[name]
            dense = source[related.indices][:, kept].toarray()
            carried = dense * related.data[:, None]
            mine = np.zeros(len(kept))
            if name in self.signal.values:
                people = np.maximum(self.people[name][related.indices], 1)[:, None]
                part = (dense != 0) * own[:, kept].toarray() * (related.data[:, None] / people)
                carried, mine = carried - part, part.sum(axis=0)
            rows = np.arange(related.nnz + 1) * len(kept)
            columns = np.tile(kept, related.nnz)
            yield (
                name,
                related.indices.astype(np.int64),
                sparse.csr_array((carried.ravel(), columns, rows), shape=(related.nnz, shape)),
                sparse.csr_array((mine, kept, [0, len(kept)]), shape=(1, shape)),
            )

    def _influence(self, between: IndexArray, items: IndexArray) -> FloatArray:
        """The contribution of one unit of signal on n items to each of m scores, [n, m]."""
        c, paths = self.scores.config, self.scores.paths
        degree = self.scores.degree[between][:, None]
        left = self.vectors[between] * degree ** np.float32(-c.target_exponent)
        found: FloatArray = left @ (self.vectors[items] * self.response).T
        starts = paths.indptr[between].astype(np.int64)
        lengths = paths.indptr[between + 1] - starts
        entries = np.arange(int(lengths.sum())) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        self.place[items] = np.arange(len(items))
        column = self.place[paths.indices[entries]]
        self.place[items] = -1
        hit = column >= 0
        row = np.repeat(np.arange(len(between)), lengths)[hit]
        found[row, column[hit]] += np.float32(c.path_weight) * paths.data[entries[hit]]
        return found * degree ** np.float32(-c.source_exponent)


def _diagonal(row: sparse.csr_array) -> sparse.csr_array:
    """A row with n entries as n rows with one entry each, [n, columns]."""
    return sparse.csr_array((row.data, row.indices, np.arange(row.nnz + 1)), shape=(row.nnz, row.shape[1]))
