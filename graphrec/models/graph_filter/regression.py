"""The path matrix of graph_filter with a ridge: regression coefficients of the items that have interactions."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg.item_regression import check_size, strongest_coefficients
from graphrec.linalg.sparse import normalise, scale_columns, topk_gram
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.kernel import COLLECTING_EXPONENT, COLLECTION_FACTOR, Kernel, Stack

#: Maximum number of items with interactions in a ridge regression: its matrix has 2.5 GB for them.
MAX_RIDGE_ITEMS = 25_000


def regress(
    stack: Stack, kernel: Kernel, c: GraphFilterConfig, links: Mapping[str, sparse.csr_array]
) -> tuple[sparse.csr_array, FloatArray]:
    """The ridge coefficients that `Kernel.paths` cuts, [num_items, num_items], and `Kernel.ridge_diagonal`.

    Each item with interactions is regressed on all others: EASE (Steck, WWW 2019, equation 8) on the stacked matrix
    N'/σ₁. The penalty is `ridge` times the mean square of the entries of N, so it counts interactions. Of an item-item
    relation S, S plus a multiple of I is added to N'ᵀN'/σ₁², which has no negative eigenvalue. A pair with an item
    without interactions has its paths over attribute values and item-item relations, as without a ridge: in a large
    catalogue most items have none, and the dense matrix has no row for them.

    Raises:
        DataError: more than MAX_RIDGE_ITEMS items have interactions.
        GraphrecError: the ridge is too small.
    """
    degree, top = stack.degree(), kernel.top_squared_singular_value
    known = np.bincount(stack.behaviour.indices, minlength=len(degree)) > 0
    items = np.flatnonzero(known)
    check_size("graph_filter with a ridge", len(items), MAX_RIDGE_ITEMS)
    rows = normalise(stack.behaviour, degree, c.user_exponent, c.item_exponent)
    penalty = c.ridge * float(np.square(rows.data, dtype=np.float64).mean()) / top if rows.nnz else c.ridge
    blocks = [sparse.csr_array(part.narrow().T) for part in kernel.attributes.values()]
    stacked = sparse.csr_array(sparse.vstack([rows, *blocks], format="csr")) * np.float32(top**-0.5)
    factor = degree**COLLECTING_EXPONENT
    extra = [shift_spectrum(sparse.csr_array(matrix[items][:, items])) for matrix in links.values()]
    advice = f"graph_filter needs a ridge above {c.ridge:g} here; 50 to 3,000 are usual"
    kept = COLLECTION_FACTOR * c.neighbours
    part, part_diagonal = strongest_coefficients(stacked[:, items], penalty, factor[items], kept, extra, advice)
    coefficients, diagonal = _place(part, items, len(degree)), np.zeros(len(degree), dtype=np.float32)
    diagonal[items] = part_diagonal
    if known.all():
        return coefficients, diagonal
    values = stacked[stack.behaviour.shape[0] :]
    return sparse.csr_array(coefficients + _other_paths(values, links, known, factor, kept)), diagonal


def _place(part: sparse.csr_array, items: npt.NDArray[np.int64], num_items: int) -> sparse.csr_array:
    """A matrix over some items as one over all, [num_items, num_items]."""
    counts = np.zeros(num_items + 1, dtype=part.indptr.dtype)
    counts[items + 1] = np.diff(part.indptr)
    columns = items.astype(part.indices.dtype)[part.indices]
    return sparse.csr_array((part.data, columns, np.cumsum(counts, dtype=counts.dtype)), shape=(num_items, num_items))


def _other_paths(
    values: sparse.csr_array,
    links: Mapping[str, sparse.csr_array],
    known: npt.NDArray[np.bool_],
    factor: FloatArray,
    kept: int,
) -> sparse.csr_array:
    """The paths from or to items without interactions, times `factor` of the target, [num_items, num_items].

    Args:
        values: the attribute blocks Fᵀ/σ₁ below each other, [num_values, num_items].
        links: the item-item relations.
        known: whether an item has interactions, [num_items].
        factor: factor on each column, [num_items].
        kept: number of strongest attribute paths that each row keeps; 0 keeps all.
    """
    to_known, to_others = (_keep_columns(values, mask) for mask in (known, ~known))
    paths = topk_gram(to_others, scale_columns(values, factor), kept)
    paths = sparse.csr_array(paths + topk_gram(to_known, scale_columns(to_others, factor), kept))
    for matrix in links.values():
        entries = sparse.coo_array(scale_columns(matrix, factor))
        other = ~(known[entries.row] & known[entries.col])
        found = (entries.data[other], (entries.row[other], entries.col[other]))
        paths = sparse.csr_array(paths + sparse.csr_array(found, shape=matrix.shape))
    return paths


def _keep_columns(matrix: sparse.csr_array, mask: npt.NDArray[np.bool_]) -> sparse.csr_array:
    """The matrix without the entries of columns outside a mask, in the same shape."""
    kept = scale_columns(matrix, mask.astype(np.float32)).copy()  # eliminate_zeros changes indices in place
    kept.eliminate_zeros()
    return kept


def shift_spectrum(relation: sparse.csr_array) -> sparse.csr_array:
    """A symmetric relation S plus the multiple of the identity with which it has no negative eigenvalue."""
    bound = float(abs(relation).sum(axis=1).max(initial=0.0)) if relation.nnz else 0.0
    return sparse.csr_array(relation + sparse.eye_array(relation.shape[0], dtype=np.float32) * np.float32(bound))
