"""Whether lists keep the proportions of what users had: Steck's calibration."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.evaluation.list_similarity import chosen
from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: How much of the history is mixed into the list before they are compared (Steck 2018, equation 7).
SMOOTHING = 0.01

#: Users whose attributes are compared at one time.
USERS_AT_ONCE = 4096


def calibration(
    item_index: IndexArray,
    history: sparse.csr_array,
    attributes: sparse.csr_array,
    ks: Iterable[int],
    smoothing: float = SMOOTHING,
) -> Mapping[int, Floats]:
    """The divergence of the attributes among the first k from those of the history, for each user [num_users], by k.

    KL(p ‖ q̃) = Σ p(g) ln(p(g) / q̃(g)) over the attributes g: p is the mean of the attributes of the items in the
    `history` [num_users, num_items], each item having its `attributes` [num_items, num_attributes] in equal shares or
    by weight, summing to 1; q is the same of the list `item_index` [num_users, n]; q̃ = (1 − smoothing) q + smoothing p.
    So 0 says that the proportions are kept, and ln(1 / smoothing), 4.6, that nothing of them is. Items without
    attributes are left out of both; NaN where no item of the history or of the list has any.

    Steck, "Calibrated Recommendations", RecSys 2018, equations 2 to 7, with equal weights of items.
    """
    ks, share = tuple(ks), shares(attributes)
    parts: dict[int, list[Floats]] = {k: [np.empty(0)] for k in ks}
    for start in range(0, len(item_index), USERS_AT_ONCE):
        rows = slice(start, start + USERS_AT_ONCE)
        had = shares(history[rows] @ share)
        for k in ks:
            given = shares(chosen(item_index[rows, :k], share.shape[0]) @ share)
            parts[k].append(_divergence(had, given, smoothing))
    return {k: np.concatenate(found) for k, found in parts.items()}


def shares(matrix: sparse.csr_array) -> sparse.csr_array:
    """The rows of a matrix without negative entries divided by their sums, float64, in order and zeros left out."""
    found = sparse.csr_array(matrix.astype(np.float64))  # a copy
    found.sum_duplicates()
    found.eliminate_zeros()
    total = np.asarray(found.sum(axis=1)).ravel()
    found.data /= np.repeat(total, np.diff(found.indptr))
    return found


def _divergence(had: sparse.csr_array, given: sparse.csr_array, smoothing: float) -> Floats:
    row = np.repeat(np.arange(had.shape[0]), np.diff(had.indptr))
    p, q = had.data, _values(given, row, had.indices.astype(np.int64))
    terms = p * np.log(p / ((1 - smoothing) * q + smoothing * p))
    found = np.bincount(row, terms, minlength=had.shape[0])
    return np.where((np.diff(had.indptr) > 0) & (np.diff(given.indptr) > 0), found, np.nan)


def _values(matrix: sparse.csr_array, row: IndexArray, column: IndexArray) -> Floats:
    """The entries of a matrix at some places [n], 0 where it has none."""
    entries = matrix.tocoo()
    there = entries.row.astype(np.int64) * matrix.shape[1] + entries.col
    wanted = row * matrix.shape[1] + column
    if not len(there):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
    return np.where(there[place] == wanted, entries.data[place], 0.0)
