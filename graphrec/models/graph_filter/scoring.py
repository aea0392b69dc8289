"""Scores of graph_filter for signals: exact ones of all or single items, and approximate ones of all items."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray
from graphrec.linalg.csr import csr_tensor, empty_csr
from graphrec.linalg.single_row import multiply_vector, sum_weighted_rows
from graphrec.linalg.sparse import dense_product, scale_columns
from graphrec.models.base import ApproximateScores, FactoredScores
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.signal import Signal
from graphrec.models.recency import apply_revisit
from graphrec.vocabulary import IndexArray

#: Batch size in users of the bfloat16 product; smaller batches are slower.
PRODUCT_BATCH = 384

#: Batch size in users of approximate scores, chosen to fit the processor's cache.
SEARCH_BATCH = 64

#: Batch size in users whose candidates' vectors are gathered at once, chosen to fit the processor's cache.
GATHER_BATCH = 16


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

    def score(self, rows: sparse.csr_array) -> Tensor:
        """The scores [batch, num_items] of signals [batch, num_items]."""
        if rows.shape[0] == 1 and self.vectors.device.type == "cpu":
            return self._score_one(rows)
        return self.score_paths(rows).addmm_(self.filter_signals(rows), self.vectors.T)

    def _score_one(self, rows: sparse.csr_array) -> Tensor:
        """The scores [1, num_items] of one signal; numpy needs a third of the time of torch and scipy here."""
        c, items = self.config, rows.indices
        response = np.maximum(c.plateau - self.eigenvalues.numpy(), 0.0).astype(np.float32)
        vectors = self.vectors.numpy()
        scores = multiply_vector(vectors, (self._damp_values(rows, c.target_exponent) @ vectors[items]) * response)
        scores += sum_weighted_rows(self.paths, items, self._damp_values(rows) * np.float32(c.path_weight))
        return torch.from_numpy(scores)[None]

    def score_at(self, rows: sparse.csr_array, items: Tensor) -> Tensor:
        """The scores [batch, m] of signals at positions [batch, m]."""
        return self._spectral_scores(self.filter_signals(rows), items) + self.score_paths(rows).gather(1, items)

    def filter_signals(self, rows: sparse.csr_array) -> Tensor:
        """s D^-p V g(λ) of signals, [batch, k]; the exponent −(p + q) cancels D^q in `vectors`."""
        device = self.vectors.device
        if not self.vectors.shape[1]:  # torch.sparse rejects matrices without columns
            return torch.zeros(rows.shape[0], 0, device=device)
        damped = self.damp(rows, self.config.target_exponent)
        return (csr_tensor(damped).to(device) @ self.vectors) * self.response().float()

    def score_paths(self, rows: sparse.csr_array, out: Tensor | None = None) -> Tensor:
        """w s D^-p P D^q of signals, dense [batch, num_items]; written to `out` (on the CPU) if given."""
        return dense_product(self.damp(rows), self.paths, self.config.path_weight, out).to(self.vectors.device)

    def response(self) -> Tensor:
        """g(λ) [k] float64."""
        return (self.config.plateau - self.eigenvalues.double()).clamp(min=0).to(self.vectors.device)

    def eigenvectors(self) -> Tensor:
        """V [num_items, k] on the CPU."""
        return self.vectors.cpu() * torch.from_numpy(self.degree**-self.config.target_exponent)[:, None]

    def regress(self, rows: sparse.csr_array, ridge_diagonal: FloatArray) -> sparse.csr_array:
        """Damped signals [batch, num_items] times Q = (I − P) diag(Q), where P are ridge coefficients and diag(Q) is
        `Kernel.ridge_diagonal`: the coefficients of a new item are Q times its paths. Signals of items without
        interactions, which have no coefficients, stay as they are."""
        is_known = (ridge_diagonal > 0).astype(np.float32)
        known, others = scale_columns(rows, is_known), scale_columns(rows, 1.0 - is_known)
        coefficients = scale_columns(self.paths, self.degree**-self.config.target_exponent)
        return sparse.csr_array(scale_columns(sparse.csr_array(known - known @ coefficients), ridge_diagonal) + others)

    def damp(self, rows: sparse.csr_array, more: float = 0.0) -> sparse.csr_array:
        """Signals with each entry multiplied by its item's degree ^ -(p + more)."""
        return sparse.csr_array((self._damp_values(rows, more), rows.indices, rows.indptr), shape=rows.shape)

    def _damp_values(self, rows: sparse.csr_array, more: float = 0.0) -> FloatArray:
        """The values of signals, each multiplied by its item's degree ^ -(p + more)."""
        exponent = np.float32(-(self.config.source_exponent + more))
        damped: FloatArray = (rows.data * self.degree[rows.indices] ** exponent).astype(np.float32)
        return damped

    def factored_scores(self, signal: Signal) -> FactoredScores:
        """The scores of users in training as an inner product plus a sparse product."""

        def user_factors(user_index: IndexArray) -> tuple[Tensor, sparse.csr_array]:
            rows = signal.for_users(user_index)
            return self.filter_signals(rows), self.damp(rows) * np.float32(self.config.path_weight)

        return FactoredScores(self.vectors, self.paths, user_factors)

    def approximate_scores(self, signal: Signal, users: IndexArray, size: int) -> Iterator[ApproximateScores]:
        """ApproximateScores of users in training in their order, at most `size` at a time, with a bfloat16 product.

        All batches use the same two large arrays: otherwise the C library would release and allocate 50 MB per batch,
        and the operating system would clear every page, which needs as much time as the products.
        """
        batch, part = min(size, PRODUCT_BATCH), min(size, SEARCH_BATCH)
        vectors = self.vectors.bfloat16()
        product_memory = vectors.new_empty(batch, len(vectors))
        scores = torch.empty(part, len(vectors))
        for first in range(0, len(users), batch):
            rows = signal.for_users(users[first : first + batch])
            factors = self.filter_signals(rows)  # [batch, k]
            rough = torch.mm(factors.bfloat16(), vectors.T, out=product_memory[: len(factors)])  # [batch, num_items]
            for start in range(0, len(factors), part):
                chunk = slice(start, start + part)
                other_pairs = signal.other_pairs[users[first + start : first + start + part]]
                yield self._approximate(rows[chunk], factors[chunk], rough[chunk], other_pairs, scores)

    def _approximate(
        self, rows: sparse.csr_array, factors: Tensor, rough: Tensor, other_pairs: sparse.csr_array, memory: Tensor
    ) -> ApproximateScores:
        """Scores from the bfloat16 products `rough` [batch, num_items], written to `memory`."""
        scores = self.score_paths(rows, memory[: len(factors)])
        scores = self.apply_revisit(scores.add_(rough), other_pairs)

        def exact(items: Tensor) -> Tensor:
            # adding the rounding error back needs no separate copy of the path scores
            error = self._spectral_scores(factors, items) - rough.gather(1, items)
            return scores.gather(1, items) + self.apply_revisit_at(error, other_pairs, items)

        return ApproximateScores(scores, exact)

    def _spectral_scores(self, factors: Tensor, items: Tensor) -> Tensor:
        """The spectral term of the scores at positions [batch, m], from the users' factors [batch, k]."""
        scores = torch.empty(items.shape, device=factors.device)
        for start in range(0, len(items), GATHER_BATCH):
            users = slice(start, start + GATHER_BATCH)
            # index_select needs a fifth of the time of indexing
            vectors = self.vectors.index_select(0, items[users].reshape(-1)).view(*items[users].shape, -1)
            scores[users] = torch.einsum("bk,bmk->bm", factors[users], vectors)
        return scores

    def apply_revisit(self, scores: Tensor, other_pairs: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] after multiplying those at `other_pairs` by `revisit`, in place."""
        return apply_revisit(scores, other_pairs, self.config.revisit)

    def apply_revisit_at(self, scores: Tensor, other_pairs: sparse.csr_array, items: Tensor) -> Tensor:
        """The same for scores [batch, m] at positions [batch, m]."""
        if self.config.revisit != 1.0 and other_pairs.nnz:
            rows = np.repeat(np.arange(len(items)), items.shape[1])
            is_other = np.asarray(other_pairs[rows, items.cpu().numpy().ravel()]).reshape(items.shape) > 0
            scores[torch.from_numpy(is_other).to(scores.device)] *= self.config.revisit
        return scores
