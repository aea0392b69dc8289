"""CSR matrices: conversion to tensors and states, and 32-bit indices."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

#: The tensors of a fitted model by name.
State = dict[str, Tensor]


def pack(name: str, matrix: sparse.csr_array) -> State:
    """A CSR matrix as four tensors: `name`.indptr, .indices, .data and .shape."""
    return {
        f"{name}.indptr": torch.from_numpy(matrix.indptr.astype(np.int64)),
        f"{name}.indices": torch.from_numpy(matrix.indices.astype(np.int32)),
        f"{name}.data": torch.from_numpy(matrix.data.astype(np.float32)),
        f"{name}.shape": torch.tensor(matrix.shape),
    }


def unpack(name: str, state: Mapping[str, Tensor]) -> sparse.csr_array:
    """The CSR matrix of tensors that `pack` returned."""
    indptr, indices, data = (state[f"{name}.{part}"].numpy() for part in ("indptr", "indices", "data"))
    rows, columns = state[f"{name}.shape"].tolist()
    return sparse.csr_array((data, indices, indptr.astype(np.int32)), shape=(rows, columns))


def empty_csr(num_rows: int = 0, num_columns: int = 0) -> sparse.csr_array:
    """A float32 matrix without entries; by default [0, 0], the initial value of the matrices of a model."""
    indptr, none = np.zeros(num_rows + 1, dtype=np.int64), np.empty(0, dtype=np.int32)
    return sparse.csr_array((none.astype(np.float32), none, indptr), shape=(num_rows, num_columns))


def append_row(matrix: sparse.csr_array, row: sparse.csr_array) -> sparse.csr_array:
    """A matrix [n, columns] with one more row [1, columns] at its end, [n + 1, columns]."""
    data, indices = (np.concatenate(pair) for pair in ((matrix.data, row.data), (matrix.indices, row.indices)))
    indptr = np.append(matrix.indptr, matrix.indptr[-1] + row.nnz)
    return sparse.csr_array((data, indices, indptr), shape=(matrix.shape[0] + 1, matrix.shape[1]))


def build_csr(
    data: npt.NDArray[Any], indices: npt.NDArray[np.int32], indptr: npt.NDArray[np.int64], shape: tuple[int, int]
) -> sparse.csr_array:  # data of any type
    """A CSR matrix of these arrays, with a 32-bit indptr if it can hold the number of entries; from index arrays of
    different width scipy would make 64-bit copies."""
    row_starts = indptr.astype(np.int32) if len(data) <= np.iinfo(np.int32).max else indptr
    return sparse.csr_array((data, indices, row_starts), shape=shape)


def in_32_bits(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix with 32-bit indices, in half the memory, if they can hold its shape and its number of entries."""
    if max(*matrix.shape, matrix.nnz) > np.iinfo(np.int32).max:
        return matrix
    indices, indptr = (part.astype(np.int32, copy=False) for part in (matrix.indices, matrix.indptr))
    return sparse.csr_array((matrix.data, indices, indptr), shape=matrix.shape)


def csr_tensor(matrix: sparse.csr_array) -> Tensor:
    """A scipy CSR matrix as a torch tensor with 32-bit indices, which MKL multiplies twice as fast as 64-bit ones."""
    indptr, indices = (torch.from_numpy(a.astype(np.int32, copy=False)) for a in (matrix.indptr, matrix.indices))
    values = torch.from_numpy(matrix.data.astype(np.float32, copy=False))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")  # irrelevant to users of graphrec
        return torch.sparse_csr_tensor(indptr, indices, values, size=tuple(matrix.shape), check_invariants=False)
