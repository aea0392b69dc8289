"""Scores of graph_filter for signals: exact for all or single items, approximate for all."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray
from graphrec.linalg.csr import csr_tensor, empty_csr
from graphrec.linalg.single_row import products, weighted_rows
from graphrec.linalg.sparse import dense_product, touched
from graphrec.models.base import ApproximateScores, FactoredScores
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.signal import Signal
from graphrec.vocabulary import IndexArray

#: Batch size of the bfloat16 product; smaller batches are slower.
MULTIPLIED = 384

#: Batch size of scores that are computed and searched, chosen to fit the processor's cache.
SEARCHED = 64

#: Batch size of users whose candidates' vectors are gathered, chosen to fit the cache.
GATHERED = 16


@dataclass(frozen=True, eq=False)
class FilterScores:
    """score(s) = s D^-p [ w P + V g(λ) Vᵀ ] D^q of a signal s [num_items]; GraphFilter defines the symbols.

    config: the settings, among them the exponents p and q, the weight w and the plateau of g.
    degree: D, [num_items].
    eigenvalues: λ, [k].
    vectors: D^q V, [num_items, k].
    paths: P D^q, [num_items, num_items], on the CPU.
    """

    config: GraphFilterConfig
    degree: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    eigenvalues: Tensor = field(default_factory=lambda: torch.empty(0))
    vectors: Tensor = field(default_factory=lambda: torch.empty(0, 0))
    paths: sparse.csr_array = field(default_factory=empty_csr)

    def of(self, rows: sparse.csr_array) -> Tensor:
        """The scores [batch, num_items] of signals [batch, num_items]."""
        if rows.shape[0] == 1 and self.vectors.device.type == "cpu":
            return self._of_one(rows)
        return self.walked(rows).addmm_(self.filtered(rows), self.vectors.T)

    def _of_one(self, rows: sparse.csr_array) -> Tensor:
        """The scores [1, num_items] of one signal with numpy, in a third of the time of torch and scipy."""
        c, items = self.config, rows.indices
        response = np.maximum(c.plateau - self.eigenvalues.numpy(), 0.0).astype(np.float32)
        vectors = self.vectors.numpy()
        scores = products(vectors, (self._powered(rows, c.target_exponent) @ vectors[items]) * response)
        scores += weighted_rows(self.paths, items, self._powered(rows) * np.float32(c.path_weight))
        return torch.from_numpy(scores)[None]

    def at(self, rows: sparse.csr_array, items: Tensor) -> Tensor:
        """The scores [batch, m] of signals at positions [batch, m]."""
        return self._dots(self.filtered(rows), items) + self.walked(rows).gather(1, items)

    def filtered(self, rows: sparse.csr_array) -> Tensor:
        """s D^-p V g(λ) of signals, [batch, k]; the exponent −(p + q) divides D^q out of `vectors`."""
        device = self.vectors.device
        if not self.vectors.shape[1]:  # torch.sparse refuses factors without columns
            return torch.zeros(rows.shape[0], 0, device=device)
        damped = self.damped(rows, self.config.target_exponent)
        return (csr_tensor(damped).to(device) @ self.vectors) * self.response().float()

    def walked(self, rows: sparse.csr_array, out: Tensor | None = None) -> Tensor:
        """w s D^-p P D^q of signals, dense [batch, num_items]; computed in `out` (on the CPU) if given."""
        return dense_product(self.damped(rows), self.paths, self.config.path_weight, out).to(self.vectors.device)

    def response(self) -> Tensor:
        """g(λ) [k] float64."""
        return (self.config.plateau - self.eigenvalues.double()).clamp(min=0).to(self.vectors.device)

    def plain_vectors(self) -> Tensor:
        """V [num_items, k] on the CPU."""
        return self.vectors.cpu() * torch.from_numpy(self.degree**-self.config.target_exponent)[:, None]

    def damped(self, rows: sparse.csr_array, more: float = 0.0) -> sparse.csr_array:
        """Signals with each entry multiplied by its item's degree ^ -(p + more)."""
        return sparse.csr_array((self._powered(rows, more), rows.indices, rows.indptr), shape=rows.shape)

    def _powered(self, rows: sparse.csr_array, more: float = 0.0) -> FloatArray:
        exponent = np.float32(-(self.config.source_exponent + more))
        found: FloatArray = (rows.data * self.degree[rows.indices] ** exponent).astype(np.float32)
        return found

    def factored_scores(self, signal: Signal) -> FactoredScores:
        """The scores of users in training as an inner product plus a sparse product."""

        def sides(user_index: IndexArray) -> tuple[Tensor, sparse.csr_array]:
            rows = signal.of(user_index)
            return self.filtered(rows), self.damped(rows) * np.float32(self.config.path_weight)

        return FactoredScores(self.vectors, self.paths, sides)

    def approximate_scores(self, signal: Signal, users: IndexArray, size: int) -> Iterator[ApproximateScores]:
        """ApproximateScores of users in training in their order, at most `size` at a time, with a bfloat16 product.

        The two large arrays are reused for all batches: the C library would release and allocate 50 MB per batch, and
        the kernel clears every page, which takes as long as the products.
        """
        batch, part = min(size, MULTIPLIED), min(size, SEARCHED)
        vectors = self.vectors.bfloat16()
        products_ = vectors.new_empty(batch, len(vectors))
        scores = torch.empty(part, len(vectors))
        for first in range(0, len(users), batch):
            rows = signal.of(users[first : first + batch])
            left = self.filtered(rows)  # [batch, k]
            rough = torch.mm(left.bfloat16(), vectors.T, out=products_[: len(left)])  # [batch, num_items]
            for start in range(0, len(left), part):
                some = slice(start, start + part)
                beside = signal.beside[users[first + start : first + start + part]]
                yield self._screen(rows[some], left[some], rough[some], beside, scores)

    def _screen(
        self, rows: sparse.csr_array, left: Tensor, rough: Tensor, beside: sparse.csr_array, memory: Tensor
    ) -> ApproximateScores:
        scores = self.walked(rows, memory[: len(left)])
        scores = self.revisited(scores.add_(rough), beside)

        def exact(items: Tensor) -> Tensor:
            # adding back what rounding removed needs no separate copy of the path scores
            missing = self._dots(left, items) - rough.gather(1, items)
            return scores.gather(1, items) + self.revisited_at(missing, beside, items)

        return ApproximateScores(scores, exact)

    def _dots(self, left: Tensor, items: Tensor) -> Tensor:
        """The spectral part of scores at positions [batch, m], from the users' factors [batch, k]."""
        found = torch.empty(items.shape, device=left.device)
        for start in range(0, len(items), GATHERED):
            users = slice(start, start + GATHERED)
            # index_select takes a fifth of the time of indexing
            vectors = self.vectors.index_select(0, items[users].reshape(-1)).view(*items[users].shape, -1)
            found[users] = torch.einsum("bk,bmk->bm", left[users], vectors)
        return found

    def revisited(self, scores: Tensor, beside: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] after multiplying those of items met otherwise by `revisit`, in place."""
        if self.config.revisit != 1.0 and beside.nnz:
            scores.view(-1)[torch.from_numpy(touched(beside)).to(scores.device)] *= self.config.revisit
        return scores

    def revisited_at(self, scores: Tensor, beside: sparse.csr_array, items: Tensor) -> Tensor:
        """The same for scores [batch, m] at positions [batch, m]."""
        if self.config.revisit != 1.0 and beside.nnz:
            first = np.repeat(np.arange(len(items)), items.shape[1])
            met = np.asarray(beside[first, items.cpu().numpy().ravel()]).reshape(items.shape) > 0
            scores[torch.from_numpy(met).to(scores.device)] *= self.config.revisit
        return scores
