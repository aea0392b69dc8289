"""SLIM: a sparse item-item matrix with non-negative coefficients, fitted by elastic-net regression."""

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
from graphrec.linalg.item_regression import check_size, fill_gram
from graphrec.linalg.sparse import topk_gram
from graphrec.linalg.threads import one_thread
from graphrec.models.base import Range, Space
from graphrec.models.item_weights import RecentItemWeightsModel
from graphrec.models.recency import RecencyConfig, recency_space
from graphrec.progress import Progress
from graphrec.vocabulary import IndexArray

#: Maximum size in bytes of the dense Gram matrix of all items; DataError is raised if the items need more.
MATRIX_BYTES = 4 * 10**9

#: Batch size in entries of the Gram matrices of one batch of items; a thread solves one batch at a time.
BATCH = 1 << 23


@dataclass(frozen=True)
class SLIMConfig(RecencyConfig):
    """Settings of slim.

    sparsity: λ₁, weight of the absolute coefficients, at least 0; the larger, the more of them are 0.
    regularisation: λ₂, weight of the squared coefficients, above 0.
    neighbours: number of candidates per item: the nearest items by cosine, which may have a coefficient; 0 takes all
        items that share a user.
    """

    sparsity: float = 0.1
    regularisation: float = 50.0
    neighbours: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sparsity < 0 or self.neighbours < 0:
            raise DataError("slim: sparsity and neighbours must not be negative")
        if self.regularisation <= 0:
            raise DataError("slim: regularisation must be above 0")


class SLIM(RecentItemWeightsModel[SLIMConfig]):
    """score(u, ·) = r_u W, where column w_j of W minimises ½‖R_j − R w_j‖² + λ₂/2 ‖w_j‖² + λ₁ ‖w_j‖₁ subject to w_j ≥ 0
    and w_jj = 0.

    R [num_users, num_items] is the 0/1 interaction matrix, r_u its row of user u, R_j its column of item j, λ₁ the
    sparsity and λ₂ the regularisation.

    Ning and Karypis, ICDM 2011, equation 3, with the candidates of the paper's fsSLIM: only the nearest items by cosine
    have coefficients. Differs in the solver: coordinate descent on the Gram matrices of the candidates of many items
    at once.
    """

    config_class = SLIMConfig

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002  # every model has this signature
        progress: Progress | None = None,
    ) -> None:
        """Solve one batch of items after another. Raises DataError if there are too many items."""
        # two items have at most as many common users as one of them has users
        fits_int16 = interactions.item_degree().max(initial=0) <= np.iinfo(np.int16).max
        counts = np.dtype(np.int16 if fits_int16 else np.float32)
        size, max_items = interactions.num_items, int((MATRIX_BYTES // counts.itemsize) ** 0.5)
        check_size("slim", size, max_items, counts.itemsize)
        pairs = self.read_history(graph, interactions)
        candidates = _find_candidates(pairs, self.config.neighbours)
        gram = torch.from_numpy(fill_gram(pairs, np.empty((size, size), dtype=counts))).to(self.device)
        batches = _split_batches(np.diff(candidates.indptr))
        workers = torch.get_num_threads() if self.device.type == "cpu" else 1
        parts = []
        # coordinate descent is thousands of small operations, so each batch has one thread
        with one_thread(self.device.type == "cpu"), ThreadPoolExecutor(workers) as pool:
            for part in pool.map(lambda items: self._solve_columns(gram, candidates, items), batches):
                parts.append(part)
                if progress is not None:
                    progress(len(parts), len(batches))
        row, column, value = (np.concatenate([part[n] for part in parts] or [np.empty(0)]) for n in range(3))
        shape = (interactions.num_items, interactions.num_items)
        self.weights = sparse.csr_array((value.astype(np.float32), (row.astype(int), column.astype(int))), shape=shape)

    def _solve_columns(
        self, gram: Tensor, candidates: sparse.csr_array, items: IndexArray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, columns and values [n] of the non-zero coefficients of items [batch]."""
        padded, mask = _pad_rows(candidates, items)
        index = torch.from_numpy(padded).to(gram.device)  # [batch, m]
        target = gram[index, torch.from_numpy(items).to(gram.device)[:, None]].float()
        target = target.masked_fill(~torch.from_numpy(mask).to(gram.device), -torch.inf)
        by_candidate = gram[index.T[:, :, None], index].float()  # [m, batch, m]
        value = solve(by_candidate, target, self.config.sparsity, self.config.regularisation).cpu().numpy()
        row, column = np.nonzero(value)
        return padded[row, column], items[row], value[row, column]

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[SLIMConfig]:  # noqa: ARG003  # the same for every graph
        """Sparse and dense solutions, with low and high regularisation."""
        return [
            SLIMConfig(),
            SLIMConfig(0.1, 30.0, 400),
            SLIMConfig(0.3, 20.0),
            SLIMConfig(0.03, 150.0),
            SLIMConfig(1.0, 20.0),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """All settings."""
        return {
            "sparsity": Range(0.01, 10.0, log=True),
            "regularisation": Range(1.0, 1000.0, log=True),
            "neighbours": (50, 100, 200, 400),
            **recency_space(graph),
        }


def _find_candidates(history: sparse.csr_array, neighbours: int) -> sparse.csr_array:
    """The nearest other items of each item by cosine, [num_items, num_items]."""
    root = np.sqrt(np.bincount(history.indices, minlength=history.shape[1])).astype(np.float32)

    def finish(rows: sparse.csr_array, start: int) -> None:
        item = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        rows.data /= root[rows.indices]  # the root of the item itself would not change the order of its row
        rows.data[item == rows.indices] = 0.0

    nearest = topk_gram(history, history, neighbours, finish)
    nearest.eliminate_zeros()
    return nearest


def _split_batches(lengths: IndexArray) -> list[IndexArray]:
    """The items that have candidates, by decreasing number of candidates, in batches that fit BATCH."""
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    batches = []
    start = 0
    while start < len(order):
        end = start + max(BATCH // int(lengths[order[start]]) ** 2, 1)
        batches.append(order[start:end].astype(np.int64))
        start = end
    return batches


def _pad_rows(matrix: sparse.csr_array, rows: IndexArray) -> tuple[IndexArray, np.ndarray]:
    """The columns [batch, m] of rows [batch], padded with 0, and a mask [batch, m] that is False for padding."""
    starts, ends = matrix.indptr[rows].astype(np.int64), matrix.indptr[rows + 1].astype(np.int64)
    offset = np.arange(int((ends - starts).max()))
    mask = offset < (ends - starts)[:, None]
    return np.where(mask, matrix.indices[np.where(mask, starts[:, None] + offset, 0)], 0).astype(np.int64), mask
