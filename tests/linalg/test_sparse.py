"""Item-item products that are made a block of rows at a time."""

import numpy as np
from scipy import sparse

from graphrec.linalg.sparse import BLOCK, topk_gram, zero_diagonal


def test_no_item_has_to_do_with_itself_in_any_block() -> None:
    matrix = sparse.csr_array((np.random.default_rng(0).random((60, BLOCK + 40)) < 0.2).astype(np.float32))
    expected = (matrix.T @ matrix).toarray()
    np.fill_diagonal(expected, 0.0)
    np.testing.assert_array_equal(topk_gram(matrix, matrix, 0, zero_diagonal).toarray(), expected)
