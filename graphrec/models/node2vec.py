"""node2vec: skip-gram vectors of biased random walks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.optim import SparseAdam

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.hetero import interactions as interactions_of
from graphrec.interactions import Interactions
from graphrec.models.typed_graph import TypedGraph, typed_graph
from graphrec.models.vectors import VectorModel
from graphrec.models.walks import Walker, cut_windows, skip_gram_loss
from graphrec.progress import Progress
from graphrec.training.loop import TrainSchedule, train
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class Node2VecConfig:
    """Settings of node2vec.

    embedding_dim: length of the vectors, at least 1.
    walk_length: number of nodes of a walk, at least context_size.
    context_size: number of nodes of a window, at least 2; the first node is paired with each other one.
    walks_per_node: number of walks per start node and epoch, at least 1.
    num_negatives: number of sequences of random nodes per walk, at least 1.
    p: return parameter, above 0; the larger it is, the less often a walk returns to the node before.
    q: in-out parameter, above 0; the smaller it is, the farther a walk moves from its start.
    learning_rate: learning rate of Adam, above 0.
    batch_size: number of start nodes per step, at least 1.
    epochs: number of passes over all nodes, at least 1.
    relation_weight: weight of the edges of all relations besides the target, whose edges have 1; 0 leaves them out.
    """

    embedding_dim: int = 64
    walk_length: int = 10
    context_size: int = 6
    walks_per_node: int = 5
    num_negatives: int = 1
    p: float = 1.0
    q: float = 1.0
    learning_rate: float = 0.01
    batch_size: int = 512
    epochs: int = 10
    relation_weight: float = 0.3

    def __post_init__(self) -> None:
        counts = (self.embedding_dim, self.walks_per_node, self.num_negatives, self.batch_size, self.epochs)
        if min(counts) < 1:
            raise DataError(
                "node2vec: embedding_dim, walks_per_node, num_negatives, batch_size and epochs are at least 1"
            )
        if not 2 <= self.context_size <= self.walk_length:
            raise DataError("node2vec: context_size is at least 2 and at most walk_length")
        if min(self.p, self.q, self.learning_rate) <= 0 or self.relation_weight < 0:
            raise DataError("node2vec: p, q and learning_rate are above 0, relation_weight is at least 0")


class Node2Vec(VectorModel[Node2VecConfig]):
    """score(u, i) = x_u · x_i with vectors x of users and items that skip-gram learns from biased walks.

    Grover and Leskovec, KDD 2016. Loss, windows and negatives are those of torch_geometric.nn.Node2Vec, whose walks
    need a compiled extension. Differs in walks that follow edge weights and all relations, in negatives that are nodes
    with edges, and in shorter initial vectors.
    """

    config_class = Node2VecConfig
    trials = 0  # a fit needs minutes

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Train the vectors of all nodes."""
        user, _, item = graph.target
        whole = _build_graph(graph, interactions, self.config)
        x = train_vectors(whole, self.config, rng, self.device, progress)
        self.users, self.items = whole.part(user, x), whole.part(item, x)


def node2vec_vectors(
    graph: HeteroGraph,
    rng: np.random.Generator,
    config: Node2VecConfig | None = None,
    device: torch.device | str = "cpu",
) -> dict[str, Tensor]:
    """Vectors [num_nodes, dim] of the nodes of each label, for use as features; 0 for nodes without edges."""
    config = config or Node2VecConfig()
    whole = _build_graph(graph, interactions_of(graph), config)
    x = train_vectors(whole, config, rng, torch.device(device))
    return {label: whole.part(label, x) for label in whole.start}


def train_vectors(
    whole: TypedGraph,
    config: Node2VecConfig,
    rng: np.random.Generator,
    device: torch.device,
    progress: Progress | None = None,
) -> Tensor:
    """The trained vectors [num_nodes, dim] of a typed graph; 0 for nodes without edges."""
    degree = torch.from_numpy(np.diff(whole.adjacency.indptr))
    nodes = np.flatnonzero(np.diff(whole.adjacency.indptr))
    walker = Walker.of(whole.adjacency, config.p, config.q)
    start = rng.standard_normal((len(degree), config.embedding_dim), dtype=np.float32)
    # PyG's initial vectors have length √dim; their large dot products slow training down
    x = torch.from_numpy(start / np.float32(config.embedding_dim**0.5)).to(device).requires_grad_()
    optimizer = SparseAdam([x], lr=config.learning_rate)

    def loss(batch: tuple[Tensor, Tensor]) -> Tensor:
        return skip_gram_loss(x, batch[0].to(device), batch[1].to(device))

    train(
        [x],
        optimizer,
        lambda: draw_batches(walker, nodes, config, rng),
        loss,
        TrainSchedule(config.epochs, progress=progress),
    )
    return x.detach() * (degree > 0).to(device).unsqueeze(1)


def draw_batches(
    walker: Walker, nodes: IndexArray, config: Node2VecConfig, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows of walks from all start nodes in random order, and windows of random nodes after the same start nodes."""
    order = rng.permutation(nodes)
    for first in range(0, len(order), config.batch_size):
        start = np.tile(order[first : first + config.batch_size], config.walks_per_node)
        walks = walker.walk(start, config.walk_length, rng)
        first_nodes = np.tile(start, config.num_negatives)
        drawn = nodes[rng.integers(len(nodes), size=(len(first_nodes), config.walk_length - 1))]
        random = np.concatenate([first_nodes[:, None], drawn], axis=1)
        windows = (cut_windows(part, config.context_size) for part in (walks, random))
        positive, negative = (torch.from_numpy(part) for part in windows)
        yield positive, negative


def _build_graph(graph: HeteroGraph, interactions: Interactions, config: Node2VecConfig) -> TypedGraph:
    kinds = ("behaviour", "social", "attribute", "item_relation")
    return typed_graph(graph, interactions, dict.fromkeys(kinds, config.relation_weight))
