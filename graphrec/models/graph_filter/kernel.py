"""The costly part of graph_filter that variants share: the stacked matrix, its spectrum and its strongest paths."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray
from graphrec.linalg.reordering import Locality
from graphrec.linalg.sparse import (
    BLOCK,
    lookup_values,
    normalise,
    normalise_symmetric,
    scale_columns,
    top_k_magnitudes,
    top_k_per_row,
    topk_gram,
)
from graphrec.linalg.svd import spectrum
from graphrec.relations import Relations

#: Exponent of the target's degree by which paths are selected when they are collected; variants cut them by theirs.
COLLECTING_EXPONENT = 0.25

#: Oversampling factor: neighbours collected per neighbour kept, so that every variant can re-cut without refitting.
COLLECTION_FACTOR = 2

#: Number of strongest paths of each item that P² follows, for sharpening.
SQUARED_NEIGHBOURS = 64

#: Maximum number of items of an attribute value that paths pass; more common values say little and cost the most.
MAX_VALUE_ITEMS = 2000


@dataclass(frozen=True, eq=False)
class Attribute:
    """One item-attribute relation as a block Fᵀ of the stacked matrix N'.

    factor: F [num_items, num_values]: √weight / σ₁(F) · (number of values of the item)^-½ · (number of items of the
        value)^-½; an entry with a count n is multiplied by n log₂(1 + n).
    column: the factors of this product that do not depend on the item, [num_values]; rows of new items need them.
    """

    factor: sparse.csr_array
    column: FloatArray

    @classmethod
    def of(cls, matrix: sparse.csr_array, weight: float, rng: np.random.Generator) -> "Attribute":
        """The scaled rows of a relation [num_items, num_values] whose entries may be counts."""
        value_degree = np.bincount(matrix.indices, minlength=matrix.shape[1])
        column = (np.maximum(value_degree, 1) ** -0.5).astype(np.float32)
        plain = cls(matrix, column).rows(matrix)
        _, squares = spectrum(plain, 1, rng)
        column *= np.float32(np.sqrt(weight / float(squares[0]))) if len(squares) else np.float32(1.0)
        return cls(cls(matrix, column).rows(matrix), column)

    def rows(self, matrix: sparse.csr_array) -> sparse.csr_array:
        """The scaled rows of any items, [n, num_values]."""
        values = np.maximum(np.diff(matrix.indptr), 1).astype(np.float32)
        damped = scale_columns(matrix, self.column)
        damped.data *= np.log1p(matrix.data) / np.log(2.0) * np.repeat(values**-0.5, np.diff(matrix.indptr))
        return damped.astype(np.float32)

    def narrow(self) -> sparse.csr_array:
        """`factor` without the values of more than MAX_VALUE_ITEMS items."""
        common = np.bincount(self.factor.indices, minlength=self.factor.shape[1]) > MAX_VALUE_ITEMS
        return scale_columns(self.factor, (~common).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Kernel:
    """The decomposed matrix N' = [D_U^-b B D_I^-e; F₁ᵀ; F₂ᵀ; …], behaviour with the attribute blocks stacked below it.

    degree: D_I plus the offset, [num_items].
    vectors: V, the leading right singular vectors of N', [num_items, k].
    eigenvalues: λ = (σ/σ₁)² of the vectors, [k] in (0, 1].
    top_squared_singular_value: σ₁(N')².
    attributes: the blocks F by relation.
    collected: the largest entries of (N'ᵀN'/σ₁² + item-item relations) · D^¼, [num_items, num_items]; with a ridge, the
        largest coefficients in absolute value, and these entries for pairs with an item without interactions.
    squared_paths: the result of `square_paths`, or None.
    links: the item-item relations by name, normalised and weighted, [num_items, num_items].
    ridge_diagonal: the diagonal of (N'ᵀN'/σ₁² + … + μI)⁻¹ with the penalty μ over the items with interactions, 0 for
        the others, [num_items]; None without a ridge.
    """

    degree: FloatArray
    vectors: Tensor
    eigenvalues: Tensor
    top_squared_singular_value: float
    attributes: Mapping[str, Attribute]
    collected: sparse.csr_array
    squared_paths: FloatArray | None = None
    links: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    ridge_diagonal: FloatArray | None = None

    def paths(self, target_exponent: float, neighbours: int, sharpening: float = 0.0) -> sparse.csr_array:
        """The cut paths max(P − s P², 0) · D^q with P = (N'ᵀN' + …)/σ₁², [num_items, num_items]; with a ridge, the cut
        coefficients · D^q.

        Args:
            target_exponent: q.
            neighbours: number of largest entries that each row keeps; 0 keeps all.
            sharpening: s. If it is positive and `squared_paths` is None, P² is computed block by block.
        """
        factor = self.degree ** (target_exponent - COLLECTING_EXPONENT)
        if self.ridge_diagonal is not None:
            return top_k_magnitudes(scale_columns(self.collected, factor), neighbours)
        squares = self._build_path_squarer() if sharpening > 0 and self.squared_paths is None else self._stored_squares

        def revalue(rows: sparse.csr_array, start: int) -> sparse.csr_array:
            if sharpening > 0:
                data = np.maximum(rows.data - np.float32(sharpening) * squares(rows, start), 0.0)
                positions = rows.indices.copy(), rows.indptr.copy()  # eliminate_zeros changes them in place
                rows = sparse.csr_array((data, *positions), shape=rows.shape)
                rows.eliminate_zeros()
            return scale_columns(rows, factor)

        return top_k_per_row(self.collected, neighbours, revalue)

    def square_paths(self) -> FloatArray:
        """P² · D^¼ at the entries of `collected`, [num_entries]; rows of P are cut to SQUARED_NEIGHBOURS entries.

        These are paths of four steps: the similarity of two items through a third item that is similar to both. Their
        subtraction is the first term of the inverse that EASE computes in full (Steck, WWW 2019).
        """
        squarer = self._build_path_squarer()
        squares = np.zeros(self.collected.nnz, dtype=np.float32)
        for start in range(0, self.collected.shape[0], BLOCK):
            rows = self.collected[start : start + BLOCK]
            first = self.collected.indptr[start]
            squares[first : first + rows.nnz] = squarer(rows, start)
        return squares

    def _build_path_squarer(self) -> Callable[[sparse.csr_array, int], FloatArray]:
        """A function of a block of rows of `collected` and its first row: P² · D^¼ at the entries of the block."""
        step = top_k_per_row(
            self.collected, SQUARED_NEIGHBOURS, lambda rows, _: scale_columns(rows, self.degree**-COLLECTING_EXPONENT)
        )
        onward = scale_columns(step, self.degree**COLLECTING_EXPONENT)

        def square(rows: sparse.csr_array, start: int) -> FloatArray:
            values = np.empty(rows.nnz, dtype=np.float32)
            for first in range(0, rows.shape[0], BLOCK):  # the product of all rows would need gigabytes
                block = rows[first : first + BLOCK]
                product = sparse.csr_array(step[start + first : start + first + block.shape[0]] @ onward)
                values[rows.indptr[first] : rows.indptr[first] + block.nnz] = lookup_values(product, block)
            return values

        return square

    def _stored_squares(self, rows: sparse.csr_array, start: int) -> FloatArray:
        """The entries of `squared_paths` that belong to a block of rows of `collected`."""
        assert self.squared_paths is not None
        first = self.collected.indptr[start]
        return self.squared_paths[first : first + rows.nnz]

    @property
    def nbytes(self) -> int:
        """Memory in bytes of the vectors and of the collected entries."""
        arrays = (
            self.collected.data,
            self.collected.indices,
            *(() if self.squared_paths is None else (self.squared_paths,)),
        )
        return self.vectors.numel() * self.vectors.element_size() + sum(int(array.nbytes) for array in arrays)


@dataclass(frozen=True, eq=False)
class Stack:
    """The matrices that a kernel is computed from.

    behaviour: B [num_users, num_items].
    attributes: the attribute blocks by relation, with their weights.
    locality: an order of users and items in which products are faster; results are in the order of the graph.
    offset: c, added to the item degrees.
    """

    behaviour: sparse.csr_array
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    locality: Locality | None = None
    offset: float = 0.0

    def degree(self) -> FloatArray:
        """The weighted degree of each item plus the offset, [num_items]; a degree of zero counts as 1."""
        degree = np.bincount(self.behaviour.indices, self.behaviour.data, minlength=self.behaviour.shape[1])
        return (np.where(degree > 0, degree, 1.0) + self.offset).astype(np.float32)

    def normalise(self, user_exponent: float, item_exponent: float) -> sparse.csr_array:
        """N = D_U^-b B D_I^-e [num_users, num_items], in the order of `locality`."""
        normalised = normalise(self.behaviour, self.degree(), user_exponent, item_exponent)
        return normalised if self.locality is None else self.locality.apply(normalised)

    def decompose(
        self, normalised: sparse.csr_array, rank: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, float, Mapping[str, Attribute]]:
        """V [num_items, k], λ [k], σ₁(N')², and the attribute blocks multiplied by σ₁ of the normalised behaviour N."""
        parts = dict(self.attributes)
        if parts:
            _, squares = spectrum(normalised, 1, rng)
            top_behaviour = np.float32(np.sqrt(float(squares[0]))) if len(squares) else np.float32(1.0)
            parts = {name: Attribute(a.factor * top_behaviour, a.column * top_behaviour) for name, a in parts.items()}
        rows = [normalised, *(self._transpose_block(part.factor) for part in parts.values())]
        stacked = sparse.csr_array(sparse.vstack(rows, format="csr")) if parts else normalised
        vectors, squares = spectrum(stacked, max(rank, 1), rng)
        if self.locality is not None:
            vectors = vectors[torch.from_numpy(self.locality.inverse_columns())]
        top = float(squares[0]) if len(squares) else 1.0
        return vectors[:, :rank], squares[:rank] / top, top, parts

    def _transpose_block(self, attribute: sparse.csr_array) -> sparse.csr_array:
        """Fᵀ [num_values, num_items] of an attribute F, in the order of `locality`."""
        return sparse.csr_array((attribute if self.locality is None else attribute[self.locality.columns]).T)

    def collect(
        self,
        normalised: sparse.csr_array,
        attributes: Mapping[str, Attribute],
        top: float,
        neighbours: int,
        links: Mapping[str, sparse.csr_array],
    ) -> sparse.csr_array:
        """The entries that `Kernel.paths` cuts, [num_items, num_items]: COLLECTION_FACTOR · `neighbours` in each row,
        plus those of the item-item relations `links`."""
        rows = [normalised, *(self._transpose_block(part.narrow()) for part in attributes.values())]
        stacked = sparse.csr_array(sparse.vstack(rows, format="csr")) if attributes else normalised
        factor = self.degree() ** COLLECTING_EXPONENT
        collected = _item_product(stacked, factor / top, COLLECTION_FACTOR * neighbours, self.locality)
        for matrix in links.values():
            collected = sparse.csr_array(collected + scale_columns(matrix, factor))
        return collected


def _item_product(matrix: sparse.csr_array, factor: FloatArray, k: int, locality: Locality | None) -> sparse.csr_array:
    """NᵀN · diag(factor) [num_items, num_items], cut to the k largest entries per row; N is in `locality` order."""
    if locality is None:
        return topk_gram(matrix, scale_columns(matrix, factor), k)
    columns = locality.columns

    def restore_columns(rows: sparse.csr_array, start: int) -> None:  # noqa: ARG001  # all blocks have the same columns
        rows.indices[:] = columns[rows.indices]  # so that of tied items the first ones in the graph are kept

    product = topk_gram(matrix, scale_columns(matrix, factor[columns]), k, restore_columns)
    return sparse.csr_array(product[locality.inverse_columns()])


def build_links(relations: Relations, weights: Mapping[str, float]) -> dict[str, sparse.csr_array]:
    """The item-item relations with a positive weight by name, normalised and multiplied by their weight."""
    return {
        name: normalise_symmetric(matrix) * np.float32(weights[name])
        for name, matrix in relations.item_items.items()
        if weights[name] > 0
    }
