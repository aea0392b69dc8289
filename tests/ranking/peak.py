"""Prints the peak memory of `top_k` in bytes; tests run it in its own process: `peak.py KIND BUDGET [FOLDER]`."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.benchmark.lightgcn_format import read_pairs
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.sparse import add_sparse
from graphrec.models import make
from graphrec.models.base import Model
from graphrec.models.vectors import VectorModel
from graphrec.progress import Progress
from graphrec.ranking.topk import top_k
from graphrec.testing import graph_of
from graphrec.vocabulary import IndexArray

NUM_USERS, NUM_ITEMS, DEGREE = 5000, 40_000, 40


class Full(VectorModel[None]):
    """Dot products plus a sparse product without zero entries."""

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # every model has this signature
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,  # noqa: ARG002
    ) -> None:
        """Draw random vectors."""
        sizes = (interactions.num_users, interactions.num_items)
        self.users, self.items = (torch.from_numpy(rng.random((n, 64), dtype=np.float32)) for n in sizes)

    def score(self, user_index: IndexArray) -> Tensor:
        rows = sparse.csr_array(np.ones((len(user_index), 1), dtype=np.float32))
        paths = sparse.csr_array(np.full((1, NUM_ITEMS), 0.5, dtype=np.float32))
        return add_sparse(super().score(user_index), sparse.csr_array(rows @ paths))


def generated() -> Interactions:
    """Histories of 40 items, popular ones more often."""
    rng = np.random.default_rng(0)
    item = (NUM_ITEMS * rng.random(NUM_USERS * DEGREE) ** 3).astype(np.int64)
    return Interactions(np.repeat(np.arange(NUM_USERS), DEGREE), item, NUM_USERS, NUM_ITEMS)


def resident(name: str) -> int:
    """VmRSS (current) or VmHWM (peak) resident bytes of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def main(kind: str, budget: int, folder: str = "") -> None:
    """Fit a model and rank 20 items for many users."""
    torch.set_num_threads(1)
    pairs = read_pairs(Path(folder) / "train.txt.gz") if kind == "gowalla" else generated()
    users = np.arange(pairs.num_users if kind == "gowalla" else 300)
    model: Model[Any] = Full(None) if kind == "dense" else make("graph_filter", rank=128)
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    top_k(model, pairs, users[:2], 20)  # allocations that libraries keep are not part of a call
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
    top_k(model, pairs, users, 20, budget)
    print(json.dumps({"peak": resident("VmHWM") - before}))  # noqa: T201  # the answer to the test


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
