"""Compiled products and cuts against scipy's, bit by bit."""

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from graphrec.interactions import FloatArray, Interactions
from graphrec.linalg import sparse as cuts
from graphrec.linalg import topk_kernels, topk_product
from graphrec.linalg.csr import in_32_bits
from graphrec.models import make
from graphrec.testing import graph_of

#: Values without ties, all the same, of both signs, and few whole numbers whose sums are often zero.
KINDS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "positive": lambda values: values,
    "ones": np.ones_like,
    "signed": lambda values: values - np.float32(0.5),
    "whole": lambda values: np.round(3 * values - 1),
}

FEW_EPOCHS = {"ultragcn": {"epochs": "2"}}


def matrix(rng: np.random.Generator, shape: tuple[int, int], density: float, kind: str) -> sparse.csr_array:
    """A random matrix with values of a kind."""
    values = KINDS[kind](rng.random(shape, dtype=np.float32))
    return in_32_bits(sparse.csr_array(np.where(rng.random(shape) < density, values, np.float32(0))))


def assert_same(found: sparse.csr_array, expected: sparse.csr_array) -> None:
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.data, expected.data)
    assert topk_product.is_supported(found)


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.integers(1, 150)] * 3),
    st.floats(0, 0.4),
    st.sampled_from(sorted(KINDS)),
    st.integers(1, 40),
    st.integers(1, 2000),
    st.integers(1, 4),
)
def test_products_and_cuts_equal_those_of_scipy(
    seed: int, sizes: tuple[int, int, int], density: float, kind: str, k: int, block: int, threads: int
) -> None:
    rng = np.random.default_rng(seed)
    left, right = (matrix(rng, shape, density, kind) for shape in (sizes[:2], sizes[1:]))
    whole = sparse.csr_array(left @ right)
    whole.eliminate_zeros()
    expected = cuts.top_k_per_row(whole, k)
    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topk_product, "BLOCK", block)
        torch.set_num_threads(threads)
        try:
            assert_same(topk_product.multiply(left, right, k), expected)
            assert_same(topk_product.top_k_per_row(in_32_bits(whole), k), expected)
        finally:
            torch.set_num_threads(before)


def test_sums_that_return_to_zero_again_and_again_overflow_nothing() -> None:
    """The loop runs uncompiled, where a place beyond the end of an array is an error and not somebody else's memory."""
    sign = np.where(np.arange(1000) % 2, -1, 1).astype(np.float32)
    left = in_32_bits(sparse.csr_array(np.vstack([sign, np.ones(1000, dtype=np.float32)])))
    right = in_32_bits(sparse.csr_array(np.ones((1000, 3), dtype=np.float32)))
    operands = (left.indptr, left.indices, left.data, right.indptr, right.indices, right.data)
    sums, indptr = np.zeros(3, dtype=np.float32), np.zeros(3, dtype=np.int32)
    room = 3 + 3 + 1  # the columns, the longest row of the right, and one place for what is not noted
    indices, data = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.float32)
    uncompiled = topk_kernels.multiply.py_func  # type: ignore[attr-defined]  # numba's own attribute
    uncompiled(*operands, 0, 2, sums, indptr, indices, data)
    assert indptr.tolist() == [0, 0, 3]
    assert (sorted(indices[:3].tolist()), data[:3].tolist(), sums.tolist()) == ([0, 1, 2], [1000] * 3, [0] * 3)
    assert topk_product.multiply(left, right, 2).toarray().tolist() == [[0, 0, 0], [1000, 1000, 0]]


def test_of_many_equal_entries_those_of_the_first_columns_stay() -> None:
    rows = in_32_bits(sparse.csr_array(np.array([[1, 3, 2, 2, 2, 2, 0.5]], dtype=np.float32)))
    shuffled = sparse.csr_array((rows.data[::-1].copy(), rows.indices[::-1].copy(), rows.indptr), shape=rows.shape)
    for wanted in (rows, shuffled):
        assert topk_product.top_k_per_row(wanted, 3).toarray().tolist() == [[0, 3, 2, 2, 0, 0, 0]]


@pytest.mark.parametrize("name", ["graph_filter", "rp3beta", "item_knn", "slim", "ultragcn"])
def test_models_are_the_same_with_and_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    user, item = np.divmod(np.random.default_rng(3).choice(300 * 120, 6000, replace=False), 120)
    known = Interactions(user, item, 300, 120)
    found = []
    for limit in (1 << 60, 1):
        monkeypatch.setattr(cuts, "COMPILED_WORK", limit)
        monkeypatch.setattr(cuts, "COMPILED_ENTRIES", limit)
        model = make(name, neighbours="20", **FEW_EPOCHS.get(name, {}))
        model.fit(graph_of(known), known, np.random.default_rng(0))
        found.append(model.score(np.arange(300)))
    assert torch.equal(*found)


def test_loops_are_compiled_where_nothing_can_be_kept() -> None:
    code = (
        "import numpy as np; from graphrec.linalg import topk_kernels; "
        "print(topk_kernels._kth_largest(np.array([3, 1, 2], dtype=np.int32), 2))"
    )
    nowhere = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "Nowhere"}  # numba then says that there is no folder
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=nowhere)
    assert done.stdout.strip() == "2"
