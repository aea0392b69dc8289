"""Steck's calibration: the divergence between the attributes of a user's history and of their list."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.evaluation.list_similarity import lists_to_matrix
from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Weight of the history in the smoothed distribution of the list (Steck 2018, equation 7).
SMOOTHING = 0.01

#: Batch size, in users.
USERS_AT_ONCE = 4096


def calibration(
    item_index: IndexArray,
    history: sparse.csr_array,
    attributes: sparse.csr_array,
    ks: Iterable[int],
    smoothing: float = SMOOTHING,
) -> Mapping[int, Floats]:
    """The divergence of the attributes of the first k items from those of the history, per user [num_users], by k.

    KL(p ‖ q̃) = Σ p(g) ln(p(g) / q̃(g)) over the attributes g. p is the mean over the items of the `history`
    [num_users, num_items] of their `attributes` [num_items, num_attributes], whose rows are divided by their sums; q is
    the same mean over the list `item_index` [num_users, n]; q̃ = (1 − smoothing) q + smoothing p. The value is 0 for
    equal distributions and ln(1 / smoothing), 4.6, for disjoint ones. Items without attributes are left out of both;
    NaN if no item of the history or of the list has attributes.

    Steck, "Calibrated Recommendations", RecSys 2018, equations 2 to 7, with equal weights of items.
    """
    ks, share = tuple(ks), normalise_rows(attributes)
    parts: dict[int, list[Floats]] = {k: [np.empty(0)] for k in ks}
    for start in range(0, len(item_index), USERS_AT_ONCE):
        rows = slice(start, start + USERS_AT_ONCE)
        p = normalise_rows(history[rows] @ share)
        for k in ks:
            q = normalise_rows(lists_to_matrix(item_index[rows, :k], share.shape[0]) @ share)
            parts[k].append(_divergence(p, q, smoothing))
    return {k: np.concatenate(values) for k, values in parts.items()}


def normalise_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """The rows of a non-negative matrix divided by their sums, float64, with sorted indices and no stored zeros."""
    normalised = sparse.csr_array(matrix.astype(np.float64))  # a copy
    normalised.sum_duplicates()
    normalised.eliminate_zeros()
    total = np.asarray(normalised.sum(axis=1)).ravel()
    normalised.data /= np.repeat(total, np.diff(normalised.indptr))
    return normalised


def _divergence(p: sparse.csr_array, q: sparse.csr_array, smoothing: float) -> Floats:
    """KL(p ‖ q̃) of each row [num_users]; NaN for a row that is empty in p or in q."""
    row = np.repeat(np.arange(p.shape[0]), np.diff(p.indptr))
    q_values = _look_up(q, row, p.indices.astype(np.int64))
    terms = p.data * np.log(p.data / ((1 - smoothing) * q_values + smoothing * p.data))
    divergence = np.bincount(row, terms, minlength=p.shape[0])
    return np.where((np.diff(p.indptr) > 0) & (np.diff(q.indptr) > 0), divergence, np.nan)


def _look_up(matrix: sparse.csr_array, row: IndexArray, column: IndexArray) -> Floats:
    """The values of a matrix at rows [n] and columns [n], 0 if it has no entry there."""
    entries = matrix.tocoo()
    stored = entries.row.astype(np.int64) * matrix.shape[1] + entries.col
    queried = row * matrix.shape[1] + column
    if not len(stored):
        return np.zeros(len(queried))
    index = np.minimum(np.searchsorted(stored, queried), len(stored) - 1)
    return np.where(stored[index] == queried, entries.data[index], 0.0)
