"""An estimate of the peak memory of training from the sizes of a graph: an upper bound that is rarely far off.

It is the peak resident memory of the process. The constants of models are repeated here because this module must
not load torch; a test compares them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # it loads torch
    from graphrec.hetero import HeteroGraph

#: Bytes of the process without data: after torch is loaded, and after training has started.
TORCH_BYTES, TRAINING_BYTES = 450_000_000, 720_000_000

#: Bytes per edge while the graph is read (1,050,000 edges needed 0.9 GB), and afterwards with the parts of a split.
READ_BYTES, EDGE_BYTES = 900, 360

#: graph_filter: maximum neighbours of an item in the search space, and their default; oversampling factor of collected
#: neighbours; the rank, and its cap as a share of the shorter side; maximum number of paths whose squares are kept.
MANY, DEFAULT, COLLECTED, RANK, RANK_SHARE, TWICE_KEPT = 400, 100, 2, 768, 0.125, 1 << 26

#: graph_filter: maximum number of items with interactions of a ridge regression, and of its multiplications in the
#: search.
RIDGE_ITEMS, RIDGE_WORK = 25_000, 8000**3

#: Caps on the fits that a search caches: their number and their bytes.
MAX_CACHED, MAX_CACHED_BYTES = 3, 1_100_000_000

#: Maximum length of the shorter side for which the spectrum is computed from a dense matrix.
DENSE_SIDE = 1000

#: Maximum neighbours of an item in the configs of item_knn.
NEIGHBOURS = 1000

#: Bytes of an entry of a sparse matrix, and batch size in users of scores for all items, in three arrays.
ENTRY_BYTES, BATCH_USERS = 8, 128

#: sequence_filter: transitions and similar items of an item; memories of a ridge, and its maximum number of items times
#: memories in the search; bytes of an event.
TRANSITIONS, MEMORIES, MEMORIES_TIMES_ITEMS, EVENT_BYTES = 600, 3, 12_000, 100

#: Models with a dense matrix of items × items, or of users × items if that is smaller.
DENSE_MODELS = ("ease", "slim")

#: Numbers per user or item in a model that learns vectors: the vector, its gradient and two moments.
NUMBERS_PER_NODE = 4 * 256


@dataclass(frozen=True)
class Shape:
    """The sizes that memory depends on.

    users, items, edges: the numbers of all users, items and edges.
    paths: the number of two-step paths between items.
    known_items: the number of items with interactions.
    """

    users: int
    items: int
    edges: int
    paths: int
    known_items: int


def shape_of(graph: "HeteroGraph") -> Shape:
    """The sizes of a graph."""
    user, _, item = graph.target
    is_known = np.zeros(len(graph.items), dtype=bool)
    edges, paths = 0, 0
    for triple in graph.data.edge_types:
        index = graph.data[triple].edge_index
        if not triple[1].startswith("rev_"):
            edges += int(index.shape[1])
        if (triple[0], triple[2]) == (user, item):
            is_known[index[1].numpy()] = True
        if triple[2] == item:  # from users, and from attribute values by the reverse
            degree = np.bincount(index[0].numpy()).astype(np.float64)
            paths += int((degree * degree).sum())
    return Shape(len(graph.users), len(graph.items), edges, paths, int(is_known.sum()))


def bytes_to_train(shape: Shape, models: Iterable[str] = ("graph_filter",), workers: int = 1) -> int:
    """An upper bound of the bytes for tuning these models, one after the other, and the baselines of the publish gate;
    each of `workers` processes has a copy of the data and its own fits."""
    names = dict.fromkeys((*models, "item_knn"))
    model = max(_estimate_model(name, shape) for name in names) + 3 * 4 * BATCH_USERS * shape.items
    per_worker = TRAINING_BYTES + EDGE_BYTES * shape.edges + model
    return max(TORCH_BYTES + READ_BYTES * shape.edges, per_worker * workers + (TRAINING_BYTES if workers > 1 else 0))


def _estimate_model(name: str, shape: Shape) -> int:
    if name == "graph_filter":
        return _estimate_graph_filter(shape)
    if name == "sequence_filter":
        size = MEMORIES * shape.items
        dense = 4 * size * (size + 3 * shape.items) if size <= MEMORIES_TIMES_ITEMS else 0
        return 2 * ENTRY_BYTES * min(TRANSITIONS * shape.items, shape.items**2) + EVENT_BYTES * shape.edges + dense
    if name == "item_knn":
        return ENTRY_BYTES * _count_entries(NEIGHBOURS, shape) * 3 // 2  # its rows are normalised in a copy
    if name in DENSE_MODELS:
        return 4 * min(shape.items**2, 2 * shape.users * shape.items)
    if name == "popularity":
        return 0
    return 4 * NUMBERS_PER_NODE * (shape.users + shape.items)


def _estimate_graph_filter(shape: Shape) -> int:
    """The bytes of the cached fits and of a variant, which has a copy of its paths."""
    rank = min(RANK, int(RANK_SHARE * min(shape.users, shape.items)))
    vectors = 4 * rank * shape.items
    collected = _count_entries(COLLECTED * MANY, shape)
    squares = 4 * collected if collected <= TWICE_KEPT else 0
    largest = ENTRY_BYTES * collected + squares + vectors
    smallest = ENTRY_BYTES * _count_entries(COLLECTED * DEFAULT, shape) + vectors
    scored = ENTRY_BYTES * _count_entries(MANY, shape) + vectors
    # the random subspace, its image and the next one, unless the spectrum is computed from a small dense matrix
    subspaces = 3 * 4 * (rank + 32) * shape.items if min(shape.users, shape.items) > DENSE_SIDE else 0
    cached = max(largest, min(MAX_CACHED * largest, MAX_CACHED_BYTES - largest * 3 // 2))
    return max(cached, 2 * smallest + ENTRY_BYTES * collected) + max(scored, subspaces, _estimate_ridge(shape))


def _estimate_ridge(shape: Shape) -> int:
    """The bytes of the dense matrix of a ridge regression: known items × known items, or twice users × known items if
    that is used and smaller; 0 if none is tried."""
    known = shape.known_items
    side, rows = (shape.users, 2 * shape.users) if 2 * shape.users < known else (known, known)
    allowed = min(shape.items, 2 * known) <= RIDGE_ITEMS and side * known**2 <= RIDGE_WORK
    return 4 * rows * known if allowed else 0


def _count_entries(per_item: int, shape: Shape) -> int:
    """The maximum number of entries of an item-item matrix with at most `per_item` in a row."""
    return min(per_item * shape.items, shape.items**2, shape.paths)
