"""The inner loops of `compiled_product`, compiled by numba."""

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

#: Bits of a float32 that a histogram looks at: its sign, its exponent and three of its fraction.
BINS = 1 << 12
SHIFT, MIDDLE = 32 - 12, 1 << 11

#: log₂ of a power of two is LOG2[the highest six bits of its product with this number] (Leiserson et al., 1998).
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
LOG2 = np.empty(64, dtype=np.int64)
LOG2[[(1 << place) * int(DE_BRUIJN) % (1 << 64) >> 58 for place in range(64)]] = np.arange(64)


def compiled(loop: Loop) -> Loop:
    """The function in machine code, which is kept beside this file or in the user's cache where one can be written."""
    found: Loop
    try:
        found = numba.njit(loop, nogil=True, cache=True)
    except RuntimeError:  # numba finds no folder to keep it in
        found = numba.njit(loop, nogil=True)
    return found


@compiled
def multiplications(
    left_indptr: Positions, left_indices: Positions, right_indptr: Positions, found: IndexArray
) -> None:
    """How many multiplications each row of left · right takes, [rows]."""
    for row in range(len(found)):
        number = 0
        for p in range(left_indptr[row], left_indptr[row + 1]):
            between = left_indices[p]
            number += right_indptr[between + 1] - right_indptr[between]
        found[row] = number


@compiled
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
    """Gustavson's product (1978): the rows of the right that a row of the left names are added up."""
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
                end += before == 0  # no branch: it cannot be predicted
            if end - begin > len(sums):  # sums that returned to zero are noted again
                end = begin
                for column in range(len(sums)):
                    indices[end] = column
                    end += 1
        noted, end = end, begin
        for t in range(begin, noted):
            column = indices[t]
            indices[end], data[end] = column, sums[column]
            end += sums[column] != 0
            sums[column] = 0
        indptr[row - first + 1] = end


@compiled
def cut(
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
    """The k largest of each row; `sums` holds their values while `marks` puts their columns in order."""
    raw = values.view(np.int32)
    end = 0
    for row in range(len(indptr) - 1):
        begin, number = indptr[row], indptr[row + 1] - indptr[row]
        if number > k:
            number = _largest(raw[begin : indptr[row + 1]], indices[begin:], k, keys, kept, histogram)
        else:
            for t in range(number):
                kept[t] = t
        for t in range(number):
            place = begin + kept[t]
            column = indices[place]
            sums[column] = values[place]
            marks[column >> 6] |= np.uint64(1) << np.uint64(column & 63)
        for word in range(len(marks)):
            left = marks[word]
            if left != 0:
                marks[word] = 0
                while left != 0:
                    lowest = left & (~left + np.uint64(1))
                    left ^= lowest
                    column = (word << 6) + LOG2[(lowest * DE_BRUIJN) >> np.uint64(58)]
                    out_indices[end], out_data[end] = column, sums[column]
                    sums[column] = 0
                    end += 1
        lengths[row] = number


@compiled
def _largest(raw: Positions, columns: Positions, k: int, keys: Positions, kept: Positions, histogram: Positions) -> int:
    """Places of the k largest of more than k float32 in `kept`, of equal ones those of the first columns; returns k.

    A histogram of the highest bits says in which bin the k-th is, and that bin alone is partitioned.
    """
    histogram[:] = 0
    for t in range(len(raw)):
        histogram[(_ordered(raw[t]) >> SHIFT) + MIDDLE] += 1
    above, bin_ = 0, BINS - 1
    while above + histogram[bin_] < k:
        above += histogram[bin_]
        bin_ -= 1
    found = 0
    for t in range(len(raw)):
        key = _ordered(raw[t])
        keys[found] = key
        found += (key >> SHIFT) + MIDDLE == bin_
    limit = _kth_largest(keys[:found], k - above)
    number = 0
    for t in range(len(raw)):
        kept[number] = t
        number += _ordered(raw[t]) >= limit
    if number > k:
        number = _without_last_equals(raw, columns, k, limit, keys, kept, number)
    return number


@compiled
def _without_last_equals(
    raw: Positions, columns: Positions, k: int, limit: int, keys: Positions, kept: Positions, number: int
) -> int:
    """Take off those of the last columns among the entries that equal the limit until k are left."""
    equal = 0
    for t in range(number):
        keys[equal] = columns[kept[t]]
        equal += _ordered(raw[kept[t]]) == limit
    stay = equal - (number - k)  # the columns that stay are the smallest: the largest of their opposites
    for t in range(equal):
        keys[t] = -keys[t]
    last = -_kth_largest(keys[:equal], stay)
    found = 0
    for t in range(number):
        place = kept[t]
        kept[found] = place
        found += _ordered(raw[place]) > limit or columns[place] <= last
    return found


@compiled
def _ordered(bits: int) -> int:
    """An integer that is ordered as the float32 of these bits is."""
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


@compiled
def _kth_largest(values: Positions, k: int) -> int:
    """The k-th largest of some numbers, whose order changes (Hoare's FIND, 1961)."""
    low, high, wanted = 0, len(values) - 1, k - 1
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
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return int(values[wanted])
