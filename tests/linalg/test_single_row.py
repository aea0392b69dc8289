"""Products and sums of rows for one history, by threads and by hand."""

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.linalg.single_row import copy_to_huge_pages, multiply_vector, sum_weighted_rows


@pytest.mark.parametrize("threads", [1, 2])
def test_products_are_those_of_each_row_in_any_number_of_threads(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.linalg.single_row.THREADS_FROM", 0)
    monkeypatch.setattr("graphrec.linalg.single_row.ROWS", 3)
    matrix = np.arange(40, dtype=np.float32).reshape(10, 4)
    vector = np.array([1, -1, 2, 0], dtype=np.float32)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = multiply_vector(matrix, vector)
    finally:
        torch.set_num_threads(before)
    assert found.dtype == np.float32
    assert found.tolist() == [row * 8 + 3 for row in range(10)]  # 4r - (4r + 1) + 2 (4r + 2)


def test_products_with_vectors_of_no_length_are_zero() -> None:
    assert multiply_vector(np.zeros((3, 0), dtype=np.float32), np.zeros(0, dtype=np.float32)).tolist() == [0, 0, 0]


def test_rows_add_up_by_their_weights() -> None:
    matrix = sparse.csr_array(np.array([[1, 0, 2], [0, 0, 0], [0, 5, 4]], dtype=np.float32))
    found = sum_weighted_rows(matrix, np.array([2, 1, 0]), np.array([0.5, 9.0, 3.0], dtype=np.float32))
    assert found.tolist() == [3, 2.5, 8]
    assert sum_weighted_rows(matrix, np.array([1]), np.ones(1, dtype=np.float32)).tolist() == [0, 0, 0]


def test_no_rows_add_up_to_zeros() -> None:
    matrix = sparse.csr_array(np.ones((2, 3), dtype=np.float32))
    found = sum_weighted_rows(matrix, np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))
    assert found.tolist() == [0, 0, 0]


def test_a_copy_on_huge_pages_is_equal_contiguous_and_its_own() -> None:
    matrix = torch.arange(12.0).view(3, 4).T
    found = copy_to_huge_pages(matrix)
    assert found.is_contiguous()
    found[0, 0] = 7
    assert matrix[0, 0] == 0
    assert found[1:].tolist() == matrix[1:].tolist()
