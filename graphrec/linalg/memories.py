"""Ridge regression of the next items on decaying memories of a history, from sums over pairs of events."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from scipy.linalg import lapack

from graphrec.interactions import FloatArray
from graphrec.linalg import sequence_kernels as kernels
from graphrec.linalg.events import Events
from graphrec.linalg.item_regression import singular_error
from graphrec.linalg.sequence_kernels import Doubles
from graphrec.vocabulary import IndexArray

#: Threshold: the share of an event that a memory forgets.
FORGOTTEN = 1e-7

#: Block size in rows and columns of the sum of a matrix and its transpose, and in items of a thread.
BLOCK, ITEMS = 1024, 64


def regress_next_items(
    events: Events, memories: Sequence[float], decay: float, penalty: FloatArray, advice: str
) -> FloatArray:
    """B = (G + Λ)⁻¹ C [memories, num_items, num_items] float32: the scores of the next item are Σ_k x[k] B[k].

    The memory k of a history at time t is x_t[k] = Σ_{p≤t} ρ_k^(t−p) e(item p). G = Σ_t x_tᵀ x_t and C = Σ_t x_tᵀ y_t
    are sums over all users and all times t that have a next event, with the targets y_t = Σ_{q>t} σ^(q−t−1) e(item q).
    For a pair of events both sums are geometric series, so no x_t is ever built.

    Args:
        events: the histories.
        memories: ρ_k, from 0 to 1.
        decay: σ, from 0 to below 1.
        penalty: the diagonal of Λ, [memories · num_items].
        advice: what the error says if G + Λ is singular.

    Raises:
        GraphrecError: the matrix is singular in float32.
    """
    gram = sum_products(events, memories)
    size = gram.shape[0]
    gram[np.arange(size), np.arange(size)] += penalty
    targets = sum_targets(events, memories, decay).reshape(size, events.num_items)
    factor, failed = lapack.spotrf(gram.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise singular_error((failed - 1) % events.num_items + 1, advice)
    weights, _ = lapack.spotrs(factor, np.asfortranarray(targets), lower=1, overwrite_b=1)
    return np.ascontiguousarray(weights, dtype=np.float32).reshape(len(memories), events.num_items, events.num_items)


def sum_products(events: Events, memories: Sequence[float]) -> FloatArray:
    """G = Σ_t x_tᵀ x_t [memories · num_items, memories · num_items] float32."""
    number, num_items, length = len(memories), events.num_items, events.longest + 1
    rho = np.array(memories, dtype=np.float64)
    powers = rho[:, None] ** np.arange(length)
    repeats = np.zeros((number, number, length))
    repeats[:, :, 1:] = np.cumsum((rho[:, None] * rho)[:, :, None] ** np.arange(length - 1), axis=2)
    reach = _find_reach(powers)
    out = np.empty((number, num_items, number, num_items), dtype=np.float32)
    diagonal = np.zeros((number, number, num_items))

    def fill(first: int) -> None:
        arrays = (events.item_starts, events.by_item, events.ends, events.items, powers, reach, repeats)
        scratch = np.zeros((number, num_items))
        kernels.sum_memory_products(first, min(first + ITEMS, num_items), *arrays, scratch, diagonal, out)

    _run_blocks(fill, num_items)
    gram = out.reshape(number * num_items, number * num_items)
    _add_transpose(gram)
    by_memory = gram.reshape(number, num_items, number, num_items)
    for k in range(number):
        for m in range(number):
            np.einsum("ii->i", by_memory[k, :, m, :])[:] += diagonal[k, m]
    return gram


def sum_targets(events: Events, memories: Sequence[float], decay: float) -> FloatArray:
    """C = Σ_t x_tᵀ y_t [memories, num_items, num_items] float32."""
    gap = np.arange(events.longest + 1, dtype=np.float64)
    profiles = np.stack([_sum_series(rho, decay, gap) for rho in memories])
    reach = _find_reach(profiles)
    out = np.empty((len(memories), events.num_items, events.num_items), dtype=np.float32)

    def fill(first: int) -> None:
        arrays = (events.item_starts, events.by_item, events.ends, events.items, profiles, reach)
        scratch = np.zeros(events.num_items)
        kernels.sum_memory_targets(first, min(first + ITEMS, events.num_items), *arrays, scratch, out)

    _run_blocks(fill, events.num_items)
    return out


def _sum_series(rho: float, sigma: float, gap: Doubles) -> Doubles:
    """Σ_{s<gap} ρ^s σ^(gap−1−s) for each gap."""
    if abs(rho - sigma) < 1e-9:
        return gap * rho ** np.maximum(gap - 1, 0)
    return (rho**gap - sigma**gap) / (rho - sigma)


def _find_reach(weights: Doubles) -> IndexArray:
    """The first gap of each memory from which all weights [memories, length] are negligible."""
    counts = np.array([np.flatnonzero(row > FORGOTTEN).max(initial=0) + 1 for row in weights])
    return counts.astype(np.int64)


def _run_blocks(fill: Callable[[int], None], num_items: int) -> None:
    """Call a function with the first item of each block, in all threads."""
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        list(pool.map(fill, range(0, num_items, ITEMS)))


def _add_transpose(matrix: FloatArray) -> None:
    """Add the transpose to a square matrix in place, block by block."""
    for row in range(0, len(matrix), BLOCK):
        for column in range(row, len(matrix), BLOCK):
            rows, columns = slice(row, row + BLOCK), slice(column, column + BLOCK)
            total = matrix[rows, columns] + matrix[columns, rows].T
            matrix[rows, columns] = total
            matrix[columns, rows] = total.T
