"""Biased random walks of node2vec on a CSR graph, windows of walks, and the skip-gram loss."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import embedding

from graphrec.vocabulary import IndexArray

#: Constant that keeps the logarithm finite, as in torch_geometric.nn.Node2Vec.
EPS = 1e-15


@dataclass(frozen=True, eq=False)
class Walker:
    """Walks with P(x | v, t) ∝ w(v, x) · α for the step from v to x after a step from t to v.

    w are edge weights; α is 1/p if x = t, 1 if x is a neighbour of t, else 1/q (Grover and Leskovec, KDD 2016, section
    3.2.2). Differs in drawing steps by rejection: a neighbour x is drawn by weight and accepted with probability
    α/max α, which needs no alias table per edge.

    adjacency: w [n, n], symmetric, with positive weights and sorted columns.
    p, q: return and in-out parameter.
    total: cumulative sum of the weights, [num_entries + 1].
    key: row · n + column of the entries, ascending, [num_entries].
    """

    adjacency: sparse.csr_array
    p: float
    q: float
    total: npt.NDArray[np.float64]
    key: IndexArray

    @classmethod
    def of(cls, adjacency: sparse.csr_array, p: float, q: float) -> "Walker":
        """A walker on a symmetric graph [n, n]."""
        matrix = adjacency.copy()
        matrix.sort_indices()
        rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
        total = np.concatenate([[0.0], np.cumsum(matrix.data, dtype=np.float64)])
        return cls(matrix, p, q, total, rows * matrix.shape[0] + matrix.indices)

    def walk(self, start: IndexArray, length: int, rng: np.random.Generator) -> IndexArray:
        """Walks [n, length] that begin at the nodes `start` [n], each of which has a neighbour."""
        walks = np.empty((len(start), length), dtype=np.int64)
        walks[:, 0] = start
        for step in range(1, length):
            before = walks[:, step - 2] if step > 1 and (self.p, self.q) != (1.0, 1.0) else None
            walks[:, step] = self.draw_neighbours(walks[:, step - 1], before, rng)
        return walks

    def draw_neighbours(self, node: IndexArray, before: IndexArray | None, rng: np.random.Generator) -> IndexArray:
        """A neighbour [n] of each node [n], given the nodes before; by weight alone if `before` is None."""
        if before is None:
            return self._propose(node, rng)
        drawn = np.empty(len(node), dtype=np.int64)
        pending = np.arange(len(node))
        max_bias = max(1.0 / self.p, 1.0, 1.0 / self.q)
        while len(pending):
            proposed = self._propose(node[pending], rng)
            accepted = rng.random(len(pending)) * max_bias < self._compute_bias(proposed, before[pending])
            drawn[pending[accepted]] = proposed[accepted]
            pending = pending[~accepted]
        return drawn

    def _propose(self, node: IndexArray, rng: np.random.Generator) -> IndexArray:
        first, last = self.adjacency.indptr[node], self.adjacency.indptr[node + 1]
        low, high = self.total[first], self.total[last]
        index = np.searchsorted(self.total, low + rng.random(len(node)) * (high - low), side="right") - 1
        index = np.clip(index, first, last - 1)  # rounding may leave the range
        return self.adjacency.indices[index].astype(np.int64)

    def _compute_bias(self, proposed: IndexArray, before: IndexArray) -> npt.NDArray[np.float64]:
        key = before * self.adjacency.shape[0] + proposed
        index = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        is_neighbour = self.key[index] == key
        return np.where(proposed == before, 1.0 / self.p, np.where(is_neighbour, 1.0, 1.0 / self.q))


def cut_windows(walks: IndexArray, context: int) -> IndexArray:
    """All windows [n · (length − context + 1), context] of walks [n, length], by position, then by walk, as in PyG."""
    length = walks.shape[1]
    return np.concatenate([walks[:, first : first + context] for first in range(length - context + 1)])


def skip_gram_loss(x: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """−mean log σ(x_s · x_c) − mean log(1 − σ(x_s · x_c)), the means over positive and negative pairs of nodes (s, c).

    Pairs are the first node s of a window and another node c of it. Mikolov et al., 2013, as in
    torch_geometric.nn.Node2Vec.

    Args:
        x: the vectors, [num_nodes, dim]; their gradient is sparse.
        positive: windows of walks, [n, context].
        negative: windows of random nodes, [m, context].
    """
    positive_loss = -torch.log(torch.sigmoid(_dot_products(x, positive)) + EPS).mean()
    negative_loss = -torch.log(1 - torch.sigmoid(_dot_products(x, negative)) + EPS).mean()
    return positive_loss + negative_loss


def _dot_products(x: Tensor, window: Tensor) -> Tensor:
    start = embedding(window[:, :1], x, sparse=True)  # [n, 1, dim]
    rest = embedding(window[:, 1:], x, sparse=True)  # [n, context - 1, dim]
    return (start * rest).sum(dim=2)
