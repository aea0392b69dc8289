"""Transitions between items in histories: a sparse item-item matrix, cut to the largest entries of each row."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg import sequence_kernels as kernels
from graphrec.linalg.events import Events
from graphrec.linalg.topk_product import BLOCK, Scratch, cut_in_blocks

#: Threshold: the weight of a pair of events below which it is not counted.
NEGLIGIBLE = 1e-4


@dataclass(frozen=True)
class PairWeights:
    """The weight of a pair of events in the same history: w(gap) · ½^(days between / half-life).

    w(gap) = decay^(gap − 1) if the other event is later, `backward` times that if it is earlier.

    decay: σ, from 0 to 1.
    backward: θ, at least 0.
    window: largest gap that counts, in events.
    half_life: in days; 0 ignores times.
    """

    decay: float
    backward: float
    window: int
    half_life: float = 0.0

    def forward_weights(self) -> FloatArray:
        """The weights of gaps 1, 2, … until they are negligible, [at most window]."""
        weights = self.decay ** np.arange(self.window, dtype=np.float64)
        return weights[weights >= NEGLIGIBLE].astype(np.float32)

    @property
    def rate(self) -> float:
        """The decay rate per day."""
        return np.log(2.0) / self.half_life if self.half_life > 0 else 0.0


def sum_transitions(events: Events, pairs: PairWeights, columns: FloatArray, k: int) -> sparse.csr_array:
    """The k > 0 largest entries of each row of (C + θ Cᵀ) · diag(columns), [num_items, num_items] float32.

    C[i, j] is the sum of the weights of all pairs of an event of i and a later one of j. The matrix is computed row by
    row, so that only the entries that are kept need memory; the time grows with events times window.
    """
    forward = pairs.forward_weights()
    backward = (forward * np.float32(pairs.backward))[: len(forward) if pairs.backward > 0 else 0]
    num_items, days = events.num_items, events.days
    bound = np.minimum(events.num_events_of_item * (len(forward) + len(backward)), num_items)

    def sum_block(scratch: Scratch, first: int, last: int) -> sparse.csr_array:
        indptr = np.zeros(last - first + 1, dtype=np.int32)
        arrays = (events.item_starts, events.by_item, events.starts, events.ends, events.items, events.weights, days)
        out = (scratch.sums, indptr, scratch.indices, scratch.data)
        kernels.sum_transitions(first, last, *arrays, pairs.rate, forward, backward, *out)
        values, indices = scratch.data[: indptr[-1]], scratch.indices[: indptr[-1]]
        values *= columns[indices]
        return sparse.csr_array((values, indices, indptr), shape=(last - first, num_items))

    return cut_in_blocks(sum_block, bound, num_items, k, max(BLOCK, int(bound.max(initial=0))))
