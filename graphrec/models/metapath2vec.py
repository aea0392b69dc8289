"""metapath2vec: vectors that know which nodes walks along a path of node types visit together."""

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
from graphrec.models.metapaths import choose_metapath, edges, parse_metapath
from graphrec.models.vectors import VectorModel
from graphrec.progress import Progress
from graphrec.schema import Triple
from graphrec.training.loop import TrainSchedule, train


@dataclass(frozen=True)
class MetaPath2VecConfig:
    """Settings of metapath2vec.

    embedding_dim: length of the vectors.
    metapath: node labels as `User-Item-Genre-Item-User`, with a relation in brackets where several join two labels:
        `User-[RATED]-Item-User`; it ends where it begins. Empty: through every attribute of items and every relation
        among users, one after the other.
    rounds: how often a walk goes the path.
    context_size: nodes of a window, the first of which is paired with the others.
    walks_per_node: walks that begin at each node in an epoch.
    num_negatives: random windows for each walk.
    learning_rate: of Adam.
    batch_size: nodes whose walks make one step.
    epochs: passes over all nodes of the first label.
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
    """score(u, i) = x_u · x_i with the x of torch_geometric.nn.MetaPath2Vec (Dong et al., KDD 2017).

    Walks, windows, negatives and loss are PyG's. Nodes without any edge of the path get 0.
    """

    config_class = MetaPath2VecConfig
    trials = 0  # a fit takes minutes

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Train vectors of the nodes of the path."""
        found = metapath_vectors(graph, interactions, self.config, rng, self.device, progress)
        self.users, self.items = found[graph.target[0]], found[graph.target[2]]


def metapath_vectors(
    graph: HeteroGraph,
    interactions: Interactions,
    config: MetaPath2VecConfig,
    rng: np.random.Generator,
    device: torch.device,
    progress: Progress | None = None,
) -> dict[str, Tensor]:
    """Vectors [num_nodes, dim] of each label of the path, for use as features; 0 for nodes without edges of it.

    Raises DataError or UnknownNameError where the graph has no such path.
    """
    path = parse_metapath(config.metapath, graph) if config.metapath else choose_metapath(graph)
    joined = edges(graph, interactions, path)
    size = {label: int(graph.data[label].num_nodes) for triple in path for label in (triple[0], triple[2])}
    with _seeded(rng):
        walks = Walks(
            joined,
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
        with torch.no_grad():  # PyG begins at length √dim, where the dot products of noise take long to unlearn
            walks.embedding.weight /= config.embedding_dim**0.5
        x = walks.embedding.weight
        plan = TrainSchedule(config.epochs, progress=progress)
        train(
            [x],
            SparseAdam([x], lr=config.learning_rate),
            lambda: _batches(walks, config.batch_size),
            lambda batch: walks.loss(batch[0].to(device), batch[1].to(device)),
            plan,
        )
    return {label: walks(label).detach() * _touched(joined, label, n).to(device) for label, n in size.items()}


def _touched(joined: Mapping[Triple, Tensor], label: str, num_nodes: int) -> Tensor:
    """Whether a node of a label has an edge of the path, [num_nodes, 1]."""
    found = torch.zeros(num_nodes, 1, dtype=torch.bool)
    for (source, _, target), pairs in joined.items():
        for end, index in zip((source, target), pairs, strict=True):
            if end == label:
                found[index] = True
    return found


def _batches(walks: Walks, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows of walks along the path and of random ones, from each node of the first label that has an edge."""
    known = walks.rowcount_dict[walks.metapath[0]].nonzero().squeeze(1)
    for batch in known[torch.randperm(len(known))].split(batch_size):
        positive, negative = walks._sample(batch)
        # a walk that ends early goes on at PyG's dummy node, of which nothing is to be learned
        whole = positive[(positive != walks.dummy_idx).all(dim=1)]
        if len(whole):
            yield whole, negative


@contextmanager
def _seeded(rng: np.random.Generator) -> Iterator[None]:
    """PyG draws from torch's generator: seed it for a block and put it back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(1 << 62)))
        yield
