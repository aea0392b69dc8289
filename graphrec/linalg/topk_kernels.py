"""The inner loops of `topk_product`, compiled by numba."""

from collections.abc import Callable
from typing import TypeVar

import numba
import numpy as np
import numpy.typing as npt

from graphrec.interactions import FloatArray
from graphrec.vocabulary import IndexArray

Loop = TypeVar("Loop", bound=Callable[..., object])
Positions = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]

#: Number of bins of the histogram of the highest twelve bits of a float32: sign, exponent, three bits of the fraction.
BINS = 1 << 12
SHIFT, MIDDLE = 32 - 12, 1 << 11

#: log₂ of a power of two is LOG2[the highest six bits of its product with this number] (Leiserson et al., 1998).
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
LOG2 = np.empty(64, dtype=np.int64)
LOG2[[(1 << place) * int(DE_BRUIJN) % (1 << 64) >> 58 for place in range(64)]] = np.arange(64)


def compile_loop(loop: Loop) -> Loop:
    """The function as machine code, which is cached next to this file or in the user's cache if one is writable."""
    compiled: Loop
    try:
        compiled = numba.njit(loop, nogil=True, cache=True)
    except RuntimeError:  # numba finds no writable folder
        compiled = numba.njit(loop, nogil=True)
    return compiled


@compile_loop
def count_multiplications(
    left_indptr: Positions, left_indices: Positions, right_indptr: Positions, counts: IndexArray
) -> None:
    """Write the number of multiplications of each row of left · right to `counts` [rows]."""
    for row in range(len(counts)):
        number = 0
        for p in range(left_indptr[row], left_indptr[row + 1]):
            between = left_indices[p]
            number += right_indptr[between + 1] - right_indptr[between]
        counts[row] = number


@compile_loop
def multiply(
    left_indptr: Positions,
    left_indices: Positions,
    left_data: FloatArray,
    right_indptr: Positions,
    right_indices: Positions,
    right_data: FloatArray,
    first: int,
    last: int,
    sums: FloatArray,
    indptr: Positions,
    indices: Positions,
    data: FloatArray,
) -> None:
    """Write rows `first` to `last` of left · right as CSR with unsorted columns (Gustavson's algorithm, 1978)."""
    end = 0
    for row in range(first, last):
        begin = end
        for p in range(left_indptr[row], left_indptr[row + 1]):
            factor = left_data[p]
            between = left_indices[p]
            for q in range(right_indptr[between], right_indptr[between + 1]):
                column = right_indices[q]
                before = sums[column]
                sums[column] = before + factor * right_data[q]
                indices[end] = column
                end += before == 0  # no branch, which could not be predicted
            if end - begin > len(sums):  # a column whose sum returned to zero is listed again
                end = begin
                for column in range(len(sums)):
                    indices[end] = column
                    end += 1
        listed, end = end, begin
        for t in range(begin, listed):
            column = indices[t]
            indices[end], data[end] = column, sums[column]
            end += sums[column] != 0
            sums[column] = 0
        indptr[row - first + 1] = end


@compile_loop
def cut_rows(
    indptr: Positions,
    indices: Positions,
    values: FloatArray,
    k: int,
    sums: FloatArray,
    marks: Words,
    keys: Positions,
    kept: Positions,
    histogram: Positions,
    out_indices: Positions,
    out_data: FloatArray,
    lengths: IndexArray,
) -> None:
    """Write the k largest entries of each row with sorted columns; `marks` sorts columns, `sums` holds their values."""
    raw = values.view(np.int32)
    end = 0
    for row in range(len(indptr) - 1):
        begin, number = indptr[row], indptr[row + 1] - indptr[row]
        if number > k:
            number = _select_largest(raw[begin : indptr[row + 1]], indices[begin:], k, keys, kept, histogram)
        else:
            for t in range(number):
                kept[t] = t
        for t in range(number):
            position = begin + kept[t]
            column = indices[position]
            sums[column] = values[position]
            marks[column >> 6] |= np.uint64(1) << np.uint64(column & 63)
        for word in range(len(marks)):
            bits = marks[word]
            if bits != 0:
                marks[word] = 0
                while bits != 0:
                    lowest = bits & (~bits + np.uint64(1))
                    bits ^= lowest
                    column = (word << 6) + LOG2[(lowest * DE_BRUIJN) >> np.uint64(58)]
                    out_indices[end], out_data[end] = column, sums[column]
                    sums[column] = 0
                    end += 1
        lengths[row] = number


@compile_loop
def _select_largest(
    raw: Positions, columns: Positions, k: int, keys: Positions, kept: Positions, histogram: Positions
) -> int:
    """Write the positions of the k largest of more than k float32 to `kept`, of equal ones those of the first columns;
    returns k.

    A histogram of the highest bits finds the bin of the k-th largest, and only this bin is partitioned.
    """
    histogram[:] = 0
    for t in range(len(raw)):
        histogram[(_sortable_bits(raw[t]) >> SHIFT) + MIDDLE] += 1
    above, bin_ = 0, BINS - 1
    while above + histogram[bin_] < k:
        above += histogram[bin_]
        bin_ -= 1
    end = 0
    for t in range(len(raw)):
        key = _sortable_bits(raw[t])
        keys[end] = key
        end += (key >> SHIFT) + MIDDLE == bin_
    limit = _kth_largest(keys[:end], k - above)
    number = 0
    for t in range(len(raw)):
        kept[number] = t
        number += _sortable_bits(raw[t]) >= limit
    if number > k:
        number = _drop_last_ties(raw, columns, k, limit, keys, kept, number)
    return number


@compile_loop
def _drop_last_ties(
    raw: Positions, columns: Positions, k: int, limit: int, keys: Positions, kept: Positions, number: int
) -> int:
    """Remove entries that equal the limit from `kept`, those of the last columns first, until k are left; returns k."""
    equal = 0
    for t in range(number):
        keys[equal] = columns[kept[t]]
        equal += _sortable_bits(raw[kept[t]]) == limit
    num_ties = equal - (number - k)  # the smallest columns are kept: the largest of their negatives
    for t in range(equal):
        keys[t] = -keys[t]
    last = -_kth_largest(keys[:equal], num_ties)
    end = 0
    for t in range(number):
        position = kept[t]
        kept[end] = position
        end += _sortable_bits(raw[position]) > limit or columns[position] <= last
    return end


@compile_loop
def _sortable_bits(bits: int) -> int:
    """An integer that sorts like the float32 with these bits."""
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


@compile_loop
def _kth_largest(values: Positions, k: int) -> int:
    """The k-th largest of some values, which are permuted in place (Hoare's FIND, 1961)."""
    low, high, rank = 0, len(values) - 1, k - 1
    while low < high:
        pivot = values[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return int(values[rank])
