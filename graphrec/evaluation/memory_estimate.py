"""How much memory training takes, predicted from the sizes of a graph: an upper bound that is rarely far off.

Measured as the most resident memory of the process. The constants of models are repeated here because this module must
not load torch; a test compares them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # it loads torch
    from graphrec.hetero import HeteroGraph

#: Bytes of the process before it has read anything: once torch alone is loaded, and once training has begun.
LOADED, BEGUN = 450_000_000, 720_000_000

#: Bytes of an edge while the graph is read (1,050,000 edges took 0.9 GB), and afterwards with the parts of a split.
READING, HELD = 900, 360

#: Of graph_filter: the most paths of an item that a config of the search keeps, those of the default, how many times as
#: many are collected, the rank, its share of the shorter side, the most paths whose squares are kept, how many fits a
#: search keeps and in how many bytes.
MANY, DEFAULT, COLLECTED, RANK, RANK_SHARE, TWICE_KEPT = 400, 100, 2, 768, 0.125, 1 << 26
KEPT, KEPT_BYTES = 3, 1_100_000_000

#: Up to this length of the shorter side the spectrum is found on a dense matrix of that side.
DENSE_SIDE = 1000

#: The most neighbours of an item that a config of item_knn keeps.
NEIGHBOURS = 1000

#: Bytes of an entry of a sparse matrix, and users whose scores of all items exist at one time, in three arrays.
ENTRY, CHUNK = 8, 128

#: Models that hold a dense matrix of items and items, or of users and items if these are fewer.
DENSE = ("ease", "slim")

#: Numbers of a user or an item in a model that learns vectors: the vector, its gradient and two moments.
NUMBERS_LEARNT = 4 * 256


@dataclass(frozen=True)
class Shape:
    """The sizes that decide: users, items, all edges, and how many paths of two steps lead from item to item."""

    users: int
    items: int
    edges: int
    paths: int


def shape_of(graph: "HeteroGraph") -> Shape:
    """The sizes of a graph."""
    items, edges, paths = graph.target[2], 0, 0
    for triple in graph.data.edge_types:
        index = graph.data[triple].edge_index
        if not triple[1].startswith("rev_"):
            edges += int(index.shape[1])
        if triple[2] == items:  # from users, and from attribute values by the reverse
            degree = np.bincount(index[0].numpy()).astype(np.float64)
            paths += int((degree * degree).sum())
    return Shape(len(graph.users), len(graph.items), edges, paths)


def bytes_to_train(shape: Shape, models: Iterable[str] = ("graph_filter",), workers: int = 1) -> int:
    """The bytes at most that choosing settings of these models takes, one model after the other, with the baselines
    that each run is judged by; of `workers` each holds the data and fits of its own."""
    names = dict.fromkeys((*models, "item_knn"))
    model = max(_of_model(name, shape) for name in names) + 3 * 4 * CHUNK * shape.items
    each = BEGUN + HELD * shape.edges + model
    return max(LOADED + READING * shape.edges, each * workers + (BEGUN if workers > 1 else 0))


def _of_model(name: str, shape: Shape) -> int:
    if name == "graph_filter":
        return _of_graph_filter(shape)
    if name == "item_knn":
        return ENTRY * _entries(NEIGHBOURS, shape) * 3 // 2  # its rows are divided by their sums into a copy
    if name in DENSE:
        return 4 * min(shape.items**2, 2 * shape.users * shape.items)
    if name == "popularity":
        return 0
    return 4 * NUMBERS_LEARNT * (shape.users + shape.items)


def _of_graph_filter(shape: Shape) -> int:
    """Fits that are kept, and beside them a variant with paths of its own."""
    rank = min(RANK, int(RANK_SHARE * min(shape.users, shape.items)))
    vectors = 4 * rank * shape.items
    collected = _entries(COLLECTED * MANY, shape)
    squares = 4 * collected if collected <= TWICE_KEPT else 0
    largest = ENTRY * collected + squares + vectors
    smallest = ENTRY * _entries(COLLECTED * DEFAULT, shape) + vectors
    scored = ENTRY * _entries(MANY, shape) + vectors
    # the random subspace, its image and the next one, if the spectrum is not found on a small dense matrix
    subspaces = 3 * 4 * (rank + 32) * shape.items if min(shape.users, shape.items) > DENSE_SIDE else 0
    kept = max(largest, min(KEPT * largest, KEPT_BYTES - largest * 3 // 2))
    return max(kept, 2 * smallest + ENTRY * collected) + max(scored, subspaces)


def _entries(of_an_item: int, shape: Shape) -> int:
    """The entries of an item-item matrix with at most so many in a row."""
    return min(of_an_item * shape.items, shape.items**2, shape.paths)
