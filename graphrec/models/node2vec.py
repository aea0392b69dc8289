"""node2vec: vectors that know which nodes biased random walks visit together."""

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
from graphrec.models.walks import Walker, skip_gram_loss, windows
from graphrec.progress import Progress
from graphrec.training.loop import TrainSchedule, train
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class Node2VecConfig:
    """Settings of node2vec.

    embedding_dim: length of the vectors.
    walk_length: nodes of a walk.
    context_size: nodes of a window, the first of which is paired with the others.
    walks_per_node: walks that begin at each node in an epoch.
    num_negatives: random windows for each walk.
    p: return parameter: a high one keeps a walk from going back.
    q: in-out parameter: a low one leads a walk away.
    learning_rate: of Adam.
    batch_size: nodes whose walks make one step.
    epochs: passes over all nodes.
    relation_weight: of the edges of all relations beside the target, whose edges have 1; 0 walks the target alone.
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
            raise DataError("node2vec: p, q and learning_rate are above 0, relation_weight is not negative")


class Node2Vec(VectorModel[Node2VecConfig]):
    """score(u, i) = x_u · x_i with the x that skip-gram learns from biased walks (Grover and Leskovec, KDD 2016).

    Loss, windows and negatives are those of torch_geometric.nn.Node2Vec, whose walks need a compiled extension. Differs
    in walks that follow weights and all relations, each by `relation_weight`, in negatives that are nodes with edges,
    and in shorter vectors at the start.
    """

    config_class = Node2VecConfig
    trials = 0  # a fit takes minutes

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Train vectors of all nodes."""
        user, _, item = graph.target
        whole = _walked(graph, interactions, self.config)
        x = node_vectors(whole, self.config, rng, self.device, progress)
        self.users, self.items = whole.part(user, x), whole.part(item, x)


def node2vec_vectors(
    graph: HeteroGraph,
    rng: np.random.Generator,
    config: Node2VecConfig | None = None,
    device: torch.device | str = "cpu",
) -> dict[str, Tensor]:
    """Vectors [num_nodes, dim] of the nodes of each label, for use as features; 0 for nodes without edges."""
    config = config or Node2VecConfig()
    whole = _walked(graph, interactions_of(graph), config)
    x = node_vectors(whole, config, rng, torch.device(device))
    return {label: whole.part(label, x) for label in whole.start}


def node_vectors(
    whole: TypedGraph,
    config: Node2VecConfig,
    rng: np.random.Generator,
    device: torch.device,
    progress: Progress | None = None,
) -> Tensor:
    """Trained vectors [num_nodes, dim]; 0 for nodes without edges."""
    degree = torch.from_numpy(np.diff(whole.adjacency.indptr))
    known = np.flatnonzero(np.diff(whole.adjacency.indptr))
    walker = Walker.of(whole.adjacency, config.p, config.q)
    start = rng.standard_normal((len(degree), config.embedding_dim), dtype=np.float32)
    # PyG begins at length √dim, where the dot products of noise take long to unlearn
    x = torch.from_numpy(start / np.float32(config.embedding_dim**0.5)).to(device).requires_grad_()
    optimizer = SparseAdam([x], lr=config.learning_rate)

    def loss(batch: tuple[Tensor, Tensor]) -> Tensor:
        return skip_gram_loss(x, batch[0].to(device), batch[1].to(device))

    train(
        [x],
        optimizer,
        lambda: batches(walker, known, config, rng),
        loss,
        TrainSchedule(config.epochs, progress=progress),
    )
    return x.detach() * (degree > 0).to(device).unsqueeze(1)


def batches(
    walker: Walker, known: IndexArray, config: Node2VecConfig, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows of walks from all nodes in a random order, and windows of random nodes that begin at the same nodes."""
    order = rng.permutation(known)
    for first in range(0, len(order), config.batch_size):
        start = np.tile(order[first : first + config.batch_size], config.walks_per_node)
        walks = walker.walk(start, config.walk_length, rng)
        begin = np.tile(start, config.num_negatives)
        drawn = known[rng.integers(len(known), size=(len(begin), config.walk_length - 1))]
        random = np.concatenate([begin[:, None], drawn], axis=1)
        both = (windows(part, config.context_size) for part in (walks, random))
        positive, negative = (torch.from_numpy(part) for part in both)
        yield positive, negative


def _walked(graph: HeteroGraph, interactions: Interactions, config: Node2VecConfig) -> TypedGraph:
    kinds = ("behaviour", "social", "attribute", "item_relation")
    return typed_graph(graph, interactions, dict.fromkeys(kinds, config.relation_weight))
