"""SLIM: a sparse item-item model with non-negative coefficients, by elastic-net regression."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.elastic_net import solve
from graphrec.linalg.sparse import topk_gram
from graphrec.linalg.threads import one_thread
from graphrec.models.base import Range, Space
from graphrec.models.ease import check_size, fill_gram
from graphrec.models.item_weights import ItemWeightsModel
from graphrec.progress import Progress
from graphrec.vocabulary import IndexArray

#: Memory limit in bytes of the dense matrix of common users of two items; more items than fit raise DataError.
MATRIX_BYTES = 4 * 10**9

#: Batch size in entries of the Gram matrices of one batch of items; each thread works on one batch.
BATCH = 1 << 23


@dataclass(frozen=True)
class SLIMConfig:
    """Settings of slim.

    sparsity: λ₁, weight of the coefficients themselves; the larger, the more of them are 0.
    regularisation: λ₂, weight of the squared coefficients.
    neighbours: number of nearest items, by cosine, that may have a coefficient for an item; 0 allows all that share a
        user.
    """

    sparsity: float = 0.1
    regularisation: float = 50.0
    neighbours: int = 200

    def __post_init__(self) -> None:
        if self.sparsity < 0 or self.neighbours < 0:
            raise DataError("slim: sparsity and neighbours must not be negative")
        if self.regularisation <= 0:
            raise DataError("slim: regularisation must be above 0")


class SLIM(ItemWeightsModel[SLIMConfig]):
    """score(u, ·) = r_u W, where column w_j of W minimises ½‖R_j − R w_j‖² + λ₂/2 ‖w_j‖² + λ₁ ‖w_j‖₁ subject to w_j ≥ 0
    and w_jj = 0.

    R [num_users, num_items] is the 0/1 interaction matrix, r_u its row of user u, R_j its column of item j, λ₁ the
    sparsity and λ₂ the regularisation.

    Ning and Karypis, ICDM 2011, equation 3, with the candidates of the paper's fsSLIM: only the nearest items by cosine
    have coefficients. Differs in the solver: coordinate descent on the Gram matrices of the candidates, for many items
    at a time.
    """

    config_class = SLIMConfig

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # every model has this signature
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002
        progress: Progress | None = None,
    ) -> None:
        """Solve one batch of items after another. Raises DataError if there are too many items."""
        # items share no more users than one of them has
        small = interactions.item_degree().max(initial=0) <= np.iinfo(np.int16).max
        counts = np.dtype(np.int16 if small else np.float32)
        size, most = interactions.num_items, int((MATRIX_BYTES // counts.itemsize) ** 0.5)
        check_size("slim", size, most, counts.itemsize)
        self.history = interactions.matrix()
        candidates = _candidates(self.history, self.config.neighbours)
        products = torch.from_numpy(fill_gram(self.history, np.empty((size, size), dtype=counts))).to(self.device)
        batches = _batches(np.diff(candidates.indptr))
        workers = torch.get_num_threads() if self.device.type == "cpu" else 1
        parts = []
        # the steps are thousands of small operations, so each batch has one thread
        with one_thread(self.device.type == "cpu"), ThreadPoolExecutor(workers) as pool:
            for part in pool.map(lambda items: self._columns(products, candidates, items), batches):
                parts.append(part)
                if progress is not None:
                    progress(len(parts), len(batches))
        row, column, value = (np.concatenate([part[n] for part in parts] or [np.empty(0)]) for n in range(3))
        shape = (interactions.num_items, interactions.num_items)
        self.weights = sparse.csr_array((value.astype(np.float32), (row.astype(int), column.astype(int))), shape=shape)

    def _columns(
        self, products: Tensor, candidates: sparse.csr_array, items: IndexArray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, columns and values [n] of the non-zero coefficients of items [batch]."""
        chosen, there = _padded(candidates, items)
        index = torch.from_numpy(chosen).to(products.device)  # [batch, m]
        target = products[index, torch.from_numpy(items).to(products.device)[:, None]].float()
        target = target.masked_fill(~torch.from_numpy(there).to(products.device), -torch.inf)
        by_candidate = products[index.T[:, :, None], index].float()  # [m, batch, m]
        value = solve(by_candidate, target, self.config.sparsity, self.config.regularisation).cpu().numpy()
        row, column = np.nonzero(value)
        return chosen[row, column], items[row], value[row, column]

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[SLIMConfig]:  # noqa: ARG003  # the same for every graph
        """Sparse and dense solutions with low and high regularisation."""
        return [
            SLIMConfig(),
            SLIMConfig(0.1, 30.0, 400),
            SLIMConfig(0.3, 20.0),
            SLIMConfig(0.03, 150.0),
            SLIMConfig(1.0, 20.0),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """All settings."""
        return {
            "sparsity": Range(0.01, 10.0, log=True),
            "regularisation": Range(1.0, 1000.0, log=True),
            "neighbours": (50, 100, 200, 400),
        }


def _candidates(history: sparse.csr_array, neighbours: int) -> sparse.csr_array:
    """The nearest items of each item by cosine, without itself, [num_items, num_items]."""
    root = np.sqrt(np.bincount(history.indices, minlength=history.shape[1])).astype(np.float32)

    def finish(rows: sparse.csr_array, start: int) -> None:
        item = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        rows.data /= root[rows.indices]  # the root of the item itself does not change the order of its row
        rows.data[item == rows.indices] = 0.0

    nearest = topk_gram(history, history, neighbours, finish)
    nearest.eliminate_zeros()
    return nearest


def _batches(lengths: IndexArray) -> list[IndexArray]:
    """The items that have candidates, most candidates first, in batches that fit BATCH."""
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    batches = []
    start = 0
    while start < len(order):
        end = start + max(BATCH // int(lengths[order[start]]) ** 2, 1)
        batches.append(order[start:end].astype(np.int64))
        start = end
    return batches


def _padded(matrix: sparse.csr_array, rows: IndexArray) -> tuple[IndexArray, np.ndarray]:
    """The columns [batch, m] of rows [batch], padded with 0, and a mask [batch, m] of real columns."""
    starts, ends = matrix.indptr[rows].astype(np.int64), matrix.indptr[rows + 1].astype(np.int64)
    place = np.arange(int((ends - starts).max()))
    there = place < (ends - starts)[:, None]
    return np.where(there, matrix.indices[np.where(there, starts[:, None] + place, 0)], 0).astype(np.int64), there
