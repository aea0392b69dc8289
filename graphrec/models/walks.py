"""Random walks on a CSR graph, biased as node2vec's, and the skip-gram that learns from windows of walks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import embedding

from graphrec.vocabulary import IndexArray

#: Keeps the logarithm finite, as in torch_geometric.nn.Node2Vec.
EPS = 1e-15


@dataclass(frozen=True, eq=False)
class Walker:
    """Walks with P(x | v, t) ∝ w(v, x) · α, t being the node before v: α = 1/p where x = t, 1 where x is a neighbour
    of t, else 1/q (Grover and Leskovec, KDD 2016, section 3.2.2).

    Steps are drawn by rejection: a neighbour by weight, kept with the chance α/max α. So nothing is prepared for
    pairs of nodes, which the authors' alias tables need.
    """

    adjacency: sparse.csr_array  # weights above 0, symmetric, columns sorted
    p: float
    q: float
    total: npt.NDArray[np.float64]  # [nnz + 1], running sum of the weights
    key: IndexArray  # [nnz], row · n + column, ascending

    @classmethod
    def of(cls, adjacency: sparse.csr_array, p: float, q: float) -> "Walker":
        """A walker on a symmetric graph [n, n]."""
        matrix = adjacency.copy()
        matrix.sort_indices()
        rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
        total = np.concatenate([[0.0], np.cumsum(matrix.data, dtype=np.float64)])
        return cls(matrix, p, q, total, rows * matrix.shape[0] + matrix.indices)

    def walk(self, start: IndexArray, length: int, rng: np.random.Generator) -> IndexArray:
        """Walks [n, length] that begin at nodes with at least one neighbour, each of them the first of its row."""
        walks = np.empty((len(start), length), dtype=np.int64)
        walks[:, 0] = start
        for step in range(1, length):
            before = walks[:, step - 2] if step > 1 and (self.p, self.q) != (1.0, 1.0) else None
            walks[:, step] = self.neighbour(walks[:, step - 1], before, rng)
        return walks

    def neighbour(self, node: IndexArray, before: IndexArray | None, rng: np.random.Generator) -> IndexArray:
        """One neighbour [n] of each node, by weight where nothing is known of the node before."""
        if before is None:
            return self._proposed(node, rng)
        found = np.empty(len(node), dtype=np.int64)
        waiting = np.arange(len(node))
        most = max(1.0 / self.p, 1.0, 1.0 / self.q)
        while len(waiting):
            proposed = self._proposed(node[waiting], rng)
            kept = rng.random(len(waiting)) * most < self._bias(proposed, before[waiting])
            found[waiting[kept]] = proposed[kept]
            waiting = waiting[~kept]
        return found

    def _proposed(self, node: IndexArray, rng: np.random.Generator) -> IndexArray:
        first, last = self.adjacency.indptr[node], self.adjacency.indptr[node + 1]
        low, high = self.total[first], self.total[last]
        place = np.searchsorted(self.total, low + rng.random(len(node)) * (high - low), side="right") - 1
        place = np.clip(place, first, last - 1)  # rounding at the ends
        return self.adjacency.indices[place].astype(np.int64)

    def _bias(self, proposed: IndexArray, before: IndexArray) -> npt.NDArray[np.float64]:
        key = before * self.adjacency.shape[0] + proposed
        place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        near = self.key[place] == key
        return np.where(proposed == before, 1.0 / self.p, np.where(near, 1.0, 1.0 / self.q))


def windows(walks: IndexArray, context: int) -> IndexArray:
    """All windows [n · (length − context + 1), context] of walks [n, length], by position, then by walk, as PyG's."""
    length = walks.shape[1]
    return np.concatenate([walks[:, first : first + context] for first in range(length - context + 1)])


def skip_gram_loss(x: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """−mean log σ(x_s · x_c) over pairs of the first node s and another node c of each positive window [n, context],
    − mean log(1 − σ(x_s · x_c)) over those of negative ones [m, context]; x [num_nodes, dim], with a sparse gradient.

    Mikolov et al., 2013, as in torch_geometric.nn.Node2Vec.
    """
    near = -torch.log(torch.sigmoid(_products(x, positive)) + EPS).mean()
    far = -torch.log(1 - torch.sigmoid(_products(x, negative)) + EPS).mean()
    return near + far


def _products(x: Tensor, window: Tensor) -> Tensor:
    start = embedding(window[:, :1], x, sparse=True)  # [n, 1, dim]
    rest = embedding(window[:, 1:], x, sparse=True)  # [n, context - 1, dim]
    return (start * rest).sum(dim=2)
