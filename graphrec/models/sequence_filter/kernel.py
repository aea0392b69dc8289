"""The item-item matrices of sequence_filter: transitions, similarities by relation, and similar items."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg.csr import State, empty_csr, pack, unpack
from graphrec.linalg.events import Events
from graphrec.linalg.sparse import normalise_rows, normalise_symmetric, scale, top_k_per_row, topk_gram, zero_diagonal
from graphrec.linalg.transitions import PairWeights, sum_transitions
from graphrec.models.graph_filter.signal import list_names
from graphrec.models.sequence_filter.config import SequenceFilterConfig
from graphrec.relations import Relations

#: Number of most similar items that each item keeps, for each relation, and for the transitions of similar items.
SIMILAR, ONWARD = 100, 20

#: The scale of a relation is the mean of its largest entries, this number for each item.
SCALE_ENTRIES = 5


@dataclass(frozen=True, eq=False)
class Similarity:
    """The similarity of items by one relation.

    matrix: the similarities of the SIMILAR most similar items, [num_items, num_items].
    factor: F with `matrix` = the largest entries of F Fᵀ, for an attribute relation, [num_items, num_values].
    """

    matrix: sparse.csr_array
    factor: sparse.csr_array | None = None


@dataclass(frozen=True, eq=False)
class SequenceKernel:
    """The matrices that scores of signals are computed from.

    transitions: M, [num_items, num_items].
    similarities: S by relation, scaled to its weight relative to M; `factors` likewise.
    similar: the sum of all S, [num_items, num_items].
    onward: v P with the most similar items of each item in rows that sum to v, [num_items, num_items].
    """

    transitions: sparse.csr_array = field(default_factory=empty_csr)
    similarities: Mapping[str, Similarity] = field(default_factory=dict)
    similar: sparse.csr_array = field(default_factory=empty_csr)
    onward: sparse.csr_array = field(default_factory=empty_csr)

    @classmethod
    def of(
        cls,
        transitions: sparse.csr_array,
        similarities: Mapping[str, Similarity],
        weights: Mapping[str, float],
        onward: float,
    ) -> "SequenceKernel":
        """The kernel with each similarity scaled so that a weight of 1 means `as strong as the transitions`."""
        scaled = {}
        for name, similarity in similarities.items():
            if weights[name] > 0 and similarity.matrix.nnz:
                target = _typical_entry(transitions) if transitions.nnz else 1.0
                factor = weights[name] * target / _typical_entry(similarity.matrix)
                root = None if similarity.factor is None else similarity.factor * np.float32(np.sqrt(factor))
                scaled[name] = Similarity(similarity.matrix * np.float32(factor), root)
        return cls._join(transitions, scaled, onward)

    @classmethod
    def _join(
        cls, transitions: sparse.csr_array, similarities: Mapping[str, Similarity], onward: float
    ) -> "SequenceKernel":
        nothing = np.empty(0, dtype=np.int64)
        similar = sparse.csr_array((nothing.astype(np.float32), (nothing, nothing)), shape=transitions.shape)
        for similarity in similarities.values():
            similar = sparse.csr_array(similar + similarity.matrix)
        steps = normalise_rows(top_k_per_row(similar, ONWARD)) * np.float32(onward)
        return cls(transitions, similarities, similar, steps)

    def state(self) -> State:
        """All matrices as tensors."""
        state = pack("transitions", self.transitions)
        for name, similarity in self.similarities.items():
            state |= pack(f"similar/{name}", similarity.matrix)
            if similarity.factor is not None:
                state |= pack(f"factor/{name}", similarity.factor)
        return state

    @classmethod
    def from_state(cls, state: State, onward: float) -> "SequenceKernel":
        """The kernel of a `state`."""
        factors = {name: unpack(f"factor/{name}", state) for name in list_names(state, "factor")}
        similarities = {
            name: Similarity(unpack(f"similar/{name}", state), factors.get(name))
            for name in list_names(state, "similar")
        }
        return cls._join(unpack("transitions", state), similarities, onward)


def pair_weights(c: SequenceFilterConfig, in_order: bool, longest: int) -> PairWeights:
    """The weights of pairs of events; without an order all pairs of a user's items count the same."""
    if not in_order:
        return PairWeights(1.0, 1.0, max(longest, 1))
    return PairWeights(c.decay, c.backward, min(c.window, max(longest, 1)), c.transition_half_life)


def compute_transitions(
    events: Events, pairs: PairWeights, degree: FloatArray, c: SequenceFilterConfig
) -> sparse.csr_array:
    """M = D^-a (C + θ Cᵀ) D^-b, [num_items, num_items] float32, with the `neighbours` largest entries of each row."""
    columns = degree**-c.target_exponent
    transitions = sum_transitions(events, pairs, columns.astype(np.float32), c.neighbours)
    return scale(transitions, rows=degree.astype(np.float64) ** -c.source_exponent)


def compute_similarities(relations: Relations) -> dict[str, Similarity]:
    """The similarity of items by each item-attribute relation (cosine of tf-idf) and each item-item relation."""
    found = {name: _compare_attributes(matrix) for name, matrix in relations.item_attributes.items()}
    for name, matrix in relations.item_items.items():
        found[name] = Similarity(top_k_per_row(normalise_symmetric(matrix), SIMILAR))
    return found


def _compare_attributes(attribute: sparse.csr_array) -> Similarity:
    """Cosine similarities of rows [num_items, num_values] whose values are weighted by their inverse item frequency."""
    num_items = attribute.shape[0]
    frequency = np.bincount(attribute.indices, minlength=attribute.shape[1])
    idf = np.log(num_items / np.maximum(frequency, 1))
    ones = sparse.csr_array((np.ones_like(attribute.data), attribute.indices, attribute.indptr), shape=attribute.shape)
    weighted = scale(ones, columns=idf)
    norm = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1), dtype=np.float64))
    factor = scale(weighted, rows=1.0 / np.where(norm > 0, norm, 1.0))
    by_value = sparse.csr_array(factor.T)
    matrix = topk_gram(by_value, by_value, SIMILAR, zero_diagonal)
    matrix.eliminate_zeros()
    return Similarity(matrix, factor)


def _typical_entry(matrix: sparse.csr_array) -> float:
    """The mean of the SCALE_ENTRIES · num_items largest entries."""
    number = min(SCALE_ENTRIES * matrix.shape[0], matrix.nnz)
    return float(np.partition(matrix.data, matrix.nnz - number)[matrix.nnz - number :].mean())
