"""Ridge regression of each item on all others in closed form: Gram matrices, their inverses and the coefficients."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from scipy.linalg import LinAlgError, lapack

from graphrec.errors import DataError, GraphrecError
from graphrec.interactions import FloatArray
from graphrec.linalg.csr import build_csr
from graphrec.linalg.woodbury import WoodburyInverse

#: Block size in rows of intermediate results.
BLOCK = 512

#: Ratio of items to users above which the Woodbury identity is used; it needs less memory and far fewer operations.
WOODBURY_RATIO = 2

Gram = TypeVar("Gram", bound=npt.NDArray[Any])


def check_size(model: str, num_items: int, max_items: int, item_size: int = 4) -> None:
    """Raise DataError if a dense matrix [num_items, num_items] would need too much memory and time."""
    if num_items > max_items:
        raise DataError(
            f"{model} needs a dense matrix of items × items, {num_items:,} × {num_items:,} "
            f"({item_size * num_items**2 / 1e9:.1f} GB) here, and takes at most {max_items:,} items; "
            "use graph_filter without a ridge or ials, which need no such matrix"
        )


def compute_gram(history: sparse.csr_array) -> FloatArray:
    """The Gram matrix RᵀR [num_items, num_items] float32 of a matrix R [num_users, num_items]."""
    return fill_gram(history, np.empty((history.shape[1], history.shape[1]), dtype=np.float32))


def fill_gram(history: sparse.csr_array, buffer: Gram) -> Gram:
    """The buffer [num_items, num_items] filled with RᵀR, block by block; its dtype must be able to hold the entries."""
    rows = sparse.csr_array(history.astype(buffer.dtype))
    by_item = rows.T.tocsr()
    for start in range(0, rows.shape[1], BLOCK):
        (by_item[start : start + BLOCK] @ rows).toarray(out=buffer[start : start + BLOCK])
    return buffer


def invert(buffer: FloatArray, advice: str, halfway: Callable[[], None] | None = None) -> FloatArray:
    """The inverse of a symmetric positive definite matrix, computed in place (LAPACK potrf, then potri).

    `halfway` is called between the two steps. Raises GraphrecError with `advice` if the matrix is singular in float32.
    """
    # LAPACK needs Fortran order, which the transpose of a C-ordered matrix has without a copy; the matrix is symmetric
    factor, failed = lapack.spotrf(buffer.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise singular_error(failed, advice)
    if halfway is not None:
        halfway()
    inverse, failed = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise singular_error(failed, advice)
    return _mirror(inverse.T)


def singular_error(item: int, advice: str) -> GraphrecError:
    """The error of a matrix that cannot be inverted because of an item, counted from 1."""
    return GraphrecError(f"the matrix cannot be inverted (item {item} depends on others); {advice}")


def compute_coefficients(inverse: FloatArray) -> FloatArray:
    """B [num_items, num_items] = I − P diag(P)⁻¹ of an inverse P, in place: column j has the coefficients of item j's
    regression on the other items (Steck, WWW 2019, equation 8)."""
    diagonal = inverse.diagonal().copy()
    for start in range(0, len(inverse), BLOCK):
        inverse[start : start + BLOCK] /= -diagonal
    np.fill_diagonal(inverse, 0.0)
    return inverse


def strongest_coefficients(
    matrix: sparse.csr_array,
    penalty: float,
    factor: FloatArray,
    k: int,
    extra: Iterable[sparse.csr_array] = (),
    advice: str = "use a larger penalty",
) -> tuple[sparse.csr_array, FloatArray]:
    """The coefficients B · diag(factor) [num_items, num_items], cut to the k largest absolute values per row, and the
    diagonal of P [num_items]; B = I − P diag(P)⁻¹ with P = (MᵀM + E + μI)⁻¹.

    Args:
        matrix: M [rows, num_items].
        penalty: μ, above 0.
        factor: factor on each column, [num_items].
        k: number of entries that each row keeps; 0 keeps all.
        extra: the terms of E [num_items, num_items], symmetric and positive semi-definite.
        advice: the end of the error message, which says what to do.

    Without E and with few rows, P is never formed (`WoodburyInverse`). Raises GraphrecError with `advice` if μ is too
    small for float32.
    """
    extra, num_items = list(extra), matrix.shape[1]
    if not penalty >= np.finfo(np.float32).tiny:
        raise GraphrecError(f"a penalty of {penalty:g} is 0 in float32; {advice}")
    rows = sparse.csr_array(matrix[np.diff(matrix.indptr) > 0]).astype(np.float32)
    if not extra and WOODBURY_RATIO * rows.shape[0] < num_items:
        cpu = torch.device("cpu")
        try:
            woodbury = WoodburyInverse.of(rows, np.full(num_items, penalty, dtype=np.float32), cpu)
        except LinAlgError as error:
            raise GraphrecError(f"the matrix of users × users cannot be inverted; {advice}") from error
        factors, diagonal = woodbury.factor.numpy(), woodbury.diagonal.numpy()

        def negative_inverse(start: int) -> FloatArray:  # a block of rows of −P, but for its diagonal
            product: FloatArray = factors[:, start : start + BLOCK].T @ factors
            return product
    else:
        gram = compute_gram(rows)
        for term in extra:
            for start in range(0, num_items, BLOCK):
                gram[start : start + BLOCK] += term[start : start + BLOCK].toarray()
        gram.flat[:: num_items + 1] += np.float32(penalty)
        inverse = invert(gram, advice)
        diagonal = inverse.diagonal().copy()

        def negative_inverse(start: int) -> FloatArray:
            return -inverse[start : start + BLOCK]

    if not (diagonal > 0).all():  # rounding errors are larger than the penalty
        raise singular_error(int(np.argmin(diagonal > 0)) + 1, advice)
    blocks = []
    for start in range(0, num_items, BLOCK):
        block = negative_inverse(start) * (factor / diagonal)
        block[np.arange(len(block)), np.arange(start, start + len(block))] = 0.0
        blocks.append(_keep_strongest(block, k))
    return sparse.csr_array(sparse.vstack(blocks, format="csr")), diagonal


def _keep_strongest(block: FloatArray, k: int) -> sparse.csr_array:
    """The k entries of each row with the largest absolute values, with sorted columns; all non-zero ones if k is 0."""
    if not 0 < k < block.shape[1]:
        return sparse.csr_array(block)
    top = torch.from_numpy(np.abs(block)).topk(k, dim=1, sorted=False).indices.numpy()
    columns = np.sort(top.astype(np.int32), axis=1)
    data = np.take_along_axis(block, columns.astype(np.int64), axis=1)
    kept = build_csr(data.ravel(), columns.ravel(), np.arange(len(block) + 1) * k, block.shape)
    kept.eliminate_zeros()
    return kept


def _mirror(upper: FloatArray) -> FloatArray:
    """The matrix after copying its upper triangle to the lower one, in place and block by block."""
    for start in range(0, len(upper), BLOCK):
        end = start + BLOCK
        corner = upper[start:end, start:end]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
        for column in range(end, len(upper), BLOCK):
            upper[column : column + BLOCK, start:end] = upper[start:end, column : column + BLOCK].T
    return upper
