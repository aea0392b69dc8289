"""Scores of sequence_filter for signals, and their division by route."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray
from graphrec.linalg.csr import csr_tensor
from graphrec.linalg.single_row import sum_weighted_rows
from graphrec.linalg.sparse import add_sparse, dense_product
from graphrec.models.sequence_filter.kernel import SequenceKernel


@dataclass(frozen=True, eq=False)
class SequenceScores:
    """score(x) = w (x̄ + x̄ v P) M + w x̄ S + Σ_k x[k] B[k] of signals x[k], one for each memory, with their mean x̄.

    kernel: M, S and v P.
    ridge: B [memories · num_items, num_items]; empty without a ridge.
    transition_weight: w, 1 without a ridge.
    """

    kernel: SequenceKernel = field(default_factory=SequenceKernel)
    ridge: Tensor = field(default_factory=lambda: torch.empty(0, 0))
    transition_weight: float = 1.0

    def score(self, signals: Sequence[sparse.csr_array]) -> Tensor:
        """The scores [batch, num_items] float32 of the signals [batch, num_items] of each memory."""
        mean = average(signals)
        if mean.shape[0] == 1 and not self.ridge.numel():
            return self._score_one(mean)
        scores = torch.zeros(mean.shape)
        if self.transition_weight > 0:
            scores = dense_product(self.spread(mean), self.kernel.transitions, self.transition_weight)
            if self.kernel.similar.nnz:
                similar = sparse.csr_array(mean @ self.kernel.similar)
                scores = add_sparse(scores, similar, self.transition_weight)
        if self.ridge.numel():
            stacked = sparse.csr_array(sparse.hstack(signals, format="csr"))
            scores = torch.addmm(scores, csr_tensor(stacked), self.ridge)
        return scores

    def spread(self, mean: sparse.csr_array) -> sparse.csr_array:
        """x̄ + x̄ v P: the history and items similar to it, from which transitions start, [batch, num_items]."""
        return sparse.csr_array(mean + mean @ self.kernel.onward) if self.kernel.onward.nnz else mean

    def _score_one(self, mean: sparse.csr_array) -> Tensor:
        """The scores [1, num_items] of one signal in numpy, which avoids the overhead of matrices."""
        kernel, history, weights = self.kernel, mean.indices, mean.data
        if not kernel.onward.nnz:
            scores = sum_weighted_rows(kernel.transitions, history, weights)
        else:
            spread: FloatArray = sum_weighted_rows(kernel.onward, history, weights).astype(np.float32)
            spread[history] += weights
            starts = np.flatnonzero(spread)
            scores = sum_weighted_rows(kernel.transitions, starts, spread[starts])
        if kernel.similar.nnz:
            scores += sum_weighted_rows(kernel.similar, history, weights)
        return torch.from_numpy(scores.astype(np.float32))[None] * self.transition_weight


def average(signals: Sequence[sparse.csr_array]) -> sparse.csr_array:
    """The mean x̄ [batch, num_items] float32 of the signals of each memory."""
    if len(signals) == 1:
        return signals[0]
    total = signals[0]
    for part in signals[1:]:
        total = sparse.csr_array(total + part)
    return sparse.csr_array(total * np.float32(1.0 / len(signals)))
