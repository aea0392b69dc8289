"""A small graph with times, that tests of evaluation and training compare models on."""

import numpy as np
import torch

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.testing import graph_of

FRIEND = ("User", "FRIEND", "User")


def timed(size: int = 24) -> HeteroGraph:
    """Two blocks of users and items, each interaction at its own second, and friendships made all along."""
    rng = np.random.default_rng(0)
    user, item = np.nonzero(
        (np.add.outer(np.arange(size), np.arange(size)) % 2 == 0) & (rng.random((size, size)) < 0.8)
    )
    graph = graph_of(Interactions(user.astype(np.int64), item.astype(np.int64), size, size))
    graph.data[graph.target].timestamp = torch.from_numpy(rng.permutation(len(user)).astype(np.int64))
    graph.data[FRIEND].edge_index = torch.from_numpy(rng.integers(size, size=(2, 200)))
    graph.data[FRIEND].timestamp = torch.from_numpy(rng.integers(len(user), size=200))
    return graph
