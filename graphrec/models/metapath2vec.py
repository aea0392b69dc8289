"""metapath2vec: skip-gram vectors of random walks along a meta-path."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.optim import SparseAdam
from torch_geometric.nn import MetaPath2Vec as Walks

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.metapaths import choose_metapath, collect_edges, parse_metapath
from graphrec.models.vectors import VectorModel
from graphrec.progress import Progress
from graphrec.schema import Triple
from graphrec.training.loop import TrainSchedule, train


@dataclass(frozen=True)
class MetaPath2VecConfig:
    """Settings of metapath2vec.

    embedding_dim: length of the vectors, at least 1.
    metapath: node labels such as `User-Item-Genre-Item-User`, with a relation in brackets if several join two labels:
        `User-[RATED]-Item-User`. The last label is the first one. Empty: through every attribute of items and every
        relation between users.
    rounds: number of times that a walk passes the path, at least 1.
    context_size: number of nodes of a window, at least 2; the first node is paired with each other one.
    walks_per_node: number of walks per start node and epoch, at least 1.
    num_negatives: number of random walks per walk, at least 1.
    learning_rate: learning rate of Adam, above 0.
    batch_size: number of start nodes per step, at least 1.
    epochs: number of passes over all nodes of the first label, at least 1.
    """

    embedding_dim: int = 64
    metapath: str = ""
    rounds: int = 4
    context_size: int = 5
    walks_per_node: int = 5
    num_negatives: int = 1
    learning_rate: float = 0.01
    batch_size: int = 512
    epochs: int = 10

    def __post_init__(self) -> None:
        counts = (
            self.embedding_dim,
            self.rounds,
            self.walks_per_node,
            self.num_negatives,
            self.batch_size,
            self.epochs,
        )
        if min(counts) < 1:
            raise DataError(
                "metapath2vec: embedding_dim, rounds, walks_per_node, num_negatives, batch_size and epochs must be "
                "at least 1"
            )
        if self.context_size < 2 or self.learning_rate <= 0:
            raise DataError("metapath2vec: context_size is at least 2, learning_rate above 0")


class MetaPath2Vec(VectorModel[MetaPath2VecConfig]):
    """score(u, i) = x_u · x_i with vectors x of users and items that skip-gram learns from walks along a meta-path.

    Dong et al., KDD 2017. Walks, windows, negatives and loss are those of torch_geometric.nn.MetaPath2Vec. Nodes
    without an edge of the path have the vector 0.
    """

    config_class = MetaPath2VecConfig
    trials = 0  # a fit needs minutes

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Train the vectors of all nodes of the path."""
        vectors = metapath_vectors(graph, interactions, self.config, rng, self.device, progress)
        self.users, self.items = vectors[graph.target[0]], vectors[graph.target[2]]


def metapath_vectors(
    graph: HeteroGraph,
    interactions: Interactions,
    config: MetaPath2VecConfig,
    rng: np.random.Generator,
    device: torch.device,
    progress: Progress | None = None,
) -> dict[str, Tensor]:
    """Vectors [num_nodes, dim] of the nodes of each label of the path, for use as features; 0 for nodes without edges.

    Raises DataError or UnknownNameError if the graph has no such path.
    """
    path = parse_metapath(config.metapath, graph) if config.metapath else choose_metapath(graph)
    edges = collect_edges(graph, interactions, path)
    size = {label: int(graph.data[label].num_nodes) for triple in path for label in (triple[0], triple[2])}
    with _seeded(rng):
        walks = Walks(
            edges,
            config.embedding_dim,
            path,
            max(config.rounds * len(path), config.context_size),
            config.context_size,
            config.walks_per_node,
            config.num_negatives,
            size,
            sparse=True,
        )
        walks.embedding.to(device)
        with torch.no_grad():  # PyG's initial vectors have length √dim; their large dot products slow training down
            walks.embedding.weight /= config.embedding_dim**0.5
        x = walks.embedding.weight
        schedule = TrainSchedule(config.epochs, progress=progress)
        train(
            [x],
            SparseAdam([x], lr=config.learning_rate),
            lambda: _batches(walks, config.batch_size),
            lambda batch: walks.loss(batch[0].to(device), batch[1].to(device)),
            schedule,
        )
    return {label: walks(label).detach() * _mask_nodes(edges, label, n).to(device) for label, n in size.items()}


def _mask_nodes(edges: Mapping[Triple, Tensor], label: str, num_nodes: int) -> Tensor:
    """Whether each node of a label has an edge of the path, [num_nodes, 1] bool."""
    mask = torch.zeros(num_nodes, 1, dtype=torch.bool)
    for (source, _, target), pairs in edges.items():
        for end, index in zip((source, target), pairs, strict=True):
            if end == label:
                mask[index] = True
    return mask


def _batches(walks: Walks, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows of walks along the path and of random walks, from each node of the first label that has an edge."""
    starts = walks.rowcount_dict[walks.metapath[0]].nonzero().squeeze(1)
    for batch in starts[torch.randperm(len(starts))].split(batch_size):
        positive, negative = walks._sample(batch)
        # a walk that ends early continues at PyG's dummy node; its windows are skipped
        complete = positive[(positive != walks.dummy_idx).all(dim=1)]
        if len(complete):
            yield complete, negative


@contextmanager
def _seeded(rng: np.random.Generator) -> Iterator[None]:
    """Seed torch's global generator, which PyG draws from, within a block; its state is restored afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(1 << 62)))
        yield
