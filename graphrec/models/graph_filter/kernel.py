"""The part of graph_filter that is costly and shared: the stacked matrix, its spectrum and its strongest paths."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray
from graphrec.linalg.reordering import Locality
from graphrec.linalg.sparse import BLOCK, normalise, scale_columns, symmetric, top_k_per_row, topk_gram, values_at
from graphrec.linalg.svd import spectrum
from graphrec.relations import Relations

#: Paths are collected with this power of the target's degree before each model cuts them by its own.
COLLECTING_EXPONENT = 0.25

#: So many times the paths that a model keeps are collected, so that its own cut finds what it wants among them.
COLLECTED = 2

#: The strongest paths of each item that are followed twice, for sharpening.
TWICE = 64

#: An attribute value of more items says so little about two of them that it makes no paths, and costs the most.
WIDE = 2000


@dataclass(frozen=True, eq=False)
class Attribute:
    """One item-attribute relation as rows of the stacked matrix: F [num_items, num_values] and what makes a new row.

    factor = F, scale_columns by √weight/σ₁(F), the item's number of values ^ -½ and the value's number of items ^ -½;
    column [num_values] holds the part of that scale that belongs to the value.
    """

    factor: sparse.csr_array
    column: FloatArray

    @classmethod
    def of(cls, matrix: sparse.csr_array, weight: float, rng: np.random.Generator) -> "Attribute":
        """The scale_columns rows of a relation [num_items, num_values] whose entries may be counts."""
        value_degree = np.bincount(matrix.indices, minlength=matrix.shape[1])
        column = (np.maximum(value_degree, 1) ** -0.5).astype(np.float32)
        plain = cls(matrix, column).rows(matrix)
        _, squares = spectrum(plain, 1, rng)
        column *= np.float32(np.sqrt(weight / float(squares[0]))) if len(squares) else np.float32(1.0)
        return cls(cls(matrix, column).rows(matrix), column)

    def rows(self, matrix: sparse.csr_array) -> sparse.csr_array:
        """The scale_columns rows of any items [n, num_values]."""
        values = np.maximum(np.diff(matrix.indptr), 1).astype(np.float32)
        damped = scale_columns(matrix, self.column)
        damped.data *= np.log1p(matrix.data) / np.log(2.0) * np.repeat(values**-0.5, np.diff(matrix.indptr))
        return damped.astype(np.float32)

    def narrow(self) -> sparse.csr_array:
        """`factor` without the values that too many items share."""
        common = np.bincount(self.factor.indices, minlength=self.factor.shape[1]) > WIDE
        return scale_columns(self.factor, (~common).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Kernel:
    """The stacked matrix N' = [D_U^{-b} B D_I^{-e}; F₁ᵀ; F₂ᵀ; …] in the parts that scores are made of.

    vectors V [num_items, k] orthonormal, eigenvalues λ [k] in (0, 1], top_squared_singular_value σ₁(N')², degree D_I
    [num_items];
    collected [num_items, num_items]: the strongest entries of (N'ᵀN'/σ₁² + item-item relations) · D^¼; `links` are
    those relations by name, normalised and weighted.
    """

    degree: FloatArray
    vectors: Tensor
    eigenvalues: Tensor
    top_squared_singular_value: float
    attributes: Mapping[str, Attribute]
    collected: sparse.csr_array
    twice: FloatArray | None = None  # what `follow_twice` gives
    links: Mapping[str, sparse.csr_array] = field(default_factory=dict)

    def paths(self, target_exponent: float, neighbours: int, sharpening: float = 0.0) -> sparse.csr_array:
        """[num_items, num_items]: max(P − s P², 0) · D^q with P = (N'ᵀN' + …)/σ₁², each row cut to its strongest
        `neighbours` (0: none cut). If s > 0 and `twice` is not there, P² is made a block of rows at a time."""
        factor = self.degree ** (target_exponent - COLLECTING_EXPONENT)
        taken = self._followed() if sharpening > 0 and self.twice is None else self._kept

        def revalue(rows: sparse.csr_array, start: int) -> sparse.csr_array:
            if sharpening > 0:
                data = np.maximum(rows.data - np.float32(sharpening) * taken(rows, start), 0.0)
                places = rows.indices.copy(), rows.indptr.copy()  # to eliminate zeros changes them in place
                rows = sparse.csr_array((data, *places), shape=rows.shape)
                rows.eliminate_zeros()
            return scale_columns(rows, factor)

        return top_k_per_row(self.collected, neighbours, revalue)

    def follow_twice(self) -> FloatArray:
        """P² · D^¼ at the entries of `collected` [its length], over the TWICE strongest entries of each row of P.

        Paths of four steps: what an item owes to items in between that are near both. Taking it off is the first
        term of the inverse that EASE (Steck, WWW 2019) uses to the full.
        """
        followed = self._followed()
        found = np.zeros(self.collected.nnz, dtype=np.float32)
        for start in range(0, self.collected.shape[0], BLOCK):
            rows = self.collected[start : start + BLOCK]
            first = self.collected.indptr[start]
            found[first : first + rows.nnz] = followed(rows, start)
        return found

    def _followed(self) -> Callable[[sparse.csr_array, int], FloatArray]:
        """Gives P² · D^¼ at the entries of a block of rows of `collected` that begins at an item."""
        step = top_k_per_row(
            self.collected, TWICE, lambda rows, _: scale_columns(rows, self.degree**-COLLECTING_EXPONENT)
        )
        onward = scale_columns(step, self.degree**COLLECTING_EXPONENT)

        def followed(rows: sparse.csr_array, start: int) -> FloatArray:
            found = np.empty(rows.nnz, dtype=np.float32)
            for first in range(0, rows.shape[0], BLOCK):  # a product of more rows at a time would take GBs
                some = rows[first : first + BLOCK]
                product = sparse.csr_array(step[start + first : start + first + some.shape[0]] @ onward)
                found[rows.indptr[first] : rows.indptr[first] + some.nnz] = values_at(product, some)
            return found

        return followed

    def _kept(self, rows: sparse.csr_array, start: int) -> FloatArray:
        """The entries of `twice` that belong to a block of rows of `collected`."""
        assert self.twice is not None
        first = self.collected.indptr[start]
        return self.twice[first : first + rows.nnz]

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors and of the collected entries."""
        arrays = (self.collected.data, self.collected.indices, *(() if self.twice is None else (self.twice,)))
        return self.vectors.numel() * self.vectors.element_size() + sum(int(array.nbytes) for array in arrays)


@dataclass(frozen=True, eq=False)
class Stack:
    """What a kernel is made of: behaviour B [num_users, num_items], and attributes by name, weights included."""

    behaviour: sparse.csr_array
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    locality: Locality | None = None  # the order in which the work is done; results are in that of the graph
    offset: float = 0.0

    def degree(self) -> FloatArray:
        """The weighted degree of each item [num_items] plus the offset; 1 in the place of a degree of zero, which must
        not divide."""
        degree = np.bincount(self.behaviour.indices, self.behaviour.data, minlength=self.behaviour.shape[1])
        return (np.where(degree > 0, degree, 1.0) + self.offset).astype(np.float32)

    def normalised(self, user_exponent: float, item_exponent: float) -> sparse.csr_array:
        """D_U^{-b} B D_I^{-e} [num_users, num_items], in the order of `locality`."""
        found = normalise(self.behaviour, self.degree(), user_exponent, item_exponent)
        return found if self.locality is None else self.locality.applied(found)

    def decompose(
        self, normalised: sparse.csr_array, rank: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, float, Mapping[str, Attribute]]:
        """V [num_items, k], λ [k], σ₁² and the attributes in the scale of the behaviour's own strongest direction."""
        parts = dict(self.attributes)
        if parts:
            _, squares = spectrum(normalised, 1, rng)
            own = np.float32(np.sqrt(float(squares[0]))) if len(squares) else np.float32(1.0)
            parts = {name: Attribute(a.factor * own, a.column * own) for name, a in parts.items()}
        rows = [normalised, *(self._across(part.factor) for part in parts.values())]
        whole = sparse.csr_array(sparse.vstack(rows, format="csr")) if parts else normalised
        vectors, squares = spectrum(whole, max(rank, 1), rng)
        if self.locality is not None:
            vectors = vectors[torch.from_numpy(self.locality.place())]
        top = float(squares[0]) if len(squares) else 1.0
        return vectors[:, :rank], squares[:rank] / top, top, parts

    def _across(self, attribute: sparse.csr_array) -> sparse.csr_array:
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
        """The entries that `Kernel.paths` cuts from, COLLECTED times as many as a model keeps, and those of weighted
        item-item relations [num_items, num_items]."""
        rows = [normalised, *(self._across(part.narrow()) for part in attributes.values())]
        whole = sparse.csr_array(sparse.vstack(rows, format="csr")) if attributes else normalised
        favour = self.degree() ** COLLECTING_EXPONENT
        found = _item_product(whole, favour / top, COLLECTED * neighbours, self.locality)
        for matrix in links.values():
            found = sparse.csr_array(found + scale_columns(matrix, favour))
        return found


def _item_product(matrix: sparse.csr_array, favour: FloatArray, k: int, locality: Locality | None) -> sparse.csr_array:
    """NᵀN · diag(favour) [num_items, num_items], each row cut to the k strongest; N is in the locality's order."""
    if locality is None:
        return topk_gram(matrix, scale_columns(matrix, favour), k)
    columns = locality.columns

    def named(rows: sparse.csr_array, start: int) -> None:  # noqa: ARG001  # all blocks have the same columns
        rows.indices[:] = columns[rows.indices]  # of equal entries those of the first items are kept

    found = topk_gram(matrix, scale_columns(matrix, favour[columns]), k, named)
    return sparse.csr_array(found[locality.place()])


def build_links(around: Relations, weights: Mapping[str, float]) -> dict[str, sparse.csr_array]:
    """The item-item relations that count by name, normalised and multiplied by their weights."""
    return {
        name: symmetric(matrix) * np.float32(weights[name])
        for name, matrix in around.item_items.items()
        if weights[name] > 0
    }


def new_item_vectors(kernel: Kernel, vectors: Tensor, name: str, rows: sparse.csr_array) -> Tensor:
    """V of items [n, k] that have nothing but attributes, from their scale_columns rows and the V of the others.

    v = f (FᵀV)/(λ σ₁²) is what the decomposition gives an item without interactions (V = N'ᵀN'V/Λ, the item's row)."""
    carried = kernel.attributes[name].factor.T @ vectors.numpy()
    found: npt.NDArray[np.float32] = (rows @ carried) / (
        kernel.eigenvalues.cpu().numpy() * kernel.top_squared_singular_value
    )
    return torch.from_numpy(found.astype(np.float32))
